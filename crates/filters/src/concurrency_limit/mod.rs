//! `concurrency_limit`: how many requests may be under way at once, by key.

mod run;
#[cfg(test)]
mod tests;

use crate::key::Key;
use foldhash::quality::FixedState;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use strait_message::Status;

/// Shards of the counts, so that workers rarely wait for each other.
const SHARDS: usize = 64;

/// Refuses requests while too many of their key are under way.
#[derive(Debug)]
pub struct ConcurrencyLimit {
    /// Requests under way at a time.
    pub max: u32,
    /// What requests are counted by.
    pub key: Key,
    /// The status of a refusal.
    pub status: Status,
    /// Whether requests over the limit are only counted.
    pub dry_run: bool,
    /// Requests under way: one count for all workers, carried over reloads.
    pub running: Arc<Running>,
}

/// Requests under way by key. As large as the number of requests under way, and no larger.
#[derive(Debug)]
pub struct Running {
    shards: [Mutex<HashMap<u64, u32>>; SHARDS],
    hasher: FixedState,
}

/// A request under way: counted until this is dropped.
#[derive(Debug)]
pub struct Permit {
    running: Arc<Running>,
    key: u64,
}

impl Running {
    /// No requests under way; keys are hashed with this seed.
    pub fn new(seed: u64) -> Self {
        Self { shards: std::array::from_fn(|_| Mutex::default()), hasher: FixedState::with_seed(seed) }
    }

    /// Counts a request of a key, unless there are as many as there may be.
    pub fn enter(self: &Arc<Self>, key: u64, max: u32) -> Option<Permit> {
        let entered = self.with(key, |count| {
            let enters = *count < max;
            *count += u32::from(enters);
            enters
        });
        (entered == Some(true)).then(|| Permit { running: self.clone(), key })
    }

    fn with<T>(&self, key: u64, change: impl FnOnce(&mut u32) -> T) -> Option<T> {
        let shard = self.shards.get(key as usize % SHARDS)?;
        let mut counts = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(key).or_default();
        let outcome = change(count);
        if *count == 0 {
            counts.remove(&key);
        }
        Some(outcome)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.running.with(self.key, |count| *count = count.saturating_sub(1));
    }
}
