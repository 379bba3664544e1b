//! The plan and the meters as a scrape of Prometheus sees them.

use super::Desk;
use std::collections::HashSet;
use std::sync::Arc;
use strait_plan::{EndpointAddress, Listener, Plan, RouteSet, Upstream};
use strait_record::WorkerMeter;
use strait_telemetry::process::ProcessFigures;
use strait_telemetry::prometheus::{EndpointFigures, Exposition, LimitFigures, RouteFigures, Scrape, render};

/// Renders the page of now.
pub(super) fn page(desk: &Desk, exposition: Exposition, every_route: bool) -> String {
    let plan = desk.workers.plan();
    let tables = tables(&plan.listeners);
    let filters: Vec<&'static str> = strait_filters::KINDS.iter().map(|kind| kind.name()).collect();
    let scrape = Scrape {
        version: env!("CARGO_PKG_VERSION"),
        generation: plan.generation,
        draining: desk.workers.is_draining(),
        workers: desk.workers.meters(),
        routes: routes(&tables),
        endpoints: endpoints(&plan),
        limits: connections(&plan.listeners, desk.workers.meters()).into_iter().collect(),
        access_log: desk.hooks.access_log.as_deref(),
        filters: &filters,
        process: ProcessFigures::read(),
        every_route,
    };
    render(&scrape, exposition)
}

/// A table of routes with the names of the listeners that use it.
struct SharedTable<'a> {
    listeners: String,
    routes: &'a Arc<RouteSet>,
}

/// Each table once.
fn tables(listeners: &[Listener]) -> Vec<SharedTable<'_>> {
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
fn routes<'a>(tables: &'a [SharedTable<'a>]) -> Vec<RouteFigures<'a>> {
    let mut seen = HashSet::new();
    let routes = tables.iter().flat_map(|table| table.routes.routes.iter().map(move |route| (table, route)));
    let distinct = routes.filter(|(_, route)| seen.insert(Arc::as_ptr(&route.meter)));
    distinct
        .map(|(table, route)| RouteFigures { listener: &table.listeners, route: &route.pattern, meter: &route.meter })
        .collect()
}

/// Each endpoint once, and none of the upstreams that are another one under other timeouts.
fn endpoints(plan: &Plan) -> Vec<EndpointFigures<'_>> {
    let mut seen = HashSet::new();
    let own = plan.upstreams.iter().filter(|upstream| upstream.variant_of.is_none());
    let endpoints = own.flat_map(endpoints_of);
    endpoints.filter(|endpoint| seen.insert((endpoint.upstream, endpoint.endpoint))).collect()
}

fn endpoints_of(upstream: &Upstream) -> impl Iterator<Item = EndpointFigures<'_>> {
    upstream.endpoints.iter().map(|endpoint| EndpointFigures {
        upstream: &upstream.name,
        endpoint: &endpoint.name,
        meter: &endpoint.state.meter,
        addresses: match endpoint.state.address {
            EndpointAddress::Name(..) => endpoint.state.resolved().len(),
            EndpointAddress::Unix(_) => 1,
        },
        open: endpoint.state.open(),
        idle: endpoint.state.idle(),
        waiting: endpoint.state.waiting(),
        open_max: upstream.connections_max,
        waiting_max: upstream.queue_max,
    })
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
