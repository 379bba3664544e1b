//! What becomes of a request and why, by the code that serves: [`RouteSet::decide`] finds the route and
//! [`Route::upstream`] the upstream.

mod choice;
mod conditions;
mod filters;
mod health;
mod render;
mod request;
mod retries;
mod tls;

pub use tls::TlsAnswer;

pub use conditions::BranchStep;
pub use filters::FilterStep;

use request::Parsed;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use strait_message::{Headers, Method, Name, NameSet, ResponseHead, Version};
use strait_plan::{
    Action, ClientView, Evidence, Facts, Files, IDENTITY_FAMILIES, Listener, OwnField, Plan, QueuePriority,
    RESPONSE_REPLACED, Route, RouteSet, Source, Upstream, Verdict, request_skipped,
};
use strait_route::{Captures, Lost};

/// Choices shown of a split or a schedule.
const CHOICES_SHOWN: usize = 10;
/// Patterns that lost, at most; a table may have ten thousand.
const LOSERS_MAX: usize = 20;

/// A client of which nothing is said.
const UNKNOWN_CLIENT: ClientView = ClientView {
    address: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
    from_trusted_proxy: false,
    secure: false,
};

/// A request that is asked about.
#[derive(Clone, Debug)]
pub struct Question<'q> {
    /// The method.
    pub method: &'q str,
    /// `http://host:port/path?query`, `host/path`, or a path for a request without a host.
    pub url: &'q str,
    /// Further fields. A Host field goes before the host of the URL.
    pub headers: &'q [(String, String)],
    /// The listener it comes to; without one, the listener with the URL's port, else the first.
    pub listener: Option<&'q str>,
    /// The client's address.
    pub client: Option<IpAddr>,
    /// Now, in the time of the workers that serve the plan; zero when none do.
    pub now_ms: u64,
}

/// Why a question has no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no listener of this name; those there are.
    NoListener(String, Vec<String>),
    /// The request is malformed: it would be answered with 400.
    Malformed(String),
}

/// What becomes of a request, and why.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The method.
    pub method: String,
    /// The host as it is matched; empty for none.
    pub host: String,
    /// The canonical path, by which everything is decided.
    pub path: String,
    /// The query.
    pub query: Option<String>,
    /// The listener's name.
    pub listener: Arc<str>,
    /// Its address.
    pub address: String,
    /// How TLS is spoken, where it is.
    pub tls: Option<TlsAnswer>,
    /// The route that won; `None` when there is none.
    pub winner: Option<Winner>,
    /// The entries of the route's `when` that were asked, in order: the last one holds, or none does.
    pub branches: Vec<BranchStep>,
    /// What each filter would do, in order.
    pub filters: Vec<FilterStep>,
    /// What is done.
    pub outcome: Outcome,
    /// Patterns that lost, the nearest first.
    pub losers: Vec<Loser>,
    /// How many more there are.
    pub losers_omitted: usize,
    /// Bounds of the exchange, by name.
    pub limits: Vec<(&'static str, String)>,
    /// Timeouts of the exchange, by name.
    pub timeouts: Vec<(&'static str, String)>,
    /// When the request is sent once more, by name.
    pub retries: Vec<(&'static str, String)>,
    /// Fields of the answer whose values the configuration alone decides.
    pub decided: Vec<(String, String)>,
    /// How endpoints are known to be well, by name.
    pub health: Vec<(&'static str, String)>,
    /// What is done to the fields of the request and of the response.
    pub request_fields: Edits,
    /// As above.
    pub response_fields: Edits,
    /// The client the request is believed to come from, where an address was given.
    pub client: Option<String>,
}

/// A route that won.
#[derive(Clone, Debug)]
pub struct Winner {
    /// Its pattern.
    pub pattern: Arc<str>,
    /// Where it is written.
    pub source: Arc<str>,
    /// What its `{captures}` hold, by name.
    pub captures: Vec<(String, String)>,
}

/// A route that lost.
#[derive(Clone, Debug)]
pub struct Loser {
    /// Its pattern.
    pub pattern: Arc<str>,
    /// Where it is written.
    pub source: Arc<str>,
    /// Why, to follow "because".
    pub why: Lost,
    /// More about it: why a condition does not hold.
    pub detail: Option<String>,
}

/// What is done with a request.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// It goes to one of these.
    Forward {
        /// Upstreams with their weights.
        shares: Vec<Share>,
        /// The first choices among several, by name.
        choices: Vec<Arc<str>>,
        /// What the origin sees as Host, where it does not see the client's.
        preserve_host: bool,
    },
    /// It is redirected.
    Redirect {
        /// The status.
        status: u16,
        /// The value of Location.
        location: String,
    },
    /// A file is served, if it is there.
    Files {
        /// The path of the file, or of the folder, below which no name is looked up that it may not have.
        path: String,
        /// Whether the path may stand for a file at all.
        may_exist: bool,
    },
    /// It is answered by Strait.
    Respond {
        /// The status.
        status: u16,
        /// Octets of the body.
        body_bytes: usize,
        /// The Content-Type; empty for none.
        content_type: String,
    },
    /// A filter answers in the origin's place.
    Filter {
        /// The filter's name.
        name: &'static str,
        /// The status.
        status: u16,
    },
    /// Patterns match, but with these methods: 405.
    MethodNotAllowed(String),
    /// Nothing matches: 404.
    NoRoute,
}

/// An upstream with its part of a route's requests.
#[derive(Clone, Debug)]
pub struct Share {
    /// Its name.
    pub upstream: Arc<str>,
    /// Its weight among the others.
    pub weight: u32,
    /// How its endpoints are chosen, with the request's key where there is one.
    pub balance: String,
    /// What the client sticks to, where clients stick.
    pub sticks: Option<String>,
    /// Its endpoints.
    pub endpoints: Vec<Member>,
    /// The first endpoints that are chosen, in order, by one worker; for a request with a key its own endpoint and those it
    /// would go to after that. Empty where chance or load decide.
    pub order: Vec<Arc<str>>,
    /// Whether the order is that of a key.
    pub chosen_by_key: bool,
}

/// An endpoint of an upstream.
#[derive(Clone, Debug)]
pub struct Member {
    /// Its name.
    pub name: Arc<str>,
    /// Its weight now.
    pub weight: u32,
    /// What else decides whether it is chosen: its tier, and why it is out.
    pub notes: Vec<String>,
}

/// Fields that are set and fields that are taken off.
#[derive(Clone, Debug, Default)]
pub struct Edits {
    /// Fields with what they are set to.
    pub set: Vec<(String, String)>,
    /// Fields that are removed.
    pub removed: Vec<String>,
}

impl<'q> Question<'q> {
    /// A request without further fields, from an unknown client.
    pub fn new(method: &'q str, url: &'q str) -> Self {
        Self { method, url, headers: &[], listener: None, client: None, now_ms: 0 }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoListener(name, there_are) => {
                write!(f, "no listener is called `{name}`; there are: {}", there_are.join(", "))
            }
            Self::Malformed(why) => write!(f, "the request would be answered with 400: {why}"),
        }
    }
}

impl std::error::Error for Refusal {}

/// Explains what becomes of a request under a plan.
///
/// # Errors
/// [`Refusal`] when there is no such listener, or no such request.
pub fn explain(plan: &Plan, question: &Question<'_>) -> Result<Explanation, Refusal> {
    let request = Parsed::of(question)?;
    let listener = find_listener(plan, question.listener, request.port)?;
    let request = request.canonical(listener.path_rules)?;
    let token = Some(question.method.as_bytes()).filter(|token| strait_http1::is_token(token));
    let method = token.and_then(Method::from_token);
    let method = method.ok_or_else(|| Refusal::Malformed(format!("`{}` is not a method", question.method)))?;
    let fields = fields(question, &request);
    let view = question.client.map(|ip| listener.trusted_proxies.client((ip, 0).into(), &fields));
    let trusted = view.is_some_and(|view| view.from_trusted_proxy);
    let facts = Facts {
        method: &method,
        host: request.host.as_bytes(),
        path: request.path.as_bytes(),
        query: request.query.as_deref().map(str::as_bytes),
        headers: &fields,
        version: Version::Http11,
        scheme: strait_plan::scheme(trusted, &fields, question.url.starts_with("https://")),
        client: view.map(|view| view.address),
        listener: &listener.name,
        request_id: b"",
        tls: None,
    };
    Ok(explained(plan, listener, &Evidence::of(facts, Captures::default()), view, question.now_ms))
}

/// The explanation of a request about which everything is known but where it goes.
fn explained(
    plan: &Plan,
    listener: &Listener,
    asked: &Evidence<'_>,
    view: Option<ClientView>,
    now_ms: u64,
) -> Explanation {
    let facts = &asked.facts;
    let verdict = listener.routes.decide(facts);
    let (losers, losers_omitted) = losers(&listener.routes, facts);
    let (route, captures) = match &verdict {
        Verdict::Route(route, captures) => (Some(*route), *captures),
        Verdict::MethodNotAllowed(_) | Verdict::NoRoute => (None, Captures::default()),
    };
    let evidence = Evidence { captures, ..*asked };
    let answer = route.and_then(|route| own_answer(route, &evidence));
    let evidence = Evidence { response: answer.as_ref(), ..evidence };
    let filters = filters::rehearse(&listener.routes, route, facts);
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    let path = text(facts.path);
    Explanation {
        method: facts.method.as_str().to_owned(),
        listener: listener.name.clone(),
        address: listener.address.to_string(),
        tls: listener.tls.as_deref().map(|tls| TlsAnswer::of(tls, &text(facts.host))),
        winner: winner(&listener.routes, facts, &verdict, &path),
        branches: conditions::steps(&listener.routes, &evidence),
        losers,
        losers_omitted,
        limits: limits(listener, route),
        timeouts: route.map_or_else(Vec::new, |route| timeouts(plan, route)),
        retries: route.map_or_else(Vec::new, |route| retries::retries(plan, route, facts.method)),
        health: route.map_or_else(Vec::new, |route| health::health(plan, route)),
        request_fields: route.map_or_else(Edits::default, |route| {
            let edits = request_fields(route, facts.headers, &view.unwrap_or(UNKNOWN_CLIENT), &evidence);
            if listener.tls.is_some() { over_tls(edits) } else { edits }
        }),
        response_fields: route.map_or_else(Edits::default, |route| response_fields(route, &evidence)),
        client: view.map(|view| view.address.ip().to_string()),
        decided: route.map_or_else(Vec::new, |route| decided(route, &evidence)),
        outcome: to_https(listener, &verdict, facts)
            .or_else(|| answered(&filters))
            .unwrap_or_else(|| outcome(plan, verdict, &evidence, now_ms)),
        filters,
        host: text(facts.host),
        path,
        query: facts.query.map(text),
    }
}

/// The redirect of a plain listener to the one with TLS, where a route matches.
fn to_https(listener: &Listener, verdict: &Verdict<'_>, facts: &Facts<'_>) -> Option<Outcome> {
    let port = listener.https_port.filter(|_| !facts.host.is_empty() && facts.scheme != "https")?;
    let Verdict::Route(..) = verdict else { return None };
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    let port = if port == 443 { String::new() } else { format!(":{port}") };
    let query = facts.query.map_or_else(String::new, |query| format!("?{}", text(query)));
    let location = format!("https://{}{port}{}{query}", text(facts.host), text(facts.path));
    Some(Outcome::Redirect { status: 308, location })
}

fn find_listener<'p>(plan: &'p Plan, name: Option<&str>, port: Option<u16>) -> Result<&'p Listener, Refusal> {
    let has_port = |listener: &&Listener| match &listener.address {
        strait_plan::ListenAddress::Tcp(address) => Some(address.port()) == port,
        strait_plan::ListenAddress::Unix(_) => false,
    };
    let found = match name {
        Some(name) => plan.listeners.iter().find(|listener| *listener.name == *name),
        None => plan.listeners.iter().find(has_port).or_else(|| plan.listeners.first()),
    };
    let names = || plan.listeners.iter().map(|listener| listener.name.to_string()).collect();
    found.ok_or_else(|| Refusal::NoListener(name.unwrap_or_default().to_owned(), names()))
}

/// The fields of the request; the host of the URL is one of them.
fn fields(question: &Question<'_>, request: &Parsed) -> Headers {
    let mut headers = Headers::new();
    if !request.host.is_empty() && question.headers.iter().all(|(name, _)| !name.eq_ignore_ascii_case("host")) {
        let port = request.port.map_or_else(String::new, |port| format!(":{port}"));
        headers.push(b"Host", format!("{}{port}", request.host).as_bytes());
    }
    for (name, value) in question.headers {
        headers.push(name.as_bytes(), value.as_bytes());
    }
    headers
}

fn winner(routes: &RouteSet, facts: &Facts<'_>, verdict: &Verdict<'_>, path: &str) -> Option<Winner> {
    let Verdict::Route(route, captures) = verdict else { return None };
    let found = routes.find(facts).ok()?;
    let (pattern, _) = routes.table.get(found.pattern)?;
    let value = |range: std::ops::Range<usize>| path.get(range).unwrap_or_default().to_owned();
    let captures = pattern.capture_names().map(str::to_owned).zip(captures.iter().map(value)).collect();
    Some(Winner { pattern: route.pattern.clone(), source: route.source.clone(), captures })
}

/// Patterns that lost, but for those of other hosts when there are nearer ones.
fn losers(routes: &RouteSet, facts: &Facts<'_>) -> (Vec<Loser>, usize) {
    let explained = routes.explain(facts);
    let lost = explained.candidates.iter().filter_map(|candidate| {
        let route = routes.routes.get(candidate.route.0 as usize)?;
        let why = candidate.lost?;
        let detail = if why == Lost::NotAdmitted { conditions::detail(routes, facts, candidate.pattern) } else { None };
        Some(Loser { pattern: route.pattern.clone(), source: route.source.clone(), why, detail })
    });
    let all = lost.clone().count();
    (lost.take(LOSERS_MAX).collect(), all.saturating_sub(LOSERS_MAX))
}

/// What a filter answers, if one does.
fn answered(filters: &[FilterStep]) -> Option<Outcome> {
    filters.iter().find_map(|filter| Some(Outcome::Filter { name: filter.name(), status: filter.status()? }))
}

fn outcome(plan: &Plan, verdict: Verdict<'_>, evidence: &Evidence<'_>, now_ms: u64) -> Outcome {
    let route = match verdict {
        Verdict::Route(route, _) => route,
        Verdict::MethodNotAllowed(allow) => return Outcome::MethodNotAllowed(allow),
        Verdict::NoRoute => return Outcome::NoRoute,
    };
    match &route.action {
        Action::Forward { upstreams, weights } => {
            let used = upstreams.iter().zip(weights);
            let shares = used.filter_map(|(&index, &weight)| {
                Some(choice::share(plan.upstreams.get(index)?, weight, &evidence.facts, now_ms))
            });
            Outcome::Forward {
                shares: shares.collect(),
                choices: choices(plan, route),
                preserve_host: route.preserve_host,
            }
        }
        Action::Files(files) => file(files, evidence.facts.path),
        Action::Redirect(redirect) => {
            let location = String::from_utf8_lossy(&redirect.location(evidence)).into_owned();
            Outcome::Redirect { status: redirect.status.code(), location }
        }
        Action::Respond(respond) => {
            let mut body = Vec::new();
            respond.body.render(evidence, &mut body);
            let content_type = respond.content_type.to_string();
            Outcome::Respond { status: respond.status.code(), body_bytes: body.len(), content_type }
        }
    }
}

/// The file that a path stands for.
fn file(files: &Files, path: &[u8]) -> Outcome {
    let place = strait_files::below(path, files.skip, files.hidden);
    let path = match &place {
        Some(place) if !place.name.is_empty() => files.root.join(&*String::from_utf8_lossy(&place.name)),
        _ => files.root.clone(),
    };
    Outcome::Files { path: path.display().to_string(), may_exist: place.is_some() }
}

/// The upstreams of the first requests; nothing to say when there is only one.
fn choices(plan: &Plan, route: &Route) -> Vec<Arc<str>> {
    let Action::Forward { upstreams, .. } = &route.action else { return Vec::new() };
    if upstreams.len() < 2 {
        return Vec::new();
    }
    let chosen =
        (0..).map(|counter| plan.upstreams.get(route.upstream(counter)?).map(|upstream| upstream.name.clone()));
    chosen.map_while(|name| name).take(CHOICES_SHOWN).collect()
}

fn limits(listener: &Listener, route: Option<&Route>) -> Vec<(&'static str, String)> {
    let limits = &listener.limits;
    let body = route.and_then(|route| route.body_bytes_max).or(limits.body_bytes_max);
    let body = body.filter(|&bytes| bytes != u64::MAX).map_or_else(|| "none".to_owned(), render::size);
    vec![
        ("request body", body),
        ("request head", render::size(limits.http1.head_bytes_max.into())),
        ("header lines", limits.http1.fields_max.to_string()),
        (
            "streams of a connection",
            limits.http2.map_or_else(|| "off".to_owned(), |http2| http2.streams_max.to_string()),
        ),
        ("connections", limits.connections_max.to_string()),
        (
            "connections of one client",
            limits.connections_per_client_max.map_or_else(|| "none".to_owned(), |max| max.to_string()),
        ),
    ]
}

fn timeouts(plan: &Plan, route: &Route) -> Vec<(&'static str, String)> {
    let Action::Forward { upstreams, .. } = &route.action else { return Vec::new() };
    let used = || upstreams.iter().filter_map(|&index| plan.upstreams.get(index).map(|upstream| &**upstream));
    let each = |timeout: fn(&Upstream) -> (Duration, Source)| {
        each(used(), |upstream| {
            let (timeout, source) = timeout(upstream);
            from(render::duration(timeout), source)
        })
    };
    let whole = route.request_timeout.map_or_else(|| "none".to_owned(), render::duration);
    vec![
        ("connect", each(|upstream| (upstream.connect_timeout, upstream.sources.connect))),
        ("first byte", each(|upstream| (upstream.first_byte_timeout, upstream.sources.first_byte))),
        ("idle", each(|upstream| (upstream.idle_timeout, upstream.sources.idle))),
        ("tunnel idle", each(|upstream| (upstream.tunnel_timeout, upstream.sources.tunnel))),
        ("queue", self::each(used(), |upstream| queued(upstream, route))),
        ("one attempt", self::each(used(), try_timeout)),
        ("whole exchange", from(whole, route.request_timeout_source)),
    ]
}

/// A timeout with where it was set; nothing behind it where that is nowhere in particular.
fn from(timeout: String, source: Source) -> String {
    match source {
        Source::Defaults => timeout,
        source => format!("{timeout} ({})", source.word()),
    }
}

fn queued(upstream: &Upstream, route: &Route) -> String {
    let priority = match route.queue_priority {
        QueuePriority::Low => " behind others",
        QueuePriority::Normal => "",
        QueuePriority::High => " before others",
    };
    format!("{}{priority}", render::duration(upstream.queue_timeout))
}

fn try_timeout(upstream: &Upstream) -> String {
    upstream.retry.try_timeout.map_or_else(|| "none".to_owned(), render::duration)
}

/// Where the upstreams of a split differ, each is named in turn.
fn each<'p>(upstreams: impl Iterator<Item = &'p Upstream>, text: impl Fn(&Upstream) -> String) -> String {
    let mut all: Vec<String> = upstreams.map(text).collect();
    all.dedup();
    all.join(" / ")
}

/// The scheme is another one there.
fn over_tls(mut edits: Edits) -> Edits {
    let mut scheme = edits.set.iter_mut().filter(|(name, _)| name == "X-Forwarded-Proto");
    scheme.by_ref().for_each(|(_, value)| *value = "https".to_owned());
    edits
}

/// What the origin is told besides what the client sent, by the lists that the data plane goes by.
fn request_fields(route: &Route, sent: &Headers, view: &ClientView, evidence: &Evidence<'_>) -> Edits {
    if !matches!(route.action, Action::Forward { .. }) {
        return Edits::default();
    }
    let trusted = view.from_trusted_proxy;
    let put = OwnField::ON_REQUEST.into_iter().filter(|field| field.is_put_on(sent, trusted));
    let put = put.map(|field| (field, field.on_request(trusted)));
    let mut removed = vec!["Connection and what it names".to_owned()];
    removed.extend(taken_off(request_skipped(view), &OwnField::ON_REQUEST));
    if !trusted {
        removed.extend(IDENTITY_FAMILIES.iter().map(|family| format!("{family}*")));
    }
    own(told(put), removed, &route.request_headers, evidence)
}

fn response_fields(route: &Route, evidence: &Evidence<'_>) -> Edits {
    let forwards = matches!(route.action, Action::Forward { .. });
    let fields: &[OwnField] = if forwards { &OwnField::ON_RESPONSE } else { &OwnField::ON_REPLY };
    let replaced = if forwards { RESPONSE_REPLACED } else { NameSet::EMPTY };
    let removed = taken_off(replaced, fields).collect();
    let mut set = told(fields.iter().map(|&field| (field, field.on_response())));
    if let Action::Respond(respond) = &route.action {
        set.extend(own(Vec::new(), Vec::new(), &respond.headers, evidence).set);
    }
    own(set, removed, &route.response_headers, evidence)
}

fn told(fields: impl Iterator<Item = (OwnField, &'static str)>) -> Vec<(String, String)> {
    fields.map(|(field, words)| (field.name().as_str().to_owned(), words.to_owned())).collect()
}

/// The names of a set but for those that are written anew.
fn taken_off(set: NameSet, anew: &[OwnField]) -> impl Iterator<Item = String> {
    let is_anew = |name: Name| anew.iter().any(|field| field.name() == name);
    set.names().filter(move |&name| !is_anew(name)).map(|name| name.as_str().to_owned())
}

/// The head of an answer of Strait's own, before the route's edits; `None` where an origin answers.
fn own_answer(route: &Route, evidence: &Evidence<'_>) -> Option<ResponseHead> {
    match &route.action {
        Action::Redirect(redirect) => {
            let mut head = ResponseHead::new(redirect.status);
            head.headers.push_name(Name::Location, &redirect.location(evidence));
            Some(head)
        }
        Action::Respond(respond) => {
            let mut head = ResponseHead::new(respond.status);
            if !respond.content_type.is_empty() {
                head.headers.push_name(Name::ContentType, respond.content_type.as_bytes());
            }
            respond.headers.apply(&mut head.headers, &respond.headers.values(evidence));
            Some(head)
        }
        // What is said of a file is known when it is opened.
        Action::Files(_) | Action::Forward { .. } => None,
    }
}

/// What the configuration alone says about fields of the answer; later ones replace earlier ones.
fn decided(route: &Route, evidence: &Evidence<'_>) -> Vec<(String, String)> {
    let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
    let answer = evidence.response.into_iter().flat_map(|head| head.headers.iter());
    let mut fields: Vec<_> = answer.map(|field| (text(field.name), text(field.value))).collect();
    let edits = own(Vec::new(), Vec::new(), &route.response_headers, evidence);
    fields.retain(|(name, _)| {
        let mut replaced = edits.removed.iter().chain(edits.set.iter().map(|(name, _)| name));
        replaced.all(|other| !other.eq_ignore_ascii_case(name))
    });
    fields.extend(edits.set);
    fields
}

/// With what the route itself says.
fn own(
    mut set: Vec<(String, String)>,
    mut removed: Vec<String>,
    edits: &strait_plan::HeaderEdits,
    evidence: &Evidence<'_>,
) -> Edits {
    set.extend(edits.set.iter().map(|(name, value)| {
        let mut rendered = Vec::new();
        value.render_field(evidence, &mut rendered);
        (name.to_string(), String::from_utf8_lossy(&rendered).into_owned())
    }));
    removed.extend(edits.remove.iter().map(ToString::to_string));
    Edits { set, removed }
}
