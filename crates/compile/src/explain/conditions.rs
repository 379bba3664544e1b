//! Conditions beyond the pattern: which held, and why the others did not.

use std::sync::Arc;
use strait_plan::{Evidence, Facts, RouteSet, Unmet};
use strait_route::Pattern;

/// An entry of a route's `when` that was asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BranchStep {
    /// Where it is written.
    pub source: Arc<str>,
    /// Why it does not hold; `None` for the one that decides.
    pub unmet: Option<String>,
}

/// The branches of the route that wins, up to the one that decides.
pub(super) fn steps(routes: &RouteSet, evidence: &Evidence<'_>) -> Vec<BranchStep> {
    let found = routes.find(&evidence.facts).ok();
    let route = found.and_then(|found| routes.routes.get(found.route.0 as usize));
    let mut steps = Vec::new();
    for branch in route.into_iter().flat_map(|route| &route.branches) {
        let unmet = branch.condition.unmet(evidence).map(|unmet| words(&unmet, &evidence.facts));
        let decides = unmet.is_none();
        steps.push(BranchStep { source: branch.route.source.clone(), unmet });
        if decides {
            break;
        }
    }
    steps
}

/// Why the `if` of a route does not hold, where there is more to say than that.
pub(super) fn detail(routes: &RouteSet, facts: &Facts<'_>, pattern: &Pattern) -> Option<String> {
    // Captures are those of this pattern, not of the winner.
    let same = |found: &strait_route::Found| routes.table.get(found.pattern).is_some_and(|(other, _)| other == pattern);
    let method = facts.method.as_str().as_bytes();
    let found = routes.table.find_where(method, facts.host, facts.path, same).ok()?;
    let route = routes.routes.get(found.route.0 as usize)?;
    match route.unmet(facts, found.captures)? {
        Unmet::Expression(Some(why)) => Some(why),
        Unmet::Expression(None) => route.condition.as_ref().map(|condition| format!("`{condition}` is false")),
        other => Some(words(&other, facts)),
    }
}

fn words(unmet: &Unmet, facts: &Facts<'_>) -> String {
    let name = |name: &[u8]| String::from_utf8_lossy(name).into_owned();
    match unmet {
        Unmet::Header(header) => format!("the header `{}` differs", name(header)),
        Unmet::Query(parameter) => format!("the query's `{}` differs", name(parameter)),
        Unmet::Cookie(cookie) => format!("the cookie `{}` differs", name(cookie)),
        Unmet::Client if facts.client.is_none() => "the client is not known here".to_owned(),
        Unmet::Client => "the client is in none of the networks".to_owned(),
        Unmet::Method => "the method differs".to_owned(),
        Unmet::Portion => "it is not in the share".to_owned(),
        Unmet::Expression(Some(why)) => why.clone(),
        Unmet::Expression(None) => "`if` is false".to_owned(),
    }
}
