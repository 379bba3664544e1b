//! Runs cases against one proxy and gathers what was seen.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crate::client::{Arrival, Client, End, read_answers};
use crate::corpus::{Case, Step};
use crate::judge;
use crate::origin::{self, Log, Origin};

/// How to run.
#[derive(Clone, Copy, Debug)]
pub struct Manner {
    /// Cases at a time.
    pub jobs: usize,
    /// Longest wait for any one event.
    pub patience: Duration,
    /// One byte a write.
    pub split: bool,
    /// The proxy is Strait: its own expectations count.
    pub strait: bool,
}

impl Default for Manner {
    fn default() -> Self {
        Self { jobs: 32, patience: Duration::from_secs(4), split: false, strait: false }
    }
}

/// What both ends saw of one case.
#[derive(Clone, Debug)]
pub struct Observation {
    /// Everything the client sent.
    pub sent: Vec<u8>,
    /// Everything the client received.
    pub received: Vec<u8>,
    /// How the proxy ended the connection; `None` if it did not.
    pub end: Option<End>,
    /// Everything the origin saw.
    pub log: Log,
}

/// The outcome of one case.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The case's place in the list.
    pub index: usize,
    /// What was seen.
    pub observation: Observation,
    /// What was not as expected; empty for a pass.
    pub failures: Vec<String>,
}

/// Runs all cases, several at a time; outcomes in the order of the cases.
pub fn run_all(cases: &[Case], chosen: &[usize], origin: &Origin, proxy: SocketAddr, manner: Manner) -> Vec<Outcome> {
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..manner.jobs {
            scope.spawn(|| {
                while let Some(index) = chosen.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = run_case(&cases[*index], *index, origin, proxy, manner);
                    outcomes.lock().unwrap().push(outcome);
                }
            });
        }
    });
    let mut outcomes = outcomes.into_inner().unwrap();
    outcomes.sort_by_key(|outcome| outcome.index);
    outcomes
}

fn run_case(case: &Case, index: usize, origin: &Origin, proxy: SocketAddr, manner: Manner) -> Outcome {
    let observation = match Client::connect(proxy) {
        Ok(client) => Play { case, index, origin, manner, client }.run(),
        Err(error) => {
            let failures = vec![format!("cannot connect: {error}")];
            let log = Log::default();
            let observation = Observation { sent: Vec::new(), received: Vec::new(), end: None, log };
            return Outcome { index, observation, failures };
        }
    };
    let failures = judge::failures(case, index, &observation, manner.strait);
    Outcome { index, observation, failures }
}

/// One case being played.
struct Play<'a> {
    case: &'a Case,
    index: usize,
    origin: &'a Origin,
    manner: Manner,
    client: Client,
}

impl Play<'_> {
    fn run(mut self) -> Observation {
        self.client.split = self.manner.split;
        for step in &self.case.client {
            self.step(step);
        }
        self.finish();
        let log = self.settle_origin();
        let Client { sent, received, end, .. } = self.client;
        Observation { sent, received, end, log }
    }

    fn step(&mut self, step: &Step) {
        let deadline = self.deadline();
        match step {
            Step::Bytes(bytes) => self.client.send(&origin::expand(self.index, bytes)),
            Step::Pause => std::thread::sleep(Duration::from_millis(30)),
            Step::AwaitOrigin(count) => {
                drop(self.origin.wait(self.index, deadline, |log| log.requests.len() >= *count))
            }
            Step::AwaitAnswer(count) => {
                drop(self.origin.wait(self.index, deadline, |log| log.answered >= *count));
            }
            Step::AwaitResponse(count) => {
                let case = self.case;
                self.client.wait(deadline, |client| finals(case, client) >= *count);
            }
            Step::AwaitText(text) => {
                self.client.wait(deadline, |client| client.received.windows(text.len()).any(|part| part == text));
            }
            Step::AwaitInterim => {
                self.client.wait(deadline, |client| client.received.windows(4).any(|part| part == b"\r\n\r\n"));
            }
            Step::HalfClose => self.client.half_close(),
            Step::Close => self.client.close(false),
            Step::Reset => self.client.close(true),
            Step::Next | Step::Early | Step::Echo | Step::AwaitEnd => {}
        }
    }

    /// Waits for all that the client should see, asks once more where the connection should live.
    fn finish(&mut self) {
        let (case, deadline) = (self.case, self.deadline());
        let due = case.finals();
        self.client.wait(deadline, |client| finals(case, client) >= due);
        if case.ends(self.manner.strait) {
            self.client.wait(deadline, |client| client.end.is_some());
        } else if case.probes(self.manner.strait) && self.client.end.is_none() {
            let (target, host) = (origin::probe_target(self.index), origin::host(self.index));
            self.client.send(format!("GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n").as_bytes());
            self.client.wait(deadline, |client| finals(case, client) > due);
        } else {
            // Nothing more is due; a proxy that says more is given a moment to do so.
            let moment = Instant::now() + Duration::from_millis(50);
            self.client.wait(moment, |client| finals(case, client) > due);
        }
    }

    /// The origin hears of things a little later than the client.
    fn settle_origin(&self) -> Log {
        let least = self.case.requests.0;
        let deadline = self.deadline().min(Instant::now() + Duration::from_secs(2));
        self.origin.wait(self.index, deadline, |log| {
            log.requests.len() >= least && log.requests.iter().all(|seen| seen.arrival != origin::Arrival::Reading)
        })
    }

    fn deadline(&self) -> Instant {
        Instant::now() + self.manner.patience
    }
}

/// Final responses that are whole or cut.
fn finals(case: &Case, client: &Client) -> usize {
    let answers = read_answers(&client.received, &case.methods(), client.end);
    let done = answers.responses.iter().filter(|got| got.arrival != Arrival::Open).count();
    // A tunnel is never done by itself: its bytes are waited for by number.
    if answers.malformed.is_some() { usize::MAX } else { done }
}
