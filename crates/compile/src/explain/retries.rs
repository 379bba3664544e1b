//! When a request would be sent once more.

use super::{each, render};
use std::time::Duration;
use strait_message::Method;
use strait_plan::{Action, Plan, RetryPolicy, Route, Upstream};

/// The policy for a request of this method, by name; empty where nothing goes upstream.
pub(super) fn retries(plan: &Plan, route: &Route, method: &Method) -> Vec<(&'static str, String)> {
    let Action::Forward { upstreams, .. } = &route.action else { return Vec::new() };
    let used = || upstreams.iter().filter_map(|&index| plan.upstreams.get(index).map(|upstream| &**upstream));
    let each = |text: fn(&RetryPolicy) -> String| each(used(), |upstream: &Upstream| text(&upstream.retry));
    let mut lines = vec![("attempts", each(|policy| policy.attempts_max.to_string()))];
    if used().all(|upstream| upstream.retry.attempts_max < 2) {
        return lines;
    }
    let repeatable = used().all(|upstream| upstream.retry.non_idempotent) || method.is_idempotent();
    let when = if repeatable { "" } else { " (only while provably unsent: the method is not idempotent)" };
    lines.push(("on", format!("{}{when}", each(reasons))));
    lines.push(("budget", each(budget)));
    lines.push(("backoff", each(backoff)));
    lines.push(("body kept", each(|policy| render::size(policy.body_bytes_max as u64))));
    lines
}

fn reasons(policy: &RetryPolicy) -> String {
    let on = policy.on;
    let named = [(on.connect_failure, "connect_failure"), (on.reset, "reset"), (on.timeout, "timeout")];
    let named = named.into_iter().filter(|(on, _)| *on).map(|(_, name)| name.to_owned());
    let statuses = on.statuses.ranges().into_iter().map(|(first, last)| match (first, last) {
        (500, 599) => "5xx".to_owned(),
        (first, last) if first == last => first.to_string(),
        (first, last) => format!("{first} to {last}"),
    });
    named.chain(statuses).collect::<Vec<_>>().join(" or ")
}

fn budget(policy: &RetryPolicy) -> String {
    match policy.budget.per_mille {
        None => "none".to_owned(),
        Some(share) => {
            let percent = f64::from(share) / 10.0;
            format!("{percent}% and at least {}/s", policy.budget.floor_per_s)
        }
    }
}

fn backoff(policy: &RetryPolicy) -> String {
    let bound = |ms| render::duration(Duration::from_millis(ms));
    format!("up to {} doubling up to {}", bound(policy.backoff.base_ms), bound(policy.backoff.max_ms))
}
