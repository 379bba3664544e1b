//! Many runs, on all cores.

use crate::{Report, run};
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

/// What many runs showed.
#[derive(Debug, Default)]
pub struct Verdict {
    /// Runs made.
    pub runs: u64,
    /// Requests, answers and deliveries of all of them.
    pub total: Report,
    /// Seeds that failed, with what was wrong, in order.
    pub failed: Vec<(u64, Vec<String>)>,
}

/// Runs all seeds of a range.
pub fn run_seeds(seeds: Range<u64>) -> Verdict {
    let next = AtomicU64::new(seeds.start);
    let verdict = Mutex::new(Verdict::default());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    let report = run(seed, false);
                    verdict.lock().expect("no run panics").add(seed, report);
                }
            });
        }
    });
    let mut verdict = verdict.into_inner().expect("no run panics");
    verdict.failed.sort_by_key(|(seed, _)| *seed);
    verdict
}

impl Verdict {
    fn add(&mut self, seed: u64, report: Report) {
        self.runs += 1;
        self.total.requests += report.requests;
        self.total.answers += report.answers;
        self.total.deliveries += report.deliveries;
        if !report.failures.is_empty() {
            self.failed.push((seed, report.failures));
        }
    }
}

/// The command that shows exactly this run again.
pub fn replay_line(seed: u64) -> String {
    format!("STRAIT_SIM_SEED={seed} cargo test -p strait-sim seeds -- --nocapture")
}
