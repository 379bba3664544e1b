//! The load: many client connections on one thread, every answer checked for its status and length.
//!
//! Closed loop: each connection sends its next request when an answer is complete. Open loop: requests are due at a
//! fixed rate whatever the proxy does, and an answer's latency counts from the instant its request was due, so that a
//! stalled proxy cannot hide the requests it delayed (coordinated omission). Idle: each connection asks once, then stays.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use strait_tls::ClientPolicy;

use crate::client::{Connection, Fault, Progress};
use crate::poll::{Poll, Ready};
use crate::slab::Slab;

/// After so many errors nothing new is sent: the figures are void already, and a dead proxy would keep the loop busy.
const ERRORS_MAX: u64 = 1_000;

/// Bytes read in one call, and thrown away in one call.
const READ_BYTES: usize = 1 << 20;

/// Connections that ask at the same time while idle ones are being opened.
const OPENING: usize = 64;

/// What is asked and what must come back.
#[derive(Clone)]
pub(crate) struct Ask {
    /// Requests as sent, taken in turn.
    pub(crate) requests: Vec<Vec<u8>>,
    pub(crate) status: u16,
    /// Length of every answer's body, in bytes.
    pub(crate) body_length: usize,
    /// One request per connection, which the proxy closes.
    pub(crate) fresh: bool,
    /// How TLS is spoken, if it is.
    pub(crate) secure: Option<Arc<ClientPolicy>>,
}

/// When the next request is sent.
#[derive(Clone, Copy)]
pub(crate) enum Pace {
    /// At once on each of so many connections.
    Closed { connections: usize },
    /// So many a second, on any free one of so many connections.
    Open { connections: usize, per_second: u32 },
    /// Once on each of so many connections.
    Idle { connections: usize },
}

/// What happened since the tally was taken last.
#[derive(Default, Clone, Debug)]
pub(crate) struct Tally {
    pub(crate) completed: u64,
    pub(crate) body_bytes: u64,
    /// Of the completed ones, those on connections that resumed a TLS session.
    pub(crate) resumed: u64,
    pub(crate) wrong_status: u64,
    pub(crate) wrong_length: u64,
    pub(crate) broken: u64,
    /// Latencies of the open loop, in nanoseconds.
    pub(crate) latencies_ns: Vec<u64>,
    /// How late the load itself noticed that a request was due, in nanoseconds: the harness's share of the latencies.
    pub(crate) late_ns: Vec<u64>,
}

impl Tally {
    pub(crate) fn add(&mut self, other: Tally) {
        self.completed += other.completed;
        self.body_bytes += other.body_bytes;
        self.resumed += other.resumed;
        self.wrong_status += other.wrong_status;
        self.wrong_length += other.wrong_length;
        self.broken += other.broken;
        self.latencies_ns.extend(other.latencies_ns);
        self.late_ns.extend(other.late_ns);
    }

    pub(crate) fn errors(&self) -> u64 {
        self.wrong_status + self.wrong_length + self.broken
    }
}

/// Client connections and their schedule.
pub(crate) struct Load {
    proxy: SocketAddr,
    ask: Ask,
    pace: Pace,
    connections: Slab<Connection>,
    scratch: Vec<u8>,
    asked: usize,
    opened: usize,
    /// Open loop: connections without a request.
    free: Vec<usize>,
    /// Open loop: instants of requests that found no free connection.
    overdue: VecDeque<Instant>,
    next_due: Instant,
    pub(crate) tally: Tally,
}

impl Load {
    /// A load that has not opened a connection yet.
    pub(crate) fn new(proxy: SocketAddr, ask: Ask, pace: Pace) -> Load {
        Load {
            proxy,
            ask,
            pace,
            connections: Slab::new(),
            scratch: vec![0; READ_BYTES],
            asked: 0,
            opened: 0,
            free: Vec::new(),
            overdue: VecDeque::new(),
            next_due: Instant::now(),
            tally: Tally::default(),
        }
    }

    /// Opens the connections that the pace asks for at its beginning.
    pub(crate) fn begin(&mut self, poll: &Poll, token: impl Fn(u64) -> u64 + Copy) -> io::Result<()> {
        let at_once = match self.pace {
            Pace::Closed { connections } | Pace::Open { connections, .. } => connections,
            Pace::Idle { connections } => connections.min(OPENING),
        };
        for _ in 0..at_once {
            self.open(poll, token)?;
        }
        self.next_due = Instant::now();
        Ok(())
    }

    /// Handles readiness of a connection; `ready` holds a place number, not a token.
    pub(crate) fn on_ready(&mut self, ready: Ready, poll: &Poll, token: impl Fn(u64) -> u64 + Copy) -> io::Result<()> {
        let Ok(place) = usize::try_from(ready.token) else { return Ok(()) };
        let Some(connection) = self.connections.get_mut(place) else { return Ok(()) };
        match connection.advance(&self.ask, ready.last, &mut self.scratch) {
            Progress::Waiting => Ok(()),
            Progress::Answered => self.answered(place, poll, token),
            Progress::Failed(fault) => self.failed(place, fault, poll, token),
        }
    }

    /// Sends the requests that are due by now; does nothing unless the pace is open.
    pub(crate) fn on_time(&mut self, now: Instant) {
        let Pace::Open { per_second, .. } = self.pace else { return };
        let interval = Duration::from_secs(1) / per_second;
        while self.next_due <= now {
            self.tally.late_ns.push(nanoseconds(now - self.next_due));
            self.overdue.push_back(self.next_due);
            self.next_due += interval;
        }
        while let Some(due) = self.overdue.front().copied() {
            let Some(place) = self.free.pop() else { return };
            self.overdue.pop_front();
            self.send(place, due);
        }
    }

    /// Connections open now.
    pub(crate) fn open_connections(&self) -> usize {
        self.connections.len()
    }

    fn answered(&mut self, place: usize, poll: &Poll, token: impl Fn(u64) -> u64 + Copy) -> io::Result<()> {
        self.tally.completed += 1;
        self.tally.body_bytes += self.ask.body_length as u64;
        self.tally.resumed += u64::from(self.connections.get_mut(place).is_some_and(|connection| connection.resumed()));
        if self.ask.fresh {
            self.connections.remove(place);
            return self.open(poll, token);
        }
        match self.pace {
            Pace::Closed { .. } => self.send(place, Instant::now()),
            Pace::Open { .. } => {
                if let Some(due) = self.connections.get_mut(place).and_then(|connection| connection.due.take()) {
                    self.tally.latencies_ns.push(nanoseconds(due.elapsed()));
                }
                self.free.push(place);
            }
            Pace::Idle { connections } => {
                if self.opened < connections {
                    return self.open(poll, token);
                }
            }
        }
        Ok(())
    }

    fn failed(&mut self, place: usize, fault: Fault, poll: &Poll, token: impl Fn(u64) -> u64 + Copy) -> io::Result<()> {
        match fault {
            Fault::Status => self.tally.wrong_status += 1,
            Fault::Length => self.tally.wrong_length += 1,
            Fault::Broken => self.tally.broken += 1,
        }
        self.connections.remove(place);
        self.free.retain(|free| *free != place);
        if self.tally.errors() < ERRORS_MAX { self.open(poll, token) } else { Ok(()) }
    }

    fn open(&mut self, poll: &Poll, token: impl Fn(u64) -> u64) -> io::Result<()> {
        let place = self.connections.insert(Connection::open(self.proxy, &self.ask)?);
        self.opened += 1;
        if let Some(connection) = self.connections.get_mut(place) {
            poll.watch(connection.socket(), token(place as u64))?;
        }
        match self.pace {
            Pace::Open { .. } => self.free.push(place),
            Pace::Closed { .. } | Pace::Idle { .. } => self.send(place, Instant::now()),
        }
        Ok(())
    }

    fn send(&mut self, place: usize, due: Instant) {
        let Some(connection) = self.connections.get_mut(place) else { return };
        let request = self.asked % self.ask.requests.len().max(1);
        self.asked += 1;
        connection.send(request, due, &self.ask);
    }
}

fn nanoseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// The latency below which `share` (0–1) of `sorted` lie, in microseconds.
pub(crate) fn percentile_us(sorted: &[u64], share: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index into the samples")]
    let index = ((sorted.len() as f64 * share).ceil() as usize).saturating_sub(1);
    sorted.get(index).map_or(f64::NAN, |ns| *ns as f64 / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_name_the_sample_at_their_rank() {
        let sorted: Vec<u64> = (1..=100).map(|us| us * 1_000).collect();
        assert_eq!(percentile_us(&sorted, 0.5), 50.0);
        assert_eq!(percentile_us(&sorted, 0.99), 99.0);
        assert!(percentile_us(&[], 0.5).is_nan());
    }
}
