//! What holds for every input, whatever it is.

use super::drive::{self, Asked};
use crate::{Client, Event, Limits, OutgoingHead, Server};
use proptest::collection::vec;
use proptest::prelude::*;
use strait_message::{BodyLength, Headers, Method, NameSet, RequestHead, ResponseHead, Status};

/// Pieces that messages are made of, right and wrong, so that random inputs get past the first line.
const PIECES: &[&[u8]] = &[
    b"GET / HTTP/1.1\r\nHost: a\r\n",
    b"POST http://a/ HTTP/1.1\r\nHost: a\r\n",
    b"GET / HTTP/1.0\r\n",
    b"HTTP/1.1 200 OK\r\n",
    b"HTTP/1.1 100 Continue\r\n",
    b"HTTP/1.1 204\r\n",
    b"Host: a\r\n",
    b"Content-Length: 3\r\n",
    b"Content-Length: ",
    b"Transfer-Encoding: chunked\r\n",
    b"Connection: close\r\n",
    b"Connection: x, keep-alive\r\n",
    b"Expect: 100-continue\r\n",
    b"X: 1\r\n",
    b"abc",
    b"3\r\nabc\r\n",
    b"0\r\n",
    b"\r\n",
    b"\r",
    b"\n",
    b" ",
    b"\t",
    b":",
    b";a=\"b\"",
    b"\0",
    b"\xff",
];

fn input() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        8 => proptest::sample::select(PIECES).prop_map(<[u8]>::to_vec),
        1 => vec(any::<u8>(), 0..8),
    ];
    vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

fn cuts(length: usize) -> impl Strategy<Value = Vec<usize>> {
    proptest::collection::btree_set(0..length.max(1), 0..8).prop_map(|cuts| cuts.into_iter().collect())
}

fn input_and_cuts() -> impl Strategy<Value = (Vec<u8>, Vec<usize>)> {
    input().prop_flat_map(|input| {
        let cuts = cuts(input.len());
        (Just(input), cuts)
    })
}

fn small_limits() -> Limits {
    Limits {
        head_bytes_max: 100,
        target_bytes_max: 12,
        fields_max: 3,
        trailer_bytes_max: 20,
        chunk_extension_bytes_max: 8,
        interim_max: 2,
    }
}

/// A token that is no field the engines act on.
fn name() -> impl Strategy<Value = String> {
    "X-[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}".prop_filter("not known", |name| {
        strait_message::Name::from_bytes(name.as_bytes()) == strait_message::Name::Other
    })
}

fn value() -> impl Strategy<Value = Vec<u8>> {
    vec(prop_oneof![Just(b' '), Just(b'\t'), 0x21..0x7fu8, 0x80..=0xffu8], 0..20)
        .prop_map(|value| value.trim_ascii().to_vec())
}

fn headers() -> impl Strategy<Value = Headers> {
    vec((name(), value()), 0..6).prop_map(|fields| {
        let mut headers = Headers::new();
        fields.iter().for_each(|(name, value)| headers.push(name.as_bytes(), value));
        headers
    })
}

fn method() -> impl Strategy<Value = Method> {
    "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,23}"
        .prop_filter("has a target of its own", |token| token != "CONNECT")
        .prop_map(|token| Method::from_token(token.as_bytes()).unwrap())
}

/// How a body is announced, and the pieces it is sent in.
fn body() -> impl Strategy<Value = (BodyLength, Vec<Vec<u8>>)> {
    (any::<bool>(), vec(vec(any::<u8>(), 0..40), 0..5)).prop_map(|(fixed, pieces)| {
        let length = pieces.iter().map(Vec::len).sum::<usize>() as u64;
        (if fixed { BodyLength::Fixed(length) } else { BodyLength::Unknown }, pieces)
    })
}

/// Body octets and trailers that come out of `recv` over the whole input.
fn collect(
    input: &[u8],
    mut recv: impl FnMut(&[u8], &mut Headers) -> Result<crate::Received, crate::Misdeed>,
) -> (Vec<u8>, Headers) {
    let (mut at, mut octets, mut trailers) = (0, Vec::new(), Headers::new());
    loop {
        let received = recv(&input[at..], &mut trailers).unwrap();
        match received.event {
            Event::Data(range) => octets.extend_from_slice(&input[at..][range]),
            Event::End => {
                assert_eq!(at + received.consumed, input.len());
                return (octets, trailers);
            }
            other => panic!("{other:?} in a whole body"),
        }
        at += received.consumed;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pieces_do_not_matter((input, cuts) in input_and_cuts()) {
        for limits in [Limits::default(), small_limits()] {
            prop_assert_eq!(drive::server(&input, &cuts, &limits), drive::server(&input, &[], &limits));
            for asked in [Asked::Get, Asked::Head, Asked::Connect, Asked::Websocket] {
                let whole = drive::client(asked, &input, &[], &limits);
                prop_assert_eq!(drive::client(asked, &input, &cuts, &limits), whole);
            }
        }
    }

    #[test]
    fn a_request_arrives_as_it_was_sent(
        method in method(), target in "/[!-\"$-~]{0,30}", headers in headers(), (length, pieces) in body(), trailers in headers(),
    ) {
        let mut head = RequestHead::new(method);
        head.headers = headers;
        let request = OutgoingHead {
            head: &head, target: target.as_bytes(), host: b"a:1", skip: NameSet::EMPTY, extra: b"", length, websocket: false,
        };
        let (mut client, mut wire) = (Client::new(), Vec::new());
        client.send_head(&request, &mut wire);
        for piece in &pieces {
            client.send_data(piece, &mut wire).unwrap();
        }
        client.send_end(Some(&trailers), &mut wire).unwrap();

        let (mut server, mut arrived, limits) = (Server::new(), RequestHead::default(), Limits::default());
        let received = server.recv(&wire, &mut arrived, &limits).unwrap();
        prop_assert_eq!(&received.event, &Event::Head);
        arrived.headers.retain(|field| field.known == strait_message::Name::Other);
        prop_assert_eq!((arrived.method, arrived.target()), (method, target.as_bytes()));
        prop_assert_eq!(drive::fields(&arrived.headers), drive::fields(&head.headers));
        let (octets, tail) = collect(&wire[received.consumed..], |input, t| server.recv_body(input, t, &limits));
        prop_assert_eq!(octets, pieces.concat());
        let sent = if length == BodyLength::Unknown { drive::fields(&trailers) } else { drive::fields(&Headers::new()) };
        prop_assert_eq!(drive::fields(&tail), sent);
    }

    #[test]
    fn a_response_arrives_as_it_was_sent(
        code in 200..600u16, headers in headers(), (length, pieces) in body(), trailers in headers(),
    ) {
        let status = Status::new(code).unwrap();
        prop_assume!(!status.forbids_body());
        let (mut server, limits) = (Server::new(), Limits::default());
        server.recv(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", &mut RequestHead::default(), &limits).unwrap();
        let head = ResponseHead { status, headers, ..ResponseHead::default() };
        let mut wire = Vec::new();
        server.send_head(&head, length, b"", &mut wire);
        for piece in &pieces {
            server.send_data(piece, &mut wire).unwrap();
        }
        server.send_end(Some(&trailers), &mut wire).unwrap();

        let (mut client, mut arrived) = (Client::new(), ResponseHead::default());
        drive::send_request(&mut client, Asked::Get, &mut Vec::new());
        let received = client.recv(&wire, &mut arrived, &limits).unwrap();
        prop_assert_eq!((&received.event, arrived.status), (&Event::Head, status));
        arrived.headers.retain(|field| field.known == strait_message::Name::Other);
        prop_assert_eq!(drive::fields(&arrived.headers), drive::fields(&head.headers));
        let (octets, _) = collect(&wire[received.consumed..], |input, t| client.recv_body(input, t, &limits));
        prop_assert_eq!(octets, pieces.concat());
        prop_assert!(client.finish(0));
    }

    /// What is accepted here, a second parser accepts with the same meaning: it is the more lenient one.
    #[test]
    fn httparse_agrees_on_requests(input in input()) {
        let mut head = RequestHead::default();
        let Ok(received) = Server::new().recv(&input, &mut head, &Limits::default()) else { return Ok(()) };
        if received.event != Event::Head {
            return Ok(());
        }
        let mut slots = [httparse::EMPTY_HEADER; 100];
        let mut theirs = httparse::Request::new(&mut slots);
        // Ours has removed what Connection names.
        prop_assume!(head.headers.get(strait_message::Name::Connection).is_none());
        prop_assert_eq!(theirs.parse(&input), Ok(httparse::Status::Complete(received.consumed)));
        prop_assert_eq!(theirs.method, Some(head.method.as_str()));
        prop_assert_eq!(theirs.path.map(str::as_bytes), Some(head.target()));
        prop_assert_eq!(drive::fields(&head.headers), their_fields(theirs.headers));
    }

    #[test]
    fn httparse_agrees_on_responses(input in input()) {
        let mut head = ResponseHead::default();
        let mut client = Client::new();
        drive::send_request(&mut client, Asked::Get, &mut Vec::new());
        let Ok(received) = client.recv(&input, &mut head, &Limits::default()) else { return Ok(()) };
        if received.event != Event::Head {
            return Ok(());
        }
        let mut slots = [httparse::EMPTY_HEADER; 100];
        let mut theirs = httparse::Response::new(&mut slots);
        prop_assume!(head.headers.get(strait_message::Name::Connection).is_none());
        prop_assert_eq!(theirs.parse(&input), Ok(httparse::Status::Complete(received.consumed)));
        prop_assert_eq!(theirs.code, Some(head.status.code()));
        prop_assert_eq!(drive::fields(&head.headers), their_fields(theirs.headers));
    }
}

fn their_fields(fields: &[httparse::Header<'_>]) -> String {
    let mut headers = Headers::new();
    fields.iter().for_each(|field| headers.push(field.name.as_bytes(), field.value.trim_ascii()));
    drive::fields(&headers)
}

/// Every call takes something, or asks for more: a whole input costs at most a call an octet.
#[test]
fn work_is_linear_in_the_input() {
    let (mut server, mut head, limits) = (Server::new(), RequestHead::default(), Limits::default());
    server.recv(b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n", &mut head, &limits).unwrap();
    let body = [b"1;a\r\nx\r\n".repeat(1000), b"0\r\nX: 1\r\n\r\n".to_vec()].concat();
    let (mut calls, mut at, mut trailers) = (0, 0, Headers::new());
    loop {
        calls += 1;
        let received = server.recv_body(&body[at..], &mut trailers, &limits).unwrap();
        at += received.consumed;
        if received.event == Event::End {
            break;
        }
        assert!(received.consumed > 0, "a call that takes nothing although there is more");
    }
    assert_eq!((calls, at), (1001, body.len()), "a call for each chunk and one for the end");
}

/// A head that drips in is never looked at twice: it stands unread, and only its new octets are searched.
#[test]
fn an_incomplete_line_is_remembered_not_searched_again() {
    let (mut server, mut head, limits) = (Server::new(), RequestHead::default(), Limits::default());
    let line = [b"GET /".to_vec(), b"a".repeat(4000)].concat();
    let received = server.recv(&line, &mut head, &limits).unwrap();
    assert_eq!((received.consumed, received.event), (0, Event::NeedMore));
    // An LF that appears where the engine has already looked goes unseen: proof that it does not look again.
    let mut changed = line.clone();
    changed[100] = b'\n';
    assert_eq!(server.recv(&changed, &mut head, &limits).unwrap().event, Event::NeedMore);
}
