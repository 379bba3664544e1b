use super::Csrf;
use crate::origins::Origins;
use crate::testing::{Case, status};

#[test]
fn changes_asked_for_by_other_origins_are_refused() {
    let csrf = Csrf { origins: Origins::new(["https://partner.example"]) };
    for (method, fields, expected) in [
        ("GET", "Sec-Fetch-Site: cross-site\nOrigin: https://evil.example", 0),
        ("HEAD", "Sec-Fetch-Site: cross-site", 0),
        ("POST", "", 0),
        ("POST", "Sec-Fetch-Site: same-origin\nOrigin: https://example.com", 0),
        ("POST", "Sec-Fetch-Site: none", 0),
        ("POST", "Sec-Fetch-Site: same-site\nOrigin: https://a.example.com", 403),
        ("POST", "Sec-Fetch-Site: cross-site\nOrigin: https://evil.example", 403),
        ("POST", "Sec-Fetch-Site: cross-site\nOrigin: https://partner.example", 0),
        ("DELETE", "Host: example.com\nOrigin: https://example.com", 0),
        ("DELETE", "Host: example.com:8443\nOrigin: https://example.com", 403),
        ("PUT", "Host: example.com\nOrigin: https://example.com@evil.example", 403),
        ("PUT", "Host: example.com\nOrigin: null", 403),
        ("PUT", "Origin: ", 403),
    ] {
        assert_eq!(status(&Case::new(&format!("{method} /"), fields).run(&csrf)), expected, "{method} {fields}");
    }
}
