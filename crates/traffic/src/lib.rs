//! How load is spread over endpoints: pure functions of weights and counters.
//!
//! Time and randomness are arguments. Knows nothing about connections, clocks or configuration.

mod health;
mod jitter;
mod outlier;
mod retry;
mod round_robin;

pub use health::{ActiveHealth, CheckRules};
pub use jitter::{around, below};
pub use outlier::{Cause, Comparison, Ejections, Outcome, OutlierRules, Sample};
pub use retry::{BUDGET_WINDOW_S, Backoff, RetryBudget, RetryLedger};
pub use round_robin::{SCHEDULE_MAX, schedule};
