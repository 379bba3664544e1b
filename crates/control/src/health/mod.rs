//! Health of endpoints: active checks and the comparison of endpoints with each other, on a thread of its own.
//!
//! Each endpoint is asked by one task, however many routes lead to it and workers serve them, and the verdict is written
//! where all workers read it. A reload touches no task whose check did not change; a new endpoint is asked at once.

mod compare;
mod grpc;
mod http;
mod probe;

use probe::Asked;
use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use strait_plan::{Endpoint, EndpointState, Health, HealthCheck, Plan, Upstream, Workers};
use strait_tls::ClientPolicy;
use strait_traffic::ActiveHealth;
use tokio::runtime::Builder;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};

/// Checks that run at the same time. More wait their turn, so that ten thousand new endpoints do not take every
/// descriptor at once.
const PROBES_MAX: usize = 256;

/// The running checker. Dropped, it ends; what it wrote stays.
#[derive(Debug)]
pub struct Checker {
    orders: Option<UnboundedSender<Arc<Plan>>>,
    thread: Option<JoinHandle<()>>,
}

impl Checker {
    /// Starts without anything to check.
    ///
    /// # Errors
    /// What the system says when the thread cannot be started.
    pub fn start(workers: Arc<dyn Workers>) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
        let (orders, incoming) = unbounded_channel();
        let checks = Checks {
            workers,
            running: HashMap::new(),
            comparing: HashMap::new(),
            plan: CurrentPlan::default(),
            turns: Arc::new(Semaphore::new(PROBES_MAX)),
        };
        let thread = thread::Builder::new().name("health".into()).spawn(move || {
            runtime.block_on(checks.run(incoming));
        })?;
        Ok(Self { orders: Some(orders), thread: Some(thread) })
    }

    /// Checks the endpoints of this plan from now on, and no others. Does not wait.
    pub fn adopt(&self, plan: Arc<Plan>) {
        if let Some(orders) = &self.orders {
            let _ = orders.send(plan);
        }
    }
}

impl Drop for Checker {
    fn drop(&mut self) {
        self.orders.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The plan that is in force, for tasks that outlive one.
type CurrentPlan = Arc<Mutex<Arc<Plan>>>;

struct Checks {
    workers: Arc<dyn Workers>,
    /// By the identity of the endpoint.
    running: HashMap<usize, Running>,
    /// By the name of the upstream.
    comparing: HashMap<Arc<str>, AbortHandle>,
    plan: CurrentPlan,
    turns: Arc<Semaphore>,
}

struct Running {
    check: Arc<HealthCheck>,
    state: Arc<EndpointState>,
    task: AbortHandle,
}

impl Checks {
    async fn run(mut self, mut orders: UnboundedReceiver<Arc<Plan>>) {
        while let Some(plan) = orders.recv().await {
            *self.plan.lock().unwrap_or_else(PoisonError::into_inner) = plan.clone();
            self.adopt(&plan);
        }
    }

    fn adopt(&mut self, plan: &Plan) {
        let own = || plan.upstreams.iter().map(|upstream| &**upstream).filter(|upstream| upstream.variant_of.is_none());
        let mut wanted = HashMap::new();
        for upstream in own() {
            if let Some(check) = &upstream.health_check {
                wanted.extend(upstream.endpoints.iter().map(|e| (identity(&e.state), (upstream, e, check))));
            }
        }
        self.end_unwanted(&wanted);
        for (identity, (upstream, endpoint, check)) in wanted {
            if !self.running.contains_key(&identity) {
                self.begin(identity, upstream, endpoint, check);
            }
        }
        self.compare(own().filter(|upstream| upstream.outliers.is_some()));
    }

    /// Ends what is not checked any more, or otherwise than before.
    fn end_unwanted(&mut self, wanted: &HashMap<usize, (&Upstream, &Endpoint, &Arc<HealthCheck>)>) {
        let now_ms = self.workers.now_ms();
        self.running.retain(|identity, running| {
            let stays = wanted.get(identity).is_some_and(|(_, _, check)| ***check == *running.check);
            if !stays {
                running.task.abort();
                if !wanted.contains_key(identity) {
                    // Nobody asks any more: nothing is known.
                    running.state.standing.set_health(Health::Unknown, now_ms);
                }
            }
            stays
        });
    }

    fn begin(&mut self, identity: usize, upstream: &Upstream, endpoint: &Endpoint, check: &Arc<HealthCheck>) {
        let keeper = Keeper {
            name: format!("{} of {}", endpoint.name, upstream.name),
            endpoint: endpoint.clone(),
            takes_hints: upstream.takes_hints,
            check: check.clone(),
            tls: probe::policy(check, endpoint),
            workers: self.workers.clone(),
            turns: self.turns.clone(),
        };
        let task = tokio::spawn(keeper.keep_checking()).abort_handle();
        self.running.insert(identity, Running { check: check.clone(), state: endpoint.state.clone(), task });
    }

    /// Compares the endpoints of these upstreams, and those of no others.
    fn compare<'p>(&mut self, upstreams: impl Iterator<Item = &'p Upstream>) {
        let names: Vec<&Arc<str>> = upstreams.map(|upstream| &upstream.name).collect();
        self.comparing.retain(|name, task| {
            let stays = names.contains(&name);
            if !stays {
                task.abort();
            }
            stays
        });
        for name in names {
            self.comparing.entry(name.clone()).or_insert_with(|| {
                let comparing = compare::keep_comparing(name.clone(), self.plan.clone(), self.workers.clone());
                tokio::spawn(comparing).abort_handle()
            });
        }
    }
}

/// What tells endpoints apart over all plans. [`Running`] keeps the state alive, so that no other gets its address.
fn identity(state: &Arc<EndpointState>) -> usize {
    Arc::as_ptr(state).addr()
}

/// Who checks one endpoint.
struct Keeper {
    /// For people.
    name: String,
    endpoint: Endpoint,
    takes_hints: bool,
    check: Arc<HealthCheck>,
    /// How TLS is spoken, if it is.
    tls: Option<ClientPolicy>,
    workers: Arc<dyn Workers>,
    turns: Arc<Semaphore>,
}

impl Keeper {
    async fn keep_checking(self) {
        let rules = self.check.rules;
        let known = match self.endpoint.state.standing.health() {
            Health::Healthy => true,
            Health::Unhealthy => false,
            Health::Unknown => rules.starts_healthy,
        };
        let mut health = ActiveHealth::new(&strait_traffic::CheckRules { starts_healthy: known, ..rules });
        loop {
            let result = self.probe().await;
            self.count(&result);
            if health.record(result.is_ok(), &rules) {
                self.turned(health.is_healthy(), &result);
            }
            let verdict = if health.is_healthy() { Health::Healthy } else { Health::Unhealthy };
            self.endpoint.state.standing.set_health(verdict, self.workers.now_ms());
            sleep(Duration::from_millis(health.pause_ms(&rules, crate::random()))).await;
        }
    }

    /// Asks once. The time does not begin before it is the check's turn.
    async fn probe(&self) -> Result<(), String> {
        let _turn = self.turns.acquire().await;
        let asked = Asked { endpoint: &self.endpoint, port: self.check.port, tls: self.tls.as_ref() };
        match timeout(self.check.timeout, probe::probe(&self.check, &asked)).await {
            Ok(Ok(hint)) => {
                if let Some(hint) = hint.filter(|_| self.takes_hints) {
                    hint.apply(&self.endpoint, self.workers.now_ms());
                }
                Ok(())
            }
            Ok(Err(why)) => Err(why),
            Err(_) => Err(format!("no answer within {:?}", self.check.timeout)),
        }
    }

    fn count(&self, result: &Result<(), String>) {
        let figures = &self.endpoint.state.checks;
        match result {
            Ok(()) => figures.passed_once(),
            Err(why) => figures.failed_once(why),
        }
    }

    fn turned(&self, is_healthy: bool, result: &Result<(), String>) {
        match (is_healthy, result) {
            (false, Err(why)) => crate::say(&format!("health: {} is unhealthy: {why}", self.name)),
            _ => crate::say(&format!("health: {} is healthy", self.name)),
        }
    }
}

#[cfg(test)]
mod tests;
