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
#[path = "../../../fuzz/src/http1.rs"]
mod targets;

#[test]
fn request_head() {
    smoke::run("request_head", 20_000, targets::request_head);
}

#[test]
fn response_head() {
    smoke::run("response_head", 20_000, targets::response_head);
}

#[test]
fn chunked_body() {
    smoke::run("chunked_body", 20_000, targets::chunked_body);
}

#[test]
fn server_sequence() {
    smoke::run("server_sequence", 20_000, targets::server_sequence);
}

#[test]
fn client_sequence() {
    smoke::run("client_sequence", 20_000, targets::client_sequence);
}
