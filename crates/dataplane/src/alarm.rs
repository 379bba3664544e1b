//! Deadlines by the thousand: a coarse wheel a worker turns, on which a deadline is moved by storing a number.

use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Milliseconds between two turns of the wheel, and the precision of a deadline.
pub(crate) const TURN_MS: u64 = 25;
/// An alarm is looked at this often at least, so that moving its deadline back costs nothing.
const LOOK_MS_MAX: u64 = 2_000;
const SLOTS: usize = 128;

/// A worker's alarms.
#[derive(Debug)]
pub(crate) struct Wheel {
    slots: Box<[RefCell<Vec<Entry>>]>,
    /// The next turn to be made.
    turn: Cell<u64>,
    /// The time of the last turns.
    now_ms: Cell<u64>,
}

#[derive(Debug)]
struct Entry {
    at_turn: u64,
    alarm: Rc<Inner>,
}

#[derive(Debug)]
struct Inner {
    deadline_ms: Cell<u64>,
    /// The turn at which the alarm is looked at; an entry for another turn is stale.
    look_turn: Cell<u64>,
    waker: RefCell<Option<Waker>>,
}

/// One deadline, of one task. Milliseconds count from the start of the worker's clock. The default is none, which
/// never rings: what has no use for one yet.
#[derive(Debug, Default)]
pub(crate) struct Alarm(Option<Armed>);

#[derive(Debug)]
struct Armed {
    inner: Rc<Inner>,
    wheel: Rc<Wheel>,
}

impl Wheel {
    pub(crate) fn new() -> Rc<Self> {
        let slots = (0..SLOTS).map(|_| RefCell::default()).collect();
        Rc::new(Self { slots, turn: Cell::new(0), now_ms: Cell::new(0) })
    }

    /// A new alarm without a deadline.
    pub(crate) fn alarm(self: &Rc<Self>) -> Alarm {
        let inner =
            Inner { deadline_ms: Cell::new(u64::MAX), look_turn: Cell::new(u64::MAX), waker: RefCell::new(None) };
        Alarm(Some(Armed { inner: Rc::new(inner), wheel: self.clone() }))
    }

    /// Makes all turns up to this time, and wakes the tasks whose deadline has passed.
    pub(crate) fn turn_to(&self, now_ms: u64) {
        let last = now_ms / TURN_MS;
        self.now_ms.set(now_ms);
        // After a long pause every slot is visited once, not once a missed turn.
        let first = self.turn.get().max(last.saturating_sub(SLOTS as u64 - 1));
        for turn in first..=last {
            self.turn_once(turn, now_ms);
        }
        self.turn.set(last + 1);
    }

    fn turn_once(&self, turn: u64, now_ms: u64) {
        let Some(slot) = self.slots.get(turn as usize % SLOTS) else { return };
        let entries = std::mem::take(&mut *slot.borrow_mut());
        for entry in entries {
            // An alarm that only the wheel still knows is gone.
            if Rc::strong_count(&entry.alarm) == 1 || entry.alarm.look_turn.get() != entry.at_turn {
                continue;
            }
            entry.alarm.look_turn.set(u64::MAX);
            if entry.alarm.deadline_ms.get() <= now_ms {
                wake(&entry.alarm);
            } else {
                self.enter(&entry.alarm, turn + 1, now_ms);
            }
        }
    }

    fn enter(&self, alarm: &Rc<Inner>, turn_min: u64, now_ms: u64) {
        let deadline = alarm.deadline_ms.get().min(now_ms + LOOK_MS_MAX);
        let turn = deadline.div_ceil(TURN_MS).max(turn_min);
        alarm.look_turn.set(turn);
        if let Some(slot) = self.slots.get(turn as usize % SLOTS) {
            slot.borrow_mut().push(Entry { at_turn: turn, alarm: alarm.clone() });
        }
    }
}

fn wake(alarm: &Inner) {
    if let Some(waker) = &*alarm.waker.borrow() {
        waker.wake_by_ref();
    }
}

impl Alarm {
    /// Sets the deadline. Moving it later is a store; moving it earlier than the next look enters it anew.
    pub(crate) fn set(&self, deadline_ms: u64, now_ms: u64) {
        let Some(Armed { inner, wheel }) = &self.0 else { return };
        inner.deadline_ms.set(deadline_ms);
        let look = inner.look_turn.get();
        if look == u64::MAX || deadline_ms.div_ceil(TURN_MS) < look {
            wheel.enter(inner, wheel.turn.get(), now_ms);
        }
    }

    /// Ready when the deadline has passed, as far as the wheel has turned.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(Armed { inner, wheel }) = &self.0 else { return Poll::Pending };
        if inner.deadline_ms.get() <= wheel.now_ms.get() {
            return Poll::Ready(());
        }
        let mut waker = inner.waker.borrow_mut();
        match &*waker {
            Some(known) if known.will_wake(cx.waker()) => {}
            _ => *waker = Some(cx.waker().clone()),
        }
        Poll::Pending
    }
}

impl Drop for Armed {
    fn drop(&mut self) {
        self.inner.waker.borrow_mut().take();
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::{TURN_MS, Wheel};
    use std::task::{Context, Waker};

    fn rang(alarm: &super::Alarm) -> bool {
        alarm.poll(&mut Context::from_waker(Waker::noop())).is_ready()
    }

    #[test]
    fn an_alarm_rings_once_its_deadline_has_passed_and_not_before() {
        let wheel = Wheel::new();
        let alarm = wheel.alarm();
        alarm.set(10_000, 0);
        for now in (0..10_000).step_by(TURN_MS as usize) {
            wheel.turn_to(now);
            assert!(!rang(&alarm), "at {now}");
        }
        wheel.turn_to(10_000 + TURN_MS);
        assert!(rang(&alarm));
    }

    #[test]
    fn a_deadline_moves_both_ways_and_entries_do_not_pile_up() {
        let wheel = Wheel::new();
        let alarm = wheel.alarm();
        for round in 0..1_000u64 {
            alarm.set(60_000 + round, round);
            alarm.set(75_000 + round, round);
        }
        let entries: usize = wheel.slots.iter().map(|slot| slot.borrow().len()).sum();
        assert!(entries <= 2, "{entries}");
        alarm.set(1_100, 1_000);
        wheel.turn_to(1_050);
        assert!(!rang(&alarm));
        wheel.turn_to(1_150);
        assert!(rang(&alarm));
    }

    #[test]
    fn a_long_pause_skips_no_alarm() {
        let wheel = Wheel::new();
        let alarms: Vec<_> = (0..50).map(|_| wheel.alarm()).collect();
        for (i, alarm) in alarms.iter().enumerate() {
            alarm.set(i as u64 * 100, 0);
        }
        wheel.turn_to(3_600_000);
        assert!(alarms.iter().all(rang));
    }
}
