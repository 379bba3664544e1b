//! The field around a proxy: its clients and its origin in one loop on one thread, so that no wake-up or context switch
//! between the two disturbs the measurement.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::load::{Ask, Load, Pace, Tally};
use crate::origin::Origin;
use crate::poll::{Poll, Ready};

/// Load and origin over one epoll instance.
pub(crate) struct Field {
    poll: Poll,
    origin: Origin,
    load: Option<Load>,
    ready: Vec<Ready>,
}

fn origin_token(place: u64) -> u64 {
    place << 1
}

fn load_token(place: u64) -> u64 {
    place << 1 | 1
}

impl Field {
    /// An origin on `address` and no load yet.
    pub(crate) fn new(address: SocketAddr) -> io::Result<Field> {
        let poll = Poll::new()?;
        let origin = Origin::new(address, &poll, origin_token)?;
        Ok(Field { poll, origin, load: None, ready: Vec::new() })
    }

    /// Begins a load in place of the one before, whose connections are closed.
    pub(crate) fn begin(&mut self, proxy: SocketAddr, ask: Ask, pace: Pace) -> io::Result<()> {
        let load = self.load.insert(Load::new(proxy, ask, pace));
        load.begin(&self.poll, load_token)
    }

    /// Ends the load and closes its connections.
    pub(crate) fn end(&mut self) {
        self.load = None;
    }

    /// Client connections open now.
    pub(crate) fn open_connections(&self) -> usize {
        self.load.as_ref().map_or(0, Load::open_connections)
    }

    /// Runs for so long and returns what the load did in that time.
    pub(crate) fn run_for(&mut self, duration: Duration) -> io::Result<Tally> {
        self.run_until(duration, |_| false)
    }

    /// Runs until `done` says so or `limit` has passed; returns what the load did in that time.
    pub(crate) fn run_until(&mut self, limit: Duration, done: impl Fn(&Load) -> bool) -> io::Result<Tally> {
        let end = Instant::now() + limit;
        if let Some(load) = &mut self.load {
            load.tally = Tally::default();
        }
        loop {
            let now = Instant::now();
            if now >= end || self.load.as_ref().is_some_and(&done) {
                break;
            }
            self.turn(now)?;
        }
        Ok(self.load.as_mut().map(|load| std::mem::take(&mut load.tally)).unwrap_or_default())
    }

    /// Answers as origin for ever, sleeping between events.
    pub(crate) fn serve(&mut self) -> io::Result<()> {
        loop {
            self.poll.wait(None, &mut self.ready)?;
            self.dispatch()?;
        }
    }

    /// One turn. It never sleeps: a sleeping client or origin would charge its wake-up to the proxy, and delay requests.
    fn turn(&mut self, now: Instant) -> io::Result<()> {
        if let Some(load) = &mut self.load {
            load.on_time(now);
        }
        self.poll.wait(Some(Duration::ZERO), &mut self.ready)?;
        self.dispatch()
    }

    fn dispatch(&mut self) -> io::Result<()> {
        for ready in self.ready.drain(..) {
            let place = Ready { token: ready.token >> 1, ..ready };
            if ready.token & 1 == 0 {
                self.origin.on_ready(place, &self.poll, origin_token)?;
            } else if let Some(load) = &mut self.load {
                load.on_ready(place, &self.poll, load_token)?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::ports;

    fn tally(path: &str, pace: Pace, fresh: bool, expected_length: usize) -> Tally {
        let address = ports::free().unwrap();
        let mut field = Field::new(address).unwrap();
        let close = if fresh { "Connection: close\r\n" } else { "" };
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n{close}\r\n").into_bytes();
        let ask = Ask { requests: vec![request], status: 200, body_length: expected_length, fresh, secure: None };
        field.begin(address, ask, pace).unwrap();
        field.run_until(Duration::from_secs(5), |load| load.tally.completed + load.tally.errors() >= 32).unwrap()
    }

    #[test]
    fn a_closed_loop_completes_and_counts_bytes() {
        let tally = tally("/1m", Pace::Closed { connections: 4 }, false, 1 << 20);
        assert!(tally.completed >= 32, "{tally:?}");
        assert_eq!((tally.errors(), tally.body_bytes), (0, tally.completed << 20));
    }

    #[test]
    fn a_wrong_length_is_an_error() {
        assert!(tally("/1k", Pace::Closed { connections: 1 }, false, 1000).wrong_length > 0);
    }

    #[test]
    fn a_wrong_status_is_an_error() {
        assert!(tally("/nothing", Pace::Closed { connections: 1 }, false, 0).wrong_status > 0);
    }

    #[test]
    fn an_open_loop_measures_latencies() {
        let tally = tally("/1k", Pace::Open { connections: 4, per_second: 5_000 }, false, 1024);
        assert_eq!(tally.latencies_ns.len() as u64, tally.completed);
        assert_eq!(tally.errors(), 0);
    }
}
