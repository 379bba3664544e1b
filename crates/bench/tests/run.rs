//! The harness as a whole, on the one target that every machine has.
#![allow(clippy::unwrap_used, reason = "a test")]

use std::fs;
use std::process::Command;

#[test]
fn a_short_run_on_the_floor_leaves_a_report_rounds_and_no_process() {
    let folder = std::env::temp_dir().join(format!("strait-bench-run-{}", std::process::id()));
    let output = Command::new(env!("CARGO_BIN_EXE_strait-bench"))
        .args(["--rows", "keep-alive,post,open", "--targets", "floor", "--rounds", "1", "--seconds", "0.2"])
        .args(["--nice", "0", "--out"])
        .arg(&folder)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    assert!(!said.contains("ERRORS") && !said.contains("failed"), "{said}");
    let report = fs::read_to_string(folder.join("report.md")).unwrap();
    assert!(report.contains("POST 16 KB"), "{report}");
    assert!(fs::read_to_string(folder.join("rounds.json")).unwrap().contains("\"cpu_us\""));
    // Without nginx there is nothing to be relative to.
    assert!(!folder.join("cost.svg").exists());
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn unknown_words_are_refused() {
    for words in [["--rows", "nonsense"], ["--targets", "apache"], ["--colour", "red"], ["--rounds", "many"]] {
        let output = Command::new(env!("CARGO_BIN_EXE_strait-bench")).args(words).output().unwrap();
        assert!(!output.status.success(), "{words:?}");
    }
}
