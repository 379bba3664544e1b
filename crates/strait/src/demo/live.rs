//! Figures of the last second, from the meters that metrics are made of.

use std::collections::BTreeMap;
use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::Arc;
use strait_dataplane::Fleet;
use strait_message::{Fault, Retry};
use strait_plan::Workers as _;
use strait_record::{BOUNDS_US, FaultMeter};

/// Stands above the lines.
pub(super) const HEADING: &str = "   time   requests/s      p50      p99   retried   errors\n";

type Buckets = [u64; BOUNDS_US.len() + 1];

/// The figures as they were a second ago.
pub(super) struct Live {
    before: Figures,
}

/// Counts since the start.
#[derive(Clone, Default)]
struct Figures {
    durations: Buckets,
    exchanges: u64,
    retries: u64,
    server_errors: u64,
    faults: BTreeMap<String, FaultCount>,
}

#[derive(Clone, Copy, Default)]
struct FaultCount {
    count: u64,
    /// Whether it is answered with a 5xx, which the count of those holds too.
    is_server_error: bool,
}

impl Live {
    pub(super) fn of(fleet: &Fleet) -> Self {
        Self { before: Figures::read(fleet) }
    }

    /// The line for what happened since the last one.
    pub(super) fn line(&mut self, fleet: &Fleet, second: u32) -> String {
        let now = Figures::read(fleet);
        let before = std::mem::replace(&mut self.before, now.clone());
        let mut durations = now.durations;
        for (count, before) in durations.iter_mut().zip(before.durations) {
            *count = count.saturating_sub(before);
        }
        format!(
            "{second:5} s {:>12} {:>8} {:>8} {:>9}   {}\n",
            now.exchanges - before.exchanges,
            quantile(&durations, 0.5),
            quantile(&durations, 0.99),
            now.retries - before.retries,
            errors(&before, &now)
        )
    }
}

impl Figures {
    fn read(fleet: &Fleet) -> Self {
        let mut figures = Self::default();
        for meter in fleet.meters() {
            figures.exchanges += meter.exchanges.read();
            figures.retries += meter.retries.read();
            figures.add_faults(&meter.faults);
        }
        let plan = fleet.plan();
        let mut seen = HashSet::new();
        let routes = plan.listeners.iter().flat_map(|listener| &listener.routes.routes);
        for route in routes.filter(|route| seen.insert(Arc::as_ptr(&route.meter))) {
            for meter in route.meter.iter() {
                for (_, duration) in meter.answers.iter() {
                    figures.durations.iter_mut().zip(duration.counts()).for_each(|(sum, count)| *sum += count);
                }
                figures.server_errors += meter.answers.classes().last().copied().unwrap_or(0);
            }
        }
        figures
    }

    fn add_faults(&mut self, meter: &FaultMeter) {
        for (origin, phase, kind) in FaultMeter::combinations() {
            let count = meter.of(origin, phase, kind);
            if count > 0 {
                let fault = Fault { origin, phase, kind, retry: Retry::Never, detail: "" };
                let entry = self.faults.entry(fault.to_string()).or_default();
                entry.count += count;
                entry.is_server_error = fault.status().class() == 5;
            }
        }
    }
}

/// What went wrong and how often: faults by their reason, then errors that origins answered with.
fn errors(before: &Figures, now: &Figures) -> String {
    let mut out = String::new();
    let mut add = |count: u64, what: &str| {
        if count > 0 {
            let _ = write!(out, "{}{count} × {what}", if out.is_empty() { "" } else { ", " });
        }
    };
    let mut own = 0;
    for (reason, fault) in &now.faults {
        let count = fault.count - before.faults.get(reason).map_or(0, |before| before.count);
        own += if fault.is_server_error { count } else { 0 };
        add(count, reason);
    }
    add((now.server_errors - before.server_errors).saturating_sub(own), "an origin answered 5xx");
    if out.is_empty() { "none".to_owned() } else { out }
}

/// The duration below which this share of the exchanges stayed, by even spread within its bucket.
fn quantile(buckets: &Buckets, share: f64) -> String {
    let total: u64 = buckets.iter().sum();
    let wanted = total as f64 * share;
    let (mut below, mut lower) = (0.0, 0.0);
    for (&count, &bound) in buckets.iter().zip(&BOUNDS_US) {
        let (count, bound) = (count as f64, bound as f64);
        if count > 0.0 && below + count >= wanted {
            return milliseconds(lower + (bound - lower) * (wanted - below) / count);
        }
        below += count;
        lower = bound;
    }
    if total == 0 { "-".to_owned() } else { "> 10 s".to_owned() }
}

fn milliseconds(us: f64) -> String {
    let ms = us / 1_000.0;
    if ms < 10.0 { format!("{ms:.2} ms") } else { format!("{ms:.0} ms") }
}

#[cfg(test)]
mod tests {
    use super::{Buckets, quantile};

    #[test]
    fn quantiles_lie_within_their_bucket() {
        let mut buckets = Buckets::default();
        assert_eq!(quantile(&buckets, 0.5), "-");
        buckets[0] = 98;
        buckets[8] = 2;
        assert_eq!(quantile(&buckets, 0.49), "0.05 ms");
        assert_eq!(quantile(&buckets, 0.99), "38 ms");
        let mut above = Buckets::default();
        above[16] = 1;
        assert_eq!(quantile(&above, 0.5), "> 10 s");
    }
}
