//! Names of endpoints to addresses, on a thread of its own and the system's resolver on threads beside it.
//!
//! Workers read the last addresses a name had; that it stops resolving never takes them away, and that it does not
//! resolve at the start stops nothing (static stability: once started, Strait serves without DNS).

use std::collections::HashMap;
use std::fmt::Display;
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use strait_plan::{EndpointAddress, EndpointState, Plan};
use tokio::runtime::Builder;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::{AbortHandle, spawn_blocking};
use tokio::time::sleep;

/// Look-ups that run at the same time. A resolver that hangs holds them, and nothing else.
const LOOKUPS_MAX: usize = 8;

/// How often names are looked up, before jitter of a tenth either way.
#[derive(Clone, Copy, Debug)]
pub struct ResolveIntervals {
    /// After an answer.
    pub refresh: Duration,
    /// After none.
    pub retry: Duration,
}

impl Default for ResolveIntervals {
    /// 30 seconds, and 5.
    fn default() -> Self {
        Self { refresh: Duration::from_secs(30), retry: Duration::from_secs(5) }
    }
}

/// The running resolver. Dropped, it ends; a look-up that hangs is left behind.
#[derive(Debug)]
pub struct Resolver {
    orders: Option<UnboundedSender<Adopt>>,
    thread: Option<JoinHandle<()>>,
}

type Name = (String, u16);
type States = Vec<Arc<EndpointState>>;
type Lookup = Arc<dyn Fn(&str, u16) -> io::Result<Vec<SocketAddr>> + Send + Sync>;

/// The names of a plan from now on.
#[derive(Debug)]
struct Adopt {
    names: HashMap<Name, States>,
    /// Told once for each name that was looked up for the first time; dropped with it.
    tried: mpsc::Sender<()>,
}

impl Resolver {
    /// Starts with the system's resolver (getaddrinfo) and no names.
    ///
    /// # Errors
    /// What the system says when the thread cannot be started.
    pub fn start(intervals: ResolveIntervals) -> io::Result<Self> {
        Self::start_with(intervals, Arc::new(|host, port| Ok((host, port).to_socket_addrs()?.collect())))
    }

    fn start_with(intervals: ResolveIntervals, lookup: Lookup) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_time().max_blocking_threads(LOOKUPS_MAX).build()?;
        let (orders, incoming) = unbounded_channel();
        let names = Names { running: HashMap::new(), intervals, lookup };
        let thread = thread::Builder::new().name("resolver".into()).spawn(move || {
            runtime.block_on(names.run(incoming));
            // Without waiting for look-ups that hang.
            runtime.shutdown_background();
        })?;
        Ok(Self { orders: Some(orders), thread: Some(thread) })
    }

    /// Looks up the names of this plan's endpoints from now on, and no others. Call it before the plan is published.
    ///
    /// Waits until each new name was tried once, for `wait` at most. Gives the names that have no address yet: they
    /// are tried again by themselves. Addresses written as such are known at once.
    pub fn adopt(&self, plan: &Plan, wait: Duration) -> Vec<String> {
        let mut names: HashMap<Name, States> = HashMap::new();
        for state in plan.upstreams.iter().flat_map(|upstream| &upstream.endpoints).map(|endpoint| &endpoint.state) {
            if let EndpointAddress::Name(host, port) = &state.address {
                match literal(host) {
                    Some(address) => state.set_resolved(&[SocketAddr::new(address, *port)]),
                    None => names.entry((host.clone(), *port)).or_default().push(state.clone()),
                }
            }
        }
        let (tried, trying) = mpsc::channel();
        let expected: Vec<(Name, States)> = names.iter().map(|(name, states)| (name.clone(), states.clone())).collect();
        if let Some(orders) = &self.orders {
            let _ = orders.send(Adopt { names, tried });
        }
        let deadline = Instant::now() + wait;
        // Disconnected once every new name was tried. Where there is none, a start does not wait for a thread to begin.
        while !expected.is_empty() && trying.recv_timeout(deadline.saturating_duration_since(Instant::now())).is_ok() {}
        let unknown = expected.into_iter().filter(|(_, states)| is_unknown(states));
        unknown.map(|((host, port), _)| format!("{host}:{port}")).collect()
    }
}

impl Drop for Resolver {
    fn drop(&mut self) {
        self.orders.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn literal(host: &str) -> Option<IpAddr> {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host).parse().ok()
}

fn is_unknown(states: &States) -> bool {
    states.iter().any(|state| state.resolved().is_empty())
}

/// The names that are looked up, each by a task of its own.
struct Names {
    running: HashMap<Name, Running>,
    intervals: ResolveIntervals,
    lookup: Lookup,
}

struct Running {
    states: Arc<Mutex<States>>,
    task: AbortHandle,
}

impl Names {
    async fn run(mut self, mut orders: UnboundedReceiver<Adopt>) {
        while let Some(Adopt { names, tried }) = orders.recv().await {
            self.running.retain(|name, running| {
                let stays = names.contains_key(name);
                if !stays {
                    running.task.abort();
                }
                stays
            });
            for (name, states) in names {
                self.adopt(name, states, &tried);
            }
        }
    }

    fn adopt(&mut self, name: Name, states: States, tried: &mpsc::Sender<()>) {
        if let Some(running) = self.running.get(&name) {
            let mut known = running.states.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(before) = known.first().map(|state| state.resolved()) {
                states.iter().for_each(|state| state.set_resolved(&before));
            }
            *known = states;
            return;
        }
        let states = Arc::new(Mutex::new(states));
        let keep = keep_resolved(name.clone(), states.clone(), self.intervals, self.lookup.clone(), tried.clone());
        let task = tokio::spawn(keep).abort_handle();
        self.running.insert(name, Running { states, task });
    }
}

/// Looks a name up again and again, and says when that begins to fail and when it works again.
async fn keep_resolved(
    name: Name,
    states: Arc<Mutex<States>>,
    intervals: ResolveIntervals,
    lookup: Lookup,
    tried: mpsc::Sender<()>,
) {
    let mut tried = Some(tried);
    let mut failing = false;
    loop {
        let (lookup, asked) = (lookup.clone(), name.clone());
        let answer = spawn_blocking(move || lookup(&asked.0, asked.1)).await;
        let fails = match answer {
            Ok(Ok(addresses)) if !addresses.is_empty() => {
                set_resolved(&states, &addresses);
                false
            }
            Ok(Ok(_)) => told(failing, &name, &"it has no address"),
            Ok(Err(error)) => told(failing, &name, &error),
            Err(_) => told(failing, &name, &"the look-up panicked"),
        };
        if failing && !fails {
            crate::say(&format!("resolver: `{}` resolves again", name.0));
        }
        failing = fails;
        if let Some(tried) = tried.take() {
            let _ = tried.send(());
        }
        sleep(jittered(if failing { intervals.retry } else { intervals.refresh })).await;
    }
}

/// Says that a name does not resolve, when that is new. Always true.
fn told(already: bool, name: &Name, reason: &dyn Display) -> bool {
    if !already {
        crate::say(&format!("resolver: `{}` does not resolve, what is known of it is kept: {reason}", name.0));
    }
    true
}

fn set_resolved(states: &Mutex<States>, addresses: &[SocketAddr]) {
    for state in states.lock().unwrap_or_else(PoisonError::into_inner).iter() {
        if *state.resolved() != *addresses {
            state.set_resolved(addresses);
        }
    }
}

/// Between nine and eleven tenths, so that names do not come in step.
pub(crate) fn jittered(interval: Duration) -> Duration {
    // A keyed hash of nothing is random by its key.
    let random = RandomState::new().hash_one(()) % 1024;
    interval.mul_f64(0.9 + 0.2 * random as f64 / 1024.0)
}

#[cfg(test)]
mod tests;
