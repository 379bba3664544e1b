//! Endpoints from DNS, looked up again as often as their records say, on a thread of its own.
//!
//! What was found last stays when a look-up fails or comes back empty: a name server that is down, or a zone that was
//! emptied by mistake, takes no endpoint away. That a name does not resolve at the start stops nothing.

mod resolver;

pub use resolver::{Family, LookupError};

use crate::resolve::jittered;
use resolver::Resolver;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::net::SocketAddr;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use strait_plan::{Found, Lookup};
use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::AbortHandle;
use tokio::time::sleep;

/// The shortest and longest time between two look-ups that succeed, whatever the records say: a TTL of zero must not
/// ask without pause, and one of a day must not keep what was corrected an hour ago.
const TTL_MIN: Duration = Duration::from_secs(1);
const TTL_MAX: Duration = Duration::from_secs(300);
/// After a look-up that failed, the first time and at most.
const RETRY_MIN: Duration = Duration::from_secs(1);
const RETRY_MAX: Duration = Duration::from_secs(30);
/// Endpoints of one look-up; further ones are left out, and that is said.
pub const FOUND_MAX: usize = 1024;

/// What is found, by look-up.
pub type Finds = BTreeMap<Lookup, Vec<Found>>;

/// The running discovery. Dropped, it ends.
#[derive(Debug)]
pub struct Discovery {
    orders: Option<UnboundedSender<Vec<Lookup>>>,
    board: Arc<Board>,
    thread: Option<JoinHandle<()>>,
}

/// What is known, for whoever waits for it.
#[derive(Debug, Default)]
struct Board {
    known: Mutex<Known>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Known {
    finds: Finds,
    /// What was looked up at least once, with whatever outcome.
    tried: HashSet<Lookup>,
}

impl Discovery {
    /// Starts with these name servers, or the system's. What changes is sent to the receiver: what was looked up.
    ///
    /// # Errors
    /// What the system says when the thread cannot be started or its configuration not be read.
    pub fn start(servers: &[SocketAddr], family: Family) -> io::Result<(Self, Receiver<Lookup>)> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let resolver = Arc::new(runtime.block_on(async { Resolver::new(servers, family) })?);
        let board = Arc::new(Board::default());
        let (changes, changed) = mpsc::channel();
        let (orders, incoming) = unbounded_channel();
        let lookups = Lookups { running: HashMap::new(), resolver, board: board.clone(), changes };
        let thread = thread::Builder::new().name("discovery".into()).spawn(move || {
            runtime.block_on(lookups.run(incoming));
            runtime.shutdown_background();
        })?;
        Ok((Self { orders: Some(orders), board, thread: Some(thread) }, changed))
    }

    /// Makes these look-ups from now on, and no others. Waits until each was tried once, for `wait` at most; gives what
    /// is known of them.
    pub fn adopt(&self, lookups: Vec<Lookup>, wait: Duration) -> Finds {
        if let Some(orders) = &self.orders {
            let _ = orders.send(lookups.clone());
        }
        let deadline = Instant::now() + wait;
        let mut known = self.board.lock();
        while !lookups.iter().all(|lookup| known.tried.contains(lookup)) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            known = match self.board.changed.wait_timeout(known, left) {
                Ok((known, _)) => known,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        let finds = known.finds.iter().filter(|(lookup, _)| lookups.contains(lookup));
        finds.map(|(lookup, found)| (lookup.clone(), found.clone())).collect()
    }

    /// What a look-up found, last.
    pub fn known(&self, lookup: &Lookup) -> Option<Vec<Found>> {
        self.board.lock().finds.get(lookup).cloned()
    }
}

impl Drop for Discovery {
    fn drop(&mut self) {
        self.orders.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Board {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes an outcome; whether it says something new.
    fn note(&self, lookup: &Lookup, found: Option<Vec<Found>>) -> bool {
        let mut known = self.lock();
        known.tried.insert(lookup.clone());
        let is_news = found.as_ref().is_some_and(|found| known.finds.get(lookup) != Some(found));
        if let (Some(found), true) = (found, is_news) {
            known.finds.insert(lookup.clone(), found);
        }
        self.changed.notify_all();
        is_news
    }
}

/// The look-ups, each by a task of its own.
struct Lookups {
    running: HashMap<Lookup, AbortHandle>,
    resolver: Arc<Resolver>,
    board: Arc<Board>,
    changes: Sender<Lookup>,
}

impl Lookups {
    async fn run(mut self, mut orders: UnboundedReceiver<Vec<Lookup>>) {
        while let Some(lookups) = orders.recv().await {
            self.running.retain(|lookup, task| {
                let stays = lookups.contains(lookup);
                if !stays {
                    task.abort();
                    let mut known = self.board.lock();
                    known.finds.remove(lookup);
                    known.tried.remove(lookup);
                }
                stays
            });
            for lookup in lookups {
                let (resolver, board, changes) = (&self.resolver, &self.board, &self.changes);
                self.running.entry(lookup.clone()).or_insert_with(|| {
                    let keep = keep_found(lookup, resolver.clone(), board.clone(), changes.clone());
                    tokio::spawn(keep).abort_handle()
                });
            }
        }
    }
}

/// Looks up again and again, and says when that begins to fail and when it works again.
async fn keep_found(lookup: Lookup, resolver: Arc<Resolver>, board: Arc<Board>, changes: Sender<Lookup>) {
    let mut failures: u32 = 0;
    loop {
        let last = board.lock().finds.get(&lookup).cloned().unwrap_or_default();
        let pause = match resolver.find(&lookup, &last).await {
            Ok((found, ttl)) => {
                if failures > 0 {
                    crate::say(&format!("discovery: `{lookup}` resolves again"));
                }
                failures = 0;
                let (found, left_out) = bounded(found);
                if board.note(&lookup, Some(found)) {
                    if left_out > 0 {
                        crate::say(&format!(
                            "discovery: `{lookup}` has {left_out} endpoints more than {FOUND_MAX}, which are used"
                        ));
                    }
                    let _ = changes.send(lookup.clone());
                }
                ttl.clamp(TTL_MIN, TTL_MAX)
            }
            Err(error) => {
                if failures == 0 {
                    crate::say(&format!(
                        "discovery: `{lookup}` does not resolve, what is known of it is kept: {error}"
                    ));
                }
                board.note(&lookup, None);
                failures = failures.saturating_add(1);
                jittered(RETRY_MIN.saturating_mul(1 << failures.min(6).saturating_sub(1)).min(RETRY_MAX))
            }
        };
        sleep(pause).await;
    }
}

/// In order, so that the order of an answer, which name servers change each time, is no change; and how many are left out.
fn bounded(mut found: Vec<Found>) -> (Vec<Found>, usize) {
    found.sort();
    found.dedup_by_key(|found| found.address);
    let left_out = found.len().saturating_sub(FOUND_MAX);
    found.truncate(FOUND_MAX);
    (found, left_out)
}

#[cfg(test)]
mod tests;
