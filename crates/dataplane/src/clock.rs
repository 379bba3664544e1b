use std::cell::Cell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// A worker's time: monotonic for every decision, and tied to the wall clock for records only.
///
/// Under simulation tokio's clock is paused, and this one with it.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    /// Microseconds since 1970 at `started`, as the wall clock last said.
    wall_us: Cell<u64>,
}

impl Clock {
    pub(crate) fn new() -> Self {
        let clock = Self { started: Instant::now(), wall_us: Cell::new(0) };
        clock.follow_wall();
        clock
    }

    /// Looks at the wall clock again, which may have been set meanwhile.
    #[allow(clippy::disallowed_methods, reason = "the one place where the data path reads the wall clock")]
    pub(crate) fn follow_wall(&self) {
        #[cfg(feature = "sim")]
        if crate::sim::current().is_some() {
            // The same in every run: a day in 2026.
            self.wall_us.set(1_767_225_600_000_000);
            return;
        }
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        self.wall_us.set(u64::try_from(wall.as_micros()).unwrap_or(0).saturating_sub(self.now_us()));
    }

    /// Microseconds since the clock was made.
    pub(crate) fn now_us(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// Milliseconds since the clock was made.
    pub(crate) fn now_ms(&self) -> u64 {
        self.now_us() / 1_000
    }

    /// The wall clock at a reading of [`Clock::now_us`], in microseconds since 1970.
    pub(crate) fn wall_us(&self, at_us: u64) -> u64 {
        self.wall_us.get().saturating_add(at_us)
    }
}

/// Whole milliseconds of a timeout.
pub(crate) fn ms(timeout: Duration) -> u64 {
    u64::try_from(timeout.as_millis()).unwrap_or(u64::MAX)
}
