//! The upstream role: a request is sent to an origin, its response is received.

use crate::connection::ConnectionOptions;
use crate::encode::{ENGINE_FIELDS, write_connection, write_length};
use crate::head::{LineReader, field_section};
use crate::response::{ResponseFacts, facts, status_line};
use crate::{Decoder, Encoder, Event, Limits, Misdeed, Received};
use strait_message::{BodyLength, Headers, Method, Name, NameSet, RequestHead, ResponseHead, Status};

/// One connection to an origin, over one exchange; [`Client::finish`] readies it for the next.
#[derive(Clone, Debug, Default)]
pub struct Client {
    stage: Stage,
    facts: Option<ResponseFacts>,
    decoder: Decoder,
    encoder: Encoder,
    to_head: bool,
    to_connect: bool,
    asked_websocket: bool,
    interim: u8,
}

#[derive(Clone, Copy, Debug, Default)]
enum Stage {
    /// No request was sent, so that nothing may be received.
    #[default]
    Idle,
    Line(LineReader),
    Fields(LineReader),
    Body,
    /// The connection is a tunnel now.
    Switched,
}

impl Client {
    /// A connection on which nothing was sent.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends the request head: request line with `target`, Host with `host`, framing for `length`, the fields of
    /// `head` except those in `skip`, and `extra`, which holds further complete field lines.
    ///
    /// `websocket` asks for the upgrade to one.
    pub fn send_head(&mut self, request: &OutgoingHead<'_>, out: &mut Vec<u8>) {
        let head = request.head;
        // A request cannot end with the connection (RFC 9112 §6.3 rule 7).
        let length = if request.length == BodyLength::UntilClose { BodyLength::Unknown } else { request.length };
        self.stage = Stage::Line(LineReader::default());
        self.to_head = head.method == Method::Head;
        self.to_connect = head.method == Method::Connect;
        self.asked_websocket = request.websocket;
        self.encoder = Encoder::new(length);
        out.extend_from_slice(head.method.as_str().as_bytes());
        out.push(b' ');
        out.extend_from_slice(request.target);
        out.extend_from_slice(b" HTTP/1.1\r\nHost: ");
        out.extend_from_slice(request.host);
        out.extend_from_slice(b"\r\n");
        write_length(length, out);
        let trailers = head.headers.list_contains(Name::Te, b"trailers");
        write_hop_fields(request.websocket, trailers, out);
        head.headers.append_lines(request.skip.union(ENGINE_FIELDS).with(Name::Host), out);
        out.extend_from_slice(request.extra);
        out.extend_from_slice(b"\r\n");
    }

    /// Appends body octets with their framing.
    ///
    /// # Errors
    /// [`Misdeed::BodyTooLong`] when they are more than the head announced.
    pub fn send_data(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<(), Misdeed> {
        self.encoder.data(data, out)
    }

    /// Appends the end of the request.
    ///
    /// # Errors
    /// [`Misdeed::BodyTooShort`] when octets are missing: the connection must be closed.
    pub fn send_end(&mut self, trailers: Option<&Headers>, out: &mut Vec<u8>) -> Result<(), Misdeed> {
        self.encoder.end(trailers, out)
    }

    /// The encoder of the request body, for data that is written from where it lies.
    pub fn encoder_mut(&mut self) -> &mut Encoder {
        &mut self.encoder
    }

    /// The decoder of the response body, for octets that go around the engine.
    pub fn decoder_mut(&mut self) -> &mut Decoder {
        &mut self.decoder
    }

    /// Looks at received bytes until a head is complete. An interim head (1xx) is an [`Event::Head`] too: clear
    /// `head` and call again for what follows it.
    ///
    /// # Errors
    /// A [`Misdeed`] of the origin: the connection must be closed.
    pub fn recv(&mut self, input: &[u8], head: &mut ResponseHead, limits: &Limits) -> Result<Received, Misdeed> {
        let mut at = 0;
        loop {
            let rest = input.get(at..).unwrap_or_default();
            match &mut self.stage {
                Stage::Idle if rest.is_empty() => return Ok(Received { consumed: at, event: Event::NeedMore }),
                Stage::Idle => return Err(Misdeed::UnaskedBytes),
                Stage::Line(reader) => {
                    let Some(line) = reader.next_line(rest, limits.head_bytes_max, Misdeed::HeadTooLarge)? else {
                        return Ok(Received { consumed: at, event: Event::NeedMore });
                    };
                    at += line.len() + 2;
                    status_line(line, head)?;
                    self.stage = Stage::Fields(*reader);
                }
                Stage::Fields(reader) => {
                    let (taken, complete) = field_section(
                        reader,
                        rest,
                        &mut head.headers,
                        (limits.head_bytes_max, Misdeed::HeadTooLarge),
                        (limits.fields_max, Misdeed::TooManyFields),
                    )?;
                    let event = if complete { self.head_complete(head, limits)? } else { Event::NeedMore };
                    return Ok(Received { consumed: at + taken, event });
                }
                Stage::Body | Stage::Switched => return Ok(Received { consumed: at, event: Event::NeedMore }),
            }
        }
    }

    fn head_complete(&mut self, head: &mut ResponseHead, limits: &Limits) -> Result<Event, Misdeed> {
        let options = ConnectionOptions::take(&mut head.headers)?;
        if head.status == Status::SWITCHING_PROTOCOLS {
            let agreed = self.asked_websocket && options.upgrade && upgrades_to_websocket(&head.headers);
            self.stage = Stage::Switched;
            return if agreed { Ok(Event::Head) } else { Err(Misdeed::UnaskedUpgrade) };
        }
        if head.status.is_interim() {
            self.stage = Stage::Line(LineReader::default());
            self.interim = self.interim.saturating_add(1);
            let over = self.interim > limits.interim_max || self.interim == u8::MAX;
            return if over { Err(Misdeed::TooManyInterim) } else { Ok(Event::Head) };
        }
        if self.to_connect && head.status.class() == 2 {
            // RFC 9110 §9.3.6: what follows is the tunnel, whatever the fields say.
            self.stage = Stage::Switched;
            return Ok(Event::Head);
        }
        let facts = facts(head, options, self.to_head)?;
        self.decoder = Decoder::new(facts.length);
        self.facts = Some(facts);
        self.stage = Stage::Body;
        Ok(Event::Head)
    }

    /// Looks at received bytes of the body. After [`Event::End`] trailer fields stand in `trailers`.
    ///
    /// # Errors
    /// A [`Misdeed`] of the origin: the connection must be closed, and the client must see that the response is not
    /// complete.
    pub fn recv_body(&mut self, input: &[u8], trailers: &mut Headers, limits: &Limits) -> Result<Received, Misdeed> {
        self.decoder.recv(input, trailers, limits)
    }

    /// Says that the origin will send nothing more.
    ///
    /// # Errors
    /// [`Misdeed::Truncated`] when the response was not complete.
    pub fn recv_eof(&mut self) -> Result<(), Misdeed> {
        match self.stage {
            Stage::Body => self.decoder.recv_eof(),
            Stage::Idle | Stage::Switched => Ok(()),
            Stage::Line(_) | Stage::Fields(_) => Err(Misdeed::Truncated),
        }
    }

    /// What the final head announces: for a response to HEAD, or 304, what the body would have been.
    pub fn response_length(&self) -> BodyLength {
        self.facts.map_or(BodyLength::None, |facts| facts.announced)
    }

    /// Whether the response is complete.
    pub fn response_is_done(&self) -> bool {
        matches!(self.stage, Stage::Body) && self.decoder.is_done()
    }

    /// Whether any octet of a response has been seen.
    pub fn response_has_begun(&self) -> bool {
        match self.stage {
            Stage::Idle => false,
            Stage::Line(reader) => reader != LineReader::default() || self.interim > 0,
            Stage::Fields(_) | Stage::Body | Stage::Switched => true,
        }
    }

    /// Ends the exchange. The connection may be used again only when request and response are both complete, the
    /// origin agrees, and `unread` octets behind the response are none (RFC 9112 §9.3).
    pub fn finish(&mut self, unread: usize) -> bool {
        let agreed = self.facts.is_some_and(|facts| facts.keep_alive);
        let reusable = agreed && unread == 0 && self.response_is_done() && self.encoder == Encoder::Done;
        *self = Self::default();
        reusable
    }
}

/// What a request head is made of when it leaves.
#[derive(Clone, Copy, Debug)]
pub struct OutgoingHead<'a> {
    /// Method and fields.
    pub head: &'a RequestHead,
    /// The target to send, in origin form.
    pub target: &'a [u8],
    /// The value of Host.
    pub host: &'a [u8],
    /// Fields of `head` to leave out, besides those of the connection and of the framing.
    pub skip: NameSet,
    /// Further complete field lines.
    pub extra: &'a [u8],
    /// The length of the body.
    pub length: BodyLength,
    /// Whether to ask for a WebSocket.
    pub websocket: bool,
}

/// RFC 6455 §4.1: the origin agrees to a WebSocket and to nothing else.
fn upgrades_to_websocket(headers: &Headers) -> bool {
    let mut protocols = headers.list(Name::Upgrade);
    protocols.next().is_some_and(|protocol| protocol.eq_ignore_ascii_case(b"websocket")) && protocols.next().is_none()
}

/// Appends the fields that concern this connection alone.
fn write_hop_fields(websocket: bool, trailers: bool, out: &mut Vec<u8>) {
    if websocket {
        write_connection(&[b"upgrade"], out);
        out.extend_from_slice(b"Upgrade: websocket\r\n");
    } else if trailers {
        write_connection(&[b"TE"], out);
        out.extend_from_slice(b"TE: trailers\r\n");
    }
}
