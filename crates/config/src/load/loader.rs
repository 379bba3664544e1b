//! A load with all its circumstances: surroundings, `--set` flags, files that are open in an editor.

use super::{Snapshot, files, patch, policies, set, unite, upstreams, whole};
use crate::decode::{Decoder, Spec as _};
use crate::diagnose::{Diagnostic, Diagnostics};
use crate::source::Sources;
use crate::spec::Root;
use crate::substitute::{Process, Surroundings, substitute, substitute_nothing};
use crate::syntax::Node;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

/// Loads configurations under circumstances of the caller's.
///
/// ```
/// let loader = strait_config::Loader::new().set("routes./=localhost:2").set("admin=off");
/// let snapshot = loader.load_str("t.yaml", "routes: {/: localhost:1}")?;
/// assert!(snapshot.spec.admin.address.get().is_none());
/// # Ok::<(), strait_config::Diagnostics>(())
/// ```
pub struct Loader<'w> {
    world: &'w dyn Surroundings,
    sets: Vec<String>,
    patch: Option<String>,
    open: HashMap<PathBuf, String>,
}

/// What was read, whether or not it can be served.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The files.
    pub sources: Sources,
    /// All files as one tree; the root is an empty map when none could be read.
    pub tree: Node,
    /// Everything that was found, errors and warnings, ordered by place.
    pub findings: Diagnostics,
}

impl Default for Loader<'_> {
    fn default() -> Self {
        Self::new()
    }
}

impl<'w> Loader<'w> {
    /// A loader with the process's own environment and files.
    pub fn new() -> Self {
        Self::with_surroundings(&Process)
    }

    /// A loader with an environment of the caller's.
    pub fn with_surroundings(world: &'w dyn Surroundings) -> Self {
        Self { world, sets: Vec::new(), patch: None, open: HashMap::new() }
    }

    /// Sets a value over what the files say: `path=value`, the path with dots between keys (a key that holds dots in
    /// quotes), the value in YAML. Later ones go over earlier ones; errors point into the flag.
    #[must_use]
    pub fn set(mut self, flag: impl Into<String>) -> Self {
        self.sets.push(flag.into());
        self
    }

    /// Merges a JSON merge patch (RFC 7396) over what the files and flags say; errors point into it. A short form
    /// (`/: app`) is written out (`/: {to: app}`) where the patch leads into it. It brings in nothing from outside: a
    /// reference such as `${file:…}` is an error.
    #[must_use]
    pub fn patch(mut self, patch: impl Into<String>) -> Self {
        self.patch = Some(patch.into());
        self
    }

    /// Reads this text wherever the file of this path would be read: what an editor has not saved yet.
    #[must_use]
    pub fn open(mut self, path: &Path, text: impl Into<String>) -> Self {
        self.open.insert(files::identity(path), text.into());
        self
    }

    /// Loads files and folders as one configuration.
    ///
    /// # Errors
    /// As [`super::load`].
    pub fn load(&self, paths: &[PathBuf]) -> Result<Snapshot, Diagnostics> {
        self.finish(self.read(paths)).into_result()
    }

    /// Loads a text.
    ///
    /// # Errors
    /// As [`super::load`].
    pub fn load_str(&self, name: &str, text: &str) -> Result<Snapshot, Diagnostics> {
        let mut reader = files::Reader::new(self.world, &self.open);
        reader.text(name, text, Path::new(""));
        self.finish(reader).into_result()
    }

    /// Loads files and folders for an editor: all that can be known of them, even when they are wrong.
    pub fn draft(&self, paths: &[PathBuf]) -> Draft {
        let outcome = self.finish(self.read(paths));
        let tree = outcome.tree.clone();
        match outcome.into_result() {
            Ok(snapshot) => Draft { findings: snapshot.refuse(Vec::new()), tree, sources: snapshot.sources },
            Err(findings) => Draft { sources: findings.sources.clone(), tree, findings },
        }
    }

    fn read(&self, paths: &[PathBuf]) -> files::Reader<'_> {
        let mut reader = files::Reader::new(self.world, &self.open);
        for path in paths {
            reader.path(path, None);
        }
        reader
    }

    fn finish(&self, reader: files::Reader<'_>) -> Outcome {
        let files::Reader { mut sources, mut found, trees, .. } = reader;
        let mut tree = unite::unite(trees, &mut found);
        for flag in &self.sets {
            let id = sources.add(set::NAME, flag);
            if let Some(mut setting) = set::Setting::parse(id, &sources, &mut found) {
                substitute(&mut setting.value, Path::new(""), self.world, &mut found);
                set::apply(&mut tree, setting, &mut found);
            }
        }
        if let Some(text) = &self.patch {
            let id = sources.add(patch::NAME, text);
            if let Some(mut merged) = patch::parse(id, &sources, &mut found) {
                // Who may patch a running process need not be who may read what it reads.
                substitute_nothing(&mut merged, &mut found);
                patch::apply(&mut tree, merged);
            }
        }
        decode(tree, sources, found)
    }
}

/// A decoded tree with everything that was found.
struct Outcome {
    spec: Option<Root>,
    tree: Node,
    sources: Sources,
    found: Vec<Diagnostic>,
}

fn decode(tree: Node, sources: Sources, found: Vec<Diagnostic>) -> Outcome {
    // A file that cannot be parsed leaves names undefined that the others use: say only what is certain.
    let complete = found.iter().all(|finding| !finding.is_error());
    let mut decoder = Decoder::with_findings(found);
    let root = Root::decode(&tree, &mut decoder);
    let mentioned = std::mem::take(&mut decoder.mentioned);
    let mut found = decoder.found;
    if complete {
        whole::names(&tree, &mentioned, &mut found);
    }
    let Some(spec) = root.filter(|_| found.iter().all(|finding| !finding.is_error())) else {
        if let Some(spec) = &Root::decode(&tree, &mut Decoder::default()) {
            whole::addresses(spec, &mut found);
        }
        return Outcome { spec: None, tree, sources, found };
    };
    whole::addresses(&spec, &mut found);
    whole::warnings(&spec, &tree, &mentioned, &mut found);
    upstreams::check(&spec, &mut found);
    policies::check(&spec, &mut found);
    Outcome { spec: Some(spec), tree, sources, found }
}

impl Outcome {
    fn into_result(self) -> Result<Snapshot, Diagnostics> {
        let Self { spec, tree, sources, found } = self;
        let sound = found.iter().all(|finding| !finding.is_error());
        let Some(mut spec) = spec.filter(|_| sound) else { return Err(Diagnostics::new(found, sources)) };
        whole::add_default_listener(&mut spec);
        let warnings = Diagnostics::new(found, Sources::default()).list;
        Ok(Snapshot { spec, warnings, sources, tree })
    }
}
