//! Whatever an upstream does wrong has a reason of its own: in the access record, in the metrics, and, as long as no
//! response has begun, in the answer's status and `Proxy-Status` (RFC 9209).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(dead_code, reason = "the helpers serve several test files")]

mod inside;

use inside::{Act, Inside, Origin, refusing};
use std::collections::BTreeSet;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;
use strait_record::FaultMeter;

/// What went wrong, and what is said about it.
struct Case {
    what: &'static str,
    end: &'static str,
    status: u16,
    error: &'static str,
}

const fn case(what: &'static str, end: &'static str, status: u16, error: &'static str) -> Case {
    Case { what, end, status, error }
}

/// Asks once; gives the answer, the end code of the record, and the codes that the worker counted.
fn ask(address: &str, timeouts: &str) -> (String, String, Vec<String>) {
    let strait = Inside::serve(&format!(
        "routes: {{/: app}}\nupstreams: {{app: {{endpoints: [\"{address}\"], retry: 1, timeout: {{{timeouts}}}}}}}\n"
    ));
    let answer = strait.get("/");
    let end = strait.record(0)["strait.end"].as_str().unwrap().to_owned();
    let counted =
        FaultMeter::combinations().filter(|&(origin, phase, kind)| strait.meter().faults.of(origin, phase, kind) > 0);
    let counted = counted.map(|(origin, phase, kind)| format!("{}.{}.{}", origin.word(), phase.word(), kind.word()));
    (answer, end, counted.collect())
}

#[track_caller]
fn check(case: &Case, address: impl ToString, timeouts: &str) {
    let (answer, end, counted) = ask(&address.to_string(), timeouts);
    assert_eq!(end, case.end, "{}", case.what);
    assert_eq!(counted, [case.end], "{}", case.what);
    if case.error.is_empty() {
        // The response had begun: its end without its last octets is all that the client can be told.
        assert!(answer.starts_with(&format!("HTTP/1.1 {}", case.status)), "{}: {answer}", case.what);
    } else {
        let told = format!("Proxy-Status: strait; error={};", case.error);
        let status = format!("HTTP/1.1 {}", case.status);
        assert!(answer.starts_with(&status) && answer.contains(&told), "{}: {answer}", case.what);
    }
}

const REFUSED: Case = case("refused", "upstream.connect.refused", 502, "connection_refused");
const UNREACHABLE: Case = case("unreachable", "upstream.connect.unreachable", 502, "destination_ip_unroutable");
const CONNECT_TIMEOUT: Case = case("connect timeout", "upstream.connect.timeout", 504, "connection_timeout");
const RESET: Case = case("reset before the head", "upstream.response_head.reset", 502, "connection_terminated");
const CLOSED: Case = case("closed before the head", "upstream.response_head.closed", 502, "connection_terminated");
const FIRST_BYTE: Case = case("first-byte timeout", "upstream.response_head.timeout", 504, "http_response_timeout");
const DEADLINE: Case =
    case("the route's request timeout", "upstream.response_head.deadline", 504, "http_response_timeout");
const MALFORMED: Case = case("malformed response", "upstream.response_head.malformed", 502, "http_protocol_error");
const TOO_LARGE: Case =
    case("a head above the limit", "upstream.response_head.too_large", 502, "http_response_header_section_size");
const TRUNCATED: Case = case("truncated body", "upstream.response_body.closed", 200, "");
const IDLE: Case = case("idle timeout", "upstream.response_body.timeout", 200, "");
const BODY_RESET: Case = case("reset in the body", "upstream.response_body.reset", 200, "");

#[test]
fn every_fault_of_an_upstream_has_a_reason_of_its_own() {
    check(&REFUSED, refusing(), "");
    check(&UNREACHABLE, "255.255.255.255:9", "");
    let (full, _held) = full_backlog();
    check(&CONNECT_TIMEOUT, full, "connect: 100ms");
    check(&RESET, Origin::start(|_| Act::Reset).address, "");
    check(&CLOSED, Origin::start(|_| Act::SayAndClose(String::new())).address, "");
    check(&FIRST_BYTE, Origin::start(|_| Act::SayAndStall(String::new())).address, "first_byte: 100ms");
    check(&DEADLINE, Origin::start(|_| Act::SayAndStall(String::new())).address, "request: 100ms");
    let malformed = Origin::start(|_| Act::Say("HTTP/1.1 2oo fine\r\n\r\n".to_owned()));
    check(&MALFORMED, malformed.address, "");
    let large = Origin::start(|_| Act::Say(format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "x".repeat(70_000))));
    check(&TOO_LARGE, large.address, "");
    let half = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf";
    check(&TRUNCATED, Origin::start(move |_| Act::SayAndClose(half.to_owned())).address, "");
    check(&IDLE, Origin::start(move |_| Act::SayAndStall(half.to_owned())).address, "idle: 100ms");
}

#[test]
fn no_two_faults_share_a_reason() {
    let all = [
        REFUSED,
        UNREACHABLE,
        CONNECT_TIMEOUT,
        RESET,
        CLOSED,
        FIRST_BYTE,
        DEADLINE,
        MALFORMED,
        TOO_LARGE,
        TRUNCATED,
        IDLE,
        BODY_RESET,
    ];
    let ends: BTreeSet<&str> = all.iter().map(|case| case.end).collect();
    assert_eq!(ends.len(), all.len());
    let manual = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/reasons.md")).unwrap();
    for end in ends {
        assert!(manual.contains(&format!("`{end}`")), "{end} is not in docs/reasons.md");
    }
}

/// An address whose connections are neither taken nor refused: the queue of its listener is full. It is, as long as
/// what is returned beside it is held.
fn full_backlog() -> (SocketAddr, (socket2::Socket, Vec<TcpStream>)) {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    socket.listen(0).unwrap();
    let address = socket.local_addr().unwrap().as_socket().unwrap();
    let mut held = Vec::new();
    while let Ok(stream) = TcpStream::connect_timeout(&address, Duration::from_millis(200)) {
        held.push(stream);
        assert!(held.len() < 100, "the queue never fills");
    }
    (address, (socket, held))
}
