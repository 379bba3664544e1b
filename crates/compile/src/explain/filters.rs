//! What the filters of the route that won would do, by the code that serves.

use serde_json::{Value, json};
use std::fmt;
use std::net::{IpAddr, Ipv4Addr};
use strait_filters::flow::Behaviour as _;
use strait_filters::{Ending, Facts, Notes, Now, Rehearsal, Request, Target};
use strait_message::{BodyLength, RequestHead};
use strait_plan::{Facts as Asked, Route, RouteSet};
use strait_route::Captures;

/// What one filter would do.
#[derive(Clone, Debug)]
pub struct FilterStep(Rehearsal);

/// What each filter of a route would do, in order; without a route, those that every request passes.
pub(super) fn rehearse(routes: &RouteSet, route: Option<&Route>, asked: &Asked<'_>) -> Vec<FilterStep> {
    let chain = route.map_or(&routes.unrouted, |route| &route.filters);
    let Some(chain) = chain else { return Vec::new() };
    let mut head = RequestHead::new(*asked.method);
    head.headers = asked.headers.clone();
    let target = match asked.query {
        Some(query) => [asked.path, b"?", query].concat(),
        None => asked.path.to_vec(),
    };
    let (mut rewritten, mut spare, mut notes) = (Vec::new(), Vec::new(), Notes::default());
    let mut request = Request {
        facts: Facts {
            client: asked.client.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |client| client.ip().to_canonical()),
            scheme: asked.scheme,
            host: asked.host,
            path: asked.path,
            query: asked.query,
            route: route.map_or("", |route| &route.pattern),
            request_id: "00000000-0000-7000-8000-000000000000",
            listener: asked.listener,
            client_address: asked.client,
            captures: Captures::default(),
            tls: asked.tls,
            now: Now::default(),
            draw: 0,
            trial: true,
        },
        head: &mut head,
        target: Target::new(&target, &mut rewritten, &mut spare),
        body: BodyLength::None,
        notes: &mut notes,
        meter: None,
    };
    chain.rehearse(&mut request).into_iter().map(FilterStep).collect()
}

impl FilterStep {
    /// The filter's name.
    pub fn name(&self) -> &'static str {
        self.0.step.filter.kind().name()
    }

    /// The status it answers with, if it answers.
    pub fn status(&self) -> Option<u16> {
        match &self.0.end {
            Ending::Answered(reply) => Some(reply.head.status.code()),
            Ending::Continues | Ending::Asks(_) | Ending::NotReached => None,
        }
    }

    /// What becomes of the request here, in words.
    fn verdict(&self) -> String {
        match &self.0.end {
            Ending::Continues => "goes on".to_owned(),
            Ending::Answered(reply) => format!("answers {} {}", reply.head.status.code(), reply.head.status.reason()),
            Ending::Asks(what) => format!("asks {what}"),
            Ending::NotReached => "not reached".to_owned(),
        }
    }

    fn written_at(&self) -> String {
        let step = &self.0.step;
        if step.policy.is_empty() { step.source.to_string() } else { format!("{} by {}", step.source, step.policy) }
    }

    pub(super) fn to_json(&self) -> Value {
        let step = &self.0.step;
        json!({
            "filter": self.name(),
            "source": *step.source,
            "policy": Some(&*step.policy).filter(|policy| !policy.is_empty()),
            "does": step.filter.describe(),
            "effects": self.0.effects,
            "verdict": self.verdict(),
            "status": self.status(),
        })
    }
}

impl fmt::Display for FilterStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, does) = (self.name(), self.0.step.filter.describe());
        write!(f, "{name}  {}: {does}; {}", self.written_at(), self.verdict())?;
        if self.0.effects.is_empty() { Ok(()) } else { write!(f, " ({})", self.0.effects.join("; ")) }
    }
}
