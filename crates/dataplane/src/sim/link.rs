//! One connection in memory: two pipes, and what breaks them.
#![allow(clippy::disallowed_types, reason = "connections move between workers, which in simulation share a thread")]

use super::network::{Network, Opened, Weather, lock};
use super::random::Random;
use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;
use tokio::time::{Instant, Sleep};

/// One end of a connection. Dropping it closes it.
#[derive(Debug)]
pub struct SimStream {
    link: Arc<Mutex<Link>>,
    end: usize,
}

#[derive(Debug)]
struct Link {
    number: u64,
    network: Network,
    weather: Weather,
    random: Random,
    ends: [End; 2],
    /// The octets after which the network cuts the connection, over both directions.
    cut_after: Option<usize>,
    moved: usize,
    /// Held by the end that opened the connection.
    opened: Option<Opened>,
}

/// What concerns one end: what it will read, and how it stands.
#[derive(Debug, Default)]
struct End {
    incoming: VecDeque<Segment>,
    /// Octets in `incoming`.
    octets: usize,
    /// When the latest segment arrives; none overtakes another.
    arrives: Option<Instant>,
    /// When this end learns that the connection was reset.
    reset: Option<Instant>,
    /// The reset was reported: from now on reads find the end, and writes fail, as in Linux.
    reset_told: bool,
    /// What had arrived is lost with a reset.
    reset_loses: bool,
    /// When writing goes on after a stall.
    stalled: Option<Instant>,
    /// Nothing more will be written.
    finished: bool,
    closed: bool,
    reset_on_close: bool,
    reading: Waiting,
    writing: Waiting,
}

#[derive(Debug)]
enum Segment {
    Octets { at: Instant, octets: VecDeque<u8> },
    Fin { at: Instant },
}

impl Segment {
    fn at(&self) -> Instant {
        match self {
            Self::Octets { at, .. } | Self::Fin { at } => *at,
        }
    }
}

/// A task that waits for a direction of one end.
#[derive(Debug, Default)]
struct Waiting {
    waker: Option<Waker>,
    alarm: Option<Pin<Box<Sleep>>>,
}

impl Waiting {
    /// Waits until something changes, at the latest until `until`.
    fn wait(&mut self, until: Option<Instant>, cx: &mut Context<'_>) {
        self.waker = Some(cx.waker().clone());
        self.alarm = until.map(|until| Box::pin(tokio::time::sleep_until(until)));
        if let Some(alarm) = &mut self.alarm
            && alarm.as_mut().poll(cx).is_ready()
        {
            cx.waker().wake_by_ref();
        }
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

/// A connected pair; the first end is the one that opened.
pub(super) fn link(number: u64, weather: Weather, mut random: Random, opened: Opened) -> (SimStream, SimStream) {
    let cut_after = random.chance(weather.cut).then(|| random.between(0, 20_000) as usize);
    // Most messages are small, so that most cuts must be early to matter.
    let cut_after = cut_after.map(|octets| if octets % 3 == 0 { octets } else { octets % 600 });
    let link = Link {
        number,
        network: opened.network.clone(),
        weather,
        random,
        ends: Default::default(),
        cut_after,
        moved: 0,
        opened: Some(opened),
    };
    let link = Arc::new(Mutex::new(link));
    (SimStream { link: link.clone(), end: 0 }, SimStream { link, end: 1 })
}

impl Link {
    fn ends(&mut self, end: usize) -> (&mut End, &mut End) {
        let [first, second] = &mut self.ends;
        if end == 0 { (first, second) } else { (second, first) }
    }

    fn note(&self, end: usize, event: &str, octets: usize) {
        let event = format!("{}{event}", if end == 0 { '>' } else { '<' });
        self.network.note(self.number, &event, octets);
    }

    /// When something sent now arrives.
    fn arrival(&mut self, now: Instant) -> Instant {
        let Weather { latency_ms_max, stall, stall_ms_max, .. } = self.weather;
        let mut ms = self.random.between(0, latency_ms_max);
        if self.random.chance(stall) {
            ms += self.random.between(1, stall_ms_max);
        }
        now + Duration::from_millis(ms)
    }

    /// How much of a possible transfer moves.
    fn share(&mut self, possible: usize) -> usize {
        match self.random.chance(self.weather.split) {
            true if self.random.chance(300) => 1,
            true => self.random.between(1, possible as u64) as usize,
            false => possible,
        }
    }

    /// Sends octets of an end on their way, in one or several segments.
    fn send(&mut self, end: usize, octets: &[u8], now: Instant) {
        let mut rest = octets;
        while !rest.is_empty() {
            let piece;
            (piece, rest) = rest.split_at(self.share(rest.len()));
            let at = self.arrival(now);
            let (_, other) = self.ends(end);
            if other.reset.is_some() {
                // A reset is on its way, and nothing comes behind it.
                return;
            }
            let at = other.arrives.map_or(at, |earlier| earlier.max(at));
            other.arrives = Some(at);
            other.octets += piece.len();
            other.incoming.push_back(Segment::Octets { at, octets: piece.iter().copied().collect() });
        }
        self.ends(end).1.reading.wake();
    }

    /// Lets an end learn of a reset, with what was sent to it before or without.
    fn reset(&mut self, end: usize, now: Instant) {
        let mut at = self.arrival(now);
        let keep = self.random.chance(500);
        let loses = self.random.chance(300);
        let (this, _) = self.ends(end);
        if this.closed || this.reset.is_some() {
            return;
        }
        match keep {
            true => at = this.arrives.map_or(at, |latest| latest.max(at)),
            false => this.incoming.retain(|segment| segment.at() <= now),
        }
        this.octets = this.incoming.iter().map(Segment::len).sum();
        this.reset = Some(at);
        this.reset_loses = loses;
        this.reading.wake();
        this.writing.wake();
    }

    fn finish(&mut self, end: usize, now: Instant) {
        let at = self.arrival(now);
        let (this, other) = self.ends(end);
        if !std::mem::replace(&mut this.finished, true) && other.reset.is_none() {
            let at = other.arrives.map_or(at, |earlier| earlier.max(at));
            other.arrives = Some(at);
            other.incoming.push_back(Segment::Fin { at });
            other.reading.wake();
        }
    }

    /// Cuts the connection when it has moved as much as it will.
    fn cut(&mut self, octets: usize, now: Instant) {
        self.moved += octets;
        if self.cut_after.is_some_and(|after| self.moved > after) {
            self.cut_after = None;
            self.note(0, "cut", 0);
            self.reset(0, now);
            self.reset(1, now);
        }
    }
}

impl Segment {
    fn len(&self) -> usize {
        match self {
            Self::Octets { octets, .. } => octets.len(),
            Self::Fin { .. } => 0,
        }
    }
}

impl End {
    fn is_reset(&self, now: Instant) -> bool {
        self.reset.is_some_and(|at| at <= now)
    }

    /// When a read would find something.
    fn readable_at(&self) -> Option<Instant> {
        let arrives = self.incoming.front().map(Segment::at);
        [arrives, self.reset].into_iter().flatten().min()
    }

    /// Octets that have arrived.
    fn arrived(&self, now: Instant) -> usize {
        self.incoming.iter().take_while(|segment| segment.at() <= now).map(Segment::len).sum()
    }

    fn take(&mut self, buffer: &mut [u8]) {
        for place in buffer {
            if let Some(Segment::Octets { octets, .. }) = self.incoming.front_mut() {
                *place = octets.pop_front().unwrap_or_default();
                self.octets -= 1;
                if octets.is_empty() {
                    self.incoming.pop_front();
                }
            }
        }
    }

    /// Reports a reset: once as an error, then as the end.
    fn tell_reset(&mut self) -> io::Result<usize> {
        match std::mem::replace(&mut self.reset_told, true) {
            false => Err(io::ErrorKind::ConnectionReset.into()),
            true => Ok(0),
        }
    }
}

impl SimStream {
    /// Ready when a read would not block.
    pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut link = lock(&self.link);
        let (this, _) = link.ends(self.end);
        let at = this.readable_at();
        if at.is_some_and(|at| at <= Instant::now()) {
            return Poll::Ready(Ok(()));
        }
        this.reading.wait(at, cx);
        Poll::Pending
    }

    /// Ready when a write would not block.
    pub fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut link = lock(&self.link);
        let (now, capacity) = (Instant::now(), link.weather.capacity);
        let (this, other) = link.ends(self.end);
        let stalled = this.stalled.filter(|&until| until > now);
        if this.is_reset(now) || this.finished || (stalled.is_none() && other.octets < capacity) {
            return Poll::Ready(Ok(()));
        }
        let until = [stalled, this.reset].into_iter().flatten().min();
        this.writing.wait(until, cx);
        Poll::Pending
    }

    /// Reads some of what has arrived.
    ///
    /// # Errors
    /// `WouldBlock`; `ConnectionReset` once, after which the stream is at its end.
    pub fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut link = lock(&self.link);
        let now = Instant::now();
        let (this, _) = link.ends(self.end);
        let lost = this.is_reset(now) && this.reset_loses;
        let possible = if lost { 0 } else { this.arrived(now).min(buffer.len()) };
        if possible > 0 {
            let octets = link.share(possible);
            let (this, other) = link.ends(self.end);
            this.take(buffer.get_mut(..octets).unwrap_or_default());
            other.writing.wake();
            link.note(self.end, "read", octets);
            return Ok(octets);
        }
        let outcome = match this.incoming.front() {
            Some(Segment::Fin { at }) if *at <= now => Ok(0),
            _ if this.is_reset(now) => this.tell_reset(),
            _ => return Err(io::ErrorKind::WouldBlock.into()),
        };
        link.note(self.end, if outcome.is_ok() { "end" } else { "reset" }, 0);
        outcome
    }

    /// Writes some of the slices.
    ///
    /// # Errors
    /// `WouldBlock`; `ConnectionReset` or `BrokenPipe` when nobody will read it.
    pub fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut link = lock(&self.link);
        let (now, capacity) = (Instant::now(), link.weather.capacity);
        let (this, other) = link.ends(self.end);
        if this.is_reset(now) {
            return Err(this.tell_reset().err().unwrap_or_else(|| io::ErrorKind::BrokenPipe.into()));
        }
        if this.finished {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let room = capacity.saturating_sub(other.octets);
        if room == 0 || this.stalled.is_some_and(|until| until > now) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let gone = other.closed;
        let wanted: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).take(room).collect();
        let octets = link.share(wanted.len());
        let Weather { stall, stall_ms_max, .. } = link.weather;
        if link.random.chance(stall) {
            let ms = link.random.between(1, stall_ms_max);
            link.ends(self.end).0.stalled = Some(now + Duration::from_millis(ms));
        }
        link.note(self.end, "write", octets);
        match gone {
            // It goes into the void, and a reset comes back.
            true => link.reset(self.end, now),
            false => link.send(self.end, wanted.get(..octets).unwrap_or_default(), now),
        }
        link.cut(octets, now);
        Ok(octets)
    }

    /// Whether there is something to read: zero at the end.
    ///
    /// # Errors
    /// As [`SimStream::try_read`].
    pub fn peek(&self) -> io::Result<usize> {
        let mut link = lock(&self.link);
        let now = Instant::now();
        let (this, _) = link.ends(self.end);
        let lost = this.is_reset(now) && this.reset_loses;
        if !lost && this.arrived(now) > 0 {
            return Ok(1);
        }
        match this.incoming.front() {
            Some(Segment::Fin { at }) if *at <= now => Ok(0),
            _ if this.is_reset(now) => this.tell_reset(),
            _ => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// Says that nothing more will be sent.
    pub fn shutdown_write(&self) {
        let mut link = lock(&self.link);
        link.note(self.end, "fin", 0);
        link.finish(self.end, Instant::now());
    }

    /// Makes closing reset the connection.
    pub fn reset_on_close(&self) {
        lock(&self.link).ends(self.end).0.reset_on_close = true;
    }

    /// Reads once there is something; zero at the end.
    ///
    /// # Errors
    /// `ConnectionReset`.
    pub async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        poll_fn(|cx| {
            while self.poll_read_ready(cx)?.is_ready() {
                match self.try_read(buffer) {
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    outcome => return Poll::Ready(outcome),
                }
            }
            Poll::Pending
        })
        .await
    }

    /// Writes everything.
    ///
    /// # Errors
    /// `ConnectionReset` or `BrokenPipe` when nobody will read it.
    pub async fn write_all(&self, octets: &[u8]) -> io::Result<()> {
        let mut rest = octets;
        while !rest.is_empty() {
            poll_fn(|cx| self.poll_write_ready(cx)).await?;
            match self.try_write(&[IoSlice::new(rest)]) {
                Ok(written) => rest = rest.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// The connection's number in the trace.
    pub fn number(&self) -> u64 {
        lock(&self.link).number
    }
}

impl Drop for SimStream {
    fn drop(&mut self) {
        let mut link = lock(&self.link);
        let now = Instant::now();
        let (this, _) = link.ends(self.end);
        this.closed = true;
        // What was received and never read is told to the sender by a reset (RFC 9293 §3.10.4).
        let resets = this.reset_on_close || this.octets > 0;
        this.incoming.clear();
        this.octets = 0;
        let already = this.reset.is_some();
        link.note(self.end, if resets { "close with reset" } else { "close" }, 0);
        match resets && !already {
            true => link.reset(1 - self.end, now),
            false => link.finish(self.end, now),
        }
        link.ends(self.end).1.writing.wake();
        let opened = if self.end == 0 { link.opened.take() } else { None };
        drop(link);
        drop(opened);
    }
}
