use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, TryLockError};
use strait_traffic::Latency;

/// No weight of its own: the plan's holds.
const PLANNED: u32 = u32::MAX;
/// No instant.
const NEVER: u64 = 0;
/// An instant that the first worker to look sets.
const NOW: u64 = u64::MAX;

/// What is known about an upstream over all plans and workers.
#[derive(Debug, Default)]
pub struct UpstreamState {
    changes: AtomicU64,
    running: AtomicU32,
    ejecting: Mutex<()>,
}

/// The word of active health checks about an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// Nobody checks, or no check has come to a verdict: taken for healthy.
    Unknown,
    /// It passed.
    Healthy,
    /// It failed.
    Unhealthy,
}

/// Why an endpoint is not chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// An operator, or the endpoint itself, asked for no new clients; those that stick to it still come.
    Draining,
    /// Health checks fail.
    Unhealthy,
    /// It gave too many faults, and is left alone until this instant.
    Ejected {
        /// In milliseconds of [`crate::Workers::now_ms`].
        until_ms: u64,
    },
    /// Its name has never resolved.
    Unresolved,
}

impl Absence {
    /// The word in logs, metrics and answers.
    pub fn word(self) -> &'static str {
        match self {
            Self::Draining => "draining",
            Self::Unhealthy => "unhealthy",
            Self::Ejected { .. } => "ejected",
            Self::Unresolved => "unresolved",
        }
    }
}

/// Whether an endpoint is chosen and how often, beyond what the plan says: written seldom, by health checks, outlier
/// detection, operators and the resolver, and read by the workers' rosters. On a cache line of its own, away from the
/// figures that change with every connection.
///
/// Every write that changes something counts in the upstream's [`UpstreamState::changes`], so that workers look again.
/// Instants are milliseconds of [`crate::Workers::now_ms`].
#[derive(Debug)]
#[repr(align(64))]
pub struct Standing {
    upstream: Arc<UpstreamState>,
    ejected_until_ms: AtomicU64,
    since_ms: AtomicU64,
    weight: AtomicU32,
    health: AtomicU8,
    is_draining: AtomicBool,
    is_unresolved: AtomicBool,
}

/// What an endpoint's workers have in hand, written with every attempt where the picker asks for it; else never.
#[derive(Debug, Default)]
#[repr(align(64))]
pub struct Load {
    running: AtomicU32,
    /// How slow it is.
    pub latency: Latency,
}

impl UpstreamState {
    /// Counts changes of its endpoints' standing.
    #[inline]
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// Attempts running on all its endpoints, where the picker asks for loads.
    #[inline]
    pub fn running(&self) -> u32 {
        self.running.load(Ordering::Relaxed)
    }

    /// The right to eject one of its endpoints; `None` while somebody else has it.
    pub(crate) fn try_eject(&self) -> Option<MutexGuard<'_, ()>> {
        match self.ejecting.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(poisoned)) => Some(poisoned.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }

    fn changed(&self) {
        self.changes.fetch_add(1, Ordering::Release);
    }
}

impl Load {
    /// Attempts running on the endpoint, over all workers.
    #[inline]
    pub fn running(&self) -> u32 {
        self.running.load(Ordering::Relaxed)
    }

    /// An attempt begins.
    #[inline]
    pub fn begin(&self, upstream: &UpstreamState) {
        self.running.fetch_add(1, Ordering::Relaxed);
        upstream.running.fetch_add(1, Ordering::Relaxed);
    }

    /// An attempt that began has ended.
    #[inline]
    pub fn end(&self, upstream: &UpstreamState) {
        self.running.fetch_sub(1, Ordering::Relaxed);
        upstream.running.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Standing {
    /// An endpoint of this upstream that nothing speaks against, but perhaps that its name must first be resolved.
    pub(crate) fn new(upstream: Arc<UpstreamState>, is_unresolved: bool) -> Self {
        Self {
            upstream,
            ejected_until_ms: AtomicU64::new(NEVER),
            since_ms: AtomicU64::new(NEVER),
            weight: AtomicU32::new(PLANNED),
            health: AtomicU8::new(Health::Unknown as u8),
            is_draining: AtomicBool::new(false),
            is_unresolved: AtomicBool::new(is_unresolved),
        }
    }

    /// The upstream it belongs to.
    pub fn upstream(&self) -> &Arc<UpstreamState> {
        &self.upstream
    }

    /// Whether it may be chosen now.
    #[inline]
    pub fn is_available(&self, now_ms: u64) -> bool {
        self.absence(now_ms).is_none()
    }

    /// Why it is not chosen now: the weightiest reason.
    #[inline]
    pub fn absence(&self, now_ms: u64) -> Option<Absence> {
        if self.is_draining() {
            return Some(Absence::Draining);
        }
        if self.is_unresolved.load(Ordering::Relaxed) {
            return Some(Absence::Unresolved);
        }
        if self.health() == Health::Unhealthy {
            return Some(Absence::Unhealthy);
        }
        let until_ms = self.ejected_until_ms();
        (until_ms > now_ms).then_some(Absence::Ejected { until_ms })
    }

    /// The word of health checks.
    #[inline]
    pub fn health(&self) -> Health {
        match self.health.load(Ordering::Relaxed) {
            1 => Health::Healthy,
            2 => Health::Unhealthy,
            _ => Health::Unknown,
        }
    }

    /// Sets the word of health checks. One that comes back begins its slow start now. Whether that is news.
    pub fn set_health(&self, health: Health, now_ms: u64) -> bool {
        let before = self.health.swap(health as u8, Ordering::Relaxed);
        if before == Health::Unhealthy as u8 && health != Health::Unhealthy {
            self.came_at(now_ms);
        }
        self.news(before != health as u8)
    }

    /// Until when it is left alone for its faults; an instant that has passed, or zero, when it is not.
    #[inline]
    pub fn ejected_until_ms(&self) -> u64 {
        self.ejected_until_ms.load(Ordering::Relaxed)
    }

    /// Leaves it alone until this instant, from which its slow start begins; zero takes it back at once.
    pub fn eject_until(&self, until_ms: u64) {
        let before = self.ejected_until_ms.swap(until_ms, Ordering::Relaxed);
        if until_ms > 0 {
            self.came_at(until_ms);
        }
        self.news(before != until_ms);
    }

    /// Whether it takes no new clients.
    #[inline]
    pub fn is_draining(&self) -> bool {
        self.is_draining.load(Ordering::Relaxed)
    }

    /// Sets whether it takes no new clients. One that takes them again begins its slow start. Whether that is news.
    pub fn set_draining(&self, is_draining: bool, now_ms: u64) -> bool {
        let before = self.is_draining.swap(is_draining, Ordering::Relaxed);
        if before && !is_draining {
            self.came_at(now_ms);
        }
        self.news(before != is_draining)
    }

    /// A weight that holds in place of the plan's.
    #[inline]
    pub fn weight(&self) -> Option<u32> {
        Some(self.weight.load(Ordering::Relaxed)).filter(|&weight| weight != PLANNED)
    }

    /// Sets a weight in place of the plan's, or lets that hold again. Whether that is news.
    pub fn set_weight(&self, weight: Option<u32>) -> bool {
        let weight = weight.unwrap_or(PLANNED);
        self.news(self.weight.swap(weight, Ordering::Relaxed) != weight)
    }

    /// Since when it has been there or back, where that was noted; where its slow start begins.
    #[inline]
    pub fn since_ms(&self, now_ms: u64) -> Option<u64> {
        match self.since_ms.load(Ordering::Relaxed) {
            NEVER => None,
            NOW => {
                let set = self.since_ms.compare_exchange(NOW, now_ms.max(1), Ordering::Relaxed, Ordering::Relaxed);
                Some(set.map_or_else(|set| set, |_| now_ms.max(1)))
            }
            since_ms => Some(since_ms),
        }
    }

    /// It joins an upstream that serves already: its slow start begins when a worker first looks at it.
    pub fn joins(&self) {
        self.since_ms.store(NOW, Ordering::Relaxed);
        self.upstream.changed();
    }

    /// Its name resolved for the first time.
    pub(crate) fn resolved(&self) {
        if self.is_unresolved.swap(false, Ordering::Relaxed) {
            self.upstream.changed();
        }
    }

    fn came_at(&self, now_ms: u64) {
        self.since_ms.store(now_ms.clamp(1, NOW - 1), Ordering::Relaxed);
    }

    fn news(&self, is_news: bool) -> bool {
        if is_news {
            self.upstream.changed();
        }
        is_news
    }
}

#[cfg(test)]
mod tests {
    use super::{Absence, Health, Standing, UpstreamState};
    use std::sync::Arc;

    fn standing() -> (Arc<UpstreamState>, Standing) {
        let upstream = Arc::new(UpstreamState::default());
        (upstream.clone(), Standing::new(upstream, false))
    }

    #[test]
    fn what_changes_something_is_counted_and_nothing_else() {
        let (upstream, standing) = standing();
        assert!(standing.set_health(Health::Unhealthy, 5));
        assert!(!standing.set_health(Health::Unhealthy, 6));
        standing.eject_until(9);
        standing.eject_until(9);
        assert!(standing.set_weight(Some(3)) && !standing.set_weight(Some(3)) && standing.set_weight(None));
        assert!(standing.set_draining(true, 7) && !standing.set_draining(true, 8));
        assert_eq!(upstream.changes(), 5);
    }

    #[test]
    fn an_endpoint_is_there_again_when_nothing_speaks_against_it() {
        let (_, standing) = standing();
        assert!(standing.is_available(1));
        standing.eject_until(100);
        assert_eq!(standing.absence(99), Some(Absence::Ejected { until_ms: 100 }));
        assert!(standing.is_available(100));
        standing.set_health(Health::Unhealthy, 100);
        standing.set_draining(true, 100);
        assert_eq!(standing.absence(100), Some(Absence::Draining), "what was asked for goes first");
        standing.set_draining(false, 101);
        assert_eq!(standing.absence(101), Some(Absence::Unhealthy));
        standing.set_health(Health::Healthy, 150);
        assert!(standing.is_available(150));
        assert_eq!(standing.since_ms(200), Some(150));
    }

    #[test]
    fn one_that_joins_begins_when_it_is_first_looked_at() {
        let (_, standing) = standing();
        assert_eq!(standing.since_ms(10), None);
        standing.joins();
        assert_eq!((standing.since_ms(20), standing.since_ms(30)), (Some(20), Some(20)));
    }
}
