//! Whatever an upstream does wrong has a reason of its own: in the access record, in the metrics, and, as long as no
//! response has begun, in the answer's status and `Proxy-Status` (RFC 9209).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(dead_code, reason = "the helpers serve several test files")]

mod inside;
mod support;

use inside::{Act, Inside, Origin, refusing};
use std::collections::BTreeSet;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Mutex;
use std::time::Duration;
use strait_record::FaultMeter;
use support::{Program, has, run, scratch};

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

/// What was said to clients: no two faults look alike to them.
static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

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
        let line = answer.lines().find(|line| line.starts_with("Proxy-Status: ")).unwrap();
        assert!(SAID.lock().unwrap().insert(line.to_owned()), "{}: {line} was said of another fault", case.what);
    }
}

const REFUSED: Case = case("refused", "upstream.connect.refused", 502, "connection_refused");
const UNREACHABLE: Case = case("unreachable", "upstream.connect.unreachable", 502, "destination_ip_unroutable");
const CONNECT_TIMEOUT: Case = case("connect timeout", "upstream.connect.timeout", 504, "connection_timeout");
const TLS: Case = case("no TLS behind the port", "upstream.connect.tls", 502, "tls_protocol_error");
const CERTIFICATE: Case =
    case("a certificate of nobody's", "upstream.connect.certificate", 502, "tls_certificate_error");
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
    check(&TLS, format!("https://{}", speaking_first("SSH-2.0-none\r\n")), "");
    if let Some((address, _program)) = untrusted() {
        check(&CERTIFICATE, format!("https://{address}"), "");
    }
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
        TLS,
        CERTIFICATE,
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

/// An address where somebody speaks before being spoken to, and not TLS.
fn speaking_first(text: &'static str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.write_all(text.as_bytes());
            let _ = stream.read(&mut [0; 1024]);
        }
    });
    address
}

/// An address where TLS is spoken with a certificate that nobody vouches for; `None`, said aloud, without openssl.
fn untrusted() -> Option<(String, Program)> {
    if !has("openssl") {
        return None;
    }
    let folder = scratch();
    let (key, certificate) = (folder.join("key.pem"), folder.join("certificate.pem"));
    let (key, certificate) = (key.to_str().unwrap(), certificate.to_str().unwrap());
    let kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"];
    let named =
        ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", certificate];
    let arguments: Vec<&str> = ["req", "-x509"].into_iter().chain(kind).chain(named).collect();
    run("openssl", &arguments);
    let mut program = Program(
        Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-key", key, "-cert", certificate])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap(),
    );
    let lines = BufReader::new(program.0.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut lines = lines.skip_while(|line| !line.starts_with("ACCEPT "));
    let address = lines.next().unwrap().trim_start_matches("ACCEPT ").to_owned();
    std::thread::spawn(move || lines.count());
    Some((address, program))
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
