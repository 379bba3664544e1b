//! One attempt to get a response from an endpoint, and its delivery.

use crate::choose;
use crate::clock::ms;
use crate::course;
use crate::deadline::{REQUEST_TIMEOUT, Until};
use crate::download::{Download, Outcome};
use crate::downstream::h1::ClientConnection;
use crate::exchange::{Exchange, octets_max};
use crate::fault::{client_interrupt, client_misdeed, upstream_interrupt, upstream_misdeed};
use crate::io::{Socket, Unexpected};
use crate::known::Known;
use crate::pace::{Late, Pace};
use crate::relay::{self, Pump, Sink, Source, Trouble};
use crate::retry;
use crate::scratch::Scratch;
use crate::stream::Interrupt;
use crate::upstream::h1::{Origin, Receiver};
use crate::upstream::{self, Patience, Pool};
use crate::worker::Worker;
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use strait_http1::OutgoingHead;
use strait_message::{BodyLength, Fault, Kind, Name, Origin as FaultOrigin, Phase};
use strait_plan::{Endpoint, EndpointState, Route, Upstream, outcome_of};
use strait_record::EndpointMeter;
use strait_traffic::Picker;

/// How far the request was sent.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    /// When sending ended, in the worker's milliseconds: all was sent, or the origin stopped listening.
    pub(crate) ended_ms: Cell<Option<u64>>,
    /// All was sent.
    pub(crate) whole: Cell<bool>,
    /// The origin's connection broke while it was sent.
    pub(crate) failed: Cell<bool>,
}

/// What an attempt is made with.
pub(crate) struct Chosen<'a> {
    pub(crate) route: &'a Route,
    pub(crate) upstream: &'a Upstream,
    /// The upstream's place in the plan.
    pub(crate) index: usize,
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) pool: &'a Rc<Pool>,
    pub(crate) until: Until,
}

/// Makes one attempt: chooses an endpoint, gets a connection, sends the request and delivers the response.
///
/// # Errors
/// A fault whose `retry` says whether another attempt is permitted.
pub(crate) async fn attempt(exchange: &mut Exchange<'_>, route: &Route, upstream: usize) -> Result<(), Fault> {
    let adopted = exchange.adopted;
    let no_endpoint = Fault::operator(Phase::Connect, Kind::NoEndpoint);
    let (Some(plan), Some(slot)) = (adopted.plan.upstreams.get(upstream), adopted.upstreams.get(upstream)) else {
        return Err(no_endpoint);
    };
    let began_us = exchange.worker.clock.now_us();
    let chosen = choose::endpoint(exchange, plan, slot, began_us / 1_000)?;
    let (Some(endpoint), Some(pool)) = (plan.endpoints.get(chosen), slot.pools.get(chosen)) else {
        return Err(no_endpoint);
    };
    exchange.tally.attempts += 1;
    exchange.tally.tried.add(chosen);
    exchange.tally.endpoint = Some((upstream, chosen));
    exchange.tally.upstream_status.set(None);
    exchange.tally.attempt_began_us = Some(began_us);
    course::begin_attempt(exchange);
    let until = until(exchange, plan, began_us / 1_000);
    let running = Running::begin(pool, plan, exchange.worker.id);
    let chosen = Chosen { route, upstream: plan, index: upstream, endpoint, pool, until };
    let outcome = try_endpoint(exchange, &chosen, began_us).await;
    running.end(exchange, &outcome, began_us);
    course::end_attempt(exchange, &outcome, began_us);
    outcome
}

fn until(exchange: &Exchange<'_>, upstream: &Upstream, now_ms: u64) -> Until {
    let attempt_ms = upstream.retry.try_timeout.map_or(u64::MAX, |timeout| now_ms.saturating_add(ms(timeout)));
    Until { exchange_ms: exchange.deadline_ms, attempt_ms }
}

async fn try_endpoint(exchange: &mut Exchange<'_>, chosen: &Chosen<'_>, began_us: u64) -> Result<(), Fault> {
    let worker = exchange.worker;
    let queued = Cell::new(false);
    let watch = Watch::new(&exchange.client.socket, exchange.listener.end_is_leaving, Phase::Connect, &queued);
    let acquired = {
        let priority = chosen.route.queue_priority;
        let patience = Patience { until: chosen.until, alarm: &exchange.client.alarm, queued: &queued, priority };
        let acquiring = pin!(upstream::acquire(worker, chosen.upstream, chosen.pool, patience));
        watched(watch, acquiring).await?
    };
    exchange.tally.reused = acquired.reused;
    exchange.tally.connect_us = if acquired.reused { 0 } else { worker.clock.now_us() - began_us };
    let mut origin = Origin::new(acquired.connection, acquired.reused);
    let mut outcome = converse(exchange, chosen, &mut origin).await;
    if let Ok(Outcome::Switched) = outcome {
        // Boxed: tunnels are few and long, and every exchange would hold the memory of one.
        let tunnel = Box::pin(relay::tunnel(exchange, &mut origin, chosen));
        outcome = tunnel.await.map(|()| Outcome::Delivered);
        if outcome.is_err() {
            origin.connection.socket.reset_on_close();
        }
    }
    let unread = origin.held.octets().len();
    let whole = !matches!(outcome, Err(fault) if fault.kind != Kind::BadStatus);
    if origin.engine.finish(unread) && origin.sent && whole {
        chosen.pool.give_back(worker, origin.connection);
    } else {
        chosen.pool.close(worker, origin.connection);
    }
    outcome.map(|_| ())
}

/// Sends the request while waiting for the response, and delivers that.
async fn converse(exchange: &mut Exchange<'_>, chosen: &Chosen<'_>, origin: &mut Origin) -> Result<Outcome, Fault> {
    write_request_head(exchange, chosen, origin);
    let client_pace = exchange.client_pace();
    let rematch = retry::rematch(exchange, chosen.index);
    let Exchange { worker, listener, client, server, scratch, output, id, view, tally, kept, deadline_ms, .. } =
        exchange;
    let ClientConnection { socket, held, alarm, ends_response, .. } = &mut **client;
    let Scratch { asked, response, trailers, extra, passage, course, .. } = &mut **scratch;
    let known = Known { asked, view, listener, id, tls: socket.tls() };
    let body_max = octets_max(listener, chosen.route).min(passage.notes.request_octets_max.unwrap_or(u64::MAX));
    let mut decoder = std::mem::take(server.decoder_mut());
    let mut encoder = std::mem::take(origin.engine.encoder_mut());
    let Origin { connection, engine, held: received, reused, .. } = origin;
    // Two waits at once need two alarms; without a body there is only one.
    let sends_body = !decoder.is_done() || !kept.octets().is_empty();
    let own_alarm = sends_body.then(|| worker.wheel.alarm());
    let sent = Sent::default();
    let mut upload = Pump {
        worker,
        limits: &listener.limits.http1,
        alarm: own_alarm.as_ref().unwrap_or(alarm),
        source: Source {
            socket,
            held,
            decoder: &mut decoder,
            pace: client_pace.beside(&tally.response_octets),
            failed: &Cell::new(false),
        },
        sink: Sink {
            socket: &connection.socket,
            encoder: &mut encoder,
            output,
            // An upload that stalls must not cut a response that moves.
            pace: Pace::origin(chosen.upstream.idle_timeout, *deadline_ms).beside(&tally.response_octets),
            begun: &Cell::new(false),
        },
        trailers,
        octets: &tally.request_octets,
        octets_max: body_max,
        kept: Some(kept),
        coder: None,
    };
    let mut download = Download {
        worker,
        chosen,
        known: &known,
        client: socket,
        ends_response,
        alarm,
        server,
        head: response,
        extra,
        passage,
        course,
        tally,
        client_pace,
        sent: &sent,
        rematch,
        kept,
    };
    let mut receiver = Receiver { socket: &connection.socket, engine, held: received, reused: *reused };
    let never = Cell::new(false);
    let watch = Watch::new(socket, listener.end_is_leaving, Phase::ResponseHead, &never);
    let outcome = {
        // Pinned here and lent: a future that is handed on is copied, and held twice.
        let (upload, download) = (pin!(upload.run()), pin!(download.run(&mut receiver)));
        alongside(worker, watch, upload, &sent, download).await
    };
    *exchange.server.decoder_mut() = decoder;
    *origin.engine.encoder_mut() = encoder;
    // What was taken and encoded may not have left: the origin would take the next request for the rest of this one,
    // and what is left of this one would be taken for the next request.
    origin.sent = sent.whole.get();
    if !origin.sent && exchange.tally.request_octets.get() > 0 && outcome.is_ok() {
        exchange.server.close_after_response();
    }
    outcome
}

fn write_request_head(exchange: &mut Exchange<'_>, chosen: &Chosen<'_>, origin: &mut Origin) {
    let scratch = &exchange.scratch;
    let authority = chosen.endpoint.authority.as_bytes();
    let host = scratch.request.headers.get(Name::Host).filter(|_| chosen.route.preserve_host).unwrap_or(authority);
    let length = match exchange.server.request_length() {
        // A request of a method that usually has a body says that it has none (RFC 9110 §8.6).
        BodyLength::None if scratch.request.method.expects_body() => BodyLength::Fixed(0),
        length => length,
    };
    let outgoing = OutgoingHead {
        head: &scratch.request,
        target: scratch.outgoing_target(),
        host,
        skip: strait_plan::request_skipped(&exchange.view),
        extra: &scratch.extra,
        length,
        websocket: exchange.server.wants_websocket(),
    };
    exchange.worker.buffers.take_output_into(&mut exchange.output);
    origin.engine.send_head(&outgoing, &mut exchange.output);
    // As much of the body as an attempt before this one has taken: it fits, since it is of the same request.
    let _ = origin.engine.encoder_mut().data(&exchange.kept.octets(), &mut exchange.output);
}

/// Runs the upload beside the download, until the download ends or the upload shows that it cannot. Once all is
/// sent, a client that leaves ends the exchange.
async fn alongside<T>(
    worker: &Worker,
    mut watch: Watch<'_>,
    mut upload: Pin<&mut impl Future<Output = Result<(), Trouble>>>,
    sent: &Sent,
    mut download: Pin<&mut impl Future<Output = Result<T, Fault>>>,
) -> Result<T, Fault> {
    poll_fn(|cx| {
        if sent.ended_ms.get().is_none() {
            match upload.as_mut().poll(cx) {
                Poll::Pending => {}
                Poll::Ready(outcome) => {
                    sent.ended_ms.set(Some(worker.clock.now_ms()));
                    sent.whole.set(outcome.is_ok());
                    sent.failed.set(matches!(outcome, Err(Trouble::SinkIo(_))));
                    if let Some(fault) = outcome.err().and_then(upload_fault) {
                        return Poll::Ready(Err(fault));
                    }
                }
            }
        }
        if let Poll::Ready(outcome) = download.as_mut().poll(cx) {
            return Poll::Ready(outcome);
        }
        match sent.ended_ms.get() {
            Some(_) => watch.poll(cx).map(Err),
            None => Poll::Pending,
        }
    })
    .await
}

/// Runs something during which nothing is expected from the client, which may leave.
pub(crate) async fn watched<T>(
    mut watch: Watch<'_>,
    mut step: Pin<&mut impl Future<Output = Result<T, Fault>>>,
) -> Result<T, Fault> {
    poll_fn(|cx| match step.as_mut().poll(cx) {
        Poll::Pending => watch.poll(cx).map(Err),
        outcome => outcome,
    })
    .await
}

/// A look at a client from which nothing is expected.
pub(crate) struct Watch<'a> {
    client: &'a Socket,
    phase: Phase,
    /// An end is taken for leaving; else a client that ended its side still wants its answer (RFC 9112 §9.6).
    end_is_leaving: bool,
    /// The request waits for a connection under a limit: then an end is taken for leaving in any case. Most such clients
    /// have given up, and there is more to do than can be done.
    queued: &'a Cell<bool>,
    over: bool,
}

impl<'a> Watch<'a> {
    pub(crate) fn new(client: &'a Socket, end_is_leaving: bool, phase: Phase, queued: &'a Cell<bool>) -> Self {
        Self { client, phase, end_is_leaving, queued, over: false }
    }

    /// Ready when the client has left. Octets that come early (a body, a pipelined request) end the watch.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Fault> {
        if self.over {
            return Poll::Pending;
        }
        let kind = match ready!(self.client.poll_unexpected(cx)) {
            Unexpected::Octets => {
                self.over = true;
                return Poll::Pending;
            }
            Unexpected::End if self.queued.get() => return Poll::Ready(Fault::client(Phase::Queue, Kind::Closed)),
            Unexpected::End if !self.end_is_leaving => return Poll::Pending,
            Unexpected::End => Kind::Closed,
            Unexpected::Broken => Kind::Reset,
        };
        Poll::Ready(Fault::client(self.phase, kind))
    }
}

/// The fault of an upload that failed. `None` when the origin stopped listening: it may have answered early, and
/// what it says is waited for.
fn upload_fault(trouble: Trouble) -> Option<Fault> {
    let phase = Phase::RequestBody;
    match trouble {
        Trouble::Source(misdeed) => Some(client_misdeed(phase, misdeed)),
        Trouble::SourceIo(error) => Some(client_interrupt(phase, &Interrupt::Io(error))),
        Trouble::SourceLate(Late::Slow) => Some(Fault::client(phase, Kind::TooSlow)),
        Trouble::SourceLate(Late::Deadline) => Some(Fault::client(phase, Kind::Deadline).because(REQUEST_TIMEOUT)),
        Trouble::SinkIo(_) => None,
        Trouble::SinkLate(Late::Slow) => Some(Fault::upstream(phase, Kind::TooSlow)),
        Trouble::SinkLate(Late::Deadline) => Some(Fault::upstream(phase, Kind::Deadline).because(REQUEST_TIMEOUT)),
        Trouble::TooLarge => Some(Fault::client(phase, Kind::TooLarge)),
    }
}

/// The fault of a download that failed after the response head.
pub(crate) fn download_fault(trouble: Trouble) -> Fault {
    let phase = Phase::ResponseBody;
    match trouble {
        Trouble::Source(misdeed) => upstream_misdeed(phase, misdeed),
        Trouble::SourceIo(error) => upstream_interrupt(phase, &Interrupt::Io(error)),
        Trouble::SourceLate(Late::Slow) => Fault::upstream(phase, Kind::Timeout),
        Trouble::TooLarge => Fault::upstream(phase, Kind::TooLarge),
        Trouble::SourceLate(Late::Deadline) => Fault::upstream(phase, Kind::Deadline).because(REQUEST_TIMEOUT),
        Trouble::SinkIo(error) => client_interrupt(phase, &Interrupt::Io(error)),
        Trouble::SinkLate(Late::Slow) => Fault::client(phase, Kind::TooSlow),
        Trouble::SinkLate(Late::Deadline) => Fault::client(phase, Kind::Deadline).because(REQUEST_TIMEOUT),
    }
}

/// An endpoint's attempts running now.
struct Running<'a> {
    meter: Option<&'a EndpointMeter>,
    /// Where the picker asks for loads: what all workers look at.
    upstream: Option<&'a Upstream>,
    state: &'a EndpointState,
}

impl<'a> Running<'a> {
    fn begin(pool: &'a Pool, upstream: &'a Upstream, worker: usize) -> Self {
        let meter = pool.state.meter.of(worker);
        if let Some(meter) = meter {
            meter.attempts.add(1);
            meter.attempts_running.up();
        }
        let upstream = Some(upstream).filter(|upstream| upstream.balance.picker.needs_loads());
        if let Some(upstream) = upstream {
            pool.state.load.begin(&upstream.state);
        }
        Self { meter, upstream, state: &pool.state }
    }

    fn end(self, exchange: &Exchange<'_>, outcome: &Result<(), Fault>, began_us: u64) {
        let is_fault = matches!(outcome, Err(fault) if fault.origin == FaultOrigin::Upstream);
        let is_error = exchange.tally.upstream_status.get().is_some_and(|status| status.class() == 5);
        if let Some(meter) = self.meter {
            // An answer that was thrown away is counted as what it was.
            let answered = matches!(outcome, Err(fault) if fault.kind == Kind::BadStatus);
            meter.faults.add(u64::from(is_fault && !answered));
            meter.error_answers.add(u64::from(is_error && (!is_fault || answered)));
            let class = exchange.tally.upstream_status.get().map_or(0, |status| usize::from(status.class()));
            if let Some(counter) = meter.classes.get(class) {
                counter.add(1);
            }
        }
        self.note(exchange, outcome, is_error);
        if let Some(Picker::PeakEwma { decay_ms }) = self.upstream.map(|upstream| &upstream.balance.picker) {
            self.sample(exchange, is_fault, began_us, *decay_ms);
        }
    }

    /// Tells outlier detection, where it is asked for.
    fn note(&self, exchange: &Exchange<'_>, outcome: &Result<(), Fault>, is_error: bool) {
        let Some((upstream, endpoint)) = exchange.tally.endpoint else { return };
        let upstream = exchange.adopted.plan.upstreams.get(upstream).filter(|upstream| upstream.outliers.is_some());
        let Some(upstream) = upstream else { return };
        let seen = match outcome {
            Err(fault) if fault.kind != Kind::BadStatus => outcome_of(fault),
            _ if is_error => Some(strait_traffic::Outcome::Remote),
            _ => Some(strait_traffic::Outcome::Good),
        };
        if let Some(seen) = seen {
            upstream.note(endpoint, seen, exchange.worker.clock.now_ms());
        }
    }

    /// Remembers how long the endpoint took to respond. A fault counts as slow, however fast it came: else an endpoint
    /// that refuses everything would look like the best.
    fn sample(&self, exchange: &Exchange<'_>, is_fault: bool, began_us: u64, decay_ms: u32) {
        let now_us = exchange.worker.clock.now_us();
        let answered_us = exchange.tally.began_us + exchange.tally.first_byte_us.get();
        let took_us = match is_fault {
            true => (now_us - began_us).max(FAULT_US),
            false if exchange.tally.first_byte_us.get() > 0 => answered_us.saturating_sub(began_us),
            false => return,
        };
        self.state.load.latency.sample(took_us, now_us / 1_000, decay_ms);
    }
}

/// How slow a fault counts at least.
const FAULT_US: u64 = 1_000_000;

impl Drop for Running<'_> {
    fn drop(&mut self) {
        if let Some(meter) = self.meter {
            meter.attempts_running.down();
        }
        if let Some(upstream) = self.upstream {
            self.state.load.end(&upstream.state);
        }
    }
}
