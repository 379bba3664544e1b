//! What goes on the wire, octet by octet, and what the engine refuses to send.

use super::Case;
use super::drive::{Asked, send_request};
use crate::{Client, Encoder, Event, Limits, Misdeed, OutgoingHead, Server};
use strait_message::{BodyLength, Headers, Name, NameSet, RequestHead, ResponseHead, Status};

/// Refusals of the sending side, for the count of misdeeds; tested below.
pub(super) const REFUSED: &[Case] =
    &[("more than announced", "!BodyTooLong"), ("less than announced", "!BodyTooShort")];

/// A head received from a client, as the exchange hands it on.
fn received(input: &str) -> RequestHead {
    let mut head = RequestHead::default();
    Server::new().recv(input.as_bytes(), &mut head, &Limits::default()).unwrap();
    head
}

fn forward(head: &RequestHead, change: impl FnOnce(&mut OutgoingHead<'_>)) -> String {
    let mut request = OutgoingHead {
        head,
        target: b"/t",
        host: b"h",
        skip: NameSet::EMPTY,
        extra: b"",
        length: BodyLength::None,
        websocket: false,
    };
    change(&mut request);
    let mut out = Vec::new();
    Client::new().send_head(&request, &mut out);
    String::from_utf8(out).unwrap()
}

#[test]
fn a_request_leaves_with_its_own_framing_and_without_the_fields_of_the_hop() {
    let head = received(
        "POST http://a/x HTTP/1.1\r\nHost: a\r\nX-A:1\r\nConnection: keep-alive, x-b\r\nX-B: 1\r\nKeep-Alive: 5\r\n\
         Proxy-Connection: x\r\nTE: trailers, gzip\r\nTrailer: X\r\nTransfer-Encoding: chunked\r\nUpgrade: h2c\r\n\
         HTTP2-Settings: x\r\nProxy-Authorization: x\r\nx-c:  2 \r\n\r\n",
    );
    assert_eq!(
        forward(&head, |request| request.length = BodyLength::Unknown),
        "POST /t HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nConnection: TE\r\nTE: trailers\r\nX-A: 1\r\nx-c: 2\r\n\r\n"
    );
}

#[test]
fn the_length_of_a_request_is_stated_in_one_way() {
    let head = received("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 07\r\n\r\n");
    let with = |length| forward(&head, |request| request.length = length);
    assert_eq!(with(BodyLength::Fixed(7)), "PUT /t HTTP/1.1\r\nHost: h\r\nContent-Length: 7\r\n\r\n");
    assert_eq!(with(BodyLength::Fixed(0)), "PUT /t HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(with(BodyLength::None), "PUT /t HTTP/1.1\r\nHost: h\r\n\r\n");
    // No request lasts until the connection closes.
    assert_eq!(with(BodyLength::UntilClose), with(BodyLength::Unknown));
}

#[test]
fn fields_are_left_out_and_added_as_asked() {
    let head = received("GET / HTTP/1.1\r\nHost: a\r\nCookie: c\r\nX-Forwarded-For: b\r\nAccept: d\r\n\r\n");
    let sent = forward(&head, |request| {
        request.skip = NameSet::of(&[Name::Cookie, Name::XForwardedFor]);
        request.extra = b"Via: 1.1 x\r\n";
    });
    assert_eq!(sent, "GET /t HTTP/1.1\r\nHost: h\r\nAccept: d\r\nVia: 1.1 x\r\n\r\n");
}

#[test]
fn a_websocket_is_asked_for_and_granted() {
    let mut out = Vec::new();
    send_request(&mut Client::new(), Asked::Websocket, &mut out);
    assert_eq!(out, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n");
    let mut server = Server::new();
    let mut granted = ResponseHead::new(Status::SWITCHING_PROTOCOLS);
    granted.headers.push(b"Sec-WebSocket-Accept", b"x");
    granted.headers.push(b"Upgrade", b"websocket");
    let mut out = Vec::new();
    server.send_switch(&granted, b"Via: 1.1 x\r\n", &mut out);
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\nVia: 1.1 x\r\n\r\n"
    );
    assert!(server.is_closing() && server.response_has_begun());
}

/// What a server answers to a request with this head, and with these arguments.
fn answer(request: &str, status: Status, length: BodyLength) -> String {
    let mut server = Server::new();
    let _refused = server.recv(request.as_bytes(), &mut RequestHead::default(), &Limits::default());
    let mut head = ResponseHead::new(status);
    head.headers.push(b"X-A", b"1");
    head.headers.push(b"Content-Length", b"99");
    head.headers.push(b"Transfer-Encoding", b"gzip");
    head.headers.push(b"Connection", b"x");
    let mut out = Vec::new();
    server.send_head(&head, length, b"", &mut out);
    let text = String::from_utf8(out).unwrap();
    let text = text.strip_suffix("X-A: 1\r\n\r\n").unwrap().replace("\r\n", "|");
    format!("{text} {:?}", server.encoder_mut())
}

#[test]
fn a_response_is_framed_by_method_status_and_version() {
    const GET: &str = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    const HEAD: &str = "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n";
    const OLD: &str = "GET / HTTP/1.0\r\n\r\n";
    const OLD_HEAD: &str = "HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    const OLD_KEEP: &str = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    const CLOSE: &str = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    use BodyLength::{Fixed, None, Unknown, UntilClose};
    for (request, status, length, expected) in [
        (GET, Status::OK, Fixed(2), "HTTP/1.1 200 OK|Content-Length: 2| Fixed { left: 2 }"),
        (GET, Status::OK, Fixed(0), "HTTP/1.1 200 OK|Content-Length: 0| Done"),
        (GET, Status::OK, None, "HTTP/1.1 200 OK|Content-Length: 0| Done"),
        (GET, Status::OK, Unknown, "HTTP/1.1 200 OK|Transfer-Encoding: chunked| Chunked"),
        (GET, Status::OK, UntilClose, "HTTP/1.1 200 OK|Transfer-Encoding: chunked| Chunked"),
        (GET, Status::NO_CONTENT, Fixed(2), "HTTP/1.1 204 No Content| Done"),
        (GET, Status::NO_CONTENT, Unknown, "HTTP/1.1 204 No Content| Done"),
        (GET, Status::NOT_MODIFIED, Fixed(2), "HTTP/1.1 304 Not Modified|Content-Length: 2| Done"),
        (GET, Status::NOT_MODIFIED, Unknown, "HTTP/1.1 304 Not Modified| Done"),
        (GET, Status::NOT_MODIFIED, None, "HTTP/1.1 304 Not Modified| Done"),
        (HEAD, Status::OK, Fixed(2), "HTTP/1.1 200 OK|Content-Length: 2| Done"),
        (HEAD, Status::OK, Unknown, "HTTP/1.1 200 OK|Transfer-Encoding: chunked| Done"),
        (HEAD, Status::OK, None, "HTTP/1.1 200 OK| Done"),
        (OLD, Status::OK, Fixed(2), "HTTP/1.1 200 OK|Content-Length: 2| Fixed { left: 2 }"),
        (OLD, Status::OK, Unknown, "HTTP/1.1 200 OK| UntilClose"),
        (OLD_KEEP, Status::OK, Fixed(2), "HTTP/1.1 200 OK|Content-Length: 2|Connection: keep-alive| Fixed { left: 2 }"),
        (OLD_KEEP, Status::OK, Unknown, "HTTP/1.1 200 OK| UntilClose"),
        (OLD_HEAD, Status::OK, Unknown, "HTTP/1.1 200 OK|Connection: keep-alive| Done"),
        (CLOSE, Status::OK, Fixed(2), "HTTP/1.1 200 OK|Content-Length: 2|Connection: close| Fixed { left: 2 }"),
        // Refused heads, and one that never came.
        (
            "GET / HTTP/1.1\r\n\r\n",
            Status::BAD_REQUEST,
            Fixed(2),
            "HTTP/1.1 400 Bad Request|Content-Length: 2|Connection: close| Fixed { left: 2 }",
        ),
        (
            "HEAD / HTTP/1.1\r\n\r\n",
            Status::BAD_REQUEST,
            Fixed(2),
            "HTTP/1.1 400 Bad Request|Content-Length: 2|Connection: close| Done",
        ),
        (
            "",
            Status::REQUEST_TIMEOUT,
            Fixed(0),
            "HTTP/1.1 408 Request Timeout|Content-Length: 0|Connection: close| Done",
        ),
    ] {
        assert_eq!(answer(request, status, length), expected, "{status:?} {length:?} to {request:?}");
    }
    assert!(
        answer(GET, Status::new(299).unwrap(), None).starts_with("HTTP/1.1 299 |"),
        "an empty reason keeps its space"
    );
}

#[test]
fn interim_responses_go_to_clients_that_know_them_and_never_into_a_response() {
    let interim = |request: &str, before: fn(&mut Server)| {
        let mut server = Server::new();
        server.recv(request.as_bytes(), &mut RequestHead::default(), &Limits::default()).unwrap();
        before(&mut server);
        let mut head = ResponseHead::new(Status::EARLY_HINTS);
        head.headers.push(b"Link", b"x");
        head.headers.push(b"Content-Length", b"1");
        let mut out = Vec::new();
        server.send_interim(&head, &mut out);
        String::from_utf8(out).unwrap()
    };
    let new = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    assert_eq!(interim(new, |_| {}), "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n");
    assert_eq!(interim("GET / HTTP/1.0\r\n\r\n", |_| {}), "");
    let answered = |server: &mut Server| {
        server.send_head(&ResponseHead::new(Status::OK), BodyLength::Fixed(1), b"", &mut Vec::new());
    };
    assert_eq!(interim(new, answered), "");
}

#[test]
fn chunks_and_trailers_are_written_without_the_fields_that_may_not_trail() {
    let mut trailers = Headers::new();
    for name in ["X-Sum", "Content-Length", "Host", "Set-Cookie", "X-Forwarded-For", "Authorization"] {
        trailers.push(name.as_bytes(), b"1");
    }
    let mut out = Vec::new();
    let mut encoder = Encoder::new(BodyLength::Unknown);
    encoder.data(b"", &mut out).unwrap();
    encoder.data(&[b'x'; 26], &mut out).unwrap();
    encoder.end(Some(&trailers), &mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), format!("1a\r\n{}\r\n0\r\nX-Sum: 1\r\n\r\n", "x".repeat(26)));
    assert_eq!(encoder, Encoder::Done);
}

#[test]
fn chunk_sizes_are_hexadecimal_without_leading_zeros() {
    for (octets, expected) in
        [(1, "1\r\n"), (15, "f\r\n"), (16, "10\r\n"), (0xabc0, "abc0\r\n"), (u64::MAX, "ffffffffffffffff\r\n")]
    {
        let mut out = Vec::new();
        Encoder::Chunked.data_prefix(octets, &mut out).unwrap();
        assert_eq!(out, expected.as_bytes());
    }
}

#[test]
fn a_body_of_another_length_than_announced_is_refused() {
    let (mut out, mut encoder) = (Vec::new(), Encoder::new(BodyLength::Fixed(3)));
    encoder.data(b"ab", &mut out).unwrap();
    assert_eq!(encoder.data(b"cd", &mut out), Err(Misdeed::BodyTooLong));
    assert_eq!(encoder.end(None, &mut out), Err(Misdeed::BodyTooShort));
    assert_ne!(encoder, Encoder::Done, "a short body never counts as complete");
    assert_eq!(out, b"ab");
    assert_eq!(Encoder::Done.data(b"x", &mut out), Err(Misdeed::BodyTooLong));
    let (mut out, mut encoder) = (Vec::new(), Encoder::new(BodyLength::UntilClose));
    encoder.data(b"ab", &mut out).unwrap();
    encoder.end(None, &mut out).unwrap();
    assert_eq!((out, encoder), (b"ab".to_vec(), Encoder::Done));
}

#[test]
fn octets_that_went_around_the_decoder_are_counted() {
    let mut server = Server::new();
    let head = b"PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n";
    server.recv(head, &mut RequestHead::default(), &Limits::default()).unwrap();
    let decoder = server.decoder_mut();
    assert_eq!(decoder.left(), Some(5));
    decoder.skip(3).unwrap();
    assert_eq!(decoder.skip(3), Err(Misdeed::BodyTooLong));
    decoder.skip(2).unwrap();
    assert!(decoder.is_done());
    assert_eq!(decoder.skip(1), Err(Misdeed::BodyTooLong));
    assert_eq!(server.recv_body(b"next", &mut Headers::new(), &Limits::default()).unwrap().event, Event::End);
}
