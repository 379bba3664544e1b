//! Mistaken files and what is said about them: `tests/mistakes/*.txt`, cases divided by `=== name`,
//! each followed by its expected answer behind `>>>`. `UPDATE=1 cargo test` writes the answers anew.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]
#![allow(missing_docs)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use strait_config::{Diagnostics, FileId, Surroundings, apply_edits, load_str_with};

struct World;

impl Surroundings for World {
    fn variable(&self, name: &str) -> Option<String> {
        match name {
            "GREETING" => Some("hello".to_owned()),
            "HOST" => Some("localhost".to_owned()),
            "SECRET" => Some("hunter2".to_owned()),
            _ => None,
        }
    }

    fn secret(&self, _: &Path) -> Result<String, String> {
        Err("no such file".to_owned())
    }
}

struct Case {
    name: String,
    text: String,
    expected: String,
}

fn cases(file: &Path) -> Vec<Case> {
    let text = std::fs::read_to_string(file).unwrap();
    let mut cases = Vec::new();
    for part in text.split("=== ").skip(1) {
        let (name, rest) = part.split_once('\n').unwrap();
        let (text, expected) = rest.split_once(">>>\n").unwrap_or((rest, ""));
        cases.push(Case { name: name.to_owned(), text: text.to_owned(), expected: expected.to_owned() });
    }
    cases
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mistakes");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// All findings, warnings of an accepted file among them.
fn findings(text: &str) -> (Diagnostics, bool) {
    match load_str_with("strait.yaml", text, &World) {
        Ok(snapshot) => (snapshot.refuse(Vec::new()), true),
        Err(diagnostics) => (diagnostics, false),
    }
}

#[test]
fn every_mistake_is_answered_as_written_down() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut differences = String::new();
    let mut count = 0;
    for file in files() {
        let mut written = String::new();
        for case in cases(&file) {
            let (found, _) = findings(&case.text);
            let answer = found.to_string();
            count += 1;
            if answer.trim() != case.expected.trim() {
                let _ = writeln!(differences, "{}:\n{answer}expected:\n{}", case.name, case.expected);
            }
            for finding in &found.list {
                let place = found.sources.locate(finding.primary.span);
                assert!(place.is_some(), "{}: `{}` has no place", case.name, finding.message);
            }
            let _ = write!(written, "=== {}\n{}>>>\n{answer}", case.name, case.text);
        }
        if update {
            std::fs::write(&file, written).unwrap();
        }
    }
    assert!(count >= 120, "{count} mistakes");
    assert!(update || differences.is_empty(), "{differences}");
}

fn is_unbuilt(found: &Diagnostics) -> bool {
    found.list.iter().filter(|d| d.is_error()).all(|d| d.code.id == "E0501")
}

/// Applies the fixes of a file again and again until nothing is left to apply.
fn mended(text: &str) -> Result<(), String> {
    let mut text = text.to_owned();
    for _ in 0..8 {
        let (found, loaded) = findings(&text);
        if loaded || is_unbuilt(&found) {
            return Ok(());
        }
        let edits: Vec<_> = found
            .list
            .iter()
            .filter(|d| d.is_error())
            .filter_map(|d| d.fix.as_ref())
            .find(|fix| !fix.edits.is_empty())
            .map(|fix| fix.edits.clone())
            .unwrap_or_default();
        let next = apply_edits(&text, first_file(&found), &edits);
        if next == text {
            return Err(found.to_string());
        }
        text = next;
    }
    Err(format!("no end of mending:\n{text}"))
}

fn first_file(found: &Diagnostics) -> FileId {
    found.list.iter().map(|d| d.primary.span.file).next().unwrap()
}

#[test]
fn nine_of_ten_fixes_make_the_file_load() {
    let (mut mended_count, mut total) = (0, 0);
    let mut left = String::new();
    for file in files() {
        for case in cases(&file) {
            let (found, loaded) = findings(&case.text);
            // What is not built has no fix but waiting.
            if loaded || is_unbuilt(&found) {
                continue;
            }
            total += 1;
            match mended(&case.text) {
                Ok(()) => mended_count += 1,
                Err(why) => {
                    let _ = writeln!(left, "--- {}\n{why}", case.name);
                }
            }
        }
    }
    println!("{mended_count} of {total} mended");
    assert!(mended_count * 10 >= total * 9, "{mended_count} of {total} mended; not mended:\n{left}");
}
