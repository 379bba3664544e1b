//! HTTP/2 as a state machine (RFC 9113, 7541, 8441, 9218): bytes in, events and bytes out.
//!
//! One engine, [`Connection`], serves both roles: towards a client and towards an origin. It is strict, for an origin
//! is as little to be trusted as a client: a message that is malformed by RFC 9113 §8 ends its stream, without
//! exception, and what breaks the connection's own state ends the connection. The attacks that live in this protocol
//! meet their budget here: resets, floods of frames that bring nothing forward, field blocks that grow, windows that
//! never open.
//!
//! Knows nothing about sockets, tasks, clocks or configuration, and never panics on what it is fed: time comes in as
//! the caller's milliseconds.
//!
//! The verbs:
//! - [`Connection::recv`] looks at received bytes, says how many it took and what it found. Bytes not taken must be
//!   presented again with more behind them.
//! - [`Connection::open`], [`Connection::send_head`], [`Connection::send_data`], [`Connection::send_end`],
//!   [`Connection::reset`] append frames to [`Connection::output`].
//! - [`Connection::release`] gives a stream back. Until then it counts against the limit of streams, whoever reset it.
//! - [`Connection::next_deadline`] and [`Connection::on_deadline`].
//!
//! ```
//! use strait_http2::{Connection, Event, Limits, OutgoingHead, Scratch};
//! use strait_message::{BodyLength, Method, NameSet, RequestHead, ResponseHead, Status};
//!
//! let (mut client, mut server) = (Connection::client(Limits::default(), 0), Connection::server(Limits::default(), 0));
//! let request = OutgoingHead { head: &RequestHead::new(Method::Get), target: b"/", host: b"a", scheme: "https",
//!     skip: NameSet::EMPTY, extra: b"", length: BodyLength::None, websocket: false };
//! client.open(&request)?;
//!
//! let (mut scratch, mut input) = (Scratch::default(), client.output().to_vec());
//! let stream = loop {
//!     let received = server.recv(&input, &mut scratch, 0)?;
//!     input.drain(..received.consumed);
//!     if let Event::Request { stream, .. } = received.event { break stream }
//! };
//! assert_eq!(scratch.request.target(), b"/");
//! server.send_head(stream, &ResponseHead::new(Status::OK), BodyLength::Fixed(2), b"")?;
//! assert_eq!(server.send_data(stream, b"hi", true)?, 2);
//! server.release(stream);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod budget;
mod connection;
mod error;
mod fields;
mod frame;
mod hpack;
mod limits;
mod misdeed;
mod priority;
mod stream;
#[cfg(test)]
mod tests;

pub use connection::{Connection, Figures, OutgoingHead, Scratch, SendError, Unopened};
pub use error::ErrorCode;
pub use fields::{RequestFacts, ResponseFacts};
pub use limits::Limits;
pub use misdeed::Misdeed;
pub use priority::Priority;
pub use stream::StreamId;

use std::ops::Range;

/// What [`Connection::recv`] found, and how many octets of the input it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Octets taken from the front of the input. For [`Event::Data`] this includes the data.
    pub consumed: usize,
    /// What was found.
    pub event: Event,
}

/// What a look at received bytes found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Nothing complete yet: more bytes are needed behind those not consumed.
    NeedMore,
    /// A request head is complete and stands in the scratch.
    Request {
        /// The stream that it opened.
        stream: StreamId,
        /// What it means.
        facts: RequestFacts,
    },
    /// The peer opened a stream with a head over the limits: answer with the misdeed's status.
    Refused {
        /// The stream that it opened.
        stream: StreamId,
        /// Which limit it was.
        misdeed: Misdeed,
    },
    /// An interim response head stands in the scratch.
    Interim {
        /// Its stream.
        stream: StreamId,
    },
    /// The final response head stands in the scratch.
    Response {
        /// Its stream.
        stream: StreamId,
        /// What it means.
        facts: ResponseFacts,
    },
    /// Body octets stand at these positions of the input. Their room in the windows is given back by
    /// [`Connection::consume`].
    Data {
        /// Their stream.
        stream: StreamId,
        /// Where they stand; may be empty when the stream ends here.
        range: Range<usize>,
        /// Whether the message is complete.
        ends: bool,
    },
    /// The trailers stand in the scratch, and the message is complete.
    Trailers {
        /// Their stream.
        stream: StreamId,
    },
    /// The stream has ended before its time. It still must be released. One that was never announced (its head was
    /// malformed) need not be.
    Reset {
        /// The stream.
        stream: StreamId,
        /// Why.
        cause: Cause,
    },
    /// [`Connection::send_data`] took less than it was given, and would take more now.
    Writable {
        /// The stream.
        stream: StreamId,
    },
    /// The peer will take no more streams.
    Goaway {
        /// Its reason.
        code: ErrorCode,
    },
    /// The peer's settings arrived, or changed.
    Settings,
    /// The peer answered our PING.
    Pong,
}

/// Why a stream ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The peer reset it.
    Peer(ErrorCode),
    /// The peer broke the protocol on it, and we reset it.
    Misdeed(Misdeed),
    /// The peer went away without having looked at it: it may be tried again, whatever its method.
    NotProcessed,
}
