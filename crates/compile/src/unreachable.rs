//! Routes that no request reaches.

use crate::codes;
use std::sync::Arc;
use strait_config::spec::Route;
use strait_config::{Diagnostic, Snapshot, Spanned, Table};
use strait_plan::{Listener, Plan, RouteSet};
use strait_route::RouteId;

/// A warning for each route that others hide.
pub(crate) fn warnings(snapshot: &Snapshot, plan: &Plan) -> Vec<Diagnostic> {
    let listeners = snapshot.spec.listeners.iter().zip(&plan.listeners);
    let own = listeners.clone().filter_map(|((_, spec), listener)| Some((spec.routes.as_ref()?, listener)));
    let mut at_top = listeners.clone().filter(|((_, spec), _)| spec.routes.is_none());
    // A pattern that one listener reaches is reached.
    let top = at_top.clone().find(|(_, listener)| !listener.path_rules.merge_slashes).or_else(|| at_top.next());
    let top = top.map(|(_, listener)| (&snapshot.spec.routes, listener));
    let all = top.into_iter().chain(own);
    all.flat_map(|(written, listener)| hidden(written, &listener.routes).chain(merged(written, listener))).collect()
}

/// Patterns with repeated slashes, where requests have none left.
fn merged<'s>(written: &'s Table<Route>, listener: &Listener) -> impl Iterator<Item = Diagnostic> + use<'s> {
    let merges = listener.path_rules.merge_slashes;
    written.iter().filter(move |(key, _)| merges && key.value.contains("//")).map(|(key, _)| {
        Diagnostic::warning(codes::UNREACHABLE, key.span, format!("`{}` is never reached", key.value))
            .label("repeated slashes of a request count as one")
            .hint("write one slash, or `merge_slashes: false` in the listener")
    })
}

fn hidden<'s>(written: &'s Table<Route>, set: &Arc<RouteSet>) -> impl Iterator<Item = Diagnostic> + use<'s> {
    let keys: Vec<&Spanned<String>> = written.iter().map(|(key, _)| key).collect();
    let key = |index| set.table.get(index).and_then(|(_, route)| keys.get(route.0 as usize));
    let decides = |route: RouteId| set.routes.get(route.0 as usize).is_some_and(|route| route.condition.is_none());
    let hidden: Vec<_> =
        set.table.unreachable(decides).into_iter().filter_map(|index| key(index).map(|key| warning(key))).collect();
    hidden.into_iter()
}

fn warning(key: &Spanned<String>) -> Diagnostic {
    let message = format!("`{}` is never reached", key.value);
    Diagnostic::warning(codes::UNREACHABLE, key.span, message)
        .label("other routes are more specific and take everything it matches")
        .hint("remove it, or one of those that hide it")
}
