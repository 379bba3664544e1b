//! How slow a peer may be: at least so many octets within any window, judged a fifth of it at a time.

use crate::alarm::Alarm;
use crate::clock::ms;
use std::cell::Cell;
use std::time::Duration;

/// A window is judged in so many parts: a peer that stalls is found out within a window and one part of it.
const PARTS: usize = 5;

/// At least so many octets in every window, while somebody waits for the peer.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace<'a> {
    octets_min: u64,
    part_ms: u64,
    /// The end of the whole exchange, whatever the pace.
    deadline_ms: u64,
    part_end_ms: u64,
    /// What moved in the last parts; the first is the one that runs.
    parts: [u64; PARTS],
    /// Parts that have ended since the peer was first waited for.
    ended: usize,
    /// What the kernel held for the peer when the running part began.
    queued: u64,
    /// Octets of the other direction: while they move, the peer is not late.
    beside: Option<&'a Cell<u64>>,
    heard: u64,
    /// A window has ended in which too little moved.
    slow: bool,
}

/// What a late wait means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Late {
    /// The peer was slower than its pace.
    Slow,
    /// The exchange took longer than its timeout.
    Deadline,
}

impl<'a> Pace<'a> {
    /// A client must move `rate_min` octets a second on average over a window; zero asks for nothing.
    pub(crate) fn client(rate_min: u64, window: Duration, deadline_ms: u64) -> Self {
        let window_ms = if rate_min == 0 { u64::MAX / 2 } else { ms(window).max(1) };
        let octets_min = u128::from(rate_min) * u128::from(window_ms) / 1_000;
        Self::new(u64::try_from(octets_min).unwrap_or(u64::MAX), window_ms, deadline_ms)
    }

    /// An origin must move something within its idle timeout.
    pub(crate) fn origin(idle: Duration, deadline_ms: u64) -> Self {
        Self::new(1, ms(idle), deadline_ms)
    }

    fn new(octets_min: u64, window_ms: u64, deadline_ms: u64) -> Self {
        Self {
            octets_min,
            part_ms: (window_ms / PARTS as u64).max(1),
            deadline_ms,
            part_end_ms: 0,
            parts: [0; PARTS],
            ended: 0,
            queued: 0,
            beside: None,
            heard: 0,
            slow: false,
        }
    }

    /// The same, for one direction of a conversation whose other direction counts into `octets`: while either moves,
    /// neither is late.
    pub(crate) fn beside(self, octets: &'a Cell<u64>) -> Self {
        Self { beside: Some(octets), heard: octets.get(), ..self }
    }

    /// Sets the alarm for a wait that begins now. `queued` tells what the kernel still holds for the peer; it is asked
    /// once a part.
    pub(crate) fn arm(&mut self, alarm: &Alarm, now_ms: u64, queued: impl Fn() -> u64) {
        // Zero: nobody has waited yet.
        if self.part_end_ms == 0 || now_ms.saturating_sub(self.part_end_ms) >= self.part_ms {
            self.begin(now_ms, queued());
        } else if now_ms >= self.part_end_ms {
            self.end_part(queued());
        }
        let next_ms = if self.slow { now_ms } else { self.part_end_ms };
        alarm.set(next_ms.min(self.deadline_ms), now_ms);
    }

    /// Nobody waited for the peer when the last part ended: it kept up.
    fn begin(&mut self, now_ms: u64, queued: u64) {
        (self.parts, self.ended, self.slow) = ([0; PARTS], 0, false);
        self.part_end_ms = now_ms.saturating_add(self.part_ms);
        self.queued = queued;
    }

    fn end_part(&mut self, queued: u64) {
        // Written octets that still wait in the kernel have not been taken by the peer; what waited before and is gone
        // has.
        let [running, ..] = &mut self.parts;
        *running = (*running + self.queued).saturating_sub(queued);
        if let Some(beside) = self.beside {
            let heard = beside.get();
            *running = if heard == self.heard { *running } else { (*running).max(self.octets_min) };
            self.heard = heard;
        }
        self.ended = self.ended.saturating_add(1);
        self.slow = self.ended >= PARTS && self.parts.iter().sum::<u64>() < self.octets_min;
        self.parts.rotate_right(1);
        let [running, ..] = &mut self.parts;
        *running = 0;
        self.queued = queued;
        self.part_end_ms = self.part_end_ms.saturating_add(self.part_ms);
    }

    /// Takes what has passed of the window for kept.
    pub(crate) fn excuse(&mut self) {
        (self.parts, self.ended, self.slow) = ([0; PARTS], 0, false);
    }

    /// Counts octets that moved.
    pub(crate) fn moved(&mut self, octets: usize) {
        let [running, ..] = &mut self.parts;
        *running += octets as u64;
    }

    /// Judges a wait whose alarm rang; when the pace was kept, the next part begins.
    ///
    /// # Errors
    /// Why the wait is over.
    pub(crate) fn judge(&mut self, alarm: &Alarm, now_ms: u64, queued: impl Fn() -> u64) -> Result<(), Late> {
        if now_ms >= self.deadline_ms {
            return Err(Late::Deadline);
        }
        // The peer was waited for all the while, however late the alarm rang: parts may be shorter than the wheel's turns.
        for _ in 0..=PARTS {
            if self.slow || now_ms < self.part_end_ms {
                break;
            }
            self.end_part(queued());
        }
        if self.slow {
            return Err(Late::Slow);
        }
        self.arm(alarm, now_ms, queued);
        if self.slow { Err(Late::Slow) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::{Late, Pace};
    use crate::alarm::Wheel;
    use std::cell::Cell;
    use std::time::Duration;

    const WINDOW: Duration = Duration::from_secs(10);

    /// Waits for the peer without end; `step` is told the second and says what moved and what is queued. The second in
    /// which the peer is late, within a minute.
    fn late_at(mut pace: Pace<'_>, mut step: impl FnMut(u64) -> (usize, u64)) -> Option<u64> {
        let wheel = Wheel::new();
        let alarm = wheel.alarm();
        pace.arm(&alarm, 0, || 0);
        (1..=60).find(|second| {
            let (moved, queued) = step(*second);
            pace.moved(moved);
            pace.judge(&alarm, second * 1_000, || queued) == Err(Late::Slow)
        })
    }

    #[test]
    fn a_peer_that_moves_nothing_is_late_after_a_window() {
        assert_eq!(late_at(Pace::client(256, WINDOW, u64::MAX), |_| (0, 0)), Some(10));
    }

    #[test]
    fn a_window_shorter_than_the_turns_of_the_wheel_has_an_end_too() {
        let wheel = Wheel::new();
        let alarm = wheel.alarm();
        let mut pace = Pace::origin(Duration::from_millis(100), u64::MAX);
        pace.arm(&alarm, 0, || 0);
        pace.moved(1);
        let late = (1..20u64).find(|turn| pace.judge(&alarm, turn * 64, || 0) == Err(Late::Slow));
        assert_eq!(late, Some(2));
        // So late that nothing of the window is left.
        let mut pace = Pace::origin(Duration::from_millis(100), u64::MAX);
        pace.arm(&alarm, 0, || 0);
        assert_eq!(pace.judge(&alarm, 5_000, || 0), Err(Late::Slow));
    }

    #[test]
    fn a_peer_that_stalls_is_late_within_a_window_and_a_part_of_it() {
        let stalls = |second| if second <= 5 { (1 << 20, 0) } else { (0, 0) };
        assert_eq!(late_at(Pace::client(256, WINDOW, u64::MAX), stalls), Some(16));
    }

    #[test]
    fn the_pace_itself_is_enough_and_less_is_not() {
        assert_eq!(late_at(Pace::client(256, WINDOW, u64::MAX), |_| (256, 0)), None);
        assert_eq!(late_at(Pace::client(256, WINDOW, u64::MAX), |_| (255, 0)), Some(10));
        assert_eq!(late_at(Pace::client(0, WINDOW, u64::MAX), |_| (0, 0)), None);
    }

    #[test]
    fn a_drip_that_comes_just_after_each_part_is_seen_through() {
        let wheel = Wheel::new();
        let alarm = wheel.alarm();
        let mut pace = Pace::client(256, WINDOW, u64::MAX);
        let late = (0..20u64).any(|turn| {
            pace.arm(&alarm, turn * 2_010, || 0);
            pace.moved(1);
            pace.slow
        });
        assert!(late);
    }

    #[test]
    fn what_the_kernel_took_is_no_progress_and_what_left_it_is() {
        let filled = |second| if second == 1 { (4 << 20, 4 << 20) } else { (0, 4 << 20) };
        assert_eq!(late_at(Pace::client(256, WINDOW, u64::MAX), filled), Some(10));
        let emptied = |second: u64| (if second == 1 { 4 << 20 } else { 0 }, (4 << 20) - second * 50_000);
        assert_eq!(late_at(Pace::client(256, WINDOW, u64::MAX), emptied), None);
    }

    #[test]
    fn while_the_other_direction_moves_neither_is_late() {
        let other = Cell::new(0);
        let pace = Pace::origin(WINDOW, u64::MAX).beside(&other);
        let late = late_at(pace, |second| {
            other.set(second.min(30));
            (0, 0)
        });
        assert_eq!(late, Some(40));
    }

    #[test]
    fn the_deadline_comes_before_the_pace() {
        let wheel = Wheel::new();
        let mut pace = Pace::client(256, WINDOW, 3_000);
        assert_eq!(pace.judge(&wheel.alarm(), 3_000, || 0), Err(Late::Deadline));
    }
}
