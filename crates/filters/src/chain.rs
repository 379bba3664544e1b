//! The compiled filters of a route, in order.

use crate::flow::{Answer, Behaviour, Call, Flow, Reply};
use crate::{Filter, Kind, Notes, Request, Response};
use std::sync::Arc;

pub use strait_record::FilterVerdict as Verdict;

/// Filters of one route: those of `defaults`, of its listener, and its own.
#[derive(Debug, Default)]
pub struct Chain {
    steps: Box<[Arc<Step>]>,
}

/// One filter where it is written. What is written once and used by many routes is one step of all their chains, with
/// one state.
#[derive(Debug)]
pub struct Step {
    /// The filter.
    pub filter: Filter,
    /// Where it is written, as `file:line`.
    pub source: Arc<str>,
    /// The policy it belongs to; empty for none.
    pub policy: Arc<str>,
}

/// What one exchange keeps about its chain.
#[derive(Debug, Default)]
pub struct Passage {
    /// How far it came.
    pub progress: Progress,
    /// What the filters remember.
    pub notes: Notes,
}

impl Passage {
    /// Forgets everything, keeping the memory.
    pub fn clear(&mut self) {
        self.progress = Progress::default();
        self.notes.clear();
    }
}

/// How far an exchange came in its chain.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Steps passed: the response comes back through these.
    pub passed: usize,
    /// The filter that answered in the origin's place.
    pub answered_by: Option<Kind>,
}

/// Where a chain stopped.
#[derive(Debug)]
pub enum Stop {
    /// Nowhere: every filter was passed.
    Passed,
    /// A filter answers.
    Reply(Box<Reply>),
    /// A filter waits for this; then [`Chain::resume`].
    Wait(Box<Call>),
}

impl Chain {
    /// A chain of these steps; `None` without any, so that a route without filters has none to run.
    pub fn new(steps: Vec<Arc<Step>>) -> Option<Self> {
        (!steps.is_empty()).then(|| Self { steps: steps.into() })
    }

    /// Its steps in order.
    pub fn steps(&self) -> &[Arc<Step>] {
        &self.steps
    }

    /// Runs the filters that were not passed yet over a request.
    pub fn request(&self, request: &mut Request<'_>, progress: &mut Progress) -> Stop {
        while let Some(step) = self.steps.get(progress.passed) {
            let flow = step.filter.request(request);
            if let Some(stop) = settle(step, flow, request, progress) {
                return stop;
            }
        }
        Stop::Passed
    }

    /// Hands an answer to the filter that waits, and goes on.
    pub fn resume(&self, answer: Answer, request: &mut Request<'_>, progress: &mut Progress) -> Stop {
        let Some(step) = self.steps.get(progress.passed) else { return Stop::Passed };
        let flow = step.filter.answered(answer, request);
        settle(step, flow, request, progress).unwrap_or_else(|| self.request(request, progress))
    }

    /// Runs the filters that were passed over a response, the last one first.
    pub fn response(&self, passed: usize, response: &mut Response<'_>) {
        for step in self.steps.iter().take(passed).rev() {
            step.filter.response(response);
        }
    }
}

/// Counts what a filter said; where the chain stops, if it does.
fn settle(step: &Step, flow: Flow, request: &Request<'_>, progress: &mut Progress) -> Option<Stop> {
    let kind = step.filter.kind();
    let (verdict, stop) = match flow {
        Flow::Continue => {
            progress.passed += 1;
            (Verdict::Continued, None)
        }
        Flow::GoOn(verdict) => {
            progress.passed += 1;
            (verdict, None)
        }
        Flow::Respond(reply) => {
            progress.answered_by = Some(kind);
            (Verdict::Answered, Some(Stop::Reply(reply)))
        }
        Flow::Wait(call) => return Some(Stop::Wait(call)),
    };
    if let Some(meter) = request.meter {
        meter.count(kind as usize, verdict);
    }
    stop
}
