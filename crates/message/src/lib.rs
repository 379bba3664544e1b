//! The vocabulary every room of Strait shares: what a message is made of, and what can go wrong with it.
//!
//! Pure data. Knows nothing about sockets, time, configuration, or any version of the wire format: the engines
//! (`http1`, later `http2` and `http3`) fill these types from bytes and turn them into bytes again.

mod advice;
mod fault;
mod handshake;
mod head;
mod headers;
mod length;
mod method;
mod name;
mod status;
pub mod syntax;

pub use fault::{Fault, Kind, Origin, Phase, Retry};
pub use handshake::HandshakeFailure;
pub use head::{RequestHead, ResponseHead, Version};
pub use headers::{Field, Headers, Line, Span};
pub use length::BodyLength;
pub use method::Method;
pub use name::{Name, NameSet};
pub use status::Status;
