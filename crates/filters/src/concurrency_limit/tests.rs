use super::{ConcurrencyLimit, Running};
use crate::flow::Flow;
use crate::key::{Key, Part};
use crate::testing::{Case, status};
use std::sync::Arc;
use strait_message::Status;

#[test]
fn as_many_as_the_limit_are_under_way_and_the_next_when_one_ends() {
    let mut limit = ConcurrencyLimit {
        max: 2,
        key: Key { parts: vec![Part::Host] },
        status: Status::UNAVAILABLE,
        dry_run: false,
        running: Arc::new(Running::new(3)),
    };
    let mut cases: Vec<Case> = (0..3).map(|_| Case::new("GET /", "")).collect();
    let seen: Vec<u16> = cases.iter_mut().map(|case| status(&case.run(&limit))).collect();
    assert_eq!(seen, [0, 0, 503]);
    cases.remove(0);
    assert_eq!(status(&Case::new("GET /", "").run(&limit)), 0);
    drop(cases);
    assert!(limit.running.shards.iter().all(|shard| shard.lock().is_ok_and(|counts| counts.is_empty())));
    limit.max = 0;
    limit.dry_run = true;
    assert!(matches!(Case::new("GET /", "").run(&limit), Flow::GoOn(_)));
}
