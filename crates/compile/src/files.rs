//! Static files of a route.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use strait_config::filter::Encoding;
use strait_config::value::FileName;
use strait_config::{Diagnostic, Snapshot, Span, Spanned, codes, spec};
use strait_filters::compress::Coding;
use strait_plan::{Files, Symlinks};
use strait_route::Pattern;

pub(crate) fn compile(spec: &spec::Files, pattern: &str, snapshot: &Snapshot) -> Arc<Files> {
    let names = |names: &[FileName]| names.iter().map(|name| name.as_str().to_owned()).collect();
    Arc::new(Files {
        root: root(&spec.root, snapshot),
        skip: Pattern::parse(pattern).map_or(0, |pattern| taken(&pattern)),
        index: names(&spec.index),
        extensions: names(&spec.extensions),
        fallback: spec.fallback.as_ref().map(|name| name.as_str().to_owned()),
        listing: spec.listing,
        precompressed: spec.precompressed.iter().map(coding).collect(),
        hidden: spec.hidden,
        symlinks: match spec.symlinks {
            spec::Symlinks::Inside => Symlinks::Inside,
            spec::Symlinks::None => Symlinks::None,
            spec::Symlinks::Anywhere => Symlinks::Anywhere,
        },
    })
}

/// The folder; a relative path is relative to the file that names it.
fn root(root: &Spanned<PathBuf>, snapshot: &Snapshot) -> PathBuf {
    let from = snapshot.sources.locate(root.span).map(|at| at.name.to_string()).unwrap_or_default();
    Path::new(&from).parent().unwrap_or(Path::new("")).join(&root.value)
}

/// The segments that a pattern takes before its `*`.
fn taken(pattern: &Pattern) -> usize {
    if pattern.matches_below() { pattern.segments().len() } else { 0 }
}

fn coding(encoding: &Encoding) -> Coding {
    match encoding {
        Encoding::Zstd => Coding::Zstd,
        Encoding::Br => Coding::Brotli,
        Encoding::Gzip => Coding::Gzip,
    }
}

/// Folders that cannot be read now. It is a warning: they may be there when a request comes.
pub(crate) fn warnings(snapshot: &Snapshot) -> Vec<Diagnostic> {
    let tables = std::iter::once(&snapshot.spec.routes);
    let own = snapshot.spec.listeners.iter().filter_map(|(_, listener)| listener.routes.as_ref());
    let routes = tables.chain(own).flat_map(|table| table.iter().map(|(_, route)| route));
    let files =
        routes.flat_map(|route| route.files.iter().chain(route.when.iter().filter_map(|branch| branch.files.as_ref())));
    files.filter_map(|files| unreadable(files, snapshot)).collect()
}

fn unreadable(files: &spec::Files, snapshot: &Snapshot) -> Option<Diagnostic> {
    let path = root(&files.root, snapshot);
    let why = match std::fs::metadata(&path) {
        Ok(about) if about.is_dir() => std::fs::read_dir(&path).err()?,
        Ok(_) => std::fs::File::open(&path).err()?,
        Err(error) => error,
    };
    let span: Span = files.root.span;
    let message = format!("`{}` cannot be read: {why}", path.display());
    Some(
        Diagnostic::warning(codes::FILES_ROOT, span, message)
            .label("until it can, every request is answered with 404 or 403")
            .hint("mend the path, or the rights of whom Strait runs as"),
    )
}
