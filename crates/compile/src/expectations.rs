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
    let (disappointments, happened) = match explain(plan, &question) {
        Ok(explanation) => (disappointments(&test.expect, &explanation), happened(&explanation)),
        Err(refusal) => (vec![format!("{}: {refusal}", test.request.value)], String::new()),
    };
    if disappointments.is_empty() {
        return None;
    }
    let name = test.name.as_ref().map_or_else(String::new, |name| format!("test `{name}`: "));
    let finding =
        Diagnostic::error(codes::TEST_FAILED, test.expect.span, format!("{name}{}", disappointments.join(", and ")));
    let finding = finding.label("expected this").second(test.request.span, "of this request");
    Some(if happened.is_empty() { finding } else { finding.hint(happened) })
}

/// What came out in place of each thing that was expected.
fn disappointments(expected: &Expectation, got: &Explanation) -> Vec<String> {
    let mut found = Vec::new();
    let status = status(&got.outcome);
    if let Some(wanted) = expected.status.filter(|wanted| Some(wanted.get()) != status) {
        let got = status.map_or_else(|| "the origin's".to_owned(), |status| status.to_string());
        found.push(format!("the status is {got}, not {wanted}"));
    }
    let route = got.winner.as_ref().map_or("none", |winner| &*winner.pattern);
    if let Some(wanted) = expected.route.as_ref().filter(|wanted| wanted.value != route) {
        found.push(format!("the route is `{route}`, not `{}`", wanted.value));
    }
    if let Some(wanted) = expected.to.as_ref().filter(|wanted| !goes_to(&got.outcome, wanted)) {
        found.push(format!("it does not go to `{}` but {}", wanted.value, destination(&got.outcome)));
    }
    for (name, wanted) in expected.headers.iter() {
        let value = got.decided.iter().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value);
        let test = crate::texts::text_test(wanted);
        if !test.is_some_and(|test| test.passes(value.map(String::as_bytes))) {
            let is = value.map_or_else(|| "not set by the configuration".to_owned(), |value| format!("`{value}`"));
            found.push(format!("the header `{}` is {is}", name.value));
        }
    }
    found
}

/// What became of the request, and where it is written.
fn happened(got: &Explanation) -> String {
    let route = match &got.winner {
        Some(winner) => format!("it takes the route `{}` ({})", winner.pattern, winner.source),
        None => "no route matches".to_owned(),
    };
    let held = |step: &crate::BranchStep| step.unmet.as_ref().map(|why| format!("{}: {why}", step.source));
    let unmet: Vec<String> = got.branches.iter().filter_map(held).collect();
    let conditions = if unmet.is_empty() { String::new() } else { format!("; {}", unmet.join("; ")) };
    format!("{route} and {}{conditions}", destination(&got.outcome).replacen("to ", "goes to ", 1))
}

/// The status, where the configuration alone decides it.
fn status(outcome: &Outcome) -> Option<u16> {
    match outcome {
        Outcome::Files { .. } | Outcome::Forward { .. } => None,
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
        Outcome::Files { path, .. } => format!("is served from {path}"),
        _ => format!("is answered with {}", status(outcome).unwrap_or_default()),
    }
}
