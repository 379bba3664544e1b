//! `cargo xtask test`: every check there is, in one order, each with its time, all failures listed at the end.

use crate::verdict::Verdict;
use crate::{arrows, claims, deny, docs, hygiene, lengths, peers, shell, source, vocabulary};
use std::path::Path;
use std::time::Instant;

/// One check.
struct Step {
    name: &'static str,
    about: &'static str,
    run: fn(&Path) -> Verdict,
}

/// What later ones need, then cheap ones, so that what is quick to mend is known early.
const STEPS: &[Step] = &[
    Step { name: "peers", about: "real peers and clients that tests use are installed", run: peers::check },
    Step { name: "format", about: "rustfmt changes nothing", run: format },
    Step { name: "lengths", about: "functions are short", run: |root| lengths::check(root, &source::rust_files(root)) },
    Step {
        name: "vocabulary",
        about: "one word, one meaning, in names of the code",
        run: |root| vocabulary::check(root, &source::rust_files(root)),
    },
    Step {
        name: "hygiene",
        about: "no hidden panics, no unexplained unsafe, no marks left for later, no machine's paths",
        run: |root| hygiene::check(root, &source::rust_files(root)),
    },
    Step { name: "claims", about: "what the threat model promises has a proof that exists", run: claims },
    Step { name: "arrows", about: "crates know only what the table allows", run: arrows::check },
    Step { name: "licences", about: "licences, banned crates and sources of dependencies", run: deny::check_licences },
    Step { name: "advisories", about: "known advisories against the lock file", run: deny::check_advisories },
    Step { name: "clippy", about: "lints of every target, warnings denied", run: clippy },
    Step { name: "docs", about: "generated pages of the manual are up to date", run: docs::check },
    Step { name: "doctest", about: "every example in the documentation of the code", run: doctests },
    Step { name: "instructions", about: "the engine's hot paths cost what they did", run: instructions },
    // Last, so that its own summary closes the output.
    Step { name: "test", about: "every test", run: tests },
];

/// Which steps to run.
#[derive(Default)]
pub(crate) struct Choice {
    pub(crate) only: Vec<String>,
    pub(crate) skip: Vec<String>,
}

/// Runs the chosen steps to the last and says at the end all that failed.
pub(crate) fn run(root: &Path, choice: &Choice) -> Result<(), String> {
    let chosen = chosen(choice)?;
    let start = Instant::now();
    let (mut failed, mut skipped) = (Vec::new(), Vec::new());
    for step in &chosen {
        match timed(root, step) {
            Verdict::Passed(_) => {}
            Verdict::Skipped(reason) => skipped.push(format!("{}: {reason}", step.name)),
            Verdict::Failed(found) => failed.push((step.name, found)),
        }
    }
    summarise(chosen.len(), &failed, &skipped, start.elapsed().as_secs());
    if failed.is_empty() { Ok(()) } else { Err(format!("{} of {} checks failed", failed.len(), chosen.len())) }
}

/// The steps with what each looks at, for `--help`.
pub(crate) fn listing() -> String {
    STEPS.iter().map(|step| format!("  {:<12} {}\n", step.name, step.about)).collect()
}

fn chosen(choice: &Choice) -> Result<Vec<&'static Step>, String> {
    let named = choice.only.iter().chain(&choice.skip);
    if let Some(unknown) = named.into_iter().find(|name| !STEPS.iter().any(|step| step.name == **name)) {
        return Err(format!("no step is called `{unknown}`; there are\n{}", listing()));
    }
    let wanted = |step: &&Step| {
        let is_in = |names: &[String]| names.iter().any(|name| name == step.name);
        (choice.only.is_empty() || is_in(&choice.only)) && !is_in(&choice.skip)
    };
    Ok(STEPS.iter().filter(wanted).collect())
}

fn timed(root: &Path, step: &Step) -> Verdict {
    eprintln!("── {}: {}", step.name, step.about);
    let start = Instant::now();
    let verdict = (step.run)(root);
    let seconds = start.elapsed().as_secs_f64();
    match &verdict {
        Verdict::Passed(note) => eprintln!("   ok in {seconds:.1} s: {note}"),
        Verdict::Skipped(reason) => eprintln!("   SKIPPED in {seconds:.1} s: {reason}"),
        Verdict::Failed(found) => eprintln!("   FAILED in {seconds:.1} s\n{}", indented(found)),
    }
    verdict
}

fn summarise(count: usize, failed: &[(&str, Vec<String>)], skipped: &[String], seconds: u64) {
    eprintln!();
    for reason in skipped {
        eprintln!("skipped {reason}");
    }
    for (name, found) in failed {
        eprintln!("failed {name}\n{}", indented(found));
    }
    let good = count - failed.len() - skipped.len();
    eprintln!(
        "xtask test: {good} of {count} checks good, {} failed, {} skipped, {seconds} s",
        failed.len(),
        skipped.len()
    );
}

fn indented(lines: &[String]) -> String {
    lines.iter().map(|line| format!("   {line}")).collect::<Vec<_>>().join("\n")
}

fn verdict(outcome: Result<(), String>, note: &str) -> Verdict {
    Verdict::of(outcome.err().into_iter().collect(), note)
}

fn claims(root: &Path) -> Verdict {
    let known: Vec<&str> = STEPS.iter().map(|step| step.name).chain(["foldhash", "deny.toml"]).collect();
    claims::check(root, &source::rust_files(root), &known)
}

fn format(root: &Path) -> Verdict {
    verdict(shell::run(shell::cargo(root).args(["fmt", "--all", "--", "--check", "-l"])), "formatted")
}

fn clippy(root: &Path) -> Verdict {
    let arguments = ["clippy", "--quiet", "--workspace", "--all-targets", "--keep-going", "--", "-D", "warnings"];
    verdict(shell::run(shell::cargo(root).args(arguments)), "no warning")
}

/// Tests that start the real program find it built.
fn tests(root: &Path) -> Verdict {
    let built = shell::run(shell::cargo(root).args(["build", "--quiet", "--package", "strait"]));
    let runner = match shell::has_cargo_command(root, "nextest") {
        true => "nextest run --workspace --cargo-quiet --no-fail-fast --show-progress none --status-level fail",
        false => "test --quiet --workspace --lib --bins --tests --no-fail-fast",
    };
    verdict(
        built.and_then(|()| shell::run(shell::cargo_with_peers(root, "debug").args(runner.split(' ')))),
        "all tests",
    )
}

fn doctests(root: &Path) -> Verdict {
    let arguments = ["test", "--quiet", "--workspace", "--doc", "--no-fail-fast"];
    verdict(shell::capture(shell::cargo(root).args(arguments)).map(drop), "all examples")
}

/// Instructions do not vary from run to run, so that unlike a time they can gate.
fn instructions(root: &Path) -> Verdict {
    if shell::find("valgrind").is_none() {
        return Verdict::Skipped("valgrind is missing; run: apt-get install -y valgrind".to_owned());
    }
    let arguments = ["bench", "--quiet", "--package", "strait-http1", "--bench", "instructions"];
    verdict(shell::run(shell::cargo(root).args(arguments)), "no hot path of the engine grew by more than 3 %")
}

#[cfg(test)]
mod tests_of_choice {
    use super::*;

    fn names(only: &[&str], skip: &[&str]) -> Result<Vec<&'static str>, String> {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let steps = chosen(&Choice { only: owned(only), skip: owned(skip) })?;
        Ok(steps.iter().map(|step| step.name).collect())
    }

    #[test]
    fn steps_are_chosen_by_name() {
        assert_eq!(names(&["lengths", "format"], &[]), Ok(vec!["format", "lengths"]));
        assert_eq!(names(&[], &["peers"]).map(|names| names.len()), Ok(STEPS.len() - 1));
        assert!(names(&["lenghts"], &[]).is_err());
    }
}
