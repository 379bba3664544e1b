#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use super::*;
use crate::Facts;
use std::net::SocketAddr;
use strait_expr::Environment;
use strait_message::{Headers, Version};
use strait_route::Captures;

/// Asks a condition about a request.
fn holds(condition: &Condition, headers: &[(&str, &str)], query: &str, client: Option<[u8; 4]>) -> bool {
    let mut fields = Headers::new();
    headers.iter().for_each(|(name, value)| fields.push(name.as_bytes(), value.as_bytes()));
    let facts = Facts {
        method: &Method::Get,
        host: b"example.com",
        path: b"/",
        query: Some(query.as_bytes()),
        headers: &fields,
        version: Version::Http11,
        scheme: "http",
        client: client.map(|ip| SocketAddr::from((ip, 1))),
        listener: "web",
        request_id: b"",
        tls: None,
    };
    condition.holds(&Evidence::of(facts, Captures::default()))
}

fn named(name: &str, test: TextTest) -> Box<[(Box<[u8]>, TextTest)]> {
    Box::new([(name.as_bytes().into(), test)])
}

#[test]
fn a_text_is_tested_in_each_form() {
    let check = |test: TextTest, text: Option<&str>, expected: bool| {
        assert_eq!(test.passes(text.map(str::as_bytes)), expected, "{test:?} of {text:?}");
    };
    let octets = |text: &str| text.as_bytes().into();
    check(TextTest::Exact(octets("a")), Some("a"), true);
    check(TextTest::Exact(octets("a")), Some("ab"), false);
    check(TextTest::Exact(octets("")), None, false);
    check(TextTest::Prefix(octets("a")), Some("ab"), true);
    check(TextTest::Suffix(octets("b")), Some("ab"), true);
    check(TextTest::Suffix(octets("a")), Some("ab"), false);
    check(TextTest::Contains(octets("b")), Some("abc"), true);
    check(TextTest::Pattern(Box::new(strait_expr::regex("^a.c$").unwrap())), Some("abc"), true);
    check(TextTest::Pattern(Box::new(strait_expr::regex("^a.c$").unwrap())), None, false);
    check(TextTest::Present(true), Some(""), true);
    check(TextTest::Present(true), None, false);
    check(TextTest::Present(false), None, true);
    check(TextTest::Present(false), Some(""), false);
}

#[test]
fn all_conditions_must_hold() {
    let condition = Condition {
        headers: named("x-a", TextTest::Exact(b"1"[..].into())),
        query: named("v", TextTest::Exact(b"a b"[..].into())),
        cookies: named("c", TextTest::Present(true)),
        networks: Box::new(["192.0.2.0/24".parse().unwrap()]),
        methods: Box::new([Method::Get]),
        ..Condition::default()
    };
    let good: [(&str, &str); 2] = [("X-A", "1"), ("Cookie", "b=2; c=3")];
    assert!(holds(&condition, &good, "x=1&v=a%20b", Some([192, 0, 2, 7])));
    assert!(holds(&condition, &good, "v=a+b&v=c", Some([192, 0, 2, 7])));
    assert!(!holds(&condition, &good, "v=c&v=a+b", Some([192, 0, 2, 7])), "the first of a name counts");
    assert!(!holds(&condition, &good[..1], "v=a+b", Some([192, 0, 2, 7])));
    assert!(!holds(&condition, &good[1..], "v=a+b", Some([192, 0, 2, 7])));
    assert!(!holds(&condition, &good, "v=a+b", Some([192, 0, 3, 7])));
    assert!(!holds(&condition, &good, "v=a+b", None));
    assert!(holds(&Condition::default(), &[], "", None));
}

#[test]
fn lines_of_a_header_are_one_text() {
    let of = |text: &str| Condition {
        headers: named("x-a", TextTest::Exact(text.as_bytes().into())),
        ..Condition::default()
    };
    assert!(holds(&of("1, 2, 3"), &[("x-a", "1"), ("X-A", "2"), ("x-A", "3")], "", None));
}

fn portion(percent: u32, key: Option<&str>, salt: &str) -> Condition {
    let key = key.map(|text| Expression::compile(text, &Environment::request()).unwrap());
    let portion = Portion { key, of_100_000: percent * 1_000, salt: portion_salt(salt) };
    Condition { portion: Some(portion), ..Condition::default() }
}

#[test]
fn a_share_is_met_and_stays_the_same() {
    let clients = || (0..20_000_u32).map(|n| n.to_be_bytes());
    let among = |condition: &Condition| clients().filter(|ip| holds(condition, &[], "", Some(*ip))).count();
    let condition = portion(5, None, "/");
    assert!((900..=1_100).contains(&among(&condition)), "{}", among(&condition));
    assert_eq!(among(&portion(0, None, "/")), 0);
    assert_eq!(among(&portion(100, None, "/")), 20_000);
    // More of the same key takes in whoever was in before.
    let wider = portion(20, None, "/");
    assert!(clients().all(|ip| !holds(&condition, &[], "", Some(ip)) || holds(&wider, &[], "", Some(ip))));
    // Shares of different routes are not the same clients.
    let other = portion(5, None, "/other");
    let both = clients().filter(|ip| holds(&condition, &[], "", Some(*ip)) && holds(&other, &[], "", Some(*ip)));
    assert!(both.count() < 120);
}

#[test]
fn a_share_goes_by_its_key() {
    let condition = portion(50, Some("request.cookies['id']"), "/");
    let of = |id: &str, client: [u8; 4]| holds(&condition, &[("Cookie", &format!("id={id}"))], "", Some(client));
    for id in 0..100 {
        let id = id.to_string();
        assert_eq!(of(&id, [1, 2, 3, 4]), of(&id, [4, 3, 2, 1]));
    }
    assert!(!holds(&portion(100, Some("request.cookies['id']"), "/"), &[], "", Some([1, 2, 3, 4])));
}

/// Shares must not move with a new version: these are what they were.
#[test]
fn the_hash_of_a_share_never_changes() {
    assert_eq!(even_hash(b"", 0), 0xF52A_15E9_A9B5_E89B);
    assert_eq!(even_hash(b"192.0.2.7", portion_salt("/")), 7_637_774_916_028_690_029);
}
