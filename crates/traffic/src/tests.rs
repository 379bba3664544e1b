//! Every picker over many seeds: whom it chooses and how often, as pure functions of weights, loads, time and chance.

use crate::TABLE_SIZE;
use crate::{
    Balance, Candidate, Draw, Endpoints, Entry, HashTable, Latency, Picker, Ramp, Random, Roster, Standing, Table,
    Tried, hash,
};
use std::cell::Cell;
use std::sync::Arc;

mod distribution;
mod hashing;
mod load;
mod standing;

/// A world of endpoints for pickers to look at.
struct World {
    endpoints: Vec<One>,
    changes: u64,
}

struct One {
    name: String,
    weight: u32,
    table_weight: u32,
    tier: u8,
    standing: Standing,
    until_ms: u64,
    since_ms: Option<u64>,
    running: Cell<u32>,
    latency: Latency,
}

impl World {
    fn new(weights: &[u32]) -> Self {
        let one = |(at, &weight): (usize, &u32)| One {
            name: format!("10.0.{}.{}:80", at / 256, at % 256),
            weight,
            table_weight: weight,
            tier: 0,
            standing: Standing::Available,
            until_ms: u64::MAX,
            since_ms: None,
            running: Cell::new(0),
            latency: Latency::default(),
        };
        Self { endpoints: weights.iter().enumerate().map(one).collect(), changes: 0 }
    }

    fn equal(count: usize) -> Self {
        Self::new(&vec![1; count])
    }

    fn change(&mut self, endpoint: usize, change: impl FnOnce(&mut One)) {
        change(&mut self.endpoints[endpoint]);
        self.changes += 1;
    }

    fn entries(&self) -> Vec<Entry> {
        let entry = |(at, one): (usize, &One)| Entry {
            hash: hash(one.name.as_bytes()),
            weight: one.table_weight,
            endpoint: at as u16,
        };
        self.endpoints.iter().enumerate().map(entry).collect()
    }

    fn ring(&self) -> Table {
        Table::ring(&self.entries())
    }

    fn maglev(&self) -> Table {
        Table::maglev(&self.entries(), TABLE_SIZE)
    }
}

impl Endpoints for World {
    fn count(&self) -> usize {
        self.endpoints.len()
    }

    fn candidate(&self, endpoint: usize, now_ms: u64) -> Candidate {
        let one = &self.endpoints[endpoint];
        let is_over = now_ms >= one.until_ms;
        Candidate {
            weight: one.weight,
            table_weight: one.table_weight,
            tier: one.tier,
            standing: if is_over { Standing::Available } else { one.standing },
            until_ms: if is_over { u64::MAX } else { one.until_ms },
            since_ms: one.since_ms,
        }
    }

    fn running(&self, endpoint: usize) -> u32 {
        self.endpoints[endpoint].running.get()
    }

    fn running_in_all(&self) -> u32 {
        self.endpoints.iter().map(|one| one.running.get()).sum()
    }

    fn latency_us(&self, endpoint: usize, now_ms: u64, decay_ms: u32) -> u32 {
        self.endpoints[endpoint].latency.read_us(now_ms, decay_ms)
    }
}

/// One worker that chooses.
struct Chooser {
    balance: Balance,
    roster: Roster,
    random: Random,
    now_ms: u64,
}

impl Chooser {
    fn new(picker: Picker, seed: u64) -> Self {
        let balance = Balance { picker, ..Balance::default() };
        Self { balance, roster: Roster::new(0, 1), random: Random::seeded(seed), now_ms: 1_000_000 }
    }

    fn by_table(table: Table, load_max_percent: Option<u32>) -> Self {
        Self::new(Picker::ConsistentHash(Arc::new(HashTable { tiers: Box::new([table]), load_max_percent })), 1)
    }

    fn pick(&mut self, world: &World) -> Option<usize> {
        self.pick_with(world, None, &Tried::default())
    }

    fn pick_key(&mut self, world: &World, key: u64) -> Option<usize> {
        self.pick_with(world, Some(hash(&key.to_be_bytes())), &Tried::default())
    }

    fn pick_with(&mut self, world: &World, hash: Option<u64>, tried: &Tried) -> Option<usize> {
        let draw = Draw { hash, now_ms: self.now_ms, tried };
        self.roster.pick(&self.balance, world, world.changes, &draw, &mut self.random)
    }

    fn counts(&mut self, world: &World, picks: usize) -> Vec<u32> {
        let mut counts = vec![0; world.count()];
        (0..picks).for_each(|_| counts[self.pick(world).unwrap()] += 1);
        counts
    }
}

/// Pearson's statistic: how far counts are from their expected parts.
fn chi_squared(counts: &[u32], parts: &[u32]) -> f64 {
    let (picks, whole): (u32, u32) = (counts.iter().sum(), parts.iter().sum());
    let term = |(&count, &part): (&u32, &u32)| {
        let expected = f64::from(picks) * f64::from(part) / f64::from(whole);
        if part == 0 { f64::from(count) * 1e9 } else { (f64::from(count) - expected).powi(2) / expected }
    };
    counts.iter().zip(parts).map(term).sum()
}

/// The value that the statistic exceeds by chance once in a thousand times (Wilson and Hilferty's approximation).
fn chi_squared_max(degrees: usize) -> f64 {
    let degrees = degrees as f64;
    let spread = 2.0 / (9.0 * degrees);
    degrees * (1.0 - spread + 3.090_232 * spread.sqrt()).powi(3)
}
