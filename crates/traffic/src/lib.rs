//! How load is spread over endpoints: pure functions of weights and counters.
//!
//! Knows nothing about connections, clocks or configuration. Health, breakers, retry budgets and further pickers
//! move in here.

mod round_robin;

pub use round_robin::{SCHEDULE_MAX, schedule};
