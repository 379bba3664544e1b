//! What we send: heads, bodies within the peer's windows, ends.

use super::{Connection, Drain, Role};
use crate::frame::{self, FRAME_HEAD, FRAME_MAX, FrameHead, flag, kind};
use crate::hpack::Encoder;
use crate::stream::{Half, Stream, StreamId};
use std::fmt;
use strait_message::syntax::decimal_text;
use strait_message::{BodyLength, Headers, Method, Name, NameSet, RequestHead, ResponseHead};

/// Fields that never leave as they came: those of a connection of HTTP/1 (RFC 9113 §8.2.2), those that pseudo-header
/// fields replace, and the length, which the engine states.
const ENGINE_FIELDS: NameSet = NameSet::of(&[
    Name::Connection,
    Name::ProxyConnection,
    Name::KeepAlive,
    Name::TransferEncoding,
    Name::Upgrade,
    Name::Http2Settings,
    Name::Te,
    Name::Host,
    Name::ContentLength,
]);

/// The fields by which HTTP/1 agrees on a WebSocket; extended CONNECT needs none of them (RFC 8441 §5).
const WEBSOCKET_FIELDS: NameSet = NameSet::of(&[Name::SecWebsocketKey, Name::SecWebsocketAccept]);

/// What a request head is made of when it leaves.
#[derive(Clone, Copy, Debug)]
pub struct OutgoingHead<'a> {
    /// Method and fields.
    pub head: &'a RequestHead,
    /// The path and query to send.
    pub target: &'a [u8],
    /// The authority to send.
    pub host: &'a [u8],
    /// `http` or `https`.
    pub scheme: &'static str,
    /// Fields of `head` to leave out, besides those that the engine decides on.
    pub skip: NameSet,
    /// Further complete field lines, as HTTP/1 writes them.
    pub extra: &'a [u8],
    /// The length of the body.
    pub length: BodyLength,
    /// Whether to ask for a WebSocket (RFC 8441).
    pub websocket: bool,
}

/// Why no stream can be opened now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unopened {
    /// There are as many streams as the peer allows: wait for one to be released.
    TooMany,
    /// No stream can be opened on this connection any more.
    Leaving,
    /// The peer takes no extended CONNECT.
    NoWebsocket,
}

/// Why a part of a message cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SendError {
    /// The stream was reset, or is not known: what is sent on it goes nowhere.
    Closed,
    /// More octets than the head announced: reset the stream.
    BodyTooLong,
    /// The end before all octets that the head announced: reset the stream.
    BodyTooShort,
}

impl fmt::Display for Unopened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::TooMany => "the peer allows no more streams",
            Self::Leaving => "the connection takes no more streams",
            Self::NoWebsocket => "the peer takes no extended CONNECT",
        })
    }
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Closed => "the stream is closed",
            Self::BodyTooLong => "the body is longer than announced",
            Self::BodyTooShort => "the body is shorter than announced",
        })
    }
}

impl std::error::Error for Unopened {}
impl std::error::Error for SendError {}

impl Connection {
    /// Whether [`Connection::open`] can be called now, and if not, why.
    ///
    /// # Errors
    /// [`Unopened`].
    pub fn can_open(&self) -> Result<(), Unopened> {
        let over = self.next_own > frame::WINDOW_MAX as u32 || self.goaway.is_some() || self.failure().is_some();
        if over || self.drain != Drain::No || self.role == Role::Server {
            return Err(Unopened::Leaving);
        }
        let allowed = self.peer.streams_max.min(self.limits.streams_max) as usize;
        if self.streams.len() >= allowed { Err(Unopened::TooMany) } else { Ok(()) }
    }

    /// Opens a stream with a request head. A request without body is complete with it.
    ///
    /// # Errors
    /// [`Unopened`]: nothing was sent.
    pub fn open(&mut self, request: &OutgoingHead<'_>) -> Result<StreamId, Unopened> {
        self.can_open()?;
        if request.websocket && !self.peer.connect_protocol {
            return Err(Unopened::NoWebsocket);
        }
        let id = self.next_own;
        self.next_own += 2;
        self.figures.streams += 1;
        let ends = request.length == BodyLength::None && !request.websocket;
        let mut stream = Stream::new(self.limits.stream_window, self.peer.stream_window);
        stream.to_head = request.head.method == Method::Head;
        stream.websocket = request.websocket;
        stream.send_left = if request.websocket { None } else { request.length.known() };
        stream.sent = if ends { Half::Done } else { Half::Body };
        self.streams.insert(id, stream);
        let at = begin_block(&mut self.out);
        write_request(&mut self.encoder, request, &mut self.out);
        end_block(at, id, ends, &mut self.out);
        Ok(StreamId(id))
    }

    /// Appends an interim response (1xx but 101).
    ///
    /// # Errors
    /// [`SendError::Closed`].
    pub fn send_interim(&mut self, stream: StreamId, head: &ResponseHead) -> Result<(), SendError> {
        let state = self.streams.get(&stream.0).filter(|state| !state.reset).ok_or(SendError::Closed)?;
        if state.sent == Half::Head {
            let at = begin_block(&mut self.out);
            write_status(&mut self.encoder, head.status.code(), &mut self.out);
            write_fields(&mut self.encoder, &head.headers, ENGINE_FIELDS, &mut self.out);
            end_block(at, stream.0, false, &mut self.out);
        }
        Ok(())
    }

    /// Appends the final response head. `length` is what the head announces: for a response to HEAD, or 304, what the
    /// body would have been; none is then sent. `extra` holds further complete field lines, as HTTP/1 writes them.
    ///
    /// Whether the stream ends with it: there is no body.
    ///
    /// # Errors
    /// [`SendError::Closed`].
    pub fn send_head(
        &mut self,
        stream: StreamId,
        head: &ResponseHead,
        length: BodyLength,
        extra: &[u8],
    ) -> Result<bool, SendError> {
        let state = self.streams.get_mut(&stream.0).filter(|state| !state.reset && state.sent == Half::Head);
        let state = state.ok_or(SendError::Closed)?;
        let tunnel = state.websocket && head.status.class() == 2;
        let bodiless = state.to_head || head.status.forbids_body();
        let ends = !tunnel && (bodiless || matches!(length, BodyLength::None | BodyLength::Fixed(0)));
        state.send_left = if tunnel || bodiless { None } else { length.known() };
        state.sent = if ends { Half::Done } else { Half::Body };
        let skip = if tunnel { ENGINE_FIELDS.union(WEBSOCKET_FIELDS) } else { ENGINE_FIELDS };
        let at = begin_block(&mut self.out);
        write_status(&mut self.encoder, head.status.code(), &mut self.out);
        let stated = !tunnel && (!head.status.forbids_body() || length != BodyLength::None);
        if stated && head.status != strait_message::Status::NO_CONTENT {
            let announced = if bodiless && length == BodyLength::None { None } else { length.known() };
            write_length(&mut self.encoder, announced, &mut self.out);
        }
        write_fields(&mut self.encoder, &head.headers, skip, &mut self.out);
        write_lines(&mut self.encoder, extra, skip, &mut self.out);
        end_block(at, stream.0, ends, &mut self.out);
        Ok(ends)
    }

    /// Appends body octets, as many as the windows and the room for output allow, and the end behind them where
    /// `ends`. Fewer than given were taken when [`crate::Event::Writable`] is to be waited for.
    ///
    /// # Errors
    /// [`SendError`]: nothing was sent.
    pub fn send_data(&mut self, stream: StreamId, data: &[u8], ends: bool) -> Result<usize, SendError> {
        let state = self.streams.get(&stream.0).filter(|state| !state.reset && state.sent == Half::Body);
        let state = state.ok_or(SendError::Closed)?;
        match state.send_left {
            Some(left) if (data.len() as u64) > left => return Err(SendError::BodyTooLong),
            Some(left) if ends && (data.len() as u64) < left => return Err(SendError::BodyTooShort),
            _ => {}
        }
        let taken = self.room_of(state).min(data.len());
        let whole = taken == data.len();
        self.write_data(stream.0, data.get(..taken).unwrap_or_default(), ends && whole);
        self.account(stream.0, taken, ends && whole, !whole);
        if whole && !self.blocked.is_empty() {
            self.wake_blocked();
        }
        Ok(taken)
    }

    fn write_data(&mut self, id: u32, data: &[u8], ends: bool) {
        let mut chunks = data.chunks(FRAME_MAX).peekable();
        if chunks.peek().is_none() && ends {
            FrameHead { length: 0, kind: kind::DATA, flags: flag::END_STREAM, stream: id }.write(&mut self.out);
        }
        while let Some(chunk) = chunks.next() {
            let last = ends && chunks.peek().is_none();
            let flags = if last { flag::END_STREAM } else { 0 };
            FrameHead { length: chunk.len(), kind: kind::DATA, flags, stream: id }.write(&mut self.out);
            self.out.extend_from_slice(chunk);
        }
    }

    /// Takes what was sent off the windows, and notes a body that must wait.
    pub(super) fn account(&mut self, id: u32, taken: usize, ended: bool, waits: bool) {
        self.send_window -= taken as i64;
        self.budget.moved(taken);
        let by_peer = waits && self.output().len() < self.limits.output_bytes_max as usize;
        let Some(stream) = self.streams.get_mut(&id) else { return };
        stream.send_window -= taken as i64;
        if let Some(left) = &mut stream.send_left {
            *left = left.saturating_sub(taken as u64);
        }
        if taken > 0 {
            stream.stalled_since_ms = None;
        }
        if ended {
            stream.sent = Half::Done;
        }
        if by_peer && stream.stalled_since_ms.is_none() {
            stream.stalled_since_ms = Some(self.now_ms);
            self.figures.stalls += 1;
        }
        if waits && !std::mem::replace(&mut stream.blocked, true) {
            self.blocked.push(id);
        }
    }

    /// Appends the end of the message, with trailers where there are any.
    ///
    /// # Errors
    /// [`SendError`].
    pub fn send_end(&mut self, stream: StreamId, trailers: Option<&Headers>) -> Result<(), SendError> {
        let Some(trailers) = trailers.filter(|trailers| !trailers.is_empty()) else {
            return self.send_data(stream, &[], true).map(|_| ());
        };
        let state = self.streams.get_mut(&stream.0).filter(|state| !state.reset && state.sent == Half::Body);
        let state = state.ok_or(SendError::Closed)?;
        if state.send_left.is_some_and(|left| left > 0) {
            return Err(SendError::BodyTooShort);
        }
        state.sent = Half::Done;
        let at = begin_block(&mut self.out);
        write_fields(&mut self.encoder, trailers, ENGINE_FIELDS, &mut self.out);
        end_block(at, stream.0, true, &mut self.out);
        Ok(())
    }
}

/// Leaves room for the head of HEADERS; returns where.
fn begin_block(out: &mut Vec<u8>) -> usize {
    let at = out.len();
    out.extend_from_slice(&[0; FRAME_HEAD]);
    at
}

/// Fills in the head of HEADERS in front of the block that stands behind `at`; what is too long for one frame is
/// continued (RFC 9113 §6.10).
fn end_block(at: usize, stream: u32, ends: bool, out: &mut Vec<u8>) {
    let end_stream = if ends { flag::END_STREAM } else { 0 };
    let length = out.len() - at - FRAME_HEAD;
    let fits = length <= FRAME_MAX;
    let tail = if fits { Vec::new() } else { out.split_off(at + FRAME_HEAD + FRAME_MAX) };
    let flags = end_stream | if fits { flag::END_HEADERS } else { 0 };
    let head = FrameHead { length: length.min(FRAME_MAX), kind: kind::HEADERS, flags, stream };
    if let Some(place) = out.get_mut(at..at + FRAME_HEAD) {
        place.copy_from_slice(&head.octets());
    }
    let mut pieces = tail.chunks(FRAME_MAX).peekable();
    while let Some(piece) = pieces.next() {
        let flags = if pieces.peek().is_none() { flag::END_HEADERS } else { 0 };
        FrameHead { length: piece.len(), kind: kind::CONTINUATION, flags, stream }.write(out);
        out.extend_from_slice(piece);
    }
}

fn write_request(encoder: &mut Encoder, request: &OutgoingHead<'_>, out: &mut Vec<u8>) {
    encoder.begin(out);
    let method = if request.websocket { Method::Connect } else { request.head.method };
    let whole = match method {
        Method::Get => Some(2),
        Method::Post => Some(3),
        _ => None,
    };
    encoder.pseudo(2, whole, method.as_str().as_bytes(), out);
    encoder.authority(request.host, out);
    if method != Method::Connect || request.websocket {
        encoder.pseudo(6, Some(if request.scheme == "https" { 7 } else { 6 }), b"", out);
        encoder.pseudo(4, (request.target == b"/").then_some(4), request.target, out);
    }
    if request.websocket {
        encoder.field(Name::Other, b":protocol", b"websocket", out);
    }
    let skip = request.skip.union(ENGINE_FIELDS);
    let skip = if request.websocket { skip.union(WEBSOCKET_FIELDS) } else { skip };
    if !request.websocket {
        write_length(encoder, request.length.known().filter(|_| request.length != BodyLength::None), out);
    }
    if request.head.headers.list_contains(Name::Te, b"trailers") {
        encoder.field(Name::Te, b"te", b"trailers", out);
    }
    write_fields(encoder, &request.head.headers, skip, out);
    write_lines(encoder, request.extra, skip, out);
}

fn write_status(encoder: &mut Encoder, status: u16, out: &mut Vec<u8>) {
    encoder.begin(out);
    let whole = match status {
        200 => Some(8),
        204 => Some(9),
        206 => Some(10),
        304 => Some(11),
        400 => Some(12),
        404 => Some(13),
        500 => Some(14),
        _ => None,
    };
    let digits = [b'0' + (status / 100 % 10) as u8, b'0' + (status / 10 % 10) as u8, b'0' + (status % 10) as u8];
    encoder.pseudo(8, whole, &digits, out);
}

fn write_length(encoder: &mut Encoder, length: Option<u64>, out: &mut Vec<u8>) {
    let Some(length) = length else { return };
    let mut digits = [0u8; 20];
    let text = decimal_text(length, &mut digits);
    encoder.field(Name::ContentLength, b"content-length", text, out);
}

fn write_fields(encoder: &mut Encoder, headers: &Headers, skip: NameSet, out: &mut Vec<u8>) {
    for field in headers.iter().filter(|field| !skip.contains(field.known)) {
        encoder.field(field.known, field.name, field.value, out);
    }
}

/// Appends lines that were written for HTTP/1: `name: value CRLF`, by ourselves.
fn write_lines(encoder: &mut Encoder, lines: &[u8], skip: NameSet, out: &mut Vec<u8>) {
    for line in lines.split(|&b| b == b'\n') {
        let Some(colon) = line.iter().position(|&b| b == b':') else { continue };
        let (name, value) = line.split_at_checked(colon).unwrap_or_default();
        let known = Name::from_bytes(name);
        if !skip.contains(known) {
            encoder.field(known, name, value.get(1..).unwrap_or_default().trim_ascii(), out);
        }
    }
}
