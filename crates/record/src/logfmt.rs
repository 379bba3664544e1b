//! A record as `key=value` pairs: the keys of the JSON form, for eyes and for tools that read logfmt.

use crate::escape::{Escaping, json as escaped};
use crate::figures::{address, decimal, hexadecimal, instant_us};
use crate::json::host_and_port;
use crate::{AccessRecord, End, TlsRecord};
use std::fmt::{Display, Write};

/// Writes the record and a newline. Pairs without a value are left out.
pub(crate) fn write(record: &AccessRecord<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"timestamp=");
    instant_us(record.time_us, out);
    request(record, out);
    course(record, out);
    end(record, out);
    out.push(b'\n');
}

fn request(record: &AccessRecord<'_>, out: &mut Vec<u8>) {
    if let Some(client) = record.client {
        out.extend_from_slice(b" client.address=");
        address(client.ip(), out);
        some_number("client.port", client.port().into(), out);
    }
    if let Some(method) = &record.method {
        text("http.request.method", method.as_str().as_bytes(), out);
    }
    let (host, port) = host_and_port(record.host);
    text("server.address", host, out);
    some_number("server.port", port.unwrap_or(0).into(), out);
    text("url.path", record.path, out);
    text("url.query", record.query, out);
    text("network.protocol.version", record.version.as_str().as_bytes(), out);
    record.tls.iter().for_each(|tls| self::tls(tls, out));
    text("user_agent.original", record.user_agent, out);
    text("http.request.header.referer", record.referer, out);
    number("http.request.body.size", record.request_bytes, out);
    some_number("http.response.status_code", record.status.map_or(0, |status| status.code().into()), out);
    number("http.response.body.size", record.response_bytes, out);
    text("http.route", record.route.as_bytes(), out);
}

fn tls(tls: &TlsRecord<'_>, out: &mut Vec<u8>) {
    text("tls.protocol.version", tls.version.trim_start_matches("TLSv").as_bytes(), out);
    text("tls.cipher", tls.suite.as_bytes(), out);
    text("tls.client.server_name", tls.server_name.as_bytes(), out);
    if tls.resumed {
        text("tls.resumed", b"true", out);
    }
    if !tls.client_fingerprint.is_empty() {
        text("tls.client.subject", tls.client_subject.as_bytes(), out);
        text("tls.client.hash.sha256", tls.client_fingerprint.as_bytes(), out);
    }
}

fn course(record: &AccessRecord<'_>, out: &mut Vec<u8>) {
    text("strait.request_id", record.request_id.as_bytes(), out);
    if let Some(trace) = &record.trace {
        for (name, id) in [("trace_id", &trace.trace_id[..]), ("span_id", &trace.span_id[..])] {
            key(name, out);
            hexadecimal(id, out);
        }
        text("trace_flags", if trace.sampled { b"01" } else { b"00" }, out);
    }
    text("strait.listener", record.listener.as_bytes(), out);
    number("strait.worker", record.worker.into(), out);
    number("strait.generation", record.generation, out);
    text("strait.upstream", record.upstream.as_bytes(), out);
    text("strait.endpoint", record.endpoint.as_bytes(), out);
    number("strait.attempts", record.attempts.into(), out);
    if record.attempts > 0 {
        text("strait.reused", if record.reused { b"true" } else { b"false" }, out);
    }
    number("strait.duration_us", record.duration_us, out);
    some_number("strait.first_byte_us", record.first_byte_us, out);
    some_number("strait.connect_us", record.connect_us, out);
    some_number("strait.upstream_status", record.upstream_status.map_or(0, |status| status.code().into()), out);
}

fn end(record: &AccessRecord<'_>, out: &mut Vec<u8>) {
    key("strait.end", out);
    // Writing into a Vec does not fail. Words of our own need no quotes.
    let _ = write!(Escaping { escape: escaped, out }, "{}", record.end);
    if let End::Fault(fault) = record.end {
        quoted("strait.reason", &fault, out);
    }
}

fn key(key: &str, out: &mut Vec<u8>) {
    out.push(b' ');
    out.extend_from_slice(key.as_bytes());
    out.push(b'=');
}

fn number(name: &str, value: u64, out: &mut Vec<u8>) {
    key(name, out);
    decimal(value, out);
}

fn some_number(name: &str, value: u64, out: &mut Vec<u8>) {
    if value > 0 {
        number(name, value, out);
    }
}

/// Bare where nothing in it could be taken for an end, in quotes with the escapes of JSON elsewhere.
fn text(name: &str, value: &[u8], out: &mut Vec<u8>) {
    if value.is_empty() {
        return;
    }
    key(name, out);
    if value.iter().all(|octet| octet.is_ascii_graphic() && !matches!(octet, b'"' | b'=' | b'\\')) {
        out.extend_from_slice(value);
    } else {
        out.push(b'"');
        escaped(value, out);
        out.push(b'"');
    }
}

fn quoted(name: &str, value: &dyn Display, out: &mut Vec<u8>) {
    key(name, out);
    out.push(b'"');
    let _ = write!(Escaping { escape: escaped, out }, "{value}");
    out.push(b'"');
}
