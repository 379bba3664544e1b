//! Runs seeds for as long as one likes: `strait-sim FIRST COUNT`, or `strait-sim SEED` to watch one.
#![allow(clippy::print_stdout, reason = "a command for developers")]

use std::process::ExitCode;

fn main() -> ExitCode {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|text| text.parse().ok()).collect();
    match numbers.as_slice() {
        [seed] => watch(*seed),
        [first, count] => many(*first, *count),
        _ => {
            eprintln!("usage: strait-sim SEED | strait-sim FIRST COUNT");
            ExitCode::from(2)
        }
    }
}

fn watch(seed: u64) -> ExitCode {
    let report = strait_sim::run(seed, true);
    println!("{report:#?}");
    ExitCode::from(u8::from(!report.failures.is_empty()))
}

fn many(first: u64, count: u64) -> ExitCode {
    let verdict = strait_sim::run_seeds(first..first.saturating_add(count));
    for (seed, failures) in &verdict.failed {
        println!("seed {seed}: {}", failures.join("\n    "));
    }
    let total = &verdict.total;
    println!(
        "{} runs, {} requests, {} answers, {} deliveries, {} failed",
        verdict.runs,
        total.requests,
        total.answers,
        total.deliveries,
        verdict.failed.len()
    );
    ExitCode::from(u8::from(!verdict.failed.is_empty()))
}
