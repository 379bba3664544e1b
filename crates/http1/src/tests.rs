//! Tests are data: a case is what arrives and, in one line, what the engine makes of it. Every case also runs cut in
//! two at every position and octet by octet, and must come to the same.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "tests"
)]

mod chunked;
mod drive;
mod exchange;
mod limits;
mod properties;
mod requests;
mod responses;
mod send;

use crate::Misdeed;

/// What arrives, and what becomes of it as [`drive`] writes it down.
type Case = (&'static str, &'static str);

/// Runs every case of a table whole, in two pieces and in single octets.
fn check_all(cases: &[Case], run: impl Fn(&[u8], &[usize]) -> String) {
    for &(input, expected) in cases {
        let octets = input.as_bytes();
        check(octets, expected, &run);
    }
}

fn check(input: &[u8], expected: &str, run: impl Fn(&[u8], &[usize]) -> String) {
    let shown = input.escape_ascii();
    assert_eq!(run(input, &[]), expected, "input {shown}");
    for cut in 1..input.len() {
        assert_eq!(run(input, &[cut]), expected, "input {shown} cut at {cut}");
    }
    let everywhere: Vec<usize> = (1..input.len()).collect();
    assert_eq!(run(input, &everywhere), expected, "input {shown} in single octets");
}

#[test]
fn every_misdeed_is_reached_by_a_case() {
    let tables = [requests::CASES, requests::REFUSED, chunked::CASES, responses::CASES, responses::REFUSED];
    let singles = [limits::REACHED, responses::UPGRADES, responses::CONNECTS, responses::UNASKED, send::REFUSED];
    let outcomes: Vec<&str> =
        tables.into_iter().chain(singles).flatten().filter_map(|(_, outcome)| outcome.split('!').nth(1)).collect();
    for misdeed in Misdeed::ALL {
        let name = format!("{misdeed:?}");
        assert!(outcomes.contains(&name.as_str()), "no case comes to {name}");
    }
}

#[test]
fn every_misdeed_has_words_and_a_status_that_is_an_error() {
    for misdeed in Misdeed::ALL {
        assert!(!misdeed.to_string().is_empty());
        assert!(misdeed.status().class() >= 4, "{misdeed:?}");
    }
}
