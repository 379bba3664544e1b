//! Workers that share a thread.

use crate::fleet::Fleet;
use crate::log::Log;
use crate::mail::Mail;
use crate::request_id::IdSource;
use crate::sight::SightLog;
use crate::worker::{Birth, Worker};
use std::rc::Rc;
use std::sync::Arc;
use strait_plan::{Plan, PublishError};
use strait_record::{RecordSink, WorkerMeter};
use tokio::sync::mpsc;
use tokio::task::{JoinHandle, LocalSet, spawn_local};
use tokio::time::Instant;

/// The workers of a simulation. What they are told goes the same road as in the product.
pub struct SimFleet {
    fleet: Fleet,
    workers: Vec<Rc<Worker>>,
    lives: Vec<JoinHandle<()>>,
}

/// What the workers hold that exchanges and connections should have given back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Remains {
    /// Buffers that were borrowed.
    pub buffers: usize,
    /// Alarms of connections and exchanges.
    pub alarms: usize,
    /// References to workers, by tasks that should have ended.
    pub tasks: usize,
}

impl SimFleet {
    /// Starts a worker for each sink in the current set of local tasks, and publishes the first plan to them.
    ///
    /// # Errors
    /// As for the fleet of the product.
    pub fn start(seed: u64, sinks: Vec<Box<dyn RecordSink>>, plan: Arc<Plan>) -> Result<Self, PublishError> {
        let (mailboxes, mail): (Vec<_>, Vec<_>) = sinks.iter().map(|_| mpsc::unbounded_channel()).unzip();
        let meters: Vec<Arc<WorkerMeter>> = sinks.iter().map(|_| Arc::default()).collect();
        let fleet = Fleet::without_threads(mailboxes.clone(), meters.clone());
        let started = Instant::now();
        let births = sinks.into_iter().zip(meters).enumerate().map(|(id, (sink, meter))| Birth {
            id,
            meter,
            log: Log::new(sink),
            sights: SightLog::new(None),
            ids: IdSource::seeded(seed ^ id as u64),
            peers: mailboxes.clone(),
            started,
            seed: seed ^ (id as u64) << 32,
            give_back: || (),
        });
        let workers: Vec<_> = births.map(Worker::new).collect();
        let lives = workers.iter().zip(mail).map(|(worker, mail)| spawn_local(live(worker.clone(), mail))).collect();
        let whole = Self { fleet, workers, lives };
        strait_plan::Workers::publish(&whole.fleet, plan)?;
        Ok(whole)
    }

    /// The fleet as the control plane sees it.
    pub fn fleet(&self) -> &Fleet {
        &self.fleet
    }

    /// Waits until every worker has ended. Whether none of them panicked.
    pub async fn ended(&mut self) -> bool {
        let mut well = true;
        for life in std::mem::take(&mut self.lives) {
            well &= life.await.is_ok();
        }
        well
    }

    /// What is still held. Nothing is, once the workers have ended after a drain.
    pub fn remains(&self) -> Remains {
        let sum = |count: fn(&Worker) -> usize| self.workers.iter().map(|worker| count(worker) - 1).sum();
        Remains {
            buffers: sum(|worker| Rc::strong_count(&worker.buffers)),
            alarms: sum(|worker| Rc::strong_count(&worker.wheel)),
            tasks: self.workers.iter().map(|worker| Rc::strong_count(worker) - 1).sum(),
        }
    }
}

/// The life of one worker: with it end all its tasks, as with the thread of one in the product.
async fn live(worker: Rc<Worker>, mail: mpsc::UnboundedReceiver<Mail>) {
    let tasks = LocalSet::new();
    tasks.run_until(worker.clone().run(mail)).await;
    drop(tasks);
    worker.flush_log();
}
