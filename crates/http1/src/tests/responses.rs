//! What an origin may send, and what it may not.

use super::drive::Asked;
use super::{Case, check_all, drive};
use crate::Limits;

fn run(asked: Asked) -> impl Fn(&[u8], &[usize]) -> String {
    move |input, cuts| drive::client(asked, input, cuts, &Limits::default())
}

#[test]
fn responses_come_out_as_they_were_meant() {
    check_all(CASES, run(Asked::Get));
}

#[test]
fn responses_that_break_a_rule_are_refused() {
    check_all(REFUSED, run(Asked::Get));
}

#[test]
fn a_response_to_head_has_no_body_whatever_it_announces() {
    check_all(TO_HEAD, run(Asked::Head));
}

#[test]
fn a_tunnel_begins_only_where_it_was_asked_for() {
    check_all(UPGRADES, run(Asked::Websocket));
    check_all(CONNECTS, run(Asked::Connect));
}

#[test]
fn octets_that_no_request_asked_for_are_refused() {
    check_all(UNASKED, run(Asked::Nothing));
}

pub(super) const CASES: &[Case] = &[
    ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "200 1.1 {Content-Length: 2} fixed 2 <hi> end keep"),
    ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200 1.1 {Content-Length: 0} fixed 0 end keep"),
    // RFC 9112 §4: the reason may be empty, and its space is often left out.
    ("HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n", "404 1.1 {Content-Length: 0} fixed 0 end keep"),
    ("HTTP/1.1 599\r\nContent-Length: 0\r\n\r\n", "599 1.1 {Content-Length: 0} fixed 0 end keep"),
    ("HTTP/1.1 200 \u{e9} \t(x)\r\nContent-Length: 0\r\n\r\n", "200 1.1 {Content-Length: 0} fixed 0 end keep"),
    // RFC 9112 §6.3.
    (
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\nX: 1\r\n\r\n",
        "200 1.1 {Transfer-Encoding: chunked} chunked <hi> end {X: 1} keep",
    ),
    ("HTTP/1.1 200 OK\r\n\r\nhi", "200 1.1 {} until-close <hi> eof"),
    ("HTTP/1.0 200 OK\r\n\r\n", "200 1.0 {} until-close eof"),
    ("HTTP/1.1 204 No Content\r\n\r\n", "204 1.1 {} none end keep"),
    ("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", "304 1.1 {Content-Length: 9} fixed 9 end keep"),
    ("HTTP/1.1 304 Not Modified\r\n\r\n", "304 1.1 {} none end keep"),
    // A body where none may be: the connection is not used again, whether or not the octets have come yet.
    ("HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", "204 1.1 {Content-Length: 0} fixed 0 end keep"),
    ("HTTP/1.1 204 No Content\r\nContent-Length: 2\r\n\r\n", "204 1.1 {Content-Length: 2} fixed 2 end close"),
    (
        "HTTP/1.1 204 No Content\r\nTransfer-Encoding: chunked\r\n\r\n",
        "204 1.1 {Transfer-Encoding: chunked} chunked end close",
    ),
    ("HTTP/1.1 204 No Content\r\n\r\nx", "204 1.1 {} none end close"),
    ("HTTP/1.1 304 Not Modified\r\n\r\nHTTP/1.1 200 OK\r\n", "304 1.1 {} none end close"),
    ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nxy", "200 1.1 {Content-Length: 1} fixed 1 <x> end close"),
    // RFC 9112 §9.3.
    (
        "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        "200 1.1 {Connection: close, Content-Length: 0} fixed 0 end close",
    ),
    ("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n", "200 1.0 {Content-Length: 0} fixed 0 end close"),
    (
        "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 0\r\n\r\n",
        "200 1.0 {Connection: keep-alive, Content-Length: 0} fixed 0 end keep",
    ),
    (
        "HTTP/1.1 200 OK\r\nX-A: 1\r\nConnection: X-a\r\nContent-Length: 0\r\n\r\n",
        "200 1.1 {Connection: X-a, Content-Length: 0} fixed 0 end keep",
    ),
    // RFC 9110 §15.2: interim responses.
    (
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 199\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
        "100 1.1 {} none 103 1.1 {Link: x} none 199 1.1 {} none 204 1.1 {} none end keep",
    ),
    (
        "HTTP/1.1 100 Continue\r\nContent-Length: 9\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n",
        "100 1.1 {Content-Length: 9} none 204 1.1 {} none end keep",
    ),
];

pub(super) const REFUSED: &[Case] = &[
    ("\r\nHTTP/1.1 200 OK\r\n\r\n", "!BadStatusLine"),
    ("HTTP/1.1\r\n\r\n", "!BadStatusLine"),
    ("HTTP/1.1 \r\n\r\n", "!BadStatusLine"),
    ("HTTP/1.1 20\r\n\r\n", "!BadStatusLine"),
    ("HTTP/1.1 20 OK\r\n\r\n", "!BadStatusLine"),
    ("HTTP/1.1 2000 OK\r\n\r\n", "!BadStatusLine"),
    ("HTTP/1.1 +20 OK\r\n\r\n", "!BadStatusLine"),
    ("HTTP/1.1 099 OK\r\n\r\n", "!BadStatusLine"),
    ("HTTP/1.1 600 OK\r\n\r\n", "!BadStatusLine"),
    ("HTTP/1.1  200 OK\r\n\r\n", "!BadStatusLine"),
    ("HTTP/1.1\t200 OK\r\n\r\n", "!BadStatusLine"),
    ("HTTP/1.1 200\tOK\r\n\r\n", "!BadStatusLine"),
    ("HTTP/1.1 200 O\0K\r\n\r\n", "!BadStatusLine"),
    ("HTTP/1.1 200 O\rK\r\n\r\n", "!BareCr"),
    ("HTTP/1.1 200 OK\r\r\n\r\n", "!BareCr"),
    ("HTTP/2.0 200 OK\r\n\r\n", "!VersionNotSupported"),
    ("ICY 200 OK\r\n\r\n", "!BadVersion"),
    ("http/1.1 200 OK\r\n\r\n", "!BadVersion"),
    ("<html>\n", "!BareLf"),
    ("HTTP/1.1 200 OK\n\r\n", "!BareLf"),
    ("HTTP/1.1 200 OK\r\nX: a\r\n b\r\n\r\n", "!ObsoleteFolding"),
    ("HTTP/1.1 200 OK\r\nX : a\r\n\r\n", "!SpaceBeforeColon"),
    ("HTTP/1.1 200 OK\r\nX: a\0\r\n\r\n", "!BadFieldValue"),
    ("HTTP/1.1 200 OK\r\nX\r\n\r\n", "!BadFieldName"),
    ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "!LengthAndCoding"),
    ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", "!DuplicateLength"),
    ("HTTP/1.1 204 No Content\r\nContent-Length: x\r\n\r\n", "!BadLength"),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "!UnknownCoding"),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "!BadCoding"),
    ("HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "!CodingInHttp10"),
    ("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n", "!UnaskedUpgrade"),
    ("", "!Truncated"),
    ("HTTP/1.1 200 OK\r\n", "!Truncated"),
    ("HTTP/1.1 100 Continue\r\n\r\n", "100 1.1 {} none !Truncated"),
    (
        "HTTP/1.1 103 Early Hints\r\nContent-Length: 1\r\n\r\nxHTTP/1.1 204 No Content\r\n\r\n",
        "103 1.1 {Content-Length: 1} none !BadVersion",
    ),
    ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx", "200 1.1 {Content-Length: 2} fixed 2 <x> !Truncated"),
    (
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n",
        "200 1.1 {Transfer-Encoding: chunked} chunked <x> !Truncated",
    ),
];

const TO_HEAD: &[Case] = &[
    ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", "200 1.1 {Content-Length: 9} fixed 9 end keep"),
    ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", "200 1.1 {Transfer-Encoding: chunked} chunked end keep"),
    ("HTTP/1.1 200 OK\r\n\r\n", "200 1.1 {} none end keep"),
    ("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx", "200 1.1 {Content-Length: 1} fixed 1 end close"),
];

pub(super) const UPGRADES: &[Case] = &[
    (
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: WebSocket\r\n\r\n\x01",
        "101 1.1 {Connection: Upgrade, Upgrade: WebSocket} none end close",
    ),
    ("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", "400 1.1 {Content-Length: 0} fixed 0 end keep"),
    ("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c, websocket\r\n\r\n", "!UnaskedUpgrade"),
    ("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n", "!UnaskedUpgrade"),
    ("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n", "!UnaskedUpgrade"),
    ("HTTP/1.1 101 Switching Protocols\r\n\r\n", "!UnaskedUpgrade"),
];

pub(super) const CONNECTS: &[Case] = &[
    ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nTLS", "200 1.1 {Content-Length: 9} none end close"),
    ("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno", "403 1.1 {Content-Length: 2} fixed 2 <no> end keep"),
];

pub(super) const UNASKED: &[Case] =
    &[("", "eof"), ("H", "!UnaskedBytes"), ("HTTP/1.1 408 Request Timeout\r\n\r\n", "!UnaskedBytes")];
