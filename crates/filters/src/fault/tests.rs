use super::Fault;
use crate::FieldName;
use crate::flow::Flow;
use crate::testing::{Case, status};
use strait_message::Status;

#[test]
fn a_share_is_delayed_and_a_share_refused_independently() {
    let fault = Fault { header: None, delay: Some((50, 25_000)), abort: Some((Status::UNAVAILABLE, 50_000)) };
    let (mut late, mut refused) = (0, 0);
    for draw in 0..100_000u64 {
        let mut case = Case::new("GET /", "");
        case.draw = draw.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 8;
        match case.run(&fault) {
            Flow::Wait(_) => late += 1,
            flow => refused += u32::from(status(&flow) == 503),
        }
    }
    assert!((24_000..26_000).contains(&late), "{late}");
    assert!((36_000..39_000).contains(&refused), "half of those that are not late: {refused}");
}

#[test]
fn only_requests_with_the_field_are_meant() {
    let header = Some((FieldName::new("X-Fault"), Some("yes".into())));
    let fault = Fault { header, delay: None, abort: Some((Status::INTERNAL_ERROR, 100_000)) };
    for (fields, expected) in [("X-Fault: yes", 500), ("X-Fault: no", 0), ("", 0)] {
        assert_eq!(status(&Case::new("GET /", fields).run(&fault)), expected);
    }
}
