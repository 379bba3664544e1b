//! Outlier detection: what attempts show about their endpoint, counted over all workers, and ejections.

use crate::Upstream;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use strait_message::{Fault, Kind, Origin, Phase};
use strait_traffic::{Cause, Ejections, Outcome};

/// What attempts have shown about an endpoint. As long as all is well workers only read here.
#[derive(Debug, Default)]
pub struct OutlierFigures {
    /// Errors in a row.
    errors: AtomicU32,
    /// Errors in a row without an answer.
    local_errors: AtomicU32,
    /// Ejections that came soon after each other.
    times: AtomicU32,
    /// Ejections so far, by cause, whether they were carried out or only said.
    ejected: [AtomicU64; Cause::ALL.len()],
    /// Ejections that were due when as many endpoints were out as may be.
    spared: AtomicU64,
}

impl OutlierFigures {
    /// Ejections so far for this cause.
    pub fn ejected(&self, cause: Cause) -> u64 {
        self.ejected.get(cause as usize).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// Ejections that were due when as many endpoints were out as may be.
    pub fn spared(&self) -> u64 {
        self.spared.load(Ordering::Relaxed)
    }

    /// Takes in how an attempt ended; the errors in a row then, of any kind and of the local kind.
    #[inline]
    fn note(&self, outcome: Outcome) -> (u32, u32) {
        match outcome {
            Outcome::Good => {
                // A store would take the line away from all other workers for nothing.
                if self.errors.load(Ordering::Relaxed) != 0 {
                    self.errors.store(0, Ordering::Relaxed);
                    self.local_errors.store(0, Ordering::Relaxed);
                }
                (0, 0)
            }
            Outcome::Remote => {
                self.local_errors.store(0, Ordering::Relaxed);
                (self.errors.fetch_add(1, Ordering::Relaxed).saturating_add(1), 0)
            }
            Outcome::Local => (
                self.errors.fetch_add(1, Ordering::Relaxed).saturating_add(1),
                self.local_errors.fetch_add(1, Ordering::Relaxed).saturating_add(1),
            ),
        }
    }

    fn count(&self, cause: Cause) {
        if let Some(count) = self.ejected.get(cause as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// What a fault says about the endpoint of its attempt; nothing when somebody else is to blame.
pub fn outcome_of(fault: &Fault) -> Option<Outcome> {
    match (fault.origin, fault.phase, fault.kind) {
        // Waiting in our own queue, or for no longer than the exchange may last, says nothing about an endpoint.
        (Origin::Upstream, Phase::Queue, _) | (_, _, Kind::BadStatus) => None,
        (Origin::Upstream, _, Kind::Malformed | Kind::TooLarge | Kind::LengthMismatch) => Some(Outcome::Remote),
        (Origin::Upstream, ..) => Some(Outcome::Local),
        _ => None,
    }
}

impl Upstream {
    /// Takes in how an attempt with one of its endpoints ended, and ejects the endpoint when that was one error too many.
    #[inline]
    pub fn note(&self, endpoint: usize, outcome: Outcome, now_ms: u64) {
        let (Some(rules), Some(found)) = (&self.outliers, self.endpoints.get(endpoint)) else { return };
        let (errors, local_errors) = found.state.outlier.note(outcome);
        if errors > 0
            && let Some(cause) = rules.too_many(errors, local_errors)
        {
            self.eject(endpoint, cause, now_ms);
        }
    }

    /// Ejects an endpoint, if as many as may be are not out already. Whether it was ejected, or would have been where that
    /// is only said.
    #[cold]
    pub fn eject(&self, endpoint: usize, cause: Cause, now_ms: u64) -> bool {
        let (Some(rules), Some(found)) = (&self.outliers, self.endpoints.get(endpoint)) else { return false };
        let (standing, figures) = (&found.state.standing, &found.state.outlier);
        // Two workers must not each find room for one more. Whoever comes second looks again at its next error.
        let Some(_one) = self.state.try_eject() else { return false };
        if standing.ejected_until_ms() > now_ms {
            return false;
        }
        let out = self.endpoints.iter().filter(|other| other.state.standing.ejected_until_ms() > now_ms).count();
        let is_full = out >= rules.ejected_max(self.endpoints.len());
        if rules.log_only || is_full {
            figures.errors.store(0, Ordering::Relaxed);
            figures.local_errors.store(0, Ordering::Relaxed);
        }
        if is_full {
            figures.spared.fetch_add(1, Ordering::Relaxed);
            return false;
        }
        figures.count(cause);
        if rules.log_only {
            return true;
        }
        let times = figures.times.load(Ordering::Relaxed);
        let ejections = Ejections { until_ms: standing.ejected_until_ms(), times }.eject(rules, now_ms);
        figures.times.store(ejections.times, Ordering::Relaxed);
        // When it is back, one error more is enough: nobody has said yet that it is well.
        figures.errors.store(rules.consecutive_errors.unwrap_or(1).saturating_sub(1), Ordering::Relaxed);
        figures.local_errors.store(rules.consecutive_local_errors.unwrap_or(1).saturating_sub(1), Ordering::Relaxed);
        standing.eject_until(ejections.until_ms);
        true
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::indexing_slicing, reason = "tests")]

    use super::outcome_of;
    use crate::{Endpoint, EndpointAddress, EndpointState, Upstream, UpstreamState};
    use std::sync::Arc;
    use strait_message::{Fault, Kind, Phase};
    use strait_traffic::{Cause, Outcome, OutlierRules};

    const RULES: OutlierRules = OutlierRules {
        consecutive_errors: Some(3),
        consecutive_local_errors: Some(2),
        success_rate: None,
        latency: None,
        interval_ms: 10_000,
        eject_ms: 1_000,
        eject_ms_max: 60_000,
        ejected_percent_max: 50,
        log_only: false,
    };

    fn upstream(endpoints: usize, rules: OutlierRules) -> Upstream {
        let state = Arc::new(UpstreamState::default());
        let endpoint = |number: usize| Endpoint {
            name: format!("e{number}").into(),
            authority: "".into(),
            weight: 1,
            tier: 0,
            connections_max: None,
            state: Arc::new(EndpointState::of(state.clone(), EndpointAddress::Unix("".into()), 1)),
        };
        Upstream { outliers: Some(rules), ..Upstream::new("app", (0..endpoints).map(endpoint).collect()) }
    }

    fn ejected(upstream: &Upstream, now_ms: u64) -> Vec<usize> {
        let out = |at: &usize| upstream.endpoints[*at].state.standing.ejected_until_ms() > now_ms;
        (0..upstream.endpoints.len()).filter(out).collect()
    }

    #[test]
    fn errors_in_a_row_eject_and_a_good_answer_between_them_does_not() {
        let upstream = upstream(4, RULES);
        for outcome in [Outcome::Remote, Outcome::Remote, Outcome::Good, Outcome::Remote, Outcome::Remote] {
            upstream.note(1, outcome, 100);
        }
        assert!(ejected(&upstream, 100).is_empty());
        upstream.note(1, Outcome::Remote, 100);
        assert_eq!(ejected(&upstream, 100), [1]);
        assert_eq!(upstream.endpoints[1].state.outlier.ejected(Cause::ConsecutiveErrors), 1);
    }

    #[test]
    fn what_did_not_answer_is_out_sooner_where_that_is_asked() {
        let upstream = upstream(4, RULES);
        upstream.note(0, Outcome::Local, 100);
        upstream.note(0, Outcome::Remote, 100);
        upstream.note(2, Outcome::Local, 100);
        upstream.note(2, Outcome::Local, 100);
        assert_eq!(ejected(&upstream, 100), [2]);
        assert_eq!(upstream.endpoints[2].state.outlier.ejected(Cause::ConsecutiveLocalErrors), 1);
    }

    #[test]
    fn one_that_is_back_is_on_probation_and_out_for_longer() {
        let upstream = upstream(4, RULES);
        (0..3).for_each(|_| upstream.note(0, Outcome::Remote, 100));
        assert!(ejected(&upstream, 1_100).is_empty());
        upstream.note(0, Outcome::Remote, 1_200);
        assert_eq!(upstream.endpoints[0].state.standing.ejected_until_ms(), 1_200 + 2_000);
        upstream.note(0, Outcome::Good, 4_000);
        upstream.note(0, Outcome::Remote, 4_001);
        assert!(ejected(&upstream, 4_001).is_empty());
    }

    #[test]
    fn no_more_than_the_share_is_out_at_the_same_time() {
        let upstream = upstream(4, RULES);
        for endpoint in 0..4 {
            (0..9).for_each(|_| upstream.note(endpoint, Outcome::Local, 100));
        }
        assert_eq!(ejected(&upstream, 100).len(), 2);
        assert!(upstream.endpoints[3].state.outlier.spared() > 0);
        let alone = self::upstream(1, RULES);
        (0..9).for_each(|_| alone.note(0, Outcome::Local, 100));
        assert!(ejected(&alone, 100).is_empty());
    }

    #[test]
    fn what_is_only_said_ejects_nobody() {
        let upstream = upstream(4, OutlierRules { log_only: true, ..RULES });
        (0..6).for_each(|_| upstream.note(0, Outcome::Remote, 100));
        assert!(ejected(&upstream, 100).is_empty());
        assert_eq!(upstream.endpoints[0].state.outlier.ejected(Cause::ConsecutiveErrors), 2);
    }

    #[test]
    fn only_the_endpoints_own_faults_count() {
        let upstream = |phase, kind| outcome_of(&Fault::upstream(phase, kind));
        assert_eq!(upstream(Phase::Connect, Kind::Refused), Some(Outcome::Local));
        assert_eq!(upstream(Phase::ResponseHead, Kind::Malformed), Some(Outcome::Remote));
        assert_eq!(upstream(Phase::Queue, Kind::QueueFull), None);
        assert_eq!(outcome_of(&Fault::client(Phase::ResponseBody, Kind::Closed)), None);
    }
}
