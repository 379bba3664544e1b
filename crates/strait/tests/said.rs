//! What the command line says: sessions in `tests/said/`, with their files, commands, output and exit codes.
//!
//! `UPDATE=1 cargo test -p strait --test said` writes what is said now.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

#[test]
fn the_command_line_says_what_it_said() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/said");
    let mut different = Vec::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let written = fs::read_to_string(&path).unwrap();
        let said = replay(&written);
        if said == written {
            continue;
        }
        if std::env::var_os("UPDATE").is_some() {
            fs::write(&path, said).unwrap();
        } else {
            different.push(format!("{} should say:\n{said}", path.display()));
        }
    }
    assert!(different.is_empty(), "{}", different.join("\n"));
}

/// Does what a session does and writes it down anew. `--- NAME` begins a file that ends before the next one or the
/// first command; `$ ` begins a command, behind it stand what it says and `? ` with its exit code.
fn replay(session: &str) -> String {
    let folder = Folder::new();
    let mut out = String::new();
    let (mut file, mut in_output, mut ended): (Option<(String, String)>, bool, bool) = (None, false, false);
    for line in session.lines() {
        // What was said may look like anything, until its exit code.
        if in_output {
            in_output = !line.starts_with("? ");
            ended = !in_output;
            continue;
        }
        if std::mem::take(&mut ended) && line.is_empty() {
            continue;
        }
        let begins = line.starts_with("--- ") || line.starts_with("$ ") || line.starts_with("# ");
        if begins && let Some((name, text)) = file.take() {
            fs::write(folder.0.join(name), text).unwrap();
        }
        if let Some(command) = line.strip_prefix("$ strait ") {
            in_output = true;
            let _ = writeln!(out, "{line}\n{}", said(&folder.0, command));
        } else {
            let _ = writeln!(out, "{line}");
            if let Some(name) = line.strip_prefix("--- ") {
                file = Some((name.to_owned(), String::new()));
            } else if let Some((_, text)) = &mut file {
                let _ = writeln!(text, "{line}");
            }
        }
    }
    out
}

fn said(folder: &Path, command: &str) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_strait")).args(words(command)).current_dir(folder).output().unwrap();
    let (stdout, stderr) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    let lines = format!("{stdout}{stderr}\n? {}\n", output.status.code().unwrap());
    lines.replace("\n\n? ", "\n? ").trim_start_matches('\n').to_owned()
}

/// Splits at spaces outside single quotes.
fn words(command: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    for (at, part) in command.split('\'').enumerate() {
        if at % 2 == 1 {
            words.last_mut().unwrap().push_str(part);
            continue;
        }
        for (at, word) in part.split(' ').enumerate() {
            if at > 0 {
                words.push(String::new());
            }
            words.last_mut().unwrap().push_str(word);
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

/// A folder of its own for a session.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        static COUNT: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let count = COUNT.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("strait-said-{}-{count}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}
