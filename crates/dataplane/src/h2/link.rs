//! One connection: a task that reads it, writes it, and tells its streams what happens.

use super::lane::{Ended, Lane};
use crate::accept::Admitted;
use crate::alarm::Alarm;
use crate::clock::ms;
use crate::downstream::h1::ClientConnection;
use crate::downstream::h2::enter;
use crate::finish;
use crate::io::Socket;
use crate::stream::Held;
use crate::worker::Worker;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use strait_http2::{Connection, ErrorCode, Event, Figures, Misdeed, Scratch, StreamId};
use strait_message::{Fault, Phase, Version};

/// Reads in one turn, before the streams get theirs.
const READS_MAX: usize = 4;
/// How long a connection of which nothing leaves is thought to move.
const MOVING_MS: u64 = 2_000;
/// How long a peer may take to read why its connection was ended.
const LINGER_MS: u64 = 1_000;
/// Octets that are read and thrown away meanwhile.
const LINGER_OCTETS_MAX: usize = 1024 * 1024;

/// A connection of HTTP/2.
pub(crate) struct Link {
    pub(crate) worker: Rc<Worker>,
    side: Side,
    engine: RefCell<Connection>,
    lanes: RefCell<HashMap<u32, Rc<Lane>, foldhash::fast::RandomState>>,
    /// The task that reads and writes.
    driver: RefCell<Option<Waker>>,
    /// It is woken already.
    poked: Cell<bool>,
    over: Cell<bool>,
    /// Since when octets wait of which none is taken; `u64::MAX` while none do.
    blocked_since_ms: Cell<u64>,
    /// Since when there has been no stream; `u64::MAX` while there is one.
    idle_since_ms: Cell<u64>,
    idle_ms: Cell<u64>,
    stall_ms: Cell<u64>,
    streams: Cell<u32>,
    counted: Cell<Figures>,
}

/// Who is on the other side.
pub(crate) enum Side {
    /// A client, with its place under the listener's limits.
    Client {
        /// The connection, which closes as one of HTTP/1 does.
        client: ClientConnection,
        /// Its place.
        admitted: Admitted,
    },
}

impl Link {
    /// A connection that begins, with what has arrived of it.
    pub(crate) fn begin(side: Side, engine: Connection, held: Held, waits: Waits) {
        let Side::Client { admitted, .. } = &side;
        let worker = admitted.worker().clone();
        let now_ms = worker.clock.now_ms();
        worker.meter.http2.connections_open.up();
        let link = Rc::new(Self {
            side,
            engine: RefCell::new(engine),
            lanes: RefCell::default(),
            driver: RefCell::default(),
            poked: Cell::new(false),
            over: Cell::new(false),
            blocked_since_ms: Cell::new(u64::MAX),
            idle_since_ms: Cell::new(now_ms),
            idle_ms: Cell::new(ms(waits.first)),
            stall_ms: Cell::new(ms(waits.stall)),
            streams: Cell::new(0),
            counted: Cell::default(),
            worker,
        });
        link.worker.h2.add(&link);
        let mut driver = Driver { alarm: link.worker.wheel.alarm(), link, held, lingers: None };
        tokio::task::spawn_local(poll_fn(move |cx| driver.poll(cx)));
    }

    /// The socket below.
    pub(crate) fn socket(&self) -> &Socket {
        let Side::Client { client, .. } = &self.side;
        &client.socket
    }

    /// Who is on the other side.
    fn peer(&self) -> SocketAddr {
        let Side::Client { client, .. } = &self.side;
        client.peer
    }

    /// The name of the listener that it came through.
    pub(crate) fn listener(&self) -> &std::sync::Arc<str> {
        let Side::Client { admitted, .. } = &self.side;
        admitted.listener()
    }

    /// Asks the engine something.
    pub(crate) fn look<T>(&self, ask: impl FnOnce(&Connection) -> T) -> T {
        ask(&self.engine.borrow())
    }

    /// Has the engine do something, and sees to what follows from it.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut Connection) -> T) -> T {
        let outcome = act(&mut self.engine.borrow_mut());
        self.settle();
        if !self.engine.borrow().output().is_empty() {
            self.poke();
        }
        outcome
    }

    /// Wakes the task that writes: it runs after the streams that are awake already, and writes for all of them.
    fn poke(&self) {
        if !self.poked.replace(true)
            && let Some(driver) = &*self.driver.borrow()
        {
            driver.wake_by_ref();
        }
    }

    /// Whether octets have left lately, or none wait.
    pub(crate) fn moves(&self) -> bool {
        !self.over.get() && self.worker.clock.now_ms().saturating_sub(self.blocked_since_ms.get()) < MOVING_MS
    }

    /// Tells the peer that no further stream will be looked at. The connection ends with those there are.
    pub(crate) fn drain(&self) {
        self.with(Connection::drain);
    }

    /// When it has been idle for too long.
    fn idle_at_ms(&self) -> u64 {
        self.idle_since_ms.get().saturating_add(self.idle_ms.get())
    }

    /// When nothing has left for too long.
    fn stalled_at_ms(&self) -> u64 {
        self.blocked_since_ms.get().saturating_add(self.stall_ms.get())
    }

    /// Gives a stream back.
    pub(super) fn release(&self, stream: StreamId, is_sent: bool) {
        if self.lanes.borrow_mut().remove(&stream.number()).is_some() {
            self.worker.meter.http2.streams_open.down();
        }
        if self.lanes.borrow().is_empty() {
            self.idle_since_ms.set(self.worker.clock.now_ms());
        }
        self.with(|engine| {
            if !is_sent {
                // Half a response must not be taken for a whole one.
                engine.reset(stream, ErrorCode::InternalError);
            }
            engine.release(stream);
        });
        self.poke();
    }

    /// What one second of idleness brings.
    pub(super) fn upkeep(&self, now_ms: u64) {
        self.count();
        if self.lanes.borrow().is_empty() && now_ms.saturating_sub(self.idle_since_ms.get()) >= 1_000 {
            self.engine.borrow_mut().shrink();
            let mut lanes = self.lanes.borrow_mut();
            lanes.shrink_to_fit();
        }
    }

    /// Counts what the engine has counted since the last time.
    fn count(&self) {
        let (now, before) = (self.engine.borrow().figures(), self.counted.get());
        let meter = &self.worker.meter.http2;
        meter.streams.add(now.streams - before.streams);
        meter.resets_received.add(now.resets_received - before.resets_received);
        meter.resets_sent.add(now.resets_sent - before.resets_sent);
        meter.streams_refused.add(now.streams_refused - before.streams_refused);
        meter.stalls.add(now.stalls - before.stalls);
        self.counted.set(now);
    }

    // --- events ---

    /// Sees to the events that need no input.
    fn settle(&self) {
        loop {
            let event = self.engine.borrow_mut().poll_event();
            match event {
                Some(event) => self.on_event(event),
                None => return,
            }
        }
    }

    fn lane(&self, stream: StreamId) -> Option<Rc<Lane>> {
        self.lanes.borrow().get(&stream.number()).cloned()
    }

    fn on_event(&self, event: Event) {
        match event {
            Event::Writable { stream } => {
                if let Some(lane) = self.lane(stream) {
                    lane.wake();
                }
            }
            Event::Reset { stream, cause } => match self.lane(stream) {
                Some(lane) => lane.end(cause.into()),
                None => self.note_unheard(cause.into()),
            },
            _ => {}
        }
    }

    /// Writes down a request that was too malformed to become an exchange.
    fn note_unheard(&self, why: Ended) {
        if let Ended::Misdeed(misdeed) = why {
            self.write_down(misdeed);
        }
    }

    fn write_down(&self, misdeed: Misdeed) {
        let adopted = self.worker.adopted();
        let fault = Fault::client(Phase::RequestHead, misdeed.kind()).because(misdeed.words());
        self.worker.meter.faults.count(&fault);
        if let Some(listener) = adopted.listener(self.listener()) {
            finish::unasked(&self.worker, &adopted, listener, self.peer(), fault, Version::Http2);
        }
    }

    /// Begins a stream that the client opened.
    fn begin_lane(self: &Rc<Self>, stream: StreamId) -> Rc<Lane> {
        let lane = Lane::new(self.clone(), Some(stream));
        self.lanes.borrow_mut().insert(stream.number(), lane.clone());
        self.idle_since_ms.set(u64::MAX);
        self.streams.set(self.streams.get().saturating_add(1));
        self.worker.meter.http2.streams_open.up();
        lane
    }

    /// A request begins: its exchange does, unless the listener is gone.
    fn admit(self: &Rc<Self>, lane: Rc<Lane>) {
        let adopted = self.worker.adopted();
        if let Some(listener) = adopted.listener(self.listener()) {
            self.idle_ms.set(ms(listener.limits.idle_timeout));
            let max = listener.limits.requests_per_connection_max;
            if max > 0 && self.streams.get() == max {
                self.engine.borrow_mut().drain();
            }
        }
        enter(&self.worker, lane, self.peer());
    }

    /// Sees to an event that came with input.
    fn on_input(self: &Rc<Self>, event: Event, input: &[u8], scratch: &mut Scratch) {
        let shared = &self.worker.h2;
        match event {
            Event::Request { stream, facts } => {
                let lane = self.begin_lane(stream);
                lane.put_request(std::mem::replace(&mut scratch.request, shared.take_request()), facts);
                if facts.length.is_none() {
                    lane.put_end();
                }
                self.admit(lane);
            }
            Event::Refused { stream, misdeed } => {
                let lane = self.begin_lane(stream);
                lane.refuse(misdeed);
                self.admit(lane);
            }
            Event::Data { stream, range, ends } => match self.lane(stream) {
                Some(lane) => lane.put_data(input.get(range).unwrap_or_default(), ends, &self.worker.buffers),
                None => self.engine.borrow_mut().consume(stream, range.len()),
            },
            Event::Trailers { stream } => {
                if let Some(lane) = self.lane(stream) {
                    lane.put_trailers(&mut scratch.trailers);
                }
            }
            Event::Interim { stream } | Event::Response { stream, .. } => {
                let facts = if let Event::Response { facts, .. } = event { Some(facts) } else { None };
                if let Some(lane) = self.lane(stream) {
                    lane.put_response(std::mem::replace(&mut scratch.response, shared.take_response()), facts);
                }
            }
            event => self.on_event(event),
        }
    }

    /// The connection is over: nothing will come of its streams.
    fn end(&self) {
        if self.over.replace(true) {
            return;
        }
        self.worker.meter.http2.connections_open.down();
        self.count();
        let lanes: Vec<_> = self.lanes.borrow().values().cloned().collect();
        lanes.iter().for_each(|lane| lane.end(Ended::Lost));
    }
}

/// How long a connection may be silent.
pub(crate) struct Waits {
    /// Before its first request.
    pub(crate) first: Duration,
    /// While there is something to write that it does not take.
    pub(crate) stall: Duration,
}

/// Why a connection ends.
enum Leaving {
    /// It was agreed upon, or the peer is gone.
    Quietly,
    /// The peer broke the protocol or made work without progress.
    Misdeed(Misdeed),
    /// It took nothing for too long.
    Stalled,
}

impl From<Misdeed> for Leaving {
    fn from(misdeed: Misdeed) -> Self {
        Self::Misdeed(misdeed)
    }
}

impl From<io::Error> for Leaving {
    fn from(_: io::Error) -> Self {
        Self::Quietly
    }
}

/// Reads and writes a connection.
struct Driver {
    link: Rc<Link>,
    /// What was received and not yet taken.
    held: Held,
    alarm: Alarm,
    /// The connection has ended, and octets are thrown away until the peer has seen it; how many may still be.
    lingers: Option<usize>,
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.link.end();
    }
}

impl Driver {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.link.worker.clock.begin_turn();
        if self.lingers.is_some() {
            return self.linger(cx);
        }
        let leaving = match self.turn(cx) {
            Ok(()) => return Poll::Pending,
            Err(leaving) => leaving,
        };
        match leaving {
            Leaving::Quietly => {}
            Leaving::Misdeed(misdeed) => {
                let meter = &self.link.worker.meter.http2;
                let is_flood = misdeed.code() == ErrorCode::EnhanceYourCalm;
                if is_flood {
                    meter.floods.add(1)
                } else {
                    meter.malformed.add(1)
                }
                self.link.write_down(misdeed);
            }
            Leaving::Stalled => {
                self.link.worker.meter.http2.stalled_out.add(1);
                self.link.socket().reset_on_close();
            }
        }
        self.link.end();
        if !matches!(leaving, Leaving::Misdeed(_)) {
            return Poll::Ready(());
        }
        // The last frame says why.
        let _ = self.flush(cx);
        self.link.socket().shutdown_write();
        self.held = Held::default();
        self.lingers = Some(LINGER_OCTETS_MAX);
        let now_ms = self.link.worker.clock.now_ms();
        self.alarm.set(now_ms + LINGER_MS, now_ms);
        self.linger(cx)
    }

    /// Closing with octets unread would reset the connection and take the last frame away.
    fn linger(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let link = &self.link;
        while let Poll::Ready(read) = self.held.poll_fill(link.socket(), &link.worker.buffers, false, cx) {
            self.held = Held::default();
            let Ok(read @ 1..) = read else { return Poll::Ready(()) };
            self.lingers = self.lingers.and_then(|left| left.checked_sub(read));
            if self.lingers.is_none() {
                return Poll::Ready(());
            }
        }
        self.alarm.poll(cx)
    }

    /// One turn: reads what there is, writes what there is.
    fn turn(&mut self, cx: &mut Context<'_>) -> Result<(), Leaving> {
        self.be_known(cx);
        if !self.held.is_empty() {
            self.take()?;
        }
        self.read(cx)?;
        self.look_at_the_clock()?;
        self.flush(cx)?;
        if self.link.engine.borrow().is_drained() {
            return Err(Leaving::Quietly);
        }
        self.set_alarm(cx);
        Ok(())
    }

    fn be_known(&self, cx: &Context<'_>) {
        self.link.poked.set(false);
        let mut driver = self.link.driver.borrow_mut();
        match &*driver {
            Some(known) if known.will_wake(cx.waker()) => {}
            _ => *driver = Some(cx.waker().clone()),
        }
    }

    fn read(&mut self, cx: &mut Context<'_>) -> Result<(), Leaving> {
        for _ in 0..READS_MAX {
            if !self.link.engine.borrow().wants_input() {
                return Ok(());
            }
            let large = self.held.is_full();
            match self.held.poll_fill(self.link.socket(), &self.link.worker.buffers, large, cx) {
                Poll::Pending => return Ok(()),
                Poll::Ready(Ok(0)) => {
                    let _ = self.link.engine.borrow_mut().recv_eof();
                    return Err(Leaving::Quietly);
                }
                Poll::Ready(read) => read?,
            };
            self.take()?;
        }
        // There is more; the streams go first.
        self.link.poke();
        Ok(())
    }

    /// Takes what was received.
    fn take(&mut self) -> Result<(), Misdeed> {
        let worker = self.link.worker.clone();
        let now_ms = worker.clock.now_ms();
        let mut scratch = worker.h2.scratch.borrow_mut();
        loop {
            let received = self.link.engine.borrow_mut().recv(self.held.octets(), &mut scratch, now_ms);
            let received = received.inspect_err(|_| self.link.settle())?;
            let more = received.event != Event::NeedMore;
            self.link.on_input(received.event, self.held.octets(), &mut scratch);
            self.held.consume(received.consumed);
            if !more {
                return Ok(());
            }
        }
    }

    /// Writes what the streams and the engine have to say, as far as it is taken.
    fn flush(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        let link = &self.link;
        loop {
            let engine = link.engine.borrow();
            let output = engine.output();
            if output.is_empty() {
                link.blocked_since_ms.set(u64::MAX);
                return Ok(());
            }
            let Poll::Ready(written) = link.socket().poll_write(cx, &[IoSlice::new(output)])? else {
                link.blocked_since_ms.set(link.blocked_since_ms.get().min(link.worker.clock.now_ms()));
                return Ok(());
            };
            drop(engine);
            link.blocked_since_ms.set(u64::MAX);
            let mut engine = link.engine.borrow_mut();
            let wanted = engine.wants_input();
            engine.written(written);
            if !wanted && engine.wants_input() {
                cx.waker().wake_by_ref();
            }
            drop(engine);
            link.settle();
        }
    }

    /// Does what time brings.
    fn look_at_the_clock(&mut self) -> Result<(), Leaving> {
        let link = &self.link;
        let now_ms = link.worker.clock.now_ms();
        let mut engine = link.engine.borrow_mut();
        if engine.next_deadline().is_some_and(|deadline| deadline <= now_ms) {
            engine.on_deadline(now_ms)?;
        }
        if link.idle_at_ms() <= now_ms {
            // Once told, the peer has no further time than the engine gives it.
            link.idle_since_ms.set(u64::MAX);
            engine.drain();
        }
        if link.stalled_at_ms() <= now_ms {
            return Err(Leaving::Stalled);
        }
        Ok(())
    }

    /// Sees to it that the task wakes for what time will bring.
    fn set_alarm(&mut self, cx: &mut Context<'_>) {
        let link = &self.link;
        let now_ms = link.worker.clock.now_ms();
        let engine = link.engine.borrow();
        let next_ms = engine.next_deadline().unwrap_or(u64::MAX).min(link.idle_at_ms());
        self.alarm.set(next_ms.min(link.stalled_at_ms()), now_ms);
        if self.alarm.poll(cx).is_ready() {
            cx.waker().wake_by_ref();
        }
    }
}
