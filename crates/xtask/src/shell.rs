//! Running other programs.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The `cargo` that runs this program, in the root of the workspace.
pub(crate) fn cargo(root: &Path) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Set for this build only; a nested cargo must find its own.
    for name in ["CARGO_MANIFEST_DIR", "CARGO_MANIFEST_PATH", "CARGO_PKG_NAME", "CARGO_PKG_VERSION"] {
        command.env_remove(name);
    }
    command.current_dir(root);
    command
}

/// A `cargo` whose tests and measurements find the product and its peers, whatever was installed how.
pub(crate) fn cargo_with_peers(root: &Path, profile: &str) -> Command {
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |target| root.join(target));
    let mut command = cargo(root);
    command.env("STRAIT_BIN", target.join(profile).join("strait")).env("PEERS_VENV", root.join(".peers/venv"));
    command.env("NODE_PATH", root.join(".peers/node/node_modules"));
    command
}

/// Runs to the end with the output on the terminal; says what went wrong otherwise.
pub(crate) fn run(command: &mut Command) -> Result<(), String> {
    match command.stdin(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("`{}` failed ({status})", shown(command))),
        Err(error) => Err(format!("`{}` could not start: {error}", shown(command))),
    }
}

/// Runs silently to the end; the output is in the message if it fails.
pub(crate) fn capture(command: &mut Command) -> Result<String, String> {
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("`{}` could not start: {error}", shown(command)))?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() {
        return Ok(text(&output.stdout));
    }
    Err(format!("`{}` failed: {} {}", shown(command), text(&output.stderr), text(&output.stdout)))
}

/// The command as one would type it.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    let words = std::iter::once(program).chain(command.get_args());
    words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
}

/// Where a program is, if it can be run from the search path (or from `sbin`, where Debian puts servers).
pub(crate) fn find(program: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    folders.map(|folder| folder.join(program)).find(|candidate| candidate.is_file())
}

/// Whether `cargo NAME` exists.
pub(crate) fn has_cargo_command(root: &Path, name: &str) -> bool {
    capture(cargo(root).args([name, "--version"])).is_ok()
}
