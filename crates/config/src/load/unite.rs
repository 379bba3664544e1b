//! Several files as one: maps are united, and what two files both define is refused.

use crate::codes;
use crate::diagnose::Diagnostic;
use crate::source::Span;
use crate::syntax::{Entry, Node, NodeKind};
use std::collections::HashMap;

/// Top-level lists that grow by what each file brings; every other list belongs to one file.
const GROWING: [&str; 3] = ["assert", "include", "tests"];

/// Unites the trees of all files.
pub(super) fn unite(trees: Vec<Node>, found: &mut Vec<Diagnostic>) -> Node {
    let mut trees = trees.into_iter();
    let Some(mut whole) = trees.next() else {
        return Node::collection(NodeKind::Map(Vec::new()), Span::NONE, 0);
    };
    for tree in trees {
        match (&mut whole.kind, tree.kind) {
            (NodeKind::Map(into), NodeKind::Map(from)) => unite_maps(into, from, found),
            (NodeKind::Map(_), _) => found.push(no_map(tree.span)),
            (_, kind) => {
                found.push(no_map(whole.span));
                whole = Node::collection(kind, tree.span, 0);
            }
        }
    }
    whole
}

fn no_map(span: Span) -> Diagnostic {
    Diagnostic::error(codes::WRONG_FORM, span, "a file is a map of keys such as `routes:`").label("this is not a map")
}

fn unite_maps(into: &mut Vec<Entry>, from: Vec<Entry>, found: &mut Vec<Diagnostic>) {
    for entry in from {
        match into.iter_mut().find(|mine| mine.key.value == entry.key.value) {
            None => into.push(entry),
            Some(mine) => unite_values(mine, entry, found),
        }
    }
}

fn unite_values(mine: &mut Entry, other: Entry, found: &mut Vec<Diagnostic>) {
    let growing = GROWING.contains(&mine.key.value.as_str());
    match (&mut mine.value.kind, other.value.kind) {
        (NodeKind::Map(into), NodeKind::Map(from)) => unite_tables(into, from, found),
        (_, NodeKind::Scalar { style: crate::syntax::Style::Absent, .. }) => {}
        (NodeKind::Scalar { style: crate::syntax::Style::Absent, .. }, kind) => {
            *mine = Entry { key: other.key, value: Node::collection(kind, other.value.span, 0) };
        }
        (NodeKind::List(into), NodeKind::List(from)) if growing => into.extend(from),
        // Each file's own `include` has been followed already.
        _ if growing => {}
        _ => found.push(twice(&other.key.value, other.key.span, mine.key.span)),
    }
}

/// The second level: names of routes, upstreams and so on.
fn unite_tables(into: &mut Vec<Entry>, from: Vec<Entry>, found: &mut Vec<Diagnostic>) {
    let mut places: HashMap<String, Span> =
        into.iter().map(|entry| (entry.key.value.clone(), entry.key.span)).collect();
    for entry in from {
        match places.get(&entry.key.value) {
            Some(first) => found.push(twice(&entry.key.value, entry.key.span, *first)),
            None => {
                places.insert(entry.key.value.clone(), entry.key.span);
                into.push(entry);
            }
        }
    }
}

fn twice(key: &str, again: Span, first: Span) -> Diagnostic {
    Diagnostic::error(codes::DEFINED_TWICE, again, format!("`{key}` is defined in two files"))
        .label("here again")
        .second(first, "first here")
        .hint("keep one of them")
}
