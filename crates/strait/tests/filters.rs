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

#[test]
fn addresses_preflights_and_foreign_changes_are_judged() {
    let strait = serving(
        "routes:\n  /deny: {to: ORIGIN, filters: [ip_deny: [127.0.0.0/8, '::1/128']]}\n  /allow: {to: ORIGIN, filters: [ip_allow: 127.0.0.1]}\n  /cors: {to: ORIGIN, filters: [cors: https://a.example]}\n  /csrf: {to: ORIGIN, filters: [csrf]}\n",
    );
    let address = strait.ready();
    let denied = get(address, "/deny");
    assert!(denied.starts_with("HTTP/1.1 403 ") && denied.contains("\"code\":\"filter:ip_deny\""), "{denied}");
    assert!(get(address, "/allow").starts_with("HTTP/1.1 200 "));
    let preflight = "OPTIONS /cors HTTP/1.1\r\nHost: h\r\nOrigin: https://a.example\r\nAccess-Control-Request-Method: PUT\r\nConnection: close\r\n\r\n";
    let answer = send(address, preflight);
    assert!(
        answer.starts_with("HTTP/1.1 204 ") && answer.contains("Access-Control-Allow-Origin: https://a.example\r\n"),
        "{answer}"
    );
    let foreign = "POST /csrf HTTP/1.1\r\nHost: h\r\nOrigin: https://evil.example\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";
    assert!(send(address, foreign).starts_with("HTTP/1.1 403 "));
    strait.said("\"strait.end\":\"filter:ip_deny\"");
}

#[test]
fn a_limit_is_one_for_all_workers_and_survives_a_reload() {
    let routes = "routes:\n  /: {to: ORIGIN, filters: [rate_limit: {rate: 5/d, burst: 4}]}\n";
    let origin = mirror_origin().to_string();
    let text = |more: &str| {
        format!("listeners: {{web: \"127.0.0.1:0\"}}\nadmin: \"off\"\nworkers: 2\n{routes}{more}")
            .replace("ORIGIN", &origin)
    };
    let strait = Strait::run(&text(""));
    let address = strait.ready();
    let answers: Vec<String> = (0..20).map(|_| get(address, "/")).collect();
    let allowed = answers.iter().filter(|answer| answer.starts_with("HTTP/1.1 200 ")).count();
    assert_eq!(allowed, 5, "{answers:?}");
    let refusal = answers.last().unwrap();
    assert!(refusal.starts_with("HTTP/1.1 429 ") && refusal.contains("Retry-After: 17"), "{refusal}");
    assert!(refusal.contains("RateLimit: \"default\";r=0;t=17"), "{refusal}");
    strait.write(&text("  /new: {respond: new}\n"));
    strait.signal("HUP");
    strait.said("/new");
    assert!(get(address, "/").starts_with("HTTP/1.1 429 "), "counts survive");
}

#[test]
fn pages_limits_and_ids_hold_on_the_way_back() {
    let strait = serving(
        "routes:\n  /page: {to: ORIGIN, filters: [error_pages: {'200': {body: 'ours', status: 203}}]}\n  /own: {respond: {status: 503, body: theirs}, filters: [error_pages: {5xx: ours}]}\n  /small: {to: ORIGIN, filters: [body_limit: {request: 8B, response: 8B}]}\n  /id: {to: ORIGIN, filters: [request_id]}\n  /late: {respond: late, filters: [fault: {delay: 50ms}]}\n",
    );
    let address = strait.ready();
    let page = get(address, "/page");
    assert!(page.starts_with("HTTP/1.1 203 ") && page.ends_with("\r\n\r\nours"), "{page}");
    assert!(get(address, "/own").ends_with("\r\n\r\nours"));
    let post = |length: &str, body: &str| {
        format!("POST /small HTTP/1.1\r\nHost: h\r\nConnection: close\r\n{length}\r\n\r\n{body}")
    };
    assert!(send(address, &post("Content-Length: 9", "123456789")).starts_with("HTTP/1.1 413 "));
    assert!(
        send(address, &post("Content-Length: 8", "12345678")).starts_with("HTTP/1.1 502 "),
        "the mirrored head is larger"
    );
    let id = "018bcfe5-6800-7000-8000-0123456789ab";
    let answer =
        send(address, &format!("GET /id HTTP/1.1\r\nHost: h\r\nX-Request-Id: {id}\r\nConnection: close\r\n\r\n"));
    assert_eq!(answer.matches(&format!("X-Request-Id: {id}")).count(), 2, "there and back: {answer}");
    assert!(get(address, "/late").ends_with("late"));
    strait.said(id);
}
