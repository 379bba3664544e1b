//! The response on its way down: interim heads, the final one, its body.

use crate::alarm::Alarm;
use crate::attempt::{Chosen, Sent, download_fault};
use crate::clock::ms;
use crate::course::{Course, append_server_timing};
use crate::deadline::Until;
use crate::downstream::Server;
use crate::exchange::Tally;
use crate::filter::{self, Filtered};
use crate::forward;
use crate::io::Socket;
use crate::known::Known;
use crate::pace::Pace;
use crate::relay::{Pump, Sink, Source, send_all};
use crate::retry::{Kept, Rematch};
use crate::upstream::h1::Receiver;
use crate::worker::Worker;
use std::cell::Cell;
use strait_filters::Passage;
use strait_http1::Encoder;
use strait_message::{BodyLength, Fault, Headers, Kind, Phase, ResponseHead, Status};
use strait_plan::{Hint, Upstream};

/// How an attempt went well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The response was delivered.
    Delivered,
    /// The origin switches protocols; its head is received and not yet sent.
    Switched,
}

/// The parts of an exchange that a response needs.
pub(crate) struct Download<'a> {
    pub(crate) worker: &'a Worker,
    pub(crate) chosen: &'a Chosen<'a>,
    pub(crate) known: &'a Known<'a>,
    pub(crate) client: &'a Socket,
    pub(crate) ends_response: &'a Cell<bool>,
    pub(crate) alarm: &'a Alarm,
    pub(crate) server: &'a mut Server,
    pub(crate) head: &'a mut ResponseHead,
    pub(crate) extra: &'a mut Vec<u8>,
    /// What the route's filters remember, if there are any.
    pub(crate) passage: &'a mut Passage,
    pub(crate) course: &'a Course,
    pub(crate) tally: &'a Tally<'a>,
    pub(crate) client_pace: Pace<'a>,
    pub(crate) sent: &'a Sent,
    pub(crate) rematch: Rematch<'a>,
    pub(crate) kept: &'a Kept,
}

impl Download<'_> {
    /// Receives the response and delivers it.
    pub(crate) async fn run(&mut self, origin: &mut Receiver<'_>) -> Result<Outcome, Fault> {
        self.recv_final_head(origin).await?;
        if self.chosen.upstream.takes_hints {
            self.take_hint();
        }
        if self.is_unwanted() {
            origin.discard(&self.known.listener.limits.http1);
            return Err(Fault::upstream(Phase::ResponseHead, Kind::BadStatus));
        }
        if self.head.status == Status::SWITCHING_PROTOCOLS {
            return Ok(Outcome::Switched);
        }
        let mut output = self.worker.buffers.take_output();
        let outcome = self.deliver(origin, &mut output).await;
        self.worker.buffers.give_output(output);
        outcome
    }

    /// Does as the endpoint says about itself, and keeps it from the client.
    fn take_hint(&mut self) {
        let said = self.head.headers.get_by_text(Hint::FIELD.as_bytes());
        let Some(said) = said.map(Hint::parse) else { return };
        if let Some(hint) = said {
            hint.apply(self.chosen.endpoint, self.worker.clock.now_ms());
        }
        self.head.headers.retain(|field| !Hint::is_field(field.name));
    }

    /// Whether the response is thrown away for another attempt. If not, nothing will be sent again.
    fn is_unwanted(&self) -> bool {
        let taken = self.tally.request_octets.get();
        let unwanted = self.rematch.wants(self.worker, self.head.status.code(), self.kept, taken);
        if !unwanted {
            self.kept.release();
        }
        unwanted
    }

    /// Receives heads until the final one; interim ones are passed on as they come.
    async fn recv_final_head(&mut self, origin: &mut Receiver<'_>) -> Result<(), Fault> {
        self.set_alarm(self.worker.clock.now_ms());
        loop {
            self.head.clear();
            let (worker, limits, alarm) = (self.worker, &self.known.listener.limits.http1, self.alarm);
            let late = || late(worker, alarm, self.chosen.upstream, self.chosen.until, &self.sent.ended_ms);
            origin.recv_head(worker, self.head, limits, alarm, late).await?;
            let now_us = worker.clock.now_us();
            if !self.head.status.is_interim() {
                self.tally.upstream_status.set(Some(self.head.status));
                self.tally.first_byte_us.set(now_us - self.tally.began_us);
            }
            if !self.head.status.is_interim() || self.head.status == Status::SWITCHING_PROTOCOLS {
                return Ok(());
            }
            self.send_interim().await?;
        }
    }

    fn set_alarm(&self, now_ms: u64) {
        let first_byte_ms = now_ms.saturating_add(ms(self.chosen.upstream.first_byte_timeout));
        self.alarm.set(self.chosen.until.bound(first_byte_ms), now_ms);
    }

    async fn send_interim(&mut self) -> Result<(), Fault> {
        let mut output = self.worker.buffers.take_output();
        self.server.send_interim(self.head, &mut output);
        // Half of an interim head is as good as a response begun: nothing may be put behind it.
        let begun = &self.tally.response_begun;
        let parts = [output.as_slice(), b"", b""];
        let sent = send_all(self.worker, self.client, parts, self.alarm, &mut self.client_pace, begun).await;
        self.worker.buffers.give_output(output);
        sent.map_err(download_fault)?;
        begun.set(false);
        Ok(())
    }

    async fn deliver(&mut self, origin: &mut Receiver<'_>, output: &mut Vec<u8>) -> Result<Outcome, Fault> {
        let route = self.tally.route.ok_or(Fault::strait(Phase::ResponseHead, Kind::Defect))?;
        forward::prepare_response(self.worker, self.head, route, self.known, self.extra);
        self.tally.sticks.append(route, self.chosen.upstream, self.extra);
        if self.tally.server_timing {
            let (began_us, now_us) = (self.tally.attempt_began_us, self.worker.clock.now_us());
            append_server_timing(self.tally, self.course.trace.as_ref(), began_us, now_us, self.extra);
        }
        if let Some(chain) = route.filters.as_deref() {
            let facts = filter::facts(self.worker, &route.pattern, *self.known);
            let mut filtered = Filtered { chain, facts, request: &self.known.asked.request, passage: self.passage };
            filtered.response(self.head, origin.engine.response_length());
        }
        if self.passage.notes.replacement.is_some() {
            let body = self.passage.notes.whole_body(b"");
            return self.send_in_place(&body, output).await;
        }
        let coder = self.passage.notes.coder.take();
        // How long a coded body becomes is known when it has ended.
        let length = if coder.is_some() { BodyLength::Unknown } else { origin.engine.response_length() };
        if !self.sent.whole.get() {
            // The origin answers before it has the whole request: what is still to come cannot be waited for.
            self.server.close_after_response();
        }
        self.tally.response_begun.set(self.server.send_head(self.head, length, self.extra, output));
        self.ends_response.set(!self.server.response_is_framed());
        self.tally.status.set(Some(self.head.status));
        let mut trailers = Headers::new();
        let mut pump = Pump {
            worker: self.worker,
            limits: &self.known.listener.limits.http1,
            alarm: self.alarm,
            source: Source {
                socket: origin.socket,
                held: origin.held,
                decoder: origin.engine.decoder_mut(),
                pace: Pace::origin(self.chosen.upstream.idle_timeout, self.chosen.until.exchange_ms)
                    .beside(&self.tally.request_octets),
                failed: &self.sent.failed,
            },
            sink: Sink {
                socket: self.client,
                encoder: self.server.encoder_mut(),
                output,
                pace: self.client_pace,
                begun: &self.tally.response_begun,
            },
            trailers: &mut trailers,
            octets: &self.tally.response_octets,
            octets_max: self.passage.notes.response_octets_max.unwrap_or(u64::MAX),
            kept: None,
            coder,
        };
        pump.run().await.map_err(download_fault)?;
        Ok(Outcome::Delivered)
    }
}

impl Download<'_> {
    /// Delivers the head with another body. What the origin sends as body is not read, and its connection not used again.
    async fn send_in_place(&mut self, body: &[u8], output: &mut Vec<u8>) -> Result<Outcome, Fault> {
        if !self.sent.whole.get() {
            self.server.close_after_response();
        }
        let length = BodyLength::Fixed(body.len() as u64);
        self.tally.response_begun.set(self.server.send_head(self.head, length, self.extra, output));
        self.tally.status.set(Some(self.head.status));
        // A response to HEAD tells a length and has no body.
        let body = if *self.server.encoder_mut() == Encoder::Done { b"" } else { body };
        self.server.frame_whole(body.len(), output);
        self.tally.response_octets.set(body.len() as u64);
        let (begun, parts) = (&self.tally.response_begun, [output.as_slice(), body, b""]);
        let sent = send_all(self.worker, self.client, parts, self.alarm, &mut self.client_pace, begun).await;
        sent.map_err(download_fault)?;
        Ok(Outcome::Delivered)
    }
}

/// The alarm rang while a head was awaited: the time to the first octet counts from when the request had been sent.
fn late(
    worker: &Worker,
    alarm: &Alarm,
    upstream: &Upstream,
    until: Until,
    sent_ms: &Cell<Option<u64>>,
) -> Result<(), Fault> {
    let now_ms = worker.clock.now_ms();
    let timeout_ms = ms(upstream.first_byte_timeout);
    let due_ms = sent_ms.get().map_or(now_ms + timeout_ms, |sent| sent.saturating_add(timeout_ms));
    until.check(Phase::ResponseHead, now_ms)?;
    if now_ms >= due_ms {
        return Err(Fault::upstream(Phase::ResponseHead, Kind::Timeout).because("the upstream's first_byte timeout"));
    }
    alarm.set(until.bound(due_ms), now_ms);
    Ok(())
}
