//! The instants of keys, in a table of fixed size that all workers share.

use std::sync::{Mutex, PoisonError};

/// Keys of one set, searched one after the other.
const WAYS: usize = 32;
/// Keys a set is sized for: with so many on average, one set in ten thousand has more than [`WAYS`].
const KEYS_PER_SET: usize = 16;

/// Theoretical arrival times by key, in nanoseconds of the clock that all workers share. 34 octets a key at the number
/// it was made for.
///
/// A key gives its place to another only when its instant has passed: then it has all of its burst again, and
/// forgetting it changes nothing. While none of a set has passed, new keys share one instant of that set: an attack
/// with fresh keys is limited as if it were one client, and refills nobody's bucket.
#[derive(Debug)]
pub struct Table {
    sets: Box<[Mutex<Set>]>,
}

#[derive(Debug)]
struct Set {
    /// The keys; 0 for a place that was never used.
    keys: [u64; WAYS],
    /// Their instants.
    instants: [u64; WAYS],
    /// The instant of all keys that have no place.
    shared: u64,
}

/// What came of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Whether it may go on.
    pub allowed: bool,
    /// Requests that could follow at once.
    pub left: u64,
    /// Nanoseconds until a refused one would be allowed; for one that is allowed, until all of the burst is back.
    pub wait_ns: u64,
}

impl Table {
    /// A table for about so many keys at a time.
    pub fn new(keys_max: usize) -> Self {
        let sets = keys_max.div_ceil(KEYS_PER_SET).max(1).next_power_of_two();
        let empty = || Mutex::new(Set { keys: [0; WAYS], instants: [0; WAYS], shared: 0 });
        Self { sets: (0..sets).map(|_| empty()).collect() }
    }

    /// Counts a request of a key at `now_ns`, or only tells what would come of it.
    pub fn take(&self, key: u64, now_ns: u64, interval_ns: u64, tolerance_ns: u64, trial: bool) -> Taken {
        // The low bits choose the set; 0 marks a place without a key.
        let at = key as usize & (self.sets.len() - 1);
        let Some(set) = self.sets.get(at) else { return Taken { allowed: true, left: 0, wait_ns: 0 } };
        let mut set = set.lock().unwrap_or_else(PoisonError::into_inner);
        let instant = set.instant_of(key.max(1), now_ns, trial);
        // A clock reading of another worker may be a little older than the one that was stored.
        let before = (*instant).max(now_ns);
        let after = before.saturating_add(interval_ns);
        let ahead = after - now_ns;
        if ahead > tolerance_ns {
            return Taken { allowed: false, left: 0, wait_ns: ahead - tolerance_ns };
        }
        if !trial {
            *instant = after;
        }
        Taken { allowed: true, left: (tolerance_ns - ahead) / interval_ns.max(1), wait_ns: ahead }
    }

    /// Keys that do not have all of their burst.
    pub fn used(&self, now_ns: u64) -> usize {
        let count = |set: &Mutex<Set>| {
            let set = set.lock().unwrap_or_else(PoisonError::into_inner);
            set.instants.iter().filter(|&&instant| instant > now_ns).count()
        };
        self.sets.iter().map(count).sum()
    }

    /// Octets of memory.
    pub fn octets(&self) -> usize {
        self.sets.len() * size_of::<Mutex<Set>>()
    }
}

impl Set {
    /// Where the instant of a key stands; a new key takes the place of one that has passed.
    fn instant_of(&mut self, key: u64, now_ns: u64, trial: bool) -> &mut u64 {
        let known = self.keys.iter().position(|&other| other == key);
        let place = known.or_else(|| self.instants.iter().position(|&instant| instant <= now_ns));
        let Self { keys, instants, shared } = self;
        let (Some(place), Some(owner)) = (place, place.and_then(|place| keys.get_mut(place))) else { return shared };
        let Some(instant) = instants.get_mut(place) else { return shared };
        if known.is_none() && !trial {
            (*owner, *instant) = (key, 0);
        }
        instant
    }
}
