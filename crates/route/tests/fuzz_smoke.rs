//! The fuzz targets of this crate on their seeds and on mutations of them: see `fuzz/`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    unreachable_pub,
    reason = "tests"
)]

#[path = "../../../fuzz/src/smoke.rs"]
mod smoke;
#[path = "../../../fuzz/src/route.rs"]
mod targets;

#[test]
fn route_path() {
    smoke::run("route_path", 20_000, targets::route_path);
}

#[test]
fn route_target() {
    smoke::run("route_target", 20_000, targets::route_target);
}

#[test]
fn route_pattern() {
    smoke::run("route_pattern", 20_000, targets::route_pattern);
}
