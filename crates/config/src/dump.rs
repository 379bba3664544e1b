//! The effective configuration: what was written and what holds by default, with where it comes from.

use crate::decode::{Shape, Spec as _, quoted_if_needed};
use crate::load::{DEFAULT_PORT, Snapshot};
use crate::schema::{Field, Kind, Schema};
use crate::source::{Sources, Span};
use crate::spec::Root;
use crate::syntax::{Node, NodeKind};
use std::fmt::Write as _;

/// Writes the effective configuration as YAML. Every value says where it was written, or that it is
/// a default; what `${…}` brought in is shown as it was written, so no secret appears. Loading the
/// text again gives the same configuration.
pub fn print_config(snapshot: &Snapshot) -> String {
    let mut out = String::from("# The effective configuration.\n");
    let printer = Printer { sources: &snapshot.sources };
    let whole = printer.value(&Root::schema(), Some(&snapshot.tree));
    let no_listeners = snapshot.tree.value("listeners").is_none_or(|node| node.entries().is_empty());
    if let Some(Out::Map(entries)) = whole {
        for (key, value) in entries {
            // Included files are part of this text already.
            if key != "include" && !(key == "listeners" && no_listeners) {
                emit_entry(&mut out, &key, &value, 0);
            }
        }
    }
    if no_listeners {
        let _ = writeln!(out, "listeners:\n  http: {DEFAULT_PORT} # default");
    }
    out
}

/// A value ready to be written.
enum Out {
    Scalar { text: String, origin: String },
    List(Vec<Out>),
    Map(Vec<(String, Out)>),
}

struct Printer<'s> {
    sources: &'s Sources,
}

impl Printer<'_> {
    /// A value by its type; `None` if nothing was written and nothing holds by default.
    fn value(&self, schema: &Schema, node: Option<&Node>) -> Option<Out> {
        match (&schema.kind, node) {
            (Kind::Record { shape, fields }, node) => self.record(shape, fields, node),
            (_, None) => None,
            (Kind::Table(value), Some(Node { kind: NodeKind::Map(entries), .. })) => {
                let entries = entries.iter().filter_map(|entry| {
                    Some((quoted_if_needed(&entry.key.value), self.value(value, Some(&entry.value))?))
                });
                Some(Out::Map(entries.collect()))
            }
            (Kind::List(item), Some(Node { kind: NodeKind::List(items), .. })) => {
                Some(Out::List(items.iter().filter_map(|node| self.value(item, Some(node))).collect()))
            }
            (Kind::Forms(forms), Some(node)) => {
                let form = forms.iter().find(|form| fits(form, node));
                form.map_or_else(|| Some(self.plain(node)), |form| self.value(form, Some(node)))
            }
            (_, Some(node)) => Some(self.plain(node)),
        }
    }

    fn record(&self, shape: &Shape, fields: &[Field], node: Option<&Node>) -> Option<Out> {
        let node = node.filter(|node| !node.is_absent());
        let short = node.is_some_and(|node| {
            !matches!(node.kind, NodeKind::Map(_)) || shape.short_if.is_some_and(|is_short| is_short(node, shape))
        });
        let mut entries = Vec::new();
        for (at, field) in fields.iter().enumerate() {
            let written = if short {
                node.filter(|_| shape.short == Some(at))
            } else {
                node.and_then(|node| node.value(field.key))
            };
            // A key with nothing behind it says no more than no key.
            let written = written.filter(|node| !node.is_absent());
            let default = || field.default.clone().map(|text| Out::Scalar { text, origin: "default".to_owned() });
            let value = match written {
                Some(_) => self.value(&field.schema, written),
                None if field.optional => None,
                None => default().or_else(|| self.value(&field.schema, None)),
            };
            entries.extend(value.map(|value| (field.key.to_owned(), value)));
        }
        (node.is_some() || !entries.is_empty()).then_some(Out::Map(entries))
    }

    /// A value as it was written.
    fn plain(&self, node: &Node) -> Out {
        match &node.kind {
            NodeKind::Scalar { .. } => {
                Out::Scalar { text: quoted_if_needed(node.shown().unwrap_or_default()), origin: self.origin(node.span) }
            }
            NodeKind::List(items) => Out::List(items.iter().map(|item| self.plain(item)).collect()),
            NodeKind::Map(entries) => Out::Map(
                entries.iter().map(|entry| (quoted_if_needed(&entry.key.value), self.plain(&entry.value))).collect(),
            ),
        }
    }

    fn origin(&self, span: Span) -> String {
        self.sources.locate(span).map_or_else(|| "default".to_owned(), |at| format!("{}:{}", at.name, at.line))
    }
}

fn fits(schema: &Schema, node: &Node) -> bool {
    match (&schema.kind, &node.kind) {
        (Kind::List(_), NodeKind::List(_)) | (Kind::Table(_), NodeKind::Map(_)) => true,
        (Kind::Record { shape, .. }, kind) => matches!(kind, NodeKind::Map(_)) || shape.short.is_some(),
        (Kind::Text { .. } | Kind::Integer | Kind::Boolean | Kind::Words { .. }, NodeKind::Scalar { .. }) => true,
        _ => false,
    }
}

fn emit_entry(out: &mut String, key: &str, value: &Out, depth: usize) {
    let indent = "  ".repeat(depth);
    let _ = write!(out, "{indent}{key}:");
    emit_value(out, value, depth);
}

/// Writes a value behind its key, with the line end.
fn emit_value(out: &mut String, value: &Out, depth: usize) {
    match value {
        Out::Scalar { text, origin } => {
            let _ = writeln!(out, " {text} # {}", origin.replace(['\n', '\r'], " "));
        }
        Out::List(items) if items.is_empty() => out.push_str(" []\n"),
        Out::Map(entries) if entries.is_empty() => out.push_str(" {}\n"),
        Out::List(items) => {
            out.push('\n');
            items.iter().for_each(|item| emit_item(out, item, depth + 1));
        }
        Out::Map(entries) => {
            out.push('\n');
            entries.iter().for_each(|(key, value)| emit_entry(out, key, value, depth + 1));
        }
    }
}

/// Writes one item of a list; the first key of a map stands behind the dash.
fn emit_item(out: &mut String, item: &Out, depth: usize) {
    let indent = "  ".repeat(depth);
    match item {
        Out::Map(entries) if !entries.is_empty() => {
            for (at, (key, value)) in entries.iter().enumerate() {
                let lead = if at == 0 { "- " } else { "  " };
                let _ = write!(out, "{indent}{lead}{key}:");
                emit_value(out, value, depth + 1);
            }
        }
        _ => {
            let _ = write!(out, "{indent}-");
            emit_value(out, item, depth);
        }
    }
}
