//! What changes cost: ten thousand endpoints, a hundred changes of them a second, and what of a core that takes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(dead_code, reason = "the support module serves several test files")]

mod support;

use std::fmt::Write as _;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};
use support::Strait;

const ENDPOINTS: usize = 10_000;
/// In each second.
const CHANGES: u32 = 100;
const SECONDS: u32 = 10;

/// Answers every connection's requests.
fn origin() -> u16 {
    let listener = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            std::thread::spawn(move || {
                let (mut stream, mut piece) = (stream.unwrap(), [0; 4096]);
                while stream.read(&mut piece).is_ok_and(|octets| octets > 0) {
                    if stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").is_err() {
                        return;
                    }
                }
            });
        }
    });
    port
}

/// The n-th endpoint: all of them are this machine.
fn endpoint(number: usize, port: u16) -> String {
    format!("127.1.{}.{}:{port}", number / 250, number % 250 + 1)
}

fn ask(to: SocketAddr, request: &str) -> String {
    converse(TcpStream::connect(to).unwrap(), request)
}

fn converse(mut stream: impl Read + Write, request: &str) -> String {
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

/// Ticks of the CPU that a process has used: hundredths of a second.
fn ticks(process: u32) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(") ").next().unwrap().split(' ').collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

/// The share of a core that goes into a hundred turns of this a second, in percent.
fn cost(strait: &Strait, mut turn: impl FnMut(usize)) -> f64 {
    let (began, before) = (Instant::now(), ticks(strait.id()));
    for number in 0..CHANGES * SECONDS {
        turn(number as usize);
        let due = Duration::from_secs(1) / CHANGES * (number + 1);
        std::thread::sleep(due.saturating_sub(began.elapsed()));
    }
    (ticks(strait.id()) - before) as f64 / began.elapsed().as_secs_f64()
}

fn measure(upstreams: usize) {
    let port = origin();
    let mut text = String::from("routes:\n");
    (0..upstreams).for_each(|number| writeln!(text, "  /{number}/*: app{number}").unwrap());
    text.push_str("workers: 2\nupstreams:\n");
    let each = ENDPOINTS / upstreams;
    for number in 0..upstreams {
        let endpoints: Vec<String> = (number * each..(number + 1) * each).map(|one| endpoint(one, port)).collect();
        writeln!(text, "  app{number}: [\"{}\"]", endpoints.join("\", \"")).unwrap();
    }
    let Some(strait) = Strait::start(&text) else { return };
    let request = |number: usize| {
        let answer = ask(
            strait.address,
            &format!("GET /{}/ HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", number % upstreams),
        );
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    };
    let change = |number: usize, what: &str| {
        let one = number * 97 % ENDPOINTS;
        let path = format!("/upstreams/app{}/endpoints/{}?{what}", one / each, endpoint(one, port));
        let question = format!("PATCH {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n");
        let answer = converse(UnixStream::connect(strait.socket()).unwrap(), &question);
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    };
    let quiet = cost(&strait, request);
    let weighed = cost(&strait, |number| {
        change(number, &format!("weight={}", 1 + number % 5));
        request(number);
    });
    let drained = cost(&strait, |number| {
        change(number, &format!("drain={}", number % 2 == 0));
        request(number);
    });
    let before = ticks(strait.id());
    let (took, said) = strait.reload(&text.replace("workers: 2", "workers: 2\ndrain_timeout: 5s"));
    assert!(took, "{said}");
    let reload_ms = (ticks(strait.id()) - before) * 10;
    println!(
        "{ENDPOINTS} endpoints in {upstreams} upstreams, {CHANGES} requests a second: {quiet:.1} % of a core; and {CHANGES} weights \
         a second: {weighed:.1} %; and {CHANGES} drains: {drained:.1} %; one reload of the file: {reload_ms} ms of CPU"
    );
}

#[test]
#[ignore = "it measures, for a minute and a half, and asserts nothing about it"]
fn changes_of_ten_thousand_endpoints_are_measured() {
    measure(1);
    measure(1_000);
}
