//! `strait why`: what became of a request that failed.

use crate::exit::Exit;
use crate::live::{ask, escaped};
use crate::operator::{print, say};
use crate::source::Output;
use crate::status::Admin;
use clap::Args;
use serde_json::Value;
use std::fmt::Write as _;
use std::time::{Duration, Instant};
use strait_control::client::{AdminAddress, Answer};

/// Workers hand over what they remember several times a second.
const KNOWN_WITHIN: Duration = Duration::from_secs(1);

/// Tell why a request failed
///
/// The last thousand failures are remembered, and the last thousand that clients or missing routes caused. Without an
/// id the latest ones are listed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strait why
  strait why 019a5394-1d15-7c3e-8b1a-2f6f0c9d1e42")]
pub(crate) struct Why {
    /// The request id, as in the answer, the log, and X-Request-Id
    #[arg(value_name = "REQUEST_ID")]
    request_id: Option<String>,
    #[command(flatten)]
    admin: Admin,
}

impl Why {
    pub(crate) fn run(self, output: Output) -> Exit {
        let address = match self.admin.address() {
            Ok(address) => address,
            Err(exit) => return exit,
        };
        let answer = match &self.request_id {
            Some(id) => ask_again(&address, &format!("/why?id={}", escaped(id))),
            None => ask(&address, "/why"),
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(exit) => return exit,
        };
        match serde_json::from_str::<Value>(&answer) {
            Ok(value) if output == Output::Json => print(&format!("{value:#}\n")),
            Ok(value) if self.request_id.is_some() => print(&story(&value)),
            Ok(value) => print(&list(&value)),
            Err(_) => {
                say(&format!("{address} answered {answer}"));
                return Exit::Failed;
            }
        }
        Exit::Done
    }
}

/// Asks for one failure. What happened just now is on its way from its worker: what is not known is asked for again.
fn ask_again(address: &AdminAddress, path: &str) -> Result<String, Exit> {
    let known_by = Instant::now() + KNOWN_WITHIN;
    while matches!(address.get(path), Ok(Answer { status: 404, .. })) && Instant::now() < known_by {
        std::thread::sleep(Duration::from_millis(50));
    }
    ask(address, path)
}

fn list(answer: &Value) -> String {
    let failures = answer.get("failures").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if failures.is_empty() {
        return "no failure is remembered\n".to_owned();
    }
    let word = |failure: &Value, key: &str| failure.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let mut out = String::new();
    for failure in failures {
        let _ = writeln!(out, "{}  {}", word(failure, "request_id"), word(failure, "line"));
    }
    out
}

/// What happened, step by step.
fn story(told: &Value) -> String {
    let record = told.get("record").cloned().unwrap_or_default();
    let word = |value: &Value, key: &str| match value.get(key) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    };
    let mut out = String::new();
    let _ = writeln!(
        out,
        "{} {}{} at {}, from {}",
        word(&record, "http.request.method"),
        word(&record, "server.address"),
        word(&record, "url.path"),
        word(&record, "timestamp"),
        word(&record, "client.address"),
    );
    let mut line = |label: &str, text: String| {
        if !text.is_empty() {
            let _ = writeln!(out, "  {label:<9} {text}");
        }
    };
    line("request", word(told, "request_id"));
    line("route", word(&record, "http.route"));
    line("upstream", word(&record, "strait.upstream"));
    line("answer", word(&record, "http.response.status_code"));
    line("took", took(record.get("strait.duration_us")));
    line("end", word(&record, "strait.end"));
    line("trace", word(&record, "trace_id"));
    for (place, attempt) in told.get("attempts").and_then(Value::as_array).into_iter().flatten().enumerate() {
        line(&format!("attempt {}", place + 1), attempt_line(attempt));
    }
    line("because", word(told, "reason"));
    line("look at", word(told, "advice"));
    out
}

/// `10.0.0.1:80 after 0.2 ms: the upstream refused the connection …`.
fn attempt_line(attempt: &Value) -> String {
    let text = |key: &str| attempt.get(key).and_then(Value::as_str).unwrap_or_default();
    let number = |key: &str| attempt.get(key).and_then(Value::as_u64);
    let ended = number("ended_us").unwrap_or(0).saturating_sub(number("began_us").unwrap_or(0));
    let connection = match (attempt.get("reused").and_then(Value::as_bool), number("connect_us")) {
        (Some(true), _) => ", on an open connection".to_owned(),
        (_, Some(us)) if us > 0 => format!(", connected in {}", milliseconds(us)),
        _ => String::new(),
    };
    let outcome = match (text("reason"), number("status")) {
        ("", Some(status)) => format!("answered {status}"),
        ("", None) => "answered nothing".to_owned(),
        (reason, _) => reason.to_owned(),
    };
    format!("{} {}{connection}: {outcome}", text("endpoint"), milliseconds(ended))
}

fn took(us: Option<&Value>) -> String {
    us.and_then(Value::as_u64).map(milliseconds).unwrap_or_default()
}

fn milliseconds(us: u64) -> String {
    format!("{}.{} ms", us / 1_000, us % 1_000 / 100)
}

#[cfg(test)]
mod tests {
    use super::{list, story};
    use serde_json::json;

    #[test]
    fn a_failure_is_told() {
        let told = json!({
            "request_id": "019a5394-1d15-7c3e-8b1a-2f6f0c9d1e42",
            "reason": "the upstream refused the connection while connecting to an endpoint",
            "advice": "nobody listens at the endpoint: is it running, and is the port right?",
            "record": {
                "timestamp": "2025-11-05T12:14:56.789012Z", "client.address": "203.0.113.195",
                "http.request.method": "GET", "server.address": "example.com", "url.path": "/items/7",
                "http.route": "/items/*", "strait.upstream": "app", "http.response.status_code": 502,
                "strait.duration_us": 1250, "strait.end": "upstream.connect.refused",
            },
            "attempts": [
                {"endpoint": "10.0.0.1:80", "began_us": 20, "ended_us": 320, "connect_us": 0, "reused": true, "status": 503,
                 "fault": "upstream.response_head.bad_status", "reason": "the upstream answered with a status that asks for another attempt before the response head was complete"},
                {"endpoint": "10.0.0.2:80", "began_us": 400, "ended_us": 1200, "connect_us": 0, "reused": false, "status": null,
                 "fault": "upstream.connect.refused", "reason": "the upstream refused the connection while connecting to an endpoint"},
            ],
        });
        insta::assert_snapshot!(story(&told));
        assert!(!story(&json!({})).is_empty());
        assert_eq!(list(&json!({"failures": []})), "no failure is remembered\n");
        assert_eq!(list(&json!({"failures": [{"request_id": "a", "line": "b"}]})), "a  b\n");
    }
}
