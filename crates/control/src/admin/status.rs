//! The report of `strait status`.

use super::Desk;
use serde_json::{Value, json};
use std::sync::Arc;
use strait_plan::{Endpoint, EndpointAddress, EndpointState, Health, Plan, Upstream};
use strait_record::{FaultMeter, WorkerMeter};
use strait_traffic::Cause;

/// Faults that are named; the rest is in the metrics.
const FAULTS_MAX: usize = 10;

/// What goes on now.
pub(super) fn report(desk: &Desk) -> Value {
    let plan = desk.workers.plan();
    let meters = desk.workers.meters();
    let listening = desk.workers.listening();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "pid": std::process::id(),
        "generation": plan.generation,
        "uptime_s": desk.started.elapsed().as_secs(),
        "draining": desk.workers.is_draining(),
        "drain_left_s": desk.workers.drain_left().map(|left| left.as_secs()),
        "workers": meters.iter().enumerate().map(|(number, meter)| worker(number, meter)).collect::<Vec<_>>(),
        "listeners": listening
            .iter()
            .map(|(name, address)| json!({ "name": **name, "address": address.to_string() }))
            .collect::<Vec<_>>(),
        "upstreams": upstreams(&plan, desk.workers.now_ms()),
        "faults": faults(meters),
    })
}

fn worker(number: usize, meter: &WorkerMeter) -> Value {
    json!({
        "worker": number,
        "connections_open": meter.connections_open.read(),
        "exchanges": meter.exchanges.read(),
        "exchanges_running": meter.exchanges_running.read(),
        "tunnels_open": meter.tunnels_open.read(),
        "records_lost": meter.records_lost.read(),
    })
}

/// The upstreams with their endpoints.
pub(super) fn upstreams(plan: &Plan, now_ms: u64) -> Vec<Value> {
    let own = plan.upstreams.iter().filter(|upstream| upstream.variant_of.is_none());
    own.map(|own| upstream(own, now_ms)).collect()
}

fn upstream(upstream: &Upstream, now_ms: u64) -> Value {
    json!({
        "name": *upstream.name,
        "balance": upstream.balance.picker.to_string(),
        "endpoints": upstream.endpoints.iter().map(|known| endpoint(known, now_ms)).collect::<Vec<_>>(),
    })
}

/// One endpoint.
pub(super) fn endpoint(endpoint: &Endpoint, now_ms: u64) -> Value {
    let state = &endpoint.state;
    let addresses: Vec<String> = match &state.address {
        EndpointAddress::Name(..) => state.resolved().iter().map(ToString::to_string).collect(),
        EndpointAddress::Unix(path) => vec![format!("unix:{}", path.display())],
    };
    json!({
        "name": *endpoint.name,
        "addresses": addresses,
        "health": health(state, now_ms),
        "weight": endpoint.weight_now(),
        "weight_configured": endpoint.weight,
        "tier": endpoint.tier,
        "connections_open": state.open(),
        "connections_idle": state.idle(),
        "exchanges_waiting": state.waiting(),
        "attempts": state.meter.sum(|meter| meter.attempts.read()),
        "attempts_running": state.meter.sum(|meter| meter.attempts_running.read()),
        "faults": state.meter.sum(|meter| meter.faults.read()),
        "connections_failed": state.meter.sum(|meter| meter.connections_failed.read()),
    })
}

/// Whether it may be chosen, and what speaks against it.
fn health(state: &EndpointState, now_ms: u64) -> Value {
    let absence = state.standing.absence(now_ms);
    let ejected_ms = state.standing.ejected_until_ms().saturating_sub(now_ms);
    json!({
        "available": absence.is_none(),
        "absence": absence.map(|absence| absence.word()),
        "checked": match state.standing.health() {
            Health::Unknown => "unknown",
            Health::Healthy => "healthy",
            Health::Unhealthy => "unhealthy",
        },
        "checks_passed": state.checks.passed(),
        "checks_failed": state.checks.failed(),
        "last_failure": state.checks.last_failure().as_deref(),
        "ejected_ms": ejected_ms,
        "ejections": Cause::ALL.into_iter().map(|cause| state.outlier.ejected(cause)).sum::<u64>(),
    })
}

/// The most frequent faults, by code.
fn faults(meters: &[Arc<WorkerMeter>]) -> Vec<Value> {
    let mut counted: Vec<(u64, String)> = FaultMeter::combinations()
        .map(|(origin, phase, kind)| {
            let count = meters.iter().map(|meter| meter.faults.of(origin, phase, kind)).sum();
            (count, format!("{}.{}.{}", origin.word(), phase.word(), kind.word()))
        })
        .filter(|(count, _)| *count > 0)
        .collect();
    counted.sort_by(|(a, _), (b, _)| b.cmp(a));
    counted.into_iter().take(FAULTS_MAX).map(|(count, code)| json!({ "code": code, "count": count })).collect()
}
