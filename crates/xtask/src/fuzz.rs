//! `cargo xtask fuzz TARGET --seconds N`.

use crate::shell;
use std::path::Path;
use std::process::Command;

/// Runs one target of `fuzz/` for so many seconds; finding nothing is success.
pub(crate) fn run(root: &Path, target: &str, seconds: u64) -> Result<(), String> {
    if !root.join("fuzz/Cargo.toml").is_file() {
        return Err("there is no fuzz/ here yet".to_owned());
    }
    match coverage_guided(root, target, seconds) {
        Some(mut command) => shell::run(&mut command),
        None => without_nightly(target),
    }
}

/// cargo-fuzz on a nightly toolchain, if this machine has both.
fn coverage_guided(root: &Path, target: &str, seconds: u64) -> Option<Command> {
    let rustup = shell::find("rustup")?;
    let fuzz = ["run", "nightly", "cargo", "fuzz"];
    shell::capture(Command::new(&rustup).args(fuzz).arg("--version")).ok()?;
    let mut command = Command::new(rustup);
    command.current_dir(root).args(fuzz).args(["run", target, "--", &format!("-max_total_time={seconds}")]);
    // The outer cargo's choice of toolchain must not reach the inner one.
    command.env_remove("RUSTUP_TOOLCHAIN").env_remove("CARGO");
    Some(command)
}

/// The place for a driver that a stable toolchain can build.
fn without_nightly(target: &str) -> Result<(), String> {
    Err(format!(
        "fuzzing `{target}` needs a nightly toolchain and cargo-fuzz; run: \
         rustup toolchain install nightly && cargo install cargo-fuzz --locked"
    ))
}
