//! Nanoseconds of each hot path of the engine, and of a parser that copies, classifies and checks nothing:
//! `cargo run --release -p strait-http1 --example head`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "a measuring tool"
)]

#[path = "../benches/cases/mod.rs"]
mod cases;

use std::hint::black_box;
use std::time::Instant;

fn main() {
    let mut all = cases::all();
    all.push(("httparse: a small request head", httparse(cases::SMALL)));
    all.push(("httparse: a browser's request head", httparse(cases::BROWSER)));
    for (name, mut run) in all {
        println!("{:8.1} ns  {name}", nanoseconds(&mut run));
    }
    println!(
        "sizes: small {}, browser {}, response {} octets",
        cases::SMALL.len(),
        cases::BROWSER.len(),
        cases::RESPONSE.len()
    );
}

fn httparse(input: &'static [u8]) -> Box<dyn FnMut()> {
    Box::new(move || {
        let mut fields = [httparse::EMPTY_HEADER; 100];
        let mut request = httparse::Request::new(&mut fields);
        assert!(request.parse(black_box(input)).unwrap().is_complete());
        black_box(&request);
    })
}

/// The least mean of 15 rounds of about 10 ms: noise only ever adds.
fn nanoseconds(run: &mut dyn FnMut()) -> f64 {
    const CALLS: u32 = 20_000;
    let round = |run: &mut dyn FnMut()| {
        let began = Instant::now();
        (0..CALLS).for_each(|_| run());
        began.elapsed().as_secs_f64() * 1e9 / f64::from(CALLS)
    };
    (0..15).map(|_| round(run)).fold(f64::MAX, f64::min)
}
