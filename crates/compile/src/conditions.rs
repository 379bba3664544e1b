//! Conditions that say less than was meant: ones that always or never hold, and entries of `when` that none reach.

use crate::codes;
use crate::routes::written;
use strait_config::spec::{Branch, Route as Spec};
use strait_config::{Diagnostic, Snapshot, Span, Spanned};
use strait_plan::{Condition, Plan, Route};

/// A warning for each.
pub(crate) fn warnings(snapshot: &Snapshot, plan: &Plan) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (name, listener, routes) in written(snapshot) {
        // A listener with filters has the table at the top once more.
        if listener.is_some_and(|listener| listener.routes.is_none()) {
            continue;
        }
        let spec = |other: &str| snapshot.spec.listeners.iter().find(|(known, _)| *known.value == *other);
        let serves = |other: &str| match listener {
            Some(_) => other == name,
            None => spec(other).is_none_or(|(_, spec)| spec.routes.is_none()),
        };
        let compiled = plan.listeners.iter().find(|listener| serves(&listener.name));
        let pairs = compiled.into_iter().flat_map(|listener| routes.iter().zip(&listener.routes.routes));
        pairs.for_each(|((_, spec), route)| of_route(spec, route, &mut found));
    }
    found
}

fn of_route(spec: &Spec, route: &Route, found: &mut Vec<Diagnostic>) {
    if let (Some(text), Some(condition)) = (&spec.condition, &route.condition) {
        found.extend(constant(text.span, condition));
    }
    let mut decided: Vec<(&Spanned<Branch>, bool)> = Vec::new();
    for (entry, branch) in spec.when.iter().zip(&route.branches) {
        if let (Some(text), Some(condition)) = (&entry.condition, &branch.condition.expression) {
            found.extend(constant(text.span, condition));
        }
        let before = decided.iter().find(|(earlier, always)| *always || same_conditions(earlier, entry));
        if let Some((earlier, always)) = before {
            let label = if *always { "this one always holds" } else { "this one has the same conditions" };
            found.push(
                Diagnostic::warning(codes::UNREACHABLE, entry.span, "this entry of `when` is never reached")
                    .label("an entry before it decides")
                    .second(earlier.span, label)
                    .hint("remove it, or put it before the other one"),
            );
        }
        decided.push((entry, always_holds(&branch.condition)));
    }
}

fn constant(span: Span, condition: &strait_expr::Expression) -> Option<Diagnostic> {
    let what = match (condition.is_always_true(), condition.is_never_true()) {
        (true, _) => "always holds",
        (_, true) => "never holds",
        _ => return None,
    };
    let warning = Diagnostic::warning(strait_config::codes::EXPRESSION, span, format!("this condition {what}"));
    Some(warning.label("it asks nothing of the request").hint("compare with a value of the request"))
}

fn always_holds(condition: &Condition) -> bool {
    let Condition { headers, query, cookies, networks, methods, portion, expression } = condition;
    let asks_names = !headers.is_empty() || !query.is_empty() || !cookies.is_empty();
    let all = portion.as_ref().is_none_or(|portion| portion.of_100_000 == 100_000 && portion.key.is_none());
    !asks_names
        && networks.is_empty()
        && methods.is_empty()
        && all
        && expression.as_ref().is_none_or(strait_expr::Expression::is_always_true)
}

/// Whether two entries ask the same.
fn same_conditions(a: &Branch, b: &Branch) -> bool {
    let asked =
        |branch: &Branch| (branch.headers.clone(), branch.query.clone(), branch.cookies.clone(), branch.from.clone());
    asked(a) == asked(b)
        && a.methods == b.methods
        && a.percent == b.percent
        && a.key == b.key
        && a.condition == b.condition
}
