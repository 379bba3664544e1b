//! What filters cost: a look at a limit, at a long list of addresses, and coding 100 KB of JSON.
//! `cargo run --release -p strait-filters --example filter_cost`

#![allow(clippy::disallowed_methods, clippy::print_stdout, reason = "a measurement")]

use std::fmt::Write;
use std::hint::black_box;
use std::net::Ipv4Addr;
use std::time::Instant;
use strait_filters::compress::{Coder, Coding};
use strait_filters::networks::Networks;
use strait_filters::rate_limit::Table;

/// Nanoseconds of one call, the best of several rounds.
fn ns<T>(calls: u32, mut call: impl FnMut(u32) -> T) -> f64 {
    let rounds = (0..7).map(|_| {
        let began = Instant::now();
        for n in 0..calls {
            let _ = black_box(call(n));
        }
        began.elapsed().as_nanos() as f64 / f64::from(calls)
    });
    rounds.fold(f64::MAX, f64::min)
}

fn mixed(n: u32) -> u64 {
    u64::from(n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

/// Records such as an API lists them.
fn json() -> String {
    let mut text = String::from("[");
    for n in 0u32.. {
        let (a, b) = (mixed(n) >> 40, mixed(n.wrapping_mul(7)) >> 32);
        let _ = write!(
            text,
            "{{\"id\":{n},\"name\":\"user-{a:x}\",\"email\":\"u{a}@example.com\",\"balance\":{b},\"active\":{}}},",
            n % 3 == 0
        );
        if text.len() >= 100_000 {
            break;
        }
    }
    text
}

fn main() {
    let table = Table::new(1_000_000);
    let take = |n: u32| table.take(mixed(n % 1_000_000), u64::from(n), 1_000, 1_000_000, false);
    println!("rate limit, 1 M keys, fresh or known: {:.0} ns, {} MB", ns(4_000_000, take), table.octets() / 1_000_000);
    println!("rate limit, one key: {:.0} ns", ns(4_000_000, |n| table.take(5, u64::from(n), 1, 1_000, false)));
    let networks = Networks::new((0..1_000_000).map(|n| (Ipv4Addr::from(n * 4096).into(), 24)));
    let look = |n: u32| networks.contains(Ipv4Addr::from(mixed(n) as u32).into());
    println!("a list of {} networks: {:.0} ns a look", networks.len(), ns(4_000_000, look));
    let text = json();
    for (coding, levels) in [(Coding::Gzip, [1, 3, 5, 6]), (Coding::Brotli, [1, 3, 4, 5]), (Coding::Zstd, [1, 2, 3, 5])]
    {
        for level in levels {
            let code = || Coder::new(coding, level).map_or(0, |coder| coder.whole(text.as_bytes()).len());
            let us = ns(50, |_| code()) / 1_000.0;
            println!("{} {level}: {us:.0} us for {} octets, {} out", coding.name(), text.len(), code());
        }
    }
}
