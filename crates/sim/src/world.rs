//! What a seed decides: the configuration, the weather, and who does what when.

use crate::case::{Case, Form, Patience, Temper, Upload};
use std::cell::RefCell;
use std::fmt::Write;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use strait_compile::Compiler;
use strait_dataplane::sim::{Network, Random, Weather};
use strait_plan::Plan;

/// Where clients connect to.
pub(crate) const LISTENER: &str = "10.9.0.1:80";
/// From the first octet of a head to its last, as configured.
pub(crate) const HEADER_TIMEOUT: Duration = Duration::from_millis(3_000);
/// Between two requests, as configured.
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_millis(4_000);
/// The longest an answer may take under any configuration here, and some more.
pub(crate) const HANG: Duration = Duration::from_secs(90);

/// What an origin writes behind an answer that is complete names itself so.
pub(crate) const SURPLUS_TAG: &str = "999999";

/// Everything the actors of one run share.
pub(crate) struct World {
    pub(crate) network: Network,
    pub(crate) knobs: Knobs,
    pub(crate) ledger: RefCell<Ledger>,
    pub(crate) printed: bool,
}

/// What was to happen and what happened.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) cases: Vec<Case>,
    pub(crate) failures: Vec<String>,
    /// Nothing new is asked for: workers drain or stop.
    pub(crate) ending: bool,
}

/// What a seed decides about the whole run.
#[derive(Clone, Debug)]
pub(crate) struct Knobs {
    pub(crate) workers: usize,
    pub(crate) clients: usize,
    pub(crate) temper: Temper,
    /// No connection is cut, refused or held up for long.
    pub(crate) gentle: bool,
    pub(crate) client_weather: Weather,
    pub(crate) origin_weather: Weather,
    /// Origins close idle connections after about so long.
    pub(crate) origin_idle_ms: Option<u64>,
    pub(crate) listener_connections: Option<u32>,
    pub(crate) few_connections: u32,
    pub(crate) queue: Option<(u32, Duration)>,
    pub(crate) max_idle: u32,
    pub(crate) attempts: u32,
    /// What is worth another attempt, and how.
    pub(crate) retry: &'static str,
    pub(crate) requests_per_connection: Option<u32>,
    pub(crate) rate_min: Option<u32>,
    pub(crate) reloads: Vec<u64>,
    pub(crate) ends: Ending,
}

/// How the run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// When all clients are done.
    Quiet,
    /// A drain in the middle of the traffic, after so many milliseconds.
    Drain(u64),
    /// A stop in the middle of the traffic.
    Stop(u64),
}

impl Knobs {
    pub(crate) fn draw(random: &mut Random) -> Self {
        let gentle = random.chance(500);
        let sound = random.chance(350);
        let temper = Temper {
            mishaps: if sound { 0 } else { random.one_of(&[100, 300, 600], 300) },
            impatience: if sound { 0 } else { random.one_of(&[0, 150, 400], 150) },
            octets_max: random.one_of(&[2_000, 20_000, 60_000, 400_000], 20_000),
            eager: random.chance(300),
        };
        let mut weather = || if gentle { draw_gentle(random) } else { draw_rough(random) };
        let (client_weather, origin_weather) = (weather(), weather());
        // Uploads that wait for room while their answer comes are where requests run into each other.
        let narrow = temper.eager && random.chance(700);
        let origin_weather = Weather { capacity: if narrow { 100 } else { origin_weather.capacity }, ..origin_weather };
        Self {
            workers: random.between(1, 3) as usize,
            clients: random.between(2, 9) as usize,
            temper,
            gentle,
            client_weather: Weather { silence: 0, refuse: 0, ..client_weather },
            origin_weather,
            origin_idle_ms: (!sound && random.chance(400)).then(|| random.between(0, 800)),
            listener_connections: random.chance(150).then(|| random.between(1, 4) as u32),
            few_connections: random.between(1, 3) as u32,
            queue: random
                .chance(250)
                .then(|| (random.between(0, 3) as u32, Duration::from_millis(random.between(30, 2_000)))),
            max_idle: random.one_of(&[0, 1, 64, 64], 64),
            attempts: random.between(1, 3) as u32,
            retry: match random.below(4) {
                0 => "retry_on: [connect_failure, reset, timeout, 503]",
                1 if !gentle => "retry_on: [connect_failure, reset, timeout, 5xx], per_try_timeout: 700ms",
                2 => "body_max: 1KiB",
                _ => "backoff: 0s",
            },
            requests_per_connection: random.chance(200).then(|| random.between(1, 3) as u32),
            rate_min: random.chance(200).then_some(64),
            reloads: (0..random.below(4)).map(|_| random.between(0, 2_500)).collect(),
            ends: match random.below(20) {
                0..4 => Ending::Drain(random.between(0, 2_000)),
                4 => Ending::Stop(random.between(0, 2_000)),
                _ => Ending::Quiet,
            },
        }
    }

    /// Whether this request must get the origin's answer, whatever else happens.
    pub(crate) fn must_succeed(&self, case: &Case) -> bool {
        let room = self.listener_connections.is_none() && self.queue.is_none() && self.ends == Ending::Quiet;
        let unhurt = case.is_harmless() || (case.heals() && self.attempts > 1);
        // An origin that closes on what it has not read takes its answer back with a reset.
        let retracts = case.answer.early && case.answer.form == Form::Close && case.upload != Upload::None;
        let alone = case.route != "few" || self.temper.mishaps == 0;
        self.gentle
            && room
            && unhurt
            && !retracts
            && alone
            && case.patience == Patience::Endless
            && self.origin_idle_ms.is_none()
    }

    /// Whether octets behind an answer are there before the connection is used again. Where they come later, nobody can
    /// tell them from the answer to the next request: an origin that lies to its own clients is not found out.
    pub(crate) fn sees_surplus(&self) -> bool {
        let Weather { capacity, latency_ms_max, split, stall, .. } = self.origin_weather;
        capacity > 60_000 && latency_ms_max == 0 && split == 0 && stall == 0 && self.temper.octets_max <= 20_000
    }

    /// The configuration; the n-th differs from the one before in its endpoints and routes.
    fn text(&self, nth: usize) -> String {
        let mut text = String::new();
        let _ = writeln!(text, "listeners:\n  web:\n    address: {LISTENER}\n    limits:");
        let _ = writeln!(text, "      header_timeout: {}ms", HEADER_TIMEOUT.as_millis());
        let _ = writeln!(text, "      idle_timeout: {}ms", IDLE_TIMEOUT.as_millis());
        let rate = self.rate_min.map_or("none".to_owned(), |rate| format!("{rate}B/s"));
        let _ = writeln!(text, "      body_rate_min: {rate}");
        if let Some(connections) = self.listener_connections {
            let _ = writeln!(text, "      connections: {connections}");
        }
        if let Some(requests) = self.requests_per_connection {
            let _ = writeln!(text, "      requests_per_connection: {requests}");
        }
        if nth % 2 == 1 {
            // Opened and closed by reloads.
            let _ = writeln!(text, "  other: {{address: 10.9.0.2:80}}");
        }
        let _ = writeln!(text, "telemetry: {{access_log: json}}\ndefaults:");
        let _ = writeln!(text, "  timeout: {{connect: 1s, first_byte: 3s, idle: 3s, request: 25s}}");
        let _ = writeln!(text, "upstreams:");
        self.upstream(&mut text, "main", "none", &[0, 1, 2][..(2 + nth % 2)]);
        // Every other configuration leaves an endpoint out and puts it back.
        self.upstream(&mut text, "few", &self.few_connections.to_string(), &[3, 4][..(2 - nth % 2)]);
        let _ = writeln!(text, "routes:\n  /u/*: main\n  /few/*: few\n  /split/*: {{main: 3, few: {}}}", 1 + nth);
        let _ = writeln!(text, "  /own/*: {{respond: own}}");
        if nth % 2 == 1 {
            let _ = writeln!(text, "  /other{nth}/*: main");
        }
        text
    }

    fn upstream(&self, text: &mut String, name: &str, max_connections: &str, endpoints: &[u8]) {
        let endpoints: Vec<_> = endpoints.iter().map(|&endpoint| endpoint_address(endpoint).to_string()).collect();
        let _ = writeln!(text, "  {name}:\n    endpoints: [{}]", endpoints.join(", "));
        let _ = writeln!(text, "    max_connections: {max_connections}");
        let _ = writeln!(text, "    keep_alive: {{max_idle: {}, idle_timeout: 5s}}", self.max_idle);
        let _ = writeln!(text, "    retry: {{attempts: {}, budget: none, {}}}", self.attempts, self.retry);
    }

    /// Compiles the n-th configuration.
    pub(crate) fn plan(&self, compiler: &mut Compiler, nth: usize) -> Arc<Plan> {
        let text = self.text(nth);
        let snapshot = strait_config::load_str("sim.yaml", &text).unwrap_or_else(|wrong| panic!("{wrong}\n{text}"));
        let mut plan = compiler.compile(&snapshot).unwrap_or_else(|wrong| panic!("{wrong}\n{text}"));
        if let (Some(plan), Some((queue_max, queue_timeout))) = (Arc::get_mut(&mut plan), self.queue) {
            for upstream in plan.upstreams.iter_mut().filter_map(Arc::get_mut) {
                (upstream.queue_max, upstream.queue_timeout) = (queue_max, queue_timeout);
            }
        }
        plan
    }
}

/// How many endpoints there are in all configurations together.
pub(crate) const ENDPOINTS: u8 = 5;

/// The address of an endpoint; 3 and 4 are the ones with few connections.
pub(crate) fn endpoint_address(endpoint: u8) -> SocketAddr {
    SocketAddr::from(([10, 1, 0, endpoint + 1], 80))
}

/// Small pieces and short ways, but nothing is lost or held up.
fn draw_gentle(random: &mut Random) -> Weather {
    Weather {
        capacity: random.one_of(&[700, 4_000, 65_536], 4_000),
        latency_ms_max: random.one_of(&[0, 1, 5], 0),
        split: random.one_of(&[0, 100, 500], 100),
        ..Weather::CALM
    }
}

fn draw_rough(random: &mut Random) -> Weather {
    Weather {
        capacity: random.one_of(&[100, 700, 4_000, 65_536], 4_000),
        latency_ms_max: random.one_of(&[0, 5, 60], 5),
        split: random.one_of(&[0, 200, 700], 200),
        stall: random.one_of(&[0, 10, 60], 10),
        stall_ms_max: random.one_of(&[50, 1_500, 6_000], 1_500),
        cut: random.one_of(&[0, 100, 400], 100),
        refuse: random.one_of(&[0, 100], 0),
        silence: random.one_of(&[0, 50], 0),
    }
}

impl World {
    pub(crate) fn new(seed: u64, printed: bool, random: &mut Random) -> Rc<Self> {
        let knobs = Knobs::draw(random);
        if printed {
            eprintln!("{knobs:#?}");
        }
        let network = Network::new(seed, printed);
        if let Ok(listener) = LISTENER.parse() {
            network.set_weather(listener, knobs.client_weather);
        }
        for endpoint in 0..ENDPOINTS {
            network.set_weather(endpoint_address(endpoint), knobs.origin_weather);
        }
        Rc::new(Self { network, knobs, ledger: RefCell::default(), printed })
    }

    /// Draws a case and enters it.
    pub(crate) fn new_case(&self, random: &mut Random) -> usize {
        let mut ledger = self.ledger.borrow_mut();
        let number = ledger.cases.len();
        ledger.cases.push(Case::draw(number, self.knobs.temper, random));
        number
    }

    pub(crate) fn case(&self, number: usize) -> Case {
        self.ledger.borrow().cases[number].clone()
    }

    pub(crate) fn change(&self, number: usize, change: impl FnOnce(&mut Case)) {
        change(&mut self.ledger.borrow_mut().cases[number]);
    }

    pub(crate) fn is_ending(&self) -> bool {
        self.ledger.borrow().ending
    }

    /// Says that something is not as it must be.
    pub(crate) fn fail(&self, failure: String) {
        if self.printed {
            eprintln!("            FAILURE: {failure}");
        }
        self.ledger.borrow_mut().failures.push(failure);
    }

    /// Something worth reading in a replay.
    pub(crate) fn say(&self, text: impl FnOnce() -> String) {
        if self.printed {
            eprintln!("            {}", text());
        }
    }
}
