//! Reading files, folders and what `include` names.

use crate::codes;
use crate::diagnose::Diagnostic;
use crate::limits::{FILE_BYTES_MAX, FILES_MAX};
use crate::source::{Sources, Span};
use crate::substitute::{Surroundings, substitute};
use crate::syntax::{self, Node, NodeKind};
use std::collections::{HashMap, HashSet};
use std::path::{Component, Path, PathBuf};

/// Collects the trees of all files.
pub(super) struct Reader<'w> {
    pub(super) sources: Sources,
    pub(super) found: Vec<Diagnostic>,
    pub(super) trees: Vec<Node>,
    seen: HashSet<PathBuf>,
    world: &'w dyn Surroundings,
    /// Texts that stand in place of files.
    open: &'w HashMap<PathBuf, String>,
}

/// What two names of one file have in common.
pub(super) fn identity(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

impl<'w> Reader<'w> {
    pub(super) fn new(world: &'w dyn Surroundings, open: &'w HashMap<PathBuf, String>) -> Self {
        Self { sources: Sources::default(), found: Vec::new(), trees: Vec::new(), seen: HashSet::new(), world, open }
    }

    /// A file or folder. `asked` is where an `include` names it.
    pub(super) fn path(&mut self, path: &Path, asked: Option<Span>) {
        if path.is_dir() {
            match folder(path) {
                Ok(files) => files.iter().for_each(|file| self.file(file, asked)),
                Err(error) => self.unreadable(path, &error.to_string(), asked),
            }
        } else {
            self.file(path, asked);
        }
    }

    fn file(&mut self, path: &Path, asked: Option<Span>) {
        let identity = identity(path);
        let opened = self.open.get(&identity);
        // Named twice, or a file that includes itself: once is enough.
        if !self.seen.insert(identity) {
            return;
        }
        if self.seen.len() > FILES_MAX {
            if self.seen.len() == FILES_MAX + 1 {
                self.unreadable(path, &format!("more than {FILES_MAX} files"), asked);
            }
            return;
        }
        match opened.map_or_else(|| read(path), |text| Ok(text.clone())) {
            Ok(text) => {
                let folder = path.parent().map(Path::to_path_buf).unwrap_or_default();
                self.text(&path.display().to_string(), &text, &folder);
            }
            Err(why) => self.unreadable(path, &why, asked),
        }
    }

    fn unreadable(&mut self, path: &Path, why: &str, asked: Option<Span>) {
        let message = format!("`{}` cannot be read: {why}", path.display());
        let finding = Diagnostic::error(codes::FILE, asked.unwrap_or(Span::NONE), message);
        self.found.push(if asked.is_some() { finding.label("named here") } else { finding });
    }

    /// A text, and what it includes. Paths in it are relative to `folder`.
    pub(super) fn text(&mut self, name: &str, text: &str, folder: &Path) {
        let id = self.sources.add(name, text);
        let Some(source) = self.sources.file(id) else { return };
        let Some(mut tree) = syntax::parse(id, source, &mut self.found) else { return };
        substitute(&mut tree, folder, self.world, &mut self.found);
        let includes: Vec<(String, Span)> = included(&tree);
        self.trees.push(tree);
        for (pattern, span) in includes {
            self.include(&pattern, span, folder);
        }
    }

    fn include(&mut self, pattern: &str, span: Span, folder: &Path) {
        if pattern.contains("**") {
            let finding = Diagnostic::error(codes::FILE, span, "`**` is not a pattern of `include`");
            self.found.push(finding.label("`*` stands for any name in one folder").hint("name each folder"));
            return;
        }
        let paths = expand(folder, Path::new(pattern));
        // A glob may match nothing (an empty conf.d is normal); a plain name may not.
        if paths.is_empty() && !pattern.contains(['*', '?']) {
            self.unreadable(&folder.join(pattern), "it does not exist", Some(span));
        }
        for path in paths {
            self.path(&path, Some(span));
        }
    }
}

/// The texts below the key `include`; other forms are refused by the decoder.
fn included(tree: &Node) -> Vec<(String, Span)> {
    let texts = |node: &Node| node.text().filter(|text| !text.is_empty()).map(|text| (text.to_owned(), node.span));
    match tree.value("include").map(|node| (&node.kind, node)) {
        Some((NodeKind::List(items), _)) => items.iter().filter_map(texts).collect(),
        Some((_, node)) => texts(node).into_iter().collect(),
        None => Vec::new(),
    }
}

fn read(path: &Path) -> Result<String, String> {
    use std::io::Read as _;
    let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
    let mut bytes = Vec::new();
    let limit = FILE_BYTES_MAX as u64 + 1;
    file.take(limit).read_to_end(&mut bytes).map_err(|error| error.to_string())?;
    if bytes.len() > FILE_BYTES_MAX {
        return Err(format!("it is larger than {} MiB", FILE_BYTES_MAX / (1024 * 1024)));
    }
    String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        let line = error.as_bytes().get(..at).unwrap_or_default().iter().filter(|byte| **byte == b'\n').count() + 1;
        format!("it is no UTF-8 text (line {line})")
    })
}

/// The configuration files directly in a folder, by name. Hidden ones are left out, as editors and
/// Kubernetes volumes keep copies under such names.
fn folder(path: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let file = entry?.path();
        let hidden = file.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        let known = file.extension().is_some_and(|e| e == "yaml" || e == "yml" || e == "json");
        if known && !hidden && file.is_file() {
            files.push(file);
        }
    }
    files.sort();
    Ok(files)
}

/// Paths that a pattern with `*` and `?` names, ascending.
fn expand(folder: &Path, pattern: &Path) -> Vec<PathBuf> {
    let mut paths = vec![folder.to_path_buf()];
    for component in pattern.components() {
        paths = match component {
            Component::Normal(name) if name.to_string_lossy().contains(['*', '?']) => {
                let name = name.to_string_lossy().into_owned();
                paths.iter().flat_map(|base| matching(base, &name)).collect()
            }
            other => paths.iter().map(|base| base.join(other)).collect(),
        };
    }
    paths.retain(|path| path.exists());
    paths.sort();
    paths
}

fn matching(base: &Path, pattern: &str) -> Vec<PathBuf> {
    let listed = if base.as_os_str().is_empty() { Path::new(".") } else { base };
    let Ok(entries) = std::fs::read_dir(listed) else { return Vec::new() };
    let names = entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned());
    names.filter(|name| !name.starts_with('.') && wildcard(pattern, name)).map(|name| base.join(name)).collect()
}

/// Whether a name fits a pattern. Linear in practice: on a mismatch only the last `*` grows.
fn wildcard(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p, n));
                p += 1;
            }
            Some(c) if *c == '?' || name.get(n) == Some(c) => (p, n) = (p + 1, n + 1),
            _ => {
                let Some((at, taken)) = star else { return false };
                star = Some((at, taken + 1));
                (p, n) = (at + 1, taken + 1);
            }
        }
    }
    pattern.iter().skip(p).all(|c| *c == '*')
}

#[cfg(test)]
mod tests {
    use super::wildcard;

    #[test]
    fn stars_stand_for_any_text() {
        for (pattern, name, fits) in [
            ("*.yaml", "a.yaml", true),
            ("*.yaml", "a.yml", false),
            ("a*b*c", "aXbYbZc", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*", "", true),
        ] {
            assert_eq!(wildcard(pattern, name), fits, "{pattern} on {name}");
        }
    }
}
