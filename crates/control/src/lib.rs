//! The control plane: what stands beside the workers and tells them what to do.
//!
//! It meets them only at the published plan and the mailbox ([`strait_plan::Workers`]), and runs on threads of its
//! own, so that it answers while every worker is busy and a fault of its own stops no traffic.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::string_slice,
        reason = "tests"
    )
)]

pub mod admin;
pub mod client;
pub mod discover;
pub mod files;
pub mod health;
pub mod ocsp;
pub mod patch;
pub mod resolve;
pub mod signals;

/// Any number, all equally likely. A keyed hash of nothing is random by its key.
fn random() -> u64 {
    use std::hash::BuildHasher as _;
    std::hash::RandomState::new().hash_one(())
}

/// Tells the operator on stderr. `eprintln` would panic when it is closed.
fn say(message: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "strait: {message}");
}
