//! One run: everything a seed decides, from the first connection to the last check.

use crate::case::{Case, Outcome};
use crate::client::Client;
use crate::records::{Record, Records};
use crate::world::{ENDPOINTS, Ending, World, endpoint_address};
use crate::{origin, panics};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use strait_compile::Compiler;
use strait_dataplane::sim::{Random, Remains, SimFleet};
use strait_plan::{EndpointState, Plan, Workers};
use strait_record::WorkerMeter;
use tokio::runtime::Builder;
use tokio::task::{JoinHandle, LocalSet, spawn_local};
use tokio::time::{Instant, sleep};

/// What a run showed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Equal for two runs in which the same happened.
    pub digest: u64,
    /// Requests that clients made.
    pub requests: usize,
    /// Answers that arrived whole, errors of Strait's own included.
    pub answers: usize,
    /// Deliveries to origins.
    pub deliveries: u32,
    /// What was not as it must be.
    pub failures: Vec<String>,
}

/// Runs the simulation that belongs to a seed. `printed` writes what happens to standard error.
pub fn run(seed: u64, printed: bool) -> Report {
    let panics = panics::Watch::begin();
    let mut builder = Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build().expect("a runtime without sockets can be built");
    let tasks = LocalSet::new();
    let mut report = tasks.block_on(&runtime, simulate(seed, printed));
    drop(tasks);
    report.failures.extend(panics.seen().into_iter().map(|panic| format!("panic: {panic}")));
    report
}

async fn simulate(seed: u64, printed: bool) -> Report {
    let mut random = Random::new(seed);
    let world = World::new(seed, printed, &mut random);
    let _entered = world.network.enter();
    let mut stage = Stage::build(seed, world.clone(), &mut random);
    let watch = stage.watch();
    let clients = stage.start(&mut random);
    stage.interfere().await;
    for client in clients {
        // A client that panicked is told by the watch.
        let _ = client.await;
    }
    stage.settle().await;
    stage.end().await;
    watch.abort();
    stage.check_records();
    stage.report()
}

/// The workers, and what is to be known about them in the end.
struct Stage {
    world: Rc<World>,
    compiler: Compiler,
    fleet: Option<SimFleet>,
    meters: Vec<Arc<WorkerMeter>>,
    records: Records,
    /// Of all endpoints there ever were.
    endpoints: Vec<Arc<EndpointState>>,
    generations: u64,
}

impl Stage {
    fn build(seed: u64, world: Rc<World>, random: &mut Random) -> Self {
        for endpoint in 0..ENDPOINTS {
            spawn_local(origin::run(world.clone(), endpoint, random.fork()));
        }
        let mut compiler = Compiler::new(world.knobs.workers);
        let plan = world.knobs.plan(&mut compiler, 0);
        let records = Records::default();
        let sinks = (0..world.knobs.workers).map(|_| Box::new(records.clone()) as _).collect();
        let fleet = SimFleet::start(seed, sinks, plan.clone()).expect("nothing else listens in this network");
        let meters = fleet.fleet().meters().to_vec();
        let mut stage =
            Self { world, compiler, fleet: Some(fleet), meters, records, endpoints: Vec::new(), generations: 1 };
        stage.remember(&plan);
        stage
    }

    fn remember(&mut self, plan: &Plan) {
        for endpoint in plan.upstreams.iter().flat_map(|upstream| &upstream.endpoints) {
            if !self.endpoints.iter().any(|known| Arc::ptr_eq(known, &endpoint.state)) {
                self.endpoints.push(endpoint.state.clone());
            }
        }
    }

    fn start(&self, random: &mut Random) -> Vec<JoinHandle<()>> {
        let clients = (0..self.world.knobs.clients).map(|number| {
            let client = Client { world: self.world.clone(), number: number as u8, random: random.fork() };
            spawn_local(client.run())
        });
        clients.collect()
    }

    /// Looks now and then whether more clients are connected than may be.
    fn watch(&self) -> JoinHandle<()> {
        let (world, meters) = (self.world.clone(), self.meters.clone());
        spawn_local(async move {
            let most = world.knobs.listener_connections.map_or(u64::MAX, u64::from);
            loop {
                sleep(Duration::from_millis(7)).await;
                let open: u64 = meters.iter().map(|meter| meter.connections_open.read()).sum();
                if open > most {
                    return world.fail(format!("{open} connections are open, {most} may be"));
                }
            }
        })
    }

    /// Publishes plans and tells to drain or stop, at their times.
    async fn interfere(&mut self) {
        let mut times: Vec<(u64, Option<Ending>)> = self.world.knobs.reloads.iter().map(|&ms| (ms, None)).collect();
        if let Ending::Drain(ms) | Ending::Stop(ms) = self.world.knobs.ends {
            times.push((ms, Some(self.world.knobs.ends)));
        }
        times.sort_by_key(|&(ms, _)| ms);
        let began = Instant::now();
        for (ms, what) in times {
            tokio::time::sleep_until(began + Duration::from_millis(ms)).await;
            match what {
                None => self.reload(),
                Some(ending) => {
                    self.world.say(|| format!("{ending:?}"));
                    self.world.ledger.borrow_mut().ending = true;
                    self.tell(ending);
                }
            }
        }
    }

    fn reload(&mut self) {
        let plan = self.world.knobs.plan(&mut self.compiler, self.generations as usize);
        self.generations += 1;
        self.world.say(|| format!("reload: generation {}", plan.generation));
        self.remember(&plan);
        if let Some(fleet) = &self.fleet
            && let Err(error) = fleet.fleet().publish(plan)
        {
            self.world.fail(format!("a plan could not be published: {error}"));
        }
    }

    fn tell(&self, ending: Ending) {
        if let Some(fleet) = &self.fleet {
            match ending {
                Ending::Quiet | Ending::Drain(_) => fleet.fleet().drain(),
                Ending::Stop(_) => fleet.fleet().stop(),
            }
        }
    }

    /// With all clients gone, exchanges end, and no connection to an endpoint is in use.
    async fn settle(&self) {
        if let Ending::Stop(_) = self.world.knobs.ends {
            return;
        }
        let began = Instant::now();
        // What clients sent before they left may still be under way.
        while !self.busy().is_empty() && began.elapsed() < Duration::from_secs(60) {
            sleep(Duration::from_millis(50)).await;
        }
        self.busy().into_iter().for_each(|what| self.world.fail(format!("without a client: {what}")));
    }

    /// What goes on in the workers.
    fn busy(&self) -> Vec<String> {
        let mut busy = Vec::new();
        let (exchanges, attempts) = (self.sum(|meter| meter.exchanges_running.read()), self.attempts_running());
        if exchanges + attempts > 0 {
            busy.push(format!("{exchanges} exchanges and {attempts} attempts run"));
        }
        for endpoint in &self.endpoints {
            let (open, idle, waiting) = (endpoint.open(), endpoint.idle(), endpoint.waiting());
            if open != idle || waiting != 0 {
                busy.push(format!("{:?}: {open} open, {idle} idle, {waiting} wait", endpoint.address));
            }
        }
        busy
    }

    /// Drains, and looks for what was not given back.
    async fn end(&mut self) {
        self.tell(self.world.knobs.ends);
        let Some(mut fleet) = self.fleet.take() else { return };
        match tokio::time::timeout(Duration::from_secs(60), fleet.ended()).await {
            Ok(true) => {}
            Ok(false) => self.world.fail("a worker panicked".to_owned()),
            Err(_) => self.world.fail("a worker does not end".to_owned()),
        }
        sleep(Duration::from_millis(100)).await;
        let remains = fleet.remains();
        if remains != Remains::default() {
            self.world.fail(format!("not given back: {remains:?}"));
        }
        drop(fleet);
        sleep(Duration::from_secs(20)).await;
        self.check_levels();
        self.check_limits();
    }

    fn check_levels(&self) {
        let levels: [(&str, fn(&WorkerMeter) -> u64); 4] = [
            ("connections open", |meter| meter.connections_open.read()),
            ("exchanges running", |meter| meter.exchanges_running.read()),
            ("tunnels open", |meter| meter.tunnels_open.read()),
            ("panics", |meter| meter.panics.read()),
        ];
        for (name, level) in levels {
            let level = self.sum(level);
            if level != 0 {
                self.world.fail(format!("{name}: {level} in the end"));
            }
        }
        for endpoint in &self.endpoints {
            if endpoint.open() != 0 || endpoint.waiting() != 0 {
                self.world.fail(format!("{:?}: {} open in the end", endpoint.address, endpoint.open()));
            }
        }
    }

    /// No limit was passed, as the network saw it.
    fn check_limits(&self) {
        let World { network, knobs, .. } = &*self.world;
        for endpoint in 0..ENDPOINTS {
            let open_max = network.open_max(endpoint_address(endpoint));
            if endpoint >= 3 && open_max > knobs.few_connections {
                self.world.fail(format!("endpoint {endpoint} had {open_max} connections"));
            }
        }
        let lost = self.sum(|meter| meter.records_lost.read());
        if lost != 0 {
            self.world.fail(format!("{lost} records lost"));
        }
    }

    fn sum(&self, figure: impl Fn(&WorkerMeter) -> u64) -> u64 {
        self.meters.iter().map(|meter| figure(meter)).sum()
    }

    fn attempts_running(&self) -> u64 {
        self.endpoints.iter().map(|endpoint| endpoint.meter.sum(|meter| meter.attempts_running.read())).sum()
    }

    /// Each exchange has one record that says what happened.
    fn check_records(&self) {
        let (all, by_case) = match self.records.read() {
            Ok(records) => records,
            Err(error) => return self.world.fail(error),
        };
        // A refused connection is written down too.
        let exchanges = self.sum(|meter| meter.exchanges.read() + meter.connections_refused.read());
        if all.len() as u64 != exchanges {
            self.world.fail(format!("{} records of {exchanges} exchanges", all.len()));
        }
        for record in &all {
            if !(1..=self.generations).contains(&record.generation) {
                self.world.fail(format!("{record:?}: no such generation"));
            }
        }
        let cases = self.world.ledger.borrow().cases.clone();
        for case in &cases {
            let records = by_case.get(&case.number).map_or(&[][..], Vec::as_slice);
            if let Err(wrong) = fits(case, records) {
                self.world.fail(format!("request {}: {wrong}; {:?}, {records:?}", case.number, case.outcome));
            }
        }
    }

    fn report(self) -> Report {
        let ledger = self.world.ledger.borrow();
        let answered = |case: &&Case| matches!(case.outcome, Outcome::Answered { .. } | Outcome::Own { .. });
        Report {
            digest: self.world.network.digest(),
            requests: ledger.cases.len(),
            answers: ledger.cases.iter().filter(answered).count(),
            deliveries: ledger.cases.iter().map(|case| case.deliveries).sum(),
            failures: ledger.failures.clone(),
        }
    }
}

/// Whether what is written down about a request is what its client and the origins saw.
fn fits(case: &Case, records: &[Record]) -> Result<(), String> {
    let seen = case.deliveries > 0 || matches!(case.outcome, Outcome::Answered { .. } | Outcome::Own { .. });
    let record = match records {
        [] if seen => return Err("no record".to_owned()),
        [] => return Ok(()),
        [only] => only,
        _ => return Err("more than one record".to_owned()),
    };
    if record.attempts < u64::from(case.deliveries) {
        return Err("delivered more often than tried".to_owned());
    }
    let complete = record.end == "complete";
    if !complete && record.end.split('.').count() != 3 {
        return Err("an end that is none".to_owned());
    }
    match &case.outcome {
        Outcome::Answered { id } if *id != record.id => Err("another request id".to_owned()),
        Outcome::Answered { .. } if !complete => Err("complete for the client, not in the record".to_owned()),
        Outcome::Answered { .. } if record.status != u64::from(case.answer.status) => Err("another status".to_owned()),
        Outcome::Own { id, .. } if *id != record.id => Err("another request id".to_owned()),
        Outcome::Own { status, .. } if u64::from(*status) != record.status => Err("another status".to_owned()),
        Outcome::Own { fault, .. } if *fault == complete => Err("the record's end says otherwise".to_owned()),
        _ => Ok(()),
    }
}
