//! A client and a server of this engine in conversation, and what each does by the other's word.

use super::drive::{self, Driven, block, data, frame, get, opening, settings, window_update, words};
use crate::{Cause, Connection, ErrorCode, Event, Limits, Misdeed, OutgoingHead, SendError, StreamId, Unopened};
use strait_message::{BodyLength, Headers, Method, Name, NameSet, RequestHead, ResponseHead, Status};

fn request(head: &RequestHead, length: BodyLength) -> OutgoingHead<'_> {
    OutgoingHead {
        head,
        target: b"/a?b",
        host: b"a.example",
        scheme: "https",
        skip: NameSet::EMPTY,
        extra: b"X-Extra: 1\r\n",
        length,
        websocket: false,
    }
}

/// A client that was greeted by a server, and its first stream.
fn asked(head: &RequestHead, length: BodyLength) -> (Driven, StreamId) {
    let mut client = Driven::with(Connection::client(Limits::default(), 0));
    client.feed(&settings(&[])).unwrap();
    let stream = client.connection.open(&request(head, length)).unwrap();
    client.sent();
    (client, stream)
}

/// Moves what each has written to the other; what each found.
fn exchange(client: &mut Driven, server: &mut Driven) -> (Vec<Event>, Vec<Event>) {
    let (mut of_client, mut of_server) = (Vec::new(), Vec::new());
    loop {
        let up = client.connection.output().to_vec();
        client.connection.written(up.len());
        of_server.extend(server.feed(&up).unwrap());
        let down = server.connection.output().to_vec();
        server.connection.written(down.len());
        of_client.extend(client.feed(&down).unwrap());
        if up.is_empty() && down.is_empty() {
            let calm = |event: &Event| !matches!(event, Event::Settings);
            of_client.retain(calm);
            of_server.retain(calm);
            return (of_client, of_server);
        }
    }
}

#[test]
fn a_request_with_body_and_trailers_and_its_response() {
    let mut client = Driven::with(Connection::client(Limits::default(), 0));
    let mut server = Driven::server();
    let mut head = RequestHead::new(Method::Post);
    head.headers.push_name(Name::Cookie, b"a=1; b=2");
    head.headers.push_name(Name::Te, b"trailers");
    head.headers.push_name(Name::Connection, b"close");
    let stream = client.connection.open(&request(&head, BodyLength::Fixed(5))).unwrap();
    assert_eq!(client.connection.send_data(stream, b"hello", false), Ok(5));
    let mut trailers = Headers::new();
    trailers.push(b"X-Sum", b"5");
    client.connection.send_end(stream, Some(&trailers)).unwrap();
    let (_, found) = exchange(&mut client, &mut server);
    assert_eq!(words(&found), "request 1, data 1, trailers 1");
    assert_eq!(server.body, b"hello");
    assert_eq!(
        format!("{:?}", server.scratch.request.headers),
        r#"{"Host": "a.example", "Content-Length": "5", "TE": "trailers", "x-extra": "1", "Cookie": "a=1; b=2"}"#
    );
    assert_eq!(server.scratch.request.target(), b"/a?b");
    assert_eq!(format!("{:?}", server.scratch.trailers), r#"{"x-sum": "5"}"#);

    let mut head = ResponseHead::new(Status::OK);
    head.headers.push_name(Name::ContentType, b"text/plain");
    server.connection.send_interim(stream, &ResponseHead::new(Status::CONTINUE)).unwrap();
    assert_eq!(server.connection.send_head(stream, &head, BodyLength::Unknown, b"Server: x\r\n"), Ok(false));
    assert_eq!(server.connection.send_data(stream, b"hi", true), Ok(2));
    server.connection.release(stream);
    let (found, _) = exchange(&mut client, &mut server);
    assert_eq!(words(&found), "interim 1, response 1, data 1 end");
    assert_eq!(format!("{:?}", client.scratch.response.headers), r#"{"Content-Type": "text/plain", "Server": "x"}"#);
    client.connection.release(stream);
    assert_eq!((client.connection.streams(), server.connection.streams()), (0, 0));
    assert_eq!(client.connection.figures().resets_sent + server.connection.figures().resets_sent, 0);
}

#[test]
fn a_large_body_passes_in_windows_and_comes_out_whole() {
    let mut client = Driven::with(Connection::client(Limits::default(), 0));
    let mut server = Driven::server();
    let stream = client.connection.open(&request(&RequestHead::new(Method::Post), BodyLength::Unknown)).unwrap();
    let body: Vec<u8> = (0..700_000u32).map(|n| (n % 251) as u8).collect();
    let mut sent = 0;
    while sent < body.len() {
        sent += client.connection.send_data(stream, &body[sent..], true).unwrap();
        exchange(&mut client, &mut server);
    }
    assert!(server.body == body);
    assert!(client.connection.figures().stalls <= 20);
}

#[test]
fn what_was_announced_is_what_may_be_sent() {
    let mut client = Driven::with(Connection::client(Limits::default(), 0));
    let stream = client.connection.open(&request(&RequestHead::new(Method::Post), BodyLength::Fixed(3))).unwrap();
    assert_eq!(client.connection.send_data(stream, b"abcd", true), Err(SendError::BodyTooLong));
    assert_eq!(client.connection.send_data(stream, b"ab", true), Err(SendError::BodyTooShort));
    assert_eq!(client.connection.send_data(stream, b"abc", true), Ok(3));
    assert_eq!(client.connection.send_data(stream, b"", true), Err(SendError::Closed));
}

#[test]
fn responses_that_break_the_rules_reset_their_stream() {
    let ok = &[(":status", "200")][..];
    let response = |flags, fields: &[(&str, &str)]| frame(1, flags, 1, &block(fields));
    let cases: [(&str, Vec<u8>, Misdeed); 14] = [
        ("no status", response(5, &[("x", "1")]), Misdeed::BadPseudoField),
        ("two statuses", response(5, &[(":status", "200"), (":status", "200")]), Misdeed::BadPseudoField),
        ("status behind a field", response(5, &[("x", "1"), (":status", "200")]), Misdeed::BadPseudoField),
        ("a request's field", response(5, &[(":path", "/")]), Misdeed::BadPseudoField),
        ("two digits", response(5, &[(":status", "20")]), Misdeed::BadStatus),
        ("letters", response(5, &[(":status", "2x0")]), Misdeed::BadStatus),
        ("101", response(4, &[(":status", "101")]), Misdeed::BadStatus),
        ("an interim end", response(5, &[(":status", "103")]), Misdeed::BadInterim),
        ("data before the head", data(1, 1, b"x"), Misdeed::BadPseudoField),
        ("connection", response(5, &[ok, &[("connection", "close")]].concat()), Misdeed::ConnectionField),
        ("a length that is none", response(4, &[ok, &[("content-length", "x")]].concat()), Misdeed::BadLength),
        ("no body", response(5, &[ok, &[("content-length", "3")]].concat()), Misdeed::BodyTooShort),
        (
            "short",
            [response(4, &[ok, &[("content-length", "3")]].concat()), data(1, 1, b"x")].concat(),
            Misdeed::BodyTooShort,
        ),
        (
            "long",
            [response(4, &[ok, &[("content-length", "0")]].concat()), data(1, 1, b"x")].concat(),
            Misdeed::BodyTooLong,
        ),
    ];
    for (name, input, misdeed) in cases {
        let (mut client, _) = asked(&RequestHead::new(Method::Get), BodyLength::None);
        let events = client.feed(&input).unwrap();
        let reset =
            events.iter().any(|event| matches!(event, Event::Reset { cause: Cause::Misdeed(m), .. } if *m == misdeed));
        assert!(reset, "{name}: {}", words(&events));
    }
}

#[test]
fn seventeen_interim_responses_are_too_many() {
    let (mut client, _) = asked(&RequestHead::new(Method::Get), BodyLength::None);
    let hint = frame(1, 4, 1, &block(&[(":status", "103")]));
    let events = client.feed(&hint.repeat(17)).unwrap();
    assert!(words(&events).ends_with("interim 1, reset 1 BadInterim"), "{}", words(&events));
}

#[test]
fn responses_without_body_say_what_it_would_have_been() {
    for (method, status) in [(Method::Head, "200"), (Method::Get, "304")] {
        let (mut client, _) = asked(&RequestHead::new(method), BodyLength::None);
        let events = client.feed(&frame(1, 5, 1, &block(&[(":status", status), ("content-length", "9")]))).unwrap();
        let Some(Event::Response { facts, .. }) = events.last() else { panic!("{}", words(&events)) };
        assert_eq!((facts.length, facts.is_whole), (BodyLength::Fixed(9), true));
    }
}

#[test]
fn a_client_keeps_to_what_the_server_allows() {
    let mut client = Driven::with(Connection::client(Limits::default(), 0));
    client.feed(&settings(&[(3, 1)])).unwrap();
    let head = RequestHead::new(Method::Get);
    let first = client.connection.open(&request(&head, BodyLength::None)).unwrap();
    assert_eq!(client.connection.open(&request(&head, BodyLength::None)), Err(Unopened::TooMany));
    client.connection.reset(first, ErrorCode::Cancel);
    client.connection.release(first);
    assert!(client.connection.can_open().is_ok());
    let websocket = OutgoingHead { websocket: true, ..request(&head, BodyLength::None) };
    assert_eq!(client.connection.open(&websocket), Err(Unopened::NoWebsocket));
    client.feed(&settings(&[(8, 1)])).unwrap();
    assert!(client.connection.open(&websocket).is_ok());
}

#[test]
fn a_websocket_over_a_stream_is_a_tunnel_both_ways() {
    let mut client = Driven::with(Connection::client(Limits::default(), 0));
    let mut server = Driven::server();
    exchange(&mut client, &mut server);
    let mut head = RequestHead::new(Method::Get);
    head.headers.push_name(Name::SecWebsocketKey, b"k");
    head.headers.push_name(Name::SecWebsocketVersion, b"13");
    let websocket = OutgoingHead { websocket: true, ..request(&head, BodyLength::None) };
    let stream = client.connection.open(&websocket).unwrap();
    let (_, found) = exchange(&mut client, &mut server);
    let Some(Event::Request { facts, .. }) = found.first() else { panic!("{}", words(&found)) };
    assert!(facts.wants_websocket);
    assert_eq!(server.scratch.request.method, Method::Connect);
    assert!(!server.scratch.request.headers.contains(Name::SecWebsocketKey));
    server.connection.send_head(stream, &ResponseHead::new(Status::OK), BodyLength::None, b"").unwrap();
    server.connection.send_data(stream, b"down", false).unwrap();
    client.connection.send_data(stream, b"up", false).unwrap();
    exchange(&mut client, &mut server);
    assert_eq!((client.body.as_slice(), server.body.as_slice()), (&b"down"[..], &b"up"[..]));
    client.connection.send_data(stream, b"", true).unwrap();
    let (_, found) = exchange(&mut client, &mut server);
    assert_eq!(words(&found), "data 1 end");
    assert_eq!(server.connection.send_data(stream, b"half open", false), Ok(9));
}

#[test]
fn goaway_tells_which_streams_may_be_tried_again() {
    let mut client = Driven::with(Connection::client(Limits::default(), 0));
    client.feed(&settings(&[])).unwrap();
    let head = RequestHead::new(Method::Post);
    for _ in 0..3 {
        client.connection.open(&request(&head, BodyLength::Unknown)).unwrap();
    }
    let events = client.feed(&frame(7, 0, 0, &[0, 0, 0, 3, 0, 0, 0, 0])).unwrap();
    assert_eq!(words(&events), "reset 5 NotProcessed, goaway { code: noerror }");
    assert_eq!(client.connection.open(&request(&head, BodyLength::None)), Err(Unopened::Leaving));
}

#[test]
fn a_server_drains_in_two_steps() {
    let mut driven = Driven::open();
    driven.connection.drain();
    let goaways = |driven: &mut Driven| -> Vec<u32> {
        let last = |payload: &[u8]| u32::from_be_bytes(payload[..4].try_into().unwrap());
        driven.sent().iter().filter(|frame| frame.0 == 7).map(|frame| last(&frame.3)).collect()
    };
    assert_eq!(goaways(&mut driven), [i32::MAX as u32]);
    assert_eq!(words(&driven.feed(&get(1)).unwrap()), "request 1", "it has not seen it yet");
    driven.feed(&frame(6, 1, 0, b"draining")).unwrap();
    assert_eq!(goaways(&mut driven), [1]);
    assert_eq!(words(&driven.feed(&get(3)).unwrap()), "", "streams above the last are not looked at");
    assert!(!driven.connection.is_drained());
    driven.connection.release(StreamId(1));
    driven.sent();
    assert!(driven.connection.is_drained());
}

#[test]
fn a_drain_is_decided_by_time_where_the_client_does_not_answer() {
    let mut driven = Driven::open();
    driven.connection.drain();
    driven.sent();
    assert!(driven.connection.next_deadline().unwrap() <= 1_000);
    driven.connection.on_deadline(1_000).unwrap();
    assert!(driven.sent().iter().any(|frame| frame.0 == 7));
}

#[test]
fn settings_and_pings_must_be_answered_in_time() {
    let mut driven = Driven::open();
    assert_eq!(driven.connection.on_deadline(9_999), Ok(()));
    assert_eq!(driven.connection.on_deadline(10_000), Err(Misdeed::SettingsNotAcknowledged));
    let mut driven = Driven::open();
    driven.feed(&frame(4, 1, 0, &[])).unwrap();
    driven.connection.ping(5_000);
    assert_eq!(driven.connection.next_deadline(), Some(15_000));
    assert_eq!(words(&driven.feed(&frame(6, 1, 0, b"alive?\0\0")).unwrap()), "pong");
    driven.connection.ping(20_000);
    assert_eq!(driven.connection.on_deadline(30_000), Err(Misdeed::PingNotAnswered));
}

#[test]
fn the_most_urgent_of_those_that_wait_is_told_first() {
    let mut driven = Driven::open();
    let urgent = |stream: u32, value: &str| drive::headers(stream, 5, &[drive::GET, &[("priority", value)]].concat());
    driven.feed(&[urgent(1, "u=7"), urgent(3, "u=0"), urgent(5, "i")].concat()).unwrap();
    for stream in [1, 3, 5].map(StreamId) {
        driven.connection.send_head(stream, &ResponseHead::new(Status::OK), BodyLength::Unknown, b"").unwrap();
    }
    let body = vec![0; 65_535];
    driven.sent();
    assert_eq!(driven.connection.send_data(StreamId(1), &body, false), Ok(65_535), "the connection's whole window");
    for stream in [1, 3, 5].map(StreamId) {
        driven.sent();
        assert_eq!(driven.connection.send_data(stream, b"x", false), Ok(0));
    }
    let events = driven.feed(&[window_update(1, 100_000), window_update(0, 100_000)].concat()).unwrap();
    assert_eq!(
        words(&events),
        "writable { stream: streamid(3) }, writable { stream: streamid(5) }, writable { stream: streamid(1) }"
    );
}

#[test]
fn frames_behind_our_reset_are_ignored_and_give_the_window_back() {
    let mut driven = Driven::open();
    driven.feed(&drive::post(1)).unwrap();
    driven.connection.reset(StreamId(1), ErrorCode::Cancel);
    driven.connection.release(StreamId(1));
    driven.sent();
    for _ in 0..100 {
        assert_eq!(words(&driven.feed(&data(1, 0, &[0; 16_000])).unwrap()), "");
    }
    assert!(driven.sent().iter().any(|frame| frame.0 == 8 && frame.2 == 0));
}

#[test]
fn more_than_the_window_is_refused() {
    let mut driven = Driven::with(Connection::server(Limits::default(), 0));
    driven.feed(&opening()).unwrap();
    driven.feed(&drive::post(1)).unwrap();
    // Nothing is consumed: the frames are looked at one by one.
    let mut failed = None;
    for _ in 0..5 {
        let input = data(1, 0, &[0; 16_384]);
        let mut at = 0;
        while at < input.len() {
            let received = driven.connection.recv(&input[at..], &mut driven.scratch, 0).unwrap();
            at += received.consumed;
            if let Event::Reset { cause: Cause::Misdeed(misdeed), .. } = received.event {
                failed = Some(misdeed);
            }
            if received.event == Event::NeedMore && received.consumed == 0 {
                break;
            }
        }
    }
    assert_eq!(failed, Some(Misdeed::WindowExceeded));
}
