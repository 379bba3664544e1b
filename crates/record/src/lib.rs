//! What is written down: the access record of an exchange, and the counters behind the metrics.
//!
//! Pure data and formatting. A worker is the only writer of its own meters, so that counting is a plain addition;
//! anyone may read them at any time, so that metrics answer while every worker is busy. Knows nothing about files,
//! sockets or the exposition format: `telemetry` writes records out and renders meters.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::panic, reason = "tests"))]

mod access;
mod answers;
mod attributes;
mod combined;
mod dialect;
mod ecs;
mod escape;
mod figures;
mod histogram;
mod json;
mod logfmt;
mod member;
mod members;
mod meter;
mod sight;
mod sink;
mod text;

pub use access::{AccessRecord, End, Format, TlsRecord};
pub use answers::{ANSWERS_MAX, Answered, Answers};
pub use attributes::{ATTRIBUTE_NAMES, Attribute};
pub use dialect::Dialect;
pub use escape::quotable;
pub use figures::rfc3339_us;
pub use histogram::{BOUNDS_US, Histogram};
pub use members::Members;
pub use meter::{
    Counter, EndpointMeter, FaultMeter, FilterMeter, FilterVerdict, Gauge, Http2Meter, RouteMeter, Sharded, TlsMeter,
    WorkerMeter,
};
pub use sight::{AttemptRecord, Sight, SightSink, Sights, TraceRecord, Wanted, Watched};
pub use sink::RecordSink;
