//! How the endpoints of a route are known to be well.

use super::{each, render};
use std::time::Duration;
use strait_plan::{Action, HealthCheck, Plan, Route};
use strait_traffic::OutlierRules;

/// Checks and outlier detection, by name; empty where there is neither.
pub(super) fn health(plan: &Plan, route: &Route) -> Vec<(&'static str, String)> {
    let Action::Forward { upstreams, .. } = &route.action else { return Vec::new() };
    let used = || upstreams.iter().filter_map(|&index| plan.upstreams.get(index).map(|upstream| &**upstream));
    let none = || "none".to_owned();
    let mut lines = Vec::new();
    if used().any(|upstream| upstream.health_check.is_some()) {
        let text = each(used(), |upstream| upstream.health_check.as_deref().map_or_else(none, check));
        lines.push(("check", text));
    }
    if used().any(|upstream| upstream.outliers.is_some()) {
        let text = each(used(), |upstream| upstream.outliers.as_ref().map_or_else(none, outliers));
        lines.push(("outliers", text));
    }
    if used().any(|upstream| upstream.takes_hints) {
        lines.push(("agent hints", "taken".to_owned()));
    }
    lines
}

fn check(check: &HealthCheck) -> String {
    format!(
        "{} every {} within {} (unhealthy after {} and healthy after {})",
        check.summary(),
        ms(check.rules.interval_ms),
        render::duration(check.timeout),
        check.rules.unhealthy_after,
        check.rules.healthy_after
    )
}

fn outliers(rules: &OutlierRules) -> String {
    let runs = [(rules.consecutive_errors, "errors"), (rules.consecutive_local_errors, "local errors")];
    let runs = runs.into_iter().filter_map(|(max, what)| Some(format!("{} {what} in a row", max?)));
    let compared = [(rules.success_rate.is_some(), "success rate"), (rules.latency.is_some(), "latency")];
    let compared = compared.into_iter().filter(|(is_on, _)| *is_on).map(|(_, what)| what.to_owned());
    let causes: Vec<String> = runs.chain(compared).collect();
    let verb = if rules.log_only { "only said" } else { "ejected" };
    let (first, last) = (ms(rules.eject_ms), ms(rules.eject_ms_max));
    format!(
        "{verb} for {}: {first} doubling up to {last} (at most {}%)",
        causes.join(" or "),
        rules.ejected_percent_max
    )
}

fn ms(ms: u64) -> String {
    render::duration(Duration::from_millis(ms))
}
