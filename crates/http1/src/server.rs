//! The downstream role: a client sends requests, responses are sent to it.

use crate::encode::{ENGINE_FIELDS, write_connection, write_length};
use crate::head::{LineReader, field_section};
use crate::request::{RequestFacts, facts, request_line};
use crate::{Decoder, Encoder, Event, Limits, Misdeed, Received};
use strait_message::{BodyLength, Headers, Method, RequestHead, ResponseHead, Status, Version};

/// One client connection, over all its requests.
#[derive(Clone, Debug, Default)]
pub struct Server {
    stage: Stage,
    /// What the current request asked for; set when its head is complete.
    facts: Option<RequestFacts>,
    decoder: Decoder,
    encoder: Encoder,
    /// The method is HEAD; known before the head is complete, for an answer to one that is refused.
    to_head: bool,
    closing: bool,
    answered: bool,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    /// Before or in the request line. At most one empty line is passed over (RFC 9112 §2.2).
    Line {
        reader: LineReader,
        empty_line_seen: bool,
    },
    Fields {
        reader: LineReader,
    },
    Body,
}

impl Default for Stage {
    fn default() -> Self {
        Self::Line { reader: LineReader::default(), empty_line_seen: false }
    }
}

/// What becomes of the connection after an exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Persistence {
    /// Another request may follow.
    KeepAlive,
    /// It must be closed.
    Close,
}

impl Server {
    /// A connection on which nothing was received.
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks at received bytes. While a head is being read it is filled into `head`, which must be the same from
    /// call to call and empty at first; behind the body, trailer fields replace its `headers`' place in
    /// [`Server::recv_body`].
    ///
    /// # Errors
    /// A [`Misdeed`]: answer with its status and close.
    pub fn recv(&mut self, input: &[u8], head: &mut RequestHead, limits: &Limits) -> Result<Received, Misdeed> {
        let mut at = 0;
        loop {
            let rest = input.get(at..).unwrap_or_default();
            match &mut self.stage {
                Stage::Line { reader, empty_line_seen } => {
                    // The line may be as long as its target may be, with room for method and version, so that a
                    // target over its limit is called that.
                    let line_max = limits.target_bytes_max.saturating_add(64);
                    let Some(line) = reader.next_line(rest, line_max, Misdeed::TargetTooLong)? else {
                        return Ok(Received { consumed: at, event: Event::NeedMore });
                    };
                    at += line.len() + 2;
                    if line.is_empty() && !*empty_line_seen {
                        self.stage = Stage::Line { reader: LineReader::default(), empty_line_seen: true };
                        continue;
                    }
                    request_line(line, limits.target_bytes_max, head)?;
                    self.to_head = head.method == Method::Head;
                    self.stage = Stage::Fields { reader: *reader };
                }
                Stage::Fields { reader } => {
                    let (taken, complete) = field_section(
                        reader,
                        rest,
                        &mut head.headers,
                        (limits.head_bytes_max, Misdeed::HeadTooLarge),
                        (limits.fields_max, Misdeed::TooManyFields),
                    )?;
                    let event = if complete { self.begin_body(head)? } else { Event::NeedMore };
                    return Ok(Received { consumed: at + taken, event });
                }
                Stage::Body => return Ok(Received { consumed: at, event: Event::NeedMore }),
            }
        }
    }

    fn begin_body(&mut self, head: &mut RequestHead) -> Result<Event, Misdeed> {
        let facts = facts(head)?;
        self.decoder = Decoder::new(facts.length);
        self.stage = Stage::Body;
        self.facts = Some(facts);
        Ok(Event::Head)
    }

    /// Looks at received bytes of the body. After [`Event::End`] trailer fields stand in `trailers`.
    ///
    /// # Errors
    /// A [`Misdeed`]: answer with its status if no response has begun, and close.
    pub fn recv_body(&mut self, input: &[u8], trailers: &mut Headers, limits: &Limits) -> Result<Received, Misdeed> {
        let received = self.decoder.recv(input, trailers, limits);
        // What follows a broken body cannot be told apart from a request: an answer must say that it is the last.
        self.closing |= received.is_err();
        received
    }

    /// Says that the client will send nothing more.
    ///
    /// # Errors
    /// [`Misdeed::Truncated`] when it ended inside a message.
    pub fn recv_eof(&mut self) -> Result<(), Misdeed> {
        match self.stage {
            Stage::Line { reader, .. } if reader == LineReader::default() => Ok(()),
            Stage::Line { .. } | Stage::Fields { .. } => Err(Misdeed::Truncated),
            Stage::Body => self.decoder.recv_eof(),
        }
    }

    /// The length of the current request's body.
    pub fn request_length(&self) -> BodyLength {
        self.facts.map_or(BodyLength::None, |facts| facts.length)
    }

    /// Whether the whole request has been received.
    pub fn request_is_done(&self) -> bool {
        matches!(self.stage, Stage::Body) && self.decoder.is_done()
    }

    /// Whether the client waits for `100 Continue` before it sends the body.
    pub fn expects_continue(&self) -> bool {
        self.facts.is_some_and(|facts| facts.expects_continue)
    }

    /// Whether the request asks to become a WebSocket.
    pub fn wants_websocket(&self) -> bool {
        self.facts.is_some_and(|facts| facts.wants_websocket)
    }

    /// The decoder of the request body, for octets that go around the engine.
    pub fn decoder_mut(&mut self) -> &mut Decoder {
        &mut self.decoder
    }

    /// The encoder of the response body, for data that is written from where it lies.
    pub fn encoder_mut(&mut self) -> &mut Encoder {
        &mut self.encoder
    }

    /// From now on the connection ends with the current exchange, and the response says so.
    pub fn close_after_response(&mut self) {
        self.closing = true;
    }

    /// Appends an interim response. Clients of HTTP/1.0 get none (RFC 9110 §15.2), nor does one that has its final
    /// response.
    pub fn send_interim(&mut self, head: &ResponseHead, out: &mut Vec<u8>) {
        if self.facts.is_some_and(|facts| !facts.is_http10) && !self.answered {
            write_status_line(head.status, out);
            head.headers.append_lines(ENGINE_FIELDS, out);
            out.extend_from_slice(b"\r\n");
        }
    }

    /// Appends `101 Switching Protocols` for a WebSocket. What follows is a tunnel, not a message.
    pub fn send_switch(&mut self, head: &ResponseHead, extra: &[u8], out: &mut Vec<u8>) {
        write_status_line(Status::SWITCHING_PROTOCOLS, out);
        out.extend_from_slice(b"Connection: upgrade\r\nUpgrade: websocket\r\n");
        head.headers.append_lines(ENGINE_FIELDS, out);
        out.extend_from_slice(extra);
        out.extend_from_slice(b"\r\n");
        self.closing = true;
        self.answered = true;
    }

    /// Appends the final response head. `length` is what the head announces: for a response to HEAD, or 304, what
    /// the body would have been; none is then sent. `extra` holds further complete field lines.
    ///
    /// A body of unknown length is chunked, or for a client of HTTP/1.0 ended by closing.
    pub fn send_head(&mut self, head: &ResponseHead, length: BodyLength, extra: &[u8], out: &mut Vec<u8>) {
        let http10 = self.facts.is_some_and(|facts| facts.is_http10);
        let bodiless = self.to_head || head.status.forbids_body();
        let framed = match length {
            BodyLength::Unknown if head.status.forbids_body() => BodyLength::None,
            BodyLength::Unknown if http10 => BodyLength::UntilClose,
            // A response without framing would last until the connection closes (RFC 9112 §6.3 rule 8).
            BodyLength::None if !bodiless => BodyLength::Fixed(0),
            BodyLength::UntilClose if !http10 => BodyLength::Unknown,
            other => other,
        };
        self.encoder = if bodiless { Encoder::Done } else { Encoder::new(framed) };
        // The body is not complete yet: whether the connection lasts is decided now, by what is known now.
        self.closing |= self.encoder == Encoder::UntilClose || self.facts.is_none_or(|facts| !facts.keep_alive);
        write_status_line(head.status, out);
        if !(head.status.forbids_body() && head.status != Status::NOT_MODIFIED) {
            write_length(framed, out);
        }
        match (self.closing, http10) {
            (true, false) => write_connection(&[b"close"], out),
            (false, true) => write_connection(&[b"keep-alive"], out),
            _ => {}
        }
        head.headers.append_lines(ENGINE_FIELDS, out);
        out.extend_from_slice(extra);
        out.extend_from_slice(b"\r\n");
        self.answered = true;
    }

    /// Whether the head of the final response has been sent.
    pub fn response_has_begun(&self) -> bool {
        self.answered
    }

    /// Whether the end of the response can be told from a broken connection.
    pub fn response_is_framed(&self) -> bool {
        self.encoder != Encoder::UntilClose
    }

    /// Whether the response says that the connection will be closed.
    pub fn is_closing(&self) -> bool {
        self.closing
    }

    /// Appends body octets with their framing.
    ///
    /// # Errors
    /// [`Misdeed::BodyTooLong`] when they are more than the head announced.
    pub fn send_data(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<(), Misdeed> {
        self.encoder.data(data, out)
    }

    /// Appends the end of the response.
    ///
    /// # Errors
    /// [`Misdeed::BodyTooShort`] when octets are missing: the connection must be closed.
    pub fn send_end(&mut self, trailers: Option<&Headers>, out: &mut Vec<u8>) -> Result<(), Misdeed> {
        self.encoder.end(trailers, out)
    }

    /// Whether the client said that this was its last request (RFC 9112 §9.6), and all of it has been received: nothing
    /// more will come.
    pub fn client_is_done(&self) -> bool {
        self.request_is_done() && self.facts.is_some_and(|facts| facts.is_last)
    }

    /// Ends the exchange. The connection lasts only when request and response are both complete.
    pub fn finish(&mut self) -> Persistence {
        let complete = self.request_is_done() && self.answered && self.encoder == Encoder::Done;
        if self.closing || !complete {
            return Persistence::Close;
        }
        *self = Self::default();
        Persistence::KeepAlive
    }

    /// The version of the current request.
    pub fn version(&self) -> Version {
        if self.facts.is_some_and(|facts| facts.is_http10) { Version::Http10 } else { Version::Http11 }
    }
}

fn write_status_line(status: Status, out: &mut Vec<u8>) {
    let [a, b, c] = [100, 10, 1].map(|unit| b'0' + (status.code() / unit % 10) as u8);
    out.extend_from_slice(&[b'H', b'T', b'T', b'P', b'/', b'1', b'.', b'1', b' ', a, b, c, b' ']);
    out.extend_from_slice(status.reason().as_bytes());
    out.extend_from_slice(b"\r\n");
}
