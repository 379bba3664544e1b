//! `assert:` lines, proven over the tables that serve: for each route that a sentence speaks of, a request is looked for
//! that the route wins and that breaks it.
//!
//! A proof covers every request: among those that a pattern leaves open a word that no pattern has stands for all. A route
//! under `if` may be passed over, so that it hides no other; each entry of a route's `when` is judged as a route of its own.

mod sentence;

use crate::codes;
use sentence::{Claim, Sentence, Subject};
use std::collections::HashSet;
use std::net::IpAddr;
use std::sync::Arc;
use strait_config::value::Address;
use strait_config::{Diagnostic, Snapshot, Span, Spanned};
use strait_plan::{Action, EndpointAddress, ListenAddress, Listener, Plan, Route, RouteSet};
use strait_route::{Example, PatternIndex, RouteId};

/// Filters that find out who asks.
const AUTH: [&str; 7] = ["auth", "jwt", "oidc", "basic_auth", "api_key", "ext_auth", "mtls"];
/// Filters that bound how much one client may ask.
const LIMITS: [&str; 2] = ["rate_limit", "concurrency_limit"];

/// An error for each assertion that cannot be read or does not hold.
pub(crate) fn failures(snapshot: &Snapshot, plan: &Plan) -> Vec<Diagnostic> {
    let court = Court { snapshot, plan };
    snapshot.spec.assertions.iter().filter_map(|line| court.judge(line)).collect()
}

struct Court<'c> {
    snapshot: &'c Snapshot,
    plan: &'c Plan,
}

/// Why an assertion does not hold.
struct Breach {
    /// The request, or the thing, that shows it.
    shown_by: String,
    /// Where what breaks it is written, and the words there.
    place: Span,
    words: String,
    fix: String,
}

impl Court<'_> {
    fn judge(&self, line: &Spanned<String>) -> Option<Diagnostic> {
        let sentence = match sentence::parse(line) {
            Ok(sentence) => sentence,
            Err(flaw) => {
                let finding = Diagnostic::error(strait_config::codes::ASSERTION, line.span, flaw.message);
                return Some(match flaw.better {
                    Some(better) => finding.replace(format!("did you mean `{better}`?"), line.span, better),
                    None => finding.hint(flaw.hint),
                });
            }
        };
        let breach = self.breach(&sentence)?;
        let message = format!("`{}` does not hold", line.value);
        let finding = Diagnostic::error(codes::ASSERTION_BROKEN, line.span, message).label(breach.shown_by);
        Some(finding.second(breach.place, breach.words).hint(breach.fix))
    }

    fn breach(&self, sentence: &Sentence) -> Option<Breach> {
        match (&sentence.subject, &sentence.claim) {
            (Subject::Upstreams, claim) => self.upstreams(claim),
            (Subject::Admin, _) => self.admin(),
            (_, claim) => self.routes(&sentence.subject, claim),
        }
    }

    /// The first route that breaks a claim, with a request that shows it.
    fn routes(&self, subject: &Subject, claim: &Claim) -> Option<Breach> {
        let mut seen = HashSet::new();
        let listeners = self.plan.listeners.iter().filter(|listener| subject.includes(listener));
        listeners.filter(|listener| seen.insert(Arc::as_ptr(&listener.routes))).find_map(|listener| {
            let table = &listener.routes.table;
            let decides = |id: RouteId| route(&listener.routes, id).is_some_and(|route| route.condition.is_none());
            table.iter().find_map(|(index, pattern, id)| {
                let guilty = claim.broken_by(self.plan, route(&listener.routes, id)?)?;
                let example = table.witness(index, subject.pattern().unwrap_or(pattern), decides)?;
                Some(self.breach_of(listener, index, guilty, claim, &example))
            })
        })
    }

    fn breach_of(
        &self,
        listener: &Listener,
        index: PatternIndex,
        guilty: &Route,
        claim: &Claim,
        by: &Example,
    ) -> Breach {
        let several = self.plan.listeners.len() > 1;
        let on = if several { format!(" on listener `{}`", listener.name) } else { String::new() };
        let (place, branch) = self.place(listener, index, guilty);
        let under = if branch { ", if the conditions of this entry hold" } else { "" };
        Breach {
            shown_by: format!("{by}{on} breaks it"),
            place,
            words: format!("{}{under}", claim.broken_words(self.plan, guilty)),
            fix: claim.fix(),
        }
    }

    /// Where a route, or the entry of `when` that stands for it, is written.
    fn place(&self, listener: &Listener, index: PatternIndex, guilty: &Route) -> (Span, bool) {
        let spec = self.snapshot.spec.listeners.iter().find(|(name, _)| *name.value == *listener.name);
        let written = spec.and_then(|(_, spec)| spec.routes.as_ref()).unwrap_or(&self.snapshot.spec.routes);
        let id = listener.routes.table.get(index).map_or(usize::MAX, |(_, id)| id.0 as usize);
        let Some((key, spec)) = written.iter().nth(id) else { return (Span::NONE, false) };
        let branches = listener.routes.routes.get(id).map(|route| &*route.branches).unwrap_or_default();
        let branch = branches.iter().position(|branch| std::ptr::eq(&raw const branch.route, guilty));
        match branch.and_then(|at| spec.when.get(at)) {
            Some(entry) => (entry.span, true),
            None => (key.span, false),
        }
    }

    fn upstreams(&self, claim: &Claim) -> Option<Breach> {
        let named = |name: &str| self.snapshot.spec.upstreams.entry(name).map_or(Span::NONE, |(key, _)| key.span);
        let used = self.plan.upstreams.iter().filter(|upstream| upstream.variant_of.is_none());
        used.into_iter().find_map(|upstream| {
            let (words, fix) = match claim {
                Claim::Encrypted => {
                    let plain = upstream.endpoints.iter().find(|endpoint| is_plain(endpoint))?;
                    (format!("`{}` is spoken to in the clear", plain.name), "write `tls` for the upstream".to_owned())
                }
                Claim::Endpoints(least) => {
                    let count = upstream.endpoints.len();
                    (count < *least).then_some(())?;
                    (format!("it has {count}"), "add an endpoint".to_owned())
                }
                _ => return None,
            };
            let shown_by = format!("the upstream `{}` breaks it", upstream.name);
            Some(Breach { shown_by, place: named(&upstream.name), words, fix })
        })
    }

    fn admin(&self) -> Option<Breach> {
        let address = self.snapshot.spec.admin.address.get()?;
        is_public(&address.value).then(|| Breach {
            shown_by: format!("`{}` is reached from elsewhere", address.value),
            place: address.span,
            words: "the admin API listens here".to_owned(),
            fix: "write 127.0.0.1 before the port, or a socket file".to_owned(),
        })
    }
}

fn route(set: &RouteSet, id: RouteId) -> Option<&Route> {
    set.routes.get(id.0 as usize)
}

/// Whether other machines may reach an address.
pub(crate) fn is_public(address: &Address) -> bool {
    match address {
        Address::Port(_) => true,
        Address::Socket(socket) => !is_internal(socket.ip()),
        Address::Unix(_) => false,
    }
}

/// Addresses of this machine and of private networks (RFC 1918, RFC 4193).
fn is_internal(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

fn is_plain(endpoint: &strait_plan::Endpoint) -> bool {
    match &endpoint.state.address {
        EndpointAddress::Unix(_) => false,
        EndpointAddress::Name(..) => endpoint.state.tls.is_none(),
    }
}

impl Subject {
    fn pattern(&self) -> Option<&strait_route::Pattern> {
        if let Self::Pattern(pattern) = self { Some(pattern) } else { None }
    }

    fn includes(&self, listener: &Listener) -> bool {
        match (self, &listener.address) {
            (Self::PublicRoutes, ListenAddress::Tcp(address)) => !is_internal(address.ip()),
            (Self::PublicRoutes, ListenAddress::Unix(_)) => false,
            _ => true,
        }
    }
}

impl Claim {
    /// The route, or the entry of its `when`, that breaks the claim.
    fn broken_by<'r>(&self, plan: &Plan, route: &'r Route) -> Option<&'r Route> {
        let branches = route.branches.iter().map(|branch| &branch.route);
        [route].into_iter().chain(branches).find(|route| !self.holds(plan, route))
    }

    fn holds(&self, plan: &Plan, route: &Route) -> bool {
        match self {
            Self::Requires(filters) => filters.iter().any(|filter| match filter.as_str() {
                "auth" => has_filter(route, &AUTH),
                other => has_filter(route, &[other]),
            }),
            Self::GoesTo(allowed) => {
                let mut names = targets(plan, route).peekable();
                names.peek().is_some() && names.all(|name| allowed.iter().any(|other| other == name))
            }
            Self::NeverGoesTo(denied) => !targets(plan, route).any(|name| denied.iter().any(|other| other == name)),
            Self::Answers(status) => match &route.action {
                Action::Respond(respond) => respond.status.code() == *status,
                Action::Redirect(redirect) => redirect.status.code() == *status,
                Action::Files(_) | Action::Forward { .. } => false,
            },
            Self::HasTimeout => !matches!(route.action, Action::Forward { .. }) || route.request_timeout.is_some(),
            Self::HasLimit => has_filter(route, &LIMITS),
            Self::Encrypted | Self::Endpoints(_) | Self::Private => true,
        }
    }

    fn broken_words(&self, plan: &Plan, route: &Route) -> String {
        let goes = || match &route.action {
            Action::Forward { .. } => {
                let names: Vec<&str> = targets(plan, route).collect();
                format!("this goes to {}", names.join(", "))
            }
            Action::Files(files) => format!("this is served from {}", files.root.display()),
            Action::Redirect(redirect) => format!("this is redirected with {}", redirect.status.code()),
            Action::Respond(respond) => format!("this is answered with {}", respond.status.code()),
        };
        match self {
            Self::Requires(filters) => format!("this has no {}", filters.join(" and no ")),
            Self::HasLimit => "this has no rate_limit and no concurrency_limit".to_owned(),
            Self::HasTimeout => "this may last without end".to_owned(),
            _ => goes(),
        }
    }

    fn fix(&self) -> String {
        match self {
            Self::Requires(filters) => {
                format!("add `{}` to the `filters` of the route, its listener or `defaults`", filters.join("` or `"))
            }
            Self::HasLimit => "add `rate_limit` to the `filters` of the route, its listener or `defaults`".to_owned(),
            Self::HasTimeout => "write `timeout: {request: 30s}`".to_owned(),
            _ => "change the route, or the assertion".to_owned(),
        }
    }
}

fn has_filter(route: &Route, names: &[&str]) -> bool {
    let steps = route.filters.iter().flat_map(|chain| chain.steps());
    steps.into_iter().any(|step| names.contains(&step.filter.kind().name()))
}

/// The upstreams that take some of a route's requests.
fn targets<'p>(plan: &'p Plan, route: &Route) -> impl Iterator<Item = &'p str> {
    let used: Vec<usize> = match &route.action {
        Action::Forward { upstreams, weights } => {
            let used = upstreams.iter().zip(weights).filter(|(_, weight)| **weight > 0);
            used.map(|(index, _)| *index).collect()
        }
        Action::Files(_) | Action::Redirect(_) | Action::Respond(_) => Vec::new(),
    };
    used.into_iter().filter_map(|index| plan.upstreams.get(index).map(|upstream| &*upstream.name))
}
