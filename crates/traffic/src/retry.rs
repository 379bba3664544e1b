//! Retries: how many are affordable, and how long one waits.

use crate::jitter::below;

/// Seconds that a budget looks back.
pub const BUDGET_WINDOW_S: usize = 10;

/// How many retries an upstream bears.
///
/// A retry is load that the upstream gets when it is already in trouble. Without a bound, attempts multiply what clients
/// ask for just when less of it can be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryBudget {
    /// Retries for a thousand requests of the last ten seconds; `None` sets no bound.
    pub per_mille: Option<u32>,
    /// Retries a second that are permitted however few requests there are.
    pub floor_per_s: u32,
}

/// What one worker has asked of an upstream in the last ten seconds.
#[derive(Clone, Debug, Default)]
pub struct RetryLedger {
    seconds: [Second; BUDGET_WINDOW_S],
}

#[derive(Clone, Copy, Debug, Default)]
struct Second {
    /// Which second this counts, from one; zero counts none.
    number: u64,
    requests: u32,
    retries: u32,
}

impl RetryLedger {
    /// Counts a request, whatever becomes of it.
    #[inline]
    pub fn request(&mut self, now_ms: u64) {
        if let Some(second) = self.second(now_ms) {
            second.requests = second.requests.saturating_add(1);
        }
    }

    /// Takes a retry out of the budget, when there is one left.
    pub fn try_retry(&mut self, budget: &RetryBudget, now_ms: u64) -> bool {
        if !self.has_room(budget, now_ms) {
            return false;
        }
        if let Some(second) = self.second(now_ms) {
            second.retries = second.retries.saturating_add(1);
        }
        true
    }

    /// Whether the budget permits a retry now.
    pub fn has_room(&self, budget: &RetryBudget, now_ms: u64) -> bool {
        let Some(per_mille) = budget.per_mille else { return true };
        let now = now_ms / 1_000 + 1;
        let recent = self.seconds.iter().filter(|second| second.number + BUDGET_WINDOW_S as u64 > now);
        let (requests, retries) =
            recent.fold((0, 0), |(a, b), second| (a + u64::from(second.requests), b + u64::from(second.retries)));
        let floor = u64::from(budget.floor_per_s) * BUDGET_WINDOW_S as u64;
        retries < floor.max(requests * u64::from(per_mille) / 1_000)
    }

    /// The count of the second that is now, begun anew when it counts an older one.
    fn second(&mut self, now_ms: u64) -> Option<&mut Second> {
        let number = now_ms / 1_000 + 1;
        let second = self.seconds.get_mut((number % BUDGET_WINDOW_S as u64) as usize)?;
        if second.number != number {
            *second = Second { number, requests: 0, retries: 0 };
        }
        Some(second)
    }
}

/// How long a retry waits: at random up to a bound that doubles with each, so that clients that failed together do not
/// come back together ("full jitter").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The bound of the first retry.
    pub base_ms: u64,
    /// The bound of any.
    pub max_ms: u64,
}

impl Backoff {
    /// The pause before the `retry`-th retry, counted from one. `random` is any number, all equally likely.
    pub fn pause_ms(&self, retry: u32, random: u64) -> u64 {
        let doubled = self.base_ms.saturating_mul(1u64 << retry.saturating_sub(1).min(32));
        below(doubled.min(self.max_ms).saturating_add(1), random)
    }
}

#[cfg(test)]
mod tests {
    use super::{BUDGET_WINDOW_S, Backoff, RetryBudget, RetryLedger};
    use proptest::prelude::*;

    const FIFTH: RetryBudget = RetryBudget { per_mille: Some(200), floor_per_s: 1 };

    fn retries_granted(requests: usize, budget: &RetryBudget) -> usize {
        let mut ledger = RetryLedger::default();
        (0..requests).for_each(|_| ledger.request(5_000));
        (0..requests).filter(|_| ledger.try_retry(budget, 5_000)).count()
    }

    #[test]
    fn a_fifth_of_the_requests_may_be_sent_again() {
        assert_eq!(retries_granted(1_000, &FIFTH), 200);
    }

    #[test]
    fn few_requests_are_retried_up_to_the_floor() {
        assert_eq!(retries_granted(20, &FIFTH), 10);
        assert_eq!(retries_granted(20, &RetryBudget { floor_per_s: 0, ..FIFTH }), 4);
    }

    #[test]
    fn without_a_share_there_is_no_bound() {
        assert_eq!(retries_granted(500, &RetryBudget { per_mille: None, floor_per_s: 0 }), 500);
    }

    #[test]
    fn what_is_older_than_the_window_counts_no_more() {
        let mut ledger = RetryLedger::default();
        (0..1_000).for_each(|_| ledger.request(0));
        assert!(ledger.has_room(&RetryBudget { floor_per_s: 0, ..FIFTH }, 9_999));
        assert!(!ledger.has_room(&RetryBudget { floor_per_s: 0, ..FIFTH }, 10_000));
    }

    #[test]
    fn the_bound_of_a_pause_doubles_up_to_its_end() {
        let backoff = Backoff { base_ms: 25, max_ms: 90 };
        let most = [1, 2, 3, 60].map(|retry| backoff.pause_ms(retry, u64::MAX));
        assert_eq!(most, [25, 50, 90, 90]);
        assert_eq!(backoff.pause_ms(3, 0), 0);
    }

    proptest! {
        #[test]
        fn retries_never_exceed_the_budget(events in prop::collection::vec((0u64..700, any::<bool>()), 1..600), per_mille in 0u32..1_000, floor_per_s in 0u32..3) {
            let budget = RetryBudget { per_mille: Some(per_mille), floor_per_s };
            let mut ledger = RetryLedger::default();
            let (mut now_ms, mut requests, mut retries) = (0, Vec::new(), Vec::new());
            for (pause_ms, fails) in events {
                now_ms += pause_ms;
                ledger.request(now_ms);
                requests.push(now_ms / 1_000);
                if fails && ledger.try_retry(&budget, now_ms) {
                    retries.push(now_ms / 1_000);
                }
                let recent = |all: &Vec<u64>| all.iter().filter(|&&second| second + BUDGET_WINDOW_S as u64 > now_ms / 1_000).count() as u64;
                // Requests leave the window and take their share with them; retries granted before stay until they leave too.
                let ever = requests.len() as u64 * u64::from(per_mille) / 1_000;
                let floor = u64::from(floor_per_s) * BUDGET_WINDOW_S as u64;
                prop_assert!(recent(&retries) <= floor.max(ever));
            }
        }

        #[test]
        fn a_pause_is_within_its_bounds(retry in 1u32..80, random in any::<u64>(), base_ms in 0u64..1_000, max_ms in 0u64..10_000) {
            let pause_ms = Backoff { base_ms, max_ms }.pause_ms(retry, random);
            prop_assert!(pause_ms <= max_ms);
        }
    }
}
