//! Traefik 3. Its routers and services are routes here, its entry points listeners.

use super::{Sample, Sheet, code, one};
use crate::prometheus::Distribution;
use std::collections::BTreeMap;

const ENTRY: &[&str] = &["code", "method", "protocol", "entrypoint"];
const ROUTER: &[&str] = &["code", "method", "protocol", "router", "service"];
const SERVICE: &[&str] = &["code", "method", "protocol", "service"];

pub(super) fn write(sheet: &mut Sheet<'_, '_>) {
    sheet.counter("traefik_config_reloads_total", &[], one(sheet.scrape.generation as f64));
    sheet.gauge("traefik_config_last_reload_success", &[], one(1.0));
    let open = sheet.workers(|meter| meter.connections_open.read());
    let all = vec!["all".to_owned(), "TCP".to_owned()];
    sheet.gauge("traefik_open_connections", &["entrypoint", "protocol"], [(all, open)]);
    let mut entries: BTreeMap<Vec<String>, Distribution> = BTreeMap::new();
    let (mut routers, mut services) = (Vec::new(), Vec::new());
    for (route, answered, took) in sheet.answers() {
        let of = |names: &[&str]| -> Vec<String> {
            let fixed = [&*code(&answered), answered.method, "http"].map(str::to_owned);
            fixed.into_iter().chain(names.iter().map(|name| (*name).to_owned())).collect()
        };
        entries.entry(of(&[route.listener])).or_default().add_all(&took);
        routers.push((of(&[route.route, route.route]), took.clone()));
        services.push((of(&[route.route]), took));
    }
    let entries: Vec<_> = entries.into_iter().collect();
    sheet.counter("traefik_entrypoint_requests_total", ENTRY, counted(&entries));
    sheet.histogram("traefik_entrypoint_request_duration_seconds", ENTRY, 1e6, entries);
    sheet.counter("traefik_router_requests_total", ROUTER, counted(&routers));
    sheet.histogram("traefik_router_request_duration_seconds", ROUTER, 1e6, routers);
    sheet.counter("traefik_service_requests_total", SERVICE, counted(&services));
    sheet.histogram("traefik_service_request_duration_seconds", SERVICE, 1e6, services);
    let up = sheet.scrape.endpoints.iter().map(|endpoint| {
        let labels = vec![endpoint.upstream.to_owned(), format!("http://{}", endpoint.endpoint)];
        (labels, f64::from(u8::from(endpoint.health.available)))
    });
    let up: Vec<Sample> = up.collect();
    sheet.gauge("traefik_service_server_up", &["service", "url"], up);
}

fn counted(answers: &[(Vec<String>, Distribution)]) -> Vec<Sample> {
    answers.iter().map(|(labels, took)| (labels.clone(), took.count() as f64)).collect()
}
