//! What HTTP/1 asks of a proxy, as data, and the machine that asks it.
//!
//! - `corpus/*.http1`: cases named by RFC section, the bytes of client and origin and what each side must see
//!   (format: [`corpus`]);
//! - [`origin`], [`client`]: the two ends, raw sockets on plain threads, recording every byte;
//! - [`judge`]: the observation held against the expectation;
//! - [`target`]: Strait and the peers it is compared with, each with the configuration its own manual advises;
//! - [`oracle`]: a second HTTP/1 parser, for differential tests of the first.
//!
//! Knows nothing of Strait's own crates: a proxy is a program with a port.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "development crate: a broken assumption should stop the run"
)]

pub mod client;
pub mod corpus;
pub mod escape;
pub mod judge;
pub mod oracle;
pub mod origin;
pub mod report;
pub mod run;
pub mod target;
