//! `rate_limit`: how often something may be asked for, by the generic cell rate algorithm (ITU-T I.371): each key has
//! one instant, its theoretical arrival time, and nothing else. A request moves it on by one interval; one that comes
//! while it is further ahead than the burst allows is refused.

mod run;
mod table;
#[cfg(test)]
mod tests;

use crate::key::Key;
use foldhash::quality::FixedState;
use std::sync::Arc;
use strait_message::Status;

pub use table::{Table, Taken};

/// Refuses requests that come more often than a rate.
#[derive(Debug)]
pub struct RateLimit {
    /// What the limit is called in fields.
    pub name: Box<str>,
    /// How often.
    pub quota: Quota,
    /// What requests are counted by.
    pub key: Key,
    /// The status of a refusal.
    pub status: Status,
    /// Whether responses tell how much is left.
    pub headers: bool,
    /// Whether requests over the limit are only counted.
    pub dry_run: bool,
    /// What was counted so far: one for all workers, and carried over reloads.
    pub state: Arc<State>,
}

/// So many requests in so much time, and how many may come at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// Requests.
    pub count: u64,
    /// In this many seconds.
    pub per_s: u64,
    /// Requests beyond one that may come at once.
    pub burst: u64,
}

/// The counts of a limit.
#[derive(Debug)]
pub struct State {
    /// The keys' instants.
    pub table: Table,
    /// Keys that outsiders choose are hashed so that nobody can choose them to collide.
    pub hasher: FixedState,
}

impl Quota {
    /// Nanoseconds between two requests at the rate.
    pub fn interval_ns(&self) -> u64 {
        (self.per_s.saturating_mul(1_000_000_000) / self.count.max(1)).max(1)
    }

    /// How far ahead of now a key's instant may be after a request, in nanoseconds.
    pub fn tolerance_ns(&self) -> u64 {
        self.interval_ns().saturating_mul(self.burst.saturating_add(1))
    }
}

impl State {
    /// Counts for about this many keys, hashed with this seed.
    pub fn new(keys_max: usize, seed: u64) -> Self {
        Self { table: Table::new(keys_max), hasher: FixedState::with_seed(seed) }
    }
}
