//! The open files and the configuration they belong to.

use super::place;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use strait_compile::{Compiler, review};
use strait_config::{Diagnostic, Diagnostics, Draft, FileId, Loader, Node, Severity, Snapshot, Sources, Span};

/// What an editor has open.
pub(super) struct Workspace {
    /// The configuration, if one is named or found.
    root: Vec<PathBuf>,
    /// Texts by their URI.
    open: BTreeMap<String, String>,
    /// Files that have had findings, so that these are taken back.
    told: BTreeSet<String>,
    /// What the files last held that were whole: names are offered while something is being typed.
    whole: Option<Node>,
}

/// A document with the configuration around it.
pub(super) struct Document {
    pub(super) path: PathBuf,
    pub(super) text: String,
    pub(super) draft: Draft,
    paths: Vec<PathBuf>,
}

impl Workspace {
    pub(super) fn new(root: Vec<PathBuf>) -> Self {
        Self { root, open: BTreeMap::new(), told: BTreeSet::new(), whole: None }
    }

    /// Takes `strait.yaml` in the editor's folder for the configuration, unless one was named.
    pub(super) fn root_at(&mut self, folder: Option<&str>) {
        let file = folder.and_then(place::path).map(|folder| folder.join("strait.yaml"));
        if let Some(file) = file.filter(|file| self.root.is_empty() && file.is_file()) {
            self.root = vec![file];
        }
    }

    pub(super) fn open(&mut self, uri: &str, text: &str) {
        self.open.insert(uri.to_owned(), text.to_owned());
    }

    pub(super) fn close(&mut self, uri: &str) {
        self.open.remove(uri);
    }

    fn loader(&self) -> Loader<'static> {
        let open = self.open.iter().filter_map(|(uri, text)| Some((place::path(uri)?, text)));
        open.fold(Loader::new(), |loader, (path, text)| loader.open(&path, text.as_str()))
    }

    /// An open document, with the configuration it is part of, or by itself.
    pub(super) fn document(&self, uri: &str) -> Option<Document> {
        let text = self.open.get(uri)?.clone();
        let path = place::path(uri)?;
        if !self.root.is_empty() {
            let draft = self.loader().draft(&self.root);
            if file_of(&draft.sources, &path).is_some() {
                return Some(Document { path, text, draft, paths: self.root.clone() });
            }
        }
        let paths = vec![path.clone()];
        Some(Document { draft: self.loader().draft(&paths), path, text, paths })
    }

    /// The findings of all open documents by file, for the editor.
    pub(super) fn publish(&mut self) -> Vec<Value> {
        let mut found: BTreeMap<String, Vec<Value>> = BTreeMap::new();
        let mut seen = BTreeSet::new();
        for uri in &self.open.keys().cloned().collect::<Vec<_>>() {
            found.entry(uri.clone()).or_default();
            let Some(document) = self.document(uri) else { continue };
            if !seen.insert(document.paths.clone()) {
                continue;
            }
            let findings = self.findings(&document);
            if is_whole(&document.draft) {
                self.whole = Some(document.draft.tree.clone());
            }
            for finding in &findings.list {
                let (at, value) = diagnostic(finding, &findings.sources, &document);
                found.entry(at).or_default().push(value);
            }
        }
        let told = std::mem::take(&mut self.told);
        for uri in told {
            found.entry(uri).or_default();
        }
        self.told = found.iter().filter(|(_, list)| !list.is_empty()).map(|(uri, _)| uri.clone()).collect();
        found.into_iter().map(|(uri, list)| json!({"uri": uri, "diagnostics": list})).collect()
    }

    /// The tree in which names are looked for.
    pub(super) fn names<'a>(&'a self, document: &'a Document) -> &'a Node {
        let last = self.whole.as_ref().filter(|_| !is_whole(&document.draft));
        last.unwrap_or(&document.draft.tree)
    }

    /// The same list as `strait check`.
    pub(super) fn findings(&self, document: &Document) -> Diagnostics {
        let checked = self.loader().load(&document.paths).and_then(|snapshot| {
            let plan = Compiler::new(1).compile(&snapshot)?;
            Ok(review(&snapshot, &plan))
        });
        checked.unwrap_or_else(|findings| findings)
    }

    /// The snapshot of a document, if it is one that can be served.
    pub(super) fn snapshot(&self, document: &Document) -> Option<Snapshot> {
        self.loader().load(&document.paths).ok()
    }
}

/// Whether every file could be parsed: the codes of the text itself are those below E0100.
fn is_whole(draft: &Draft) -> bool {
    draft.findings.list.iter().all(|finding| !finding.code.id.starts_with("E00"))
}

/// The file of a path among those that were read.
pub(super) fn file_of(sources: &Sources, path: &Path) -> Option<FileId> {
    let identity = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let wanted = identity(path);
    sources.numbered().find(|(_, file)| identity(Path::new(&file.name)) == wanted).map(|(id, _)| id)
}

/// URI and range of a span.
pub(super) fn location(span: Span, sources: &Sources) -> Option<Value> {
    let file = sources.file(span.file)?;
    let range = place::range(&file.text, span.start as usize, span.end as usize);
    Some(json!({"uri": place::uri(Path::new(&file.name)), "range": range}))
}

/// A finding as the protocol has it, with the file it belongs to.
fn diagnostic(finding: &Diagnostic, sources: &Sources, document: &Document) -> (String, Value) {
    let nowhere = || json!({"uri": place::uri(&document.path), "range": place::range("", 0, 0)});
    let at = location(finding.primary.span, sources).unwrap_or_else(nowhere);
    let related = finding
        .secondary
        .iter()
        .filter_map(|label| Some(json!({"location": location(label.span, sources)?, "message": label.text})));
    let mut message = finding.message.clone();
    for text in [Some(&finding.primary.text), finding.fix.as_ref().map(|fix| &fix.message)].into_iter().flatten() {
        if !text.is_empty() {
            message.push('\n');
            message.push_str(text);
        }
    }
    let value = json!({
        "range": at.get("range"),
        "severity": if finding.severity == Severity::Error { 1 } else { 2 },
        "code": finding.code.id,
        "source": "strait",
        "message": message,
        "relatedInformation": related.collect::<Vec<_>>(),
    });
    (at.get("uri").and_then(Value::as_str).unwrap_or_default().to_owned(), value)
}
