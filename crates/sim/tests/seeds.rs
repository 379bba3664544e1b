//! The seeds of the normal run. `STRAIT_SIM_SEED=n` replays one and shows what happens in it; `STRAIT_SIM_SEEDS=n` runs
//! that many.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number: {text}")))
}

#[test]
fn nothing_goes_wrong_under_any_of_these_seeds() {
    if let Some(seed) = number("STRAIT_SIM_SEED") {
        let report = strait_sim::run(seed, true);
        assert!(report.failures.is_empty(), "seed {seed}: {:#?}", report.failures);
        return;
    }
    let verdict = strait_sim::run_seeds(0..number("STRAIT_SIM_SEEDS").unwrap_or(800));
    eprintln!("{} runs, {} requests, {} answers", verdict.runs, verdict.total.requests, verdict.total.answers);
    for (seed, failures) in &verdict.failed {
        eprintln!("{}\n    {}", strait_sim::replay_line(*seed), failures.join("\n    "));
    }
    assert!(verdict.failed.is_empty(), "{} of {} seeds failed", verdict.failed.len(), verdict.runs);
    // Runs in which hardly anything is answered would hold any promise.
    assert!(verdict.total.answers * 2 > verdict.total.requests, "{:?}", verdict.total);
}

#[test]
fn a_seed_is_one_run() {
    for seed in 0..60 {
        assert_eq!(strait_sim::run(seed, false), strait_sim::run(seed, false), "seed {seed}");
    }
}
