use super::StripPrefix;
use crate::testing::{Case, shown, status};

#[track_caller]
fn check(prefix: &str, target: &str, expected: &str) {
    let mut case = Case::new(&format!("GET {target}"), "");
    assert_eq!(status(&case.run(&StripPrefix::new(prefix))), 0);
    assert_eq!(case.target(), expected);
    let told = if target == expected { String::new() } else { format!("X-Forwarded-Prefix: {}\n", prefix.trim_end_matches('/')) };
    assert_eq!(shown(&case.notes.forced), told);
}

#[test]
fn whole_segments_are_taken_off_and_the_origin_is_told() {
    check("/api", "/api/users?x=1", "/users?x=1");
    check("/api", "/api", "/");
    check("/api/", "/api/", "/");
    check("/api", "/api?x", "/?x");
    check("/a/b", "/a/b/c/", "/c/");
}

#[test]
fn what_only_looks_alike_stays() {
    check("/api", "/apis/users", "/apis/users");
    check("/api", "/v1/api", "/v1/api");
    check("/", "/a", "/a");
    check("/api", "*", "*");
}

#[test]
fn escapes_and_queries_keep_their_octets() {
    check("/api", "/api/a%20b%C3%A9?q=%2F&r=a+b", "/a%20b%C3%A9?q=%2F&r=a+b");
}

#[test]
fn what_is_left_never_begins_with_two_slashes() {
    check("/api", "/api//evil.example/x", "/evil.example/x");
}
