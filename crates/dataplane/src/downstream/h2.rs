//! Clients over HTTP/2: how their connections begin, and what an exchange on one of their streams receives and sends by.

use super::h1::{ClientConnection, Guest};
use crate::accept::Admitted;
use crate::fault;
use crate::h2::{Lane, LaneSocket, Link, Side, Waits};
use crate::io::Socket;
use crate::stream::Held;
use crate::worker::Worker;
use std::net::SocketAddr;
use std::rc::Rc;
use strait_http1::{Decoder, Encoder, Event, Received};
use strait_http2::{Connection, RequestFacts};
use strait_message::{BodyLength, Fault, Method, Name, Phase, RequestHead, ResponseHead, Status};

/// What ALPN calls it (RFC 9113 §3.2).
pub(crate) const ALPN: &[u8] = b"h2";
/// What a client begins with (RFC 9113 §3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What the first octets of a cleartext connection are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Opening {
    /// The preface of HTTP/2, or its first line, which nobody else sends.
    Preface,
    /// They may become it.
    Unclear,
    /// Something else.
    Other,
}

/// Looks at the first octets of a connection. They are the preface once no request of HTTP/1 begins so.
pub(crate) fn opening(octets: &[u8]) -> Opening {
    const LINE: usize = b"PRI * HTTP/2.0\r\n".len();
    let seen = octets.len().min(LINE);
    match (octets.get(..seen) == PREFACE.get(..seen), seen) {
        (true, LINE) => Opening::Preface,
        (true, _) => Opening::Unclear,
        (false, _) => Opening::Other,
    }
}

/// Begins a connection of HTTP/2, with what has arrived of it. A listener without it closes it.
pub(crate) fn welcome(client: ClientConnection, admitted: Admitted, held: Held) {
    let worker = admitted.worker().clone();
    let adopted = worker.adopted();
    let Some(listener) = adopted.listener(admitted.listener()) else { return };
    let limits = &listener.limits;
    let Some(http2) = limits.http2 else { return };
    let waits = Waits { first: limits.header_timeout, stall: limits.body_rate_window };
    let mut engine = Connection::server(http2, worker.clock.now_ms());
    if worker.draining.get() {
        engine.drain();
    }
    Link::begin(Side::Client { client, admitted }, engine, held, waits);
}

/// Lets a stream into a room.
pub(crate) fn enter(worker: &Rc<Worker>, lane: Rc<Lane>, peer: SocketAddr) {
    let client = ClientConnection::new(Socket::Lane(LaneSocket(lane)), peer);
    worker.rooms.enter(worker, Box::new(Guest::on_lane(client)));
}

/// An exchange's side of a stream that a client opened.
pub(crate) struct Serving {
    lane: Rc<Lane>,
    facts: Option<RequestFacts>,
    /// Of octets that are a body as they come; where it ends is known by the stream.
    pub(crate) decoder: Decoder,
    pub(crate) encoder: Encoder,
}

impl Serving {
    pub(crate) fn new(lane: Rc<Lane>) -> Self {
        Self { lane, facts: None, decoder: Decoder::default(), encoder: Encoder::Done }
    }

    /// Takes the request head, which arrived before the exchange began.
    pub(crate) fn recv(&mut self, head: &mut RequestHead) -> Result<Received, Fault> {
        let taken = self.lane.take_request(head);
        let facts = taken.map_err(|misdeed| fault::client_misdeed2(Phase::RequestHead, misdeed))?;
        self.facts = facts;
        if !self.request_length().is_none() {
            self.decoder = Decoder::new(BodyLength::UntilClose);
        }
        if self.wants_websocket() {
            // RFC 8441 §5: HTTP/1 asks with GET, and for proof that it was understood.
            head.method = Method::Get;
            let random = [0; 2].map(|_: u64| self.lane.link().worker.ids.borrow_mut().random());
            head.headers.push_name(Name::SecWebsocketKey, &websocket_key(random));
        }
        Ok(Received { consumed: 0, event: Event::Head })
    }

    pub(crate) fn request_length(&self) -> BodyLength {
        match self.facts {
            Some(facts) if facts.wants_websocket => BodyLength::None,
            Some(facts) => facts.length,
            None => BodyLength::None,
        }
    }

    pub(crate) fn wants_websocket(&self) -> bool {
        self.facts.is_some_and(|facts| facts.wants_websocket)
    }

    pub(crate) fn send_interim(&mut self, head: &ResponseHead) {
        if let Some(stream) = self.lane.stream() {
            // That the stream has ended is noticed elsewhere.
            let _ = self.lane.link().with(|engine| engine.send_interim(stream, head));
        }
    }

    pub(crate) fn send_switch(&mut self, head: &mut ResponseHead, extra: &[u8]) {
        head.status = Status::OK;
        self.send_head(head, BodyLength::Unknown, extra);
    }

    /// Sends the final head; always true.
    pub(crate) fn send_head(&mut self, head: &ResponseHead, length: BodyLength, extra: &[u8]) -> bool {
        let Some(stream) = self.lane.stream() else { return true };
        let ends = self.lane.link().with(|engine| engine.send_head(stream, head, length, extra));
        let ends = ends.unwrap_or(false);
        if ends {
            self.lane.ended_with_head();
        }
        self.encoder = if ends { Encoder::Done } else { Encoder::UntilClose };
        true
    }

    pub(crate) fn end_behind(&mut self, octets: usize) {
        self.encoder = Encoder::Done;
        self.lane.end_behind(octets, None);
    }
}

/// Sixteen octets in base64 (RFC 6455 §4.1).
fn websocket_key(random: [u64; 2]) -> [u8; 24] {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let [high, low] = random;
    let bits = u128::from(high) << 64 | u128::from(low);
    let mut key = [b'='; 24];
    for (place, digit) in key.iter_mut().take(22).enumerate() {
        // The last digit has two bits, with zeros behind them.
        let six = if place < 21 { bits >> (122 - 6 * place) } else { bits << 4 } as usize & 63;
        *digit = DIGITS.get(six).copied().unwrap_or_default();
    }
    key
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::{Opening, PREFACE, opening, websocket_key};

    #[test]
    fn a_key_is_sixteen_octets_in_base64() {
        assert_eq!(&websocket_key([0; 2]), b"AAAAAAAAAAAAAAAAAAAAAA==");
        assert_eq!(&websocket_key([u64::MAX; 2]), b"/////////////////////w==");
        // The example of RFC 6455 §1.3: "the sample nonce".
        let nonce = [u64::from_be_bytes(*b"the samp"), u64::from_be_bytes(*b"le nonce")];
        assert_eq!(&websocket_key(nonce), b"dGhlIHNhbXBsZSBub25jZQ==");
    }

    #[test]
    fn the_preface_is_told_from_requests_at_every_octet() {
        for end in 0..PREFACE.len() {
            let seen = opening(&PREFACE[..end]);
            assert_eq!(seen, if end < 16 { Opening::Unclear } else { Opening::Preface }, "{end}");
        }
        for other in [&b"PROPFIND"[..], b"POST / HTTP/1.1\r\n", b"PRI * HTTP/1.1\r\n\r\n", b"GET"] {
            assert_eq!(opening(other), Opening::Other);
        }
    }
}
