//! Feeding an engine in pieces, and writing down in one line what it made of them.
//!
//! | word | meaning |
//! |---|---|
//! | `GET /a 1.1 {Host: a} fixed 3` | a request head and the length of its body |
//! | `200 1.1 {Age: 1} chunked` | a response head |
//! | `<abc>` | body octets, joined over pieces |
//! | `end`, `end {X: 1}` | the message is complete, with its trailer fields |
//! | `keep`, `close` | what becomes of the connection |
//! | `eof` | the peer ends its side where that is permitted |
//! | `!BareLf` | a misdeed, after which nothing is looked at |

use crate::{Client, Event, Limits, Misdeed, OutgoingHead, Persistence, Received, Server};
use strait_message::{BodyLength, Headers, Method, NameSet, RequestHead, ResponseHead, Status};

/// What was received and not yet taken, and what is yet to arrive.
struct Feed<'a> {
    input: &'a [u8],
    cuts: std::slice::Iter<'a, usize>,
    at: usize,
    arrived: usize,
}

impl<'a> Feed<'a> {
    fn new(input: &'a [u8], cuts: &'a [usize]) -> Self {
        let mut feed = Self { input, cuts: cuts.iter(), at: 0, arrived: 0 };
        feed.more();
        feed
    }

    /// Lets the next piece arrive. `false` when there is none.
    fn more(&mut self) -> bool {
        let before = self.arrived;
        self.arrived = self.cuts.next().copied().unwrap_or(self.input.len());
        self.arrived > before
    }

    fn unread(&self) -> &'a [u8] {
        &self.input[self.at..self.arrived]
    }

    /// Advances by what an engine took; the event with the data it points to.
    fn take(&mut self, received: Received) -> (Event, &'a [u8]) {
        let unread = self.unread();
        assert!(received.consumed <= unread.len(), "took more than there was");
        self.at += received.consumed;
        match received.event.clone() {
            Event::Data(range) => {
                assert!(!range.is_empty() && range.end == received.consumed, "{range:?} of {}", received.consumed);
                (received.event, &unread[range])
            }
            event => (event, b""),
        }
    }
}

#[derive(Default)]
struct Transcript {
    words: Vec<String>,
    body: Vec<u8>,
}

impl Transcript {
    fn say(&mut self, word: impl Into<String>) {
        if !self.body.is_empty() {
            self.words.push(format!("<{}>", std::mem::take(&mut self.body).escape_ascii()));
        }
        self.words.push(word.into());
    }

    fn end(mut self, last: Result<&str, Misdeed>) -> String {
        match last {
            Ok(word) => self.say(word),
            Err(misdeed) => self.say(format!("!{misdeed:?}")),
        }
        self.words.join(" ")
    }
}

pub(super) fn fields(headers: &Headers) -> String {
    let field = |f: strait_message::Field<'_>| format!("{}: {}", f.name.escape_ascii(), f.value.escape_ascii());
    format!("{{{}}}", headers.iter().map(field).collect::<Vec<_>>().join(", "))
}

fn length(length: BodyLength) -> String {
    match length {
        BodyLength::None => "none".into(),
        BodyLength::Fixed(octets) => format!("fixed {octets}"),
        BodyLength::Unknown => "chunked".into(),
        BodyLength::UntilClose => "until-close".into(),
    }
}

/// What a server makes of a client's octets, each request answered with an empty 200 once it is complete.
pub(super) fn server(input: &[u8], cuts: &[usize], limits: &Limits) -> String {
    let mut transcript = Transcript::default();
    let mut feed = Feed::new(input, cuts);
    let mut server = Server::new();
    loop {
        let mut head = RequestHead::default();
        match recv_request(&mut server, &mut head, &mut feed, &mut transcript, limits) {
            Ok(true) => {}
            Ok(false) => {
                let eof = server.recv_eof();
                return transcript.end(eof.map(|()| "eof"));
            }
            Err(misdeed) => return transcript.end(Err(misdeed)),
        }
        let mut out = Vec::new();
        server.send_head(&ResponseHead::new(Status::OK), BodyLength::Fixed(0), b"", &mut out);
        server.send_end(None, &mut out).unwrap();
        match server.finish() {
            Persistence::KeepAlive => transcript.say("keep"),
            Persistence::Close => return transcript.end(Ok("close")),
        }
    }
}

/// `false` when input ended before the request did.
fn recv_request(
    server: &mut Server,
    head: &mut RequestHead,
    feed: &mut Feed<'_>,
    transcript: &mut Transcript,
    limits: &Limits,
) -> Result<bool, Misdeed> {
    let mut trailers = Headers::new();
    while feed.take(server.recv(feed.unread(), head, limits)?).0 != Event::Head {
        if !feed.more() {
            return Ok(false);
        }
    }
    transcript.say(request_words(server, head));
    loop {
        match feed.take(server.recv_body(feed.unread(), &mut trailers, limits)?) {
            (Event::Data(_), data) => transcript.body.extend_from_slice(data),
            (Event::End, _) => break,
            _ if feed.more() => {}
            _ => return Ok(false),
        }
    }
    assert!(server.request_is_done());
    transcript.say(if trailers.is_empty() { "end".to_string() } else { format!("end {}", fields(&trailers)) });
    Ok(true)
}

fn request_words(server: &Server, head: &RequestHead) -> String {
    let mut words = format!(
        "{} {} {} {} {}",
        head.method,
        head.target().escape_ascii(),
        head.version.as_str(),
        fields(&head.headers),
        length(server.request_length())
    );
    words += if server.expects_continue() { " expects-continue" } else { "" };
    words += if server.wants_websocket() { " wants-websocket" } else { "" };
    words
}

/// What a client asked for before it looks at the octets of an origin.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asked {
    Nothing,
    Get,
    Head,
    Connect,
    Websocket,
}

pub(super) fn send_request(client: &mut Client, asked: Asked, out: &mut Vec<u8>) {
    let method = match asked {
        Asked::Nothing => return,
        Asked::Get | Asked::Websocket => Method::Get,
        Asked::Head => Method::Head,
        Asked::Connect => Method::Connect,
    };
    let head = RequestHead::new(method);
    let request = OutgoingHead {
        head: &head,
        target: b"/",
        host: b"a",
        skip: NameSet::EMPTY,
        extra: b"",
        length: BodyLength::None,
        websocket: matches!(asked, Asked::Websocket),
    };
    client.send_head(&request, out);
    client.send_end(None, out).unwrap();
}

/// What a client makes of an origin's octets, up to the end of one response and of the input.
pub(super) fn client(asked: Asked, input: &[u8], cuts: &[usize], limits: &Limits) -> String {
    let mut transcript = Transcript::default();
    let mut feed = Feed::new(input, cuts);
    let mut client = Client::new();
    send_request(&mut client, asked, &mut Vec::new());
    match recv_response(&mut client, &mut feed, &mut transcript, limits) {
        Ok(true) => {}
        Ok(false) => {
            let eof = client.recv_eof();
            assert!(!client.finish(0), "a response that ended with its connection leaves none to use again");
            return transcript.end(eof.map(|()| "eof"));
        }
        Err(misdeed) => {
            assert!(!client.finish(0), "a connection with a misdeed is used again");
            return transcript.end(Err(misdeed));
        }
    }
    while feed.more() {}
    let word = if client.finish(feed.unread().len()) { "keep" } else { "close" };
    transcript.end(Ok(word))
}

fn recv_response(
    client: &mut Client,
    feed: &mut Feed<'_>,
    transcript: &mut Transcript,
    limits: &Limits,
) -> Result<bool, Misdeed> {
    let mut trailers = Headers::new();
    let mut head = ResponseHead::default();
    loop {
        if feed.take(client.recv(feed.unread(), &mut head, limits)?).0 != Event::Head {
            if !feed.more() {
                return Ok(false);
            }
            continue;
        }
        let (status, version, announced) = (head.status, head.version.as_str(), length(client.response_length()));
        transcript.say(format!("{status} {version} {} {announced}", fields(&head.headers)));
        if !status.is_interim() || status == Status::SWITCHING_PROTOCOLS {
            break;
        }
        head.clear();
    }
    loop {
        match feed.take(client.recv_body(feed.unread(), &mut trailers, limits)?) {
            (Event::Data(_), data) => transcript.body.extend_from_slice(data),
            (Event::End, _) => break,
            _ if feed.more() => {}
            _ => return Ok(false),
        }
    }
    transcript.say(if trailers.is_empty() { "end".to_string() } else { format!("end {}", fields(&trailers)) });
    Ok(true)
}
