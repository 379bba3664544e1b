use super::RequestId;
use crate::FieldName;
use crate::testing::{Case, shown};

const ID: &str = "018bcfe5-6800-7000-8000-0123456789AB";

#[test]
fn only_an_id_that_is_a_uuid_is_taken_over_and_only_where_that_is_wanted() {
    let filter = |accept| RequestId { header: FieldName::new("X-Request-Id"), accept };
    for (text, accept, kept) in [(ID, true, true), (ID, false, false), ("abc", true, false), ("", true, false)] {
        let mut case = Case::new("GET /", &format!("X-Request-Id: {text}"));
        case.run(&filter(accept));
        assert_eq!(case.notes.request_id.is_some(), kept, "{text}");
        let lower = ID.to_ascii_lowercase();
        assert!(case.notes.request_id.is_none_or(|id| id == lower.as_bytes()));
    }
}

#[test]
fn another_field_carries_it_both_ways() {
    let filter = RequestId { header: FieldName::new("X-Correlation-Id"), accept: true };
    let mut case = Case::new("GET /", &format!("x-correlation-id: {ID}"));
    case.run(&filter);
    assert_eq!(shown(&case.head.headers), format!("X-Correlation-Id: {}\n", ID.to_ascii_lowercase()));
    assert_eq!(shown(&case.respond(&filter, 200, "X-Correlation-Id: other").headers), "X-Correlation-Id: id\n");
}
