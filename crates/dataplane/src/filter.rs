//! The route's filters over an exchange: what they are shown, and what they wait for.

use crate::exchange::Exchange;
use crate::forward;
use crate::request_id::{RequestId, text};
use crate::scratch::{Asked, Scratch};
use crate::worker::Worker;
use strait_filters::{Chain, Facts, Now, Passage, Request, Response, Stop, Target};
use strait_message::{BodyLength, Fault, RequestHead, ResponseHead};
use strait_plan::{ClientView, Route};

pub(crate) use strait_filters::{Body, Reply};

/// The filters that a response comes back through.
pub(crate) struct Filtered<'a> {
    pub(crate) chain: &'a Chain,
    pub(crate) facts: Facts<'a>,
    pub(crate) request: &'a RequestHead,
    pub(crate) passage: &'a mut Passage,
}

/// What filters know about an exchange.
pub(crate) fn facts<'a>(
    worker: &Worker,
    route: &'a Route,
    id: &'a RequestId,
    view: &ClientView,
    asked: &'a Asked,
) -> Facts<'a> {
    facts_of(worker, route, id, view, (&asked.path, &asked.target, &asked.host))
}

/// The same while the request's head is being changed: path, target and host by themselves.
fn facts_of<'a>(
    worker: &Worker,
    route: &'a Route,
    id: &'a RequestId,
    view: &ClientView,
    (path, target, host): (&'a [u8], &'a [u8], &'a [u8]),
) -> Facts<'a> {
    Facts {
        client: view.address.ip().to_canonical(),
        scheme: "http",
        host,
        path,
        query: target.get(path.len() + 1..),
        route: &route.pattern,
        request_id: text(id),
        now: Now { us: worker.clock.now_us(), wall_us: worker.clock.wall_us(worker.clock.now_us()) },
        draw: worker.ids.borrow_mut().random(),
        trial: false,
    }
}

/// Runs a route's filters over the request; what one of them answers in the origin's place.
pub(crate) async fn request(
    exchange: &mut Exchange<'_>,
    route: &Route,
    chain: &Chain,
) -> Result<Option<Box<Reply>>, Fault> {
    let body = exchange.server.request_length();
    let Exchange { worker, scratch, id, view, .. } = exchange;
    let Scratch { asked: Asked { request, path, target, host, .. }, rewritten, decoded, passage, .. } = &mut **scratch;
    // Before filters set fields of such names for the origin.
    forward::remove_disguised_identity(&mut request.headers, view.from_trusted_proxy);
    let mut request = Request {
        facts: facts_of(worker, route, id, view, (path, target, host)),
        head: request,
        target: Target::new(target, rewritten, decoded),
        body,
        notes: &mut passage.notes,
        meter: Some(&worker.meter.filters),
    };
    match chain.request(&mut request, &mut passage.progress) {
        Stop::Passed => Ok(None),
        Stop::Reply(reply) => Ok(Some(reply)),
        Stop::Wait(call) => match *call {},
    }
}

/// Runs the filters that were passed over an answer of Strait's own.
pub(crate) fn reply(exchange: &mut Exchange<'_>, head: &mut ResponseHead, octets: usize) {
    let Some(route) = exchange.tally.route else { return };
    let Some(chain) = &route.filters else { return };
    let Exchange { worker, scratch, id, view, .. } = exchange;
    let Scratch { asked, passage, .. } = &mut **scratch;
    let facts = facts(worker, route, id, view, asked);
    Filtered { chain, facts, request: &asked.request, passage }.response(head, BodyLength::Fixed(octets as u64));
}

impl Filtered<'_> {
    /// Runs the filters that were passed over a response.
    pub(crate) fn response(&mut self, head: &mut ResponseHead, body: BodyLength) {
        let Passage { progress, notes } = &mut *self.passage;
        let mut response = Response { facts: self.facts, request: self.request, head, body, notes };
        self.chain.response(progress.passed, &mut response);
    }
}
