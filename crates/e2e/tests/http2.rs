//! HTTP/2 with clients: real ones, and one that says frame by frame what it likes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(clippy::string_slice, reason = "tests")]
#![allow(dead_code, reason = "the support module serves several test files")]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::Command;
use support::{Strait, has, run};

/// An origin of HTTP/1.1: `/n/N` is N octets, `/chunked` ends with trailers, `/head` is the head that came, and a POST
/// is answered with how much came and what the last octet was. `/hold` is answered once it is told to.
fn origin() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || answer_all(stream));
        }
    });
    address
}

fn answer_all(mut stream: TcpStream) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            if reader.read_line(&mut head).ok()? == 0 {
                return None;
            }
        }
        let path = head.split(' ').nth(1)?.to_owned();
        let mut body = read_body(&head, &mut reader)?;
        if let Some(count) = path.strip_prefix("/n/") {
            body = vec![b'x'; count.parse().unwrap()];
        } else if path.starts_with("/head") {
            body = head.into_bytes();
        } else if path == "/chunked" {
            let answer = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\nX-Sum: 5\r\n\r\n";
            stream.write_all(answer.as_bytes()).ok()?;
            continue;
        } else {
            body = format!("{} {:?}", body.len(), body.last().map(|&last| last as char)).into_bytes();
        }
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all(&[head.into_bytes(), body].concat()).ok()?;
    }
}

fn read_body(head: &str, reader: &mut impl BufRead) -> Option<Vec<u8>> {
    let lower = head.to_ascii_lowercase();
    let mut body = Vec::new();
    if let Some((_, rest)) = lower.split_once("content-length: ") {
        body.resize(rest.split("\r\n").next()?.parse().ok()?, 0);
        reader.read_exact(&mut body).ok()?;
    } else if lower.contains("transfer-encoding: chunked") {
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let mut chunk = vec![0; usize::from_str_radix(line.trim(), 16).ok()? + 2];
            if chunk.len() == 2 {
                // Trailers, if any, up to the empty line.
                while line != "\r\n" {
                    line.clear();
                    reader.read_line(&mut line).ok()?;
                }
                return Some(body);
            }
            reader.read_exact(&mut chunk).ok()?;
            body.extend_from_slice(&chunk[..chunk.len() - 2]);
        }
    }
    Some(body)
}

fn start(listener: &str) -> Option<Strait> {
    Strait::start_as_it_is(&format!(
        "listeners: {{web: {{address: 127.0.0.1:0{listener}}}}}\ntelemetry: {{access_log: {{format: off}}}}\nroutes: {{/: '{}'}}\n",
        origin()
    ))
}

const SHOW: [&str; 4] = ["-s", "-w", " %{http_version} %{http_code}", "--http2-prior-knowledge"];

fn curl(strait: &Strait, path: &str, more: &[&str]) -> String {
    let url = strait.url(path);
    run("curl", &[&SHOW[..], more, &[&url]].concat())
}

/// Waits until a metric has a value.
#[track_caller]
fn eventually(strait: &Strait, metric: &str, value: u64) {
    let mut seen = Vec::new();
    while seen.len() < 500 {
        match strait.metric(metric) {
            now if now == value => return,
            now => seen.push(now),
        }
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    panic!("{metric} was {seen:?}, never {value}");
}

#[test]
fn curl_gets_and_sends_what_an_origin_of_http1_has() {
    let Some(strait) = start("").filter(|_| has("curl")) else { return };
    assert_eq!(curl(&strait, "/", &[]), "0 None 2 200");
    assert_eq!(curl(&strait, "/n/3000000", &["-o", "/dev/null"]), " 2 200");
    let head = curl(&strait, "/head", &["-H", "Cookie: a=1", "-H", "TE: trailers"]);
    assert!(head.contains("X-Forwarded-Proto: http\r\n") && head.contains("Via: 2 strait\r\n"), "{head}");
    assert!(head.to_ascii_lowercase().contains(&format!("host: {}", strait.address)), "{head}");
    let folder = support::scratch();
    let file = folder.join("body");
    std::fs::write(&file, vec![b'q'; 2_000_000]).unwrap();
    let data = format!("@{}", file.display());
    assert_eq!(curl(&strait, "/", &["--data-binary", &data]), "2000000 Some('q') 2 200");
    let unannounced = curl(&strait, "/", &["--data-binary", &data, "-H", "Content-Length:"]);
    assert_eq!(unannounced, "2000000 Some('q') 2 200");
    assert!(curl(&strait, "/n/77", &["-I"]).contains("content-length: 77\r\n"));
}

#[test]
fn trailers_of_http1_arrive() {
    let Some(strait) = start("").filter(|_| has("nghttp")) else { return };
    let said = run("nghttp", &["-v", "--no-dep", &strait.url("/chunked")]);
    assert!(said.contains("x-sum: 5"), "{said}");
}

#[test]
fn many_streams_of_many_connections_are_served() {
    let Some(strait) = start("").filter(|_| has("h2load")) else { return };
    let said = run("h2load", &["-n", "6000", "-c", "12", "-m", "60", &strait.url("/n/900")]);
    assert!(said.contains("6000 succeeded, 0 failed, 0 errored"), "{said}");
    eventually(&strait, "strait_http2_streams_total", 6000);
}

#[test]
fn alpn_chooses_it_and_off_is_off() {
    let Some(strait) = start(", tls: {}").filter(|_| has("curl")) else { return };
    let version = |strait: &Strait, more: &[&str]| {
        let url = format!("https://{}/n/300000", strait.address);
        run("curl", &[&["-sk", "-o", "/dev/null", "-w", "%{http_version} %{size_download}"], more, &[&url]].concat())
    };
    assert_eq!(version(&strait, &["--http2"]), "2 300000");
    assert_eq!(version(&strait, &["--http1.1"]), "1.1 300000");
    let Some(strait) = start(", tls: {}, http2: off") else { return };
    assert_eq!(version(&strait, &["--http2"]), "1.1 300000");
    let Some(strait) = start(", http2: off") else { return };
    let mut peer = TcpStream::connect(strait.address).unwrap();
    peer.write_all(PREFACE).unwrap();
    let mut answer = String::new();
    peer.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 505"), "{answer}");
}

#[test]
fn an_offer_to_upgrade_is_neither_taken_nor_passed_on() {
    let Some(strait) = start("").filter(|_| has("curl")) else { return };
    let said = run("curl", &["-s", "-w", " %{http_version} %{http_code}", "--http2", &strait.url("/head")]);
    assert!(said.ends_with(" 1.1 200"), "{said}");
    let lower = said.to_ascii_lowercase();
    assert!(!lower.contains("upgrade") && !lower.contains("http2-settings") && !lower.contains("h2c"), "{said}");
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const PING: u8 = 6;
const GOAWAY: u8 = 7;
const WINDOW_UPDATE: u8 = 8;

/// A client that says frame by frame what it likes.
struct Raw(TcpStream);

#[derive(Debug)]
struct Frame {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

impl Frame {
    fn code(&self) -> u32 {
        let at = if self.kind == GOAWAY { 4 } else { 0 };
        u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap())
    }
}

impl Raw {
    fn open(strait: &Strait, settings: &[u8]) -> Self {
        let mut raw = Self(TcpStream::connect(strait.address).unwrap());
        raw.0.write_all(PREFACE).unwrap();
        raw.send(SETTINGS, 0, 0, settings);
        raw
    }

    fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        // The peer may have closed: what it said is looked at.
        let _ = self.0.write_all(&frame(kind, flags, stream, payload));
    }

    fn ask(&mut self, stream: u32, path: &str) {
        self.send(HEADERS, 5, stream, &head(path));
    }

    fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).ok()?;
        let mut payload = vec![0; usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2])];
        self.0.read_exact(&mut payload).ok()?;
        let stream = u32::from_be_bytes(head[5..].try_into().unwrap());
        Some(Frame { kind: head[3], flags: head[4], stream, payload })
    }

    fn until(&mut self, wanted: impl Fn(&Frame) -> bool) -> Frame {
        let mut seen = Vec::new();
        while let Some(frame) = self.next() {
            if wanted(&frame) {
                return frame;
            }
            seen.push((frame.kind, frame.flags, frame.stream, frame.payload.len()));
        }
        panic!("the connection ended after {seen:?}");
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = (payload.len() as u32).to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A field that is not put into the table.
fn field(name: &str, value: &str) -> Vec<u8> {
    [&[0, name.len() as u8], name.as_bytes(), &[value.len() as u8], value.as_bytes()].concat()
}

fn head(path: &str) -> Vec<u8> {
    [&[0x82, 0x86][..], &field(":path", path), &field(":authority", "a.test")].concat()
}

#[test]
fn a_flood_without_progress_ends_the_connection_and_is_counted() {
    let Some(strait) = start("") else { return };
    let floods: [fn(u32) -> Vec<u8>; 4] = [
        |_| frame(PING, 0, 0, &[0; 8]),
        |_| frame(SETTINGS, 0, 0, &[]),
        |_| frame(WINDOW_UPDATE, 0, 0, &[0, 0, 0, 1]),
        // Rapid reset (CVE-2023-44487).
        |n| [frame(HEADERS, 5, 2 * n + 1, &head("/n/9")), frame(RST_STREAM, 0, 2 * n + 1, &[0, 0, 0, 8])].concat(),
    ];
    for flood in floods {
        let mut raw = Raw::open(&strait, &[]);
        let octets: Vec<u8> = (0..2_000).flat_map(flood).collect();
        let mut writer = raw.0.try_clone().unwrap();
        let writing = std::thread::spawn(move || writer.write_all(&octets));
        assert_eq!(raw.until(|frame| frame.kind == GOAWAY).code(), 11, "ENHANCE_YOUR_CALM");
        drop(raw);
        let _ = writing.join();
    }
    eventually(&strait, "strait_http2_connections_ended_total", 4);
    eventually(&strait, "strait_http2_streams_open", 0);
}

#[test]
fn a_malformed_request_ends_its_stream_and_no_other() {
    let Some(strait) = start("") else { return };
    let mut raw = Raw::open(&strait, &[]);
    raw.send(HEADERS, 5, 1, &[head("/"), field("Upper", "case")].concat());
    raw.send(HEADERS, 5, 3, &[head("/"), field("connection", "close")].concat());
    raw.ask(5, "/n/5");
    for stream in [1, 3] {
        let reset = raw.until(|frame| frame.kind == RST_STREAM);
        assert_eq!((reset.stream, reset.code()), (stream, 1), "PROTOCOL_ERROR");
    }
    assert_eq!(raw.until(|frame| frame.kind == DATA && frame.stream == 5).payload, b"xxxxx");
}

#[test]
fn a_head_over_the_limit_is_answered() {
    let Some(strait) = start(", limits: {header_count: 5}") else { return };
    let mut raw = Raw::open(&strait, &[]);
    let many = (0..9).flat_map(|n| field(&format!("x-{n}"), "1"));
    raw.send(HEADERS, 5, 1, &head("/").into_iter().chain(many).collect::<Vec<_>>());
    let answer = raw.until(|frame| frame.kind == HEADERS);
    // ":status: 431", its value by the name's place in the table.
    assert!(answer.payload.windows(3).any(|text| text == b"431") || answer.payload[..2] != [0x88, 0], "{answer:?}");
    assert!(!answer.payload.starts_with(&[0x88]), "{answer:?}");
    raw.ask(3, "/n/1");
    assert_eq!(raw.until(|frame| frame.kind == DATA && frame.stream == 3).payload, b"x");
}

#[test]
fn more_streams_than_the_limit_are_refused() {
    let Some(strait) = start(", http2: {streams: 2}") else { return };
    let mut raw = Raw::open(&strait, &[]);
    // Bodies that do not come keep them open.
    for stream in [1, 3, 5] {
        raw.send(HEADERS, 4, stream, &[&[0x83, 0x86][..], &field(":path", "/"), &field(":authority", "a")].concat());
    }
    let reset = raw.until(|frame| frame.kind == RST_STREAM);
    assert_eq!((reset.stream, reset.code()), (5, 7), "REFUSED_STREAM");
    raw.send(DATA, 1, 1, b"yes");
    assert_eq!(raw.until(|frame| frame.kind == DATA && frame.stream == 1).payload, b"3 Some('s')");
    raw.ask(7, "/n/1");
    assert_eq!(raw.until(|frame| frame.kind == DATA && frame.stream == 7).payload, b"x");
}

#[test]
fn a_window_that_never_opens_ends_its_stream() {
    let Some(strait) = start(", limits: {body_rate_window: 1s}") else { return };
    // SETTINGS_INITIAL_WINDOW_SIZE 0
    let mut raw = Raw::open(&strait, &[0, 4, 0, 0, 0, 0]);
    raw.ask(1, "/n/4000000");
    let reset = raw.until(|frame| frame.kind == RST_STREAM);
    assert_eq!(reset.stream, 1);
    raw.send(PING, 0, 0, b"still on");
    assert_eq!(raw.until(|frame| frame.kind == PING && frame.flags == 1).payload, b"still on");
    eventually(&strait, "strait_http2_streams_open", 0);
}

#[test]
fn windows_pace_a_body_and_all_of_it_arrives() {
    let Some(strait) = start("") else { return };
    let mut raw = Raw::open(&strait, &[0, 4, 0, 0, 0x10, 0]);
    raw.ask(1, "/n/300000");
    let mut octets = 0;
    loop {
        let data = raw.until(|frame| frame.kind == DATA);
        octets += data.payload.len();
        if data.flags & 1 == 1 {
            break;
        }
        let more = (data.payload.len() as u32).to_be_bytes();
        if !data.payload.is_empty() {
            raw.send(WINDOW_UPDATE, 0, 0, &more);
            raw.send(WINDOW_UPDATE, 0, 1, &more);
        }
    }
    assert_eq!(octets, 300_000);
}

#[test]
fn a_drain_lets_streams_end_and_says_goaway_twice() {
    let Some(strait) = start("") else { return };
    let mut raw = Raw::open(&strait, &[]);
    raw.send(HEADERS, 4, 1, &[&[0x83, 0x86][..], &field(":path", "/"), &field(":authority", "a")].concat());
    // The stream is known to be there once a later PING is answered.
    raw.send(PING, 0, 0, &[1; 8]);
    raw.until(|frame| frame.kind == PING && frame.flags == 1);
    let killed = Command::new("kill").args(["-TERM", &strait.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let first = raw.until(|frame| frame.kind == GOAWAY);
    assert_eq!((&first.payload[..4], first.code()), (&[0x7f, 0xff, 0xff, 0xff][..], 0));
    let ping = raw.until(|frame| frame.kind == PING && frame.flags == 0);
    // A request that was on its way is served still.
    raw.ask(3, "/n/2");
    raw.send(PING, 1, 0, &ping.payload);
    raw.send(DATA, 1, 1, b"late");
    let rest: Vec<Frame> = std::iter::from_fn(|| raw.next()).collect();
    let last = rest.iter().find(|frame| frame.kind == GOAWAY).expect("a second GOAWAY");
    assert_eq!((&last.payload[..4], last.code()), (&[0, 0, 0, 3][..], 0));
    let mut ended: Vec<u32> = rest.iter().filter(|f| f.kind == DATA && f.flags & 1 == 1).map(|f| f.stream).collect();
    ended.sort_unstable();
    assert_eq!(ended, [1, 3], "both whole, then the end");
}
