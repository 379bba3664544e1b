//! Whole workers of Strait under a paused clock, between simulated clients and origins, over a network in memory that
//! splits, stalls, cuts and refuses. One seed is one run: the same seed, the same octets at the same times.
//!
//! Clients and origins speak an HTTP of their own, written apart from the engine. Payloads name the request they
//! belong to, so that no answer can be mixed up unseen; what must hold for every run is checked while it goes on
//! and at its end.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a development crate: whatever it does not expect should end the run loudly"
)]
#![allow(clippy::type_complexity, reason = "a test harness: the types are read where they are used")]

mod case;
mod client;
mod origin;
mod panics;
mod records;
mod run;
mod seeds;
mod wire;
mod world;

pub use run::{Report, run};
pub use seeds::{Verdict, replay_line, run_seeds};
