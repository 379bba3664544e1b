//! The `tests:` of a configuration: requests with what must become of them, asked of the plan.

use crate::codes;
use crate::explain::{Explanation, Outcome, Question, explain};
use strait_config::spec::{Expectation, RequestTest};
use strait_config::value::Target;
use strait_config::{Diagnostic, Snapshot};
use strait_plan::Plan;

/// An error for each test that does not come out as expected.
pub(crate) fn failures(snapshot: &Snapshot, plan: &Plan) -> Vec<Diagnostic> {
    snapshot.spec.tests.iter().filter_map(|test| run(plan, test)).collect()
}

fn run(plan: &Plan, test: &RequestTest) -> Option<Diagnostic> {
    let headers: Vec<_> = test.headers.iter().map(|(n, v)| (n.as_str().to_owned(), v.as_str().to_owned())).collect();
    let (method, url) = test.request.split_once(' ').unwrap_or(("GET", &test.request));
    let client = test.from.as_ref().map(|network| network.value.0.addr());
    let question = Question { headers: &headers, client, ..Question::new(method, url.trim()) };
    let refused = |message: String| {
        let finding = Diagnostic::error(codes::TEST_FAILED, test.expect.span, message);
        Some(finding.label("expected this").second(test.request.span, "of this request"))
    };
    match explain(plan, &question) {
        Ok(explanation) => disappointment(&test.expect, &explanation).and_then(refused),
        Err(refusal) => refused(format!("{}: {refusal}", test.request.value)),
    }
}

/// What came out instead.
fn disappointment(expected: &Expectation, got: &Explanation) -> Option<String> {
    let status = status(&got.outcome);
    if let Some(wanted) = expected.status.filter(|wanted| Some(wanted.get()) != status) {
        let got = status.map_or_else(|| "the origin's".to_owned(), |status| status.to_string());
        return Some(format!("the status is {got}, not {wanted}"));
    }
    let route = got.winner.as_ref().map_or("none", |winner| &*winner.pattern);
    if let Some(wanted) = expected.route.as_ref().filter(|wanted| wanted.value != route) {
        return Some(format!("the route is `{route}`, not `{}`", wanted.value));
    }
    let wanted = expected.to.as_ref().filter(|wanted| !goes_to(&got.outcome, wanted))?;
    Some(format!("it does not go to `{}` but {}", wanted.value, destination(&got.outcome)))
}

/// The status, where the configuration alone decides it.
fn status(outcome: &Outcome) -> Option<u16> {
    match outcome {
        Outcome::Forward { .. } => None,
        Outcome::Filter { status, .. } | Outcome::Redirect { status, .. } | Outcome::Respond { status, .. } => {
            Some(*status)
        }
        Outcome::MethodNotAllowed(_) => Some(405),
        Outcome::NoRoute => Some(404),
    }
}

fn goes_to(outcome: &Outcome, target: &Target) -> bool {
    let Outcome::Forward { shares, .. } = outcome else { return false };
    let name = target.to_string();
    shares.iter().any(|share| share.weight > 0 && *share.upstream == *name)
}

fn destination(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Forward { shares, .. } => {
            let names: Vec<_> = shares.iter().map(|share| format!("`{}`", share.upstream)).collect();
            format!("to {}", names.join(" or "))
        }
        _ => format!("is answered with {}", status(outcome).unwrap_or_default()),
    }
}
