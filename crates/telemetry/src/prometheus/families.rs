//! The one table of metrics: what is exposed, under which name, and what it means.

use super::page::{Family, Kind};
use super::{EndpointFigures, LimitFigures};
use crate::access_log::AccessLogMeter;
use crate::otlp::{ExportMeter, Signal};
use crate::process::ProcessFigures;
use strait_record::{EndpointMeter, Http2Meter, RouteMeter, WorkerMeter};

/// Words for the hundreds digit of a status; the first for exchanges that ended without a response.
pub(super) const CLASSES: [&str; 6] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];

const NONE: &[&str] = &[];
const WORKER_LABELS: &[&str] = &["worker"];
const ROUTE_LABELS: &[&str] = &["listener", "route"];
const ENDPOINT_LABELS: &[&str] = &["upstream", "endpoint"];
const OTLP_LABELS: &[&str] = &["signal"];
const LIMIT_LABELS: &[&str] = &["limit", "of"];

const fn counter(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Family {
    Family { name, kind: Kind::Counter, labels, help }
}

const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Family {
    Family { name, kind: Kind::Gauge, labels, help }
}

const fn histogram(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Family {
    Family { name, kind: Kind::Histogram, labels, help }
}

/// A family with the figure that fills it.
type Filled<T, V = f64> = (Family, fn(&T) -> V);
type OfEndpoint = (Family, fn(&EndpointFigures<'_>) -> f64);
type OfSignal = (Family, fn(&ExportMeter, Signal) -> u64);
type OfLimit = (Family, fn(&LimitFigures<'_>) -> u64);

pub(super) static BUILD_INFO: Family =
    gauge("strait_build_info", &["version"], "Always 1; the version stands in the label.");
pub(super) static PLAN_GENERATION: Family =
    gauge("strait_plan_generation", NONE, "Generation of the plan that new exchanges run under.");
pub(super) static DRAINING: Family = gauge("strait_draining", NONE, "1 once a drain has begun, else 0.");

pub(super) static WORKER: [Filled<WorkerMeter>; 20] = [
    (counter("strait_worker_connections_accepted_total", WORKER_LABELS, "Client connections accepted."), |meter| {
        meter.connections_accepted.read() as f64
    }),
    (
        counter("strait_worker_connections_refused_total", WORKER_LABELS, "Client connections refused by a limit."),
        |meter| meter.connections_refused.read() as f64,
    ),
    (
        counter(
            "strait_worker_connections_refused_per_client_total",
            WORKER_LABELS,
            "Those of them that the limit on connections of one client refused.",
        ),
        |meter| meter.connections_refused_per_client.read() as f64,
    ),
    (gauge("strait_worker_connections_open", WORKER_LABELS, "Client connections open."), |meter| {
        meter.connections_open.read() as f64
    }),
    (counter("strait_worker_exchanges_total", WORKER_LABELS, "Exchanges begun."), |meter| {
        meter.exchanges.read() as f64
    }),
    (gauge("strait_worker_exchanges_running", WORKER_LABELS, "Exchanges running."), |meter| {
        meter.exchanges_running.read() as f64
    }),
    (gauge("strait_worker_tunnels_open", WORKER_LABELS, "Tunnels open."), |meter| meter.tunnels_open.read() as f64),
    (counter("strait_worker_received_bytes_total", WORKER_LABELS, "Octets received from clients."), |meter| {
        meter.bytes_received.read() as f64
    }),
    (counter("strait_worker_sent_bytes_total", WORKER_LABELS, "Octets sent to clients."), |meter| {
        meter.bytes_sent.read() as f64
    }),
    (
        counter("strait_worker_upstream_connections_opened_total", WORKER_LABELS, "Connections opened to endpoints."),
        |meter| meter.upstream_opened.read() as f64,
    ),
    (
        counter(
            "strait_worker_upstream_connections_reused_total",
            WORKER_LABELS,
            "Attempts served by a connection that was already open.",
        ),
        |meter| meter.upstream_reused.read() as f64,
    ),
    (
        counter(
            "strait_worker_upstream_connections_moved_total",
            WORKER_LABELS,
            "Idle upstream connections taken over from another worker.",
        ),
        |meter| meter.upstream_moved.read() as f64,
    ),
    (counter("strait_worker_retries_total", WORKER_LABELS, "Attempts beyond the first of an exchange."), |meter| {
        meter.retries.read() as f64
    }),
    (
        counter(
            "strait_worker_retries_over_budget_total",
            WORKER_LABELS,
            "Retries that were permitted and not made because the budget was used up.",
        ),
        |meter| meter.retries_over_budget.read() as f64,
    ),
    (
        counter(
            "strait_worker_records_lost_total",
            WORKER_LABELS,
            "Access records dropped because the access log could not take them.",
        ),
        |meter| meter.records_lost.read() as f64,
    ),
    (
        counter(
            "strait_worker_records_sampled_out_total",
            WORKER_LABELS,
            "Exchanges that sampling left out of the access log.",
        ),
        |meter| meter.records_sampled_out.read() as f64,
    ),
    (
        counter(
            "strait_worker_sights_lost_total",
            WORKER_LABELS,
            "Exchanges that traces, OTLP logs, `tail` and `why` missed because their queue was full.",
        ),
        |meter| meter.sights_lost.read() as f64,
    ),
    (counter("strait_worker_panics_total", WORKER_LABELS, "Panics caught; each ended one connection."), |meter| {
        meter.panics.read() as f64
    }),
    (gauge("strait_worker_buffer_bytes", WORKER_LABELS, "Octets of pooled buffers in use or kept."), |meter| {
        meter.buffer_bytes.read() as f64
    }),
    (
        counter("strait_worker_lag_seconds_total", WORKER_LABELS, "How late the worker's timer came, added up."),
        |meter| meter.lag_ms.read() as f64 / 1e3,
    ),
];
pub(super) static WORKER_SKEW: Family = gauge(
    "strait_worker_skew_ratio",
    NONE,
    "Exchanges of the busiest worker over the mean of all workers, since the start; 1 is even.",
);

pub(super) static TLS_HANDSHAKES: Family = counter(
    "strait_tls_handshakes_total",
    &["version", "resumed"],
    "TLS handshakes with clients that were done, by version and whether a session was resumed.",
);
pub(super) static TLS_FAILURES: Family =
    counter("strait_tls_handshake_failures_total", &["reason"], "TLS handshakes with clients that failed, by reason.");
pub(super) static TLS_RUNNING: Family =
    gauge("strait_tls_handshakes_running", NONE, "TLS handshakes with clients that run now.");

/// Summed over the workers.
pub(super) static HTTP2: [Filled<Http2Meter, u64>; 7] = [
    (gauge("strait_http2_connections_open", NONE, "Connections of clients over HTTP/2."), |meter| {
        meter.connections_open.read()
    }),
    (
        gauge(
            "strait_http2_streams_open",
            NONE,
            "Streams of clients whose work, here and upstream, is not over. The limit is one of each connection.",
        ),
        |meter| meter.streams_open.read(),
    ),
    (counter("strait_http2_streams_total", NONE, "Streams that clients opened."), |meter| meter.streams.read()),
    (
        counter("strait_http2_resets_received_total", NONE, "Streams that clients reset before they had ended."),
        |meter| meter.resets_received.read(),
    ),
    (counter("strait_http2_resets_sent_total", NONE, "Streams of clients that Strait reset."), |meter| {
        meter.resets_sent.read()
    }),
    (
        counter(
            "strait_http2_streams_refused_total",
            NONE,
            "Streams refused because their connection had as many as it may.",
        ),
        |meter| meter.streams_refused.read(),
    ),
    (
        counter("strait_http2_stalls_total", NONE, "Times that a body waited for a client to open its windows."),
        |meter| meter.stalls.read(),
    ),
];
pub(super) static HTTP2_ENDED: Family = counter(
    "strait_http2_connections_ended_total",
    &["reason"],
    "Connections of clients that Strait ended: for a `flood` of frames without progress, as `malformed`, or `stalled` when nothing left for too long.",
);

pub(super) static FAULTS: Family = counter(
    "strait_faults_total",
    &["origin", "phase", "kind"],
    "Exchanges ended by a fault: who caused it, in which phase, and what happened.",
);

pub(super) static FILTERS: Family = counter(
    "strait_filter_verdicts_total",
    &["filter", "verdict"],
    "What filters did with requests: `continued`, `answered` in the origin's place, `spared` by a dry run, or `failed` at their work.",
);

pub(super) static RESPONSES: Family = counter(
    "strait_responses_total",
    &["class"],
    "Responses over all routes by class of status; `none` counts exchanges without a response.",
);
pub(super) static DURATION: Family = histogram(
    "strait_exchange_duration_seconds",
    NONE,
    "From the first octet of the request to the last of the response, over all routes.",
);
pub(super) static ROUTE_RESPONSES: Family = counter(
    "strait_route_responses_total",
    &["listener", "route", "class"],
    "Responses by class of status; `none` counts exchanges without a response.",
);
pub(super) static ROUTE: [Filled<RouteMeter, u64>; 3] = [
    (counter("strait_route_faults_total", ROUTE_LABELS, "Exchanges that ended in a fault."), |meter| {
        meter.faults.read()
    }),
    (counter("strait_route_received_bytes_total", ROUTE_LABELS, "Octets of request bodies."), |meter| {
        meter.bytes_received.read()
    }),
    (counter("strait_route_sent_bytes_total", ROUTE_LABELS, "Octets of response bodies."), |meter| {
        meter.bytes_sent.read()
    }),
];
pub(super) static ROUTE_DURATION: Family = histogram(
    "strait_route_duration_seconds",
    ROUTE_LABELS,
    "From the first octet of the request to the last of the response.",
);

/// A figure summed over the workers.
fn sum(endpoint: &EndpointFigures<'_>, figure: impl Fn(&EndpointMeter) -> u64) -> f64 {
    endpoint.meter.sum(figure) as f64
}

pub(super) static ENDPOINT: [OfEndpoint; 18] = [
    (counter("strait_endpoint_attempts_total", ENDPOINT_LABELS, "Attempts begun."), |endpoint| {
        sum(endpoint, |meter| meter.attempts.read())
    }),
    (gauge("strait_endpoint_attempts_running", ENDPOINT_LABELS, "Attempts running."), |endpoint| {
        sum(endpoint, |meter| meter.attempts_running.read())
    }),
    (
        counter("strait_endpoint_faults_total", ENDPOINT_LABELS, "Attempts that ended in a fault of the endpoint."),
        |endpoint| sum(endpoint, |meter| meter.faults.read()),
    ),
    (counter("strait_endpoint_error_answers_total", ENDPOINT_LABELS, "Answers of the class 5xx."), |endpoint| {
        sum(endpoint, |meter| meter.error_answers.read())
    }),
    (gauge("strait_endpoint_available", ENDPOINT_LABELS, "1 when it may be chosen, else 0."), |endpoint| {
        f64::from(u8::from(endpoint.health.available))
    }),
    (
        gauge(
            "strait_endpoint_healthy",
            ENDPOINT_LABELS,
            "1 when active checks say that it is healthy, 0 when not, -1 when they have said nothing.",
        ),
        |endpoint| endpoint.health.healthy.map_or(-1.0, |healthy| f64::from(u8::from(healthy))),
    ),
    (
        gauge("strait_endpoint_ejected", ENDPOINT_LABELS, "1 while outlier detection has ejected it, else 0."),
        |endpoint| f64::from(u8::from(endpoint.health.ejected)),
    ),
    (counter("strait_endpoint_checks_passed_total", ENDPOINT_LABELS, "Active checks that passed."), |endpoint| {
        endpoint.health.checks_passed as f64
    }),
    (counter("strait_endpoint_checks_failed_total", ENDPOINT_LABELS, "Active checks that failed."), |endpoint| {
        endpoint.health.checks_failed as f64
    }),
    (
        counter("strait_endpoint_ejections_total", ENDPOINT_LABELS, "Ejections, in `mode: log_only` those only said."),
        |endpoint| endpoint.health.ejections as f64,
    ),
    (
        counter(
            "strait_endpoint_ejections_spared_total",
            ENDPOINT_LABELS,
            "Ejections that were due when as many endpoints were out as may be.",
        ),
        |endpoint| endpoint.health.ejections_spared as f64,
    ),
    (counter("strait_endpoint_connections_opened_total", ENDPOINT_LABELS, "Connections opened."), |endpoint| {
        sum(endpoint, |meter| meter.connections_opened.read())
    }),
    (
        counter("strait_endpoint_connections_failed_total", ENDPOINT_LABELS, "Connections that could not be opened."),
        |endpoint| sum(endpoint, |meter| meter.connections_failed.read()),
    ),
    (gauge("strait_endpoint_weight", ENDPOINT_LABELS, "Its weight, as configured or set in operation."), |endpoint| {
        endpoint.weight.into()
    }),
    (gauge("strait_endpoint_connections_open", ENDPOINT_LABELS, "Connections open."), |endpoint| endpoint.open.into()),
    (gauge("strait_endpoint_connections_idle", ENDPOINT_LABELS, "Connections open and idle."), |endpoint| {
        endpoint.idle.into()
    }),
    (
        gauge("strait_endpoint_exchanges_waiting", ENDPOINT_LABELS, "Exchanges that wait for a connection."),
        |endpoint| endpoint.waiting.into(),
    ),
    (
        gauge(
            "strait_endpoint_addresses",
            ENDPOINT_LABELS,
            "Addresses its name last resolved to; 0 when it never did. A Unix socket has 1.",
        ),
        |endpoint| endpoint.addresses as f64,
    ),
];
pub(super) static ENDPOINT_RESPONSE_TIME: Family = histogram(
    "strait_endpoint_response_time_seconds",
    ENDPOINT_LABELS,
    "From the start of an attempt to the response head.",
);

pub(super) static LIMIT: [OfLimit; 2] = [
    (
        gauge(
            "strait_limit_used",
            LIMIT_LABELS,
            "How far a limit is used: `connections` (of a listener; the process when it has several), \
             `endpoint_connections`, `endpoint_queue`, `access_log_bytes`, `open_files`.",
        ),
        |limit| limit.used,
    ),
    (gauge("strait_limit_max", LIMIT_LABELS, "The limit itself."), |limit| limit.max),
];

pub(super) static ACCESS_LOG: [Filled<AccessLogMeter>; 5] = [
    (counter("strait_access_log_rotations_total", NONE, "Times the file was moved aside and begun anew."), |meter| {
        meter.rotations.read() as f64
    }),
    (counter("strait_access_log_records_written_total", NONE, "Access records written."), |meter| {
        meter.records_written.read() as f64
    }),
    (
        counter(
            "strait_access_log_records_lost_total",
            NONE,
            "Access records that were taken and could not be written before the log ended. \
             Those it could not take: see `strait_worker_records_lost_total`.",
        ),
        |meter| meter.records_lost.read() as f64,
    ),
    (counter("strait_access_log_write_errors_total", NONE, "Writes that failed; each is tried again."), |meter| {
        meter.write_errors.read() as f64
    }),
    (gauge("strait_access_log_queued_bytes", NONE, "Octets of records that wait to be written."), |meter| {
        meter.queued_bytes() as f64
    }),
];

pub(super) static OTLP: [OfSignal; 3] = [
    (
        counter("strait_otlp_sent_total", OTLP_LABELS, "Spans, or log records, that a collector took."),
        |meter, signal| meter.sent(signal),
    ),
    (
        counter(
            "strait_otlp_dropped_total",
            OTLP_LABELS,
            "Spans, or log records, that were dropped: refused, tried for too long, or too many.",
        ),
        |meter, signal| meter.dropped(signal),
    ),
    (
        counter(
            "strait_otlp_failures_total",
            OTLP_LABELS,
            "Messages to a collector that failed or were refused; some of them are sent again.",
        ),
        |meter, signal| meter.failures(signal),
    ),
];

pub(super) static OTEL_SERVER_DURATION: Family = histogram(
    "http_server_request_duration_seconds",
    &["http_request_method", "http_response_status_code", "http_route"],
    "Duration of requests by OpenTelemetry's name (`http.server.request.duration`). Of a route 24 pairs of method and \
     status are told apart; the rest has the method `_OTHER` and a class such as `5xx`.",
);
pub(super) static OTEL_ACTIVE: Family =
    gauge("http_server_active_requests", NONE, "Exchanges running, by OpenTelemetry's name.");
pub(super) static OTEL_CLIENT_DURATION: Family = histogram(
    "http_client_request_duration_seconds",
    &["server_address", "server_port", "upstream"],
    "From the start of an attempt to the response head, by OpenTelemetry's name.",
);
pub(super) static OTEL_CONNECTIONS: Family = gauge(
    "http_client_open_connections",
    &["server_address", "server_port", "upstream", "http_connection_state"],
    "Connections to endpoints, `active` or `idle`, by OpenTelemetry's name.",
);

pub(super) static PROCESS: [Filled<ProcessFigures, Option<f64>>; 5] = [
    (counter("process_cpu_seconds_total", NONE, "User and system CPU time used."), |process| {
        Some(process.cpu.as_secs_f64())
    }),
    (gauge("process_resident_memory_bytes", NONE, "Resident memory."), |process| Some(process.resident_bytes as f64)),
    (gauge("process_open_fds", NONE, "Open file descriptors."), |process| Some(process.open_files as f64)),
    (gauge("process_max_fds", NONE, "File descriptors that may be open."), |process| {
        process.open_files_max.map(|max| max as f64)
    }),
    (gauge("process_start_time_seconds", NONE, "When the process started, since 1970-01-01 UTC."), |process| {
        Some(process.start_s)
    }),
];

/// Every family in the order of the page, each group under its heading.
pub(super) fn groups() -> [(&'static str, Vec<&'static Family>); 12] {
    [
        ("Build and plan", vec![&BUILD_INFO, &PLAN_GENERATION, &DRAINING]),
        ("Workers", WORKER.iter().map(|(family, _)| family).chain([&WORKER_SKEW]).collect()),
        ("Exchanges", vec![&FAULTS, &FILTERS, &RESPONSES, &DURATION]),
        ("HTTP/2", HTTP2.iter().map(|(family, _)| family).chain([&HTTP2_ENDED]).collect()),
        ("TLS", vec![&TLS_RUNNING, &TLS_HANDSHAKES, &TLS_FAILURES]),
        (
            "Routes",
            [&ROUTE_RESPONSES]
                .into_iter()
                .chain(ROUTE.iter().map(|(family, _)| family))
                .chain([&ROUTE_DURATION])
                .collect(),
        ),
        ("Endpoints", ENDPOINT.iter().map(|(family, _)| family).chain([&ENDPOINT_RESPONSE_TIME]).collect()),
        ("Limits", LIMIT.iter().map(|(family, _)| family).collect()),
        ("Access log", ACCESS_LOG.iter().map(|(family, _)| family).collect()),
        ("OTLP", OTLP.iter().map(|(family, _)| family).collect()),
        ("Process", PROCESS.iter().map(|(family, _)| family).collect()),
        ("OpenTelemetry", vec![&OTEL_SERVER_DURATION, &OTEL_ACTIVE, &OTEL_CLIENT_DURATION, &OTEL_CONNECTIONS]),
    ]
}
