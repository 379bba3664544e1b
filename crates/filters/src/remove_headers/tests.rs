use super::RemoveHeaders;
use crate::FieldPattern;
use crate::testing::{Case, shown};

#[test]
fn names_and_beginnings_of_names_are_removed_both_ways() {
    let patterns = vec![FieldPattern::new("cookie"), FieldPattern::new("X-Internal-*")];
    let filter = RemoveHeaders { request: patterns.clone(), response: patterns };
    let before = "Cookie: a\nx-internal-a: 1\nX-Internal: 2\nX-INTERNAL-: 3\nVary: x";
    let mut case = Case::new("GET /", before);
    case.run(&filter);
    assert_eq!(shown(&case.head.headers), "X-Internal: 2\nVary: x\n");
    assert_eq!(shown(&case.respond(&filter, 200, before).headers), "X-Internal: 2\nVary: x\n");
}

#[test]
fn a_pattern_for_everything_leaves_what_a_message_needs() {
    let filter = RemoveHeaders { request: vec![FieldPattern::new("*")], response: Vec::new() };
    let mut case = Case::new("GET /", "Host: a\nContent-Length: 3\nX-A: 1");
    case.run(&filter);
    assert_eq!(shown(&case.head.headers), "Host: a\nContent-Length: 3\n");
}
