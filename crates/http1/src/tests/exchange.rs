//! What becomes of a connection, by the order in which the two directions end.

use super::drive::{Asked, send_request};
use crate::{Client, Limits, Misdeed, OutgoingHead, Persistence, Server};
use strait_message::{BodyLength, Headers, Method, NameSet, RequestHead, ResponseHead, Status};

const PUT: &[u8] = b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n";
const CHUNKED: &[u8] = b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

fn server_after(head: &[u8]) -> Server {
    let mut server = Server::new();
    server.recv(head, &mut RequestHead::default(), &Limits::default()).unwrap();
    server
}

fn recv_body(server: &mut Server, input: &[u8]) -> Result<(), Misdeed> {
    let mut at = 0;
    while at < input.len() {
        at += server.recv_body(&input[at..], &mut Headers::new(), &Limits::default())?.consumed;
    }
    Ok(())
}

fn answer(server: &mut Server, length: BodyLength, body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    server.send_head(&ResponseHead::new(Status::OK), length, b"", &mut out);
    server.send_data(body, &mut out).unwrap();
    let _short = server.send_end(None, &mut out);
    out
}

#[test]
fn a_connection_lasts_when_both_directions_are_complete() {
    let mut server = server_after(PUT);
    recv_body(&mut server, b"hi").unwrap();
    answer(&mut server, BodyLength::Fixed(1), b"x");
    assert_eq!(server.finish(), Persistence::KeepAlive);
    // In the other order: the response is complete before the request is.
    let mut server = server_after(PUT);
    answer(&mut server, BodyLength::Fixed(1), b"x");
    recv_body(&mut server, b"hi").unwrap();
    assert_eq!(server.finish(), Persistence::KeepAlive);
}

#[test]
fn an_early_response_to_an_unfinished_request_ends_the_connection() {
    let mut server = server_after(PUT);
    recv_body(&mut server, b"h").unwrap();
    answer(&mut server, BodyLength::Fixed(1), b"x");
    assert_eq!(server.finish(), Persistence::Close);
}

#[test]
fn a_short_or_missing_response_ends_the_connection() {
    let mut server = server_after(PUT);
    recv_body(&mut server, b"hi").unwrap();
    answer(&mut server, BodyLength::Fixed(2), b"x");
    assert_eq!(server.finish(), Persistence::Close);
    let mut server = server_after(PUT);
    recv_body(&mut server, b"hi").unwrap();
    assert_eq!(server.finish(), Persistence::Close);
}

#[test]
fn a_request_that_was_cut_never_counts_as_complete() {
    let mut server = server_after(PUT);
    assert_eq!(server.recv_eof(), Err(Misdeed::Truncated));
    assert!(!server.request_is_done());
    answer(&mut server, BodyLength::Fixed(0), b"");
    assert_eq!(server.finish(), Persistence::Close);
}

#[test]
fn an_answer_after_a_broken_body_says_that_it_is_the_last() {
    let mut server = server_after(CHUNKED);
    assert_eq!(recv_body(&mut server, b"x"), Err(Misdeed::BadChunkSize));
    let out = answer(&mut server, BodyLength::Fixed(0), b"");
    assert_eq!(out, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    assert_eq!(server.finish(), Persistence::Close);
}

#[test]
fn a_response_says_close_when_the_connection_is_to_end() {
    let mut server = server_after(PUT);
    recv_body(&mut server, b"hi").unwrap();
    server.close_after_response();
    let out = answer(&mut server, BodyLength::Fixed(0), b"");
    assert_eq!(out, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    assert_eq!(server.finish(), Persistence::Close);
}

/// Whether a connection to an origin may be used again after a PUT of two octets of which `sent` were, and `response`.
fn reused(sent: &[u8], response: &[u8], unread: usize) -> bool {
    let (limits, mut out) = (Limits::default(), Vec::new());
    let head = RequestHead::new(Method::Put);
    let mut client = Client::new();
    let request = OutgoingHead {
        head: &head,
        target: b"/",
        host: b"a",
        skip: NameSet::EMPTY,
        extra: b"",
        length: BodyLength::Fixed(2),
        websocket: false,
    };
    client.send_head(&request, &mut out);
    client.send_data(sent, &mut out).unwrap();
    let _short = client.send_end(None, &mut out);
    let received = client.recv(response, &mut ResponseHead::default(), &limits).unwrap();
    client.recv_body(&response[received.consumed..], &mut Headers::new(), &limits).unwrap();
    client.finish(unread)
}

#[test]
fn a_connection_to_an_origin_is_used_again_only_after_a_whole_exchange() {
    let whole = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx";
    assert!(reused(b"hi", whole, 0));
    assert!(!reused(b"hi", whole, 1), "octets stand behind the response");
    assert!(!reused(b"h", whole, 0), "the request was not complete");
    assert!(!reused(b"hi", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nx", 0), "the response was not complete");
}

#[test]
fn a_response_that_was_cut_never_counts_as_complete() {
    let mut client = Client::new();
    send_request(&mut client, Asked::Get, &mut Vec::new());
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n";
    client.recv(head, &mut ResponseHead::default(), &Limits::default()).unwrap();
    assert_eq!(client.recv_eof(), Err(Misdeed::Truncated));
    assert!(!client.response_is_done());
    assert!(!client.finish(0));
}

#[test]
fn whether_a_response_has_begun_decides_about_another_attempt() {
    let begun = |input: &[u8]| {
        let mut client = Client::new();
        send_request(&mut client, Asked::Get, &mut Vec::new());
        client.recv(input, &mut ResponseHead::default(), &Limits::default()).unwrap();
        client.response_has_begun()
    };
    assert!(!begun(b""));
    assert!(begun(b"H"));
    assert!(begun(b"HTTP/1.1 100 Continue\r\n\r\n"));
    assert!(begun(b"HTTP/1.1 200 OK\r\n"));
    assert!(!Client::new().response_has_begun());
}
