//! Answers of a route by method and status, with how long they took: a bounded table, whatever clients ask for.

use crate::Histogram;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use strait_message::{Method, Status};

/// Pairs of method and status that are told apart for each route; any further ones are told apart by class.
pub const ANSWERS_MAX: usize = 24;
/// The hundreds digits of a status, and zero for none.
const CLASSES: usize = 6;
/// Set in every key, so that none is zero.
const MARK: u32 = 1 << 31;

/// Durations of exchanges by method and status, written by one worker.
#[derive(Debug, Default)]
pub struct Answers {
    /// Filled from the front, so that what is common is found first.
    slots: [Slot; ANSWERS_MAX],
    rest: [OnceLock<Box<Histogram>>; CLASSES],
}

#[derive(Debug, Default)]
struct Slot {
    /// Zero while it is free.
    key: AtomicU32,
    duration: OnceLock<Box<Histogram>>,
}

/// A method and a status that were counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Answered {
    /// The method; `_OTHER` for those of no standard, as OpenTelemetry has it.
    pub method: &'static str,
    /// The hundreds digit of the status; zero for exchanges without a response.
    pub class: u16,
    /// The status, unless it is one of the rest.
    pub status: Option<Status>,
}

impl Answers {
    /// Counts an exchange that ended after `us` microseconds.
    #[inline]
    pub fn record(&self, method: Option<Method>, status: Option<Status>, us: u64) {
        let key = MARK | place_of(method) << 16 | status.map_or(0, |status| u32::from(status.code()));
        for slot in &self.slots {
            match slot.key.load(Ordering::Relaxed) {
                held if held == key => {}
                // There is one writer: a free slot stays free until this takes it.
                0 => slot.key.store(key, Ordering::Relaxed),
                _ => continue,
            }
            return slot.duration.get_or_init(Box::default).record(us);
        }
        if let Some(rest) = self.rest.get(status.map_or(0, |status| usize::from(status.class()))) {
            rest.get_or_init(Box::default).record(us);
        }
    }

    /// What was counted so far.
    pub fn iter(&self) -> impl Iterator<Item = (Answered, &Histogram)> {
        let told_apart = self.slots.iter().filter_map(|slot| {
            let key = slot.key.load(Ordering::Relaxed);
            slot.duration.get().map(|duration| (answered(key), &**duration))
        });
        let rest = (0..).zip(&self.rest).filter_map(|(class, duration)| {
            duration.get().map(|duration| (Answered { method: OTHER, class, status: None }, &**duration))
        });
        told_apart.chain(rest)
    }

    /// Exchanges by the hundreds digit of their status; index 0 counts those that ended without a response.
    pub fn classes(&self) -> [u64; CLASSES] {
        let mut classes = [0; CLASSES];
        for (answered, duration) in self.iter() {
            if let Some(class) = classes.get_mut(usize::from(answered.class)) {
                *class += duration.count();
            }
        }
        classes
    }
}

const OTHER: &str = "_OTHER";
const METHODS: [&str; 10] = [OTHER, "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

fn place_of(method: Option<Method>) -> u32 {
    match method {
        None | Some(Method::Extension(_)) => 0,
        Some(Method::Get) => 1,
        Some(Method::Head) => 2,
        Some(Method::Post) => 3,
        Some(Method::Put) => 4,
        Some(Method::Delete) => 5,
        Some(Method::Connect) => 6,
        Some(Method::Options) => 7,
        Some(Method::Trace) => 8,
        Some(Method::Patch) => 9,
    }
}

fn answered(key: u32) -> Answered {
    let place = ((key & !MARK) >> 16) as usize;
    let status = u16::try_from(key & 0xffff).ok().and_then(Status::new);
    Answered { method: METHODS.get(place).copied().unwrap_or(OTHER), class: status.map_or(0, Status::class), status }
}

#[cfg(test)]
mod tests {
    use super::{ANSWERS_MAX, Answers, METHODS, place_of};
    use strait_message::{Method, Status};

    #[test]
    fn methods_and_statuses_are_told_apart_up_to_a_limit() {
        let answers = Answers::default();
        answers.record(Some(Method::Get), Status::new(200), 50);
        answers.record(Some(Method::Get), Status::new(200), 50);
        answers.record(None, None, 50);
        for status in 400..400 + ANSWERS_MAX as u16 {
            answers.record(Some(Method::Post), Status::new(status), 50);
        }
        let all: Vec<_> = answers.iter().collect();
        assert_eq!((all[0].0.method, all[0].0.status.unwrap().code(), all[0].1.count()), ("GET", 200, 2));
        assert_eq!((all[1].0.method, all[1].0.status), ("_OTHER", None));
        let (rest, duration) = all.last().unwrap();
        assert_eq!((all.len(), rest.status, rest.class, duration.count()), (ANSWERS_MAX + 1, None, 4, 2));
        assert_eq!(answers.classes(), [1, 0, 2, 0, ANSWERS_MAX as u64, 0]);
    }

    #[test]
    fn every_method_has_its_name() {
        for name in METHODS.into_iter().skip(1) {
            assert_eq!(METHODS[place_of(Method::from_token(name.as_bytes())) as usize], name);
        }
        assert_eq!(place_of(Method::from_token(b"PROPFIND")), 0);
    }
}
