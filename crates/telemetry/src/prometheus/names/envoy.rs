//! Envoy's `/stats/prometheus`. Its durations are milliseconds.

use super::{Sample, Sheet, named};
use crate::prometheus::Distribution;
use std::collections::BTreeMap;

const DOWNSTREAM: &[&str] = &["envoy_http_conn_manager_prefix"];
const UPSTREAM: &[&str] = &["envoy_cluster_name"];

pub(super) fn write(sheet: &mut Sheet<'_, '_>) {
    sheet.gauge("envoy_server_live", &[], super::one(1.0));
    downstream(sheet);
    clusters(sheet);
}

fn downstream(sheet: &mut Sheet<'_, '_>) {
    let all = |figure: f64| [(vec!["strait".to_owned()], figure)];
    let requests = sheet.workers(|meter| meter.exchanges.read());
    sheet.counter("envoy_http_downstream_rq_total", DOWNSTREAM, all(requests));
    let running = sheet.workers(|meter| meter.exchanges_running.read());
    sheet.gauge("envoy_http_downstream_rq_active", DOWNSTREAM, all(running));
    let accepted = sheet.workers(|meter| meter.connections_accepted.read());
    sheet.counter("envoy_http_downstream_cx_total", DOWNSTREAM, all(accepted));
    let open = sheet.workers(|meter| meter.connections_open.read());
    sheet.gauge("envoy_http_downstream_cx_active", DOWNSTREAM, all(open));
    let received = sheet.workers(|meter| meter.bytes_received.read());
    sheet.counter("envoy_http_downstream_cx_rx_bytes_total", DOWNSTREAM, all(received));
    let sent = sheet.workers(|meter| meter.bytes_sent.read());
    sheet.counter("envoy_http_downstream_cx_tx_bytes_total", DOWNSTREAM, all(sent));
    let (mut classes, mut took) = ([0; 6], Distribution::default());
    for meter in sheet.scrape.routes.iter().flat_map(|route| route.meter.iter()) {
        classes.iter_mut().zip(meter.answers.classes()).for_each(|(sum, count)| *sum += count);
        meter.answers.iter().for_each(|(_, duration)| took.add(duration));
    }
    let xx = classes.iter().enumerate().skip(1);
    let xx: Vec<Sample> =
        xx.map(|(class, count)| (vec!["strait".to_owned(), class.to_string()], *count as f64)).collect();
    let labels = &["envoy_http_conn_manager_prefix", "envoy_response_code_class"];
    sheet.counter("envoy_http_downstream_rq_xx", labels, xx);
    sheet.histogram("envoy_http_downstream_rq_time", DOWNSTREAM, 1e3, [(vec!["strait".to_owned()], took)]);
}

/// Upstreams are its clusters.
fn clusters(sheet: &mut Sheet<'_, '_>) {
    let attempts = named(sheet.by_upstream(|one| one.meter.sum(|meter| meter.attempts.read())));
    sheet.counter("envoy_cluster_upstream_rq_total", UPSTREAM, attempts);
    let running = named(sheet.by_upstream(|one| one.meter.sum(|meter| meter.attempts_running.read())));
    sheet.gauge("envoy_cluster_upstream_rq_active", UPSTREAM, running);
    let waiting = named(sheet.by_upstream(|one| one.waiting.into()));
    sheet.gauge("envoy_cluster_upstream_rq_pending_active", UPSTREAM, waiting);
    let opened = named(sheet.by_upstream(|one| one.meter.sum(|meter| meter.connections_opened.read())));
    sheet.counter("envoy_cluster_upstream_cx_total", UPSTREAM, opened);
    let open = named(sheet.by_upstream(|one| one.open.into()));
    sheet.gauge("envoy_cluster_upstream_cx_active", UPSTREAM, open);
    let failed = named(sheet.by_upstream(|one| one.meter.sum(|meter| meter.connections_failed.read())));
    sheet.counter("envoy_cluster_upstream_cx_connect_fail", UPSTREAM, failed);
    let members = named(sheet.by_upstream(|_| 1));
    sheet.gauge("envoy_cluster_membership_total", UPSTREAM, members);
    let healthy = named(sheet.by_upstream(|one| u64::from(one.health.available)));
    sheet.gauge("envoy_cluster_membership_healthy", UPSTREAM, healthy);
    let mut xx: Vec<Sample> = Vec::new();
    for class in 1..6 {
        let of = |meter: &strait_record::EndpointMeter| meter.classes.get(class).map_or(0, |counter| counter.read());
        let sums = sheet.by_upstream(|one| one.meter.sum(of)).into_iter();
        xx.extend(sums.map(|(name, sum)| (vec![name.to_owned(), class.to_string()], sum as f64)));
    }
    sheet.counter("envoy_cluster_upstream_rq_xx", &["envoy_cluster_name", "envoy_response_code_class"], xx);
    let mut took: BTreeMap<&str, Distribution> = BTreeMap::new();
    for endpoint in &sheet.scrape.endpoints {
        let sum = took.entry(endpoint.upstream).or_default();
        endpoint.meter.iter().for_each(|meter| sum.add(&meter.response_time));
    }
    let took: Vec<_> = took.into_iter().map(|(name, took)| (vec![name.to_owned()], took)).collect();
    sheet.histogram("envoy_cluster_upstream_rq_time", UPSTREAM, 1e3, took);
}
