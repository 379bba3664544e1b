//! `cargo xtask fuzz TARGET --seconds N`.

use crate::shell;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The one line that installs the driver.
const BY_HAND: &str = "cargo install cargo-fuzz --locked";

/// Runs one target of `fuzz/`, or all of them, for so many seconds each; finding nothing is success.
pub(crate) fn run(root: &Path, target: &str, seconds: u64) -> Result<(), String> {
    let known = targets(root)?;
    let chosen: Vec<&String> = known.iter().filter(|name| target == "all" || *name == target).collect();
    if chosen.is_empty() {
        return Err(format!("there is no target `{target}`; there are: {}, or all", known.join(", ")));
    }
    let driver = driver(root)?;
    for name in chosen {
        eprintln!("fuzz: {name} for {seconds} s");
        shell::run(&mut command(root, &driver, name, seconds))?;
    }
    Ok(())
}

/// The names of the targets, in order.
fn targets(root: &Path) -> Result<Vec<String>, String> {
    let folder = fs::read_dir(root.join("fuzz/fuzz_targets")).map_err(|error| format!("fuzz/fuzz_targets: {error}"))?;
    let paths = folder.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let stems = paths.filter_map(|path| path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
    let mut names: Vec<String> = stems.collect();
    names.sort();
    Ok(names)
}

/// cargo-fuzz from the search path, else from `.peers`, built there first if need be.
fn driver(root: &Path) -> Result<PathBuf, String> {
    let own = root.join(".peers/fuzz/bin/cargo-fuzz");
    if let Some(found) = shell::find("cargo-fuzz").or_else(|| own.is_file().then(|| own.clone())) {
        return Ok(found);
    }
    eprintln!("fuzz: building cargo-fuzz into .peers/fuzz, once");
    let mut install = shell::cargo(root);
    install.args(["install", "cargo-fuzz", "--locked", "--quiet", "--root"]).arg(root.join(".peers/fuzz"));
    shell::run(&mut install).map_err(|reason| format!("{reason}; run: {BY_HAND}"))?;
    Ok(own)
}

/// Coverage guides the fuzzer on any toolchain; only the sanitizers need a nightly one. The code that sees outside
/// bytes has no `unsafe` for them to look at.
fn command(root: &Path, driver: &Path, target: &str, seconds: u64) -> Command {
    let mut command = Command::new(driver);
    command.current_dir(root);
    command.args(["fuzz", "run", "--sanitizer", "none", target, "--", &format!("-max_total_time={seconds}")]);
    command
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_found_by_name() {
        let names = targets(&crate::root()).unwrap_or_default();
        assert!(names.iter().any(|name| name == "request_head"), "{names:?}");
        assert!(run(&crate::root(), "nothing", 1).is_err_and(|reason| reason.contains("request_head")));
    }
}
