//! How long a large configuration takes: 10,000 routes and 2,000 upstreams are loaded, compiled, reviewed, and compiled
//! again with one route changed. `cargo run --release -p strait-compile --example large`

#![allow(clippy::disallowed_methods, clippy::expect_used, reason = "a measurement: it reads the clock and may stop")]

use std::fmt::Write as _;
use std::time::{Duration, Instant};
use strait_compile::{Compiler, review};

const ROUTES: usize = 10_000;
const UPSTREAMS: usize = 2_000;
const ROUNDS: usize = 11;

fn main() {
    let text = configuration(0);
    println!("{ROUTES} routes, {UPSTREAMS} upstreams, {} KiB; median of {ROUNDS}", text.len() / 1024);
    let (mut load, mut compile, mut check, mut again) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let (snapshot, took) = timed(|| strait_config::load_str("large.yaml", &text));
        let snapshot = snapshot.expect("it loads");
        load.push(took);
        let mut compiler = Compiler::new(2);
        let (plan, took) = timed(|| compiler.compile(&snapshot));
        compile.push(took);
        let plan = plan.expect("it compiles");
        check.push(timed(|| review(&snapshot, &plan)).1);
        let changed = strait_config::load_str("large.yaml", &configuration(round + 1)).expect("it loads");
        again.push(timed(|| compiler.compile(&changed)).1);
    }
    for (what, took) in [("load", load), ("compile", compile), ("review", check), ("compile, one route changed", again)]
    {
        println!("{what:28} {:7.1} ms", median(took).as_secs_f64() * 1e3);
    }
}

fn timed<T>(run: impl FnOnce() -> T) -> (T, Duration) {
    let began = Instant::now();
    let result = run();
    (result, began.elapsed())
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

/// Hosts with paths, a tenth under conditions; the last route is another in each version.
fn configuration(version: usize) -> String {
    let mut text = String::from("routes:\n");
    for route in 0..ROUTES {
        let (host, upstream) = (route / 10, route % UPSTREAMS);
        let version = if route + 1 == ROUTES { version } else { 0 };
        let _ = writeln!(text, "  host{host}.example.com/path{route}/{{id}}/*:\n    to: up{upstream}");
        if route % 10 == 0 {
            let _ =
                writeln!(text, "    when: [{{headers: {{X-Canary: \"1\"}}, to: up{}}}]", (upstream + 1) % UPSTREAMS);
        }
        let _ =
            writeln!(text, "    timeout: {{request: {}s}}\n    response_headers: {{X-Route: r{route}}}", 30 + version);
    }
    text.push_str("upstreams:\n");
    for upstream in 0..UPSTREAMS {
        let _ = writeln!(
            text,
            "  up{upstream}: {{endpoints: [10.0.{}.{}:80, 10.1.{}.{}:80]}}",
            upstream / 250,
            upstream % 250 + 1,
            upstream / 250,
            upstream % 250 + 1
        );
    }
    text
}
