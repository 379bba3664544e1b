//! Each limit, at its value and one over. Small values, so that every cut can be tried.

use super::drive::Asked;
use super::{Case, check, drive};
use crate::{Limits, Misdeed};

/// What one over each limit comes to, for the count of misdeeds.
pub(super) const REACHED: &[Case] = &[
    ("head_bytes_max", "!HeadTooLarge"),
    ("target_bytes_max", "!TargetTooLong"),
    ("fields_max", "!TooManyFields"),
    ("trailer_bytes_max", "!TrailersTooLarge"),
    ("chunk_extension_bytes_max", "!ChunkExtensionTooLarge"),
    ("interim_max", "!TooManyInterim"),
    ("connection options", "!TooManyOptions"),
];

fn over(limit: &str) -> &'static str {
    REACHED.iter().find(|(name, _)| *name == limit).unwrap().1
}

fn request(limits: Limits, input: &str, expected: &str) {
    check(input.as_bytes(), expected, |input, cuts| drive::server(input, cuts, &limits));
}

fn response(limits: Limits, input: &str, expected: &str) {
    check(input.as_bytes(), expected, |input, cuts| drive::client(Asked::Get, input, cuts, &limits));
}

#[test]
fn head_bytes_max() {
    let input = "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n";
    let at = |head_bytes_max| Limits { head_bytes_max, ..Limits::default() };
    request(at(33), input, "GET / 1.1 {Host: a, X: 1} none end keep eof");
    request(at(32), input, over("head_bytes_max"));
    request(at(20), "GET / HTTP/1.1\r\nHost: aaaaaaaaaaaaaaaaaaaa", over("head_bytes_max"));
    let input = "HTTP/1.1 204 No Content\r\nX: 1\r\n\r\n";
    response(at(33), input, "204 1.1 {X: 1} none end keep");
    response(at(32), input, over("head_bytes_max"));
    response(at(20), "HTTP/1.1 200 aaaaaaaaaaaaaaaa", over("head_bytes_max"));
}

#[test]
fn target_bytes_max() {
    let limits = Limits { target_bytes_max: 4, ..Limits::default() };
    request(limits, "GET /abc HTTP/1.1\r\nHost: a\r\n\r\n", "GET /abc 1.1 {Host: a} none end keep eof");
    request(limits, "GET /abcd HTTP/1.1\r\nHost: a\r\n\r\n", over("target_bytes_max"));
    request(limits, &format!("GET /{}", "a".repeat(80)), over("target_bytes_max"));
}

#[test]
fn fields_max() {
    let limits = Limits { fields_max: 2, ..Limits::default() };
    request(limits, "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n\r\n", "GET / 1.1 {Host: a, X: 1} none end keep eof");
    request(limits, "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\nX: 2\r\n\r\n", over("fields_max"));
    response(limits, "HTTP/1.1 200 OK\r\nX: 1\r\nX: 2\r\nX: 3\r\n\r\n", over("fields_max"));
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nX: 1\r\nX: 2\r\n";
    response(limits, &format!("{chunked}\r\n"), "200 1.1 {Transfer-Encoding: chunked} chunked end {X: 1, X: 2} keep");
    response(
        limits,
        &format!("{chunked}X: 3\r\n\r\n"),
        &format!("200 1.1 {{Transfer-Encoding: chunked}} chunked {}", over("fields_max")),
    );
}

#[test]
fn trailer_bytes_max() {
    let limits = Limits { trailer_bytes_max: 8, ..Limits::default() };
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n";
    let began = "200 1.1 {Transfer-Encoding: chunked} chunked";
    response(limits, &format!("{head}X: 1\r\n\r\n"), &format!("{began} end {{X: 1}} keep"));
    response(limits, &format!("{head}X: 12\r\n\r\n"), &format!("{began} {}", over("trailer_bytes_max")));
    response(limits, &format!("{head}X: 12345678"), &format!("{began} {}", over("trailer_bytes_max")));
}

#[test]
fn chunk_extension_bytes_max() {
    let limits = Limits { chunk_extension_bytes_max: 4, ..Limits::default() };
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    let began = "200 1.1 {Transfer-Encoding: chunked} chunked <x>";
    response(limits, &format!("{head}1;a\r\nx\r\n0;b\r\n\r\n"), &format!("{began} end keep"));
    response(
        limits,
        &format!("{head}1;a\r\nx\r\n0;bc\r\n\r\n"),
        &format!("{began} {}", over("chunk_extension_bytes_max")),
    );
}

#[test]
fn interim_max() {
    let limits = Limits { interim_max: 2, ..Limits::default() };
    let interim = "HTTP/1.1 103 \r\n\r\n";
    let last = "HTTP/1.1 204 \r\n\r\n";
    response(limits, &(interim.repeat(2) + last), "103 1.1 {} none 103 1.1 {} none 204 1.1 {} none end keep");
    response(
        limits,
        &(interim.repeat(3) + last),
        &format!("103 1.1 {{}} none 103 1.1 {{}} none {}", over("interim_max")),
    );
    let limits = Limits { interim_max: u8::MAX, ..Limits::default() };
    let many = drive::client(Asked::Get, interim.repeat(300).as_bytes(), &[], &limits);
    assert!(many.ends_with(over("interim_max")), "the count must not wrap around");
}

#[test]
fn connection_options_max() {
    let head = |options: usize| {
        format!("GET / HTTP/1.0\r\nConnection: {}x\r\nConnection: y\r\n\r\n", "x,".repeat(options - 2))
    };
    let run = |input: String| drive::server(input.as_bytes(), &[], &Limits::default());
    assert!(run(head(64)).ends_with("none end close"));
    assert_eq!(run(head(65)), over("connection options"));
}

#[test]
fn method_octets_max_is_what_its_misdeed_says() {
    assert!(Misdeed::MethodTooLong.words().contains("23"));
}
