use std::cell::Cell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::time::Instant;

/// A worker's time: monotonic for every decision, and tied to the wall clock for records only.
///
/// Under simulation tokio's clock is paused, and this one with it.
#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    /// The reading of this turn; [`UNREAD`] before its first.
    turn_us: Cell<u64>,
    /// Microseconds since 1970 at `started`, as the wall clock last said.
    wall_us: Cell<u64>,
}

/// No reading yet in this turn.
const UNREAD: u64 = u64::MAX;

impl Clock {
    /// A clock that counts from `started`: the same for all workers, so that they can tell each other instants.
    pub(crate) fn since(started: Instant) -> Self {
        let clock = Self { started, turn_us: Cell::new(UNREAD), wall_us: Cell::new(0) };
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

    /// A task begins its turn: the time is read anew when it is next asked for. Within a turn, which never waits, time
    /// stands still: an exchange asks eight times, and each reading costs as much as parsing a field. A task that does
    /// not call this sees the time of the turn before it, at most one turn of the wheel ago.
    pub(crate) fn begin_turn(&self) {
        self.turn_us.set(UNREAD);
    }

    /// Microseconds since the clock was made, at the first reading of this turn.
    pub(crate) fn now_us(&self) -> u64 {
        match self.turn_us.get() {
            UNREAD => {
                let now_us = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
                self.turn_us.set(now_us);
                now_us
            }
            read => read,
        }
    }

    /// Milliseconds since the clock began.
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
