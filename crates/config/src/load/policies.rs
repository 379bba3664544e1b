//! Policies: that each `use` names one, that none uses itself, and that each is used.

use crate::codes;
use crate::diagnose::Diagnostic;
use crate::filter::Filter;
use crate::limits::POLICY_DEPTH_MAX;
use crate::source::{Span, Spanned};
use crate::spec::Root;
use crate::words;
use std::collections::HashSet;

/// Every list of filters that is not a policy.
fn lists(spec: &Root) -> impl Iterator<Item = &[Filter]> {
    let listeners = spec.listeners.iter().map(|(_, listener)| listener);
    let own = listeners.clone().filter_map(|listener| listener.routes.as_ref());
    let routes = std::iter::once(&spec.routes).chain(own).flatten().map(|(_, route)| &*route.filters);
    std::iter::once(&*spec.defaults.filters).chain(listeners.map(|listener| &*listener.filters)).chain(routes)
}

fn used(filters: &[Filter]) -> impl Iterator<Item = &Spanned<String>> {
    filters.iter().filter_map(|filter| filter.step.policy())
}

/// Checks all of a file's policies and their uses.
pub(super) fn check(spec: &Root, found: &mut Vec<Diagnostic>) {
    let inside = spec.policies.iter().flat_map(|(_, filters)| used(filters));
    let outside: Vec<_> = lists(spec).flat_map(used).collect();
    let unknown = inside.chain(outside.iter().copied()).filter(|name| spec.policies.get(&name.value).is_none());
    found.extend(unknown.map(|name| no_policy(spec, name)));
    let mut judged = HashSet::new();
    for (name, _) in &spec.policies {
        find_cycle(spec, &name.value, &mut Vec::new(), &mut judged, found);
    }
    let mut reached = HashSet::new();
    outside.iter().for_each(|name| reach(spec, &name.value, &mut reached));
    for (name, _) in spec.policies.iter().filter(|(name, _)| !reached.contains(name.value.as_str())) {
        let message = format!("the policy `{}` is never used", name.value);
        found.push(Diagnostic::warning(codes::UNUSED_POLICY, name.span, message).label("no `use` names it"));
    }
}

fn no_policy(spec: &Root, name: &Spanned<String>) -> Diagnostic {
    let finding = Diagnostic::error(codes::UNKNOWN_POLICY, name.span, format!("no policy named `{}`", name.value))
        .label("not defined");
    let known = || spec.policies.iter().map(|(name, _)| name.value.as_str());
    let near = words::closest(&name.value, known()).and_then(|near| spec.policies.entry(near));
    match near {
        Some((near, _)) => finding.second(near.span, format!("`{}` is defined here", near.value)).replace(
            format!("did you mean `{}`?", near.value),
            name.span,
            near.value.clone(),
        ),
        None => finding.hint(format!("define it at the top: `policies: {{{}: [...]}}`", name.value)),
    }
}

/// Follows a policy's uses; reports one that leads back into `path`.
fn find_cycle<'s>(
    spec: &'s Root,
    name: &'s str,
    path: &mut Vec<&'s str>,
    judged: &mut HashSet<&'s str>,
    found: &mut Vec<Diagnostic>,
) {
    let Some(filters) = spec.policies.get(name).filter(|_| judged.insert(name)) else { return };
    path.push(name);
    if path.len() > POLICY_DEPTH_MAX {
        let span = spec.policies.entry(name).map_or(Span::NONE, |(name, _)| name.span);
        let message = format!("policies use each other more than {POLICY_DEPTH_MAX} deep");
        found.push(Diagnostic::error(codes::POLICY_CYCLE, span, message).hint("write the filters out"));
        return;
    }
    for next in used(filters) {
        if let Some(at) = path.iter().position(|earlier| *earlier == next.value) {
            let round: Vec<&str> = path.iter().skip(at).copied().chain([next.value.as_str()]).collect();
            let message = format!("the policy `{}` uses itself: {}", next.value, round.join(" uses "));
            found
                .push(Diagnostic::error(codes::POLICY_CYCLE, next.span, message).label("back again").hint("remove it"));
        } else {
            find_cycle(spec, &next.value, path, judged, found);
        }
    }
    path.pop();
}

fn reach<'s>(spec: &'s Root, name: &'s str, reached: &mut HashSet<&'s str>) {
    let Some((_, filters)) = spec.policies.entry(name).filter(|(name, _)| reached.insert(&name.value)) else { return };
    used(filters).for_each(|next| reach(spec, &next.value, reached));
}
