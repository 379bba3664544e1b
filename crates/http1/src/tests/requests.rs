//! What a client may send, and what it may not.

use super::{Case, check_all, drive};
use crate::Limits;

#[test]
fn requests_come_out_as_they_were_meant() {
    check_all(CASES, |input, cuts| drive::server(input, cuts, &Limits::default()));
}

#[test]
fn requests_that_break_a_rule_are_refused() {
    check_all(REFUSED, |input, cuts| drive::server(input, cuts, &Limits::default()));
}

pub(super) const CASES: &[Case] = &[
    ("", "eof"),
    ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / 1.1 {Host: a} none end keep eof"),
    // RFC 9112 §2.2: one empty line before a request is passed over, and no second one.
    ("\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / 1.1 {Host: a} none end keep eof"),
    ("\r\n", "eof"),
    ("\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "!BadRequestLine"),
    // RFC 9112 §9.3.2: pipelined requests, with one empty line between.
    (
        "GET /1 HTTP/1.1\r\nHost: a\r\n\r\nPOST /2 HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi\r\nGET /3 HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /1 1.1 {Host: a} none end keep POST /2 1.1 {Host: a, Content-Length: 2} fixed 2 <hi> end keep \
         GET /3 1.1 {Host: a} none end keep eof",
    ),
    // RFC 9110 §9.1: methods are case-sensitive tokens.
    ("get / HTTP/1.1\r\nHost: a\r\n\r\n", "get / 1.1 {Host: a} none end keep eof"),
    ("M-SEARCH / HTTP/1.1\r\nHost: a\r\n\r\n", "M-SEARCH / 1.1 {Host: a} none end keep eof"),
    (
        "ABCDEFGHIJKLMNOPQRSTUVW / HTTP/1.1\r\nHost: a\r\n\r\n",
        "ABCDEFGHIJKLMNOPQRSTUVW / 1.1 {Host: a} none end keep eof",
    ),
    // RFC 9112 §3.2: the four forms of a target.
    (
        "GET /a?b=c/%20&\"<>\\^`{|} HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET /a?b=c/%20&\\\"<>\\\\^`{|} 1.1 {Host: a} none end keep eof",
    ),
    ("GET //x HTTP/1.1\r\nHost: a\r\n\r\n", "GET //x 1.1 {Host: a} none end keep eof"),
    ("GET http://a/x HTTP/1.1\r\nHost: a\r\n\r\n", "GET http://a/x 1.1 {Host: a} none end keep eof"),
    (
        "GET HTTPS://A.b:8443?x HTTP/1.1\r\nHost: a.B:8443\r\n\r\n",
        "GET HTTPS://A.b:8443?x 1.1 {Host: a.B:8443} none end keep eof",
    ),
    ("GET http://[::1] HTTP/1.1\r\nHost: [::1]\r\n\r\n", "GET http://[::1] 1.1 {Host: [::1]} none end keep eof"),
    ("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n", "OPTIONS * 1.1 {Host: a} none end keep eof"),
    // RFC 9110 §4.2.3: a default port makes no other authority.
    ("GET http://a:80/ HTTP/1.1\r\nHost: a\r\n\r\n", "GET http://a:80/ 1.1 {Host: a} none end keep eof"),
    ("GET https://a/ HTTP/1.1\r\nHost: a:443\r\n\r\n", "GET https://a/ 1.1 {Host: a:443} none end keep eof"),
    (
        "GET http://[::80]/ HTTP/1.1\r\nHost: [::80]:80\r\n\r\n",
        "GET http://[::80]/ 1.1 {Host: [::80]:80} none end keep eof",
    ),
    // RFC 9110 §9.3.6: behind a refused CONNECT may stand octets that were meant for the tunnel.
    (
        "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\nGET / HTTP/1.1\r\n",
        "CONNECT a:443 1.1 {Host: a:443} none end close",
    ),
    ("CONNECT [::1]:443 HTTP/1.1\r\nHost: [::1]\r\n\r\n", "CONNECT [::1]:443 1.1 {Host: [::1]} none end close"),
    // RFC 9112 §5: whitespace around values, empty values, obs-text.
    (
        "GET / HTTP/1.1\r\nhOsT:\t a \r\nA:\r\nB: \t \r\nC:1\r\nD: x \t y\t\r\nE: \u{e9}\r\n!#$%&'*+-.^_`|~: 1\r\n\r\n",
        "GET / 1.1 {hOsT: a, A: , B: , C: 1, D: x \\t y, E: \\xc3\\xa9, !#$%&\\'*+-.^_`|~: 1} none end keep eof",
    ),
    // RFC 9112 §6.3.
    (
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n",
        "POST / 1.1 {Host: a, Content-Length: 0} fixed 0 end keep eof",
    ),
    (
        "GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0003\r\n\r\na\r\n",
        "GET / 1.1 {Host: a, Content-Length: 0003} fixed 3 <a\\r\\n> end keep eof",
    ),
    (
        "PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 00000000000000000001\r\n\r\nx",
        "PUT / 1.1 {Host: a, Content-Length: 00000000000000000001} fixed 1 <x> end keep eof",
    ),
    (
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775807\r\n\r\nabc",
        "POST / 1.1 {Host: a, Content-Length: 9223372036854775807} fixed 9223372036854775807 <abc> !Truncated",
    ),
    (
        "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "POST / 1.1 {Host: a, Transfer-Encoding: CHUNKED} chunked <abc> end keep eof",
    ),
    // RFC 9112 §9.3: persistence.
    (
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: x-a, Close\r\n\r\n",
        "GET / 1.1 {Host: a, Connection: x-a, Close} none end close",
    ),
    (
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive\r\nConnection: close\r\n\r\n",
        "GET / 1.1 {Host: a, Connection: keep-alive, Connection: close} none end close",
    ),
    ("GET / HTTP/1.0\r\n\r\n", "GET / 1.0 {} none end close"),
    ("GET http://a/ HTTP/1.0\r\n\r\n", "GET http://a/ 1.0 {} none end close"),
    ("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", "GET / 1.0 {Connection: Keep-Alive} none end keep eof"),
    (
        "GET / HTTP/1.0\r\nConnection: keep-alive, close\r\n\r\n",
        "GET / 1.0 {Connection: keep-alive, close} none end close",
    ),
    // RFC 9110 §7.6.1: fields that Connection names end here; routing and framing cannot be named away.
    (
        "POST / HTTP/1.1\r\nX-A: 1\r\nHost: a\r\nConnection: x-a, host, Content-Length, X-Forwarded-For\r\nX-Forwarded-For: b\r\nContent-Length: 0\r\nX-Ab: 2\r\n\r\n",
        "POST / 1.1 {Host: a, Connection: x-a, host, Content-Length, X-Forwarded-For, Content-Length: 0, X-Ab: 2} fixed 0 end keep eof",
    ),
    // RFC 9110 §10.1.1.
    (
        "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\nContent-Length: 1\r\n\r\nx",
        "PUT / 1.1 {Host: a, Expect: 100-Continue, Content-Length: 1} fixed 1 expects-continue <x> end keep eof",
    ),
    (
        "PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n",
        "PUT / 1.1 {Host: a, Expect: 100-continue} none end keep eof",
    ),
    (
        "PUT / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\nx",
        "PUT / 1.0 {Expect: 100-continue, Content-Length: 1} fixed 1 <x> end close",
    ),
    // RFC 6455 §4.1: a WebSocket is asked for by GET, without a body, naming both fields, in HTTP/1.1.
    (
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\n\r\n",
        "GET / 1.1 {Host: a, Connection: keep-alive, Upgrade, Upgrade: WebSocket} none wants-websocket end keep eof",
    ),
    (
        "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n",
        "GET / 1.1 {Host: a, Upgrade: websocket} none end keep eof",
    ),
    (
        "GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n",
        "GET / 1.1 {Host: a, Connection: upgrade, Upgrade: h2c} none end keep eof",
    ),
    (
        "POST / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        "POST / 1.1 {Host: a, Connection: upgrade, Upgrade: websocket} none end keep eof",
    ),
    (
        "GET / HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
        "GET / 1.0 {Connection: upgrade, Upgrade: websocket} none end close",
    ),
    // Valid hosts.
    ("GET / HTTP/1.1\r\nHost: a_b-c.~d:1\r\n\r\n", "GET / 1.1 {Host: a_b-c.~d:1} none end keep eof"),
    (
        "GET / HTTP/1.1\r\nHost: [2001:db8::ffff:1.2.3.4]:65535\r\n\r\n",
        "GET / 1.1 {Host: [2001:db8::ffff:1.2.3.4]:65535} none end keep eof",
    ),
];

pub(super) const REFUSED: &[Case] = &[
    // RFC 9112 §2.2, §3: lines and parts.
    ("GET / HTTP/1.1\nHost: a\r\n\r\n", "!BareLf"),
    ("GET / HTTP/1.1\r\nHost: a\n\r\n", "!BareLf"),
    ("GET / HTTP/1.1\r\nHost: a\r\n\n", "!BareLf"),
    ("\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "!BareLf"),
    ("GET / HTTP/1.1\r\r\nHost: a\r\n\r\n", "!BareCr"),
    ("GET /\rHTTP/1.1\r\nHost: a\r\n\r\n", "!BareCr"),
    ("GET /\r HTTP/1.1\r\nHost: a\r\n\r\n", "!BareCr"),
    ("\rGET / HTTP/1.1\r\nHost: a\r\n\r\n", "!BareCr"),
    ("GET / HTTP/1.1\r\nHost: a\r\n\r\r\n", "!BareCr"),
    ("GET /\r\n\r\n", "!BadRequestLine"),
    ("GET\r\n\r\n", "!BadRequestLine"),
    ("GET  / HTTP/1.1\r\nHost: a\r\n\r\n", "!BadRequestLine"),
    ("GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", "!BadRequestLine"),
    ("GET / HTTP/1.1 \r\nHost: a\r\n\r\n", "!BadRequestLine"),
    ("GET\t/\tHTTP/1.1\r\nHost: a\r\n\r\n", "!BadRequestLine"),
    ("GET /  HTTP/1.1\r\nHost: a\r\n\r\n", "!BadRequestLine"),
    (" GET / HTTP/1.1\r\nHost: a\r\n\r\n", "!BadRequestLine"),
    // RFC 9110 §9.1.
    (" / HTTP/1.1\r\nHost: a\r\n\r\n", "!BadMethod"),
    ("G(T / HTTP/1.1\r\nHost: a\r\n\r\n", "!BadMethod"),
    ("G\0T / HTTP/1.1\r\nHost: a\r\n\r\n", "!BadMethod"),
    ("ABCDEFGHIJKLMNOPQRSTUVWX / HTTP/1.1\r\nHost: a\r\n\r\n", "!MethodTooLong"),
    // RFC 9112 §2.3.
    ("GET / HTTP/1.10\r\nHost: a\r\n\r\n", "!BadVersion"),
    ("GET / http/1.1\r\nHost: a\r\n\r\n", "!BadVersion"),
    ("GET / HTTP/1,1\r\nHost: a\r\n\r\n", "!BadVersion"),
    ("GET / \r\nHost: a\r\n\r\n", "!BadVersion"),
    ("GET / HTTP/0.9\r\nHost: a\r\n\r\n", "!VersionNotSupported"),
    ("GET / HTTP/1.2\r\nHost: a\r\n\r\n", "!VersionNotSupported"),
    ("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "!VersionNotSupported"),
    // RFC 9112 §3.2: each method has its forms of target.
    ("GET a HTTP/1.1\r\nHost: a\r\n\r\n", "!BadTarget"),
    ("GET * HTTP/1.1\r\nHost: a\r\n\r\n", "!BadTarget"),
    ("OPTIONS ** HTTP/1.1\r\nHost: a\r\n\r\n", "!BadTarget"),
    ("GET /# HTTP/1.1\r\nHost: a\r\n\r\n", "!BadTarget"),
    ("GET /\u{e9} HTTP/1.1\r\nHost: a\r\n\r\n", "!BadTarget"),
    ("GET /\0 HTTP/1.1\r\nHost: a\r\n\r\n", "!BadTarget"),
    ("GET /\t HTTP/1.1\r\nHost: a\r\n\r\n", "!BadTarget"),
    ("GET /\x7f HTTP/1.1\r\nHost: a\r\n\r\n", "!BadTarget"),
    ("GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "!BadTarget"),
    ("GET http:/a HTTP/1.1\r\nHost: a\r\n\r\n", "!BadTarget"),
    ("GET http:///x HTTP/1.1\r\nHost: a\r\n\r\n", "!BadTarget"),
    ("GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n", "!BadTarget"),
    ("GET http://u:p@a/ HTTP/1.1\r\nHost: a\r\n\r\n", "!BadTarget"),
    ("GET http://a:x/ HTTP/1.1\r\nHost: a\r\n\r\n", "!BadTarget"),
    ("GET a:80 HTTP/1.1\r\nHost: a:80\r\n\r\n", "!BadTarget"),
    ("CONNECT / HTTP/1.1\r\nHost: a\r\n\r\n", "!BadTarget"),
    ("CONNECT a HTTP/1.1\r\nHost: a\r\n\r\n", "!BadTarget"),
    ("CONNECT a: HTTP/1.1\r\nHost: a\r\n\r\n", "!BadTarget"),
    ("CONNECT [::1] HTTP/1.1\r\nHost: [::1]\r\n\r\n", "!BadTarget"),
    ("CONNECT http://a/ HTTP/1.1\r\nHost: a\r\n\r\n", "!BadTarget"),
    // RFC 9112 §5.
    ("GET / HTTP/1.1\r\nHost: a\r\nX\r\n\r\n", "!BadFieldName"),
    ("GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n", "!BadFieldName"),
    ("GET / HTTP/1.1\r\nHost: a\r\nX(: x\r\n\r\n", "!BadFieldName"),
    ("GET / HTTP/1.1\r\nHost: a\r\nX\0: x\r\n\r\n", "!BadFieldName"),
    ("GET / HTTP/1.1\r\nHost: a\r\nX\u{e9}: x\r\n\r\n", "!BadFieldName"),
    ("GET / HTTP/1.1\r\nHost: a\r\nX : x\r\n\r\n", "!SpaceBeforeColon"),
    ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length\t: 1\r\n\r\nx", "!SpaceBeforeColon"),
    ("GET / HTTP/1.1\r\n Host: a\r\n\r\n", "!ObsoleteFolding"),
    ("GET / HTTP/1.1\r\nHost: a\r\nX: a\r\n\tb\r\n\r\n", "!ObsoleteFolding"),
    ("GET / HTTP/1.1\r\nHost: a\r\n \r\n\r\n", "!ObsoleteFolding"),
    ("GET / HTTP/1.1\r\nHost: a\r\nX: a\0b\r\n\r\n", "!BadFieldValue"),
    ("GET / HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n", "!BareCr"),
    ("GET / HTTP/1.1\r\nHost: a\r\nX: a\r\r\n\r\n", "!BareCr"),
    ("GET / HTTP/1.1\r\nHost: a\r\nX: a\x0bb\r\n\r\n", "!BadFieldValue"),
    ("GET / HTTP/1.1\r\nHost: a\r\nX: \x7f\r\n\r\n", "!BadFieldValue"),
    // RFC 9112 §3.2, RFC 9110 §7.2.
    ("GET / HTTP/1.1\r\n\r\n", "!MissingHost"),
    ("GET http://a/ HTTP/1.1\r\n\r\n", "!MissingHost"),
    ("GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", "!DuplicateHost"),
    ("GET / HTTP/1.0\r\nHost: a\r\nhost: b\r\n\r\n", "!DuplicateHost"),
    ("GET / HTTP/1.1\r\nHost:\r\n\r\n", "!BadHost"),
    ("GET / HTTP/1.1\r\nHost: a b\r\n\r\n", "!BadHost"),
    ("GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", "!BadHost"),
    ("GET / HTTP/1.1\r\nHost: u@a\r\n\r\n", "!BadHost"),
    ("GET / HTTP/1.1\r\nHost: a,b\r\n\r\n", "!BadHost"),
    ("GET / HTTP/1.1\r\nHost: a:\r\n\r\n", "!BadHost"),
    ("GET / HTTP/1.1\r\nHost: a:0\r\n\r\n", "!BadHost"),
    ("GET / HTTP/1.1\r\nHost: a:65536\r\n\r\n", "!BadHost"),
    ("GET / HTTP/1.1\r\nHost: a:000080\r\n\r\n", "!BadHost"),
    ("GET / HTTP/1.1\r\nHost: a:+8\r\n\r\n", "!BadHost"),
    ("GET / HTTP/1.1\r\nHost: a:1:2\r\n\r\n", "!BadHost"),
    ("GET / HTTP/1.1\r\nHost: :80\r\n\r\n", "!BadHost"),
    ("GET / HTTP/1.1\r\nHost: [::1\r\n\r\n", "!BadHost"),
    ("GET / HTTP/1.1\r\nHost: [::1]x\r\n\r\n", "!BadHost"),
    ("GET / HTTP/1.1\r\nHost: [fe80::1%25eth0]\r\n\r\n", "!BadHost"),
    ("GET / HTTP/1.1\r\nHost: [v1.a]\r\n\r\n", "!BadHost"),
    ("GET / HTTP/1.1\r\nHost: a%2e\r\n\r\n", "!BadHost"),
    ("GET / HTTP/1.1\r\nHost: \u{e9}\r\n\r\n", "!BadHost"),
    ("GET http://a/ HTTP/1.1\r\nHost: b\r\n\r\n", "!HostMismatch"),
    ("GET http://a/ HTTP/1.0\r\nHost: b\r\n\r\n", "!HostMismatch"),
    ("GET http://a:443/ HTTP/1.1\r\nHost: a\r\n\r\n", "!HostMismatch"),
    ("GET https://a/ HTTP/1.1\r\nHost: a:80\r\n\r\n", "!HostMismatch"),
    ("GET http://a:080/ HTTP/1.1\r\nHost: a\r\n\r\n", "!HostMismatch"),
    ("CONNECT a:443 HTTP/1.1\r\nHost: b:443\r\n\r\n", "!HostMismatch"),
    // RFC 9112 §6.
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", "!LengthAndCoding"),
    ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: x\r\n\r\n", "!LengthAndCoding"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\nx", "!DuplicateLength"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\ncontent-length: 2\r\n\r\nx", "!DuplicateLength"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\nx", "!BadLength"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\nx", "!BadLength"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\nx", "!BadLength"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\nx", "!BadLength"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\nx", "!BadLength"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1 1\r\n\r\nx", "!BadLength"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1.0\r\n\r\nx", "!BadLength"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9223372036854775808\r\n\r\nx", "!BadLength"),
    ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 18446744073709551617\r\n\r\nx", "!BadLength"),
    ("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "!CodingInHttp10"),
    ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "!UnknownCoding"),
    ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: x;q=1 ,Chunked\r\n\r\n", "!UnknownCoding"),
    ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n", "!BadCoding"),
    ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", "!BadCoding"),
    ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, gzip\r\n\r\n", "!BadCoding"),
    ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", "!BadCoding"),
    ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;x=1\r\n\r\n", "!BadCoding"),
    ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: ,chunked\r\n\r\n", "!BadCoding"),
    ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", "!BadCoding"),
    ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \"chunked\"\r\n\r\n", "!BadCoding"),
    ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n", "!BadCoding"),
    ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "!BadCoding"),
    ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: \x0bchunked\r\n\r\n", "!BadFieldValue"),
    // RFC 9110 §10.1.1.
    ("PUT / HTTP/1.1\r\nHost: a\r\nExpect: a=b\r\n\r\n", "!UnknownExpectation"),
    ("PUT / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue, 100-continue\r\n\r\n", "!UnknownExpectation"),
    // RFC 9112 §8.
    ("G", "!Truncated"),
    ("GET / HTTP/1.1\r\nHost: a\r\n", "!Truncated"),
    ("GET / HTTP/1.1\r\nHost: a\r\n\r", "!Truncated"),
    (
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nx",
        "POST / 1.1 {Host: a, Content-Length: 2} fixed 2 <x> !Truncated",
    ),
];
