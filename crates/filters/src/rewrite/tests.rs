#![allow(clippy::unwrap_used, reason = "tests")]

use super::{Rewrite, build_regex};
use crate::testing::{Case, status};

#[track_caller]
fn check(rewrite: &Rewrite, target: &str, expected: &str) {
    let mut case = Case::new(&format!("GET {target}"), "");
    assert_eq!(status(&case.run(rewrite)), 0);
    assert_eq!(case.target(), expected);
}

#[test]
fn the_whole_path_is_replaced_and_the_query_if_there_is_a_new_one() {
    check(&Rewrite::whole("/index.html"), "/any/thing?x=1", "/index.html?x=1");
    check(&Rewrite::whole("/search?kind=all"), "/any?x=1", "/search?kind=all");
    check(&Rewrite::whole("/search?"), "/any?x=1", "/search");
    check(&Rewrite::whole("/x"), "*", "*");
}

#[test]
fn a_prefix_is_replaced_by_whole_segments() {
    let rewrite = Rewrite::prefix("/old", "/new/deep/");
    check(&rewrite, "/old/a?b", "/new/deep/a?b");
    check(&rewrite, "/old", "/new/deep");
    check(&rewrite, "/older", "/older");
    check(&Rewrite::prefix("/old", "/"), "/old", "/");
    check(&Rewrite::prefix("/", "/all"), "/a", "/all/a");
}

#[test]
fn an_expression_replaces_what_it_matches() {
    let rewrite = Rewrite::regex(build_regex("^/user/([0-9]+)/(?<rest>.*)$").unwrap(), "/u/$rest/$1");
    check(&rewrite, "/user/7/mail%20box?x", "/u/mail%20box/7?x");
    check(&rewrite, "/user/x/mail", "/user/x/mail");
}

#[test]
fn a_result_is_made_canonical_or_refused() {
    let up = Rewrite::regex(build_regex("^/a/(.*)$").unwrap(), "/b/$1/../c");
    check(&up, "/a/x", "/b/c");
    let above = Rewrite::regex(build_regex("^/a/").unwrap(), "/../");
    assert_eq!(status(&Case::new("GET /a/etc", "").run(&above)), 400);
    let relative = Rewrite::regex(build_regex("^/").unwrap(), "");
    assert_eq!(status(&Case::new("GET /a", "").run(&relative)), 400);
}

#[test]
fn hostile_expressions_are_bounded_and_linear() {
    assert!(build_regex("(?=x)").is_err());
    assert!(build_regex("((a{100}){100}){100}").is_err());
    let rewrite = Rewrite::regex(build_regex("^/(a+)+$").unwrap(), "/b");
    check(&rewrite, &format!("/{}!", "a".repeat(8000)), &format!("/{}!", "a".repeat(8000)));
}
