//! HTTP/1.0 and HTTP/1.1 as state machines (RFC 9110, RFC 9112): bytes in, events and bytes out.
//!
//! One engine serves both roles: [`Server`] faces a client, [`Client`] faces an origin, and both are strict, for an
//! origin is as little to be trusted as a client. What is ambiguous is refused with a [`Misdeed`]; nothing that was
//! received is copied through unparsed; the outgoing message is serialised anew, with framing decided here.
//!
//! Knows nothing about sockets, tasks, clocks or configuration, and never panics on what it is fed.
//!
//! The verbs, the same for both roles:
//! - `recv(bytes)` looks at received bytes, says how many it took and what it found. Bytes not taken must be
//!   presented again with more behind them.
//! - `send_head`, `send_data`, `send_end` append wire bytes to a buffer, and refuse a body of the wrong length.
//!
//! ```
//! use strait_http1::{Event, Limits, Server};
//! use strait_message::{BodyLength, RequestHead, ResponseHead, Status};
//!
//! let mut server = Server::new();
//! let mut head = RequestHead::default();
//! let received = server.recv(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", &mut head, &Limits::default())?;
//! assert_eq!((received.event, received.consumed), (Event::Head, 27));
//!
//! let mut out = Vec::new();
//! server.send_head(&ResponseHead::new(Status::OK), BodyLength::Fixed(2), b"", &mut out);
//! server.send_data(b"hi", &mut out)?;
//! server.send_end(None, &mut out)?;
//! assert_eq!(out, b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi");
//! # Ok::<(), strait_http1::Misdeed>(())
//! ```

mod body;
mod client;
mod connection;
mod encode;
mod head;
mod limits;
mod misdeed;
mod request;
mod response;
mod server;
#[cfg(test)]
mod tests;

pub use body::Decoder;
pub use client::{Client, OutgoingHead};
pub use encode::Encoder;
pub use limits::Limits;
pub use misdeed::Misdeed;
pub use server::{Persistence, Server};
pub use strait_message::syntax::{is_host, is_token};

use std::ops::Range;

/// What [`Server::recv`] or [`Client::recv`] found, and how many octets of the input it took.
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
    /// A head is complete and stands in the head that was passed in.
    Head,
    /// Body octets stand at these positions of the input.
    Data(Range<usize>),
    /// The message is complete, trailers included.
    End,
}
