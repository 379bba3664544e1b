//! The data path: workers that accept connections, run exchanges and keep connections to endpoints.
//!
//! One worker is one OS thread with a runtime, listeners, pools, timers and counters of its own; nothing here is
//! shared between workers but what is named in `strait_plan::EndpointState`. The walk of a request, in order:
//! [`worker`] → [`accept`] → [`downstream`] → [`exchange`] → [`attempt`] → [`upstream`] → [`relay`] → [`finish`].
//!
//! Knows plans, never configuration; decides nothing that a plan could have decided.

mod accept;
mod alarm;
mod attempt;
mod buffer;
mod choose;
mod clients;
mod clock;
mod course;
mod deadline;
mod download;
mod downstream;
mod exchange;
mod fault;
mod files;
mod filter;
mod finish;
mod fleet;
mod forward;
mod h2;
mod inherited;
mod io;
mod known;
mod lobby;
mod log;
mod mail;
mod pace;
mod relay;
mod reply;
mod request_id;
mod retry;
mod room;
mod scratch;
mod sight;
#[cfg(feature = "sim")]
pub mod sim;
mod splice;
mod stream;
mod tls;
mod upstream;
mod worker;

pub use fleet::{Fleet, Settings};
pub use inherited::Inherited;
