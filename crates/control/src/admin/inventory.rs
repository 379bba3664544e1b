//! What there is: connections and certificates.

use super::Desk;
use super::call::{Call, Response, found};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use strait_plan::{Listener, Upstream};
use strait_tls::Certificate;

pub(super) fn connections(desk: &Desk, _: &Call) -> Response {
    let plan = desk.workers.plan();
    let meters = desk.workers.meters();
    let open: u64 = meters.iter().map(|meter| meter.connections_open.read()).sum();
    let worker = |(number, meter): (usize, &std::sync::Arc<strait_record::WorkerMeter>)| {
        json!({
            "worker": number,
            "open": meter.connections_open.read(),
            "accepted": meter.connections_accepted.read(),
            "refused": meter.connections_refused.read(),
            "tunnels": meter.tunnels_open.read(),
        })
    };
    let own = plan.upstreams.iter().filter(|upstream| upstream.variant_of.is_none());
    found(&json!({
        "open": open,
        "workers": meters.iter().enumerate().map(worker).collect::<Vec<_>>(),
        "listeners": plan.listeners.iter().map(|one| listener(desk, one)).collect::<Vec<_>>(),
        "upstreams": own.map(|upstream| to_upstream(upstream)).collect::<Vec<_>>(),
    }))
}

fn listener(desk: &Desk, listener: &Listener) -> Value {
    let bound = desk.workers.listening();
    let at = bound.iter().find(|(name, _)| *name == listener.name).map(|(_, at)| at.to_string());
    json!({
        "name": *listener.name,
        "address": at.unwrap_or_else(|| listener.address.to_string()),
        "max": listener.limits.connections_max,
    })
}

fn to_upstream(upstream: &Upstream) -> Value {
    let endpoint = |endpoint: &strait_plan::Endpoint| {
        let state = &endpoint.state;
        json!({ "name": *endpoint.name, "open": state.open(), "idle": state.idle(), "waiting": state.waiting() })
    };
    json!({ "name": *upstream.name, "endpoints": upstream.endpoints.iter().map(endpoint).collect::<Vec<_>>() })
}

/// Each certificate once, with the listeners that show it.
pub(super) fn certificates(desk: &Desk, _: &Call) -> Response {
    let plan = desk.workers.plan();
    let mut all: BTreeMap<&str, (&Certificate, Vec<&str>)> = BTreeMap::new();
    for listener in &plan.listeners {
        let policies = listener.tls.iter().flat_map(|tls| tls.policies());
        for certificate in policies.flat_map(|policy| policy.settings.certificates.all()) {
            let (_, listeners) = all.entry(&certificate.fingerprint).or_insert((certificate, Vec::new()));
            if !listeners.contains(&&*listener.name) {
                listeners.push(&listener.name);
            }
        }
    }
    let certificate = |(certificate, listeners): &(&Certificate, Vec<&str>)| {
        json!({
            "label": certificate.label,
            "names": certificate.names,
            "subject": certificate.subject,
            "issuer": certificate.issuer,
            "not_before": certificate.not_before_s,
            "not_after": certificate.not_after_s,
            "algorithm": certificate.algorithm.word(),
            "fingerprint": certificate.fingerprint,
            "ocsp": certificate.has_ocsp(),
            "listeners": listeners,
        })
    };
    found(&json!({ "certificates": all.values().map(certificate).collect::<Vec<_>>() }))
}
