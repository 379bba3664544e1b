//! Caddy 2.

use super::{Sample, Sheet, code, named, one};

const REQUEST: &[&str] = &["server", "handler", "code", "method"];
const KIND: &str = "reverse_proxy";

pub(super) fn write(sheet: &mut Sheet<'_, '_>) {
    sheet.gauge("caddy_config_last_reload_successful", &[], one(1.0));
    let running = sheet.workers(|meter| meter.exchanges_running.read());
    let all = vec!["all".to_owned(), KIND.to_owned()];
    sheet.gauge("caddy_http_requests_in_flight", &["server", "handler"], [(all, running)]);
    let requests = sheet.by_listener(|route| route.meter.sum(|meter| meter.answers.classes().iter().sum()));
    let requests = handled(named(requests));
    sheet.counter("caddy_http_requests_total", &["server", "handler"], requests);
    let errors = handled(named(sheet.by_listener(|route| route.meter.sum(|meter| meter.faults.read()))));
    sheet.counter("caddy_http_request_errors_total", &["server", "handler"], errors);
    let answers: Vec<_> = sheet
        .answers()
        .into_iter()
        .map(|(route, answered, took)| {
            ([route.listener, KIND, &code(&answered), answered.method].map(str::to_owned), took)
        })
        .collect();
    let mut sums = std::collections::BTreeMap::<_, crate::prometheus::Distribution>::new();
    answers.into_iter().for_each(|(labels, took)| sums.entry(labels).or_default().add_all(&took));
    let sums: Vec<_> = sums.into_iter().map(|(labels, took)| (labels.to_vec(), took)).collect();
    sheet.histogram("caddy_http_request_duration_seconds", REQUEST, 1e6, sums);
    let healthy = sheet
        .scrape
        .endpoints
        .iter()
        .map(|endpoint| (vec![endpoint.endpoint.to_owned()], f64::from(u8::from(endpoint.health.available))));
    let mut healthy: Vec<Sample> = healthy.collect();
    // An address may stand in several upstreams.
    healthy.sort_by(|(a, _), (b, _)| a.cmp(b));
    healthy.dedup_by(|(a, _), (b, _)| a == b);
    sheet.gauge("caddy_reverse_proxy_upstreams_healthy", &["upstream"], healthy);
}

fn handled(samples: Vec<Sample>) -> Vec<Sample> {
    let with = |mut labels: Vec<String>| {
        labels.push(KIND.to_owned());
        labels
    };
    samples.into_iter().map(|(labels, figure)| (with(labels), figure)).collect()
}
