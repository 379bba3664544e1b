//! Blocks of other products, given to their own checkers.

use crate::block::Block;
use crate::root;
use std::path::Path;
use std::process::Command;

/// The command that checks a file of this block's product, and what the block has to stand in to be a whole file.
struct Checker {
    program: &'static str,
    arguments: &'static [&'static str],
    file: &'static str,
}

fn checker(block: &Block) -> Option<Checker> {
    let checker = |program, arguments, file| Some(Checker { program, arguments, file });
    match block.language.as_str() {
        "nginx" => checker("nginx", &["-t", "-q", "-p", ".", "-c", "nginx.conf"], "nginx.conf"),
        "haproxy" => checker("haproxy", &["-c", "-q", "-f"], "haproxy.cfg"),
        "caddy" => checker("caddy", &["validate", "--adapter", "caddyfile", "--config"], "Caddyfile"),
        "yaml" if block.has("envoy") => checker("envoy", &["--mode", "validate", "-c"], "envoy.yaml"),
        _ => None,
    }
}

/// Whether a block is another product's.
pub(crate) fn is_foreign(block: &Block) -> bool {
    checker(block).is_some()
}

/// Checks a block in a folder. A product that is not there is said aloud.
pub(crate) fn check(block: &Block, folder: &Path) {
    let Some(checker) = checker(block) else { return };
    let folder = folder.join("peer");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join(checker.file), whole(block)).unwrap();
    let mut command = Command::new(checker.program);
    command.args(checker.arguments).current_dir(&folder).env("PATH", path()).env("HOME", &folder);
    if block.language != "nginx" {
        command.arg(checker.file);
    }
    let Ok(output) = command.output() else {
        return eprintln!("skipped: no {} to check a block with; run `cargo xtask peers`", checker.program);
    };
    let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    // A checker that cannot start (no such library) says so with 126 and 127 too.
    assert!(output.status.success(), "line {}: {} refuses the block:\n{said}", block.line, checker.program);
}

/// The block as a whole file: pages show what matters of nginx and HAProxy.
fn whole(block: &Block) -> String {
    let text = &block.text;
    match block.language.as_str() {
        "nginx" if !text.contains("events {") => {
            format!("pid nginx.pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{text}}}\n")
        }
        "haproxy" if !text.contains("timeout client") => {
            format!("defaults\n  mode http\n  timeout client 30s\n  timeout server 30s\n  timeout connect 1s\n{text}")
        }
        _ => text.clone(),
    }
}

/// Where peers are: those of this project before the system's.
pub(crate) fn path() -> String {
    let own = root().join(".peers/venv/bin");
    format!("{}:/usr/sbin:{}", own.display(), std::env::var("PATH").unwrap_or_default())
}
