//! The course of an exchange beyond its record: where it stands in a trace, and how its attempts went.

use crate::exchange::{Exchange, Tally};
use crate::scratch::Scratch;
use crate::worker::Worker;
use std::io::Write as _;
use strait_message::{Fault, Headers};
use strait_plan::{Tracing, hexadecimal};
use strait_record::{AttemptRecord, TraceRecord};

/// What is remembered. Without a trace and without failure nothing is.
#[derive(Debug, Default)]
pub(crate) struct Course {
    pub(crate) trace: Option<TraceRecord>,
    attempts: Vec<Attempted>,
    /// The span of the attempt that runs.
    span_id: [u8; 8],
    /// Where the span's digits stand in what is added to the request's head.
    span_places: Vec<usize>,
}

/// An attempt that ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attempted {
    /// The upstream's and the endpoint's place in the plan.
    pub(crate) endpoint: (usize, usize),
    pub(crate) record: AttemptRecord,
}

impl Course {
    pub(crate) fn clear(&mut self) {
        self.trace = None;
        self.attempts.clear();
        self.span_places.clear();
    }

    /// The attempts in their order.
    pub(crate) fn attempts(&self) -> &[Attempted] {
        &self.attempts
    }

    /// Whether spans are made of it.
    pub(crate) fn is_sampled(&self) -> bool {
        self.trace.is_some_and(|trace| trace.sampled)
    }

    /// Takes off what the request says about its trace, and puts on what the origin is told.
    pub(crate) fn put_on(&mut self, tracing: &Tracing, worker: &Worker, headers: &mut Headers, extra: &mut Vec<u8>) {
        let Some(trace) = &self.trace else { return };
        let begins_here = trace.parent_id.is_none();
        headers.retain(|field| {
            let is_state = field.name.eq_ignore_ascii_case(b"tracestate");
            !(Tracing::is_trace_field(field.name) || begins_here && is_state)
        });
        self.span_id = worker.ids.borrow_mut().random().max(1).to_be_bytes();
        tracing.append(trace, self.span_id, extra, &mut self.span_places);
    }

    /// Another attempt has a span of its own.
    fn turn_span(&mut self, worker: &Worker, extra: &mut [u8]) {
        self.span_id = worker.ids.borrow_mut().random().max(1).to_be_bytes();
        let mut digits = Vec::with_capacity(16);
        hexadecimal(&self.span_id, &mut digits);
        for place in &self.span_places {
            if let Some(written) = extra.get_mut(*place..*place + digits.len()) {
                written.copy_from_slice(&digits);
            }
        }
    }
}

/// Finds out where the exchange stands.
pub(crate) fn begin(exchange: &mut Exchange<'_>, tracing: &Tracing) {
    let mut ids = exchange.worker.ids.borrow_mut();
    let headers = &exchange.scratch.asked.request.headers;
    let trace = tracing.begin(headers, exchange.view.from_trusted_proxy, || ids.random());
    exchange.scratch.course.trace = Some(trace);
}

/// An attempt begins.
pub(crate) fn begin_attempt(exchange: &mut Exchange<'_>) {
    exchange.tally.reused = false;
    exchange.tally.connect_us = 0;
    if exchange.tally.attempts > 1 && exchange.scratch.course.trace.is_some() {
        let Scratch { course, extra, .. } = &mut *exchange.scratch;
        course.turn_span(exchange.worker, extra);
    }
}

/// An attempt ended: remembered if it is traced, or of a kind that people ask about.
pub(crate) fn end_attempt(exchange: &mut Exchange<'_>, outcome: &Result<(), Fault>, began_us: u64) {
    let Tally { upstream_status, began_us: first_us, connect_us, reused, endpoint, .. } = &exchange.tally;
    let status = upstream_status.get();
    let is_plain = outcome.is_ok() && status.is_none_or(|status| status.class() != 5);
    let Some(endpoint) = endpoint.filter(|_| !is_plain || exchange.scratch.course.is_sampled()) else { return };
    let record = AttemptRecord {
        span_id: exchange.scratch.course.span_id,
        began_us: began_us.saturating_sub(*first_us),
        ended_us: exchange.worker.clock.now_us().saturating_sub(*first_us),
        connect_us: *connect_us,
        reused: *reused,
        status,
        fault: outcome.err(),
    };
    exchange.scratch.course.attempts.push(Attempted { endpoint, record });
}

/// Tells a client where the time went (Server-Timing, in milliseconds): in the origin, in connecting to it, and what is
/// neither.
pub(crate) fn append_server_timing(
    tally: &Tally<'_>,
    trace: Option<&TraceRecord>,
    attempt_began_us: Option<u64>,
    now_us: u64,
    out: &mut Vec<u8>,
) {
    let total_us = now_us.saturating_sub(tally.began_us);
    let asked_us = attempt_began_us.map_or(0, |began_us| now_us.saturating_sub(began_us)).min(total_us);
    out.extend_from_slice(b"Server-Timing: ");
    append_span("strait", total_us - asked_us, out);
    if attempt_began_us.is_some() {
        let connect_us = tally.connect_us.min(asked_us);
        out.extend_from_slice(b", ");
        append_span("connect", connect_us, out);
        out.extend_from_slice(b", ");
        append_span("upstream", asked_us - connect_us, out);
    }
    if let Some(trace) = trace {
        out.extend_from_slice(b", traceparent;desc=\"00-");
        hexadecimal(&trace.trace_id, out);
        out.push(b'-');
        hexadecimal(&trace.span_id, out);
        out.extend_from_slice(if trace.sampled { b"-01\"" } else { b"-00\"" });
    }
    out.extend_from_slice(b"\r\n");
}

fn append_span(name: &str, us: u64, out: &mut Vec<u8>) {
    // Writing into a Vec does not fail.
    let _ = write!(out, "{name};dur={}.{:03}", us / 1_000, us % 1_000);
}
