//! Strait's HTTP/1 engine against the oracle of `crates/conformance`.
//!
//! Only a whole message accepted by one and not by the other, or understood in another way, is a difference: when a
//! mistake is noticed, and what it is called, is each parser's own matter.

use strait_conformance::oracle::{self, Field, Framing, Refusal, Verdict};
use strait_http1::{Client, Decoder, Event, Limits, Misdeed, OutgoingHead, Server};
use strait_message::{BodyLength, Headers, Method, Name, NameSet, RequestHead, ResponseHead};

/// A message as either parser understood it.
#[derive(PartialEq)]
struct Understood {
    start: Vec<u8>,
    fields: Vec<Field>,
    framing: Framing,
    consumed: usize,
}

impl std::fmt::Debug for Understood {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {{", self.start.escape_ascii())?;
        self.fields
            .iter()
            .try_for_each(|(name, value)| write!(f, "{}: {}, ", name.escape_ascii(), value.escape_ascii()))?;
        write!(f, "}} {:?}, {} octets", self.framing, self.consumed)
    }
}

fn framing(length: BodyLength) -> Framing {
    match length {
        BodyLength::None => Framing::None,
        BodyLength::Fixed(octets) => Framing::Length(octets),
        BodyLength::Unknown => Framing::Chunked,
        BodyLength::UntilClose => Framing::Close,
    }
}

fn fields(headers: &Headers) -> Vec<Field> {
    headers.iter().map(|field| (field.name.to_vec(), field.value.to_vec())).collect()
}

/// The engine drops what Connection names as it parses; the oracle only reads.
fn without_named(fields: Vec<Field>) -> Vec<Field> {
    let lists = oracle::values(&fields, b"connection").join(&b","[..]);
    let named: Vec<&[u8]> = lists.split(|b| *b == b',').map(<[u8]>::trim_ascii).collect();
    let kept = NameSet::FRAMING.with(Name::Host);
    let stays = |name: &[u8]| {
        kept.contains(Name::from_bytes(name)) || !named.iter().any(|other| other.eq_ignore_ascii_case(name))
    };
    fields.into_iter().filter(|(name, _)| stays(name)).collect()
}

/// Where the engine is stricter, or merely has a limit, by a decision of its own.
fn stricter(misdeed: Misdeed) -> bool {
    use strait_message::Kind;
    matches!(misdeed.kind(), Kind::TooLarge | Kind::Unsupported)
        && !matches!(misdeed, Misdeed::VersionNotSupported | Misdeed::UnknownCoding)
}

fn agree(input: &[u8], ours: Result<Option<Understood>, Misdeed>, theirs: Result<Verdict<Understood>, Refusal>) {
    let shown = input.escape_ascii();
    match (ours, theirs) {
        (Ok(Some(ours)), Ok(Verdict::Complete(theirs))) => assert_eq!(ours, theirs, "{shown}"),
        (Err(misdeed), Ok(Verdict::Complete(_))) if stricter(misdeed) => {}
        (ours @ Err(_), theirs @ Ok(Verdict::Complete(_)))
        | (ours @ Ok(Some(_)), theirs)
        | (ours, theirs @ Ok(Verdict::Complete(_))) => panic!("engine {ours:?}, oracle {theirs:?}: {shown}"),
        (Ok(None) | Err(_), Ok(Verdict::Incomplete) | Err(_)) => {}
    }
}

fn compare_request(input: &[u8]) {
    let (mut server, mut head) = (Server::new(), RequestHead::default());
    let ours = server.recv(input, &mut head, &Limits::default()).map(|received| {
        (received.event == Event::Head).then(|| Understood {
            start: [head.method.as_str().as_bytes(), head.target(), head.version.as_str().as_bytes()].join(&b' '),
            fields: fields(&head.headers),
            framing: framing(server.request_length()),
            consumed: received.consumed,
        })
    });
    let theirs = oracle::request(input).map(|verdict| match verdict {
        Verdict::Incomplete => Verdict::Incomplete,
        Verdict::Complete(request) => Verdict::Complete(Understood {
            start: [&request.method[..], &request.target, format!("1.{}", request.version).as_bytes()].join(&b' '),
            fields: without_named(request.fields),
            framing: request.framing,
            consumed: request.consumed,
        }),
    });
    if ours.is_err() == theirs.is_ok() && default_port(&head) {
        return;
    }
    agree(input, ours, theirs);
}

/// The engine lets an authority with a default port and one without be the same; the oracle compares octets.
fn default_port(head: &RequestHead) -> bool {
    let host = head.headers.get(Name::Host).unwrap_or_default();
    let port = |text: &[u8]| text.windows(3).any(|part| part == b":80" || part == b":44");
    port(head.target()) != port(host)
}

fn compare_response(input: &[u8], method: Method) {
    let asked = RequestHead::new(method);
    let request = OutgoingHead {
        head: &asked,
        target: b"/",
        host: b"a",
        skip: NameSet::EMPTY,
        extra: b"",
        length: BodyLength::None,
        websocket: false,
    };
    let (mut client, mut head) = (Client::new(), ResponseHead::default());
    client.send_head(&request, &mut Vec::new());
    let theirs = oracle::response(input, method.as_str().as_bytes()).map(|verdict| match verdict {
        Verdict::Incomplete => Verdict::Incomplete,
        Verdict::Complete(response) => Verdict::Complete(Understood {
            start: format!("{} 1.{}", response.status, response.version).into_bytes(),
            fields: without_named(response.fields),
            framing: response.framing,
            consumed: response.consumed,
        }),
    });
    let ours = client.recv(input, &mut head, &Limits::default()).map(|received| {
        let body = if client.response_is_done() || head.status.is_interim() {
            Framing::None
        } else if method == Method::Connect && head.status.class() == 2 {
            Framing::Tunnel
        } else {
            framing(client.response_length())
        };
        (received.event == Event::Head).then(|| Understood {
            start: format!("{} {}", head.status, head.version.as_str()).into_bytes(),
            fields: fields(&head.headers),
            framing: if body == Framing::Length(0) { Framing::None } else { body },
            consumed: received.consumed,
        })
    });
    // The engine refuses an upgrade that it did not ask for, and does not judge the framing of what has no body.
    if ours == Err(Misdeed::UnaskedUpgrade)
        || head.status.is_interim()
        || matches!(&ours, Ok(Some(u)) if u.framing == Framing::Tunnel)
    {
        return;
    }
    let theirs = theirs.map(|verdict| match verdict {
        Verdict::Complete(mut understood) => {
            if understood.framing == Framing::Length(0) {
                understood.framing = Framing::None;
            }
            Verdict::Complete(understood)
        }
        Verdict::Incomplete => Verdict::Incomplete,
    });
    agree(input, ours, theirs);
}

fn compare_chunked(input: &[u8]) {
    let (mut decoder, mut trailers) = (Decoder::new(BodyLength::Unknown), Headers::new());
    let (mut at, mut body) = (0, Vec::new());
    let ours = loop {
        match decoder.recv(&input[at..], &mut trailers, &Limits::default()) {
            Err(misdeed) => break Err(misdeed),
            Ok(received) => {
                if let Event::Data(range) = &received.event {
                    body.extend_from_slice(&input[at..][range.clone()]);
                }
                at += received.consumed;
                match received.event {
                    Event::End => break Ok(Some((body.clone(), at))),
                    Event::NeedMore => break Ok(None),
                    Event::Data(_) | Event::Head => {}
                }
            }
        }
    };
    let whole = |body, fields, consumed| Understood { start: body, fields, framing: Framing::Chunked, consumed };
    let trailers: Vec<Field> = fields(&trailers);
    let ours = ours.map(|done| done.map(|(body, at)| whole(body, allowed(trailers), at)));
    let theirs = oracle::chunked(input).map(|verdict| match verdict {
        Verdict::Incomplete => Verdict::Incomplete,
        Verdict::Complete(chunked) => {
            Verdict::Complete(whole(chunked.body, allowed(chunked.trailers), chunked.consumed))
        }
    });
    // A size of more than sixteen digits, zeros included, is refused unread.
    if ours == Err(Misdeed::BadChunkSize) && has_zeros(input) {
        return;
    }
    agree(input, ours, theirs);
}

/// The engine leaves out trailer fields that may not be ones when it sends; the oracle when it reads.
fn allowed(trailers: Vec<Field>) -> Vec<Field> {
    let forbidden = |name: &[u8]| NameSet::FORBIDDEN_IN_TRAILERS.contains(Name::from_bytes(name));
    trailers.into_iter().filter(|(name, _)| !forbidden(name)).collect()
}

fn has_zeros(input: &[u8]) -> bool {
    input.windows(8).any(|octets| octets == b"00000000")
}

/// Gives the input to every parser as each kind of message.
pub fn differential(input: &[u8]) {
    compare_request(input);
    for method in [Method::Get, Method::Head, Method::Connect] {
        compare_response(input, method);
    }
    compare_chunked(input);
}
