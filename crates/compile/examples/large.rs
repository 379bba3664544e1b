//! What compiling a large configuration costs: `cargo run --release -p strait-compile --example large`.

#![allow(clippy::disallowed_methods, reason = "it measures")]

use std::fmt::Write as _;
use std::time::Instant;
use strait_compile::{Compiler, Question, changes, explain, review};

const ROUTES: usize = 10_000;
const UPSTREAMS: usize = 2_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let text = configuration();
    let snapshot = timed("load", || strait_config::load_str("large.yaml", &text))?;
    let mut compiler = Compiler::new(2);
    let first = timed("compile", || compiler.compile(&snapshot))?;
    let second = timed("compile again", || compiler.compile(&snapshot))?;
    let findings = timed("review", || review(&snapshot, &second));
    let changes = timed("changes", || changes(&first, &second));
    let question = Question::new("GET", "http://h77.example.com/p7/x");
    let explanation = timed("explain", || explain(&second, &question))?;
    println!("{} lines, {} findings, {} changes", text.lines().count(), findings.list.len(), changes.len());
    println!("{explanation}");
    Ok(())
}

fn configuration() -> String {
    let mut text = String::from("routes:\n");
    for at in 0..ROUTES {
        let _ = writeln!(text, "  h{}.example.com/p{}/*: u{}", at % 1000, at / 1000, at % UPSTREAMS);
    }
    text.push_str("upstreams:\n");
    for at in 0..UPSTREAMS {
        let _ = writeln!(
            text,
            "  u{at}:\n    endpoints:\n      - 10.0.{}.{}:80\n      - 10.1.0.1:{}",
            at / 250,
            at % 250,
            at + 1
        );
    }
    text
}

fn timed<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let began = Instant::now();
    let done = work();
    println!("{what:14} {:8.1} ms", began.elapsed().as_secs_f64() * 1_000.0);
    done
}
