//! The end of an exchange: written down, counted, and everything given back.

use crate::exchange::{Exchange, Tally};
use crate::known::Known;
use crate::request_id::text;
use crate::tls::Secured;
use crate::worker::{Adopted, Worker};
use std::net::SocketAddr;
use strait_http1::Persistence;
use strait_message::{Fault, Name, Version};
use strait_plan::{Evidence, Listener, LogEvidence};
use strait_record::{AccessRecord, End, TlsRecord};

/// Ends the exchange; what becomes of the client's connection.
pub(crate) fn finish(exchange: &mut Exchange<'_>, outcome: Result<(), Fault>) -> Persistence {
    let duration_us = exchange.worker.clock.now_us() - exchange.tally.began_us;
    count(exchange, &outcome, duration_us);
    let seen = exchange.worker.sights.wants(exchange, &outcome);
    if seen || !exchange.adopted.plan.access_log.is_off() {
        write_down(exchange, &outcome, duration_us, seen);
    }
    let persistence = match outcome {
        Ok(()) => {
            exchange.client.ends_response.set(false);
            exchange.server.finish()
        }
        Err(_) => after_fault(exchange),
    };
    exchange.worker.buffers.give_output(std::mem::take(&mut exchange.output));
    persistence
}

/// After a fault that was answered, the connection may go on; one in the middle of a response must be seen as such.
fn after_fault(exchange: &mut Exchange<'_>) -> Persistence {
    if exchange.tally.fault_answered {
        exchange.client.ends_response.set(false);
        return exchange.server.finish();
    }
    if !exchange.tally.response_begun.get() {
        exchange.client.ends_response.set(false);
    }
    Persistence::Close
}

fn count(exchange: &Exchange<'_>, outcome: &Result<(), Fault>, duration_us: u64) {
    let Exchange { worker, tally, .. } = exchange;
    worker.meter.bytes_received.add(tally.request_octets.get());
    worker.meter.bytes_sent.add(tally.response_octets.get());
    if let Err(fault) = outcome {
        worker.meter.faults.count(fault);
    }
    if let Some(meter) = tally.route.and_then(|route| route.meter.of(worker.id)) {
        meter.answers.record(Some(exchange.scratch.request.method), tally.status.get(), duration_us);
        meter.faults.add(u64::from(outcome.is_err()));
        meter.bytes_received.add(tally.request_octets.get());
        meter.bytes_sent.add(tally.response_octets.get());
    }
    let endpoint = endpoint(exchange);
    if let (Some(meter), 1..) = (endpoint.and_then(|e| e.state.meter.of(worker.id)), tally.first_byte_us.get()) {
        meter.response_time.record(tally.first_byte_us.get());
    }
}

fn endpoint<'e>(exchange: &Exchange<'e>) -> Option<&'e strait_plan::Endpoint> {
    let (upstream, endpoint) = exchange.tally.endpoint?;
    exchange.adopted.plan.upstreams.get(upstream)?.endpoints.get(endpoint)
}

fn write_down(exchange: &Exchange<'_>, outcome: &Result<(), Fault>, duration_us: u64, seen: bool) {
    let Exchange { worker, adopted, listener, scratch, tally, .. } = exchange;
    let Tally { began_us, .. } = *tally;
    let headers = &scratch.request.headers;
    let upstream = tally.endpoint.and_then(|(upstream, _)| adopted.plan.upstreams.get(upstream));
    let query = scratch.target.get(scratch.path.len() + 1..).unwrap_or_default();
    let record = AccessRecord {
        time_us: worker.clock.wall_us(began_us),
        request_id: text(&exchange.id),
        client: Some(exchange.view.address).filter(|address| *address != UNKNOWN),
        listener: &listener.name,
        worker: u16::try_from(worker.id).unwrap_or(u16::MAX),
        generation: adopted.plan.generation,
        method: Some(scratch.request.method).filter(|_| !scratch.request.target().is_empty()),
        host: headers.get(Name::Host).unwrap_or_default(),
        path: if scratch.path.is_empty() { scratch.request.target() } else { &scratch.path },
        query,
        version: scratch.request.version,
        tls: exchange.client.socket.secured().map(tls),
        user_agent: headers.get(Name::UserAgent).unwrap_or_default(),
        referer: headers.get(Name::Referer).unwrap_or_default(),
        route: tally.route.map_or("", |route| &route.pattern),
        upstream: upstream.map_or("", |upstream| &upstream.name),
        endpoint: endpoint(exchange).map_or("", |endpoint| &endpoint.name),
        attempts: tally.attempts,
        reused: tally.reused,
        status: tally.status.get(),
        upstream_status: tally.upstream_status.get(),
        request_bytes: tally.request_octets.get(),
        response_bytes: tally.response_octets.get(),
        duration_us,
        first_byte_us: tally.first_byte_us.get(),
        connect_us: tally.connect_us,
        trace: scratch.course.trace,
        end: outcome.map_or_else(End::Fault, |()| filter_end(exchange)),
    };
    let logged = log(exchange, &record);
    if seen || logged {
        worker.sights.add(exchange, &record, logged);
        worker.sights.flush_if_full(worker);
    }
}

/// Writes the line; whether the record is sent as OTLP instead.
fn log(exchange: &Exchange<'_>, record: &AccessRecord<'_>) -> bool {
    let (worker, log) = (exchange.worker, &exchange.adopted.plan.access_log);
    if let Some(format) = log.plain() {
        worker.log.write(record, format, &worker.meter);
        return false;
    }
    let response = Some(&exchange.scratch.response);
    let evidence = Evidence { response, ..Known::of(exchange).evidence() };
    worker.log.write_by(log, &LogEvidence { record, exchange: Some(evidence) }, &worker.meter)
}

/// Writes down a connection that a limit refused: nothing was asked, and nothing answered.
pub(crate) fn refused(worker: &Worker, adopted: &Adopted, listener: &Listener, peer: SocketAddr, fault: Fault) {
    unasked(worker, adopted, listener, peer, fault, Version::Http11);
}

/// Writes down what a client did that became no request.
pub(crate) fn unasked(
    worker: &Worker,
    adopted: &Adopted,
    listener: &Listener,
    peer: SocketAddr,
    fault: Fault,
    version: Version,
) {
    if adopted.plan.access_log.is_off() {
        return;
    }
    let now_us = worker.clock.wall_us(worker.clock.now_us());
    let id = worker.ids.borrow_mut().next(now_us);
    let record = AccessRecord {
        time_us: now_us,
        request_id: text(&id),
        client: Some(peer).filter(|address| *address != UNKNOWN),
        listener: &listener.name,
        worker: u16::try_from(worker.id).unwrap_or(u16::MAX),
        generation: adopted.plan.generation,
        version,
        end: End::Fault(fault),
        ..AccessRecord::default()
    };
    let evidence = LogEvidence { record: &record, exchange: None };
    worker.log.write_by(&adopted.plan.access_log, &evidence, &worker.meter);
}

/// How an exchange without a fault ended.
fn filter_end(exchange: &Exchange<'_>) -> End {
    exchange.scratch.passage.progress.answered_by.map_or(End::Complete, |kind| End::Filter(kind.name()))
}

fn tls(secured: &Secured) -> TlsRecord<'_> {
    let facts = &secured.facts;
    TlsRecord {
        version: facts.version,
        suite: facts.cipher,
        server_name: facts.sni.as_deref().unwrap_or_default(),
        resumed: secured.resumed,
        client_subject: facts.client.as_ref().map_or("", |client| &client.subject),
        client_fingerprint: facts.client.as_ref().map_or("", |client| &client.fingerprint),
    }
}

/// The address of a client that has none, on a Unix socket.
pub(crate) const UNKNOWN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0);
