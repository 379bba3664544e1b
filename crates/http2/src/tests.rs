#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod attacks;
mod conformance;
mod drive;
mod exchange;
mod properties;
