//! Moving a body from one side to the other, with back-pressure: nothing more is read before what was read is gone.

use crate::alarm::Alarm;
use crate::attempt::Chosen;
use crate::buffer::LARGE;
use crate::downstream::end_lane;
use crate::exchange::Exchange;
use crate::h2::Lane;
use crate::io::Socket;
use crate::known::Known;
use crate::pace::{Late, Pace};
use crate::retry::Kept;
use crate::stream::{Held, Interrupt, writable};
use crate::upstream::Connection;
use crate::upstream::h1::Origin;
use crate::worker::Worker;
use crate::{fault, forward};
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::io::{ErrorKind, IoSlice};
use std::pin::pin;
use std::task::{Context, Poll, ready};
use strait_filters::compress::Coder;
use strait_http1::{Decoder, Encoder, Event, Limits, Misdeed};
use strait_message::{BodyLength, Fault, Headers, Kind, Phase};

/// Data of at least this size is written from where it lies; less is copied behind what is already going out.
const COPY_MAX: usize = 8 * 1024;
/// A coder is given no more at a time, so that what comes out stays small beside it.
const CODED_PIECE: usize = 64 * 1024;
/// Output is written once it is this large, though more could be added.
const OUTPUT_MAX: usize = 32 * 1024;
/// A body of which this much is left is read in large pieces at once.
const BULK_MIN: u64 = 96 * 1024;

/// One direction of an exchange: from a socket by a decoder, through an encoder to another socket.
pub(crate) struct Pump<'a> {
    pub(crate) worker: &'a Worker,
    pub(crate) limits: &'a Limits,
    pub(crate) alarm: &'a Alarm,
    pub(crate) source: Source<'a>,
    pub(crate) sink: Sink<'a>,
    /// Where trailer fields are put.
    pub(crate) trailers: &'a mut Headers,
    /// Counts the body's octets as they are taken.
    pub(crate) octets: &'a Cell<u64>,
    /// The most octets the body may have.
    pub(crate) octets_max: u64,
    /// Codes the body on its way.
    pub(crate) coder: Option<Box<Coder>>,
    /// Where octets are kept that may be sent again.
    pub(crate) kept: Option<&'a Kept>,
}

/// Where a body comes from.
pub(crate) struct Source<'a> {
    pub(crate) socket: &'a Socket,
    pub(crate) held: &'a mut Held,
    pub(crate) decoder: &'a mut Decoder,
    pub(crate) pace: Pace<'a>,
    /// Set once a write to the socket failed. The kernel reports a reset to one call only, and to the next read the end:
    /// such an end proves nothing.
    pub(crate) failed: &'a Cell<bool>,
}

/// Where a body goes.
pub(crate) struct Sink<'a> {
    pub(crate) socket: &'a Socket,
    pub(crate) encoder: &'a mut Encoder,
    /// What goes out before the body: usually its head.
    pub(crate) output: &'a mut Vec<u8>,
    pub(crate) pace: Pace<'a>,
    /// Set once an octet has left.
    pub(crate) begun: &'a Cell<bool>,
}

impl Sink<'_> {
    /// Whether the kernel would take a large piece at once. What it would not take waits in our memory, and the
    /// peer may never read it.
    pub(crate) fn has_room(&self) -> bool {
        self.socket.room() >= LARGE as u64
    }
}

/// Why a body could not be moved whole.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The source broke the protocol.
    Source(Misdeed),
    /// The source's connection failed.
    SourceIo(std::io::Error),
    /// The source was late.
    SourceLate(Late),
    /// The sink's connection failed.
    SinkIo(std::io::Error),
    /// The sink was late.
    SinkLate(Late),
    /// The body is larger than it may be.
    TooLarge,
}

impl Pump<'_> {
    /// Moves the whole body, and its end.
    pub(crate) async fn run(&mut self) -> Result<(), Trouble> {
        if self.run_at_once()? {
            // While the response is awaited, another exchange uses it.
            self.worker.buffers.give_output(std::mem::take(self.sink.output));
            return Ok(());
        }
        let mut large = self.is_bulk();
        loop {
            if self.take_held().await? {
                return self.send(&[]).await;
            }
            self.flush_coder(false)?;
            self.send(&[]).await?;
            if self.may_splice()
                && let Some(pipe) = self.worker.pipes.lend()
            {
                // Boxed: most bodies are small, and every exchange would hold the memory for this.
                match Box::pin(self.splice(&pipe)).await? {
                    true => continue,
                    false => return self.end_by_eof().await,
                }
            }
            let octets = self.fill_for_sink(large).await?;
            if octets == 0 {
                return self.end_by_eof().await;
            }
            self.source.pace.moved(octets);
            large = large || self.source.held.is_full();
        }
    }

    /// Moves a small body of which all is here, without a wait: most exchanges need no more. Whether that was all;
    /// otherwise [`Pump::run`] goes on from where this stopped.
    fn run_at_once(&mut self) -> Result<bool, Trouble> {
        if self.source.held.octets().len() >= COPY_MAX || self.coder.is_some() {
            return Ok(false);
        }
        loop {
            let held = self.source.held.octets();
            let received = self.source.decoder.recv(held, self.trailers, self.limits).map_err(Trouble::Source)?;
            match received.event {
                Event::Data(range) => {
                    self.count(range.len())?;
                    let data = held.get(range).unwrap_or_default();
                    if let Some(kept) = self.kept {
                        kept.keep(data);
                    }
                    self.sink.encoder.data(data, self.sink.output).map_err(Trouble::Source)?;
                    self.source.held.consume(received.consumed);
                }
                Event::End => {
                    self.source.held.consume(received.consumed);
                    self.end()?;
                    return self.write_at_once();
                }
                Event::NeedMore | Event::Head => {
                    self.source.held.consume(received.consumed);
                    return Ok(false);
                }
            }
        }
    }

    /// Whether all output went out in one call.
    fn write_at_once(&mut self) -> Result<bool, Trouble> {
        if self.sink.output.is_empty() {
            return Ok(true);
        }
        match self.sink.socket.try_write(&[IoSlice::new(self.sink.output)]) {
            Ok(written) => {
                self.sink.begun.set(true);
                self.sink.pace.moved(written);
                self.sink.output.drain(..written);
                Ok(self.sink.output.is_empty())
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
            Err(error) => Err(Trouble::SinkIo(error)),
        }
    }

    fn is_bulk(&self) -> bool {
        self.source.decoder.left().is_some_and(|left| left >= BULK_MIN)
    }

    /// Takes everything that has been received; whether the body is complete.
    async fn take_held(&mut self) -> Result<bool, Trouble> {
        loop {
            let held = self.source.held.octets();
            let received = self.source.decoder.recv(held, self.trailers, self.limits).map_err(Trouble::Source)?;
            match received.event {
                Event::Data(range) => self.take_data(range, received.consumed).await?,
                Event::End => {
                    self.source.held.consume(received.consumed);
                    return self.end().map(|()| true);
                }
                Event::NeedMore | Event::Head => {
                    self.source.held.consume(received.consumed);
                    return Ok(false);
                }
            }
        }
    }

    async fn take_data(&mut self, range: std::ops::Range<usize>, consumed: usize) -> Result<(), Trouble> {
        self.count(range.len())?;
        if self.coder.is_some() {
            return self.take_coded(range, consumed).await;
        }
        // What is kept is copied out before the next wait: an attempt that ends in the wait leaves nothing half taken.
        if range.len() >= COPY_MAX && !self.kept.is_some_and(Kept::is_open) {
            self.send(&[range]).await?;
        } else {
            let data = self.source.held.octets().get(range).unwrap_or_default();
            if let Some(kept) = self.kept {
                kept.keep(data);
            }
            self.sink.encoder.data(data, self.sink.output).map_err(Trouble::Source)?;
        }
        self.source.held.consume(consumed);
        if self.sink.output.len() >= OUTPUT_MAX { self.send(&[]).await } else { Ok(()) }
    }

    /// Takes data through the coder. Nothing more is read before what came out of it is gone.
    async fn take_coded(&mut self, range: std::ops::Range<usize>, consumed: usize) -> Result<(), Trouble> {
        for piece in self.source.held.octets().get(range).unwrap_or_default().chunks(CODED_PIECE) {
            let Some(coder) = &mut self.coder else { break };
            coder.push(piece);
            let Sink { encoder, output, .. } = &mut self.sink;
            coder.drain(|coded| encoder.data(coded, output)).map_err(Trouble::Source)?;
        }
        self.source.held.consume(consumed);
        if self.sink.output.len() >= OUTPUT_MAX { self.send(&[]).await } else { Ok(()) }
    }

    /// Brings out what the coder holds: before a wait for a body of unknown length, which may be a stream of events, and
    /// at the end.
    fn flush_coder(&mut self, ends: bool) -> Result<(), Trouble> {
        let Some(coder) = &mut self.coder else { return Ok(()) };
        match ends {
            true => coder.finish(),
            false if self.source.decoder.left().is_none() => coder.flush(),
            false => {}
        }
        let Sink { encoder, output, .. } = &mut self.sink;
        coder.drain(|coded| encoder.data(coded, output)).map_err(Trouble::Source)
    }

    /// Counts octets of the body.
    pub(crate) fn count(&self, octets: usize) -> Result<(), Trouble> {
        let octets = self.octets.get() + octets as u64;
        self.octets.set(octets);
        if octets > self.octets_max { Err(Trouble::TooLarge) } else { Ok(()) }
    }

    /// Writes what goes out, and behind it data from where it lies.
    async fn send(&mut self, data: &[std::ops::Range<usize>]) -> Result<(), Trouble> {
        let data = data.first().and_then(|range| self.source.held.octets().get(range.clone())).unwrap_or_default();
        let mut suffix: &[u8] = b"";
        if !data.is_empty() {
            self.sink.encoder.data_prefix(data.len() as u64, self.sink.output).map_err(Trouble::Source)?;
            suffix = self.sink.encoder.data_suffix();
        }
        let parts = [self.sink.output.as_slice(), data, suffix];
        let written = send_all(self.worker, self.sink.socket, parts, self.alarm, &mut self.sink.pace, self.sink.begun);
        written.await?;
        self.sink.output.clear();
        Ok(())
    }

    /// Reads more, of a bulky body no more than the sink takes: a peer that stalls holds nothing here.
    async fn fill_for_sink(&mut self, large: bool) -> Result<usize, Trouble> {
        let mut large = large;
        if large && !self.sink.has_room() {
            wait_for_room(self.worker, self.sink.socket, self.alarm, &mut self.sink.pace).await?;
            large = self.sink.has_room();
        }
        self.fill(large).await
    }

    async fn fill(&mut self, large: bool) -> Result<usize, Trouble> {
        self.source.pace.arm(self.alarm, self.worker.clock.now_ms(), || 0);
        loop {
            let filled = self.source.held.fill(self.source.socket, &self.worker.buffers, large, self.alarm).await;
            match filled {
                Ok(octets) => return Ok(octets),
                Err(Interrupt::Io(error)) => return Err(Trouble::SourceIo(error)),
                Err(Interrupt::Deadline) => {
                    let now_ms = self.worker.clock.now_ms();
                    self.source.pace.judge(self.alarm, now_ms, || 0).map_err(Trouble::SourceLate)?;
                }
            }
        }
    }

    async fn end_by_eof(&mut self) -> Result<(), Trouble> {
        if self.source.failed.get() {
            return Err(Trouble::SourceIo(ErrorKind::ConnectionReset.into()));
        }
        self.source.decoder.recv_eof().map_err(Trouble::Source)?;
        self.end()?;
        self.send(&[]).await
    }

    fn end(&mut self) -> Result<(), Trouble> {
        self.flush_coder(true)?;
        if let Some(lane) = self.source.socket.lane() {
            lane.take_trailers(self.trailers);
        }
        let trailers = Some(&*self.trailers).filter(|trailers| !trailers.is_empty());
        self.sink.encoder.end(trailers, self.sink.output).map_err(Trouble::Source)?;
        end_lane(self.sink.socket, self.sink.output.len(), trailers);
        Ok(())
    }
}

/// Waits at a sink's pace until the kernel takes octets for it.
pub(crate) async fn wait_for_room(
    worker: &Worker,
    socket: &Socket,
    alarm: &Alarm,
    pace: &mut Pace<'_>,
) -> Result<(), Trouble> {
    loop {
        let arm = || pace.arm(alarm, worker.clock.now_ms(), || socket.queued());
        match writable(socket, alarm, arm).await {
            Ok(()) => return Ok(()),
            Err(Interrupt::Io(error)) => return Err(Trouble::SinkIo(error)),
            Err(Interrupt::Deadline) => judge(pace, socket, alarm, worker.clock.now_ms())?,
        }
    }
}

/// Has a sink take octets in some way of its own, at its pace; how many it took.
pub(crate) async fn give(
    worker: &Worker,
    socket: &Socket,
    alarm: &Alarm,
    pace: &mut Pace<'_>,
    mut take: impl FnMut(&mut Context<'_>) -> Poll<std::io::Result<usize>>,
) -> Result<usize, Trouble> {
    let mut blocked = false;
    poll_fn(|cx| {
        loop {
            if let Poll::Ready(moved) = take(cx).map_err(Trouble::SinkIo)? {
                pace.moved(moved);
                return Poll::Ready(Ok(moved));
            }
            if !std::mem::replace(&mut blocked, true) {
                pace.arm(alarm, worker.clock.now_ms(), || socket.queued());
            }
            ready!(alarm.poll(cx));
            judge(pace, socket, alarm, worker.clock.now_ms())?;
        }
    })
    .await
}

/// Writes all parts at the sink's pace. No clock is read and no alarm set before the socket takes no more.
pub(crate) async fn send_all(
    worker: &Worker,
    socket: &Socket,
    parts: [&[u8]; 3],
    alarm: &Alarm,
    pace: &mut Pace<'_>,
    begun: &Cell<bool>,
) -> Result<(), Trouble> {
    let mut written = 0;
    let mut blocked = false;
    poll_fn(|cx| {
        loop {
            let mut slices = [IoSlice::new(&[]); 3];
            let slices = match unwritten(&parts, written, &mut slices) {
                [] => return Poll::Ready(Ok(())),
                slices => slices,
            };
            match socket.poll_write(cx, slices).map_err(Trouble::SinkIo)? {
                Poll::Ready(moved) => {
                    begun.set(true);
                    pace.moved(moved);
                    written += moved;
                    blocked = false;
                }
                Poll::Pending => {
                    if !std::mem::replace(&mut blocked, true) {
                        pace.arm(alarm, worker.clock.now_ms(), || socket.queued());
                    }
                    ready!(alarm.poll(cx));
                    judge(pace, socket, alarm, worker.clock.now_ms())?;
                }
            }
        }
    })
    .await
}

/// Judges a sink that was waited for. A stream that waits for others on its connection is not to blame.
fn judge(pace: &mut Pace<'_>, socket: &Socket, alarm: &Alarm, now_ms: u64) -> Result<(), Trouble> {
    if socket.lane().is_some_and(Lane::waits_for_others) {
        pace.excuse();
    }
    pace.judge(alarm, now_ms, || socket.queued()).map_err(Trouble::SinkLate)
}

/// The parts behind the octets already written, as slices.
fn unwritten<'s, 'a>(parts: &[&'a [u8]; 3], written: usize, slices: &'s mut [IoSlice<'a>; 3]) -> &'s [IoSlice<'a>] {
    let mut skip = written;
    let mut used = 0;
    for part in parts {
        let rest = part.get(skip.min(part.len())..).unwrap_or_default();
        skip = skip.saturating_sub(part.len());
        if let (false, Some(slot)) = (rest.is_empty(), slices.get_mut(used)) {
            *slot = IoSlice::new(rest);
            used += 1;
        }
    }
    slices.get(..used).unwrap_or_default()
}

/// Sends the switching head, and moves octets both ways until both sides have ended; each may end alone, and both may be
/// silent for as long as the upstream says.
pub(crate) async fn tunnel(exchange: &mut Exchange<'_>, origin: &mut Origin, chosen: &Chosen<'_>) -> Result<(), Fault> {
    let worker = exchange.worker;
    let Exchange { listener, client, server, scratch, output, id, view, tally, .. } = exchange;
    let (known, response, trailers, extra) = Known::beside(scratch, view, listener, id, client.socket.tls());
    forward::prepare_response(worker, response, chosen.route, &known, extra);
    tally.sticks.append(chosen.route, chosen.upstream, extra);
    let mut head = worker.buffers.take_output();
    server.send_switch(response, extra, &mut head);
    tally.status.set(Some(response.status));
    output.clear();
    let _open = OpenTunnel::begin(worker);
    let up_alarm = worker.wheel.alarm();
    // Silence is not counted against a direction while the other one talks.
    let up_pace = Pace::origin(chosen.upstream.tunnel_timeout, u64::MAX).beside(&tally.response_octets);
    let down_pace = Pace::origin(chosen.upstream.tunnel_timeout, u64::MAX).beside(&tally.request_octets);
    let Connection { socket: origin_socket, .. } = &origin.connection;
    let (mut up_decoder, mut down_decoder) = (raw_decoder(), raw_decoder());
    let (mut up_encoder, mut down_encoder) = (Encoder::UntilClose, Encoder::UntilClose);
    let mut down_trailers = Headers::new();
    // A write that fails ends both directions.
    let (begun, failed) = (Cell::new(false), Cell::new(false));
    let limits = &listener.limits.http1;
    let mut up = Pump {
        worker,
        limits,
        alarm: &up_alarm,
        source: Source {
            socket: &client.socket,
            held: &mut client.held,
            decoder: &mut up_decoder,
            pace: up_pace,
            failed: &failed,
        },
        sink: Sink { socket: origin_socket, encoder: &mut up_encoder, output, pace: up_pace, begun: &begun },
        trailers,
        octets: &tally.request_octets,
        octets_max: u64::MAX,
        kept: None,
        coder: None,
    };
    let mut down = Pump {
        worker,
        limits,
        alarm: &client.alarm,
        source: Source {
            socket: origin_socket,
            held: &mut origin.held,
            decoder: &mut down_decoder,
            pace: down_pace,
            failed: &failed,
        },
        sink: Sink {
            socket: &client.socket,
            encoder: &mut down_encoder,
            output: &mut head,
            pace: down_pace,
            begun: &tally.response_begun,
        },
        trailers: &mut down_trailers,
        octets: &tally.response_octets,
        octets_max: u64::MAX,
        kept: None,
        coder: None,
    };
    // Both ends of a tunnel tell a complete stream from a broken one by how it is closed.
    client.ends_response.set(true);
    let outcome = both(one_way(&mut up), one_way(&mut down)).await;
    worker.buffers.give_output(head);
    outcome
}

/// Counts a tunnel as open until dropped, by a stop or a panic too.
struct OpenTunnel<'a>(&'a Worker);

impl<'a> OpenTunnel<'a> {
    fn begin(worker: &'a Worker) -> Self {
        worker.meter.tunnels_open.up();
        Self(worker)
    }
}

impl Drop for OpenTunnel<'_> {
    fn drop(&mut self) {
        self.0.meter.tunnels_open.down();
    }
}

/// A decoder for octets that are no message.
fn raw_decoder() -> Decoder {
    Decoder::new(BodyLength::UntilClose)
}

/// Moves octets one way until their source ends, and passes the end on.
async fn one_way(pump: &mut Pump<'_>) -> Result<(), Trouble> {
    pump.run().await?;
    pump.sink.socket.shutdown_write();
    Ok(())
}

/// Runs both directions to their ends, or until one fails.
async fn both(
    up: impl Future<Output = Result<(), Trouble>>,
    down: impl Future<Output = Result<(), Trouble>>,
) -> Result<(), Fault> {
    let (mut up, mut down) = (pin!(up), pin!(down));
    let (mut up_done, mut down_done) = (false, false);
    poll_fn(|cx| {
        if !up_done && let Poll::Ready(outcome) = up.as_mut().poll(cx) {
            up_done = true;
            if let Err(trouble) = outcome {
                return Poll::Ready(Err(tunnel_fault(Side::Client, Side::Upstream, trouble)));
            }
        }
        if !down_done && let Poll::Ready(outcome) = down.as_mut().poll(cx) {
            down_done = true;
            if let Err(trouble) = outcome {
                return Poll::Ready(Err(tunnel_fault(Side::Upstream, Side::Client, trouble)));
            }
        }
        if up_done && down_done { Poll::Ready(Ok(())) } else { Poll::Pending }
    })
    .await
}

#[derive(Clone, Copy)]
enum Side {
    Client,
    Upstream,
}

fn tunnel_fault(source: Side, sink: Side, trouble: Trouble) -> Fault {
    let (side, kind) = match trouble {
        Trouble::SourceIo(error) => (source, fault::broken(&error)),
        Trouble::SinkIo(error) => (sink, fault::broken(&error)),
        Trouble::SourceLate(_) => (source, Kind::Timeout),
        Trouble::SinkLate(_) => (sink, Kind::Timeout),
        Trouble::Source(_) | Trouble::TooLarge => (source, Kind::Malformed),
    };
    match side {
        Side::Client => Fault::client(Phase::Tunnel, kind),
        Side::Upstream => Fault::upstream(Phase::Tunnel, kind),
    }
}
