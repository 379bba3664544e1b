//! All workers, seen from outside: started, given plans, drained, stopped.
#![allow(
    clippy::disallowed_types,
    clippy::disallowed_methods,
    reason = "this is the control plane's side: workers never come here"
)]

use crate::accept::{self, Bound};
use crate::inherited::Inherited;
use crate::log::Log;
use crate::mail::{Mail, Mailbox};
use crate::request_id::IdSource;
use crate::sight::SightLog;
use crate::worker::{Birth, Worker};
use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;
use strait_plan::{ListenAddress, Plan, PublishError, Workers};
use strait_record::{RecordSink, SightSink, WorkerMeter};
use tokio::sync::mpsc;
use tokio::time::Instant;

/// Threads of a worker that may wait for a disk at a time; what comes on top waits for one of them.
const DISK_THREADS_MAX: usize = 32;

/// What a fleet is started with.
pub struct Settings {
    /// Number of workers, at least one.
    pub workers: usize,
    /// Where each worker's access records go; workers without one write none.
    pub sinks: Vec<Box<dyn RecordSink>>,
    /// Where what each worker sees goes beside that: to traces, to those who watch, to the ring of failures.
    pub sights: Vec<Box<dyn SightSink>>,
    /// Sockets to use in place of binding.
    pub inherited: Inherited,
    /// Called on a worker's thread when it has freed much: has the allocator return what that thread holds free.
    pub give_back: fn(),
}

/// The workers of this process.
pub struct Fleet {
    mailboxes: Vec<Mailbox>,
    meters: Vec<Arc<WorkerMeter>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
    state: Mutex<State>,
    draining: AtomicBool,
    drain_until: Mutex<Option<Instant>>,
    started: Instant,
    inherited: Inherited,
}

struct State {
    plan: Arc<Plan>,
    /// The listeners that are open, by name, and where they really are.
    open: HashMap<Arc<str>, (ListenAddress, SocketAddr)>,
}

impl Fleet {
    /// Starts the workers and publishes the first plan to them.
    ///
    /// # Errors
    /// [`PublishError`] when a listener cannot be bound, or a worker not be started.
    pub fn start(settings: Settings, plan: Arc<Plan>) -> Result<Self, PublishError> {
        let workers = settings.workers.max(1);
        let (mailboxes, mail): (Vec<_>, Vec<_>) = (0..workers).map(|_| mpsc::unbounded_channel()).unzip();
        let meters: Vec<_> = (0..workers).map(|_| Arc::new(WorkerMeter::default())).collect();
        let (mut sinks, mut sights) = (settings.sinks.into_iter(), settings.sights.into_iter());
        let mut threads = Vec::new();
        let started = Instant::now();
        for (id, (mail, meter)) in mail.into_iter().zip(&meters).enumerate() {
            let sink = sinks.next().unwrap_or_else(|| Box::new(Nowhere));
            let outlets = Outlets { log: Log::new(sink), sights: SightLog::new(sights.next()) };
            let (meter, peers) = (meter.clone(), mailboxes.clone());
            let spawned = std::thread::Builder::new()
                .name(format!("worker-{id}"))
                .spawn(move || run_worker(id, meter, outlets, peers, mail, started, settings.give_back));
            threads.push(spawned.map_err(|error| unstartable(&plan, error))?);
        }
        let fleet = Self {
            mailboxes,
            meters,
            threads: Mutex::new(threads),
            state: Mutex::new(State { plan: Arc::default(), open: HashMap::new() }),
            draining: AtomicBool::new(false),
            drain_until: Mutex::new(None),
            started,
            inherited: settings.inherited,
        };
        fleet.publish(plan).inspect_err(|_| fleet.stop())?;
        Ok(fleet)
    }

    /// A fleet whose workers run elsewhere, in simulation.
    #[cfg(feature = "sim")]
    pub(crate) fn without_threads(mailboxes: Vec<Mailbox>, meters: Vec<Arc<WorkerMeter>>) -> Self {
        Self {
            mailboxes,
            meters,
            threads: Mutex::new(Vec::new()),
            state: Mutex::new(State { plan: Arc::default(), open: HashMap::new() }),
            draining: AtomicBool::new(false),
            drain_until: Mutex::new(None),
            started: Instant::now(),
            inherited: Inherited::default(),
        }
    }

    /// Closes everything at once.
    pub fn stop(&self) {
        self.tell(|| Mail::Stop);
    }

    /// Asks every worker whether it is there, and counts who has answered. One that has ended well counts too.
    pub fn ask_all(&self) -> Arc<AtomicUsize> {
        let answered = Arc::new(AtomicUsize::new(0));
        for mailbox in &self.mailboxes {
            if mailbox.send(Mail::Answer(answered.clone())).is_err() {
                answered.fetch_add(1, Ordering::AcqRel);
            }
        }
        answered
    }

    /// Waits until every worker has ended, after [`Workers::drain`] or [`Fleet::stop`].
    pub fn join(&self) {
        let threads = std::mem::take(&mut *lock(&self.threads));
        for thread in threads {
            // A worker that panicked has ended too; connections catch their own panics.
            let _ = thread.join();
        }
    }

    fn tell(&self, mail: impl Fn() -> Mail) {
        for mailbox in &self.mailboxes {
            // A worker that has ended needs no mail.
            let _ = mailbox.send(mail());
        }
    }
}

impl Workers for Fleet {
    fn publish(&self, plan: Arc<Plan>) -> Result<(), PublishError> {
        let mut state = lock(&self.state);
        let mut open = HashMap::new();
        let mut bound: Vec<Vec<Bound>> = self.mailboxes.iter().map(|_| Vec::new()).collect();
        for listener in &plan.listeners {
            match state.open.get(&listener.name) {
                Some((address, at)) if *address == listener.address => {
                    open.insert(listener.name.clone(), (address.clone(), *at));
                }
                _ => {
                    let (sockets, at) =
                        accept::bind(listener, self.mailboxes.len(), &self.inherited).map_err(|error| {
                            PublishError { listener: listener.name.clone(), address: listener.address.clone(), error }
                        })?;
                    bound.iter_mut().zip(sockets).for_each(|(bound, socket)| bound.push(socket));
                    open.insert(listener.name.clone(), (listener.address.clone(), at));
                }
            }
        }
        for (mailbox, bound) in self.mailboxes.iter().zip(bound) {
            let _ = mailbox.send(Mail::Plan(plan.clone(), bound));
        }
        *state = State { plan, open };
        Ok(())
    }

    fn plan(&self) -> Arc<Plan> {
        lock(&self.state).plan.clone()
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    fn meters(&self) -> &[Arc<WorkerMeter>] {
        &self.meters
    }

    fn listening(&self) -> Vec<(Arc<str>, SocketAddr)> {
        let state = lock(&self.state);
        let names = state.plan.listeners.iter().map(|listener| &listener.name);
        names.filter_map(|name| state.open.get(name).map(|(_, at)| (name.clone(), *at))).collect()
    }

    fn drain(&self) {
        if !self.draining.swap(true, Ordering::AcqRel) {
            let timeout = self.plan().drain_timeout;
            *lock(&self.drain_until) = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        }
        self.tell(|| Mail::Drain);
    }

    fn drain_left(&self) -> Option<Duration> {
        let until = *lock(&self.drain_until);
        until.map(|until| until.saturating_duration_since(Instant::now()))
    }

    fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }
}

/// Where a worker's records go.
struct Outlets {
    log: Log,
    sights: SightLog,
}

/// The life of one worker's thread.
fn run_worker(
    id: usize,
    meter: Arc<WorkerMeter>,
    outlets: Outlets,
    peers: Vec<Mailbox>,
    mail: mpsc::UnboundedReceiver<Mail>,
    started: Instant,
    give_back: fn(),
) {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    // Threads that wait for disks; each ends when it has had nothing to do for ten seconds.
    builder.max_blocking_threads(DISK_THREADS_MAX);
    let Ok(runtime) = builder.enable_io().enable_time().build_local(tokio::runtime::LocalOptions::default()) else {
        return;
    };
    let mut ids = IdSource::new();
    let seed = ids.random();
    let Outlets { log, sights } = outlets;
    let birth = Birth { id, meter, log, sights, ids, peers, started, seed, give_back };
    let worker = Worker::new(birth);
    runtime.block_on(worker.clone().run(mail));
    // What a stop cuts off is written down as its tasks are dropped.
    drop(runtime);
    worker.flush_log();
}

fn unstartable(plan: &Plan, error: std::io::Error) -> PublishError {
    let listener = plan.listeners.first();
    PublishError {
        listener: listener.map_or_else(|| "".into(), |listener| listener.name.clone()),
        address: listener.map_or(ListenAddress::Unix("".into()), |listener| listener.address.clone()),
        error,
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Where records go that nobody asked for.
struct Nowhere;

impl RecordSink for Nowhere {
    fn submit(&mut self, _lines: Vec<u8>, _records: u64) -> bool {
        true
    }

    fn recycle(&mut self) -> Option<Vec<u8>> {
        None
    }
}
