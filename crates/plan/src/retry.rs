use crate::StatusSet;
use std::time::Duration;
use strait_message::{Fault, Kind, Phase, Retry};
use strait_traffic::{Backoff, RetryBudget};

/// When a request is sent once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all, the first included.
    pub attempts_max: u8,
    /// What is worth another attempt.
    pub on: RetryOn,
    /// Whether a request may be repeated that may have been acted on and whose method is not idempotent.
    pub non_idempotent: bool,
    /// How many retries the upstream bears.
    pub budget: RetryBudget,
    /// How long a retry waits.
    pub backoff: Backoff,
    /// How long one attempt may take up to its response head.
    pub try_timeout: Option<Duration>,
    /// Octets of a request body that are kept to be sent again.
    pub body_bytes_max: usize,
}

/// What is worth another attempt. Whether one is permitted is in the fault.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RetryOn {
    /// No connection could be had: the request has not left.
    pub connect_failure: bool,
    /// The connection broke before an octet of the response came.
    pub reset: bool,
    /// No response head came in time.
    pub timeout: bool,
    /// Answers that are thrown away for another attempt.
    pub statuses: StatusSet,
}

impl Default for RetryPolicy {
    /// One attempt.
    fn default() -> Self {
        Self {
            attempts_max: 1,
            on: RetryOn::default(),
            non_idempotent: false,
            budget: RetryBudget { per_mille: Some(200), floor_per_s: 10 },
            backoff: Backoff { base_ms: 25, max_ms: 250 },
            try_timeout: None,
            body_bytes_max: 64 * 1024,
        }
    }
}

impl RetryPolicy {
    /// Whether the fault of an attempt is worth another one, and another one is permitted: the request was provably not
    /// acted on, or repeating it does no harm (RFC 9110 §9.2.2), or the configuration says that it does none.
    pub fn permits(&self, fault: &Fault, is_idempotent: bool) -> bool {
        let permitted = match fault.retry {
            Retry::Safe => true,
            Retry::IfIdempotent => is_idempotent || self.non_idempotent,
            Retry::Never => false,
        };
        permitted && self.on.includes(fault)
    }
}

impl RetryOn {
    /// Whether a fault is one of those worth another attempt.
    pub fn includes(&self, fault: &Fault) -> bool {
        match (fault.phase, fault.kind) {
            // The status was looked at when it came.
            (_, Kind::BadStatus) => !self.statuses.is_empty(),
            (Phase::RequestHead | Phase::Route | Phase::ResponseBody | Phase::Tunnel, _) => false,
            (Phase::RequestBody | Phase::ResponseHead, Kind::Timeout | Kind::TryTimeout) => self.timeout,
            (Phase::RequestBody | Phase::ResponseHead, _) => self.reset,
            _ => self.connect_failure,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{RetryOn, RetryPolicy};
    use crate::StatusSet;
    use strait_message::{Fault, Kind, Phase};

    const ALL: RetryOn = RetryOn { connect_failure: true, reset: true, timeout: true, statuses: StatusSet::EMPTY };

    #[track_caller]
    fn check(phase: Phase, kind: Kind, idempotent: bool, expected: bool) {
        let policy =
            RetryPolicy { on: RetryOn { statuses: ALL.statuses.with(503, 503), ..ALL }, ..RetryPolicy::default() };
        assert_eq!(policy.permits(&Fault::upstream(phase, kind), idempotent), expected, "{phase:?} {kind:?}");
    }

    #[test]
    fn what_was_provably_unsent_is_repeated_whatever_the_method() {
        for idempotent in [true, false] {
            check(Phase::Connect, Kind::Refused, idempotent, true);
            check(Phase::Queue, Kind::QueueFull, idempotent, true);
            check(Phase::Connect, Kind::TryTimeout, idempotent, true);
        }
    }

    #[test]
    fn what_may_have_been_acted_on_is_repeated_only_when_that_does_no_harm() {
        for kind in [Kind::Reset, Kind::Closed, Kind::Timeout, Kind::TryTimeout, Kind::BadStatus] {
            check(Phase::ResponseHead, kind, true, true);
            check(Phase::ResponseHead, kind, false, false);
        }
        let asked = RetryPolicy { on: ALL, non_idempotent: true, ..RetryPolicy::default() };
        assert!(asked.permits(&Fault::upstream(Phase::ResponseHead, Kind::Reset), false));
    }

    #[test]
    fn a_response_that_has_begun_and_a_deadline_end_it() {
        check(Phase::ResponseBody, Kind::Closed, true, false);
        check(Phase::ResponseHead, Kind::Malformed, true, false);
        check(Phase::Connect, Kind::Deadline, true, false);
    }

    #[test]
    fn each_reason_stands_for_itself() {
        let only = |on| RetryPolicy { on, ..RetryPolicy::default() };
        let (connect, reset) =
            (RetryOn { connect_failure: true, ..RetryOn::default() }, RetryOn { reset: true, ..RetryOn::default() });
        let (refused, broken) =
            (Fault::upstream(Phase::Connect, Kind::Refused), Fault::upstream(Phase::ResponseHead, Kind::Reset));
        assert_eq!((only(connect).permits(&refused, true), only(connect).permits(&broken, true)), (true, false));
        assert_eq!((only(reset).permits(&refused, true), only(reset).permits(&broken, true)), (false, true));
    }
}
