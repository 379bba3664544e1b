//! What filters count outlives a plan: it is found again by where the filter is written and what its counts mean.

use std::collections::HashMap;
use std::sync::{Arc, Weak};
use strait_filters::concurrency_limit::Running;
use strait_filters::rate_limit::State;

/// Counts of filters. Only plans keep them alive; here are weak references.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    limits: HashMap<String, Weak<State>>,
    running: HashMap<String, Weak<Running>>,
}

impl Kept {
    /// The counts of a rate limit: those that live, or new ones.
    pub(super) fn limit(&mut self, home: &str, meaning: &str, make: impl FnOnce() -> Arc<State>) -> Arc<State> {
        find(&mut self.limits, home, meaning, make)
    }

    /// The counts of a concurrency limit: those that live, or new ones.
    pub(super) fn running(&mut self, home: &str, meaning: &str, make: impl FnOnce() -> Arc<Running>) -> Arc<Running> {
        find(&mut self.running, home, meaning, make)
    }

    /// Forgets what no plan uses any more.
    pub(crate) fn forget_dead(&mut self) {
        self.limits.retain(|_, weak| weak.strong_count() > 0);
        self.running.retain(|_, weak| weak.strong_count() > 0);
    }
}

fn find<T>(all: &mut HashMap<String, Weak<T>>, home: &str, meaning: &str, make: impl FnOnce() -> Arc<T>) -> Arc<T> {
    let name = format!("{home} {meaning}");
    if let Some(living) = all.get(&name).and_then(Weak::upgrade) {
        return living;
    }
    let made = make();
    all.insert(name, Arc::downgrade(&made));
    made
}
