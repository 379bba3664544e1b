//! A record as one JSON object: OpenTelemetry's attribute names where it has one, `strait.` names for the rest.

use crate::escape::{Escaping, json as escaped};
use crate::figures::{address, hexadecimal, instant_us};
use crate::member::{number, string};
use crate::{AccessRecord, End, TlsRecord, TraceRecord};
use std::fmt::Write;
use std::net::SocketAddr;
use strait_message::{Fault, Method};

/// Writes the record and a newline. Members without a value are left out.
pub(crate) fn write(record: &AccessRecord<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(b"{\"timestamp\":\"");
    instant_us(record.time_us, out);
    out.push(b'"');
    request(record, out);
    response(record, out);
    course(record, out);
    end(record.end, out);
    out.extend_from_slice(b"}\n");
}

fn request(record: &AccessRecord<'_>, out: &mut Vec<u8>) {
    if let Some(client) = record.client {
        self::client(client, out);
    }
    if let Some(method) = &record.method {
        self::method(method, out);
    }
    host(record.host, out);
    string!(out, "url.path", record.path);
    if !record.query.is_empty() {
        string!(out, "url.query", record.query);
    }
    string!(out, "network.protocol.version", record.version.as_str().as_bytes());
    if let Some(tls) = &record.tls {
        self::tls(tls, out);
    }
    if !record.user_agent.is_empty() {
        string!(out, "user_agent.original", record.user_agent);
    }
    if !record.referer.is_empty() {
        // Captured fields are lists in OpenTelemetry, since a field may come more than once.
        out.extend_from_slice(b",\"http.request.header.referer\":[\"");
        escaped(record.referer, out);
        out.extend_from_slice(b"\"]");
    }
    number!(out, "http.request.body.size", record.request_bytes);
}

/// OpenTelemetry writes the version without its protocol.
pub(crate) fn tls(tls: &TlsRecord<'_>, out: &mut Vec<u8>) {
    string!(out, "tls.protocol.version", tls.version.trim_start_matches("TLSv").as_bytes());
    string!(out, "tls.cipher", tls.suite.as_bytes());
    if !tls.server_name.is_empty() {
        string!(out, "tls.client.server_name", tls.server_name.as_bytes());
    }
    if tls.resumed {
        out.extend_from_slice(b",\"tls.resumed\":true");
    }
    if !tls.client_fingerprint.is_empty() {
        string!(out, "tls.client.subject", tls.client_subject.as_bytes());
        string!(out, "tls.client.hash.sha256", tls.client_fingerprint.as_bytes());
    }
}

fn client(client: SocketAddr, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"client.address\":\"");
    address(client.ip(), out);
    out.push(b'"');
    if client.port() != 0 {
        number!(out, "client.port", client.port().into());
    }
}

/// OpenTelemetry knows a fixed set of methods; any other is `_OTHER` beside what it was.
fn method(method: &Method, out: &mut Vec<u8>) {
    if let Method::Extension(_) = method {
        out.extend_from_slice(b",\"http.request.method\":\"_OTHER\"");
        string!(out, "http.request.method_original", method.as_str().as_bytes());
    } else {
        string!(out, "http.request.method", method.as_str().as_bytes());
    }
}

fn host(host: &[u8], out: &mut Vec<u8>) {
    if host.is_empty() {
        return;
    }
    let (address, port) = host_and_port(host);
    string!(out, "server.address", address);
    if let Some(port) = port {
        number!(out, "server.port", port.into());
    }
}

/// The address without brackets, and the port where a number stands for it. What is malformed stays whole.
pub(crate) fn host_and_port(host: &[u8]) -> (&[u8], Option<u16>) {
    let digits = host.iter().rev().take(6).take_while(|octet| octet.is_ascii_digit()).count();
    let (before, port) = host.split_at(host.len() - digits);
    let port = std::str::from_utf8(port).ok().and_then(|port| port.parse().ok());
    let (address, port) = match (before, port) {
        ([address @ .., b':'], Some(port)) if !address.contains(&b':') || address.ends_with(b"]") => {
            (address, Some(port))
        }
        _ => (host, None),
    };
    match address {
        [b'[', inner @ .., b']'] => (inner, port),
        _ => (address, port),
    }
}

fn response(record: &AccessRecord<'_>, out: &mut Vec<u8>) {
    if let Some(status) = record.status {
        number!(out, "http.response.status_code", status.code().into());
    }
    number!(out, "http.response.body.size", record.response_bytes);
    if !record.route.is_empty() {
        string!(out, "http.route", record.route.as_bytes());
    }
}

/// What Strait did: where, by whom, how long.
fn course(record: &AccessRecord<'_>, out: &mut Vec<u8>) {
    string!(out, "strait.request_id", record.request_id.as_bytes());
    if let Some(trace) = &record.trace {
        self::trace(trace, out);
    }
    string!(out, "strait.listener", record.listener.as_bytes());
    number!(out, "strait.worker", record.worker.into());
    number!(out, "strait.generation", record.generation);
    if !record.upstream.is_empty() {
        string!(out, "strait.upstream", record.upstream.as_bytes());
    }
    if !record.endpoint.is_empty() {
        string!(out, "strait.endpoint", record.endpoint.as_bytes());
    }
    number!(out, "strait.attempts", record.attempts.into());
    if record.attempts > 0 {
        out.extend_from_slice(if record.reused { b",\"strait.reused\":true" } else { b",\"strait.reused\":false" });
    }
    number!(out, "strait.duration_us", record.duration_us);
    if record.first_byte_us > 0 {
        number!(out, "strait.first_byte_us", record.first_byte_us);
    }
    if record.connect_us > 0 {
        number!(out, "strait.connect_us", record.connect_us);
    }
    if let Some(status) = record.upstream_status {
        number!(out, "strait.upstream_status", status.code().into());
    }
}

/// The names of OpenTelemetry for logs that belong to a trace, in formats that are not its own.
pub(crate) fn trace(trace: &TraceRecord, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"trace_id\":\"");
    hexadecimal(&trace.trace_id, out);
    out.extend_from_slice(b"\",\"span_id\":\"");
    hexadecimal(&trace.span_id, out);
    out.extend_from_slice(if trace.sampled { b"\",\"trace_flags\":\"01\"" } else { b"\",\"trace_flags\":\"00\"" });
}

fn end(end: End, out: &mut Vec<u8>) {
    match end {
        End::Complete => out.extend_from_slice(b",\"strait.end\":\"complete\""),
        End::Filter(name) => {
            out.extend_from_slice(b",\"strait.end\":\"filter:");
            out.extend_from_slice(name.as_bytes());
            out.push(b'"');
        }
        End::Fault(fault) => fault_end(&fault, out),
    }
}

fn fault_end(fault: &Fault, out: &mut Vec<u8>) {
    out.extend_from_slice(b",\"strait.end\":\"");
    out.extend_from_slice(fault.origin.word().as_bytes());
    out.push(b'.');
    out.extend_from_slice(fault.phase.word().as_bytes());
    out.push(b'.');
    out.extend_from_slice(fault.kind.word().as_bytes());
    out.extend_from_slice(b"\",\"strait.reason\":\"");
    // Writing into a Vec does not fail.
    let _ = write!(Escaping { escape: escaped, out }, "{fault}");
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::host_and_port;

    #[test]
    fn a_host_is_split_only_where_it_is_well_formed() {
        for (host, address, port) in [
            ("example.com", "example.com", None),
            ("example.com:8080", "example.com", Some(8080)),
            ("example.com:", "example.com:", None),
            ("example.com:99999", "example.com:99999", None),
            ("example.com:000000080", "example.com:000000080", None),
            ("host9", "host9", None),
            ("[2001:db8::1]:443", "2001:db8::1", Some(443)),
            ("[2001:db8::1]", "2001:db8::1", None),
            ("2001:db8::1", "2001:db8::1", None),
            (":80", "", Some(80)),
            ("80", "80", None),
        ] {
            assert_eq!(host_and_port(host.as_bytes()), (address.as_bytes(), port), "{host}");
        }
    }
}
