//! Filters over the real process: what the origin and the client see, and what is written down.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[allow(dead_code, reason = "shared by several tests")]
mod support;

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use support::{Strait, get, whole};

/// An origin that answers with the head it was sent.
fn mirror_origin() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || mirror(stream));
        }
    });
    address
}

fn mirror(mut stream: TcpStream) {
    let lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let head: String = lines.take_while(|line| !line.is_empty()).map(|line| line + "\r\n").collect();
    let fields = "Server: odd\r\nSet-Cookie: sid=1; Path=/in\r\nConnection: close";
    let _ = write!(stream, "HTTP/1.1 200 OK\r\n{fields}\r\nContent-Length: {}\r\n\r\n{head}", head.len());
}

/// Sends octets on a connection of their own; the whole answer.
fn send(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    whole(stream)
}

fn serving(routes: &str) -> Strait {
    let text = format!("listeners: {{web: \"127.0.0.1:0\"}}\nadmin: \"off\"\nworkers: 2\n{routes}");
    Strait::run(&text.replace("ORIGIN", &mirror_origin().to_string()))
}

#[test]
fn the_origin_sees_what_filters_made_of_the_request() {
    let strait = serving(
        "routes:\n  /api/*:\n    to: ORIGIN\n    filters:\n      - strip_prefix: /api\n      - query: {set: {v: '1'}}\n      - set_headers: {X-Client-DN: ours, X-Real-IP: 192.0.2.9}\n      - remove_headers: {request: X-Gone, response: Server}\n      - cookies: {secure: true, path: {prefix: /in, with: /}}\n",
    );
    let answer = send(
        strait.ready(),
        "GET /api/a%20b?q=%2F HTTP/1.1\r\nHost: h\r\nX-Gone: 1\r\nX-Client-DN: theirs\r\nX-Real-IP: theirs\r\nConnection: close\r\n\r\n",
    );
    for part in [
        "GET /a%20b?q=%2F&v=1 HTTP/1.1\r\n",
        "X-Client-DN: ours\r\n",
        "X-Real-IP: 192.0.2.9\r\n",
        "X-Forwarded-Prefix: /api\r\n",
        "Set-Cookie: sid=1; Path=/; Secure\r\n",
    ] {
        assert!(answer.contains(part), "{part} in {answer}");
    }
    for part in ["theirs", "X-Gone", "Server: odd"] {
        assert!(!answer.contains(part), "{part} in {answer}");
    }
    // What was asked for is what is written down.
    strait.said("\"url.path\":\"/api/a%20b\",\"url.query\":\"q=%2F\"");
}

#[test]
fn a_filter_that_answers_is_named_in_the_record() {
    let strait = serving(
        "routes:\n  /up/*: {to: ORIGIN, filters: [set_headers: {response: {X-Seen: before}}, rewrite: {regex: \"^/up\", with: \"/..\"}, set_headers: {response: {X-Seen: after}}]}\n",
    );
    let answer = get(strait.ready(), "/up/x");
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.contains("\"code\":\"filter:rewrite\""), "{answer}");
    assert!(answer.contains("X-Seen: before") && !answer.contains("after"), "{answer}");
    strait.said("\"strait.end\":\"filter:rewrite\"");
}
