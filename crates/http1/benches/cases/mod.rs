//! The hot paths that are measured, by name: parsing a head with all its checks and copies, and putting one on the wire.

use std::hint::black_box;
use strait_http1::{Client, Event, Limits, OutgoingHead, Server};
use strait_message::{BodyLength, Headers, Name, NameSet, RequestHead, ResponseHead};

/// What a command-line client or a service sends: 5 fields.
pub(crate) const SMALL: &[u8] = b"GET /api/v1/users/4711 HTTP/1.1\r\n\
Host: api.example.com\r\n\
User-Agent: curl/8.5.0\r\n\
Accept: application/json\r\n\
X-Request-Id: 0190a6b2-7c1e\r\n\
Connection: keep-alive\r\n\r\n";

/// What a browser sends: 18 fields.
pub(crate) const BROWSER: &[u8] = b"GET /products/lamps/desk?colour=green&sort=price&page=2 HTTP/1.1\r\n\
Host: www.example.com\r\n\
Connection: keep-alive\r\n\
Cache-Control: max-age=0\r\n\
sec-ch-ua: \"Chromium\";v=\"128\", \"Not;A=Brand\";v=\"24\"\r\n\
sec-ch-ua-mobile: ?0\r\n\
sec-ch-ua-platform: \"Linux\"\r\n\
DNT: 1\r\n\
Upgrade-Insecure-Requests: 1\r\n\
User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/128.0.0.0 Safari/537.36\r\n\
Accept: text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8\r\n\
Sec-Fetch-Site: same-origin\r\n\
Sec-Fetch-Mode: navigate\r\n\
Sec-Fetch-User: ?1\r\n\
Sec-Fetch-Dest: document\r\n\
Referer: https://www.example.com/products/lamps\r\n\
Accept-Encoding: gzip, deflate, br, zstd\r\n\
Accept-Language: en-GB,en;q=0.9,de;q=0.8\r\n\
Cookie: session=3f1c9a57e0b84d2c; theme=dark; consent=a1b2c3d4\r\n\r\n";

/// What an application answers: 9 fields.
pub(crate) const RESPONSE: &[u8] = b"HTTP/1.1 200 OK\r\n\
Date: Tue, 14 Jul 2026 10:00:00 GMT\r\n\
Server: nginx\r\n\
Content-Type: application/json; charset=utf-8\r\n\
Content-Length: 1024\r\n\
Connection: keep-alive\r\n\
Cache-Control: private, max-age=0\r\n\
ETag: \"5f3c-a1b2c3\"\r\n\
Vary: Accept-Encoding\r\n\
X-Runtime: 0.004\r\n\r\n";

/// A hot path that runs once at each call.
pub(crate) type Case = (&'static str, Box<dyn FnMut()>);

/// Every measured path.
pub(crate) fn all() -> Vec<Case> {
    vec![
        ("parse a small request head", parse(SMALL)),
        ("parse a browser's request head", parse(BROWSER)),
        ("encode a small request head", encode(SMALL)),
        ("encode a browser's request head", encode(BROWSER)),
        ("parse a response head", parse_response()),
        ("encode a response head", encode_response()),
        ("decode 16 chunks of 64 octets", decode_chunks()),
    ]
}

fn parse(input: &'static [u8]) -> Box<dyn FnMut()> {
    let (mut head, limits) = (RequestHead::default(), Limits::default());
    Box::new(move || {
        head.clear();
        let mut server = Server::new();
        let received = server.recv(black_box(input), &mut head, &limits).unwrap();
        assert_eq!(received.event, Event::Head);
        black_box((&head, &server));
    })
}

fn encode(input: &'static [u8]) -> Box<dyn FnMut()> {
    let (mut head, mut out) = (RequestHead::default(), Vec::new());
    Server::new().recv(input, &mut head, &Limits::default()).unwrap();
    Box::new(move || {
        out.clear();
        let request = OutgoingHead {
            head: black_box(&head),
            target: head.target(),
            host: b"origin.internal:8080",
            skip: NameSet::CLIENT_IDENTITY.with(Name::XRequestId),
            extra: b"X-Forwarded-For: 192.0.2.1\r\nX-Forwarded-Proto: https\r\nVia: 1.1 strait\r\n",
            length: BodyLength::None,
            websocket: false,
        };
        Client::new().send_head(&request, &mut out);
        black_box(&out);
    })
}

fn asked() -> Client {
    let head = RequestHead::default();
    let request = OutgoingHead {
        head: &head,
        target: b"/",
        host: b"a",
        skip: NameSet::EMPTY,
        extra: b"",
        length: BodyLength::None,
        websocket: false,
    };
    let mut client = Client::new();
    client.send_head(&request, &mut Vec::new());
    client
}

fn parse_response() -> Box<dyn FnMut()> {
    let (mut head, limits, fresh) = (ResponseHead::default(), Limits::default(), asked());
    Box::new(move || {
        head.clear();
        let mut client = fresh.clone();
        let received = client.recv(black_box(RESPONSE), &mut head, &limits).unwrap();
        assert_eq!(received.event, Event::Head);
        black_box((&head, &client));
    })
}

fn encode_response() -> Box<dyn FnMut()> {
    let (mut head, limits, mut out) = (ResponseHead::default(), Limits::default(), Vec::new());
    asked().recv(RESPONSE, &mut head, &limits).unwrap();
    let mut fresh = Server::new();
    fresh.recv(SMALL, &mut RequestHead::default(), &limits).unwrap();
    Box::new(move || {
        out.clear();
        let mut server = fresh.clone();
        server.send_head(black_box(&head), BodyLength::Fixed(1024), b"Via: 1.1 strait\r\n", &mut out);
        black_box((&out, &server));
    })
}

fn decode_chunks() -> Box<dyn FnMut()> {
    let chunk = [b"40\r\n".as_slice(), &[b'x'; 64], b"\r\n"].concat();
    let body = [chunk.repeat(16), b"0\r\n\r\n".to_vec()].concat();
    let limits = Limits::default();
    let mut fresh = Server::new();
    let head = b"PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";
    fresh.recv(head, &mut RequestHead::default(), &limits).unwrap();
    let mut trailers = Headers::new();
    Box::new(move || {
        let (mut server, mut at) = (fresh.clone(), 0);
        while !server.request_is_done() {
            at += server.recv_body(&black_box(&body)[at..], &mut trailers, &limits).unwrap().consumed;
        }
        black_box(at);
    })
}
