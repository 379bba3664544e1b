//! How load is spread over endpoints: pure functions of weights, loads, time and random numbers.
//!
//! A [`Roster`] holds, for one worker and one upstream, who may be chosen now and how often; a [`Picker`] chooses
//! among them. Both look at the endpoints through [`Endpoints`] and nothing else, so that the same code serves
//! traffic, answers `explain` and runs under test.
//!
//! Time and randomness are arguments. Knows nothing about connections, clocks or configuration. Breakers and rates move in here.

#![cfg_attr(
    test,
    allow(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::string_slice,
        reason = "tests"
    )
)]

mod hash;
mod health;
mod jitter;
mod latency;
mod outlier;
mod pick;
mod ramp;
mod random;
mod retry;
mod roster;
mod round_robin;
mod spill;
mod tried;

pub use hash::{Entry, HashTable, REPLICAS_PER_ENDPOINT, TABLE_SIZE, Table, hash, hash_with};
pub use health::{ActiveHealth, CheckRules};
pub use jitter::{around, below};
pub use latency::Latency;
pub use outlier::{Cause, Comparison, Ejections, Outcome, OutlierRules, Sample};
pub use pick::{Draw, Picker};
pub use ramp::Ramp;
pub use random::Random;
pub use retry::{BUDGET_WINDOW_S, Backoff, RetryBudget, RetryLedger};
pub use roster::{Balance, Candidate, Endpoints, Roster, Standing, WEIGHT_MAX};
pub use round_robin::{SCHEDULE_MAX, schedule};
pub use spill::{TierHealth, shares};
pub use tried::{TRIED_MAX, Tried};

#[cfg(test)]
mod tests;
