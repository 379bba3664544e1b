#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use super::{Quota, RateLimit, State, Table};
use crate::flow::Flow;
use crate::key::{Key, Part};
use crate::testing::{Case, shown, status};
use proptest::prelude::*;
use std::collections::HashMap;
use std::sync::Arc;
use strait_message::Status;

fn limit(count: u64, per_s: u64, burst: u64, parts: Vec<Part>) -> RateLimit {
    RateLimit {
        name: "default".into(),
        quota: Quota { count, per_s, burst },
        key: Key { parts },
        status: Status::TOO_MANY_REQUESTS,
        headers: true,
        dry_run: false,
        state: Arc::new(State::new(1000, 7)),
    }
}

const ADDRESS: Part = Part::Client { v4_bits: 32, v6_bits: 64 };

#[test]
fn as_many_as_the_burst_and_one_come_at_once_and_then_one_an_interval() {
    let limit = limit(10, 1, 20, vec![ADDRESS]);
    let mut case = Case::new("GET /", "");
    let mut allowed = |at_ms: u64| {
        case.now.us = 1_000_000_000 + at_ms * 1_000;
        status(&case.run(&limit)) == 0
    };
    assert_eq!((0..100).filter(|_| allowed(0)).count(), 21);
    assert!(!allowed(99));
    assert!(allowed(100) && !allowed(100) && !allowed(199) && allowed(200));
    assert_eq!((0..100).filter(|_| allowed(60_000)).count(), 21);
}

#[test]
fn a_refusal_says_when_to_come_again_and_an_answer_how_much_is_left() {
    let limit = limit(2, 60, 1, vec![ADDRESS]);
    let mut case = Case::new("GET /", "");
    assert_eq!(status(&case.run(&limit)), 0);
    let told = shown(&case.respond(&limit, 200, "").headers);
    assert_eq!(told, "RateLimit-Policy: \"default\";q=2;w=60\nRateLimit: \"default\";r=1;t=30\n");
    assert_eq!(status(&case.run(&limit)), 0);
    let Flow::Respond(reply) = case.run(&limit) else { panic!("over the limit") };
    assert_eq!(
        shown(&reply.head.headers),
        "Retry-After: 30\nCache-Control: no-store\nRateLimit-Policy: \"default\";q=2;w=60\nRateLimit: \"default\";r=0;t=30\n"
    );
}

#[test]
fn a_dry_run_and_a_trial_refuse_nothing() {
    let dry = RateLimit { dry_run: true, ..limit(1, 60, 0, vec![]) };
    let mut case = Case::new("GET /", "");
    assert_eq!((status(&case.run(&dry)), status(&case.run(&dry))), (0, 0));
    assert!(matches!(case.run(&dry), Flow::GoOn(_)));
}

#[test]
fn keys_count_apart() {
    let parts = vec![Part::Header(crate::FieldName::new("X-Key")), Part::Cookie("sid".into()), ADDRESS];
    let limit = limit(1, 60, 0, parts);
    let mut seen = Vec::new();
    for fields in ["", "X-Key: a", "x-key: a", "X-Key: b", "Cookie: a=b; sid=1", "Cookie: sid=1", "Cookie: xsid=1"] {
        seen.push(status(&Case::new("GET /", fields).run(&limit)));
    }
    assert_eq!(seen, [0, 0, 429, 0, 0, 429, 429]);
    let mut case = Case::new("GET /", "");
    case.client = "2001:db8::1".parse().unwrap();
    assert_eq!(status(&case.run(&limit)), 0);
    case.client = "2001:db8::ffff:1".parse().unwrap();
    assert_eq!(status(&case.run(&limit)), 429, "of one /64");
    case.client = "2001:db8:0:1::1".parse().unwrap();
    assert_eq!(status(&case.run(&limit)), 0);
}

#[test]
fn a_million_keys_take_less_than_64_octets_each_and_keep_their_counts() {
    let table = Table::new(1_000_000);
    assert!(table.octets() <= 64_000_000, "{}", table.octets());
    let mixed = |n: u64| (n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let take = |key: u64, now| table.take(key, now, 1_000, 1_000, false).allowed;
    let shared = (0..1_000_000).filter(|&n| !take(mixed(n), 1)).count();
    assert!(shared < 1_000, "{shared} keys found no place of their own");
    assert_eq!((0..1_000_000).filter(|&n| take(mixed(n), 2)).count(), 0, "every key is counted");
}

#[test]
fn an_attack_with_fresh_keys_refills_no_bucket() {
    let table = Table::new(100);
    let (interval, tolerance) = (1_000_000, 3_000_000);
    let take = |key: u64, now| table.take(key, now, interval, tolerance, false).allowed;
    assert!(take(1, 0) && take(1, 0) && take(1, 0) && !take(1, 0));
    let admitted = (2..200_000u64).filter(|&n| take(n.wrapping_mul(0x9e37_79b9_7f4a_7c15), 1)).count();
    assert!(admitted <= 3 * (8 * 32 + 8), "{admitted}");
    assert!(!take(1, 2), "the key from before has nothing more");
    assert!(take(1, 1_000_001));
}

#[test]
fn one_limit_holds_over_many_threads() {
    let table = Table::new(10);
    let allowed: usize = std::thread::scope(|scope| {
        let one = || (0..10_000).filter(|_| table.take(5, 1, 1_000_000, 101_000_000, false).allowed).count();
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(one)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    assert_eq!(allowed, 101);
}

proptest! {
    /// Over any time, a key gets at most rate × time + burst + 1; and what a single key is refused, a bucket of tokens
    /// would refuse too.
    #[test]
    fn no_key_gets_more_than_its_rate_and_burst(
        steps in prop::collection::vec((0u64..5_000, 0u64..50), 1..400), count in 1u64..50, burst in 0u64..20,
    ) {
        let quota = Quota { count, per_s: 1, burst };
        let table = Table::new(1_000);
        let (mut now_ns, mut allowed) = (1u64, HashMap::<u64, u64>::new());
        for (wait_us, key) in steps {
            now_ns += wait_us * 1_000;
            let taken = table.take(key + 1, now_ns, quota.interval_ns(), quota.tolerance_ns(), false);
            if taken.allowed {
                let total = allowed.entry(key).or_default();
                *total += 1;
                let most = (now_ns / quota.interval_ns()) + burst + 1;
                prop_assert!(*total <= most, "{total} of {most}");
            }
        }
    }
}
