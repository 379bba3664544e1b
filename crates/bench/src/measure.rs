//! Measuring: rounds of all targets on freshly started proxies, in an order that changes from round to round. Where cost
//! or latency is measured, all targets of a round run side by side and are loaded in turn for a fraction of a second
//! each: a machine that is slow for a while is slow for all of them.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::calls;
use crate::cost::{Clocks, Cost, Values, values};
use crate::field::Field;
use crate::load::{Ask, Load, Pace};
use crate::peers::{ACCESS_LOG, SELF_PATH, Setup, Target};
use crate::ports;
use crate::process::{self, Group};
use crate::rows::{Exchange, Kind, Row};
use crate::samples::Sample;
use crate::scrape::Scraper;
use crate::secure::Files;

/// A proxy that has not answered for so long after its start is given up.
const START_LIMIT: Duration = Duration::from_secs(30);

/// Between two looks whether a starting proxy answers.
const PROBE_INTERVAL: Duration = Duration::from_micros(200);

/// Load before counting begins: connections open, pools and caches fill.
const WARM_UP: Duration = Duration::from_millis(100);

/// Counted load of one target before the next one's turn.
const SLICE: Duration = Duration::from_millis(300);

/// Quiet time before memory is read, and after connections closed.
const SETTLE: Duration = Duration::from_secs(1);
const SETTLE_CLOSED: Duration = Duration::from_secs(4);

/// What was chosen on the command line.
pub(crate) struct Plan {
    pub(crate) rows: Vec<&'static Row>,
    pub(crate) targets: Vec<(Target, PathBuf)>,
    pub(crate) rounds: usize,
    /// Counted load per target and round.
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

/// A running proxy and the load it gets in its turns.
struct Contender {
    running: Running,
    ask: Ask,
    pace: Pace,
    /// The place it was given, whatever the order of turns.
    place: usize,
    cost: io::Result<Cost>,
}

impl Contender {
    fn new(place: usize, running: Running, ask: Ask, pace: Pace) -> Contender {
        Contender { running, ask, pace, place, cost: Ok(Cost::default()) }
    }
}

impl Cores {
    fn choose() -> io::Result<Cores> {
        let all = process::cores()?;
        let of = |list: &[&usize]| list.iter().map(|core| **core).collect::<Vec<usize>>();
        let (load, proxy, proxy_two, load_beside_two) = match all.as_slice() {
            [] => return Err(io::Error::other("no core to run on")),
            [only] => (of(&[only]), of(&[only]), of(&[only]), of(&[only])),
            [first, second] => (of(&[first]), of(&[second]), all.clone(), all.clone()),
            [first, second, third, ..] => (of(&[first]), of(&[second]), of(&[second, third]), of(&[first])),
        };
        Ok(Cores { load, proxy, proxy_two, load_beside_two })
    }
}

impl Bench {
    pub(crate) fn new(plan: Plan) -> io::Result<Bench> {
        let cores = Cores::choose()?;
        let origin = ports::free()?;
        process::pin(&cores.load)?;
        Ok(Bench { plan, field: Field::new(origin)?, origin, cores })
    }

    /// Measures everything that was planned; a target that fails is told and skipped in that round. After each round
    /// `keep` gets all samples so far, so that an interrupted run is not lost.
    pub(crate) fn run(&mut self, mut keep: impl FnMut(&[Sample]) -> io::Result<()>) -> io::Result<()> {
        let mut samples = Vec::new();
        for row in self.plan.rows.clone() {
            for round in 0..self.plan.rounds {
                for (target, measured) in self.round(row, round)? {
                    match measured {
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
                keep(&samples)?;
            }
        }
        Ok(())
    }

    /// All targets once.
    fn round(&mut self, row: &Row, round: usize) -> io::Result<Vec<(Target, io::Result<Values>)>> {
        let order = self.order(row, round);
        for (target, _) in &order {
            let folder = self.folder(*target);
            if folder.exists() {
                fs::remove_dir_all(&folder)?;
            }
        }
        let targets: Vec<Target> = order.iter().map(|(target, _)| *target).collect();
        let measured = match row.kind {
            Kind::Closed { exchange, connections } => self.together(order, &exchange, Pace::Closed { connections }),
            Kind::Open { exchange, connections, per_second } => {
                self.together(order, &exchange, Pace::Open { connections, per_second })
            }
            _ => order.into_iter().map(|(target, program)| (target, self.alone(row, target, &program))).collect(),
        };
        // The folders stay for a look at the configurations; a log of millions of lines does not.
        for target in targets {
            let _ = fs::remove_file(self.folder(target).join(ACCESS_LOG));
        }
        Ok(measured)
    }

    /// The targets of a row in the order of this round: rotated by one each round, every second round reversed.
    fn order(&self, row: &Row, round: usize) -> Vec<(Target, PathBuf)> {
        let plain = |target: &Target| !target.json_log && !target.metrics;
        let admitted = |target: &Target| row.admits(target.peer) && (row.variants || plain(target));
        let mut order: Vec<_> = self.plan.targets.iter().filter(|(target, _)| admitted(target)).cloned().collect();
        if !order.is_empty() {
            let turn = round % order.len();
            order.rotate_left(turn);
        }
        if round % 2 == 1 {
            order.reverse();
        }
        order
    }

    fn folder(&self, target: Target) -> PathBuf {
        self.plan.folder.join("run").join(target.to_string())
    }

    fn setup(&self, target: Target, exchange: &Exchange, workers: usize, routes: usize) -> io::Result<Setup> {
        let certificates = self.plan.folder.join("certificates");
        Ok(Setup {
            listen: ports::free()?,
            origin: self.origin,
            admin: ports::free()?,
            workers,
            routes,
            respond: exchange.path == SELF_PATH,
            certificate: exchange.secure.map(|secure| Files::make(&certificates, secure.key)).transpose()?,
            folder: self.folder(target),
            target,
        })
    }

    /// All targets side by side, each under the same load in its turns.
    fn together(
        &mut self,
        order: Vec<(Target, PathBuf)>,
        exchange: &Exchange,
        pace: Pace,
    ) -> Vec<(Target, io::Result<Values>)> {
        let mut contenders = Vec::new();
        let mut measured = Vec::new();
        for (target, program) in order {
            match self.contender(contenders.len(), (target, &program), exchange, pace) {
                Ok(contender) => contenders.push((target, contender)),
                Err(error) => measured.push((target, Err(error))),
            }
        }
        let (targets, mut contenders): (Vec<Target>, Vec<Contender>) = contenders.into_iter().unzip();
        self.alternate(&mut contenders);
        let values = contenders.into_iter().map(|contender| contender.cost.and_then(Cost::values));
        measured.extend(targets.into_iter().zip(values));
        measured
    }

    fn contender(
        &mut self,
        place: usize,
        (target, program): (Target, &Path),
        exchange: &Exchange,
        pace: Pace,
    ) -> io::Result<Contender> {
        let ask = exchange.ask()?;
        let setup = self.setup(target, exchange, 1, 0)?;
        let running = self.start(program, setup, &ask)?;
        Ok(Contender::new(place, running, ask, pace))
    }

    /// Loads the contenders in turn until each has had its measured time, forwards and backwards, so that nobody always
    /// follows the same neighbour. One that fails gets no further turn.
    fn alternate(&mut self, contenders: &mut [Contender]) {
        let mut left = self.plan.duration;
        while !left.is_zero() {
            let slice = left.min(SLICE);
            left -= slice;
            for contender in contenders.iter_mut() {
                let Ok(sum) = &mut contender.cost else { continue };
                match self.stretch(&contender.running, &contender.ask, contender.pace, slice) {
                    Ok(cost) => sum.add(cost),
                    Err(error) => contender.cost = Err(error),
                }
            }
            contenders.reverse();
        }
        contenders.sort_by_key(|contender| contender.place);
    }

    /// One stretch of load, counted after a warm-up.
    fn stretch(&mut self, running: &Running, ask: &Ask, pace: Pace, duration: Duration) -> io::Result<Cost> {
        self.field.begin(running.listen, ask.clone(), pace)?;
        let warm_up = self.field.run_for(WARM_UP)?;
        let clocks = Clocks::read(&running.group)?;
        let mut tally = self.field.run_for(duration)?;
        tally.broken += warm_up.errors();
        let cost = clocks.cost(&running.group, tally);
        self.field.end();
        cost
    }

    /// One target by itself.
    fn alone(&mut self, row: &Row, target: Target, program: &Path) -> io::Result<Values> {
        let exchange = row.exchange();
        match row.kind {
            Kind::Routes { few, many } => return self.routes(program, target, &exchange, few, many),
            Kind::Scaling => return self.scaling(program, target, &exchange),
            _ => {}
        }
        let ask = exchange.ask()?;
        let running = self.start(program, self.setup(target, &exchange, 1, 0)?, &ask)?;
        match row.kind {
            Kind::Idle { connections, .. } => self.idle(&running, &ask, connections.min(self.plan.idle_max)),
            Kind::SystemCalls { per_second } => self.system_calls(&running, &ask, per_second),
            _ => Ok(values([("start_ms", running.first_answer.as_secs_f64() * 1e3)])),
        }
    }

    /// Starts a proxy on the proxy's core and waits for its first right answer.
    fn start(&mut self, program: &Path, setup: Setup, ask: &Ask) -> io::Result<Running> {
        let cores = self.cores.proxy.clone();
        self.start_on(&cores, program, setup, ask)
    }

    fn start_on(&mut self, cores: &[usize], program: &Path, setup: Setup, ask: &Ask) -> io::Result<Running> {
        let command = setup.target.command(program, &setup)?;
        let log = setup.folder.join("output.log");
        let begun = Instant::now();
        let mut group = Group::start(command, cores, &log)?;
        while !self.answers(setup.listen, ask)? {
            if let Some(status) = group.ended()? {
                return Err(io::Error::other(format!("it ended with {status}: {}", last_line(&log))));
            }
            if begun.elapsed() > START_LIMIT {
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
        let decided = |load: &Load| load.tally.completed + load.tally.errors() > 0;
        let tally = self.field.run_until(START_LIMIT, decided)?;
        self.field.end();
        Ok(tally.completed > 0)
    }

    fn idle(&mut self, running: &Running, ask: &Ask, connections: usize) -> io::Result<Values> {
        // A first load, so that what is allocated once and for all does not count as the connections'.
        self.stretch(running, ask, Pace::Closed { connections: 64 }, SETTLE)?;
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
        self.field.begin(running.listen, ask.clone(), Pace::Open { connections: 64, per_second })?;
        self.field.run_for(WARM_UP)?;
        let duration = self.plan.duration;
        let processes = running.group.processes()?;
        let folder = self.plan.folder.join("run");
        let field = &mut self.field;
        let meanwhile = |slice| field.run_for(slice).map(drop);
        let count = calls::count(&processes, duration, &self.cores.load, &folder, meanwhile)?;
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
        let mut contenders = Vec::new();
        for routes in [few, many] {
            let mut setup = self.setup(target, exchange, 1, routes)?;
            setup.folder = setup.folder.join(routes.to_string());
            let ask = exchange.ask_routes(routes)?;
            let running = self.start(program, setup, &ask)?;
            contenders.push(Contender::new(contenders.len(), running, ask, Pace::Closed { connections: 64 }));
        }
        self.alternate(&mut contenders);
        let [few, many] = costs(contenders)?;
        let (few_us, many_us) = (few.per_request_us(), many.per_request_us());
        let mut all = many.values()?;
        all.extend(values([("cpu_us_few", few_us), ("ratio", many_us / few_us)]));
        Ok(all)
    }

    fn scaling(&mut self, program: &Path, target: Target, exchange: &Exchange) -> io::Result<Values> {
        process::pin(&self.cores.load_beside_two)?;
        let measured = self.one_and_two(program, target, exchange);
        process::pin(&self.cores.load)?;
        measured
    }

    fn one_and_two(&mut self, program: &Path, target: Target, exchange: &Exchange) -> io::Result<Values> {
        let ask = &exchange.ask()?;
        let cores = self.cores.proxy_two.clone();
        let mut contenders = Vec::new();
        for workers in [1, 2] {
            let mut setup = self.setup(target, exchange, workers, 0)?;
            setup.folder = setup.folder.join(workers.to_string());
            let running = self.start_on(&cores, program, setup, ask)?;
            let pace = Pace::Closed { connections: 128 };
            contenders.push(Contender::new(contenders.len(), running, ask.clone(), pace));
        }
        let ticks = |contenders: &[Contender]| -> io::Result<BTreeMap<u32, u64>> {
            contenders.last().map_or(Ok(BTreeMap::new()), |two| two.running.group.thread_ticks())
        };
        let before = ticks(&contenders)?;
        self.alternate(&mut contenders);
        let after = ticks(&contenders)?.into_iter();
        let busy = after.map(|(thread, ticks)| ticks - before.get(&thread).copied().unwrap_or(0)).collect();
        let [one, two] = costs(contenders)?;
        let (one_us, two_us) = (one.per_request_us(), two.per_request_us());
        let mut all = two.values()?;
        all.extend(values([("scaling", 2.0 * one_us / two_us), ("skew", skew(busy, 2))]));
        Ok(all)
    }
}

/// The costs of exactly two contenders.
fn costs(contenders: Vec<Contender>) -> io::Result<[Cost; 2]> {
    let costs = contenders.into_iter().map(|contender| contender.cost).collect::<io::Result<Vec<Cost>>>()?;
    costs.try_into().map_err(|_| io::Error::other("two proxies were to be compared"))
}

/// How unevenly the `workers` busiest threads worked: (most − least) / mean.
fn skew(mut ticks: Vec<u64>, workers: usize) -> f64 {
    ticks.sort_unstable_by(|one, other| other.cmp(one));
    ticks.resize(workers, 0);
    let (most, least) = (ticks.first().copied().unwrap_or(0), ticks.last().copied().unwrap_or(0));
    let mean = ticks.iter().sum::<u64>() as f64 / workers as f64;
    (most - least) as f64 / mean.max(1.0)
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
    if let (Some(busy), Some(foreign)) = (values.get("busy"), values.get("foreign")) {
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
