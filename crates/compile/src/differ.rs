//! What a new plan changes for whoever sends requests: by meaning, not by text.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fmt::Write as _;
use strait_filters::flow::Behaviour as _;
use strait_plan::{Action, Branch, Plan, Route};

/// A difference between two plans.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Something is there that was not.
    Added(String),
    /// Something is gone.
    Removed(String),
    /// Something is other than it was.
    Changed(String),
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added(what) => write!(f, "+ {what}"),
            Self::Removed(what) => write!(f, "- {what}"),
            Self::Changed(what) => write!(f, "~ {what}"),
        }
    }
}

/// What is different in `after`, in the order of names; empty when the two mean the same.
pub fn changes(before: &Plan, after: &Plan) -> Vec<Change> {
    let (before, after) = (things(before), things(after));
    let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    let change = |name: &String| match (before.get(name), after.get(name)) {
        (None, Some(_)) => Some(Change::Added(name.clone())),
        (Some(_), None) => Some(Change::Removed(name.clone())),
        (was, is) => (was != is).then(|| Change::Changed(name.clone())),
    };
    names.into_iter().filter_map(change).collect()
}

/// Everything in a plan that has a name, with a text that is equal as long as it means the same.
fn things(plan: &Plan) -> BTreeMap<String, String> {
    let mut things = BTreeMap::new();
    things.insert("the access log".to_owned(), format!("{:?}", plan.access_log));
    if let Some(tracing) = &plan.tracing {
        things.insert("traces".to_owned(), format!("{tracing:?}"));
    }
    things.insert("Server-Timing".to_owned(), plan.server_timing.to_string());
    things.insert("names of metrics".to_owned(), format!("{:?}", plan.dialects));
    for listener in &plan.listeners {
        let own = format!("{} {:?} {:?}", listener.address, listener.limits, listener.trusted_proxies);
        let own = format!("{own} {:?} {}", listener.https_port, listener.tls.as_deref().map_or_else(String::new, tls));
        things.insert(format!("listener {}", listener.name), own);
        for route in &listener.routes.routes {
            things.insert(format!("route {} of {}", route.pattern, listener.name), meaning(plan, route));
        }
    }
    for upstream in plan.upstreams.iter().filter(|upstream| upstream.variant_of.is_none()) {
        let mut own =
            format!("{:?} {:?} {:?} {:?}", upstream.balance, upstream.hash_key, upstream.sticky, upstream.retry);
        let _ = write!(own, " {} {}", upstream.queue_max, upstream.keep_alive_max);
        let durations =
            [upstream.connect_timeout, upstream.first_byte_timeout, upstream.idle_timeout, upstream.keep_alive_timeout];
        let _ = write!(own, " {durations:?} {:?} {:?}", upstream.health_check, upstream.outliers);
        let _ = write!(own, " {} {}", upstream.takes_hints, upstream.keep_alive_warm);
        for endpoint in &upstream.endpoints {
            let tls = endpoint.state.tls.as_ref().map(|tls| tls.hash);
            let _ = write!(
                own,
                " {}={}/{}/{:?} {tls:?}",
                endpoint.name, endpoint.weight, endpoint.tier, endpoint.connections_max
            );
        }
        things.insert(format!("upstream {}", upstream.name), own);
    }
    things
}

/// The policies of a listener: what clients must prove, and the certificates they see.
fn tls(tls: &strait_tls::ListenerTls) -> String {
    let mut text = format!("{:?} {}", tls.handshake_timeout, tls.handshakes_max);
    for policy in tls.policies() {
        let settings = &policy.settings;
        let certificates = settings.certificates.all().iter().map(|certificate| &certificate.fingerprint);
        let certificates: Vec<_> = certificates.collect();
        let _ = write!(text, " {} {:?} {} {certificates:?}", settings.name, policy.hash, settings.tickets.is_some());
    }
    text
}

/// A route without what belongs to the file (its line) and to the plan (indices).
fn meaning(plan: &Plan, route: &Route) -> String {
    let action = match &route.action {
        Action::Forward { upstreams, weights } => {
            let used = upstreams.iter().filter_map(|&index| plan.upstreams.get(index)).map(|upstream| {
                (&upstream.name, upstream.connect_timeout, upstream.first_byte_timeout, upstream.idle_timeout)
            });
            format!("{:?} {weights:?}", used.collect::<Vec<_>>())
        }
        other => format!("{other:?}"),
    };
    let steps = route.filters.iter().flat_map(|chain| chain.steps());
    let filters: Vec<_> =
        steps.map(|step| format!("{} {}", step.filter.kind().name(), step.filter.describe())).collect();
    let branch = |branch: &Branch| format!("{:?} {}", branch.condition, meaning(plan, &branch.route));
    let branches: Vec<String> = route.branches.iter().map(branch).collect();
    let Route {
        request_timeout,
        queue_priority,
        preserve_host,
        body_bytes_max,
        request_headers,
        response_headers,
        condition,
        ..
    } = route;
    format!(
        "{action} {request_timeout:?} {queue_priority:?} {preserve_host} {body_bytes_max:?} {request_headers:?} {response_headers:?} {condition:?} \
         {branches:?} {filters:?}"
    )
}
