//! What is made of exchanges beside the access log: the ring of failures, what those who watch see, spans and logs
//! that are sent as OTLP. One thread takes what all workers hand over; they never wait for it.

mod clients;
mod failures;
mod recent;

pub use clients::{CLIENTS_MAX, ClientFigures};
pub use failures::FAILURES_MAX;
pub use recent::RECENT_BYTES_MAX;

use crate::otlp::{ExportMeter, ExportSettings, Exporter};
use clients::Clients;
use failures::Failures;
use recent::Recent;
use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender, TrySendError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use strait_record::{SightSink, Sights, Watched};

/// Octets of exchanges that may wait to be looked at, over all workers.
pub const QUEUED_BYTES_MAX: usize = 16 << 20;
/// Batches that may wait to be looked at, over all workers.
const QUEUED_BATCHES_MAX: usize = 1024;
/// How long every exchange is wanted after somebody asked for it.
pub const WATCH_TIMEOUT: Duration = Duration::from_secs(10);
/// Between two looks at what has become due.
const TURN: Duration = Duration::from_millis(200);

/// Who takes what the workers see.
#[derive(Debug)]
pub struct Sightings {
    orders: SyncSender<Sights>,
    shared: Arc<Shared>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Shared {
    watched: Watched,
    queued_bytes: AtomicUsize,
    stopping: AtomicBool,
    state: Mutex<State>,
    meter: Arc<ExportMeter>,
}

#[derive(Debug, Default)]
struct State {
    failures: Failures,
    recent: Recent,
    clients: Clients,
    exporter: Option<Exporter>,
    watched_until: Option<Instant>,
}

/// A worker's way in.
#[derive(Debug)]
struct Inlet {
    orders: SyncSender<Sights>,
    shared: Arc<Shared>,
}

impl Sightings {
    /// Starts the thread.
    ///
    /// # Errors
    /// What the system says when it cannot be started.
    pub fn start() -> io::Result<Self> {
        let (orders, queue) = mpsc::sync_channel(QUEUED_BATCHES_MAX);
        let shared = Arc::new(Shared {
            watched: Watched::default(),
            queued_bytes: AtomicUsize::new(0),
            stopping: AtomicBool::new(false),
            state: Mutex::default(),
            meter: Arc::default(),
        });
        let taking = shared.clone();
        let thread = thread::Builder::new().name("sights".into()).spawn(move || taking.run(&queue))?;
        Ok(Self { orders, shared, thread: Mutex::new(Some(thread)) })
    }

    /// A way in for a worker.
    pub fn sink(&self) -> Box<dyn SightSink> {
        Box::new(Inlet { orders: self.orders.clone(), shared: self.shared.clone() })
    }

    /// Sends spans and logs there from now on; what was collected for elsewhere is sent there.
    ///
    /// # Errors
    /// What the system says when the sender cannot be started; then it is as before.
    pub fn export(&self, settings: Option<ExportSettings>) -> io::Result<()> {
        let exporter = settings.map(|settings| Exporter::start(settings, self.shared.meter.clone())).transpose()?;
        let before = std::mem::replace(&mut self.shared.lock().exporter, exporter);
        drop(before);
        Ok(())
    }

    /// What is counted about sending.
    pub fn meter(&self) -> Arc<ExportMeter> {
        self.shared.meter.clone()
    }

    /// Wants every exchange for [`WATCH_TIMEOUT`] from now.
    pub fn watch(&self) {
        self.shared.lock().watched_until = Some(Instant::now() + WATCH_TIMEOUT);
        self.shared.watched.set(true);
    }

    /// The number that the next exchange gets.
    pub fn next_number(&self) -> u64 {
        self.shared.lock().recent.next_number()
    }

    /// The batches that hold exchanges from this number on, each with the number of its first, and how many were
    /// forgotten before they were asked for.
    pub fn since(&self, number: u64) -> (Vec<(u64, Arc<Sights>)>, u64) {
        self.shared.lock().recent.since(number)
    }

    /// What clients did since somebody began to watch, the busiest first.
    pub fn clients(&self) -> Vec<ClientFigures> {
        self.shared.lock().clients.figures()
    }

    /// The failed exchange with this request id: a batch that holds it alone.
    pub fn failure(&self, request_id: &str) -> Option<Arc<Sights>> {
        self.shared.lock().failures.find(request_id)
    }

    /// The failures that are remembered, the latest first.
    pub fn failures(&self) -> Vec<Arc<Sights>> {
        self.shared.lock().failures.latest()
    }

    /// Takes what is queued, sends what is to be sent, and ends the thread, within about `limit`.
    pub fn stop(&self, limit: Duration) {
        self.shared.stopping.store(true, Ordering::Release);
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let _ = thread.join();
        }
        let exporter = self.shared.lock().exporter.take();
        if let Some(exporter) = exporter {
            exporter.stop(limit);
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn run(&self, queue: &Receiver<Sights>) {
        loop {
            let stopping = self.stopping.load(Ordering::Acquire);
            match queue.recv_timeout(if stopping { Duration::ZERO } else { TURN }) {
                Ok(sights) => self.take(sights),
                Err(RecvTimeoutError::Timeout) if stopping => return,
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) => {}
            }
            self.turn();
        }
    }

    fn take(&self, sights: Sights) {
        self.queued_bytes.fetch_sub(sights.octets(), Ordering::Relaxed);
        let sights = Arc::new(sights);
        let mut state = self.lock();
        let is_watched = state.watched_until.is_some();
        for sight in sights.iter() {
            if sight.has_failed() {
                state.failures.add(&sight);
            }
            if is_watched {
                state.clients.count(&sight.record);
            }
            if let Some(exporter) = &mut state.exporter {
                exporter.add(&sight);
            }
        }
        if is_watched {
            state.recent.add(sights);
        }
    }

    /// Ends a watch that nobody keeps up, and sends what has waited long enough.
    fn turn(&self) {
        let mut state = self.lock();
        if state.watched_until.is_some_and(|until| Instant::now() >= until) {
            self.watched.set(false);
            state.watched_until = None;
            state.recent.clear();
            state.clients.clear();
        }
        if let Some(exporter) = &mut state.exporter {
            exporter.send_if_due();
        }
    }
}

impl SightSink for Inlet {
    fn watched(&self) -> Watched {
        self.shared.watched.clone()
    }

    fn submit(&mut self, sights: Sights) -> bool {
        let octets = sights.octets();
        let queued = self.shared.queued_bytes.fetch_add(octets, Ordering::Relaxed);
        let taken = queued.saturating_add(octets) <= QUEUED_BYTES_MAX
            && !matches!(self.orders.try_send(sights), Err(TrySendError::Full(_) | TrySendError::Disconnected(_)));
        if !taken {
            self.shared.queued_bytes.fetch_sub(octets, Ordering::Relaxed);
        }
        taken
    }
}

#[cfg(test)]
mod tests;
