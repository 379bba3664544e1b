//! Files and folders to a snapshot: read, parse, replace `${…}`, unite, decode, check the whole.

mod files;
mod unite;
mod whole;

use crate::decode::{Decoder, Spec as _};
use crate::diagnose::{Diagnostic, Diagnostics};
use crate::source::Sources;
use crate::spec::{DefaultTimeouts, Root, Route, Upstream};
use crate::substitute::{Process, Surroundings};
use crate::syntax::{Node, NodeKind};
use std::path::{Path, PathBuf};

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
    load_with(paths, &Process)
}

/// [`load`] with an environment of the caller's.
///
/// # Errors
/// As [`load`].
pub fn load_with(paths: &[PathBuf], world: &dyn Surroundings) -> Result<Snapshot, Diagnostics> {
    let mut reader = files::Reader::new(world);
    for path in paths {
        reader.path(path, None);
    }
    finish(reader)
}

/// Loads a text. `name` is what messages call it; `include` is relative to the working directory.
///
/// # Errors
/// As [`load`].
pub fn load_str(name: &str, text: &str) -> Result<Snapshot, Diagnostics> {
    load_str_with(name, text, &Process)
}

/// [`load_str`] with an environment of the caller's.
///
/// # Errors
/// As [`load`].
pub fn load_str_with(name: &str, text: &str, world: &dyn Surroundings) -> Result<Snapshot, Diagnostics> {
    let mut reader = files::Reader::new(world);
    reader.text(name, text, Path::new(""));
    finish(reader)
}

fn finish(reader: files::Reader<'_>) -> Result<Snapshot, Diagnostics> {
    let files::Reader { sources, mut found, trees, .. } = reader;
    let tree = unite::unite(trees, &mut found);
    // A file that cannot be parsed leaves names undefined that the others use: say only what is certain.
    let complete = found.iter().all(|finding| !finding.is_error());
    let mut decoder = Decoder::with_findings(found);
    let root = Root::decode(&tree, &mut decoder);
    let mentioned = std::mem::take(&mut decoder.mentioned);
    let mut found = decoder.found;
    if complete {
        whole::names(&tree, &mentioned, &mut found);
    }
    let Some(mut spec) = root.filter(|_| found.iter().all(|finding| !finding.is_error())) else {
        if let Some(spec) = &Root::decode(&tree, &mut Decoder::default()) {
            whole::addresses(spec, &mut found);
        }
        return Err(Diagnostics::new(found, sources));
    };
    whole::addresses(&spec, &mut found);
    whole::warnings(&spec, &tree, &mentioned, &mut found);
    if found.iter().any(Diagnostic::is_error) {
        return Err(Diagnostics::new(found, sources));
    }
    whole::add_default_listener(&mut spec);
    let warnings = Diagnostics::new(found, Sources::default()).list;
    Ok(Snapshot { spec, warnings, sources, tree })
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
