//! Mistakes that are found once routes are compiled, and what `strait check` says about them: `tests/mistakes/*.txt`, cases
//! divided by `=== name`, each followed by its expected answer behind `>>>`. `UPDATE=1 cargo test` writes the answers anew.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::disallowed_methods, reason = "tests")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use strait_compile::{Compiler, review};
use strait_config::{Diagnostics, apply_edits, load_str};

/// All findings, as `strait check` has them.
fn findings(text: &str) -> Diagnostics {
    let checked = || {
        let snapshot = load_str("strait.yaml", text)?;
        let plan = Compiler::new(1).compile(&snapshot)?;
        Ok(review(&snapshot, &plan))
    };
    checked().unwrap_or_else(|findings: Diagnostics| findings)
}

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mistakes");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

/// Name, text and expected answer of each case of a file.
fn cases(file: &Path) -> Vec<(String, String, String)> {
    let text = std::fs::read_to_string(file).unwrap();
    let case = |part: &str| {
        let (name, rest) = part.split_once('\n').unwrap();
        let (text, expected) = rest.split_once(">>>\n").unwrap_or((rest, ""));
        (name.to_owned(), text.to_owned(), expected.to_owned())
    };
    text.split("=== ").skip(1).map(case).collect()
}

#[test]
fn every_mistake_is_answered_as_written_down() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut differences = String::new();
    for file in files() {
        let mut written = String::new();
        for (name, text, expected) in cases(&file) {
            let found = findings(&text);
            let answer = found.to_string();
            if answer.trim() != expected.trim() {
                let _ = writeln!(differences, "{name}:\n{answer}expected:\n{expected}");
            }
            for finding in &found.list {
                assert!(
                    found.sources.locate(finding.primary.span).is_some(),
                    "{name}: `{}` has no place",
                    finding.message
                );
            }
            let _ = write!(written, "=== {name}\n{text}>>>\n{answer}");
        }
        if update {
            std::fs::write(&file, written).unwrap();
        }
    }
    assert!(update || differences.is_empty(), "{differences}");
}

/// Applies the fixes of a text again and again until nothing is found, or nothing is left to apply.
fn is_mended(text: &str) -> bool {
    let mut text = text.to_owned();
    for _ in 0..4 {
        let found = findings(&text);
        let Some(first) = found.list.first() else { return true };
        let Some(fix) = found.list.iter().filter_map(|finding| finding.fix.as_ref()).find(|fix| !fix.edits.is_empty())
        else {
            return false;
        };
        text = apply_edits(&text, first.primary.span.file, &fix.edits);
    }
    false
}

#[test]
fn nine_of_ten_fixes_leave_nothing_to_say() {
    let all: Vec<_> = files().iter().flat_map(|file| cases(file)).collect();
    let left: Vec<&str> = all.iter().filter(|(_, text, _)| !is_mended(text)).map(|(name, ..)| &**name).collect();
    println!("{} of {} mended", all.len() - left.len(), all.len());
    assert!(left.len() * 10 <= all.len(), "not mended: {left:?}");
}
