//! Every check of the workspace, and what tests and measurements need, behind one command: `cargo xtask`.
#![allow(
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a development tool: it reads this workspace only, and a panic here costs nobody an exchange"
)]

mod arrows;
mod checks;
mod claims;
mod deb;
mod deny;
mod docs;
mod fuzz;
mod hygiene;
mod lengths;
mod peers;
mod reviewed;
mod shell;
mod source;
mod verdict;
mod vocabulary;

use std::env;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

const USAGE: &str = "\
cargo xtask test [--only STEP]... [--skip STEP]...     every check
cargo xtask peers [--without NAME]...                  install the real peers and clients that tests use
cargo xtask bench ARGUMENTS...                         side-by-side measurements, in release
cargo xtask conformance ARGUMENTS...                   the raw HTTP corpus, in release
cargo xtask fuzz TARGET|all [--seconds N]              one fuzz target, or each in turn (60 s)
cargo xtask deb                                        the Debian package, target/strait_VERSION_ARCH.deb
cargo xtask docs [--check]                             generated pages of the manual
";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    match dispatch(&root(), &arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(reason) => {
            eprintln!("xtask: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// The root of the workspace: two folders above this crate.
fn root() -> PathBuf {
    let own = env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
    own.ancestors().nth(2).map_or_else(|| PathBuf::from("."), Path::to_owned)
}

fn dispatch(root: &Path, arguments: &[String]) -> Result<(), String> {
    let (command, rest) = arguments.split_first().map_or(("help", arguments), |(first, rest)| (first.as_str(), rest));
    match command {
        "test" => checks::run(root, &choice(rest)?),
        "peers" => peers::install(root, &repeated(rest, "--without")?),
        "bench" | "conformance" => run_released(root, command, rest),
        "fuzz" => fuzz_target(root, rest),
        "deb" => deb::build(root),
        "docs" if rest.is_empty() => docs::write(root),
        "docs" if rest == ["--check"] => {
            checks::run(root, &checks::Choice { only: vec!["docs".to_owned()], skip: Vec::new() })
        }
        "help" | "--help" | "-h" => {
            println!("{USAGE}\nSteps of test:\n{}", checks::listing());
            Ok(())
        }
        other => Err(format!("no command is called `{other}`\n{USAGE}")),
    }
}

fn choice(arguments: &[String]) -> Result<checks::Choice, String> {
    let mut choice = checks::Choice::default();
    for pair in arguments.chunks(2) {
        match pair {
            [flag, name] if flag == "--only" => choice.only.push(name.clone()),
            [flag, name] if flag == "--skip" => choice.skip.push(name.clone()),
            _ => return Err(format!("cannot read `{}`\n{USAGE}", pair.join(" "))),
        }
    }
    Ok(choice)
}

/// The values of a flag that may stand several times and alone.
fn repeated(arguments: &[String], flag: &str) -> Result<Vec<String>, String> {
    let values = arguments.chunks(2).map(|pair| match pair {
        [own, value] if own == flag => Ok(value.clone()),
        _ => Err(format!("cannot read `{}`\n{USAGE}", pair.join(" "))),
    });
    values.collect()
}

/// Measures and compares what is shipped, by means of a development crate in release.
fn run_released(root: &Path, name: &str, arguments: &[String]) -> Result<(), String> {
    // Whole-program optimisation takes a tenth off the instructions of a request; a corpus does not need it.
    let profile = if name == "bench" { "dist" } else { "release" };
    shell::run(shell::cargo(root).args(["build", "--profile", profile, "--quiet", "--package", "strait"]))?;
    let package = format!("strait-{name}");
    let mut command = shell::cargo_with_peers(root, "release");
    shell::run(command.args(["run", "--release", "--quiet", "--package", &package, "--"]).args(arguments))
}

fn fuzz_target(root: &Path, arguments: &[String]) -> Result<(), String> {
    let (target, rest) = arguments.split_first().ok_or_else(|| format!("which target?\n{USAGE}"))?;
    let seconds = repeated(rest, "--seconds")?.last().map_or(Ok(60), |value| value.parse());
    fuzz::run(root, target, seconds.map_err(|error| format!("--seconds: {error}"))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_may_repeat_and_unknown_ones_are_refused() {
        let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        let choice = choice(&owned(&["--only", "a", "--skip", "b", "--only", "c"])).unwrap_or_default();
        assert_eq!((choice.only, choice.skip), (owned(&["a", "c"]), owned(&["b"])));
        assert!(repeated(&owned(&["--without"]), "--without").is_err());
        assert!(repeated(&owned(&["--with", "x"]), "--without").is_err());
    }
}
