//! A record as one JSON object with the names of the Elastic Common Schema, dotted as the schema's own loggers write
//! them; what the schema has no name for is under `strait.`.

use crate::escape::{Escaping, json as escaped};
use crate::figures::{address, hexadecimal, instant_us};
use crate::json::host_and_port;
use crate::member::{number, string};
use crate::{AccessRecord, End};
use std::fmt::{Display, Write};

/// The version of the schema whose names these are.
const HEAD: &[u8] = br#"","ecs.version":"8.11.0","event.kind":"event","event.category":["web"],"event.type":["access"],"event.dataset":"strait.access""#;

/// Writes the record and a newline. Members without a value are left out.
pub(crate) fn write(record: &AccessRecord<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"@timestamp\":\"");
    instant_us(record.time_us, out);
    out.extend_from_slice(HEAD);
    event(record, out);
    request(record, out);
    if let Some(tls) = &record.tls {
        // The schema's names are those of OpenTelemetry here.
        crate::json::tls(tls, out);
    }
    response(record, out);
    course(record, out);
    out.extend_from_slice(b"}\n");
}

fn event(record: &AccessRecord<'_>, out: &mut Vec<u8>) {
    let failed = record.end.is_fault() || record.status.is_some_and(|status| status.class() == 5);
    let outcome: &[u8] = if failed { b"failure" } else { b"success" };
    string!(out, "event.outcome", outcome);
    // In nanoseconds, as the schema has it.
    number!(out, "event.duration", record.duration_us.saturating_mul(1000));
    if let End::Fault(fault) = record.end {
        shown(b",\"error.code\":\"", &record.end, out);
        shown(b",\"error.message\":\"", &fault, out);
    }
}

fn request(record: &AccessRecord<'_>, out: &mut Vec<u8>) {
    if let Some(client) = record.client {
        for key in [&b",\"client.address\":\""[..], b",\"client.ip\":\""] {
            out.extend_from_slice(key);
            address(client.ip(), out);
            out.push(b'"');
        }
        if client.port() != 0 {
            number!(out, "client.port", client.port().into());
        }
    }
    string!(out, "http.request.id", record.request_id.as_bytes());
    if let Some(trace) = &record.trace {
        for (key, id) in [(&b",\"trace.id\":\""[..], &trace.trace_id[..]), (b",\"span.id\":\"", &trace.span_id)] {
            out.extend_from_slice(key);
            hexadecimal(id, out);
            out.push(b'"');
        }
    }
    if let Some(method) = &record.method {
        string!(out, "http.request.method", method.as_str().as_bytes());
    }
    string!(out, "http.version", record.version.as_str().as_bytes());
    let (host, port) = host_and_port(record.host);
    if !host.is_empty() {
        string!(out, "url.domain", host);
    }
    if let Some(port) = port {
        number!(out, "url.port", port.into());
    }
    string!(out, "url.path", record.path);
    if !record.query.is_empty() {
        string!(out, "url.query", record.query);
    }
    if !record.user_agent.is_empty() {
        string!(out, "user_agent.original", record.user_agent);
    }
    if !record.referer.is_empty() {
        string!(out, "http.request.referrer", record.referer);
    }
    number!(out, "http.request.body.bytes", record.request_bytes);
}

fn response(record: &AccessRecord<'_>, out: &mut Vec<u8>) {
    if let Some(status) = record.status {
        number!(out, "http.response.status_code", status.code().into());
    }
    number!(out, "http.response.body.bytes", record.response_bytes);
}

fn course(record: &AccessRecord<'_>, out: &mut Vec<u8>) {
    string!(out, "strait.listener", record.listener.as_bytes());
    if !record.route.is_empty() {
        string!(out, "strait.route", record.route.as_bytes());
    }
    if !record.upstream.is_empty() {
        string!(out, "strait.upstream", record.upstream.as_bytes());
    }
    if !record.endpoint.is_empty() {
        string!(out, "strait.endpoint", record.endpoint.as_bytes());
    }
    number!(out, "strait.attempts", record.attempts.into());
    if record.first_byte_us > 0 {
        number!(out, "strait.first_byte_us", record.first_byte_us);
    }
    if record.connect_us > 0 {
        number!(out, "strait.connect_us", record.connect_us);
    }
    if let Some(status) = record.upstream_status {
        number!(out, "strait.upstream_status", status.code().into());
    }
    shown(b",\"strait.end\":\"", &record.end, out);
}

fn shown(key: &[u8], value: &dyn Display, out: &mut Vec<u8>) {
    out.extend_from_slice(key);
    // Writing into a Vec does not fail.
    let _ = write!(Escaping { escape: escaped, out }, "{value}");
    out.push(b'"');
}
