//! The same figures under the names of others: OpenTelemetry's semantic conventions always, those of other proxies
//! where that is asked for, so that boards made for them show data.

use super::page::{Family, Kind, Page};
use super::{Distribution, EndpointFigures, RouteFigures, Scrape};
use std::collections::BTreeMap;
use strait_record::{Answered, Dialect, WorkerMeter};

mod caddy;
mod envoy;
mod haproxy;
mod nginx;
mod traefik;

/// Writes the families of a dialect.
pub(super) fn dialect(dialect: Dialect, scrape: &Scrape<'_>, page: &mut Page) {
    let mut sheet = Sheet { scrape, page };
    match dialect {
        Dialect::Nginx => nginx::write(&mut sheet),
        Dialect::Haproxy => haproxy::write(&mut sheet),
        Dialect::Envoy => envoy::write(&mut sheet),
        Dialect::Traefik => traefik::write(&mut sheet),
        Dialect::Caddy => caddy::write(&mut sheet),
    }
}

/// What is written, and where.
struct Sheet<'s, 'f> {
    scrape: &'s Scrape<'f>,
    page: &'s mut Page,
}

/// One sample: the values of the labels, and the figure.
type Sample = (Vec<String>, f64);

impl<'f> Sheet<'_, 'f> {
    fn counter(
        &mut self,
        name: &'static str,
        labels: &'static [&'static str],
        samples: impl IntoIterator<Item = Sample>,
    ) {
        self.family(Kind::Counter, name, labels, samples);
    }

    fn gauge(
        &mut self,
        name: &'static str,
        labels: &'static [&'static str],
        samples: impl IntoIterator<Item = Sample>,
    ) {
        self.family(Kind::Gauge, name, labels, samples);
    }

    fn family(
        &mut self,
        kind: Kind,
        name: &'static str,
        labels: &'static [&'static str],
        samples: impl IntoIterator<Item = Sample>,
    ) {
        let family = Family { name, kind, labels, help: HELP };
        self.page.family(&family);
        for (values, figure) in samples {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            self.page.sample(&family, &values, figure);
        }
    }

    /// Durations, with so many microseconds in a unit.
    fn histogram(
        &mut self,
        name: &'static str,
        labels: &'static [&'static str],
        unit_us: f64,
        samples: impl IntoIterator<Item = (Vec<String>, Distribution)>,
    ) {
        let family = Family { name, kind: Kind::Histogram, labels, help: HELP };
        self.page.family(&family);
        for (values, durations) in samples {
            let values: Vec<&str> = values.iter().map(String::as_str).collect();
            self.page.distribution_in(&family, &values, &durations, unit_us);
        }
    }

    /// A figure of all workers.
    fn workers(&self, figure: impl Fn(&WorkerMeter) -> u64) -> f64 {
        self.scrape.workers.iter().map(|meter| figure(meter)).sum::<u64>() as f64
    }

    /// The routes that were used, as many as are shown one by one.
    fn routes(&self) -> impl Iterator<Item = &RouteFigures<'f>> {
        let shown = self.scrape.every_route || self.scrape.routes.len() <= super::ROUTES_MAX;
        self.scrape.routes.iter().filter(move |route| shown && route.meter.iter().next().is_some())
    }

    /// What every used route answered: the names of route and listener, the answer, and how long it took.
    fn answers(&self) -> Vec<(&RouteFigures<'f>, Answered, Distribution)> {
        self.routes().flat_map(|route| answers(route).into_iter().map(move |(key, took)| (route, key, took))).collect()
    }

    /// A figure of routes, added up by listener.
    fn by_listener(&self, figure: impl Fn(&RouteFigures<'f>) -> u64) -> BTreeMap<&'f str, u64> {
        let mut sums = BTreeMap::new();
        self.scrape.routes.iter().for_each(|route| *sums.entry(route.listener).or_default() += figure(route));
        sums
    }

    /// A figure of endpoints, added up by upstream.
    fn by_upstream(&self, figure: impl Fn(&EndpointFigures<'f>) -> u64) -> BTreeMap<&'f str, u64> {
        let mut sums = BTreeMap::new();
        self.scrape
            .endpoints
            .iter()
            .for_each(|endpoint| *sums.entry(endpoint.upstream).or_default() += figure(endpoint));
        sums
    }
}

const HELP: &str = "The figures of Strait under another name.";

fn one(figure: f64) -> [Sample; 1] {
    [(Vec::new(), figure)]
}

fn named(sums: BTreeMap<&str, u64>) -> Vec<Sample> {
    sums.into_iter().map(|(name, sum)| (vec![name.to_owned()], sum as f64)).collect()
}

/// Answers of a route over all workers.
fn answers(route: &RouteFigures<'_>) -> BTreeMap<Answered, Distribution> {
    let mut sums: BTreeMap<Answered, Distribution> = BTreeMap::new();
    for (answered, duration) in route.meter.iter().flat_map(|meter| meter.answers.iter()) {
        sums.entry(answered).or_default().add(duration);
    }
    sums
}

/// The status as a text; a class such as `5xx` for those that are not told apart, empty for none.
fn code(answered: &Answered) -> String {
    match (answered.status, answered.class) {
        (Some(status), _) => status.to_string(),
        (None, 0) => String::new(),
        (None, class) => format!("{class}xx"),
    }
}

/// Host and port of an endpoint's name; a socket file has no port.
fn host_and_port(name: &str) -> (&str, &str) {
    match name.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.bytes().all(|octet| octet.is_ascii_digit()) => (host, port),
        _ => (name, ""),
    }
}

/// The names of OpenTelemetry's semantic conventions for HTTP, as Prometheus spells them.
pub(super) fn opentelemetry(scrape: &Scrape<'_>, page: &mut Page) {
    page.family(&super::all::OTEL_SERVER_DURATION);
    let sheet = Sheet { scrape, page };
    let answers: Vec<_> = sheet
        .answers()
        .into_iter()
        .map(|(route, answered, took)| ([answered.method.to_owned(), code(&answered), route.route.to_owned()], took))
        .collect();
    for (labels, took) in answers {
        sheet.page.distribution(&super::all::OTEL_SERVER_DURATION, &labels.each_ref().map(String::as_str), &took);
    }
    let running = sheet.workers(|meter| meter.exchanges_running.read());
    sheet.page.single(&super::all::OTEL_ACTIVE, &[], running);
    sheet.page.family(&super::all::OTEL_CLIENT_DURATION);
    for endpoint in &scrape.endpoints {
        let (host, port) = host_and_port(endpoint.endpoint);
        let took = Distribution::of(endpoint.meter.iter().map(|meter| &meter.response_time));
        sheet.page.distribution(&super::all::OTEL_CLIENT_DURATION, &[host, port, endpoint.upstream], &took);
    }
    sheet.page.family(&super::all::OTEL_CONNECTIONS);
    for endpoint in &scrape.endpoints {
        let (host, port) = host_and_port(endpoint.endpoint);
        for (state, count) in [("idle", endpoint.idle), ("active", endpoint.open.saturating_sub(endpoint.idle))] {
            let labels = [host, port, endpoint.upstream, state];
            sheet.page.sample(&super::all::OTEL_CONNECTIONS, &labels, count.into());
        }
    }
}
