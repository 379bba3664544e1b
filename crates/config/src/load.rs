//! Files and folders to a snapshot: read, parse, replace `${…}`, unite, set, decode, check the whole.

mod files;
mod loader;
mod patch;
mod policies;
mod set;
mod unite;
mod upstreams;
mod whole;

pub use loader::{Draft, Loader};

use crate::diagnose::{Diagnostic, Diagnostics};
use crate::source::Sources;
use crate::spec::{DefaultTimeouts, Root, Route, Upstream};
use crate::substitute::Surroundings;
use crate::syntax::{Node, NodeKind};
use std::path::PathBuf;

/// The port of the listener that exists when none is written.
pub const DEFAULT_PORT: u16 = 8080;

/// A configuration that is valid as a whole, with where everything in it was written.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// All files as one. It has at least one listener, and every upstream that is named exists.
    pub spec: Root,
    /// What deserves a look.
    pub warnings: Vec<Diagnostic>,
    /// The files it comes from.
    pub sources: Sources,
    pub(crate) tree: Node,
}

impl Snapshot {
    /// The upstream of a name.
    pub fn upstream(&self, name: &str) -> Option<&Upstream> {
        self.spec.upstreams.get(name)
    }

    /// The timeouts of an exchange: the route's own, then the upstream's, then the defaults.
    pub fn timeouts(&self, route: &Route, upstream: Option<&Upstream>) -> DefaultTimeouts {
        let base = self.spec.defaults.timeout.clone();
        let base = upstream.map_or(base.clone(), |upstream| base.overridden(&upstream.timeout));
        base.overridden(&route.timeout)
    }

    /// Findings of a later step (such as a pattern that does not compile), with this snapshot's
    /// warnings and files, ready to be shown.
    pub fn refuse(&self, findings: Vec<Diagnostic>) -> Diagnostics {
        let mut list = self.warnings.clone();
        list.extend(findings);
        Diagnostics::new(list, self.sources.clone())
    }
}

/// Loads files and folders as one configuration. A folder stands for the `.yaml`, `.yml` and `.json`
/// files directly in it, in the order of their names.
///
/// # Errors
/// Everything that is wrong, in one list.
pub fn load(paths: &[PathBuf]) -> Result<Snapshot, Diagnostics> {
    Loader::new().load(paths)
}

/// [`load`] with an environment of the caller's.
///
/// # Errors
/// As [`load`].
pub fn load_with(paths: &[PathBuf], world: &dyn Surroundings) -> Result<Snapshot, Diagnostics> {
    Loader::with_surroundings(world).load(paths)
}

/// Loads a text. `name` is what messages call it; `include` is relative to the working directory.
///
/// # Errors
/// As [`load`].
pub fn load_str(name: &str, text: &str) -> Result<Snapshot, Diagnostics> {
    Loader::new().load_str(name, text)
}

/// [`load_str`] with an environment of the caller's.
///
/// # Errors
/// As [`load`].
pub fn load_str_with(name: &str, text: &str, world: &dyn Surroundings) -> Result<Snapshot, Diagnostics> {
    Loader::with_surroundings(world).load_str(name, text)
}

/// The entries of a top-level map, also if its key is a word that was answered with ours.
fn section<'t>(tree: &'t Node, key: &str) -> &'t [crate::syntax::Entry] {
    let meant = |written: &str| crate::words::root_shape().and_then(|shape| shape.meant(written)) == Some(key);
    let recovered = || tree.entries().iter().find(|entry| meant(&entry.key.value)).map(|entry| &entry.value);
    match tree.value(key).or_else(recovered).map(|node| &node.kind) {
        Some(NodeKind::Map(entries)) => entries,
        _ => &[],
    }
}
