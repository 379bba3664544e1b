//! Spans and log records out of exchanges, with the names of OpenTelemetry's semantic conventions for HTTP.

use super::proto::{fixed32, fixed64, message, number, octets, some_octets, text};
use strait_message::{Fault, Origin, Status};
use strait_record::{AccessRecord, AttemptRecord, Attribute, End, Sight, TraceRecord};

const SERVER: u64 = 2;
const CLIENT: u64 = 3;
const ERROR: u64 = 2;
/// Flags say whether the parent is somewhere else (bits 8 and 9 of `flags`).
const PARENT_IS_KNOWN: u32 = 0x100;
const PARENT_IS_REMOTE: u32 = 0x200;

/// Appends the span of an exchange and those of its attempts, each as the field `spans`; how many these are.
pub(super) fn spans(sight: &Sight<'_>, out: &mut Vec<u8>) -> usize {
    let Some(trace) = &sight.record.trace else { return 0 };
    message(2, out, |out| server_span(sight, trace, out));
    for (place, (attempt, endpoint)) in sight.attempts.iter().enumerate() {
        message(2, out, |out| client_span(sight, trace, (place, attempt, endpoint), out));
    }
    1 + sight.attempts.len()
}

fn server_span(sight: &Sight<'_>, trace: &TraceRecord, out: &mut Vec<u8>) {
    let record = &sight.record;
    octets(1, &trace.trace_id, out);
    octets(2, &trace.span_id, out);
    some_octets(3, sight.trace_state.as_bytes(), out);
    if let Some(parent) = trace.parent_id {
        octets(4, &parent, out);
    }
    fixed32(16, 1 | PARENT_IS_KNOWN | if trace.parent_id.is_some() { PARENT_IS_REMOTE } else { 0 }, out);
    let method = method(record);
    let name = if record.route.is_empty() { method.to_owned() } else { format!("{method} {}", record.route) };
    text(5, name.as_bytes(), out);
    number(6, SERVER, out);
    times(record, 0, record.duration_us, out);
    text_attribute("url.scheme", if record.tls.is_some() { b"https" } else { b"http" }, out);
    attributes(record, 9, out);
    // Of a server's span 4xx is no error: it is the client's (semantic conventions, HTTP spans, status).
    let is_error = match record.end {
        End::Fault(fault) => fault.origin != Origin::Client && fault.status().class() == 5,
        End::Complete | End::Filter(_) => record.status.is_some_and(|status| status.class() == 5),
    };
    if let Some(kind) = error_type(fault_of(record.end), record.status, 5) {
        text_attribute("error.type", kind.as_bytes(), out);
    }
    if is_error {
        status(fault_of(record.end), out);
    }
}

fn client_span(
    sight: &Sight<'_>,
    trace: &TraceRecord,
    (place, attempt, endpoint): (usize, &AttemptRecord, &str),
    out: &mut Vec<u8>,
) {
    let record = &sight.record;
    octets(1, &trace.trace_id, out);
    octets(2, &attempt.span_id, out);
    some_octets(3, sight.trace_state.as_bytes(), out);
    octets(4, &trace.span_id, out);
    fixed32(16, 1 | PARENT_IS_KNOWN, out);
    text(5, method(record).as_bytes(), out);
    number(6, CLIENT, out);
    times(record, attempt.began_us, attempt.ended_us, out);
    text_attribute("http.request.method", method(record).as_bytes(), out);
    let (host, port) = endpoint.rsplit_once(':').unwrap_or((endpoint, ""));
    text_attribute("server.address", host.trim_matches(['[', ']']).as_bytes(), out);
    if let Ok(port) = port.parse() {
        number_attribute("server.port", port, out);
    }
    text_attribute("strait.upstream", record.upstream.as_bytes(), out);
    text_attribute("strait.endpoint", endpoint.as_bytes(), out);
    if place > 0 {
        number_attribute("http.request.resend_count", place as u64, out);
    }
    if attempt.connect_us > 0 {
        number_attribute("strait.connect_us", attempt.connect_us, out);
    }
    flag_attribute("strait.reused", attempt.reused, out);
    if let Some(status) = attempt.status {
        number_attribute("http.response.status_code", status.code().into(), out);
    }
    if let Some(kind) = error_type(attempt.fault, attempt.status, 4) {
        text_attribute("error.type", kind.as_bytes(), out);
        status(attempt.fault, out);
    }
}

/// Appends an exchange as a log record, as the field `log_records`.
pub(super) fn log(sight: &Sight<'_>, observed_us: u64, out: &mut Vec<u8>) {
    let record = &sight.record;
    message(2, out, |out| {
        fixed64(1, record.time_us.saturating_mul(1_000), out);
        // INFO, or ERROR for what failed (logs data model, severity).
        let (severity, word): (u64, &[u8]) = if record.has_failed() { (17, b"ERROR") } else { (9, b"INFO") };
        number(2, severity, out);
        octets(3, word, out);
        let mut line = Vec::new();
        record.write(strait_record::Format::Text { color: false }, &mut line);
        message(5, out, |out| text(1, line.trim_ascii_end(), out));
        attributes(record, 6, out);
        if let Some(trace) = &record.trace {
            fixed32(8, u32::from(trace.sampled), out);
            octets(9, &trace.trace_id, out);
            octets(10, &trace.span_id, out);
        }
        fixed64(11, observed_us.saturating_mul(1_000), out);
        text(12, b"strait.access", out);
    });
}

/// Appends who speaks: resource and scope, with whatever they hold behind them.
pub(super) fn envelope(service: &str, instance: &str, version: &str, content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + 256);
    message(1, &mut out, |out| {
        message(1, out, |out| {
            for (name, value) in [
                ("service.name", service),
                ("service.version", version),
                ("service.instance.id", instance),
                ("telemetry.sdk.language", "rust"),
                ("telemetry.sdk.name", "strait"),
                ("telemetry.sdk.version", version),
            ] {
                attribute(1, name, out, |out| text(1, value.as_bytes(), out));
            }
        });
        message(2, out, |out| {
            message(1, out, |out| {
                text(1, b"strait", out);
                text(2, version.as_bytes(), out);
            });
            out.extend_from_slice(content);
        });
    });
    out
}

fn attributes(record: &AccessRecord<'_>, field: u32, out: &mut Vec<u8>) {
    record.attributes(|name, value| {
        attribute(field, name, out, |out| match value {
            Attribute::Text(value) => text(1, value, out),
            Attribute::Texts(value) => message(5, out, |out| message(1, out, |out| text(1, value, out))),
            Attribute::Number(value) => number(3, value, out),
            Attribute::Flag(value) => number(2, u64::from(value), out),
        });
    });
}

fn attribute(field: u32, name: &str, out: &mut Vec<u8>, value: impl FnOnce(&mut Vec<u8>)) {
    message(field, out, |out| {
        octets(1, name.as_bytes(), out);
        message(2, out, value);
    });
}

fn text_attribute(name: &str, value: &[u8], out: &mut Vec<u8>) {
    attribute(9, name, out, |out| text(1, value, out));
}

fn number_attribute(name: &str, value: u64, out: &mut Vec<u8>) {
    attribute(9, name, out, |out| number(3, value, out));
}

fn flag_attribute(name: &str, value: bool, out: &mut Vec<u8>) {
    attribute(9, name, out, |out| number(2, u64::from(value), out));
}

fn times(record: &AccessRecord<'_>, began_us: u64, ended_us: u64, out: &mut Vec<u8>) {
    fixed64(7, (record.time_us + began_us).saturating_mul(1_000), out);
    fixed64(8, (record.time_us + ended_us).saturating_mul(1_000), out);
}

fn status(fault: Option<Fault>, out: &mut Vec<u8>) {
    message(15, out, |out| {
        if let Some(fault) = fault {
            text(2, fault.to_string().as_bytes(), out);
        }
        number(3, ERROR, out);
    });
}

/// The code of the fault, or the status as text where it is of this class or above.
fn error_type(fault: Option<Fault>, status: Option<Status>, class_min: u16) -> Option<String> {
    let failed = || status.filter(|status| status.class() >= class_min).map(|status| status.to_string());
    fault.map(|fault| fault.code().to_string()).or_else(failed)
}

fn fault_of(end: End) -> Option<Fault> {
    match end {
        End::Fault(fault) => Some(fault),
        End::Complete | End::Filter(_) => None,
    }
}

/// Methods of no standard are `HTTP` in names and `_OTHER` in attributes; here the name is what there is.
fn method<'r>(record: &'r AccessRecord<'_>) -> &'r str {
    match &record.method {
        None | Some(strait_message::Method::Extension(_)) => "HTTP",
        Some(method) => method.as_str(),
    }
}
