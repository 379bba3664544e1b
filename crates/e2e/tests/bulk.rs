//! Bodies that the kernel moves past Strait from socket to socket arrive as they were sent, and only then count as whole.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]
#![allow(dead_code, reason = "the support module serves several test files")]

mod support;

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use support::Strait;

const LENGTH: usize = 3 << 20;

/// Octets in which every misplaced piece shows.
fn pattern() -> Vec<u8> {
    (0..LENGTH as u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect()
}

/// Reads up to the end of a head; returns it with the octets behind it.
fn read_head(stream: &mut TcpStream) -> Option<(String, Vec<u8>)> {
    let mut got = Vec::new();
    let mut piece = [0; 4096];
    loop {
        if let Some(end) = got.windows(4).position(|window| window == b"\r\n\r\n") {
            let behind = got.split_off(end + 4);
            return Some((String::from_utf8(got).unwrap(), behind));
        }
        match stream.read(&mut piece).ok()? {
            0 => return None,
            octets => got.extend_from_slice(&piece[..octets]),
        }
    }
}

fn read_body(stream: &mut TcpStream, mut begun: Vec<u8>, length: usize) -> Vec<u8> {
    let mut rest = vec![0; length - begun.len()];
    stream.read_exact(&mut rest).unwrap();
    begun.append(&mut rest);
    begun
}

/// An origin that answers GET with the pattern, `/cut` with half of it, and POST with whether it got the pattern.
fn origin() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            std::thread::spawn(move || while answer(&mut stream).is_some() {});
        }
    });
    address
}

fn answer(stream: &mut TcpStream) -> Option<()> {
    let (head, behind) = read_head(stream)?;
    if head.starts_with("POST") {
        let same = read_body(stream, behind, LENGTH) == pattern();
        return write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n{same:5}").ok();
    }
    write!(stream, "HTTP/1.1 200 OK\r\nContent-Length: {LENGTH}\r\n\r\n").ok()?;
    let body = pattern();
    if head.starts_with("GET /cut") {
        stream.write_all(&body[..LENGTH / 2]).ok()?;
        return None;
    }
    stream.write_all(&body).ok()
}

fn start() -> Option<Strait> {
    Strait::start(&format!("workers: 1\nroutes: {{/: app}}\nupstreams: {{app: {{endpoints: [\"{}\"]}}}}\n", origin()))
}

#[test]
fn large_bodies_arrive_whole_both_ways_again_and_again() {
    let Some(strait) = start() else { return };
    let mut client = TcpStream::connect(strait.address).unwrap();
    for _ in 0..2 {
        write!(client, "GET / HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
        let (head, behind) = read_head(&mut client).unwrap();
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        assert!(read_body(&mut client, behind, LENGTH) == pattern());
        write!(client, "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {LENGTH}\r\n\r\n").unwrap();
        client.write_all(&pattern()).unwrap();
        let (_, behind) = read_head(&mut client).unwrap();
        assert_eq!(read_body(&mut client, behind, 5), b"true ");
    }
    assert_eq!(strait.metric("strait_worker_upstream_connections_opened_total"), 1, "one connection serves all");
}

#[test]
fn a_body_that_is_cut_is_seen_as_cut() {
    let Some(strait) = start() else { return };
    let mut client = TcpStream::connect(strait.address).unwrap();
    write!(client, "GET /cut HTTP/1.1\r\nHost: a\r\n\r\n").unwrap();
    let (_, mut got) = read_head(&mut client).unwrap();
    // The connection ends, by an end or a reset, before the length that was announced.
    let _ = client.read_to_end(&mut got);
    assert!(got.len() <= LENGTH / 2);
    assert!(pattern().starts_with(&got));
}
