//! A peer that is written frame by frame, and a connection driven by it.

use crate::hpack::Encoder;
use crate::{Cause, Connection, Event, Limits, Misdeed, Scratch};

/// A frame.
pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let mut out = (payload.len() as u32).to_be_bytes()[1..].to_vec();
    out.extend([kind, flags]);
    out.extend(stream.to_be_bytes());
    out.extend(payload);
    out
}

/// A field block without a dynamic table.
pub(super) fn block(fields: &[(&str, &str)]) -> Vec<u8> {
    let mut encoder = Encoder::default();
    encoder.set_table_max(0);
    let mut out = Vec::new();
    for (name, value) in fields {
        // Written as it stands, in whatever case, which the encoder would not do.
        out.push(0);
        out.push(name.len() as u8);
        out.extend(name.as_bytes());
        out.push(value.len() as u8);
        out.extend(value.as_bytes());
    }
    out
}

pub(super) const GET: &[(&str, &str)] =
    &[(":method", "GET"), (":scheme", "http"), (":path", "/"), (":authority", "a.example")];
pub(super) const POST: &[(&str, &str)] =
    &[(":method", "POST"), (":scheme", "http"), (":path", "/"), (":authority", "a.example")];

pub(super) fn headers(stream: u32, flags: u8, fields: &[(&str, &str)]) -> Vec<u8> {
    frame(1, flags, stream, &block(fields))
}

/// A request without body.
pub(super) fn get(stream: u32) -> Vec<u8> {
    headers(stream, 5, GET)
}

/// A request whose body follows.
pub(super) fn post(stream: u32) -> Vec<u8> {
    headers(stream, 4, POST)
}

pub(super) fn data(stream: u32, flags: u8, octets: &[u8]) -> Vec<u8> {
    frame(0, flags, stream, octets)
}

pub(super) fn reset(stream: u32) -> Vec<u8> {
    frame(3, 0, stream, &8u32.to_be_bytes())
}

pub(super) fn settings(entries: &[(u16, u32)]) -> Vec<u8> {
    let payload: Vec<u8> =
        entries.iter().flat_map(|(id, value)| [&id.to_be_bytes()[..], &value.to_be_bytes()].concat()).collect();
    frame(4, 0, 0, &payload)
}

pub(super) fn window_update(stream: u32, octets: u32) -> Vec<u8> {
    frame(8, 0, stream, &octets.to_be_bytes())
}

/// What a client sends first.
pub(super) fn opening() -> Vec<u8> {
    [crate::frame::PREFACE.as_slice(), &settings(&[])].concat()
}

/// A connection, and everything that it said.
pub(super) struct Driven {
    pub(super) connection: Connection,
    pub(super) scratch: Scratch,
    pub(super) input: Vec<u8>,
    pub(super) now_ms: u64,
    pub(super) body: Vec<u8>,
    /// Every event but those of body octets, whose number follows how they arrive.
    pub(super) log: Vec<String>,
}

impl Driven {
    pub(super) fn server() -> Self {
        Self::with(Connection::server(Limits::default(), 0))
    }

    /// A server that was greeted.
    pub(super) fn open() -> Self {
        let mut driven = Self::server();
        driven.feed(&opening()).unwrap();
        driven.sent();
        driven
    }

    pub(super) fn with(connection: Connection) -> Self {
        Self {
            connection,
            scratch: Scratch::default(),
            input: Vec::new(),
            now_ms: 0,
            body: Vec::new(),
            log: Vec::new(),
        }
    }

    /// Gives it octets and returns what it found in them.
    pub(super) fn feed(&mut self, octets: &[u8]) -> Result<Vec<Event>, Misdeed> {
        self.input.extend(octets);
        let mut events = Vec::new();
        loop {
            let received = self.connection.recv(&self.input, &mut self.scratch, self.now_ms)?;
            if let Event::Data { range, stream, .. } = &received.event {
                self.body.extend(&self.input[range.clone()]);
                self.connection.consume(*stream, range.len());
            } else if received.event != Event::NeedMore {
                self.log.push(word(&received.event));
            }
            self.input.drain(..received.consumed);
            match received.event {
                Event::NeedMore => return Ok(events),
                event => events.push(event),
            }
        }
    }

    /// The frames it wrote since this was last asked: type, flags, stream, payload.
    pub(super) fn sent(&mut self) -> Vec<(u8, u8, u32, Vec<u8>)> {
        let mut out = self.connection.output().to_vec();
        self.connection.written(out.len());
        if out.starts_with(crate::frame::PREFACE) {
            out.drain(..24);
        }
        let mut frames = Vec::new();
        let mut rest = out.as_slice();
        while let Some(head) = crate::frame::FrameHead::read(rest) {
            frames.push((head.kind, head.flags, head.stream, rest[9..9 + head.length].to_vec()));
            rest = &rest[9 + head.length..];
        }
        assert!(rest.is_empty());
        frames
    }
}

/// The codes of the streams that were reset, and of the connection if it ended.
pub(super) fn ends(frames: &[(u8, u8, u32, Vec<u8>)]) -> (Vec<(u32, u32)>, Option<u32>) {
    let code = |payload: &[u8], at: usize| u32::from_be_bytes(payload[at..at + 4].try_into().unwrap());
    let resets = frames.iter().filter(|frame| frame.0 == 3).map(|frame| (frame.2, code(&frame.3, 0))).collect();
    let goaway = frames.iter().rfind(|frame| frame.0 == 7).map(|frame| code(&frame.3, 4));
    (resets, goaway)
}

/// How an event is written down in a test.
pub(super) fn word(event: &Event) -> String {
    match event {
        Event::Request { stream, .. } => format!("request {}", stream.number()),
        Event::Refused { stream, misdeed } => format!("refused {} {misdeed:?}", stream.number()),
        Event::Interim { stream } => format!("interim {}", stream.number()),
        Event::Response { stream, .. } => format!("response {}", stream.number()),
        Event::Data { stream, ends, .. } => format!("data {}{}", stream.number(), if *ends { " end" } else { "" }),
        Event::Trailers { stream } => format!("trailers {}", stream.number()),
        Event::Reset { stream, cause: Cause::Misdeed(misdeed) } => format!("reset {} {misdeed:?}", stream.number()),
        Event::Reset { stream, cause } => format!("reset {} {cause:?}", stream.number()),
        other => format!("{other:?}").to_lowercase(),
    }
}

pub(super) fn words(events: &[Event]) -> String {
    events.iter().map(word).collect::<Vec<_>>().join(", ")
}
