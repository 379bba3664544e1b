//! TLS on connections of both sides: the engine of `strait_tls` between a socket and whoever reads and writes.

mod accept;
mod connect;
mod secured;
mod stream;

pub(crate) use accept::{Arrival, serve};
pub(crate) use connect::connect;
pub(crate) use secured::Secured;
pub(crate) use stream::{DetachedTls, TlsStream};
