//! Endpoints of an upstream compared with each other, and ejections told.

use super::CurrentPlan;
use std::collections::HashMap;
use std::sync::{Arc, PoisonError};
use std::time::Duration;
use strait_plan::{Endpoint, Plan, Upstream, Workers};
use strait_traffic::{Cause, OutlierRules, Sample};
use tokio::time::sleep;

/// How often it is looked whether workers ejected an endpoint, to say so.
const LOOK: Duration = Duration::from_millis(250);

/// Says which endpoints workers ejected, and ejects those that stand out, for as long as the task lives.
pub(super) async fn keep_comparing(name: Arc<str>, plan: CurrentPlan, workers: Arc<dyn Workers>) {
    let mut told = Told::default();
    let mut counts = Counts::default();
    let mut compared_ms = workers.now_ms();
    loop {
        sleep(LOOK).await;
        let plan = plan.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some((upstream, rules)) = find(&plan, &name) else { continue };
        let now_ms = workers.now_ms();
        if now_ms.saturating_sub(compared_ms) >= rules.interval_ms {
            compared_ms = now_ms;
            for (endpoint, cause) in rules.compare(&counts.since_last(upstream)) {
                upstream.eject(endpoint, cause, now_ms);
            }
        }
        told.tell(upstream, rules, now_ms);
    }
}

fn find<'p>(plan: &'p Plan, name: &str) -> Option<(&'p Upstream, &'p OutlierRules)> {
    let upstream = plan.upstreams.iter().find(|upstream| upstream.variant_of.is_none() && *upstream.name == *name)?;
    Some((upstream, upstream.outliers.as_ref()?))
}

/// What was counted about each endpoint when it was last looked at, by name.
#[derive(Default)]
struct Counts(HashMap<Arc<str>, Totals>);

/// Sums over all workers since an endpoint is known.
#[derive(Clone, Copy, Default)]
struct Totals {
    ended: u64,
    errors: u64,
    responses: u64,
    response_us: u64,
}

impl Counts {
    /// What the endpoints of an upstream did since the last call. One that is new has done nothing yet.
    fn since_last(&mut self, upstream: &Upstream) -> Vec<Sample> {
        let now: Vec<(Arc<str>, Totals)> =
            upstream.endpoints.iter().map(|endpoint| (endpoint.name.clone(), totals(endpoint))).collect();
        let samples = now.iter().map(|(name, now)| sample(self.0.get(name).unwrap_or(now), now)).collect();
        self.0 = now.into_iter().collect();
        samples
    }
}

fn totals(endpoint: &Endpoint) -> Totals {
    let meter = &endpoint.state.meter;
    let begun = meter.sum(|meter| meter.attempts.read());
    Totals {
        ended: begun.saturating_sub(meter.sum(|meter| meter.attempts_running.read())),
        errors: meter.sum(|meter| meter.faults.read() + meter.error_answers.read()),
        responses: meter.sum(|meter| meter.response_time.counts().iter().sum()),
        response_us: meter.sum(|meter| meter.response_time.sum_us()),
    }
}

fn sample(before: &Totals, now: &Totals) -> Sample {
    let responses = now.responses.saturating_sub(before.responses);
    let requests = now.ended.saturating_sub(before.ended);
    Sample {
        requests,
        errors: now.errors.saturating_sub(before.errors).min(requests),
        latency_us: now.response_us.saturating_sub(before.response_us).checked_div(responses).unwrap_or(0),
    }
}

/// Ejections that were told, by the name of the endpoint and the cause.
#[derive(Default)]
struct Told(HashMap<(Arc<str>, Cause), u64>);

impl Told {
    fn tell(&mut self, upstream: &Upstream, rules: &OutlierRules, now_ms: u64) {
        for endpoint in &upstream.endpoints {
            for cause in Cause::ALL {
                let count = endpoint.state.outlier.ejected(cause);
                let told = self.0.insert((endpoint.name.clone(), cause), count).unwrap_or(0);
                if count > told {
                    say(upstream, endpoint, cause, rules.log_only, now_ms);
                }
            }
        }
    }
}

fn say(upstream: &Upstream, endpoint: &Endpoint, cause: Cause, log_only: bool, now_ms: u64) {
    let who = format!("{} of {}", endpoint.name, upstream.name);
    let why = cause.sentence();
    let left_ms = endpoint.state.standing.ejected_until_ms().saturating_sub(now_ms);
    crate::say(&match log_only {
        true => format!("outliers: {who} would be ejected: {why}"),
        false => format!("outliers: {who} is ejected, for another {left_ms} ms: {why}"),
    });
}
