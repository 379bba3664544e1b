//! Active checks: when results turn a verdict, and when the next check is due.

use crate::jitter::around;

/// How results become a verdict, and how often an endpoint is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CheckRules {
    /// From the end of one check to the start of the next, before jitter of a tenth either way.
    pub interval_ms: u64,
    /// The same while results contradict the verdict, so that a change is believed, or not, sooner.
    pub recheck_ms: u64,
    /// Passed checks in a row that make an unhealthy endpoint healthy; at least one.
    pub healthy_after: u32,
    /// Failed checks in a row that make a healthy endpoint unhealthy; at least one.
    pub unhealthy_after: u32,
    /// What is believed of an endpoint before its first check has ended.
    pub starts_healthy: bool,
}

/// What checks say about one endpoint.
///
/// The first result decides by itself: nothing was known before, so there is nothing to hold on to. After that it takes
/// a run of results against the verdict to turn it, and one result that agrees ends the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ActiveHealth {
    healthy: bool,
    /// Results in a row against the verdict.
    contrary: u32,
    /// Whether any check has ended.
    checked: bool,
}

impl ActiveHealth {
    /// An endpoint that was never checked.
    pub fn new(rules: &CheckRules) -> Self {
        Self { healthy: rules.starts_healthy, contrary: 0, checked: false }
    }

    /// Whether the endpoint is believed to be healthy.
    pub fn is_healthy(&self) -> bool {
        self.healthy
    }

    /// Takes in a result; whether the verdict turned.
    pub fn record(&mut self, passed: bool, rules: &CheckRules) -> bool {
        let first = !std::mem::replace(&mut self.checked, true);
        if passed == self.healthy {
            self.contrary = 0;
            return false;
        }
        self.contrary += 1;
        let needed = if self.healthy { rules.unhealthy_after } else { rules.healthy_after };
        if !first && self.contrary < needed {
            return false;
        }
        (self.healthy, self.contrary) = (passed, 0);
        true
    }

    /// How long to wait before the next check. `random` is any number, all equally likely.
    pub fn pause_ms(&self, rules: &CheckRules, random: u64) -> u64 {
        let pause_ms = if self.contrary > 0 { rules.recheck_ms.min(rules.interval_ms) } else { rules.interval_ms };
        around(pause_ms, random)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use super::{ActiveHealth, CheckRules};
    use proptest::prelude::*;

    const RULES: CheckRules =
        CheckRules { interval_ms: 2_000, recheck_ms: 500, healthy_after: 2, unhealthy_after: 3, starts_healthy: true };

    /// `+` passes and `-` fails; gives the verdict after each.
    #[track_caller]
    fn check(rules: CheckRules, results: &str, verdicts: &str) {
        let mut health = ActiveHealth::new(&rules);
        let seen: String = results
            .chars()
            .map(|result| {
                health.record(result == '+', &rules);
                if health.is_healthy() { 'H' } else { 'u' }
            })
            .collect();
        assert_eq!(seen, verdicts, "after {results}");
    }

    #[test]
    fn it_takes_a_run_to_turn_a_verdict_and_one_agreeing_result_ends_the_run() {
        check(RULES, "+---", "HHHu");
        check(RULES, "+--+--+---", "HHHHHHHHHu");
        check(RULES, "+---+-++", "HHHuuuuH");
    }

    #[test]
    fn the_first_result_decides_alone() {
        check(RULES, "-", "u");
        check(RULES, "-+", "uu");
        check(RULES, "-++", "uuH");
        check(CheckRules { starts_healthy: false, ..RULES }, "+", "H");
        check(CheckRules { starts_healthy: false, ..RULES }, "-++", "uuH");
    }

    #[test]
    fn doubt_is_checked_sooner() {
        let mut health = ActiveHealth::new(&RULES);
        health.record(true, &RULES);
        let middle = u64::MAX / 2;
        assert_eq!(health.pause_ms(&RULES, middle), 2_000);
        health.record(false, &RULES);
        assert_eq!(health.pause_ms(&RULES, middle), 500);
        health.record(true, &RULES);
        assert_eq!(health.pause_ms(&RULES, middle), 2_000);
    }

    proptest! {
        #[test]
        fn a_verdict_turns_only_after_its_run(results in prop::collection::vec(any::<bool>(), 1..60), up in 1u32..5, down in 1u32..5) {
            let rules = CheckRules { healthy_after: up, unhealthy_after: down, ..RULES };
            let mut health = ActiveHealth::new(&rules);
            for (at, &passed) in results.iter().enumerate() {
                let was = health.is_healthy();
                let turned = health.record(passed, &rules);
                prop_assert_eq!(turned, was != health.is_healthy());
                let needed = if at == 0 { 1 } else if was { down } else { up } as usize;
                if turned {
                    prop_assert!(results[..=at].iter().rev().take(needed).all(|&result| result != was));
                }
                let run = results[..=at].iter().rev().take_while(|&&result| result != health.is_healthy()).count();
                let bound = if health.is_healthy() { down } else { up } as usize;
                prop_assert!(at == 0 || run < bound);
            }
        }

        #[test]
        fn pauses_stay_within_a_tenth(random in any::<u64>(), contrary in any::<bool>()) {
            let mut health = ActiveHealth::new(&RULES);
            health.record(true, &RULES);
            health.record(!contrary, &RULES);
            let expected = if contrary { 500 } else { 2_000 };
            let pause = health.pause_ms(&RULES, random);
            prop_assert!(pause.abs_diff(expected) <= expected / 10, "{}", pause);
        }
    }
}
