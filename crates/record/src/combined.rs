//! The Common Log Format of NCSA httpd, and `combined`, which nginx and Apache httpd made of it.

use crate::AccessRecord;
use crate::escape::quotable;
use crate::figures::{address, decimal, log_time};

/// Writes the record and a newline.
///
/// `host - - [time] "request" status octets`, and with `combined` Referer and User-Agent. The request line is the one
/// that was acted on: with the canonical path. Who the client logged in as is not known here, and is `-`.
pub(crate) fn write(record: &AccessRecord<'_>, combined: bool, out: &mut Vec<u8>) {
    match record.client {
        Some(client) => address(client.ip(), out),
        None => out.push(b'-'),
    }
    out.extend_from_slice(b" - - [");
    log_time(record.time_us, out);
    out.extend_from_slice(b"] \"");
    request_line(record, out);
    out.extend_from_slice(b"\" ");
    match record.shown_status() {
        Some(status) => decimal(status.code().into(), out),
        None => out.extend_from_slice(b"000"),
    }
    out.push(b' ');
    decimal(record.response_bytes, out);
    if combined {
        field(record.referer, out);
        field(record.user_agent, out);
    }
    out.push(b'\n');
}

fn request_line(record: &AccessRecord<'_>, out: &mut Vec<u8>) {
    let Some(method) = &record.method else {
        out.push(b'-');
        return;
    };
    quotable(method.as_str().as_bytes(), out);
    out.push(b' ');
    quotable(record.path, out);
    if !record.query.is_empty() {
        out.push(b'?');
        quotable(record.query, out);
    }
    out.extend_from_slice(b" HTTP/");
    out.extend_from_slice(record.version.as_str().as_bytes());
}

fn field(value: &[u8], out: &mut Vec<u8>) {
    out.extend_from_slice(b" \"");
    if value.is_empty() {
        out.push(b'-');
    }
    quotable(value, out);
    out.push(b'"');
}
