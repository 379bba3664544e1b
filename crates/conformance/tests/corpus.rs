//! The corpus itself: readable, large enough, consistent, and of one mind with the oracle.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::string_slice)]

use std::collections::HashSet;

use strait_conformance::corpus::{self, Case, Item, Step};
use strait_conformance::oracle::{self, Verdict};
use strait_conformance::origin;

fn cases() -> Vec<Case> {
    let sections = corpus::load(&corpus::folder()).unwrap_or_else(|mistakes| panic!("{}", mistakes.join("\n")));
    for section in &sections {
        assert!(!section.title.is_empty(), "{} has no title", section.name);
        let section = section.name.strip_suffix("-response").unwrap_or(&section.name);
        let (rfc, place) = section.split_once('-').expect("named `rfcNNNN-SECTION`");
        let number = rfc.strip_prefix("rfc").expect("named `rfcNNNN-SECTION`");
        assert!(number.parse::<u16>().is_ok(), "{section}");
        assert!(place.split('.').all(|part| part.parse::<u8>().is_ok()), "{section}");
    }
    sections.into_iter().flat_map(|section| section.cases).collect()
}

#[test]
fn there_are_enough_cases_and_each_has_its_own_name() {
    let cases = cases();
    assert!(cases.len() >= 300, "only {} cases", cases.len());
    let mut names = HashSet::new();
    for case in &cases {
        assert!(names.insert(&case.name), "{} is there twice", case.name);
    }
}

#[test]
fn mistakes_in_a_file_are_all_named() {
    let text = "title X\ncase a\nmust be\n> GET /{id} HTTP/1.1\n> \\q\nclient: x\norigin: none\nbanana\n";
    let mistakes = corpus::parse("rfc1-1", text).unwrap_err();
    assert_eq!(mistakes.len(), 4, "{mistakes:?}");
    assert!(mistakes[0].starts_with("5: unknown escape"), "{mistakes:?}");
}

/// The octets of a client that writes without waiting for anything.
fn octets(index: usize, case: &Case) -> Option<Vec<u8>> {
    match &case.client[..] {
        [Step::Bytes(bytes)] => Some(origin::expand(index, bytes)),
        _ => None,
    }
}

/// The sections whose cases are decided by the head alone.
fn about_heads(case: &Case) -> bool {
    let sections = [
        "rfc9112-2",
        "rfc9112-3",
        "rfc9112-5",
        "rfc9112-6",
        "rfc9110-5.1",
        "rfc9110-5.5",
        "rfc9110-7.2",
        "rfc9110-8.6",
    ];
    sections.iter().any(|section| case.name.starts_with(section)) && !case.name.contains("-response")
}

#[test]
fn the_oracle_refuses_what_strait_must_refuse() {
    let mut compared = 0;
    for (index, case) in cases().iter().enumerate().filter(|(_, case)| about_heads(case)) {
        let [Item::Response { statuses, nothing: false, .. }, Item::Close] = case.items_for(true) else { continue };
        let limits = [413, 414, 431];
        if case.requests.1 > 0
            || statuses.iter().any(|status| *status < 400 || limits.contains(status)) && statuses[0] != 400
        {
            continue;
        }
        let Some(octets) = octets(index, case) else { continue };
        let refusal = oracle::request(&octets).expect_err(&case.name);
        assert!(statuses.contains(&refusal.status()), "{}: {refusal:?}", case.name);
        compared += 1;
    }
    assert!(compared >= 150, "only {compared} cases were comparable");
}

#[test]
fn the_oracle_accepts_what_strait_must_forward() {
    let mut compared = 0;
    for (index, case) in cases().iter().enumerate().filter(|(_, case)| case.requests.0 > 0) {
        let Some(Item::Response { statuses, .. }) = case.items_for(true).first() else { continue };
        let Some(octets) = octets(index, case).filter(|_| statuses[..] == [200]) else { continue };
        let verdict = oracle::request(&octets).unwrap_or_else(|refusal| panic!("{}: {refusal:?}", case.name));
        assert!(matches!(verdict, Verdict::Complete(_)), "{}", case.name);
        compared += 1;
    }
    assert!(compared >= 100, "only {compared} cases were comparable");
}

#[test]
fn the_oracle_refuses_no_beginning_of_what_it_accepts() {
    for (index, case) in cases().iter().enumerate() {
        let Some(octets) = octets(index, case) else { continue };
        let Ok(Verdict::Complete(whole)) = oracle::request(&octets) else { continue };
        for length in 0..whole.consumed.min(2000) {
            let verdict = oracle::request(&octets[..length]);
            assert_eq!(verdict, Ok(Verdict::Incomplete), "{} cut at {length}", case.name);
        }
    }
}
