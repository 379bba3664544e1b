//! Meters as Prometheus reads them: text exposition format 0.0.4, and OpenMetrics 1.0.
//!
//! The counters live in the meters of the workers and are summed here when somebody asks, so there is no registry to
//! fill. Labels come from the configuration and from fixed words only: no request can make a series.

mod families;
mod names;
mod page;
mod reference;

pub use reference::reference_markdown;

use crate::access_log::{AccessLogMeter, QUEUED_BYTES_MAX};
use crate::otlp::{ExportMeter, Signal};
use crate::process::ProcessFigures;
use families as all;
use page::Page;
use std::sync::Arc;
use strait_message::HandshakeFailure;
use strait_record::{
    Dialect, EndpointMeter, FaultMeter, FilterVerdict, Histogram, Http2Meter, RouteMeter, Sharded, TlsMeter,
    WorkerMeter,
};

/// Routes that get series of their own in an ordinary scrape. With more, only their sums are shown.
pub const ROUTES_MAX: usize = 1_000;

/// How the page is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exposition {
    /// Text format 0.0.4, which every scraper reads.
    Text,
    /// OpenMetrics 1.0.
    OpenMetrics,
}

impl Exposition {
    /// What a scraper prefers, by its Accept field: OpenMetrics when it names it.
    pub fn preferred(accept: &str) -> Self {
        if accept.contains("application/openmetrics-text") { Self::OpenMetrics } else { Self::Text }
    }

    /// The Content-Type of the page.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Text => "text/plain; version=0.0.4; charset=utf-8",
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
        }
    }
}

/// What a scrape shows, gathered by who knows the plan.
#[derive(Debug)]
pub struct Scrape<'a> {
    /// The version of Strait.
    pub version: &'a str,
    /// The generation of the current plan.
    pub generation: u64,
    /// Whether a drain has begun.
    pub draining: bool,
    /// The meter of each worker.
    pub workers: &'a [Arc<WorkerMeter>],
    /// The routes, each meter once.
    pub routes: Vec<RouteFigures<'a>>,
    /// The endpoints, each pair of names once.
    pub endpoints: Vec<EndpointFigures<'a>>,
    /// Limits and how far they are used, beside those of endpoints, process and access log.
    pub limits: Vec<LimitFigures<'a>>,
    /// The access log, when one is written.
    pub access_log: Option<&'a AccessLogMeter>,
    /// What is counted about sending spans and records, when they may be.
    pub otlp: Option<&'a ExportMeter>,
    /// The filters' names, in the order of their numbers.
    pub filters: &'a [&'static str],
    /// The process, where the system tells.
    pub process: Option<ProcessFigures>,
    /// Whose names figures are shown under as well.
    pub dialects: &'a [Dialect],
    /// Whether every route gets its series, however many there are.
    pub every_route: bool,
}

/// A route and its meter.
#[derive(Clone, Copy, Debug)]
pub struct RouteFigures<'a> {
    /// The listener, or the listeners that share its table.
    pub listener: &'a str,
    /// The pattern as written.
    pub route: &'a str,
    /// What is counted.
    pub meter: &'a Sharded<RouteMeter>,
}

/// An endpoint, its meter and its figures over all workers.
#[derive(Clone, Copy, Debug)]
pub struct EndpointFigures<'a> {
    /// The upstream's name.
    pub upstream: &'a str,
    /// The endpoint's name.
    pub endpoint: &'a str,
    /// What is counted.
    pub meter: &'a Sharded<EndpointMeter>,
    /// Addresses its name resolved to.
    pub addresses: usize,
    /// Its weight now.
    pub weight: u32,
    /// Connections open.
    pub open: u32,
    /// Connections idle.
    pub idle: u32,
    /// Exchanges that wait for a connection.
    pub waiting: u32,
    /// Connections that may be open.
    pub open_max: Option<u32>,
    /// Exchanges that may wait.
    pub waiting_max: u32,
    /// What checks and attempts have shown about it.
    pub health: HealthFigures,
}

/// What is known about an endpoint's health.
#[derive(Clone, Copy, Debug, Default)]
pub struct HealthFigures {
    /// Whether it may be chosen.
    pub available: bool,
    /// The word of active checks, once there is one.
    pub healthy: Option<bool>,
    /// Whether it is ejected now.
    pub ejected: bool,
    /// Checks that passed.
    pub checks_passed: u64,
    /// Checks that failed.
    pub checks_failed: u64,
    /// Ejections so far.
    pub ejections: u64,
    /// Ejections that the cap spared it.
    pub ejections_spared: u64,
}

/// A limit, and how far it is used.
#[derive(Clone, Copy, Debug)]
pub struct LimitFigures<'a> {
    /// The limit's name.
    pub limit: &'static str,
    /// What it is a limit of, in the configuration's words; empty for the process.
    pub of: &'a str,
    /// How much is used.
    pub used: u64,
    /// How much may be.
    pub max: u64,
}

/// Renders the page.
pub fn render(scrape: &Scrape<'_>, exposition: Exposition) -> String {
    let mut page = Page::new(exposition);
    build(scrape, &mut page);
    workers(scrape, &mut page);
    http2(scrape, &mut page);
    tls(scrape, &mut page);
    faults(scrape, &mut page);
    filters(scrape, &mut page);
    route_sums(scrape, &mut page);
    if scrape.every_route || scrape.routes.len() <= ROUTES_MAX {
        routes(scrape, &mut page);
    }
    endpoints(scrape, &mut page);
    limits(scrape, &mut page);
    access_log(scrape, &mut page);
    otlp(scrape, &mut page);
    process(scrape, &mut page);
    names::opentelemetry(scrape, &mut page);
    scrape.dialects.iter().for_each(|dialect| names::dialect(*dialect, scrape, &mut page));
    page.finish()
}

fn build(scrape: &Scrape<'_>, page: &mut Page) {
    page.single(&all::BUILD_INFO, &[scrape.version], 1.0);
    page.single(&all::PLAN_GENERATION, &[], scrape.generation as f64);
    page.single(&all::DRAINING, &[], f64::from(u8::from(scrape.draining)));
}

fn workers(scrape: &Scrape<'_>, page: &mut Page) {
    let numbers: Vec<String> = (0..scrape.workers.len()).map(|worker| worker.to_string()).collect();
    for (family, figure) in &all::WORKER {
        page.family(family);
        for (worker, meter) in numbers.iter().zip(scrape.workers) {
            page.sample(family, &[worker], figure(meter));
        }
    }
    page.single(&all::WORKER_SKEW, &[], skew(scrape.workers));
}

/// How many times the mean the busiest worker has done; 1 when the work is even, or there was none.
fn skew(workers: &[Arc<WorkerMeter>]) -> f64 {
    let done = || workers.iter().map(|meter| meter.exchanges.read());
    match done().sum::<u64>() {
        0 => 1.0,
        sum => done().max().unwrap_or(0) as f64 * workers.len() as f64 / sum as f64,
    }
}

fn http2(scrape: &Scrape<'_>, page: &mut Page) {
    let meters = || scrape.workers.iter().map(|meter| &meter.http2);
    for (family, figure) in &all::HTTP2 {
        page.single(family, &[], meters().map(figure).sum::<u64>() as f64);
    }
    page.family(&all::HTTP2_ENDED);
    for (place, (reason, _)) in Http2Meter::default().ended().into_iter().enumerate() {
        let count = meters().filter_map(|meter| meter.ended().get(place).map(|(_, count)| *count));
        page.sample(&all::HTTP2_ENDED, &[reason], count.sum::<u64>() as f64);
    }
}

fn tls(scrape: &Scrape<'_>, page: &mut Page) {
    let meters = || scrape.workers.iter().map(|meter| &meter.tls);
    page.single(&all::TLS_RUNNING, &[], meters().map(|tls| tls.handshakes_running.read()).sum::<u64>() as f64);
    page.family(&all::TLS_HANDSHAKES);
    for (place, (version, resumed, _)) in TlsMeter::default().handshakes().into_iter().enumerate() {
        let count = meters().filter_map(|tls| tls.handshakes().get(place).map(|(.., count)| *count));
        let resumed = if resumed { "true" } else { "false" };
        page.sample(&all::TLS_HANDSHAKES, &[version, resumed], count.sum::<u64>() as f64);
    }
    page.family(&all::TLS_FAILURES);
    for failure in HandshakeFailure::ALL {
        let count: u64 = meters().map(|tls| tls.failed(failure)).sum();
        if count > 0 {
            page.sample(&all::TLS_FAILURES, &[failure.word()], count as f64);
        }
    }
}

fn faults(scrape: &Scrape<'_>, page: &mut Page) {
    page.family(&all::FAULTS);
    for (origin, phase, kind) in FaultMeter::combinations() {
        let count: u64 = scrape.workers.iter().map(|meter| meter.faults.of(origin, phase, kind)).sum();
        if count > 0 {
            page.sample(&all::FAULTS, &[origin.word(), phase.word(), kind.word()], count as f64);
        }
    }
}

fn filters(scrape: &Scrape<'_>, page: &mut Page) {
    page.family(&all::FILTERS);
    for (number, name) in scrape.filters.iter().enumerate() {
        for verdict in FilterVerdict::ALL {
            let count: u64 = scrape.workers.iter().map(|meter| meter.filters.of(number, verdict)).sum();
            if count > 0 {
                page.sample(&all::FILTERS, &[name, verdict.word()], count as f64);
            }
        }
    }
}

fn route_sums(scrape: &Scrape<'_>, page: &mut Page) {
    let mut classes = [0; all::CLASSES.len()];
    let mut duration = Distribution::default();
    for meter in scrape.routes.iter().flat_map(|route| route.meter.iter()) {
        for (sum, count) in classes.iter_mut().zip(meter.answers.classes()) {
            *sum += count;
        }
        meter.answers.iter().for_each(|(_, took)| duration.add(took));
    }
    page.family(&all::RESPONSES);
    for (class, count) in all::CLASSES.iter().zip(classes) {
        page.sample(&all::RESPONSES, &[class], count as f64);
    }
    page.family(&all::DURATION);
    page.distribution(&all::DURATION, &[], &duration);
}

/// Routes that were never used have no series.
fn routes(scrape: &Scrape<'_>, page: &mut Page) {
    let used: Vec<_> = scrape.routes.iter().filter(|route| route.meter.iter().next().is_some()).collect();
    page.family(&all::ROUTE_RESPONSES);
    for route in &used {
        for (index, class) in all::CLASSES.iter().enumerate() {
            let count = route.meter.sum(|meter| meter.answers.classes().get(index).copied().unwrap_or(0));
            if count > 0 {
                page.sample(&all::ROUTE_RESPONSES, &[route.listener, route.route, class], count as f64);
            }
        }
    }
    for (family, figure) in &all::ROUTE {
        page.family(family);
        for route in &used {
            page.sample(family, &[route.listener, route.route], route.meter.sum(figure) as f64);
        }
    }
    page.family(&all::ROUTE_DURATION);
    for route in &used {
        let duration =
            Distribution::of(route.meter.iter().flat_map(|meter| meter.answers.iter()).map(|(_, took)| took));
        page.distribution(&all::ROUTE_DURATION, &[route.listener, route.route], &duration);
    }
}

fn endpoints(scrape: &Scrape<'_>, page: &mut Page) {
    for (family, figure) in &all::ENDPOINT {
        page.family(family);
        for endpoint in &scrape.endpoints {
            page.sample(family, &[endpoint.upstream, endpoint.endpoint], figure(endpoint));
        }
    }
    page.family(&all::ENDPOINT_RESPONSE_TIME);
    for endpoint in &scrape.endpoints {
        let time = Distribution::of(endpoint.meter.iter().map(|meter| &meter.response_time));
        page.distribution(&all::ENDPOINT_RESPONSE_TIME, &[endpoint.upstream, endpoint.endpoint], &time);
    }
}

fn limits(scrape: &Scrape<'_>, page: &mut Page) {
    let names: Vec<String> = scrape.endpoints.iter().map(|e| format!("{}/{}", e.upstream, e.endpoint)).collect();
    let mut known: Vec<LimitFigures<'_>> = scrape.limits.clone();
    for (endpoint, of) in scrape.endpoints.iter().zip(&names) {
        let limit = |limit, used: u32, max: u32| LimitFigures { limit, of, used: used.into(), max: max.into() };
        known.extend(endpoint.open_max.map(|max| limit("endpoint_connections", endpoint.open, max)));
        known.push(limit("endpoint_queue", endpoint.waiting, endpoint.waiting_max));
    }
    let process = |limit, used, max| LimitFigures { limit, of: "", used, max };
    if let Some(meter) = scrape.access_log {
        known.push(process("access_log_bytes", meter.queued_bytes() as u64, QUEUED_BYTES_MAX as u64));
    }
    if let Some(ProcessFigures { open_files, open_files_max: Some(max), .. }) = scrape.process {
        known.push(process("open_files", open_files, max));
    }
    for (family, figure) in &all::LIMIT {
        page.family(family);
        for limit in &known {
            page.sample(family, &[limit.limit, limit.of], figure(limit) as f64);
        }
    }
}

fn access_log(scrape: &Scrape<'_>, page: &mut Page) {
    if let Some(meter) = scrape.access_log {
        for (family, figure) in &all::ACCESS_LOG {
            page.single(family, &[], figure(meter));
        }
    }
}

fn otlp(scrape: &Scrape<'_>, page: &mut Page) {
    let Some(meter) = scrape.otlp else { return };
    for (family, figure) in &all::OTLP {
        page.family(family);
        for signal in Signal::ALL {
            page.sample(family, &[signal.word()], figure(meter, signal) as f64);
        }
    }
}

fn process(scrape: &Scrape<'_>, page: &mut Page) {
    if let Some(figures) = &scrape.process {
        for (family, figure) in &all::PROCESS {
            if let Some(value) = figure(figures) {
                page.single(family, &[], value);
            }
        }
    }
}

/// A histogram summed over workers.
#[derive(Clone, Debug, Default)]
struct Distribution {
    counts: Vec<u64>,
    sum_us: u64,
}

impl Distribution {
    fn of<'a>(histograms: impl Iterator<Item = &'a Histogram>) -> Self {
        let mut sum = Self::default();
        histograms.for_each(|histogram| sum.add(histogram));
        sum
    }

    fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    fn add_all(&mut self, other: &Self) {
        self.counts.resize(self.counts.len().max(other.counts.len()), 0);
        self.counts.iter_mut().zip(&other.counts).for_each(|(sum, count)| *sum += count);
        self.sum_us += other.sum_us;
    }

    fn add(&mut self, histogram: &Histogram) {
        let counts = histogram.counts();
        self.counts.resize(counts.len(), 0);
        for (sum, count) in self.counts.iter_mut().zip(counts) {
            *sum += count;
        }
        self.sum_us += histogram.sum_us();
    }
}

#[cfg(test)]
mod tests;
