//! nginx-prometheus-exporter (`stub_status`), and the ingress controller of Kubernetes.

use super::{Sheet, code, one};

const REQUEST: &[&str] = &["controller_class", "host", "ingress", "namespace", "service", "method", "status", "path"];

pub(super) fn write(sheet: &mut Sheet<'_, '_>) {
    let accepted = sheet.workers(|meter| meter.connections_accepted.read());
    let open = sheet.workers(|meter| meter.connections_open.read());
    let running = sheet.workers(|meter| meter.exchanges_running.read());
    let exchanges = sheet.workers(|meter| meter.exchanges.read());
    sheet.gauge("nginx_up", &[], one(1.0));
    sheet.counter("nginx_connections_accepted", &[], one(accepted));
    sheet.counter("nginx_connections_handled", &[], one(accepted));
    sheet.gauge("nginx_connections_active", &[], one(open));
    sheet.gauge("nginx_connections_reading", &[], one(0.0));
    sheet.gauge("nginx_connections_writing", &[], one(running));
    sheet.gauge("nginx_connections_waiting", &[], one((open - running).max(0.0)));
    sheet.counter("nginx_http_requests_total", &[], one(exchanges));
    let states = [("active", open), ("writing", running), ("waiting", (open - running).max(0.0))];
    let states = states.map(|(state, count)| (vec![state.to_owned()], count));
    sheet.gauge("nginx_ingress_controller_nginx_process_connections", &["state"], states);
    sheet.gauge("nginx_ingress_controller_config_last_reload_successful", &[], one(1.0));
    let answers: Vec<_> = sheet
        .answers()
        .into_iter()
        .map(|(route, answered, took)| {
            let (host, path) = route.route.split_at(route.route.find('/').unwrap_or(0));
            let labels =
                ["strait", host, route.route, "strait", route.listener, answered.method, &code(&answered), path];
            (labels.map(str::to_owned).to_vec(), took)
        })
        .collect();
    let counts: Vec<_> = answers.iter().map(|(labels, took)| (labels.clone(), took.count() as f64)).collect();
    sheet.counter("nginx_ingress_controller_requests", REQUEST, counts);
    sheet.histogram("nginx_ingress_controller_request_duration_seconds", REQUEST, 1e6, answers);
}
