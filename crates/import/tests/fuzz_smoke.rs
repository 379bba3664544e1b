//! The fuzz targets of this crate on their seeds and on mutations of them: see `fuzz/`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "tests"
)]

#[macro_use]
#[path = "../../../fuzz/src/smoke.rs"]
mod smoke;
#[path = "../../../fuzz/src/import.rs"]
mod targets;

smoke!(300: import_nginx);
