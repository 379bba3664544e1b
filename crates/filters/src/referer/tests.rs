use super::Referer;
use crate::testing::{Case, status};

#[test]
fn only_pages_of_known_hosts_lead_here() {
    let filter = |without| Referer { hosts: vec!["*.friend.example".into(), "one.example".into()], without };
    for (page, without, expected) in [
        ("https://example.com/page", true, 0),
        ("https://example.com:8443/page", true, 0),
        ("https://a.friend.example/", true, 0),
        ("https://friend.example/", true, 403),
        ("https://notfriend.example/", true, 403),
        ("http://ONE.example", true, 0),
        ("https://one.example.evil/", true, 403),
        ("https://evil/?https://one.example", true, 403),
        ("nonsense", true, 403),
        ("", true, 0),
        ("", false, 403),
    ] {
        let mut case = Case::new("GET /a.png", &format!("Referer: {page}"));
        assert_eq!(status(&case.run(&filter(without))), expected, "{page}");
    }
}
