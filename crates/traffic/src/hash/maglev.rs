//! Maglev hashing (Eisenbud 2016, section 3.4): every endpoint fills slots in an order of its own, in turn, as often as its
//! weight says. Nearly even, and one table look-up a choice.

use super::{Entry, mix, rehash};
use crate::random::scaled;

/// Slots of a table unless it is said otherwise. A prime, so that every endpoint's order visits all of them.
pub const TABLE_SIZE: u32 = 65_537;
const FREE: u16 = u16::MAX;

struct Filler {
    endpoint: u16,
    weight: u64,
    /// The sum of its weight over the rounds; a slot costs the largest weight there is.
    credit: u64,
    next: u64,
    skip: u64,
}

pub(super) fn build(entries: &[Entry], size: u32) -> Box<[u16]> {
    let mut fillers = fillers(entries, u64::from(size));
    let heaviest = fillers.iter().map(|filler| filler.weight).max().unwrap_or(0);
    let mut slots: Box<[u16]> = (0..size).map(|_| FREE).collect();
    let mut free = if heaviest == 0 { 0 } else { slots.len() };
    while free > 0 {
        for filler in &mut fillers {
            filler.credit += filler.weight;
            if filler.credit < heaviest || free == 0 {
                continue;
            }
            filler.credit -= heaviest;
            filler.fill(&mut slots);
            free -= 1;
        }
    }
    if heaviest == 0 { Box::default() } else { slots }
}

/// Who fills slots, in an order that depends on the names only.
fn fillers(entries: &[Entry], size: u64) -> Vec<Filler> {
    let mut entries: Vec<_> = entries.iter().filter(|entry| entry.weight > 0).collect();
    entries.sort_unstable_by_key(|entry| entry.hash);
    let filler = |entry: &&Entry| Filler {
        endpoint: entry.endpoint,
        weight: u64::from(entry.weight),
        credit: 0,
        next: entry.hash % size,
        skip: mix(entry.hash ^ 0x6d61_676c_6576) % size.saturating_sub(1).max(1) + 1,
    };
    entries.iter().map(filler).collect()
}

impl Filler {
    /// Takes the next free slot in its order; there is one.
    fn fill(&mut self, slots: &mut [u16]) {
        let size = slots.len() as u64;
        for _ in 0..size {
            let at = self.next;
            self.next = (self.next + self.skip) % size;
            if let Some(slot) = slots.get_mut(at as usize).filter(|slot| **slot == FREE) {
                *slot = self.endpoint;
                return;
            }
        }
    }
}

pub(super) fn choice(slots: &[u16], hash: u64, nth: u32) -> Option<u16> {
    let at = scaled(rehash(hash, nth), slots.len() as u64);
    slots.get(at as usize).copied()
}
