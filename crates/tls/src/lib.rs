//! TLS without sockets, files and clocks: certificates and who gets which, policies of listeners and of endpoints,
//! tickets, the identity of clients, a local authority, OCSP, and a connection's engine: octets in, octets out.
//!
//! - [`Certificate`] is a chain with its key, checked when it is read; [`Chooser`] picks one by name and algorithm.
//! - [`ServerPolicy`] is how one set of names is served; [`ListenerTls`] finds the policy of a name, for the handshake
//!   (by the name the client asked for) and again for each request (by its Host): they must be the same.
//! - [`ClientPolicy`] is how endpoints are spoken to.
//! - [`TlsEngine`] drives one connection of either role.
//!
//! Knows rustls; knows nothing about configuration, sockets, tasks or where bytes come from.

mod authority;
mod certificate;
mod client;
mod engine;
mod failure;
mod hello;
mod identity;
mod names;
mod ocsp;
mod policy;
mod provider;
mod subject;
mod tickets;

pub use authority::{Authority, LEAF_DAYS};
pub use certificate::{Algorithm, Certificate, Flaw, Part, certificates, revocation_lists};
pub use client::{ClientPolicy, ClientSettings, Trust};
pub use engine::{Room, TlsEngine};
pub use failure::failure_of;
pub use hello::{Hello, Peeked, peek};
pub use identity::{Facts, Identity};
pub use names::{Found, Names, matches};
pub use ocsp::{OcspOrder, Staple};
pub use policy::{Choice, Chooser, ClientAuth, ListenerTls, PolicyError, ServerPolicy, ServerSettings};
pub use provider::VersionMin;
pub use rustls::Error as EngineError;
pub use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
pub use strait_message::HandshakeFailure;
pub use tickets::TicketKeys;

#[cfg(test)]
mod tests;
