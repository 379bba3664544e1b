use super::AddPrefix;
use crate::testing::{Case, status};

#[test]
fn a_prefix_comes_before_every_path() {
    for (target, expected) in [("/users?x=1", "/v1/users?x=1"), ("/", "/v1/"), ("*", "*"), ("/a%20b", "/v1/a%20b")] {
        let mut case = Case::new(&format!("GET {target}"), "");
        assert_eq!(status(&case.run(&AddPrefix::new("/v1/"))), 0);
        assert_eq!(case.target(), expected);
    }
}

#[test]
fn a_target_that_becomes_too_long_is_refused() {
    let mut case = Case::new(&format!("GET /{}", "a".repeat(16 * 1024 - 4)), "");
    assert_eq!(status(&case.run(&AddPrefix::new("/v1"))), 0);
    let mut case = Case::new(&format!("GET /{}", "a".repeat(16 * 1024 - 3)), "");
    assert_eq!(status(&case.run(&AddPrefix::new("/v1"))), 414);
}
