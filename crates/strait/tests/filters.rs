//! Filters over the real process: what the origin and the client see, and what is written down.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[allow(dead_code, reason = "shared by several tests")]
mod support;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
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
fn a_request_without_a_route_passes_what_all_pass() {
    let tail = "admin: \"off\"\nworkers: 1\nroutes: {'GET /in': {respond: in}}\n";
    let denies = "listeners: {web: {address: \"127.0.0.1:0\", filters: [ip_deny: 127.0.0.0/8]}}\n";
    let strait = Strait::run(&format!("{denies}{tail}"));
    let address = strait.ready();
    for path in ["/in", "/nowhere"] {
        let denied = get(address, path);
        assert!(denied.starts_with("HTTP/1.1 403 ") && denied.contains("\"code\":\"filter:ip_deny\""), "{denied}");
    }
    let adds = "listeners: {web: \"127.0.0.1:0\"}\ndefaults: {filters: [security_headers, error_pages: {404: ours}]}\n";
    let strait = Strait::run(&format!("{adds}{tail}"));
    let address = strait.ready();
    let missing = get(address, "/nowhere");
    assert!(
        missing.starts_with("HTTP/1.1 404 ") && missing.contains("X-Content-Type-Options: nosniff\r\n"),
        "{missing}"
    );
    assert!(missing.ends_with("\r\n\r\nours"), "{missing}");
    let wrong = send(address, "POST /in HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    assert!(wrong.starts_with("HTTP/1.1 405 ") && wrong.contains("Allow: GET") && wrong.contains("nosniff"), "{wrong}");
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

/// An answer's head and its body in octets, without the framing of chunks.
fn octets(address: SocketAddr, request: &str) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let at = answer.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let (head, mut rest) = (String::from_utf8(answer[..at].to_vec()).unwrap(), &answer[at..]);
    if !head.contains("Transfer-Encoding: chunked") {
        return (head, rest.to_vec());
    }
    let mut body = Vec::new();
    loop {
        let end = rest.windows(2).position(|window| window == b"\r\n").unwrap();
        let length = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
        if length == 0 {
            return (head, body);
        }
        body.extend_from_slice(&rest[end + 2..end + 2 + length]);
        rest = &rest[end + 4 + length..];
    }
}

#[test]
fn bodies_are_coded_for_clients_that_take_it() {
    let page = "all work and no play ".repeat(20_000);
    let sent = page.clone();
    let origin = support::origin_with(move |mut stream| {
        let fields = "Content-Type: text/plain\r\nETag: \"a\"\r\nConnection: close";
        let _ = write!(stream, "HTTP/1.1 200 OK\r\n{fields}\r\nContent-Length: {}\r\n\r\n{sent}", sent.len());
    });
    let own = "x".repeat(2000);
    let strait = serving(&format!(
        "routes:\n  /: {{to: \"{origin}\", filters: [compress]}}\n  /own: {{respond: {own}, filters: [compress: gzip]}}\n"
    ));
    let address = strait.ready();
    let request = |path: &str, version: &str, coding: &str| {
        format!("GET {path} HTTP/{version}\r\nHost: h\r\nAccept-Encoding: {coding}\r\nConnection: close\r\n\r\n")
    };
    let gunzipped = |body: &[u8]| {
        let mut text = String::new();
        flate2::read::GzDecoder::new(body).read_to_string(&mut text).unwrap();
        text
    };
    for version in ["1.1", "1.0"] {
        let (head, body) = octets(address, &request("/", version, "gzip"));
        assert!(head.contains("Content-Encoding: gzip\r\n") && head.contains("ETag: W/\"a\"\r\n"), "{head}");
        assert!(!head.contains("Content-Length") && head.contains("Vary: Accept-Encoding"), "{head}");
        assert!(body.len() < page.len() / 50 && gunzipped(&body) == page, "{} octets", body.len());
    }
    let (head, body) = octets(address, &request("/", "1.1", "identity"));
    assert!(head.contains("Content-Length: 420000\r\n") && body == page.as_bytes(), "{head}");
    let (head, body) = octets(address, &request("/own", "1.1", "gzip"));
    assert!(head.contains(&format!("Content-Length: {}\r\n", body.len())) && gunzipped(&body) == own, "{head}");
}

#[test]
fn events_are_flushed_as_they_come() {
    let (go_on, wait) = std::sync::mpsc::channel::<()>();
    let wait = std::sync::Arc::new(std::sync::Mutex::new(wait));
    let origin = support::origin_with(move |mut stream| {
        let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
        stream.write_all(format!("{head}b\r\ndata: one\n\n\r\n").as_bytes()).unwrap();
        wait.lock().unwrap().recv().unwrap();
        let _ = stream.write_all(b"0\r\n\r\n");
    });
    let strait = serving(&format!("routes:\n  /: {{to: \"{origin}\", filters: [compress]}}\n"));
    let mut stream = TcpStream::connect(strait.ready()).unwrap();
    stream.write_all(b"GET / HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n\r\n").unwrap();
    let mut decoder = flate2::write::GzDecoder::new(Vec::new());
    let mut answer = BufReader::new(&stream);
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        answer.read_line(&mut line).unwrap();
    }
    // The origin waits: whatever can be read of the event has been flushed.
    while !decoder.get_ref().ends_with(b"data: one\n\n") {
        let mut length = String::new();
        answer.read_line(&mut length).unwrap();
        let mut chunk = vec![0; usize::from_str_radix(length.trim(), 16).unwrap() + 2];
        answer.read_exact(&mut chunk).unwrap();
        decoder.write_all(&chunk[..chunk.len() - 2]).unwrap();
        decoder.flush().unwrap();
    }
    go_on.send(()).unwrap();
}
