//! One request and its response, top to bottom. Everything else on the data path is a leaf that this visits.

use crate::attempt;
use crate::choose::{self, Sticks};
use crate::clock::ms;
use crate::downstream::Server;
use crate::downstream::h1::ClientConnection;
use crate::fault::client_interrupt;
use crate::known::Known;
use crate::pace::Pace;
use crate::request_id::RequestId;
use crate::retry::Kept;
use crate::scratch::{Asked, Scratch};
use crate::worker::{Adopted, Worker};
use crate::{course, files, filter, finish, forward, reply, retry};
use std::cell::Cell;
use std::rc::Rc;
use strait_http1::{Event, Persistence};
use strait_message::{Fault, Kind, Method, Name, Phase, Status};
use strait_plan::{Action, ClientView, Listener, Route, RouteSet, Verdict};
use strait_route::{Authority, PathRules, Target, canonical_by};
use strait_traffic::Tried;

/// How long a client may take over the answer to a fault, whatever its pace.
const FAULT_ANSWER_MS_MAX: u64 = 10_000;

/// An exchange's state: what it was given, what it found out, and what will be written down about it.
pub(crate) struct Exchange<'c> {
    pub(crate) worker: &'c Rc<Worker>,
    pub(crate) adopted: &'c Adopted,
    pub(crate) listener: &'c Listener,
    pub(crate) client: &'c mut ClientConnection,
    pub(crate) server: Server,
    pub(crate) scratch: &'c mut Scratch,
    pub(crate) output: Vec<u8>,
    pub(crate) id: RequestId,
    pub(crate) view: ClientView,
    pub(crate) tally: Tally<'c>,
    /// What is sent again in another attempt.
    pub(crate) kept: Kept,
    /// The end of the exchange, whatever happens, in the worker's milliseconds.
    pub(crate) deadline_ms: u64,
}

/// What is counted and noted while an exchange runs.
pub(crate) struct Tally<'c> {
    pub(crate) began_us: u64,
    pub(crate) head_is_complete: bool,
    pub(crate) route: Option<&'c Route>,
    /// The upstream's and the endpoint's place in the plan.
    pub(crate) endpoint: Option<(usize, usize)>,
    pub(crate) attempts: u8,
    /// Endpoints that attempts were made with.
    pub(crate) tried: Tried,
    /// What the client is told to come back to.
    pub(crate) sticks: Sticks,
    pub(crate) reused: bool,
    pub(crate) status: Cell<Option<Status>>,
    pub(crate) upstream_status: Cell<Option<Status>>,
    pub(crate) request_octets: Cell<u64>,
    pub(crate) response_octets: Cell<u64>,
    /// Whether an octet of the final response has left.
    pub(crate) response_begun: Cell<bool>,
    pub(crate) first_byte_us: Cell<u64>,
    pub(crate) connect_us: u64,
    /// When the last attempt began.
    pub(crate) attempt_began_us: Option<u64>,
    /// Whether the client is told where the time went.
    pub(crate) server_timing: bool,
    /// Whether the answer to a fault was sent whole.
    pub(crate) fault_answered: bool,
}

/// Runs the exchange whose first octets have arrived, to the end. It is lent, not given: a future that takes something
/// holds it twice.
pub(crate) async fn run(exchange: &mut Exchange<'_>) -> Persistence {
    let mut begun = Begun { exchange, ended: false };
    let exchange = &mut *begun.exchange;
    let outcome = match converse(exchange).await {
        Err(fault) if !exchange.tally.response_begun.get() => reply::fault(exchange, fault).await,
        outcome => outcome,
    };
    begun.ended = true;
    finish::finish(begun.exchange, outcome)
}

/// An exchange that is written down and counted however it ends: a stop and a panic drop it in the middle.
struct Begun<'e, 'c> {
    exchange: &'e mut Exchange<'c>,
    ended: bool,
}

impl Drop for Begun<'_, '_> {
    fn drop(&mut self) {
        if self.ended {
            return;
        }
        let phase = self.exchange.tally.phase();
        let fault = match std::thread::panicking() {
            true => Fault::strait(phase, Kind::Defect),
            false => Fault::operator(phase, Kind::Stopping),
        };
        finish::finish(self.exchange, Err(fault));
    }
}

impl Tally<'_> {
    /// How far the exchange has come.
    fn phase(&self) -> Phase {
        match (self.response_begun.get(), self.endpoint) {
            (true, _) => Phase::ResponseBody,
            (false, Some(_)) => Phase::ResponseHead,
            (false, None) if self.head_is_complete => Phase::Route,
            (false, None) => Phase::RequestHead,
        }
    }
}

/// The order of everything that happens to a request.
async fn converse<'c>(exchange: &mut Exchange<'c>) -> Result<(), Fault> {
    receive_head(exchange).await?;
    exchange.view = exchange.listener.trusted_proxies.client(exchange.client.peer, &exchange.scratch.request.headers);
    exchange.view.secure = exchange.client.socket.tls().is_some();
    if let Some(tracing) = &exchange.adopted.plan.tracing {
        course::begin(exchange, tracing);
    }
    find_path(exchange.scratch, exchange.listener.path_rules)?;
    check_host(exchange)?;
    let route = match find_route(exchange) {
        Ok(route) => route,
        // Boxed: every exchange would hold the memory for it.
        Err(fault) => return Box::pin(unrouted(exchange, fault)).await,
    };
    if let Some(port) = redirects_to(exchange) {
        return reply::to_https(exchange, port).await;
    }
    admit(exchange, route)?;
    if is_for_us(exchange) {
        return reply::own_options(exchange).await;
    }
    if let Some(chain) = &route.filters
        && let Some(reply) = filter::request(exchange, &route.pattern, chain).await?
    {
        return reply::filtered(exchange, *reply).await;
    }
    match &route.action {
        // Boxed: few exchanges serve files, and every one would hold the memory for it.
        Action::Files(files) => Box::pin(files::serve(exchange, files)).await,
        Action::Redirect(redirect) => reply::redirect(exchange, redirect).await,
        Action::Respond(respond) => reply::respond(exchange, respond).await,
        Action::Forward { .. } => attempts(exchange, route).await,
    }
}

/// Receives the request head: absolute deadline, from its first octet.
async fn receive_head(exchange: &mut Exchange<'_>) -> Result<(), Fault> {
    let worker = exchange.worker;
    let limits = &exchange.listener.limits;
    let client = &mut *exchange.client;
    loop {
        let head = &mut exchange.scratch.request;
        let received = exchange.server.recv(client.held.octets(), head, &limits.http1)?;
        client.held.consume(received.consumed);
        if received.event == Event::Head {
            exchange.tally.head_is_complete = true;
            return Ok(());
        }
        let now_ms = worker.clock.now_ms();
        client.alarm.set(exchange.tally.began_us / 1_000 + ms(limits.header_timeout), now_ms);
        match client.held.fill(&client.socket, &worker.buffers, false, &client.alarm).await {
            Ok(0) => return Err(Fault::client(Phase::RequestHead, Kind::Closed)),
            Ok(_) => {}
            Err(interrupt) => return Err(client_interrupt(Phase::RequestHead, &interrupt)),
        }
    }
}

/// Computes the one canonical path and host that everything after this uses, and the target that is sent.
fn find_path(scratch: &mut Scratch, rules: PathRules) -> Result<(), Fault> {
    let malformed = |detail| Fault::client(Phase::RequestHead, Kind::Malformed).because(detail);
    let Scratch { asked: Asked { request, path, target, host, .. }, decoded, host_text, .. } = scratch;
    let method = request.method.as_str().as_bytes();
    let parsed = Target::parse(method, request.target()).map_err(|error| malformed(error.message()))?;
    let text = request.headers.get(Name::Host);
    // Most requests name the host of the one before.
    if text.is_none_or(|text| text.is_empty() || text != host_text) {
        host.clear();
        host_text.clear();
        let authority = match (&parsed, text) {
            (_, Some(text)) => Some(Authority::parse(text).map_err(|error| malformed(error.message()))?),
            (Target::Absolute { authority, .. }, None) => Some(*authority),
            (_, None) => None,
        };
        if let Some(authority) = authority {
            host.extend_from_slice(authority.host.canonical(decoded));
        }
        host_text.extend_from_slice(text.unwrap_or_default());
    }
    let (raw, query) = match parsed {
        Target::Origin { path, query } | Target::Absolute { path, query, .. } => (path, query),
        Target::Authority(_) | Target::Asterisk => (&b"/"[..], None),
    };
    path.extend_from_slice(canonical_by(rules, raw, decoded).map_err(|error| malformed(error.flaw.message()))?);
    target.extend_from_slice(if parsed == Target::Asterisk { b"*" } else { path });
    if let Some(query) = query {
        target.push(b'?');
        target.extend_from_slice(query);
    }
    Ok(())
}

/// Whether the host is served as the connection is: a connection that was let in for one name says nothing about
/// another whose clients must prove more (RFC 9110 §15.5.20).
fn check_host(exchange: &Exchange<'_>) -> Result<(), Fault> {
    let (Some(secured), Some(tls)) = (exchange.client.socket.secured(), &exchange.listener.tls) else { return Ok(()) };
    let host = std::str::from_utf8(&exchange.scratch.host).ok().filter(|host| !host.is_empty());
    let (policy, connection) = (tls.policy_of(host), secured.policy);
    let hash = |policy| tls.policy(policy).map(|policy| policy.hash);
    match policy == connection || hash(policy) == hash(connection) {
        true => Ok(()),
        false => Err(Fault::client(Phase::Route, Kind::Misdirected)),
    }
}

/// The port of https that a request is redirected to; none when a trusted proxy says that it came by https.
fn redirects_to(exchange: &Exchange<'_>) -> Option<u16> {
    let port = exchange.listener.https_port?;
    let headers = &exchange.scratch.request.headers;
    let scheme = strait_plan::scheme(exchange.view.from_trusted_proxy, headers, false);
    (scheme != "https" && !exchange.scratch.host.is_empty()).then_some(port)
}

fn find_route<'c>(exchange: &mut Exchange<'c>) -> Result<&'c Route, Fault> {
    let routes: &'c RouteSet = &exchange.listener.routes;
    match routes.decide(&Known::of(exchange).facts()) {
        Verdict::Route(route, captures) => {
            exchange.tally.route = Some(route);
            exchange.scratch.captures = captures;
            Ok(route)
        }
        Verdict::NoRoute => Err(Fault::operator(Phase::Route, Kind::NoRoute)),
        Verdict::MethodNotAllowed(allow) => {
            exchange.scratch.response.headers.push_name(Name::Allow, allow.as_bytes());
            Err(Fault::operator(Phase::Route, Kind::MethodNotAllowed))
        }
    }
}

/// What every route's requests pass, a request without a route passes too: who is refused everywhere does not learn
/// which paths there are, and what looks for them is limited like the rest.
async fn unrouted(exchange: &mut Exchange<'_>, fault: Fault) -> Result<(), Fault> {
    let listener = exchange.listener;
    if let Some(chain) = &listener.routes.unrouted
        && let Some(reply) = filter::request(exchange, "", chain).await?
    {
        return reply::filtered(exchange, *reply).await;
    }
    Err(fault)
}

/// Refuses what no route may let through, and sets the limits of the rest.
fn admit(exchange: &mut Exchange<'_>, route: &Route) -> Result<(), Fault> {
    let head = &exchange.scratch.request;
    if matches!(head.method, Method::Connect | Method::Trace) {
        // A reverse proxy is no tunnel, and TRACE would show fields that were added on the way (RFC 9110 §9.3.8).
        return Err(Fault::operator(Phase::Route, Kind::MethodNotAllowed));
    }
    let length = exchange.server.request_length().known();
    if length.is_some_and(|length| length > octets_max(exchange.listener, route)) {
        return Err(Fault::client(Phase::RequestBody, Kind::TooLarge));
    }
    if let Some(timeout) = route.request_timeout {
        exchange.deadline_ms = exchange.worker.clock.now_ms().saturating_add(ms(timeout));
    }
    Ok(())
}

/// Counts down Max-Forwards of OPTIONS; whether the request goes no further than here (RFC 9110 §7.6.2).
fn is_for_us(exchange: &mut Exchange<'_>) -> bool {
    let head = &mut exchange.scratch.request;
    let left = match head.headers.get(Name::MaxForwards) {
        Some(text) if head.method == Method::Options => {
            std::str::from_utf8(text).ok().and_then(|t| t.parse::<u32>().ok())
        }
        _ => None,
    };
    if let Some(left) = left {
        head.headers.set(Name::MaxForwards, left.saturating_sub(1).to_string().as_bytes());
    }
    left == Some(0)
}

/// The most octets a request body may have.
pub(crate) fn octets_max(listener: &Listener, route: &Route) -> u64 {
    route.body_bytes_max.or(listener.limits.body_bytes_max).unwrap_or(u64::MAX)
}

/// Asks the upstream, again where that is permitted, does no harm and can be afforded.
async fn attempts(exchange: &mut Exchange<'_>, route: &Route) -> Result<(), Fault> {
    let upstream = choose::upstream(exchange, route).ok_or(Fault::operator(Phase::Route, Kind::NoEndpoint))?;
    forward::prepare(exchange, route);
    retry::begin(exchange, upstream);
    loop {
        match attempt::attempt(exchange, route, upstream).await {
            Err(fault) if retry::grant(exchange, upstream, fault) => retry::pause(exchange, upstream, fault).await?,
            outcome => return outcome,
        }
    }
}

impl<'c> Exchange<'c> {
    /// The pace the client must keep.
    pub(crate) fn client_pace(&self) -> Pace<'c> {
        let limits = &self.listener.limits;
        Pace::client(limits.body_rate_min, limits.body_rate_window, self.deadline_ms)
    }

    /// The pace of an answer to a fault: the exchange's own deadline may be what has passed, and a client that takes
    /// nothing must not be waited for without end.
    pub(crate) fn fault_pace(&self) -> Pace<'c> {
        let limits = &self.listener.limits;
        let deadline_ms = self.worker.clock.now_ms().saturating_add(FAULT_ANSWER_MS_MAX);
        Pace::client(limits.body_rate_min, limits.body_rate_window, deadline_ms)
    }
}
