//! `strait fmt`: one layout for all files. Comments, blank lines, the order of keys, anchors and the choice between
//! `{…}` and lines stay the author's; indentation, spaces and quotes are the tool's.

mod comments;
mod json;
mod print;
mod tree;

#[cfg(test)]
mod tests;

use crate::codes;
use crate::diagnose::{Diagnostic, Diagnostics};
use crate::source::{Sources, Span};
use crate::syntax::{self, Node, NodeKind};

/// Widest line on which `{…}` and `[…]` stay together, in characters.
pub(crate) const WIDTH_MAX: usize = 120;

/// Formats the text of one file. A name that ends in `.json` keeps it JSON.
///
/// ```
/// let formatted = strait_config::format_text("t.yaml", "routes:\n    /:   {to:   'localhost:1'}  # all\nadmin: off\n")?;
/// assert_eq!(formatted, "routes:\n  /: {to: localhost:1} # all\nadmin: \"off\"\n");
/// # Ok::<(), strait_config::Diagnostics>(())
/// ```
///
/// # Errors
/// What makes the text no YAML that is accepted here; a file that is wrong otherwise is formatted.
pub fn format_text(name: &str, text: &str) -> Result<String, Diagnostics> {
    let mut sources = Sources::default();
    let id = sources.add(name, text);
    let mut found = Vec::new();
    let Some(source) = sources.file(id) else { return Ok(String::new()) };
    let tree = syntax::parse(id, source, &mut found);
    if !found.is_empty() {
        return Err(Diagnostics::new(found, sources));
    }
    if name.ends_with(".json") {
        return Ok(tree.as_ref().map_or_else(String::new, json::pretty));
    }
    let layout = tree::Layout::read(source);
    // Block texts are copied line by line; should one not survive that, it is written in quotes.
    for copies_blocks in [true, false] {
        let formatted = print::print(&layout, source, copies_blocks);
        if means_the_same(name, tree.as_ref(), &formatted) {
            return Ok(formatted);
        }
    }
    let defect = "a defect: the formatted text would not mean the same; nothing was changed";
    Err(Diagnostics::new(vec![Diagnostic::error(codes::SYNTAX, Span { file: id, start: 0, end: 0 }, defect)], sources))
}

/// Whether a text has this tree.
fn means_the_same(name: &str, before: Option<&Node>, text: &str) -> bool {
    let mut sources = Sources::default();
    let id = sources.add(name, text);
    let mut found = Vec::new();
    let after = sources.file(id).and_then(|source| syntax::parse(id, source, &mut found));
    let same = match (before, &after) {
        (Some(before), Some(after)) => same(before, after),
        (None, None) => true,
        _ => false,
    };
    found.is_empty() && same
}

/// Whether two trees hold the same; what was written and what was left out is told apart.
fn same(a: &Node, b: &Node) -> bool {
    match (&a.kind, &b.kind) {
        (NodeKind::Scalar { text, .. }, NodeKind::Scalar { text: other, .. }) => {
            text == other && a.is_absent() == b.is_absent()
        }
        (NodeKind::List(a), NodeKind::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b)),
        (NodeKind::Map(a), NodeKind::Map(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.key.value == b.key.value && same(&a.value, &b.value))
        }
        _ => false,
    }
}
