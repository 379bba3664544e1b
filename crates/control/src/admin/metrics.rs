//! The plan and the meters as a scrape of Prometheus sees them.

use super::Desk;
use std::collections::HashSet;
use std::sync::Arc;
use strait_plan::{EndpointAddress, EndpointState, Health, Listener, Plan, RouteSet, Upstream};
use strait_record::WorkerMeter;
use strait_telemetry::process::ProcessFigures;
use strait_telemetry::prometheus::{
    EndpointFigures, Exposition, HealthFigures, LimitFigures, RouteFigures, Scrape, render,
};
use strait_traffic::Cause;

/// Renders the page of now.
pub(super) fn page(desk: &Desk, exposition: Exposition, every_route: bool) -> String {
    let plan = desk.workers.plan();
    let tables = tables(&plan.listeners);
    let otlp = desk.hooks.sightings.as_ref().map(|sightings| sightings.meter());
    let filters: Vec<&'static str> = strait_filters::KINDS.iter().map(|kind| kind.name()).collect();
    let scrape = Scrape {
        version: env!("CARGO_PKG_VERSION"),
        generation: plan.generation,
        draining: desk.workers.is_draining(),
        workers: desk.workers.meters(),
        routes: routes(&tables),
        endpoints: endpoints(&plan, desk.workers.now_ms()),
        limits: connections(&plan.listeners, desk.workers.meters()).into_iter().collect(),
        access_log: desk.hooks.access_log.as_deref(),
        otlp: otlp.as_deref(),
        filters: &filters,
        dialects: &plan.dialects,
        process: ProcessFigures::read(),
        every_route,
    };
    render(&scrape, exposition)
}

/// A table of routes with the names of the listeners that use it.
pub(super) struct SharedTable<'a> {
    listeners: String,
    routes: &'a Arc<RouteSet>,
}

/// Each table once.
pub(super) fn tables(listeners: &[Listener]) -> Vec<SharedTable<'_>> {
    let mut tables: Vec<SharedTable<'_>> = Vec::new();
    for Listener { name, routes, .. } in listeners {
        match tables.iter_mut().find(|table| Arc::ptr_eq(table.routes, routes)) {
            Some(table) => {
                table.listeners.push(',');
                table.listeners.push_str(name);
            }
            None => tables.push(SharedTable { listeners: name.to_string(), routes }),
        }
    }
    tables
}

/// Each meter once.
pub(super) fn routes<'a>(tables: &'a [SharedTable<'a>]) -> Vec<RouteFigures<'a>> {
    let mut seen = HashSet::new();
    let routes = tables.iter().flat_map(|table| table.routes.routes.iter().map(move |route| (table, route)));
    let distinct = routes.filter(|(_, route)| seen.insert(Arc::as_ptr(&route.meter)));
    distinct
        .map(|(table, route)| RouteFigures { listener: &table.listeners, route: &route.pattern, meter: &route.meter })
        .collect()
}

/// Each endpoint once, and none of the upstreams that are another one under other timeouts.
fn endpoints(plan: &Plan, now_ms: u64) -> Vec<EndpointFigures<'_>> {
    let mut seen = HashSet::new();
    let own = plan.upstreams.iter().filter(|upstream| upstream.variant_of.is_none());
    let endpoints = own.flat_map(|upstream| endpoints_of(upstream, now_ms));
    endpoints.filter(|endpoint| seen.insert((endpoint.upstream, endpoint.endpoint))).collect()
}

fn endpoints_of(upstream: &Upstream, now_ms: u64) -> impl Iterator<Item = EndpointFigures<'_>> {
    upstream.endpoints.iter().map(move |endpoint| EndpointFigures {
        upstream: &upstream.name,
        endpoint: &endpoint.name,
        meter: &endpoint.state.meter,
        addresses: match endpoint.state.address {
            EndpointAddress::Name(..) => endpoint.state.resolved().len(),
            EndpointAddress::Unix(_) => 1,
        },
        weight: endpoint.weight_now(),
        open: endpoint.state.open(),
        idle: endpoint.state.idle(),
        waiting: endpoint.state.waiting(),
        open_max: endpoint.connections_max,
        waiting_max: upstream.queue_max,
        health: health(&endpoint.state, now_ms),
    })
}

fn health(state: &EndpointState, now_ms: u64) -> HealthFigures {
    HealthFigures {
        available: state.standing.is_available(now_ms),
        healthy: match state.standing.health() {
            Health::Unknown => None,
            Health::Healthy => Some(true),
            Health::Unhealthy => Some(false),
        },
        ejected: state.standing.ejected_until_ms() > now_ms,
        checks_passed: state.checks.passed(),
        checks_failed: state.checks.failed(),
        ejections: Cause::ALL.into_iter().map(|cause| state.outlier.ejected(cause)).sum(),
        ejections_spared: state.outlier.spared(),
    }
}

/// Connections are counted over all listeners: with several, the sum of their limits stands beside.
fn connections<'a>(listeners: &'a [Listener], workers: &[Arc<WorkerMeter>]) -> Option<LimitFigures<'a>> {
    let used = workers.iter().map(|meter| meter.connections_open.read()).sum();
    let max = listeners.iter().map(|listener| u64::from(listener.limits.connections_max)).sum();
    let of: &str = match listeners {
        [] => return None,
        [only] => &only.name,
        _ => "",
    };
    Some(LimitFigures { limit: "connections", of, used, max })
}
