use super::BodyLimit;
use crate::testing::{Case, status};
use strait_message::BodyLength;

#[test]
fn a_body_at_the_limit_goes_on_and_one_octet_more_does_not() {
    let filter = BodyLimit { request_octets_max: Some(10), response_octets_max: Some(20) };
    let mut case = Case::new("POST /", "");
    for (body, expected) in [(BodyLength::Fixed(10), 0), (BodyLength::Fixed(11), 413), (BodyLength::Unknown, 0)] {
        case.body = body;
        assert_eq!(status(&case.run(&filter)), expected);
    }
    assert_eq!(case.notes.request_octets_max, Some(10), "one that does not say its length is bounded while it comes");
    case.run(&BodyLimit { request_octets_max: Some(50), ..filter });
    assert_eq!(case.notes.request_octets_max, Some(10), "the smallest of several counts");
    case.body = BodyLength::Fixed(20);
    assert_eq!(case.respond(&filter, 200, "").status.code(), 200);
    assert_eq!(case.notes.response_octets_max, Some(20));
    case.body = BodyLength::Fixed(21);
    assert_eq!(case.respond(&filter, 200, "X: y").status.code(), 502);
    assert!(case.notes.replacement.is_some());
}
