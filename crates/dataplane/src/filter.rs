//! The route's filters over an exchange: what they are shown, and what they wait for.

use crate::attempt::{Watch, watched};
use crate::downstream::h1::ClientConnection;
use crate::exchange::Exchange;
use crate::finish::UNKNOWN;
use crate::forward;
use crate::known::Known;
use crate::request_id::{RequestId, text};
use crate::scratch::{Asked, Scratch};
use crate::worker::Worker;
use std::cell::Cell;
use std::future::poll_fn;
use std::pin::pin;
use strait_filters::{Answer, Call, Chain, Facts, Now, Passage, Request, Response, Stop, Target};
use strait_message::{BodyLength, Fault, Phase, RequestHead, ResponseHead};
use strait_plan::{ClientView, Listener, TlsFacts};
use strait_route::Captures;

pub(crate) use strait_filters::{Body, Reply};

/// The filters that a response comes back through.
pub(crate) struct Filtered<'a> {
    pub(crate) chain: &'a Chain,
    pub(crate) facts: Facts<'a>,
    pub(crate) request: &'a RequestHead,
    pub(crate) passage: &'a mut Passage,
}

/// What filters know about an exchange.
pub(crate) fn facts<'a>(worker: &Worker, pattern: &'a str, known: Known<'a>) -> Facts<'a> {
    let Known { asked, view, listener, id, tls } = known;
    let scheme = strait_plan::scheme(view.from_trusted_proxy, &asked.request.headers, view.secure);
    let written = (&*asked.path, &*asked.target, &*asked.host, asked.captures);
    facts_of(worker, pattern, (id, view, listener, scheme, tls), written)
}

/// The same while the request's head is being changed: what else is known, and what was asked, by themselves.
fn facts_of<'a>(
    worker: &Worker,
    pattern: &'a str,
    (id, view, listener, scheme, tls): (&'a RequestId, &ClientView, &'a Listener, &'static str, Option<&'a TlsFacts>),
    (path, target, host, captures): (&'a [u8], &'a [u8], &'a [u8], Captures),
) -> Facts<'a> {
    Facts {
        client: view.address.ip().to_canonical(),
        scheme,
        host,
        path,
        query: target.get(path.len() + 1..),
        route: pattern,
        request_id: text(id),
        listener: &listener.name,
        client_address: Some(view.address).filter(|address| *address != UNKNOWN),
        captures,
        tls,
        now: Now { us: worker.clock.now_us(), wall_us: worker.clock.wall_us(worker.clock.now_us()) },
        draw: worker.ids.borrow_mut().random(),
        trial: false,
    }
}

/// Runs the filters of a pattern's route over the request; what one of them answers in the origin's place.
pub(crate) async fn request(
    exchange: &mut Exchange<'_>,
    pattern: &str,
    chain: &Chain,
) -> Result<Option<Box<Reply>>, Fault> {
    let body = exchange.server.request_length();
    let Exchange { worker, listener, client, scratch, id, view, .. } = exchange;
    let Scratch { asked: Asked { request, path, target, host, captures }, rewritten, decoded, passage, .. } =
        &mut **scratch;
    // Before filters set fields of such names for the origin.
    forward::remove_disguised_identity(&mut request.headers, view.from_trusted_proxy);
    let scheme = strait_plan::scheme(view.from_trusted_proxy, &request.headers, view.secure);
    let mut request = Request {
        facts: facts_of(
            worker,
            pattern,
            (id, view, listener, scheme, client.socket.tls()),
            (path, target, host, *captures),
        ),
        head: request,
        target: Target::new(target, rewritten, decoded),
        body,
        notes: &mut passage.notes,
        meter: Some(&worker.meter.filters),
    };
    let mut stop = chain.request(&mut request, &mut passage.progress);
    let reply = loop {
        match stop {
            Stop::Passed => break None,
            Stop::Reply(reply) => break Some(reply),
            Stop::Wait(call) => {
                // Boxed: few requests wait, and every exchange would hold the memory for it.
                let answer = Box::pin(wait(worker, listener, client, *call)).await?;
                stop = chain.resume(answer, &mut request, &mut passage.progress);
            }
        }
    };
    if let Some(given) = passage.notes.request_id {
        *id = given;
    }
    Ok(reply)
}

/// Does what a filter waits for, unless the client leaves.
async fn wait(worker: &Worker, listener: &Listener, client: &ClientConnection, call: Call) -> Result<Answer, Fault> {
    let queued = Cell::new(false);
    let watch = Watch::new(&client.socket, listener.end_is_leaving, Phase::Route, &queued);
    match call {
        Call::Sleep { ms } => {
            let now_ms = worker.clock.now_ms();
            client.alarm.set(now_ms.saturating_add(ms), now_ms);
            let slept = pin!(async {
                poll_fn(|cx| client.alarm.poll(cx)).await;
                Ok(Answer::Slept)
            });
            watched(watch, slept).await
        }
    }
}

/// The filters of the exchange: its route's, or those that a request without a route passes.
fn chain<'c>(exchange: &Exchange<'c>) -> Option<&'c Chain> {
    match exchange.tally.route {
        Some(route) => route.filters.as_deref(),
        None => exchange.listener.routes.unrouted.as_deref(),
    }
}

/// Runs the filters that were passed over an answer of Strait's own.
pub(crate) fn reply(exchange: &mut Exchange<'_>, head: &mut ResponseHead, octets: usize) {
    let Some(chain) = chain(exchange) else { return };
    let pattern = exchange.tally.route.map_or("", |route| &route.pattern);
    let Exchange { worker, listener, client, scratch, id, view, .. } = exchange;
    let Scratch { asked, passage, .. } = &mut **scratch;
    let facts = facts(worker, pattern, Known { asked, view, listener, id, tls: client.socket.tls() });
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
