//! Holds what was seen against what was expected.

use crate::client::{Answers, Arrival, Got, read_answers};
use crate::corpus::{Case, Check, Expectation, Item};
use crate::escape::encode;
use crate::oracle::{self, Field};
use crate::origin::{self, Seen};
use crate::run::Observation;

/// Everything that is not as the case expects, of Strait or of a peer, in words; empty for a pass.
pub fn failures(case: &Case, index: usize, seen: &Observation, strait: bool) -> Vec<String> {
    let answers = read_answers(&seen.received, &case.methods(), seen.end);
    let mut failures = Vec::new();
    judge_items(case, strait, seen, &answers, &mut failures);
    for expectation in &case.responses {
        judge_response(case, index, expectation, seen, &answers, &mut failures);
    }
    let count = seen.log.requests.len();
    if count < case.requests.0 || count > case.requests.1 {
        failures.push(format!(
            "origin: {}, not {}",
            requests(count, count),
            requests(case.requests.0, case.requests.1)
        ));
    }
    for request in &seen.log.requests {
        if let Err(refusal) = &request.head {
            failures.push(format!("origin: got a request that is not HTTP: {refusal:?}"));
        }
    }
    for expectation in &case.forwarded {
        judge_request(case, index, expectation, seen, &mut failures);
    }
    failures
}

/// What the client saw, in a few words: `100 200, 400, closed`.
pub fn summary(case: &Case, seen: &Observation) -> String {
    let answers = read_answers(&seen.received, &case.methods(), seen.end);
    let mut words: Vec<String> = answers.responses.iter().map(describe).collect();
    if answers.malformed.is_some() {
        words.push("no HTTP".into());
    }
    words.push(if seen.end.is_some() { "closed" } else { "open" }.into());
    words.join(", ")
}

fn describe(got: &Got) -> String {
    match got.arrival {
        Arrival::Whole => got.head.status.to_string(),
        Arrival::Cut => format!("{} cut", got.head.status),
        Arrival::Open => format!("{} unfinished", got.head.status),
    }
}

fn requests(low: usize, high: usize) -> String {
    match (low, high) {
        (0, 0) => "no request".into(),
        (1, 1) => "1 request".into(),
        _ if low == high => format!("{low} requests"),
        _ => format!("{low} to {high} requests"),
    }
}

fn judge_items(case: &Case, strait: bool, seen: &Observation, answers: &Answers, failures: &mut Vec<String>) {
    let items = case.items_for(strait);
    let wanted = case.finals() + usize::from(items.contains(&Item::Keep));
    let mut responses = answers.responses.iter();
    let good = items.iter().all(|item| match item {
        Item::Response { statuses, cut, nothing } => match responses.next() {
            None => *nothing && seen.end.is_some(),
            Some(got) => match got.arrival {
                Arrival::Whole => statuses.contains(&got.head.status),
                // A peer that resets the connection behind its refusal has refused all the same.
                Arrival::Cut => *cut || (!strait && got.head.status >= 400 && statuses.contains(&got.head.status)),
                Arrival::Open => false,
            },
        },
        Item::Close => seen.end.is_some(),
        Item::Keep => responses.next().is_some_and(|got| got.body == b"probe"),
    });
    let surplus = answers.responses.len() > wanted;
    if !good || surplus || answers.malformed.is_some() {
        failures.push(format!("client: {}, not {}", summary(case, seen), wanted_items(items)));
    }
}

fn wanted_items(items: &[Item]) -> String {
    let words: Vec<String> = items.iter().map(wanted_item).collect();
    words.join(", ")
}

fn wanted_item(item: &Item) -> String {
    match item {
        Item::Close => "close".into(),
        Item::Keep => "keep".into(),
        Item::Response { statuses, cut, nothing } => {
            let mut words: Vec<String> = statuses.iter().map(u16::to_string).collect();
            words.extend(cut.then(|| "cut".into()));
            words.extend(nothing.then(|| "nothing".into()));
            words.join("|")
        }
    }
}

fn judge_response(
    case: &Case,
    index: usize,
    expectation: &Expectation,
    seen: &Observation,
    answers: &Answers,
    failures: &mut Vec<String>,
) {
    let place = format!("client #{}", expectation.number);
    let Some(got) = answers.responses.get(expectation.number - 1) else {
        // That it is missing is judged by the items.
        let side = Side { fields: &[], body: b"", trailers: &[], all: &seen.received };
        return judge_bytes(&place, index, &expectation.check, &side, failures);
    };
    let first = case.items.iter().filter_map(|item| match item {
        Item::Response { statuses, .. } => Some(statuses.first()),
        _ => None,
    });
    // A check speaks of the first alternative.
    let applies =
        first.clone().nth(expectation.number - 1).is_none_or(|status| status.is_none_or(|s| *s == got.head.status));
    let side = Side { fields: &got.head.fields, body: &got.body, trailers: &got.trailers, all: &seen.received };
    match &expectation.check {
        Check::LacksBytes(_) => judge_bytes(&place, index, &expectation.check, &side, failures),
        _ if !applies => {}
        Check::Interims(wanted) if *wanted != got.interims => {
            failures.push(format!("{place}: interim responses {:?}, not {wanted:?}", got.interims));
        }
        Check::Interims(_) => {}
        Check::Version(minor) if *minor != got.head.version => {
            failures.push(format!("{place}: version 1.{}", got.head.version))
        }
        Check::Complete(whole) if *whole != (got.arrival == Arrival::Whole) => {
            failures.push(format!("{place}: {:?}", got.arrival))
        }
        check => judge_side(&place, index, check, &side, failures),
    }
}

fn judge_request(case: &Case, index: usize, expectation: &Expectation, seen: &Observation, failures: &mut Vec<String>) {
    let place = format!("origin #{}", expectation.number);
    let Some(request) = seen.log.requests.get(expectation.number - 1) else {
        let side = Side { fields: &[], body: b"", trailers: &[], all: &seen.log.bytes };
        judge_bytes(&place, index, &expectation.check, &side, failures);
        if expectation.number <= case.requests.0 && !matches!(expectation.check, Check::LacksBytes(_)) {
            failures.push(format!("{place}: is missing"));
        }
        return;
    };
    let Ok(head) = &request.head else { return };
    let side = Side { fields: &head.fields, body: &request.body, trailers: &request.trailers, all: &seen.log.bytes };
    if let Some(failure) = judge_request_line(index, &expectation.check, request, head) {
        failures.push(format!("{place}: {failure}"));
    } else {
        judge_side(&place, index, &expectation.check, &side, failures);
    }
}

fn judge_request_line(index: usize, check: &Check, request: &Seen, head: &oracle::Request) -> Option<String> {
    match check {
        Check::Method(method) if *method != head.method => Some(format!("method {}", encode(&head.method))),
        Check::Target(targets) if targets.iter().all(|target| origin::expand(index, target) != head.target) => {
            Some(format!("target {}", encode(&head.target)))
        }
        Check::Version(minor) if *minor != head.version => Some(format!("version 1.{}", head.version)),
        Check::Complete(whole) if *whole != (request.arrival == origin::Arrival::Whole) => {
            Some(format!("the body is {:?}", request.arrival))
        }
        Check::Fresh(fresh) if *fresh != request.fresh => {
            Some(format!("came on a {} connection", if request.fresh { "fresh" } else { "reused" }))
        }
        _ => None,
    }
}

/// The parts of a message that checks of both directions look at.
struct Side<'a> {
    fields: &'a [Field],
    body: &'a [u8],
    trailers: &'a [Field],
    all: &'a [u8],
}

impl Side<'_> {
    fn joined(&self, name: &str) -> Vec<u8> {
        oracle::values(self.fields, name.as_bytes()).join(&b", "[..])
    }

    fn count(&self, name: &str) -> usize {
        oracle::values(self.fields, name.as_bytes()).len()
    }
}

fn judge_side(place: &str, index: usize, check: &Check, side: &Side<'_>, failures: &mut Vec<String>) {
    let failure = match check {
        Check::Has(name) if side.count(name) == 0 => format!("lacks {name}"),
        Check::Lacks(name) if side.count(name) > 0 => format!("has {name}: {}", encode(&side.joined(name))),
        Check::Count(name, count) if side.count(name) != *count => {
            format!("has {} {name}, not {count}", side.count(name))
        }
        Check::Value(name, value) if side.joined(name) != origin::expand(index, value) => {
            format!("{name} is `{}`, not `{}`", encode(&side.joined(name)), encode(&origin::expand(index, value)))
        }
        Check::Contains(name, part) if !contains(&side.joined(name), &origin::expand(index, part)) => {
            format!("{name} is `{}`, without `{}`", encode(&side.joined(name)), encode(part))
        }
        Check::Omits(name, part) if contains(&side.joined(name), &origin::expand(index, part)) => {
            format!("{name} is `{}`, with `{}`", encode(&side.joined(name)), encode(part))
        }
        Check::Body(body) if side.body != origin::expand(index, body) => format!("body `{}`", encode(side.body)),
        Check::BodySize(size) if side.body.len() != *size => format!("body of {} octets, not {size}", side.body.len()),
        Check::Trailer(name, value) if !has_trailer(side, name, value) => format!("trailer {name} did not arrive"),
        _ => return judge_bytes(place, index, check, side, failures),
    };
    failures.push(format!("{place}: {failure}"));
}

/// RFC 9110 §6.5.1 lets a recipient that waits for the body merge trailer fields into the head.
fn has_trailer(side: &Side<'_>, name: &str, value: &[u8]) -> bool {
    let found = oracle::values(side.trailers, name.as_bytes());
    found.contains(&value) || oracle::values(side.fields, name.as_bytes()).contains(&value)
}

fn judge_bytes(place: &str, index: usize, check: &Check, side: &Side<'_>, failures: &mut Vec<String>) {
    match check {
        Check::LacksBytes(part) if contains(side.all, &origin::expand(index, part)) => {
            failures.push(format!("{place}: `{}` came through", encode(part)));
        }
        Check::HasBytes(part) if !contains(side.all, &origin::expand(index, part)) => {
            failures.push(format!("{place}: `{}` did not come through", encode(part)));
        }
        _ => {}
    }
}

/// Whether `part` stands in `all`, whatever the case of letters.
fn contains(all: &[u8], part: &[u8]) -> bool {
    all.windows(part.len().max(1)).any(|window| window.eq_ignore_ascii_case(part))
}
