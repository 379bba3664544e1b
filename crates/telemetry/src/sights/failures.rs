//! The ring of failures.

use std::collections::VecDeque;
use std::sync::Arc;
use strait_message::Origin;
use strait_record::{End, Sight, Sights};

/// Failures that are remembered: so many that clients and missing routes caused, and so many of all others.
pub const FAILURES_MAX: usize = 1_000;

/// The latest failures. What clients do wrong has a ring of its own, so that a scanner that finds nothing but 404 does
/// not push out what matters.
#[derive(Debug, Default)]
pub(super) struct Failures {
    of_clients: VecDeque<Arc<Sights>>,
    others: VecDeque<Arc<Sights>>,
}

impl Failures {
    /// Remembers one, and forgets the oldest of its kind when there are enough.
    pub(super) fn add(&mut self, sight: &Sight<'_>) {
        let mut alone = Sights::default();
        let attempts = sight.attempts.iter().copied();
        alone.push(&sight.record, sight.trace_state.as_bytes(), sight.wanted, attempts);
        let is_of_clients = match sight.record.end {
            End::Fault(fault) => {
                fault.origin == Origin::Client || (fault.origin == Origin::Operator && fault.status().class() == 4)
            }
            End::Complete | End::Filter(_) => false,
        };
        let ring = if is_of_clients { &mut self.of_clients } else { &mut self.others };
        if ring.len() >= FAILURES_MAX {
            ring.pop_front();
        }
        ring.push_back(Arc::new(alone));
    }

    /// The latest one with this request id; ids that clients choose may come twice.
    pub(super) fn find(&self, request_id: &str) -> Option<Arc<Sights>> {
        let of = |sights: &Arc<Sights>| sights.iter().any(|sight| sight.record.request_id == request_id);
        self.others.iter().rev().chain(self.of_clients.iter().rev()).find(|sights| of(sights)).cloned()
    }

    /// All of them, the latest first.
    pub(super) fn latest(&self) -> Vec<Arc<Sights>> {
        let began = |sights: &Arc<Sights>| sights.iter().next().map_or(0, |sight| sight.record.time_us);
        let mut all: Vec<_> = self.others.iter().chain(&self.of_clients).cloned().collect();
        all.sort_by_key(|sights| std::cmp::Reverse(began(sights)));
        all
    }
}
