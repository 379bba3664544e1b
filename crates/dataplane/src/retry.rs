//! Whether an exchange gets another attempt, what that costs, and the body that is then sent again.

use crate::attempt::{Watch, watched};
use crate::exchange::Exchange;
use crate::fault::STALE;
use crate::worker::Worker;
use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use strait_message::{Fault, Kind, Phase};
use strait_plan::RetryPolicy;
use strait_traffic::{RetryBudget, RetryLedger};

/// What has been taken of a request body, kept so that it can be sent again.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    octets: RefCell<Vec<u8>>,
    /// The most that is kept; zero once nothing is.
    octets_max: Cell<usize>,
}

impl Kept {
    /// Keeps up to so many octets from now on.
    fn begin(&self, octets_max: usize) {
        self.octets_max.set(octets_max);
    }

    /// Whether octets are kept.
    pub(crate) fn is_open(&self) -> bool {
        self.octets_max.get() > 0
    }

    /// Keeps more. When that is too much, what was kept is of no use either.
    pub(crate) fn keep(&self, data: &[u8]) {
        if !self.is_open() {
            return;
        }
        if self.octets.borrow().len() + data.len() > self.octets_max.get() {
            return self.release();
        }
        self.octets.borrow_mut().extend_from_slice(data);
    }

    /// Whether all that has been taken can be sent again.
    fn holds(&self, octets: u64) -> bool {
        self.octets.borrow().len() as u64 == octets
    }

    /// Lets go of it: nothing will be sent again.
    pub(crate) fn release(&self) {
        self.octets_max.set(0);
        self.octets.take();
    }

    /// What there is to send again.
    pub(crate) fn octets(&self) -> std::cell::Ref<'_, [u8]> {
        std::cell::Ref::map(self.octets.borrow(), Vec::as_slice)
    }
}

/// What an attempt must know to throw an answer away for another attempt.
#[derive(Clone, Copy)]
pub(crate) struct Rematch<'a> {
    /// What says which answers are thrown away; nothing does in the last attempt.
    policy: Option<&'a RetryPolicy>,
    ledger: Option<&'a RefCell<RetryLedger>>,
}

impl Rematch<'_> {
    /// Whether this answer is thrown away. What is true then is true when the retry is granted: nothing runs between.
    pub(crate) fn wants(&self, worker: &Worker, status: u16, kept: &Kept, taken: u64) -> bool {
        let Some(policy) = self.policy.filter(|policy| policy.on.statuses.contains(status)) else { return false };
        let (budget, now_ms) = (own_share(worker, policy), worker.clock.now_ms());
        kept.holds(taken) && self.ledger.is_none_or(|ledger| ledger.borrow().has_room(&budget, now_ms))
    }
}

/// Counts a request towards its upstream's budget, and begins to keep its body where it may be sent again.
pub(crate) fn begin(exchange: &Exchange<'_>, upstream: usize) {
    let Some(policy) = policy(exchange, upstream).filter(|policy| policy.attempts_max > 1) else { return };
    if let Some(ledger) = ledger(exchange, upstream) {
        ledger.borrow_mut().request(exchange.worker.clock.now_ms());
    }
    if !exchange.server.request_is_done() && is_repeatable(exchange, policy) {
        exchange.kept.begin(policy.body_bytes_max);
    }
}

/// What the attempt that begins now may throw away.
pub(crate) fn rematch<'a>(exchange: &Exchange<'a>, upstream: usize) -> Rematch<'a> {
    let another =
        |policy: &&RetryPolicy| exchange.tally.attempts < policy.attempts_max && is_repeatable(exchange, policy);
    Rematch { policy: policy(exchange, upstream).filter(another), ledger: ledger(exchange, upstream) }
}

/// Grants another attempt after a fault, or does not.
pub(crate) fn grant(exchange: &Exchange<'_>, upstream: usize, fault: Fault) -> bool {
    let Some(policy) = policy(exchange, upstream) else { return false };
    let now_ms = exchange.worker.clock.now_ms();
    let permitted = exchange.tally.attempts < policy.attempts_max
        && policy.permits(&fault, exchange.scratch.request.method.is_idempotent())
        && exchange.kept.holds(exchange.tally.request_octets.get())
        && !exchange.tally.response_begun.get()
        && (now_ms < exchange.deadline_ms || fault.kind == Kind::BadStatus);
    if !permitted {
        return false;
    }
    let budget = own_share(exchange.worker, policy);
    let affordable = ledger(exchange, upstream).is_none_or(|ledger| ledger.borrow_mut().try_retry(&budget, now_ms));
    let meter = &exchange.worker.meter;
    if affordable {
        meter.retries.add(1)
    } else {
        meter.retries_over_budget.add(1)
    }
    affordable
}

/// Waits before the next attempt. A connection that had been closed while it was idle says nothing about its
/// endpoint's load, and is replaced at once.
///
/// # Errors
/// The client left, or the exchange's time is up.
pub(crate) async fn pause(exchange: &Exchange<'_>, upstream: usize, fault: Fault) -> Result<(), Fault> {
    let Some(policy) = policy(exchange, upstream).filter(|_| fault.detail != STALE) else { return Ok(()) };
    let worker = exchange.worker;
    let retry = u32::from(exchange.tally.attempts);
    let pause_ms = policy.backoff.pause_ms(retry, worker.ids.borrow_mut().random());
    if pause_ms == 0 {
        return Ok(());
    }
    let now_ms = worker.clock.now_ms();
    let alarm = &exchange.client.alarm;
    alarm.set(now_ms.saturating_add(pause_ms).min(exchange.deadline_ms), now_ms);
    let never = Cell::new(false);
    let client = &exchange.client.socket;
    let watch = Watch::new(client, exchange.listener.end_is_leaving, Phase::ResponseHead, &never);
    let pausing = async {
        poll_fn(|cx| alarm.poll(cx)).await;
        Ok(())
    };
    watched(watch, pin!(pausing)).await
}

fn policy<'a>(exchange: &Exchange<'a>, upstream: usize) -> Option<&'a RetryPolicy> {
    exchange.adopted.plan.upstreams.get(upstream).map(|upstream| &upstream.retry)
}

fn ledger<'a>(exchange: &Exchange<'a>, upstream: usize) -> Option<&'a RefCell<RetryLedger>> {
    exchange.adopted.upstreams.get(upstream).map(|slot| &*slot.ledger)
}

/// Whether the request may be sent again though it may have been acted on.
fn is_repeatable(exchange: &Exchange<'_>, policy: &RetryPolicy) -> bool {
    policy.non_idempotent || exchange.scratch.request.method.is_idempotent()
}

/// A worker's part of the budget: of the floor its share, rounded up.
fn own_share(worker: &Worker, policy: &RetryPolicy) -> RetryBudget {
    let workers = u32::try_from(worker.peers.len().max(1)).unwrap_or(u32::MAX);
    RetryBudget { floor_per_s: policy.budget.floor_per_s.div_ceil(workers), ..policy.budget }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use super::Kept;

    #[test]
    fn a_body_is_kept_up_to_its_limit_and_no_further() {
        let kept = Kept::default();
        kept.keep(b"not begun");
        assert!(kept.holds(0));
        kept.begin(4);
        kept.keep(b"ab");
        kept.keep(b"cd");
        assert!(kept.holds(4) && kept.is_open());
        assert_eq!(&*kept.octets(), b"abcd");
        kept.keep(b"e");
        assert!(!kept.holds(5) && !kept.is_open());
        assert!(kept.octets().is_empty());
    }
}
