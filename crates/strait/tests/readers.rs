//! What `strait fmt` writes is read alike by everybody: PyYAML (YAML 1.1), yq, and the loader.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use serde_json::Value;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Every trap of YAML 1.1, as a text of a header.
const TRAPS: &[&str] = &[
    "no",
    "NO",
    "Yes",
    "on",
    "Off",
    "y",
    "N",
    "true",
    "False",
    "null",
    "~",
    "Null",
    "12:30",
    "1:2:3",
    "1.10",
    "1e3",
    "0x1F",
    "010",
    "0o17",
    "0b11",
    "1_000",
    "+1",
    ".5",
    "5.",
    ".inf",
    "-.INF",
    ".NaN",
    "2026-11-24",
    "2026-11-24T10:00:00Z",
    "=",
    "12345678901234567890",
    "a: b",
    "a #b",
    "- a",
    "*a",
    "&a",
    "!a",
    "%a",
    "@a",
    "`a",
    "[a",
    "{a",
    "a\u{85}b",
    "a\u{2028}b",
    " a ",
    "'a'",
    "\"a\"",
    "a\\b",
    "30s",
    "10/s",
    "5%",
    "a:b",
    ":a",
    "?a",
    "-a",
    "---",
    "...",
    "#a",
    "|",
    ">",
    "é",
    "😀",
];

fn run(command: &mut Command, input: &str) -> String {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{command:?} on:\n{input}");
    String::from_utf8(output.stdout).unwrap()
}

fn formatted(text: &str) -> String {
    run(Command::new(env!("CARGO_BIN_EXE_strait")).args(["fmt", "-"]), text)
}

fn python() -> Option<PathBuf> {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.peers/venv/bin/python");
    let has = Command::new(&python).args(["-c", "import yaml"]).output().is_ok_and(|output| output.status.success());
    if !has {
        eprintln!("skipped: no PyYAML in .peers/venv; run `cargo xtask peers`");
    }
    has.then_some(python)
}

fn has_yq() -> bool {
    let has = Command::new("yq").arg("--version").output().is_ok();
    if !has {
        eprintln!("skipped: no yq; apt-get install yq");
    }
    has
}

/// A file with every trap as value of a header and as key, in lines and in braces.
fn trapped() -> String {
    let quoted = |text: &&str| Value::from(*text).to_string();
    let in_lines: String = TRAPS.iter().map(|text| format!("  {}: {}\n", quoted(text), quoted(text))).collect();
    let in_braces: Vec<String> = TRAPS.iter().map(|text| format!("{}: {}", quoted(text), quoted(text))).collect();
    let in_list: Vec<String> = TRAPS.iter().map(quoted).collect();
    format!("x-lines:\n{in_lines}x-braces: {{{}}}\nx-list: [{}]\n", in_braces.join(", "), in_list.join(", "))
}

/// What was meant: every trap is the text it is.
#[track_caller]
fn check(read: &Value) {
    for text in TRAPS {
        assert_eq!(read["x-lines"][*text], *text, "in lines");
        assert_eq!(read["x-braces"][*text], *text, "in braces");
    }
    assert_eq!(read["x-list"], Value::from(TRAPS.to_vec()));
}

#[test]
fn pyyaml_reads_what_was_meant() {
    let Some(python) = python() else { return };
    let script = "import sys, json, yaml; print(json.dumps(yaml.safe_load(sys.stdin.buffer.read().decode())))";
    let read = run(Command::new(python).args(["-c", script]), &formatted(&trapped()));
    check(&serde_json::from_str(&read).unwrap());
}

#[test]
fn yq_reads_what_was_meant() {
    if has_yq() {
        check(&serde_json::from_str(&run(Command::new("yq").arg("."), &formatted(&trapped()))).unwrap());
    }
}

#[test]
fn plain_traps_are_quoted_as_they_were_meant() {
    let plain: Vec<&str> = TRAPS
        .iter()
        .copied()
        .filter(|text| text.chars().all(|c| c.is_ascii_alphanumeric() || ".:+-_".contains(c)))
        .collect();
    let plain: Vec<&str> = plain.into_iter().filter(|text| !text.starts_with([':', '-', '+'])).collect();
    let headers: String = plain.iter().enumerate().map(|(at, text)| format!("      X-{at}: {text}\n")).collect();
    let text = formatted(&format!("routes:\n  /:\n    respond: x\n    response_headers:\n{headers}"));
    let Some(python) = python() else { return };
    let script =
        "import sys, json, yaml; print(json.dumps(yaml.safe_load(sys.stdin)['routes']['/']['response_headers']))";
    let read: Value = serde_json::from_str(&run(Command::new(python).args(["-c", script]), &text)).unwrap();
    for (at, text) in plain.iter().enumerate() {
        assert_eq!(read[format!("X-{at}")], *text);
    }
}

#[test]
fn the_effective_configuration_is_read_by_pyyaml() {
    let Some(python) = python() else { return };
    let conf = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../conf");
    for entry in std::fs::read_dir(conf).unwrap() {
        let mut strait = Command::new(env!("CARGO_BIN_EXE_strait"));
        let printed = run(strait.args(["run", "--print-config", "-c"]).arg(entry.unwrap().path()), "");
        run(Command::new(&python).args(["-c", "import sys, yaml; yaml.safe_load(sys.stdin)"]), &printed);
    }
}
