//! Retries, from words to what workers decide by.

use strait_config::spec::{self, RetryOn as Reason};
use strait_plan::{RetryOn, RetryPolicy, StatusSet};
use strait_traffic::{Backoff, RetryBudget};

/// The policy that is written. Without a reason to repeat there is one attempt.
pub(crate) fn policy(spec: &spec::Retry) -> RetryPolicy {
    let has = |reason| spec.retry_on.contains(&reason);
    let ranges = spec.retry_on.iter().flat_map(|reason| reason.statuses());
    let statuses = ranges.fold(StatusSet::EMPTY, |set, &(first, last)| set.with(first, last));
    let attempts = if spec.retry_on.is_empty() { 1 } else { spec.attempts };
    RetryPolicy {
        attempts_max: u8::try_from(attempts).unwrap_or(u8::MAX),
        on: RetryOn {
            connect_failure: has(Reason::ConnectFailure),
            reset: has(Reason::Reset),
            timeout: has(Reason::Timeout),
            statuses,
        },
        non_idempotent: spec.non_idempotent,
        budget: RetryBudget {
            per_mille: spec.budget.get().map(|share| (share.factor() * 1_000.0).round() as u32),
            floor_per_s: spec.budget_floor,
        },
        backoff: Backoff { base_ms: ms(spec.backoff.base), max_ms: ms(spec.backoff.max.max(spec.backoff.base)) },
        try_timeout: spec.per_try_timeout.map(Into::into),
        body_bytes_max: usize::try_from(spec.body_max.get()).unwrap_or(usize::MAX),
    }
}

fn ms(duration: strait_config::value::Duration) -> u64 {
    u64::try_from(duration.get().as_millis()).unwrap_or(u64::MAX)
}
