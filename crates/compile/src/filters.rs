//! Filters: what is written becomes chains. A filter that is written once is compiled once, and is one step of every
//! chain it is part of: a limit in `defaults` is one limit for all routes.

mod kept;
mod key;
mod lists;

pub(crate) use kept::Kept;

use crate::routes::place;
use std::collections::HashMap;
use std::sync::Arc;
use strait_config::filter::{Filter as Written, Step as Spec};
use strait_config::{Diagnostic, Snapshot, Span, spec};
use strait_filters::{Chain, Filter, Step, for_each_filter};

/// Compiles the filters of one snapshot.
pub(crate) struct Filters<'s> {
    world: World<'s>,
    /// Steps made so far, by where they are written.
    steps: HashMap<Span, Option<Arc<Step>>>,
}

/// What the compilation of a filter may look at and report to.
pub(crate) struct World<'s> {
    pub(crate) snapshot: &'s Snapshot,
    pub(crate) found: Vec<Diagnostic>,
    /// What outlives plans.
    kept: &'s mut Kept,
    /// Keys what outsiders choose.
    seed: u64,
    /// Where the filter is written, by names: its identity over reloads.
    home: String,
    /// The pattern whose captures it may ask for; empty where it is written for many.
    pattern: String,
}

macro_rules! compilers {
    ($($variant:ident $module:ident;)*) => {
        $(mod $module;)*


        /// What a filter is compiled to; `None` if something is wrong with it, which is then reported.
        fn compile(written: &Written, world: &mut World<'_>) -> Option<Filter> {
            match &written.step {
                Spec::Use(_) => None,
                $(Spec::$variant(spec) => $module::compile(spec, written.span, world).map(Filter::$variant),)*
            }
        }
    };
}

for_each_filter!(compilers);

impl<'s> Filters<'s> {
    pub(crate) fn of(snapshot: &'s Snapshot, kept: &'s mut Kept, seed: u64) -> Self {
        let world = World { snapshot, found: Vec::new(), kept, seed, home: String::new(), pattern: String::new() };
        Self { world, steps: HashMap::new() }
    }

    /// The chain of a route: filters of `defaults`, of its listener, its own.
    pub(crate) fn chain(
        &mut self,
        table: &str,
        listener: Option<&spec::Listener>,
        pattern: &str,
        own: &[Written],
    ) -> Option<Arc<Chain>> {
        let mut steps = Vec::new();
        self.world.pattern.clear();
        let none: &[Written] = &[];
        let of_listener = listener.map_or(none, |listener| &*listener.filters);
        let snapshot: &'s Snapshot = self.world.snapshot;
        self.append(&snapshot.spec.defaults.filters, "defaults", "", &mut steps);
        self.append(of_listener, &format!("listener {table}"), "", &mut steps);
        self.world.pattern = pattern.to_owned();
        self.append(own, &format!("route {table} {pattern}"), "", &mut steps);
        Chain::new(steps).map(Arc::new)
    }

    /// What is wrong with the filters.
    pub(crate) fn into_findings(self) -> Vec<Diagnostic> {
        self.world.found
    }

    fn append(&mut self, list: &[Written], home: &str, policy: &str, steps: &mut Vec<Arc<Step>>) {
        for (at, written) in list.iter().enumerate() {
            // Loading refuses names that are no policies, and policies that come back to themselves.
            let snapshot: &'s Snapshot = self.world.snapshot;
            let used = written.step.policy().and_then(|name| snapshot.spec.policies.entry(&name.value));
            match used {
                Some((name, filters)) => {
                    // A policy is compiled once, for all the patterns that use it.
                    let pattern = std::mem::take(&mut self.world.pattern);
                    self.append(filters, &format!("policy {}", name.value), &name.value, steps);
                    self.world.pattern = pattern;
                }
                None => {
                    self.world.home = format!("{home} {at}");
                    steps.extend(self.step(written, policy));
                }
            }
        }
    }

    fn step(&mut self, written: &Written, policy: &str) -> Option<Arc<Step>> {
        if let Some(made) = self.steps.get(&written.span) {
            return made.clone();
        }
        let source = place(self.world.snapshot, written.span).into();
        let filter = compile(written, &mut self.world);
        let step = filter.map(|filter| Arc::new(Step { filter, source, policy: policy.into() }));
        self.steps.insert(written.span, step.clone());
        step
    }
}
