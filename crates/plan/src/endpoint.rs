use crate::{CheckFigures, Load, OutlierFigures, Standing, UpstreamState};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use strait_record::{EndpointMeter, Sharded};
use strait_tls::ClientPolicy;

/// One address of an upstream.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// As written, `host:port` or `unix:/path`: its identity within the upstream, and what logs and metrics say.
    pub name: Arc<str>,
    /// What the origin is called when the client's Host is not preserved, `host:port`.
    pub authority: Arc<str>,
    /// Its weight as written.
    pub weight: u32,
    /// Its tier: requests go to the first, 0, as long as that can bear them.
    pub tier: u8,
    /// Open connections to it over all workers; `None` for any number.
    pub connections_max: Option<u32>,
    /// What outlives the plan.
    pub state: Arc<EndpointState>,
}

/// How an endpoint is reached.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum EndpointAddress {
    /// A host, resolved by the control plane, and a port.
    Name(String, u16),
    /// A Unix socket.
    Unix(PathBuf),
}

/// What is known about an endpoint over all plans and workers. Workers touch the shared figures only when they open,
/// close or hand over a connection, never per request.
#[derive(Debug)]
pub struct EndpointState {
    /// How it is reached.
    pub address: EndpointAddress,
    /// How TLS is spoken to it; `None` for none. Part of its identity: its connections are not used under another.
    pub tls: Option<Arc<ClientPolicy>>,
    /// What is counted about it.
    pub meter: Sharded<EndpointMeter>,
    /// Whether it is chosen, and how often.
    pub standing: Standing,
    /// What it has in hand.
    pub load: Load,
    /// What checks have shown.
    pub checks: CheckFigures,
    /// What attempts have shown.
    pub outlier: OutlierFigures,
    resolved: RwLock<Arc<[SocketAddr]>>,
    open: AtomicU32,
    waiting: AtomicU32,
    waiting_by: Box<[AtomicU32]>,
    held_by: Box<[AtomicU32]>,
    idle: Box<[AtomicU32]>,
}

impl EndpointState {
    /// A new endpoint for this many workers, not yet resolved, of an upstream of its own.
    pub fn new(address: EndpointAddress, workers: usize) -> Self {
        Self::of(Arc::default(), address, workers)
    }

    /// A new endpoint of an upstream.
    pub fn of(upstream: Arc<UpstreamState>, address: EndpointAddress, workers: usize) -> Self {
        let is_unresolved = matches!(address, EndpointAddress::Name(..));
        Self {
            address,
            tls: None,
            meter: Sharded::new(workers),
            standing: Standing::new(upstream, is_unresolved),
            load: Load::default(),
            checks: CheckFigures::default(),
            outlier: OutlierFigures::default(),
            resolved: RwLock::new(Arc::new([])),
            open: AtomicU32::new(0),
            waiting: AtomicU32::new(0),
            waiting_by: zeros(workers),
            held_by: zeros(workers),
            idle: zeros(workers),
        }
    }

    /// The same, spoken to by TLS.
    #[must_use]
    pub fn with_tls(self, tls: Option<Arc<ClientPolicy>>) -> Self {
        Self { tls, ..self }
    }

    /// The addresses its name last resolved to; empty when it never did.
    pub fn resolved(&self) -> Arc<[SocketAddr]> {
        self.resolved.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the addresses. An empty list is ignored: the last good one stays.
    pub fn set_resolved(&self, addresses: &[SocketAddr]) {
        if !addresses.is_empty() {
            *self.resolved.write().unwrap_or_else(PoisonError::into_inner) = addresses.into();
            self.standing.resolved();
        }
    }

    /// Takes, for a worker, the right to open one more connection, when fewer than `max` are open over all workers.
    pub fn try_open(&self, worker: usize, max: Option<u32>) -> bool {
        let max = max.unwrap_or(u32::MAX);
        let taken = self.open.fetch_update(Ordering::AcqRel, Ordering::Acquire, |n| (n < max).then_some(n + 1)).is_ok();
        if taken {
            raise(self.held_by.get(worker));
        }
        taken
    }

    /// Gives the right back: the worker's connection was closed or could not be opened.
    pub fn closed(&self, worker: usize) {
        lower(Some(&self.open));
        lower(self.held_by.get(worker));
    }

    /// A connection goes from one worker to another.
    pub fn moved(&self, from: usize, to: usize) {
        lower(self.held_by.get(from));
        raise(self.held_by.get(to));
    }

    /// Connections open over all workers.
    pub fn open(&self) -> u32 {
        self.open.load(Ordering::Acquire)
    }

    /// Joins the exchanges of a worker that wait for a connection, when fewer than `max` do over all workers.
    pub fn try_wait(&self, worker: usize, max: u32) -> bool {
        let joined = self.waiting.fetch_update(Ordering::AcqRel, Ordering::Acquire, |n| (n < max).then_some(n + 1));
        if joined.is_ok() {
            raise(self.waiting_by.get(worker));
        }
        joined.is_ok()
    }

    /// Leaves the exchanges that wait.
    pub fn done_waiting(&self, worker: usize) {
        lower(Some(&self.waiting));
        lower(self.waiting_by.get(worker));
    }

    /// Exchanges that wait for a connection, over all workers.
    #[inline]
    pub fn waiting(&self) -> u32 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// The other worker that a freed connection is owed to: one with fewer connections for each exchange that waits,
    /// even after the move, so that nobody starves and no connection goes back and forth.
    pub fn needier_than(&self, worker: usize) -> Option<usize> {
        let figures = |worker: usize| {
            let read =
                |slots: &[AtomicU32]| slots.get(worker).map_or(0, |slot| u64::from(slot.load(Ordering::Relaxed)));
            (read(&self.held_by), read(&self.waiting_by))
        };
        let (held, waiting) = figures(worker);
        let needier = |&other: &usize| {
            let (other_held, other_waiting) = figures(other);
            other != worker && other_waiting > 0 && held.saturating_sub(1) * other_waiting >= (other_held + 1) * waiting
        };
        (0..self.waiting_by.len()).filter(needier).max_by_key(|&other| figures(other).1)
    }

    /// Says how many idle connections a worker holds. Only that worker may call it.
    #[inline]
    pub fn set_idle(&self, worker: usize, idle: usize) {
        if let Some(slot) = self.idle.get(worker) {
            slot.store(u32::try_from(idle).unwrap_or(u32::MAX), Ordering::Relaxed);
        }
    }

    /// The worker, other than this one, that holds the most idle connections, when it holds at least `idle_min`.
    pub fn richest_other(&self, worker: usize, idle_min: u32) -> Option<usize> {
        let held = self.idle.iter().map(|slot| slot.load(Ordering::Relaxed)).enumerate();
        held.filter(|&(other, idle)| other != worker && idle >= idle_min)
            .max_by_key(|&(_, idle)| idle)
            .map(|(other, _)| other)
    }

    /// Idle connections over all workers.
    pub fn idle(&self) -> u32 {
        self.idle.iter().map(|slot| slot.load(Ordering::Relaxed)).sum()
    }
}

fn zeros(workers: usize) -> Box<[AtomicU32]> {
    (0..workers).map(|_| AtomicU32::new(0)).collect()
}

fn raise(slot: Option<&AtomicU32>) {
    if let Some(slot) = slot {
        slot.fetch_add(1, Ordering::AcqRel);
    }
}

fn lower(slot: Option<&AtomicU32>) {
    if let Some(slot) = slot {
        let _ = slot.fetch_update(Ordering::AcqRel, Ordering::Acquire, |n| n.checked_sub(1));
    }
}
