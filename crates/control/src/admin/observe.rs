//! What people look at: the busiest routes, upstreams, endpoints and clients; exchanges as they end; why one failed.

use super::call::{Call, Response, found, refused};
use super::{Desk, metrics};
use axum::http::StatusCode;
use serde_json::{Value, json};
use strait_message::Fault;
use strait_plan::RecordFilter;
use strait_record::{AccessRecord, AttemptRecord, BOUNDS_US, End, Format, Histogram, Sight};
use strait_telemetry::sights::Sightings;

/// Lines of one answer of `/tail`; what is left is given with the next.
const LINES_MAX: usize = 5_000;
/// Failures that `/why` lists without an id.
const LISTED_MAX: usize = 50;
/// Rows of one answer of `/top`.
const ROWS_MAX: usize = 10_000;

pub(super) fn top(desk: &Desk, call: &Call) -> Response {
    let by = call.asked("by").unwrap_or("route");
    let now_ms = desk.workers.now_ms();
    found(&json!({ "by": by, "now_ms": now_ms, "bounds_us": BOUNDS_US, "rows": rows(desk, by) }))
}

/// Figures since the start, of clients since the watch began: whoever asks again sees what changed.
fn rows(desk: &Desk, by: &str) -> Vec<Value> {
    let plan = desk.workers.plan();
    let mut rows = match by {
        "client" => desk.hooks.sightings.as_ref().map(|sightings| client_rows(sightings)).unwrap_or_default(),
        "upstream" | "endpoint" => {
            let mut rows = Vec::new();
            for upstream in plan.upstreams.iter().filter(|upstream| upstream.variant_of.is_none()) {
                let figures = || upstream.endpoints.iter().map(endpoint_figures);
                if by == "upstream" {
                    rows.push(figures().fold(Figures::default(), Figures::add).row(&upstream.name));
                } else {
                    let names = upstream.endpoints.iter().map(|one| format!("{} {}", upstream.name, one.name));
                    rows.extend(names.zip(figures()).map(|(name, figures)| figures.row(&name)));
                }
            }
            rows
        }
        // Routes, for nothing else is asked about.
        _ => {
            let tables = metrics::tables(&plan.listeners);
            metrics::routes(&tables).iter().map(route_row).collect()
        }
    };
    rows.truncate(ROWS_MAX);
    rows
}

/// What was counted about anything.
#[derive(Default)]
struct Figures {
    exchanges: u64,
    errors: u64,
    durations: [u64; BOUNDS_US.len() + 1],
}

impl Figures {
    fn take(&mut self, histogram: &Histogram) {
        self.durations.iter_mut().zip(histogram.counts()).for_each(|(sum, count)| *sum += count);
    }

    fn add(mut self, other: Self) -> Self {
        self.exchanges += other.exchanges;
        self.errors += other.errors;
        self.durations.iter_mut().zip(other.durations).for_each(|(sum, count)| *sum += count);
        self
    }

    fn row(&self, name: &str) -> Value {
        json!({ "name": name, "exchanges": self.exchanges, "errors": self.errors, "durations": self.durations })
    }
}

/// Errors of a route are its answers of the class 5xx, and exchanges without any answer.
fn route_row(route: &strait_telemetry::prometheus::RouteFigures<'_>) -> Value {
    let mut figures = Figures::default();
    for (answered, duration) in route.meter.iter().flat_map(|meter| meter.answers.iter()) {
        figures.exchanges += duration.count();
        figures.errors += if matches!(answered.class, 0 | 5) { duration.count() } else { 0 };
        figures.take(duration);
    }
    figures.row(&format!("{} {}", route.listener, route.route))
}

fn endpoint_figures(endpoint: &strait_plan::Endpoint) -> Figures {
    let meter = &endpoint.state.meter;
    let mut figures = Figures {
        exchanges: meter.sum(|meter| meter.attempts.read()),
        errors: meter.sum(|meter| meter.faults.read() + meter.error_answers.read()),
        ..Figures::default()
    };
    meter.iter().for_each(|meter| figures.take(&meter.response_time));
    figures
}

fn client_rows(sightings: &Sightings) -> Vec<Value> {
    sightings.watch();
    let row = |client: &strait_telemetry::sights::ClientFigures| {
        let name = client.client.map_or_else(|| "all others".to_owned(), |client| client.to_string());
        json!({ "name": name, "exchanges": client.exchanges, "errors": client.errors, "durations": client.durations })
    };
    sightings.clients().iter().map(row).collect()
}

/// `?since=N&filter=CONDITION&format=text`: exchanges that ended since number N, which the answer before this gave.
pub(super) fn tail(desk: &Desk, call: &Call) -> Response {
    let Some(sightings) = &desk.hooks.sightings else { return unseen() };
    let filter = match call.asked("filter").map(RecordFilter::compile).transpose() {
        Ok(filter) => filter,
        Err(reason) => return refused(StatusCode::BAD_REQUEST, &reason),
    };
    let format = match call.asked("format") {
        Some("text") => Format::Text { color: false },
        Some("logfmt") => Format::Logfmt,
        Some("ecs") => Format::Ecs,
        Some("combined") => Format::Combined,
        _ => Format::Json,
    };
    let since = match call.asked("since").map(str::parse).transpose() {
        Ok(since) => since.unwrap_or_else(|| sightings.next_number()),
        Err(_) => return refused(StatusCode::BAD_REQUEST, "since is a number: what `next` was before"),
    };
    sightings.watch();
    found(&lines(sightings, since, filter.as_ref(), format))
}

fn lines(sightings: &Sightings, since: u64, filter: Option<&RecordFilter>, format: Format) -> Value {
    let (batches, missed) = sightings.since(since);
    let (mut next, mut lines) = (since.saturating_add(missed), Vec::new());
    let numbered = batches.iter().flat_map(|(first, sights)| (*first..).zip(sights.iter()));
    for (number, sight) in numbered.filter(|(number, _)| *number >= since) {
        if lines.len() >= LINES_MAX {
            break;
        }
        next = number + 1;
        if filter.is_none_or(|filter| filter.holds(&sight.record)) {
            lines.push(line(&sight.record, format));
        }
    }
    json!({ "next": next, "missed": missed, "lines": lines })
}

fn line(record: &AccessRecord<'_>, format: Format) -> String {
    let mut line = Vec::new();
    record.write(format, &mut line);
    String::from_utf8_lossy(&line).trim_end().to_owned()
}

/// `?id=REQUEST_ID`: what is remembered of a failure; without an id, the latest ones.
pub(super) fn why(desk: &Desk, call: &Call) -> Response {
    let Some(sightings) = &desk.hooks.sightings else { return unseen() };
    let Some(id) = call.asked("id").map(str::to_ascii_lowercase) else {
        let failures = sightings.failures();
        let listed = failures.iter().flat_map(|failure| failure.iter().map(|sight| listed(&sight)).collect::<Vec<_>>());
        return found(&json!({ "failures": listed.take(LISTED_MAX).collect::<Vec<_>>() }));
    };
    match sightings.failure(&id).as_ref().and_then(|sights| sights.iter().next().map(|sight| told(&sight))) {
        Some(told) => found(&told),
        None => refused(
            StatusCode::NOT_FOUND,
            "no failure with this request id is remembered: it went well, or was long ago, or the id is another one's",
        ),
    }
}

fn listed(sight: &Sight<'_>) -> Value {
    let record = &sight.record;
    json!({
        "request_id": record.request_id,
        "end": record.end.to_string(),
        "status": record.shown_status().map(|status| status.code()),
        "line": line(record, Format::Text { color: false }),
    })
}

fn told(sight: &Sight<'_>) -> Value {
    let record: Value = serde_json::from_str(&line(&sight.record, Format::Json)).unwrap_or_default();
    let reason = match sight.record.end {
        End::Fault(fault) => fault.to_string(),
        End::Complete | End::Filter(_) => match sight.record.upstream_status {
            Some(status) => format!("the origin answered {status}"),
            None => "Strait answered as the configuration says".to_owned(),
        },
    };
    let advice = match sight.record.end {
        End::Fault(fault) => fault.advice(),
        End::Complete | End::Filter(_) => "what the origin logs about this request id says more",
    };
    json!({
        "request_id": sight.record.request_id,
        "reason": reason,
        "advice": advice,
        "record": record,
        "attempts": sight.attempts.iter().map(|(attempt, endpoint)| attempt_of(attempt, endpoint)).collect::<Vec<_>>(),
    })
}

fn attempt_of(attempt: &AttemptRecord, endpoint: &str) -> Value {
    let code = |fault: &Fault| fault.code().to_string();
    json!({
        "endpoint": endpoint,
        "began_us": attempt.began_us,
        "ended_us": attempt.ended_us,
        "connect_us": attempt.connect_us,
        "reused": attempt.reused,
        "status": attempt.status.map(|status| status.code()),
        "fault": attempt.fault.as_ref().map(code),
        "reason": attempt.fault.map(|fault| fault.to_string()),
    })
}

fn unseen() -> Response {
    refused(StatusCode::NOT_FOUND, "this process does not show single exchanges")
}
