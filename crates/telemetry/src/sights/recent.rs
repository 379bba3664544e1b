//! What those who watch have not asked for yet.

use std::collections::VecDeque;
use std::sync::Arc;
use strait_record::Sights;

/// Octets of exchanges that wait for those who watch; then the oldest are forgotten.
pub const RECENT_BYTES_MAX: usize = 16 << 20;

/// The latest batches, numbered by exchange.
#[derive(Debug, Default)]
pub(super) struct Recent {
    batches: VecDeque<(u64, Arc<Sights>)>,
    octets: usize,
    next: u64,
}

impl Recent {
    pub(super) fn next_number(&self) -> u64 {
        self.next
    }

    pub(super) fn add(&mut self, sights: Arc<Sights>) {
        self.octets += sights.octets();
        let first = self.next;
        self.next += sights.len() as u64;
        self.batches.push_back((first, sights));
        while self.octets > RECENT_BYTES_MAX
            && let Some((_, oldest)) = self.batches.pop_front()
        {
            self.octets -= oldest.octets();
        }
    }

    pub(super) fn since(&self, number: u64) -> (Vec<(u64, Arc<Sights>)>, u64) {
        let oldest = self.batches.front().map_or(self.next, |(first, _)| *first);
        let wanted = self.batches.iter().filter(|(first, sights)| first + sights.len() as u64 > number);
        (wanted.cloned().collect(), oldest.saturating_sub(number))
    }

    /// Forgets all, and counts on.
    pub(super) fn clear(&mut self) {
        self.batches.clear();
        self.octets = 0;
    }
}
