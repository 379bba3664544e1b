//! A record as one line for people: columns of fixed width first, so that the eye finds them, then what varies.

use crate::escape::{Escaping, column, words};
use crate::figures::{address, decimal, instant_ms};
use crate::{AccessRecord, End};
use std::fmt::Write;
use strait_message::Status;

const DIM: &[u8] = b"\x1b[2m";
const RESET: &[u8] = b"\x1b[0m";

/// Writes time, client, method, status, octets of the response body, duration, host and path, where the request
/// went, and how it ended when not well.
pub(crate) fn write(record: &AccessRecord<'_>, color: bool, out: &mut Vec<u8>) {
    painted(color.then_some(DIM), out, |out| instant_ms(record.time_us, out));
    out.push(b' ');
    padded(15, out, |out| match record.client {
        Some(client) => address(client.ip(), out),
        None => out.push(b'-'),
    });
    out.push(b' ');
    padded(7, out, |out| out.extend_from_slice(record.method.as_ref().map_or("-", |m| m.as_str()).as_bytes()));
    out.push(b' ');
    painted(color.then(|| paint(record.status)), out, |out| match record.status {
        Some(status) => decimal(status.code().into(), out),
        None => out.extend_from_slice(b"---"),
    });
    aligned(9, out, |out| bytes(record.response_bytes, out));
    aligned(9, out, |out| duration(record.duration_us, out));
    out.push(b' ');
    target(record, out);
    painted(color.then_some(DIM), out, |out| destination(record, out));
    if let End::Filter(name) = record.end {
        out.extend_from_slice(b"  ");
        painted(color.then(|| paint(record.status)), out, |out| {
            out.extend_from_slice(b"filter:");
            out.extend_from_slice(name.as_bytes());
        });
    }
    if let End::Fault(fault) = record.end {
        out.extend_from_slice(b"  ");
        // Writing into a Vec does not fail.
        painted(color.then(|| paint(record.status)), out, |out| {
            let _ = write!(Escaping { escape: words, out }, "{fault}");
        });
    }
    out.push(b'\n');
}

fn target(record: &AccessRecord<'_>, out: &mut Vec<u8>) {
    column(record.host, out);
    column(record.path, out);
    if !record.query.is_empty() {
        out.push(b'?');
        column(record.query, out);
    }
    if record.host.is_empty() && record.path.is_empty() {
        out.push(b'-');
    }
}

/// The route, and the upstream and endpoint that were asked.
fn destination(record: &AccessRecord<'_>, out: &mut Vec<u8>) {
    if record.route.is_empty() {
        return;
    }
    out.extend_from_slice(b"  [");
    words(record.route.as_bytes(), out);
    if !record.upstream.is_empty() {
        out.extend_from_slice(" → ".as_bytes());
        column(record.upstream.as_bytes(), out);
        // An upstream written in place bears the name of its one endpoint.
        if !record.endpoint.is_empty() && record.endpoint != record.upstream {
            out.push(b'/');
            column(record.endpoint.as_bytes(), out);
        }
    }
    out.push(b']');
}

/// The colour of a status: by its class.
fn paint(status: Option<Status>) -> &'static [u8] {
    match status.map(Status::class) {
        Some(2) => b"\x1b[32m",
        Some(1 | 3) => b"\x1b[36m",
        Some(4) => b"\x1b[33m",
        _ => b"\x1b[31m",
    }
}

fn painted(paint: Option<&[u8]>, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.extend_from_slice(paint.unwrap_or_default());
    write(out);
    if paint.is_some() {
        out.extend_from_slice(RESET);
    }
}

/// Fills up with spaces behind.
fn padded(width: usize, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let end = out.len() + width;
    write(out);
    if out.len() < end {
        out.resize(end, b' ');
    }
}

/// Fills up with spaces before.
fn aligned(width: usize, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    write(out);
    let written = out.get(start..).unwrap_or_default();
    // Octets that continue a character (of `µ`) take no place.
    let places = written.iter().filter(|&octet| octet & 0xc0 != 0x80).count();
    let missing = width.saturating_sub(places);
    out.resize(out.len() + missing, b' ');
    if let Some(written) = out.get_mut(start..) {
        written.rotate_right(missing);
    }
}

/// At most five characters and a unit.
fn bytes(count: u64, out: &mut Vec<u8>) {
    match count {
        0..10_000 => scaled(count, 1, b"B", out),
        10_000..10_000_000 => scaled(count, 1_000, b"kB", out),
        10_000_000..10_000_000_000 => scaled(count, 1_000_000, b"MB", out),
        _ => scaled(count, 1_000_000_000, b"GB", out),
    }
}

fn duration(us: u64, out: &mut Vec<u8>) {
    match us {
        0..1_000 => scaled(us, 1, "µs".as_bytes(), out),
        1_000..1_000_000 => scaled(us, 1_000, b"ms", out),
        _ => scaled(us, 1_000_000, b"s", out),
    }
}

/// A count in units, with one decimal place where it was divided.
fn scaled(count: u64, divisor: u64, unit: &[u8], out: &mut Vec<u8>) {
    decimal(count / divisor, out);
    if divisor > 1 {
        out.push(b'.');
        decimal(count % divisor * 10 / divisor, out);
    }
    out.extend_from_slice(unit);
}
