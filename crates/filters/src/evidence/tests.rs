#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use super::*;

fn text<'a>(found: Option<Cow<'a, [u8]>>) -> Option<String> {
    found.map(|text| String::from_utf8_lossy(&text).into_owned())
}

#[test]
fn parameters_are_decoded() {
    let check = |query: &str, name: &str, expected: Option<&str>| {
        assert_eq!(text(parameter(query.as_bytes(), name.as_bytes())).as_deref(), expected, "{name} of {query}");
    };
    check("a=1&b=2", "b", Some("2"));
    check("a=1&a=2", "a", Some("1"));
    check("a", "a", Some(""));
    check("a=", "a", Some(""));
    check("a=b=c", "a", Some("b=c"));
    check("%61=%62+c%20d", "a", Some("b c d"));
    check("a=%4", "a", Some("%4"));
    check("a=%zz", "a", Some("%zz"));
    check("", "", None);
    check("&&=1", "", None);
    check("b=1", "a", None);
}

#[test]
fn cookies_are_found_in_any_line() {
    let mut headers = Headers::new();
    headers.push(b"Cookie", b"a=1; b=2;c=3 ; a=4");
    headers.push(b"cookie", b"d=\"5\"; e; =f");
    let check = |name: &str, expected: Option<&str>| {
        assert_eq!(text(cookie(&headers, name.as_bytes()).map(Cow::Borrowed)).as_deref(), expected, "{name}");
    };
    check("a", Some("1"));
    check("b", Some("2"));
    check("c", Some("3"));
    check("d", Some("\"5\""));
    check("e", None);
    check("A", None);
}

#[test]
fn a_scheme_is_believed_of_trusted_proxies_only() {
    let mut headers = Headers::new();
    headers.push(b"X-Forwarded-Proto", b"https");
    assert_eq!(scheme(true, &headers, false), "https");
    assert_eq!(scheme(false, &headers, false), "http");
    assert_eq!(scheme(false, &Headers::new(), true), "https");
    assert_eq!(scheme(true, &Headers::new(), false), "http");
}
