//! What leaves the process about its traffic: access records written out, meters rendered for Prometheus.
//!
//! Knows `record`, and not who fills it: the control plane hands over what a scrape shows. Nothing here runs on a
//! worker, but for the handing over of finished lines, which never waits.

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

pub mod access_log;
pub mod destination;
pub mod otlp;
pub mod process;
pub mod prometheus;
pub mod sights;
