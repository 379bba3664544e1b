//! HAProxy's own exporter.

use super::{Sample, Sheet, named, one};
use crate::prometheus::EndpointFigures;
use strait_record::EndpointMeter;

const PROXY: &[&str] = &["proxy"];
const PROXY_CODE: &[&str] = &["proxy", "code"];
const SERVER: &[&str] = &["proxy", "server"];
const CODES: [&str; 6] = ["other", "1xx", "2xx", "3xx", "4xx", "5xx"];

pub(super) fn write(sheet: &mut Sheet<'_, '_>) {
    process(sheet);
    frontends(sheet);
    backends(sheet);
    servers(sheet);
}

fn process(sheet: &mut Sheet<'_, '_>) {
    let open = sheet.workers(|meter| meter.connections_open.read());
    let accepted = sheet.workers(|meter| meter.connections_accepted.read());
    let exchanges = sheet.workers(|meter| meter.exchanges.read());
    sheet.gauge("haproxy_process_current_connections", &[], one(open));
    sheet.counter("haproxy_process_connections_total", &[], one(accepted));
    sheet.counter("haproxy_process_requests_total", &[], one(exchanges));
    let start_s = sheet.scrape.process.as_ref().map_or(0.0, |process| process.start_s);
    sheet.gauge("haproxy_process_start_time_seconds", &[], one(start_s));
}

/// Listeners are its frontends.
fn frontends(sheet: &mut Sheet<'_, '_>) {
    let requests = named(sheet.by_listener(|route| route.meter.sum(|meter| meter.answers.classes().iter().sum())));
    sheet.counter("haproxy_frontend_http_requests_total", PROXY, requests);
    let mut responses: Vec<Sample> = Vec::new();
    for (class, code) in CODES.iter().enumerate() {
        let of = |route: &crate::prometheus::RouteFigures<'_>| {
            route.meter.sum(|meter| meter.answers.classes().get(class).copied().unwrap_or(0))
        };
        let sums = sheet.by_listener(of).into_iter();
        responses.extend(sums.map(|(name, sum)| (vec![name.to_owned(), (*code).to_owned()], sum as f64)));
    }
    sheet.counter("haproxy_frontend_http_responses_total", PROXY_CODE, responses);
    let received = named(sheet.by_listener(|route| route.meter.sum(|meter| meter.bytes_received.read())));
    sheet.counter("haproxy_frontend_bytes_in_total", PROXY, received);
    let sent = named(sheet.by_listener(|route| route.meter.sum(|meter| meter.bytes_sent.read())));
    sheet.counter("haproxy_frontend_bytes_out_total", PROXY, sent);
    let up: Vec<Sample> =
        sheet.by_listener(|_| 1).keys().map(|name| (vec![(*name).to_owned(), "UP".to_owned()], 1.0)).collect();
    sheet.gauge("haproxy_frontend_status", &["proxy", "state"], up);
}

/// Upstreams are its backends.
fn backends(sheet: &mut Sheet<'_, '_>) {
    let running = named(sheet.by_upstream(|one| one.meter.sum(|meter| meter.attempts_running.read())));
    sheet.gauge("haproxy_backend_current_sessions", PROXY, running);
    let attempts = named(sheet.by_upstream(|one| one.meter.sum(|meter| meter.attempts.read())));
    sheet.counter("haproxy_backend_http_requests_total", PROXY, attempts);
    let mut responses: Vec<Sample> = Vec::new();
    for (class, code) in CODES.iter().enumerate() {
        let sums = sheet.by_upstream(|endpoint| classed(endpoint, class)).into_iter();
        responses.extend(sums.map(|(name, sum)| (vec![name.to_owned(), (*code).to_owned()], sum as f64)));
    }
    sheet.counter("haproxy_backend_http_responses_total", PROXY_CODE, responses);
    let active = named(sheet.by_upstream(|endpoint| u64::from(endpoint.health.available)));
    sheet.gauge("haproxy_backend_active_servers", PROXY, active);
    let waiting = named(sheet.by_upstream(|endpoint| endpoint.waiting.into()));
    sheet.gauge("haproxy_backend_current_queue", PROXY, waiting);
    let failed = named(sheet.by_upstream(|one| one.meter.sum(|meter| meter.connections_failed.read())));
    sheet.counter("haproxy_backend_connection_errors_total", PROXY, failed);
    let up = |endpoints: u64| if endpoints > 0 { "UP" } else { "DOWN" };
    let sums = sheet.by_upstream(|endpoint| u64::from(endpoint.health.available));
    let status: Vec<Sample> =
        sums.into_iter().map(|(name, some)| (vec![name.to_owned(), up(some).to_owned()], 1.0)).collect();
    sheet.gauge("haproxy_backend_status", &["proxy", "state"], status);
}

/// Endpoints are its servers.
fn servers(sheet: &mut Sheet<'_, '_>) {
    let each = |sheet: &Sheet<'_, '_>, figure: fn(&EndpointFigures<'_>) -> f64| -> Vec<Sample> {
        let name = |one: &EndpointFigures<'_>| vec![one.upstream.to_owned(), one.endpoint.to_owned()];
        sheet.scrape.endpoints.iter().map(|endpoint| (name(endpoint), figure(endpoint))).collect()
    };
    fn sum(endpoint: &EndpointFigures<'_>, figure: fn(&EndpointMeter) -> u64) -> f64 {
        endpoint.meter.sum(figure) as f64
    }
    let samples = each(sheet, |endpoint| sum(endpoint, |meter| meter.attempts_running.read()));
    sheet.gauge("haproxy_server_current_sessions", SERVER, samples);
    let samples = each(sheet, |endpoint| sum(endpoint, |meter| meter.attempts.read()));
    sheet.counter("haproxy_server_sessions_total", SERVER, samples);
    let samples = each(sheet, |endpoint| sum(endpoint, |meter| meter.connections_failed.read()));
    sheet.counter("haproxy_server_connection_errors_total", SERVER, samples);
    let samples = each(sheet, |endpoint| sum(endpoint, |meter| meter.faults.read()));
    sheet.counter("haproxy_server_response_errors_total", SERVER, samples);
    let samples = each(sheet, |endpoint| endpoint.health.checks_failed as f64);
    sheet.counter("haproxy_server_check_failures_total", SERVER, samples);
    let samples = each(sheet, |endpoint| endpoint.waiting.into());
    sheet.gauge("haproxy_server_current_queue", SERVER, samples);
    let mut responses: Vec<Sample> = Vec::new();
    let mut states: Vec<Sample> = Vec::new();
    for endpoint in &sheet.scrape.endpoints {
        let labels = |last: &str| vec![endpoint.upstream.to_owned(), endpoint.endpoint.to_owned(), last.to_owned()];
        responses.extend((0..).zip(CODES).map(|(class, code)| (labels(code), classed(endpoint, class) as f64)));
        states.push((labels(if endpoint.health.available { "UP" } else { "DOWN" }), 1.0));
    }
    sheet.counter("haproxy_server_http_responses_total", &["proxy", "server", "code"], responses);
    sheet.gauge("haproxy_server_status", &["proxy", "server", "state"], states);
}

fn classed(endpoint: &EndpointFigures<'_>, class: usize) -> u64 {
    endpoint.meter.sum(|meter| meter.classes.get(class).map_or(0, |counter| counter.read()))
}
