//! The HTTP/1 engine: whatever arrives and in whatever pieces, nothing panics, the pieces do not matter, and what was
//! accepted means the same when it is sent on.

use strait_http1::{Client, Decoder, Encoder, Event, Limits, Misdeed, OutgoingHead, Persistence, Received, Server};
use strait_message::{BodyLength, Headers, Method, Name, NameSet, RequestHead, ResponseHead, Status};

/// A request head in one piece and in two; if it is accepted, sent on and received again.
///
/// The first octet chooses the limits and where the input is cut.
pub fn request_head(input: &[u8]) {
    let Some((&choice, input)) = input.split_first() else { return };
    let limits = limits(choice);
    let whole = recv_request(&[input], &limits);
    assert_eq!(recv_request(&halves(choice, input), &limits), whole, "the pieces matter");
    if let Ok(Some(head)) = whole {
        send_request_on(&head);
    }
}

/// A response head to one of four kinds of request, which the first octet chooses with the limits and the cut.
pub fn response_head(input: &[u8]) {
    let Some((&choice, input)) = input.split_first() else { return };
    let limits = limits(choice);
    let whole = recv_response(choice, &[input], &limits);
    assert_eq!(recv_response(choice, &halves(choice, input), &limits), whole, "the pieces matter");
    if let Ok(Some(head)) = whole {
        send_response_on(&head);
    }
}

/// A chunked body in one piece and in two; if it is accepted, sent on and received again.
pub fn chunked_body(input: &[u8]) {
    let Some((&choice, input)) = input.split_first() else { return };
    let limits = limits(choice);
    let whole = recv_chunked(&[input], &limits);
    assert_eq!(recv_chunked(&halves(choice, input), &limits), whole, "the pieces matter");
    if let Ok(Some((octets, trailers))) = whole {
        send_chunked_on(&octets, &trailers);
    }
}

/// Any order of calls on a server. A connection lasts only after a whole exchange.
pub fn server_sequence(input: &[u8]) {
    let (calls, mut wire) = calls_and_wire(input);
    let (mut server, mut head, mut trailers) = (Server::new(), RequestHead::default(), Headers::new());
    let (limits, mut out, mut arrived) = (Limits::default(), Vec::new(), 0);
    for &call in calls {
        let unread = &wire[..arrived];
        let taken = match call % 12 {
            0 => consumed(server.recv(unread, &mut head, &limits), arrived),
            1 => consumed(server.recv_body(unread, &mut trailers, &limits), arrived),
            2 => {
                server.send_head(&ResponseHead::new(status(call)), length(call), b"", &mut out);
                0
            }
            3 => {
                let _too_long = server.send_data(&wire[..usize::from(call / 12).min(wire.len())], &mut out);
                0
            }
            4 => {
                let _too_short = server.send_end((call > 127).then_some(&trailers), &mut out);
                0
            }
            5 => {
                let (was_done, answered) = (server.request_is_done(), server.response_has_begun());
                if server.finish() == Persistence::KeepAlive {
                    assert!(was_done && answered, "an unfinished exchange keeps its connection");
                    head.clear();
                    trailers.clear();
                }
                0
            }
            6 => {
                server.send_interim(&ResponseHead::new(Status::EARLY_HINTS), &mut out);
                0
            }
            7 => {
                let ended = server.recv_eof();
                assert!(ended.is_ok() || !server.request_is_done(), "a truncated request counts as complete");
                0
            }
            8 => {
                let _too_long = server.decoder_mut().skip(u64::from(call / 12));
                0
            }
            9 => {
                server.close_after_response();
                assert!(server.is_closing());
                0
            }
            _ => {
                arrived = wire.len().min(arrived + usize::from(call / 12) + 1);
                0
            }
        };
        wire = &wire[taken..];
        arrived -= taken;
    }
}

/// Any order of calls on a client. A connection is used again only after a whole exchange.
pub fn client_sequence(input: &[u8]) {
    let (calls, mut wire) = calls_and_wire(input);
    let (mut client, mut head, mut trailers) = (Client::new(), ResponseHead::default(), Headers::new());
    let (limits, mut out, mut arrived) = (Limits::default(), Vec::new(), 0);
    for &call in calls {
        let unread = &wire[..arrived];
        let taken = match call % 10 {
            0 => {
                head.clear();
                consumed(client.recv(unread, &mut head, &limits), arrived)
            }
            1 => consumed(client.recv_body(unread, &mut trailers, &limits), arrived),
            2 => {
                send_request(&mut client, call / 10, length(call), &mut out);
                0
            }
            3 => {
                let _too_long = client.send_data(&wire[..usize::from(call / 10).min(wire.len())], &mut out);
                0
            }
            4 => {
                let _too_short = client.send_end((call > 127).then_some(&trailers), &mut out);
                0
            }
            5 => {
                let (was_done, sent) = (client.response_is_done(), *client.encoder_mut() == Encoder::Done);
                let unread = usize::from(call > 127);
                assert!(
                    !client.finish(unread) || (was_done && sent && unread == 0),
                    "a dirty connection is used again"
                );
                assert!(!client.response_has_begun());
                0
            }
            6 => {
                let ended = client.recv_eof();
                assert!(ended.is_ok() || !client.response_is_done(), "a truncated response counts as complete");
                0
            }
            7 => {
                let _too_long = client.decoder_mut().skip(u64::from(call / 10));
                0
            }
            _ => {
                arrived = wire.len().min(arrived + usize::from(call / 10) + 1);
                0
            }
        };
        wire = &wire[taken..];
        arrived -= taken;
    }
}

/// Octets taken by a call that was given so many; after a misdeed none.
fn consumed(received: Result<Received, Misdeed>, given: usize) -> usize {
    let Ok(Received { consumed, event }) = received else { return 0 };
    assert!(consumed <= given, "took more than there was");
    if let Event::Data(range) = event {
        assert!(!range.is_empty() && range.end == consumed);
    }
    consumed
}

fn limits(choice: u8) -> Limits {
    if choice & 1 == 0 {
        return Limits::default();
    }
    Limits {
        head_bytes_max: 96,
        target_bytes_max: 16,
        fields_max: 4,
        trailer_bytes_max: 24,
        chunk_extension_bytes_max: 8,
        interim_max: 2,
    }
}

fn halves(choice: u8, input: &[u8]) -> [&[u8]; 2] {
    let cut = (input.len() * usize::from(choice >> 1)).div_ceil(128).min(input.len());
    input.split_at(cut).into()
}

fn calls_and_wire(input: &[u8]) -> (&[u8], &[u8]) {
    let Some((&count, rest)) = input.split_first() else { return (&[], &[]) };
    rest.split_at(usize::from(count).min(rest.len()))
}

fn status(call: u8) -> Status {
    [Status::OK, Status::NO_CONTENT, Status::NOT_MODIFIED, Status::BAD_GATEWAY][usize::from(call / 12) % 4]
}

fn length(call: u8) -> BodyLength {
    match call / 48 {
        0 => BodyLength::None,
        1 => BodyLength::Fixed(u64::from(call)),
        2 => BodyLength::Unknown,
        3 => BodyLength::UntilClose,
        _ => BodyLength::Fixed(0),
    }
}

/// Gives an engine the pieces one after the other, each with what it left of those before.
fn feed<T>(
    pieces: &[&[u8]],
    mut step: impl FnMut(&[u8]) -> Result<(Received, Option<T>), Misdeed>,
) -> Result<Option<T>, Misdeed> {
    let mut unread = Vec::new();
    for piece in pieces {
        unread.extend_from_slice(piece);
        loop {
            let (received, done) = step(&unread)?;
            consumed(Ok(received.clone()), unread.len());
            unread.drain(..received.consumed);
            if done.is_some() {
                return Ok(done);
            }
            if received.event == Event::NeedMore {
                break;
            }
        }
    }
    Ok(None)
}

type Fields = Vec<(Vec<u8>, Vec<u8>)>;

fn fields(headers: &Headers) -> Fields {
    headers.iter().map(|field| (field.name.to_vec(), field.value.to_vec())).collect()
}

/// The fields that an engine does not write itself.
fn own_fields(headers: &Headers) -> Fields {
    let written = NameSet::FRAMING.with(Name::Trailer).with(Name::Host);
    headers.iter().filter(|field| !written.contains(field.known)).map(|f| (f.name.to_vec(), f.value.to_vec())).collect()
}

#[derive(Debug, PartialEq)]
struct ReceivedRequest {
    method: Method,
    target: Vec<u8>,
    host: Vec<u8>,
    length: BodyLength,
    own: Fields,
}

fn recv_request(pieces: &[&[u8]], limits: &Limits) -> Result<Option<ReceivedRequest>, Misdeed> {
    let (mut server, mut head) = (Server::new(), RequestHead::default());
    feed(pieces, |unread| {
        let received = server.recv(unread, &mut head, limits)?;
        let done = (received.event == Event::Head).then(|| ReceivedRequest {
            method: head.method,
            target: head.target().to_vec(),
            host: head.headers.get(Name::Host).unwrap_or_default().to_vec(),
            length: server.request_length(),
            own: own_fields(&head.headers),
        });
        Ok((received, done))
    })
}

fn send_request_on(received: &ReceivedRequest) {
    if received.host.is_empty() {
        // HTTP/1.0 may leave Host out; whoever routes knows one to write.
        return;
    }
    let mut head = RequestHead::new(received.method);
    received.own.iter().for_each(|(name, value)| head.headers.push(name, value));
    let (mut client, mut wire) = (Client::new(), Vec::new());
    let request = OutgoingHead {
        head: &head,
        target: &received.target,
        host: &received.host,
        skip: NameSet::EMPTY,
        extra: b"",
        length: received.length,
        websocket: false,
    };
    client.send_head(&request, &mut wire);
    let room = Limits { head_bytes_max: 1 << 20, target_bytes_max: 1 << 20, fields_max: 1000, ..Limits::default() };
    let again = recv_request(&[&wire], &room);
    assert_eq!(again.as_ref().map(Option::as_ref), Ok(Some(received)), "sent on it means something else");
}

#[derive(Debug, PartialEq)]
struct ReceivedResponse {
    status: Status,
    length: BodyLength,
    own: Fields,
}

fn send_request(client: &mut Client, choice: u8, length: BodyLength, out: &mut Vec<u8>) {
    let method = [Method::Get, Method::Head, Method::Connect, Method::Get][usize::from(choice % 4)];
    let head = RequestHead::new(method);
    let request = OutgoingHead {
        head: &head,
        target: b"/",
        host: b"a",
        skip: NameSet::EMPTY,
        extra: b"",
        length,
        websocket: choice % 4 == 3,
    };
    client.send_head(&request, out);
}

fn recv_response(choice: u8, pieces: &[&[u8]], limits: &Limits) -> Result<Option<ReceivedResponse>, Misdeed> {
    let (mut client, mut head) = (Client::new(), ResponseHead::default());
    send_request(&mut client, choice >> 1, BodyLength::None, &mut Vec::new());
    feed(pieces, |unread| {
        let received = client.recv(unread, &mut head, limits)?;
        let complete = received.event == Event::Head;
        let is_final = !head.status.is_interim() || head.status == Status::SWITCHING_PROTOCOLS;
        let done = (complete && is_final).then(|| ReceivedResponse {
            status: head.status,
            length: client.response_length(),
            own: own_fields(&head.headers),
        });
        if complete && !is_final {
            head.clear();
        }
        Ok((received, done))
    })
}

fn send_response_on(received: &ReceivedResponse) {
    if received.status == Status::SWITCHING_PROTOCOLS {
        return;
    }
    let mut server = Server::new();
    let asked = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    assert!(server.recv(asked, &mut RequestHead::default(), &Limits::default()).is_ok());
    let mut head = ResponseHead::new(received.status);
    received.own.iter().for_each(|(name, value)| head.headers.push(name, value));
    let mut wire = Vec::new();
    server.send_head(&head, received.length, b"", &mut wire);
    let room = Limits { head_bytes_max: 1 << 20, fields_max: 1000, ..Limits::default() };
    let again = recv_response(0, &[&wire], &room);
    let Ok(Some(again)) = again else { panic!("refused when sent on: {again:?}") };
    assert_eq!((again.status, &again.own), (received.status, &received.own), "sent on it means something else");
}

fn recv_chunked(pieces: &[&[u8]], limits: &Limits) -> Result<Option<(Vec<u8>, Fields)>, Misdeed> {
    let (mut decoder, mut octets, mut trailers) = (Decoder::new(BodyLength::Unknown), Vec::new(), Headers::new());
    feed(pieces, |unread| {
        let received = decoder.recv(unread, &mut trailers, limits)?;
        if let Event::Data(range) = &received.event {
            octets.extend_from_slice(&unread[range.clone()]);
        }
        let done = (received.event == Event::End).then(|| (octets.clone(), fields(&trailers)));
        Ok((received, done))
    })
}

fn send_chunked_on(octets: &[u8], trailers: &Fields) {
    let (mut encoder, mut headers, mut wire) = (Encoder::new(BodyLength::Unknown), Headers::new(), Vec::new());
    trailers.iter().for_each(|(name, value)| headers.push(name, value));
    for piece in octets.chunks(7) {
        assert_eq!(encoder.data(piece, &mut wire), Ok(()));
    }
    assert_eq!(encoder.end(Some(&headers), &mut wire), Ok(()));
    let kept = |(name, _): &&(Vec<u8>, Vec<u8>)| !NameSet::FORBIDDEN_IN_TRAILERS.contains(Name::from_bytes(name));
    let kept = trailers.iter().filter(kept).cloned().collect();
    let room = Limits { trailer_bytes_max: 1 << 20, ..Limits::default() };
    assert_eq!(recv_chunked(&[&wire], &room), Ok(Some((octets.to_vec(), kept))), "sent on it means something else");
}
