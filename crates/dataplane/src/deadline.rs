//! By when an attempt and its exchange must be over.

use strait_message::{Fault, Kind, Phase};

pub(crate) const REQUEST_TIMEOUT: &str = "the route's request timeout";
const TRY_TIMEOUT: &str = "the upstream's per_try_timeout";

/// The ends that are set from outside a step, in the worker's milliseconds. A step has its own timeout besides.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Until {
    /// The end of the exchange.
    pub(crate) exchange_ms: u64,
    /// When the attempt must have its response head.
    pub(crate) attempt_ms: u64,
}

impl Until {
    /// A step's own end, or one from outside that is sooner.
    pub(crate) fn bound(self, own_ms: u64) -> u64 {
        own_ms.min(self.exchange_ms).min(self.attempt_ms)
    }

    /// Checks whether one of them has passed.
    ///
    /// # Errors
    /// The fault of a step of this phase that it has.
    pub(crate) fn check(self, phase: Phase, now_ms: u64) -> Result<(), Fault> {
        if now_ms >= self.exchange_ms {
            return Err(Fault::upstream(phase, Kind::Deadline).because(REQUEST_TIMEOUT));
        }
        if now_ms >= self.attempt_ms {
            return Err(Fault::upstream(phase, Kind::TryTimeout).because(TRY_TIMEOUT));
        }
        Ok(())
    }
}
