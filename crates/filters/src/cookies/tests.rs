#![allow(clippy::unwrap_used, reason = "tests")]

use super::{Change, Cookies};
use crate::testing::{Case, shown};

#[track_caller]
fn check(cookies: &Cookies, before: &str, after: &str) {
    assert_eq!(String::from_utf8(cookies.edited(before.as_bytes())).unwrap(), after);
}

#[test]
fn flags_are_put_on_and_taken_off() {
    let on = Cookies { secure: Some(true), http_only: Some(true), same_site: Some("Lax"), ..Cookies::default() };
    check(&on, "a=b; Path=/", "a=b; Path=/; Secure; HttpOnly; SameSite=Lax");
    check(&on, "a=b; secure;samesite=None ; HTTPONLY", "a=b; secure; HTTPONLY; SameSite=Lax");
    let off = Cookies { secure: Some(false), partitioned: Some(true), ..Cookies::default() };
    check(&off, "a=b; Secure; HttpOnly", "a=b; HttpOnly; Partitioned");
}

#[test]
fn domain_and_path_are_changed() {
    let set = Cookies { domain: Change::Set("x.org".into()), path: Change::Remove, ..Cookies::default() };
    check(&set, "a=b; Domain=origin.internal; Path=/app", "a=b; Domain=x.org");
    check(&set, "a=b", "a=b; Domain=x.org");
    let prefix = Cookies { path: Change::Prefix("/app/".into(), "/".into()), ..Cookies::default() };
    check(&prefix, "a=b; path=/app/x; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "a=b; Path=/x; Expires=Wed, 21 Oct 2026 07:28:00 GMT");
    check(&prefix, "a=b; Path=/other", "a=b; Path=/other");
}

#[test]
fn name_value_and_unknown_attributes_keep_their_octets() {
    let on = Cookies { secure: Some(true), ..Cookies::default() };
    check(&on, "a=\"b = c\" ; Priority=High; odd", "a=\"b = c\"; Priority=High; odd; Secure");
    check(&on, " ; Path=/", " ; Path=/");
}

#[test]
fn only_the_named_cookies_are_meant_and_each_line_is_one() {
    let filter = Cookies { names: vec!["sid".into(), "x-*".into()], secure: Some(true), ..Cookies::default() };
    let mut case = Case::new("GET /", "");
    let head = case.respond(&filter, 200, "Set-Cookie: sid=1\nX: y\nSet-Cookie: other=2;  Path=/\nset-cookie: x-1=3");
    assert_eq!(
        shown(&head.headers),
        "X: y\nSet-Cookie: sid=1; Secure\nSet-Cookie: other=2;  Path=/\nSet-Cookie: x-1=3; Secure\n"
    );
}
