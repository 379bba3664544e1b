//! Strait passes every case but those in `known.txt`, written at once and octet by octet.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::time::Duration;

use strait_conformance::corpus::{self, Case};
use strait_conformance::origin::Origin;
use strait_conformance::report;
use strait_conformance::run::{Manner, run_all};
use strait_conformance::target::Target;

/// The preface of HTTP/2, which servers of HTTP/1 alone refuse. A listener of Strait speaks both unless told otherwise.
const SPOKEN: &str = "rfc9112-2.3/h2-preface";

fn passes(split: bool) {
    let Some(program) = Target::Strait.program().filter(|program| program.is_file()) else {
        eprintln!("skipped: no Strait; set STRAIT_BIN or run `cargo build` first");
        return;
    };
    let sections = corpus::load(&corpus::folder()).expect("a corpus without mistakes");
    let cases: Vec<Case> = sections.into_iter().flat_map(|section| section.cases).collect();
    let all: Vec<usize> = (0..cases.len()).collect();
    let origin = Origin::start(&cases).expect("an origin");
    let mut strait =
        Target::Strait.start(&program, &origin).unwrap_or_else(|why| panic!("{}: {why}", program.display()));
    let manner = Manner { patience: Duration::from_secs(10), split, strait: true, ..Manner::default() };
    let outcomes = run_all(&cases, &all, &origin, strait.address, manner);
    assert!(strait.alive(), "Strait died: {}", strait.errors());
    let known: Vec<&str> = include_str!("../known.txt").lines().filter(|line| !line.starts_with('#')).collect();
    let (expected, unexpected): (Vec<_>, Vec<_>) = outcomes
        .iter()
        .filter(|outcome| !outcome.failures.is_empty() && cases[outcome.index].name != SPOKEN)
        .partition(|outcome| known.iter().any(|name| cases[outcome.index].name.ends_with(name)));
    eprintln!("{} of {} cases fail as known", expected.len(), outcomes.len());
    for outcome in &unexpected {
        eprintln!("{}", report::details(&cases[outcome.index], outcome));
    }
    assert_eq!(unexpected.len(), 0, "of {} cases", outcomes.len());
    let spoken = outcomes.iter().find(|outcome| cases[outcome.index].name == SPOKEN).unwrap();
    assert!(!spoken.failures.is_empty(), "HTTP/2 is not spoken by default");
}

#[test]
fn strait_passes_every_case() {
    passes(false);
}

#[test]
fn strait_passes_every_case_octet_by_octet() {
    passes(true);
}
