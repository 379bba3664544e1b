//! The engine against the oracle, on the corpus and on random messages made of its pieces. What counts as a difference:
//! `fuzz/src/differential.rs`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    unreachable_pub
)]

#[path = "../../../fuzz/src/differential.rs"]
mod differential;

use differential::differential;
use proptest::collection::vec;
use proptest::prelude::*;
use strait_conformance::corpus::{self, Step};

/// Every stretch of octets that a client or an origin of the corpus sends at once.
fn corpus_octets() -> Vec<Vec<u8>> {
    let sections = corpus::load(&corpus::folder()).unwrap_or_else(|mistakes| panic!("{}", mistakes.join("\n")));
    let cases = sections.into_iter().flat_map(|section| section.cases);
    let streams = cases.flat_map(|case| std::iter::once(case.client).chain(case.origin));
    let octets = |steps: Vec<Step>| {
        let parts = steps.into_iter().filter_map(|step| if let Step::Bytes(bytes) = step { Some(bytes) } else { None });
        let text = parts.collect::<Vec<_>>().concat();
        let text = String::from_utf8_lossy(&text).replace("{host}", "a").replace("{id}", "x");
        text.into_bytes()
    };
    streams.map(octets).filter(|octets| !octets.is_empty() && octets.len() < 4096).collect()
}

#[test]
fn engine_and_oracle_agree_on_the_corpus_and_on_what_follows_each_line_of_it() {
    let streams = corpus_octets();
    assert!(streams.len() > 300, "{}", streams.len());
    for stream in streams {
        differential(&stream);
        for (at, _) in stream.iter().enumerate().filter(|(_, octet)| **octet == b'\n') {
            differential(&stream[at + 1..]);
        }
    }
}

const STARTS: &[&[u8]] = &[
    b"GET / HTTP/1.1\r\nHost: a\r\n",
    b"GET http://a/x HTTP/1.1\r\n",
    b"CONNECT a:443 HTTP/1.1\r\n",
    b"OPTIONS * HTTP/1.0\r\n",
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.0 304\r\n",
    b"HTTP/1.1 103 Early Hints\r\n",
    b"3\r\nabc\r\n",
    b"3;a=\"b\\\"\"\r\nabc\r\n0\r\n",
    b"0\r\n",
    b"\r\n",
    b"",
];

const LINES: &[&[u8]] = &[
    b"Host: a\r\n",
    b"Host: a:443\r\n",
    b"Host: [::1]:8080\r\n",
    b"Content-Length: 3\r\n",
    b"Content-Length: 007\r\n",
    b"Content-Length: 3, 3\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: gzip, chunked\r\n",
    b"Connection: x, close\r\n",
    b"X: \t1 \r\n",
    b"x_y:\xe9\r\n",
    b" folded\r\n",
    b"no colon\r\n",
    b"0\r\n",
    b"abc\r\n",
];

fn input() -> impl Strategy<Value = Vec<u8>> {
    let start = proptest::sample::select(STARTS);
    let lines = vec(proptest::sample::select(LINES), 0..5);
    let octet = prop_oneof![any::<u8>(), proptest::sample::select(b"\r\n\t\0 :;,./@0".to_vec())];
    let edits = vec((any::<proptest::sample::Index>(), octet), 0..2);
    (start, lines, edits).prop_map(|(start, lines, edits)| {
        let mut input = [start, &lines.concat(), b"\r\nabc"].concat();
        for (at, octet) in edits {
            let at = at.index(input.len());
            input[at] = octet;
        }
        input
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8192, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn engine_and_oracle_agree_on_random_messages(input in input()) {
        differential(&input);
    }
}
