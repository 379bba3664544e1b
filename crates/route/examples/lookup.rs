//! Nanoseconds a lookup, for small and large tables: `cargo run --release -p strait-route --example lookup`.
//!
//! Each row asks for the same few requests in both tables ("same requests": what the size of a table costs by itself),
//! then for every route in turn ("every route": with the misses of the processor's caches that a wide mix brings).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "a measurement")]
#![allow(clippy::disallowed_methods, reason = "it reads the clock to measure")]

use std::hint::black_box;
use std::time::Instant;

use strait_route::{Pattern, RouteId, Table, canonical};

const LARGE: usize = 10_000;
const SMALL: usize = 10;
const LOOKUPS: usize = 100_000;
/// The best of so many rounds counts, which keeps a busy machine out of the numbers.
const ROUNDS: usize = 10;
/// Which keys collide is a matter of the seed, so several are tried and averaged.
const SEEDS: u64 = 8;

/// How to make the n-th pattern of a kind, and a host and path that it wins.
type Make = fn(usize) -> (String, String, String);

const KINDS: [(&str, Make); 7] = [
    ("hosts", |n| (format!("h{n}.example.com"), format!("h{n}.example.com"), "/a/b/c".into())),
    ("hosts x paths", |n| {
        let (host, path) = (format!("h{}.example.com", n / 10), format!("/api/v1/p{}", n % 10));
        (format!("{host}{path}/*"), host, format!("{path}/x"))
    }),
    ("one host, prefixes", |n| (format!("example.com/p{n}/*"), "example.com".into(), format!("/p{n}/x"))),
    ("no host, prefixes", |n| (format!("/p{n}/*"), "example.com".into(), format!("/p{n}/x"))),
    ("one host, exact", |n| (format!("example.com/p{n}/x"), "example.com".into(), format!("/p{n}/x"))),
    ("captures", |n| (format!("example.com/p{n}/{{id}}/x"), "example.com".into(), format!("/p{n}/1234/x"))),
    ("wildcard hosts", |n| (format!("*.h{n}.example.com"), format!("www.h{n}.example.com"), "/a/b/c".into())),
];

fn main() {
    println!("{:<20} {:>9} {:>9} {:>6} {:>12}", "ns a lookup", "10", "10,000", "ratio", "every route");
    for (name, make) in KINDS {
        let few: Vec<_> = (0..SMALL).map(make).collect();
        let all: Vec<_> = (0..LARGE).map(|n| make(n * 7_919 % LARGE)).collect();
        let (mut ten, mut thousands, mut wide) = (0.0, 0.0, 0.0);
        for seed in 0..SEEDS {
            let (small, large) = (table(make, SMALL, seed), table(make, LARGE, seed));
            ten += quickest(&small, &few) / SEEDS as f64;
            thousands += quickest(&large, &few) / SEEDS as f64;
            wide += quickest(&large, &all) / SEEDS as f64;
        }
        println!("{name:<20} {ten:>9.1} {thousands:>9.1} {:>6.2} {wide:>12.1}", thousands / ten);
    }
    paths();
}

fn table(make: Make, count: usize, seed: u64) -> Table {
    let patterns = (0..).zip(0..count).map(|(id, n)| (Pattern::parse(&make(n).0).expect("a pattern"), RouteId(id)));
    Table::build(patterns, seed).expect("a table")
}

fn quickest(table: &Table, requests: &[(String, String, String)]) -> f64 {
    (0..ROUNDS).map(|_| lookups(table, requests)).fold(f64::MAX, f64::min)
}

fn lookups(table: &Table, requests: &[(String, String, String)]) -> f64 {
    let start = Instant::now();
    let mut found = 0;
    for (_, host, path) in requests.iter().cycle().take(LOOKUPS) {
        found +=
            usize::from(table.find(black_box(b"GET"), black_box(host.as_bytes()), black_box(path.as_bytes())).is_ok());
    }
    assert_eq!(found, LOOKUPS);
    start.elapsed().as_nanos() as f64 / LOOKUPS as f64
}

fn paths() {
    for path in ["/", "/api/v1/users/1234", "/static/js/app.3f2a91c0.min.js", "/a%20b/c", "/a/../b", "/%7euser/%c3%a4"]
    {
        let mut scratch = Vec::new();
        let mut best = f64::MAX;
        for _ in 0..ROUNDS {
            let start = Instant::now();
            for _ in 0..LOOKUPS {
                black_box(canonical(black_box(path.as_bytes()), &mut scratch)).expect("a path");
            }
            best = best.min(start.elapsed().as_nanos() as f64 / LOOKUPS as f64);
        }
        println!("canonical {path:<32} {best:>6.1}");
    }
}
