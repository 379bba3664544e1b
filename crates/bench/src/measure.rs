//! Measuring: rounds of all targets, each on a freshly started proxy, in an order that changes from round to round.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::calls;
use crate::field::Field;
use crate::load::{Ask, Pace, Tally, percentile_us};
use crate::peers::{SELF_PATH, Setup, Target};
use crate::ports;
use crate::process::{self, Cpu, Group};
use crate::rows::{Exchange, Kind, Row};
use crate::samples::Sample;
use crate::scrape::Scraper;

/// Quantities by name.
pub(crate) type Values = BTreeMap<String, f64>;

/// A proxy that has not answered for so long after its start is given up.
const START_LIMIT: Duration = Duration::from_secs(30);

/// Between two looks whether a starting proxy answers.
const PROBE_INTERVAL: Duration = Duration::from_micros(200);

/// Load before counting begins: connections open, pools and caches fill.
const WARM_UP: Duration = Duration::from_millis(400);

/// Quiet time before memory is read, and after connections closed.
const SETTLE: Duration = Duration::from_secs(1);
const SETTLE_CLOSED: Duration = Duration::from_secs(4);

/// What was chosen on the command line.
pub(crate) struct Plan {
    pub(crate) rows: Vec<&'static Row>,
    pub(crate) targets: Vec<(Target, PathBuf)>,
    pub(crate) rounds: usize,
    pub(crate) duration: Duration,
    pub(crate) folder: PathBuf,
    /// Connections of the idle row, bounded by the limit of open files.
    pub(crate) idle_max: usize,
}

/// The two places that work is bound to.
struct Cores {
    load: Vec<usize>,
    proxy: Vec<usize>,
    /// Where two workers run.
    proxy_two: Vec<usize>,
    /// Where the load runs beside two workers: on two cores they share.
    load_beside_two: Vec<usize>,
}

/// The harness in operation.
pub(crate) struct Bench {
    plan: Plan,
    field: Field,
    origin: SocketAddr,
    cores: Cores,
}

/// A proxy that answers.
struct Running {
    group: Group,
    listen: SocketAddr,
    first_answer: Duration,
    /// Reads the metrics once a second while it lives.
    _scraper: Option<Scraper>,
}

/// What a measured stretch of closed loop says.
struct Cost {
    cpu: Duration,
    user_ticks: u64,
    system_ticks: u64,
    wall: Duration,
    /// CPU time that neither the proxy nor the harness used.
    foreign: Duration,
    tally: Tally,
}

/// The clocks at the beginning of a measured stretch.
struct Stretch {
    begun: Instant,
    proxy: Cpu,
    harness: Duration,
    machine: Duration,
}

impl Cores {
    fn choose() -> io::Result<Cores> {
        let all = process::cores()?;
        match all.as_slice() {
            [] => Err(io::Error::other("no core to run on")),
            [only] => {
                let one = vec![*only];
                Ok(Cores { load: one.clone(), proxy: one.clone(), proxy_two: one.clone(), load_beside_two: one })
            }
            [first, second] => Ok(Cores {
                load: vec![*first],
                proxy: vec![*second],
                proxy_two: all.clone(),
                load_beside_two: all.clone(),
            }),
            [first, second, third, ..] => Ok(Cores {
                load: vec![*first],
                proxy: vec![*second],
                proxy_two: vec![*second, *third],
                load_beside_two: vec![*first],
            }),
        }
    }
}

impl Bench {
    pub(crate) fn new(plan: Plan) -> io::Result<Bench> {
        let cores = Cores::choose()?;
        let origin = ports::free()?;
        process::pin(&cores.load)?;
        Ok(Bench { plan, field: Field::new(origin)?, origin, cores })
    }

    /// Measures everything that was planned; a target that fails is told and skipped in that round.
    pub(crate) fn run(&mut self) -> Vec<Sample> {
        let mut samples = Vec::new();
        for row in self.plan.rows.clone() {
            for round in 0..self.plan.rounds {
                for (target, program) in self.order(row, round) {
                    match self.sample(row, target, &program) {
                        Ok(values) => {
                            progress(row, round, target, &values);
                            samples.push(Sample {
                                row: row.name.to_owned(),
                                target: target.to_string(),
                                round,
                                values,
                            });
                        }
                        Err(error) => eprintln!("{:<11} {target:<22} failed: {error}", row.name),
                    }
                }
            }
        }
        samples
    }

    /// The targets of a row in the order of this round: rotated by one each round, every second round reversed.
    fn order(&self, row: &Row, round: usize) -> Vec<(Target, PathBuf)> {
        let plain = |target: &Target| !target.json_log && !target.metrics;
        let mut order: Vec<_> = self
            .plan
            .targets
            .iter()
            .filter(|(target, _)| row.admits(target.peer) && (row.variants || plain(target)))
            .cloned()
            .collect();
        if !order.is_empty() {
            let turn = round % order.len();
            order.rotate_left(turn);
        }
        if round % 2 == 1 {
            order.reverse();
        }
        order
    }

    fn sample(&mut self, row: &Row, target: Target, program: &Path) -> io::Result<Values> {
        let ready = row.exchange().ask();
        match row.kind {
            Kind::Closed { exchange, connections } => {
                let respond = exchange.path == SELF_PATH;
                let setup = Setup { respond, ..self.setup(target, 1, 0)? };
                let cost = self.cost(program, setup, &exchange.ask(), connections)?;
                Ok(cost.values())
            }
            Kind::Open { exchange, connections, per_second } => {
                let running = self.start(program, self.setup(target, 1, 0)?, &ready)?;
                self.open_loop(&running, &exchange, connections, per_second)
            }
            Kind::Idle { connections } => {
                let running = self.start(program, self.setup(target, 1, 0)?, &ready)?;
                self.idle(&running, &ready, connections.min(self.plan.idle_max))
            }
            Kind::Start => {
                let running = self.start(program, self.setup(target, 1, 0)?, &ready)?;
                Ok(values([("start_ms", running.first_answer.as_secs_f64() * 1e3)]))
            }
            Kind::SystemCalls { per_second } => {
                let running = self.start(program, self.setup(target, 1, 0)?, &ready)?;
                self.system_calls(&running, &ready, per_second)
            }
            Kind::Routes { few, many } => self.routes(program, target, &row.exchange(), few, many),
            Kind::Scaling => self.scaling(program, target, &ready),
        }
    }

    fn setup(&self, target: Target, workers: usize, routes: usize) -> io::Result<Setup> {
        Ok(Setup {
            listen: ports::free()?,
            origin: self.origin,
            admin: ports::free()?,
            workers,
            routes,
            respond: false,
            folder: self.plan.folder.join("run").join(target.to_string()),
            target,
        })
    }

    /// Starts a proxy and waits for its first right answer.
    fn start(&mut self, program: &Path, setup: Setup, ask: &Ask) -> io::Result<Running> {
        let cores = self.cores.proxy.clone();
        self.start_on(&cores, program, setup, ask)
    }

    fn start_on(&mut self, cores: &[usize], program: &Path, setup: Setup, ask: &Ask) -> io::Result<Running> {
        let command = setup.target.command(program, &setup)?;
        let log = setup.folder.join("output.log");
        let begun = Instant::now();
        let mut group = Group::start(command, cores, &log)?;
        let limit = begun + START_LIMIT;
        while !self.answers(setup.listen, ask)? {
            if let Some(status) = group.ended()? {
                return Err(io::Error::other(format!("it ended with {status}: {}", last_line(&log))));
            }
            if Instant::now() > limit {
                return Err(io::Error::other(format!("no right answer within 30 s: {}", last_line(&log))));
            }
            self.field.run_for(PROBE_INTERVAL)?;
        }
        let first_answer = begun.elapsed();
        let scraper = setup.target.metrics.then(|| Scraper::start(setup.admin));
        Ok(Running { group, listen: setup.listen, first_answer, _scraper: scraper })
    }

    /// Whether one request is answered rightly now.
    fn answers(&mut self, proxy: SocketAddr, ask: &Ask) -> io::Result<bool> {
        match self.field.begin(proxy, ask.clone(), Pace::Closed { connections: 1 }) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => return Ok(false),
            other => other?,
        }
        let decided = |load: &crate::load::Load| load.tally.completed + load.tally.errors() > 0;
        let tally = self.field.run_until(START_LIMIT, decided)?;
        self.field.end();
        Ok(tally.completed > 0)
    }

    /// The cost of an exchange at saturation, on a fresh proxy.
    fn cost(&mut self, program: &Path, setup: Setup, ask: &Ask, connections: usize) -> io::Result<Cost> {
        let running = self.start(program, setup, ask)?;
        self.stretch(&running, ask, connections)
    }

    fn stretch(&mut self, running: &Running, ask: &Ask, connections: usize) -> io::Result<Cost> {
        self.field.begin(running.listen, ask.clone(), Pace::Closed { connections })?;
        let warm_up = self.field.run_for(WARM_UP)?;
        let stretch = Stretch::begin(&running.group)?;
        let mut tally = self.field.run_for(self.plan.duration)?;
        let cost = stretch.end(&running.group)?;
        self.field.end();
        tally.broken += warm_up.errors();
        if tally.completed == 0 {
            return Err(io::Error::other(format!("no right answer: {tally:?}")));
        }
        Ok(Cost { tally, ..cost })
    }

    fn open_loop(
        &mut self,
        running: &Running,
        exchange: &Exchange,
        connections: usize,
        per_second: u32,
    ) -> io::Result<Values> {
        self.field.begin(running.listen, exchange.ask(), Pace::Open { connections, per_second })?;
        self.field.run_for(WARM_UP)?;
        let mut tally = self.field.run_for(self.plan.duration)?;
        self.field.end();
        tally.latencies_ns.sort_unstable();
        tally.late_ns.sort_unstable();
        Ok(values([
            ("p50_us", percentile_us(&tally.latencies_ns, 0.50)),
            ("p99_us", percentile_us(&tally.latencies_ns, 0.99)),
            ("late_us", percentile_us(&tally.late_ns, 0.99)),
            ("per_second", tally.completed as f64 / self.plan.duration.as_secs_f64()),
            ("errors", tally.errors() as f64),
        ]))
    }

    fn idle(&mut self, running: &Running, ask: &Ask, connections: usize) -> io::Result<Values> {
        // A first load, so that what is allocated once and for all does not count as the connections'.
        self.stretch(running, ask, 64)?;
        self.field.run_for(SETTLE)?;
        let before = running.group.private_bytes()? as f64;
        self.field.begin(running.listen, ask.clone(), Pace::Idle { connections })?;
        let wanted = connections as u64;
        let opening = self.field.run_until(START_LIMIT, |load| load.tally.completed >= wanted)?;
        self.field.run_for(SETTLE)?;
        let held = running.group.private_bytes()? as f64;
        let open = self.field.open_connections();
        self.field.end();
        self.field.run_for(SETTLE_CLOSED)?;
        let closed = running.group.private_bytes()? as f64;
        if open < connections {
            return Err(io::Error::other(format!("only {open} of {connections} connections stayed open")));
        }
        let grown = (held - before).max(1.0);
        Ok(values([
            ("bytes_each", grown / connections as f64),
            ("given_back", (held - closed) / grown),
            ("before_bytes", before),
            ("errors", opening.errors() as f64),
        ]))
    }

    fn system_calls(&mut self, running: &Running, ask: &Ask, per_second: u32) -> io::Result<Values> {
        let pace = Pace::Open { connections: 64, per_second };
        self.field.begin(running.listen, ask.clone(), pace)?;
        self.field.run_for(WARM_UP)?;
        let duration = self.plan.duration;
        let processes = running.group.processes()?;
        let folder = self.plan.folder.join("run");
        let field = &mut self.field;
        let count =
            calls::count(&processes, duration, &self.cores.load, &folder, |slice| field.run_for(slice).map(|_| ()))?;
        self.field.end();
        let requests = f64::from(per_second) * duration.as_secs_f64();
        Ok(values([("calls", count as f64 / requests)]))
    }

    fn routes(
        &mut self,
        program: &Path,
        target: Target,
        exchange: &Exchange,
        few: usize,
        many: usize,
    ) -> io::Result<Values> {
        let mut cost_of = |routes| -> io::Result<Cost> {
            let setup = self.setup(target, 1, routes)?;
            self.cost(program, setup, &exchange.ask_routes(routes), 64)
        };
        let (with_few, with_many) = (cost_of(few)?, cost_of(many)?);
        let mut all = with_many.values();
        all.insert("cpu_us_few".to_owned(), with_few.per_request_us());
        all.insert("ratio".to_owned(), with_many.per_request_us() / with_few.per_request_us());
        Ok(all)
    }

    fn scaling(&mut self, program: &Path, target: Target, ask: &Ask) -> io::Result<Values> {
        process::pin(&self.cores.load_beside_two)?;
        let measured = self.one_and_two(program, target, ask);
        process::pin(&self.cores.load)?;
        measured
    }

    fn one_and_two(&mut self, program: &Path, target: Target, ask: &Ask) -> io::Result<Values> {
        let mut measured = Vec::new();
        for workers in [1, 2] {
            let setup = self.setup(target, workers, 0)?;
            let cores = self.cores.proxy_two.clone();
            let running = self.start_on(&cores, program, setup, ask)?;
            let before: BTreeMap<u32, u64> = running.group.thread_ticks()?.into_iter().collect();
            let cost = self.stretch(&running, ask, 128)?;
            let after = running.group.thread_ticks()?;
            let busy = after.into_iter().map(|(thread, ticks)| ticks - before.get(&thread).copied().unwrap_or(0));
            measured.push((cost, skew(busy.collect(), workers)));
        }
        let [(one, _), (two, skew)] = measured.as_slice() else { return Err(io::ErrorKind::Other.into()) };
        let mut all = two.values();
        all.insert("scaling".to_owned(), 2.0 * one.per_request_us() / two.per_request_us());
        all.insert("skew".to_owned(), *skew);
        Ok(all)
    }
}

impl Stretch {
    fn begin(group: &Group) -> io::Result<Stretch> {
        let (machine, harness) = (process::machine_cpu()?, process::own_cpu()?);
        Ok(Stretch { machine, harness, proxy: group.cpu()?, begun: Instant::now() })
    }

    /// What was used since the beginning; the tally is the caller's to fill in.
    fn end(self, group: &Group) -> io::Result<Cost> {
        let wall = self.begun.elapsed();
        let proxy = group.cpu()?;
        let cpu = proxy.total.saturating_sub(self.proxy.total);
        let harness = process::own_cpu()?.saturating_sub(self.harness);
        let machine = process::machine_cpu()?.saturating_sub(self.machine);
        Ok(Cost {
            cpu,
            user_ticks: proxy.user_ticks.saturating_sub(self.proxy.user_ticks),
            system_ticks: proxy.system_ticks.saturating_sub(self.proxy.system_ticks),
            wall,
            foreign: machine.saturating_sub(cpu + harness),
            tally: Tally::default(),
        })
    }
}

impl Cost {
    fn per_request_us(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.tally.completed as f64
    }

    fn values(&self) -> Values {
        let ticks = (self.user_ticks + self.system_ticks).max(1);
        values([
            ("cpu_us", self.per_request_us()),
            ("cpu_s_per_gb", self.cpu.as_secs_f64() * 1e9 / self.tally.body_bytes.max(1) as f64),
            ("user_share", self.user_ticks as f64 / ticks as f64),
            ("busy", self.cpu.as_secs_f64() / self.wall.as_secs_f64()),
            ("foreign", self.foreign.as_secs_f64() / self.wall.as_secs_f64()),
            ("per_second", self.tally.completed as f64 / self.wall.as_secs_f64()),
            ("errors", self.tally.errors() as f64),
        ])
    }
}

/// How unevenly the `workers` busiest threads worked: (most − least) / mean.
fn skew(mut ticks: Vec<u64>, workers: usize) -> f64 {
    ticks.sort_unstable_by(|one, other| other.cmp(one));
    ticks.resize(workers, 0);
    let (most, least) = (ticks.first().copied().unwrap_or(0), ticks.last().copied().unwrap_or(0));
    let mean = ticks.iter().sum::<u64>() as f64 / workers as f64;
    (most - least) as f64 / mean.max(1.0)
}

fn values<const N: usize>(pairs: [(&str, f64); N]) -> Values {
    pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

fn last_line(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it said nothing").to_owned()
}

fn progress(row: &Row, round: usize, target: Target, values: &Values) {
    let mut line = format!("{:<11} round {:<2} {target:<22}", row.name, round + 1);
    for metric in row.metrics {
        let value = values.get(metric.key).copied().unwrap_or(f64::NAN);
        line.push_str(&format!(" {value:>9.*} {}", metric.digits, metric.unit));
    }
    if let Some(busy) = values.get("busy") {
        let foreign = values.get("foreign").copied().unwrap_or(0.0);
        line.push_str(&format!("   core busy {:.0} %, other load {:.0} %", busy * 100.0, foreign * 100.0));
    }
    match values.get("errors") {
        Some(errors) if *errors > 0.0 => eprintln!("{line}   {errors} ERRORS"),
        _ => eprintln!("{line}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skew_compares_the_busiest_threads_only() {
        assert_eq!(skew(vec![0, 100, 1, 100], 2), 0.0);
        assert_eq!(skew(vec![150, 50, 3], 2), 1.0);
        assert_eq!(skew(vec![80], 2), 2.0);
    }
}
