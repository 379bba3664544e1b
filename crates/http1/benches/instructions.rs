//! Instructions of each hot path, counted by callgrind and held against `instructions.txt`:
//! `cargo bench -p strait-http1 --bench instructions`, with `-- --bless` to accept what was counted.
//!
//! Counts differ by a few in a thousand between compilers, never between runs: so unlike a time they can gate.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, missing_docs, reason = "a measuring tool")]

#[path = "cases/mod.rs"]
mod cases;

use std::process::{Command, ExitCode};

/// A count may grow by this much, in hundredths, before it fails.
const TOLERANCE_PERCENT: u64 = 3;
const BASELINE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/benches/instructions.txt");

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, case, calls] = &arguments[..]
        && flag == "--run"
    {
        run(case.parse().unwrap(), calls.parse().unwrap());
        return ExitCode::SUCCESS;
    }
    if Command::new("valgrind").arg("--version").output().is_err() {
        eprintln!("valgrind is missing: apt-get install valgrind");
        return ExitCode::FAILURE;
    }
    let counts: Vec<(&str, u64)> = cases::all().iter().enumerate().map(|(i, (name, _))| (*name, per_call(i))).collect();
    if arguments.iter().any(|argument| argument == "--bless") {
        let lines: String = counts.iter().map(|(name, count)| format!("{count:6}  {name}\n")).collect();
        std::fs::write(BASELINE, lines).unwrap();
    }
    compare(&counts)
}

fn run(case: usize, calls: u64) {
    let (_, mut path) = cases::all().swap_remove(case);
    (0..calls).for_each(|_| path());
}

/// What a call costs, once buffers have grown: the difference between two runs that differ in calls only.
fn per_call(case: usize) -> u64 {
    (instructions(case, 300) - instructions(case, 100)) / 200
}

fn instructions(case: usize, calls: u64) -> u64 {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe().unwrap())
        .args(["--run", &case.to_string(), &calls.to_string()])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    let collected = text.lines().find_map(|line| line.split_once("Collected : ")).unwrap_or_else(|| panic!("{text}"));
    collected.1.trim().parse().unwrap()
}

fn compare(counts: &[(&str, u64)]) -> ExitCode {
    let baseline = std::fs::read_to_string(BASELINE).unwrap_or_default();
    let mut code = ExitCode::SUCCESS;
    for &(name, count) in counts {
        let line = baseline.lines().find_map(|line| line.trim().strip_suffix(name));
        let before = line.and_then(|number| number.trim().parse::<u64>().ok()).unwrap_or(0);
        let verdict = match count {
            more if more * 100 > before * (100 + TOLERANCE_PERCENT) => {
                code = ExitCode::FAILURE;
                "MORE than the baseline: make it cheaper, or say why and --bless"
            }
            less if less * (100 + TOLERANCE_PERCENT) < before * 100 => "less than the baseline: --bless it",
            _ => "as before",
        };
        println!("{count:6} instructions (baseline {before:6})  {name}: {verdict}");
    }
    code
}
