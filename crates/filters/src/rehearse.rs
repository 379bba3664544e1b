//! What a chain would do to a request, step by step, for `explain` and for the tests of a configuration.

use crate::Request;
use crate::chain::{Chain, Step};
use crate::flow::{Behaviour, Flow, Reply};
use std::sync::Arc;
use strait_message::Headers;

/// What one filter would do.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    /// The step.
    pub step: Arc<Step>,
    /// What it changes about the request, each in a few words.
    pub effects: Vec<String>,
    /// What becomes of the request.
    pub end: Ending,
}

/// What becomes of a request after a filter.
#[derive(Clone, Debug)]
pub enum Ending {
    /// It goes on.
    Continues,
    /// It is answered here.
    Answered(Reply),
    /// Something is asked first; the rest is told as if that allowed the request.
    Asks(String),
    /// A filter before this one answered.
    NotReached,
}

impl Chain {
    /// Runs every filter over a request whose facts say that it is a trial.
    pub fn rehearse(&self, request: &mut Request<'_>) -> Vec<Rehearsal> {
        let mut answered = false;
        let one = |step: &Arc<Step>| {
            let (effects, end) = if answered { (Vec::new(), Ending::NotReached) } else { try_step(step, request) };
            answered |= matches!(end, Ending::Answered(_));
            Rehearsal { step: step.clone(), effects, end }
        };
        self.steps().iter().map(one).collect()
    }
}

fn try_step(step: &Step, request: &mut Request<'_>) -> (Vec<String>, Ending) {
    let (headers, forced) = (lines(&request.head.headers), lines(&request.notes.forced));
    let target = text(request.target.as_bytes());
    let end = match step.filter.request(request) {
        Flow::Continue | Flow::GoOn(_) => Ending::Continues,
        Flow::Respond(reply) => Ending::Answered(*reply),
        Flow::Wait(call) => Ending::Asks(call.describe()),
    };
    let mut effects = Vec::new();
    let now = text(request.target.as_bytes());
    if now != target {
        effects.push(format!("{target} becomes {now}"));
    }
    compare(&headers, &lines(&request.head.headers), &mut effects);
    compare(&forced, &lines(&request.notes.forced), &mut effects);
    (effects, end)
}

fn lines(headers: &Headers) -> Vec<String> {
    headers.iter().map(|field| format!("{}: {}", text(field.name), text(field.value))).collect()
}

fn text(octets: &[u8]) -> String {
    String::from_utf8_lossy(octets).into_owned()
}

fn compare(before: &[String], after: &[String], effects: &mut Vec<String>) {
    let gone = before.iter().filter(|line| !after.contains(line)).map(|line| format!("- {line}"));
    let new = after.iter().filter(|line| !before.contains(line)).map(|line| format!("+ {line}"));
    effects.extend(gone.chain(new));
}
