//! Routes that no request reaches.

use crate::codes;
use std::sync::Arc;
use strait_config::{Diagnostic, Snapshot, Spanned};
use strait_plan::{Plan, RouteSet};

/// A warning for each route that others hide.
pub(crate) fn warnings(snapshot: &Snapshot, plan: &Plan) -> Vec<Diagnostic> {
    let listeners = snapshot.spec.listeners.iter().zip(&plan.listeners);
    let own = listeners.clone().filter_map(|((_, spec), listener)| Some((spec.routes.as_ref()?, &listener.routes)));
    let top = listeners.clone().find(|((_, spec), _)| spec.routes.is_none());
    let top = top.map(|(_, listener)| (&snapshot.spec.routes, &listener.routes));
    top.into_iter().chain(own).flat_map(|(written, set)| hidden(written, set)).collect()
}

fn hidden(written: &strait_config::Table<strait_config::spec::Route>, set: &Arc<RouteSet>) -> Vec<Diagnostic> {
    let keys: Vec<&Spanned<String>> = written.iter().map(|(key, _)| key).collect();
    let key = |index| set.table.get(index).and_then(|(_, route)| keys.get(route.0 as usize));
    set.table.unreachable().into_iter().filter_map(|index| key(index).map(|key| warning(key))).collect()
}

fn warning(key: &Spanned<String>) -> Diagnostic {
    let message = format!("`{}` is never reached", key.value);
    Diagnostic::warning(codes::UNREACHABLE, key.span, message)
        .label("other routes are more specific and take everything it matches")
        .hint("remove it, or one of those that hide it")
}
