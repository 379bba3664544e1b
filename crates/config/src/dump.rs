//! The effective configuration: what was written and what holds by default, with where it comes from.

use crate::decode::{Shape, Spec as _};
use crate::load::{DEFAULT_PORT, Snapshot};
use crate::quote::{quoted, written};
use crate::schema::{Field, Kind, Schema};
use crate::source::{Sources, Span};
use crate::spec::Root;
use crate::syntax::{self, Node, NodeKind, Style};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

/// Where a value comes from that nobody wrote.
const DEFAULT: &str = "default";

/// Writes the effective configuration as YAML. Every value says where it was written, or that it is
/// a default; what `${…}` brought in is shown as it was written, so no secret appears. Loading the
/// text again gives the same configuration.
pub fn print_config(snapshot: &Snapshot) -> String {
    Effective::of(snapshot).to_yaml()
}

/// The effective configuration of a snapshot.
///
/// ```
/// let snapshot = strait_config::load_str("t.yaml", "routes:\n  example.com: localhost:1\n")?;
/// let json = strait_config::Effective::of(&snapshot).to_json();
/// assert_eq!(json["config"]["routes"]["example.com"]["preserve_host"], true);
/// assert_eq!(json["sources"]["routes.\"example.com\".to"], "t.yaml:2");
/// # Ok::<(), strait_config::Diagnostics>(())
/// ```
#[derive(Debug)]
pub struct Effective {
    entries: Vec<(String, Out)>,
}

/// A value ready to be written.
#[derive(Debug)]
enum Out {
    Scalar { text: String, origin: String, kind: Scalar },
    List(Vec<Out>),
    Map(Vec<(String, Out)>),
}

/// What a scalar is to tools.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scalar {
    Text,
    /// Text that was in quotes, or would lose its meaning without them.
    Quoted,
    Integer,
    Boolean,
}

impl Effective {
    /// What holds in this snapshot.
    pub fn of(snapshot: &Snapshot) -> Self {
        let printer = Printer { sources: &snapshot.sources };
        let no_listeners = snapshot.tree.value("listeners").is_none_or(|node| node.entries().is_empty());
        let mut entries = match printer.value(&Root::schema(), Some(&snapshot.tree)) {
            Some(Out::Map(entries)) => entries,
            _ => Vec::new(),
        };
        // Included files are part of this already.
        entries.retain(|(key, _)| key != "include" && !(key == "listeners" && no_listeners));
        if no_listeners {
            let node = Node::text_at(&DEFAULT_PORT.to_string(), Span::NONE);
            let listeners = Schema::table(<crate::spec::Listener as crate::decode::Spec>::schema());
            let entry = crate::syntax::Entry { key: crate::Spanned::unwritten("http".to_owned()), value: node };
            let table = Node::collection(NodeKind::Map(vec![entry]), Span::NONE, 0);
            entries.extend(printer.value(&listeners, Some(&table)).map(|table| ("listeners".to_owned(), table)));
        }
        Self { entries }
    }

    /// As YAML, each value with its origin in a comment.
    pub fn to_yaml(&self) -> String {
        let mut out = String::from("# The effective configuration.\n");
        self.entries.iter().for_each(|(key, value)| emit_entry(&mut out, key, value, 0));
        out
    }

    /// As JSON: `config` holds the values and can be loaded again, `sources` the origin of each by its path, as `--set`
    /// writes paths.
    pub fn to_json(&self) -> Value {
        let mut sources = Map::new();
        let config = json_map(&self.entries, "", &mut sources);
        json!({"config": config, "sources": sources})
    }

    /// The values that somebody wrote: those that hold by default are left out.
    pub fn written(&self) -> Value {
        let written = |(key, value): &(String, Out)| Some((key.clone(), written_value(value)?));
        Value::Object(self.entries.iter().filter_map(written).collect())
    }

    /// The values alone.
    pub fn values(&self) -> Value {
        json_map(&self.entries, "", &mut Map::new())
    }
}

fn json_map(entries: &[(String, Out)], path: &str, sources: &mut Map<String, Value>) -> Value {
    let value = |(key, value): &(String, Out)| {
        let below = join(path, key);
        (key.clone(), json_value(value, &below, sources))
    };
    Value::Object(entries.iter().map(value).collect())
}

fn json_value(value: &Out, path: &str, sources: &mut Map<String, Value>) -> Value {
    match value {
        Out::Map(entries) => json_map(entries, path, sources),
        Out::List(items) => {
            let item = |(at, item)| json_value(item, &join(path, &format!("{at}")), sources);
            items.iter().enumerate().map(item).collect()
        }
        Out::Scalar { text, origin, kind } => {
            sources.insert(path.to_owned(), json!(origin));
            match kind {
                Scalar::Integer => text.parse::<u64>().map_or_else(|_| json!(text), |number| json!(number)),
                Scalar::Boolean => json!(text == "true"),
                Scalar::Text | Scalar::Quoted => json!(text),
            }
        }
    }
}

/// A value without defaults; `None` when it is nothing else.
fn written_value(value: &Out) -> Option<Value> {
    match value {
        Out::Map(entries) => {
            let written = |(key, value): &(String, Out)| Some((key.clone(), written_value(value)?));
            let map: Map<_, _> = entries.iter().filter_map(written).collect();
            (!map.is_empty()).then_some(Value::Object(map))
        }
        Out::List(_) => Some(json_value(value, "", &mut Map::new())),
        Out::Scalar { origin, .. } if origin == DEFAULT => None,
        Out::Scalar { .. } => Some(json_value(value, "", &mut Map::new())),
    }
}

/// A path of keys as `--set` reads it.
pub fn join(path: &str, key: &str) -> String {
    let quote = key.is_empty() || key.contains(['.', '=', '"', '\'']);
    let key = match quote {
        true if key.contains('"') => format!("'{key}'"),
        true => format!("\"{key}\""),
        false => key.to_owned(),
    };
    if path.is_empty() { key } else { format!("{path}.{key}") }
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
                let entries = entries
                    .iter()
                    .filter_map(|entry| Some((entry.key.value.clone(), self.value(value, Some(&entry.value))?)));
                Some(Out::Map(entries.collect()))
            }
            (Kind::List(item), Some(Node { kind: NodeKind::List(items), .. })) => {
                Some(Out::List(items.iter().filter_map(|node| self.value(item, Some(node))).collect()))
            }
            (Kind::Forms(forms), Some(node)) => {
                let form = forms.iter().find(|form| fits(form, node));
                form.map_or_else(|| Some(self.plain(node, Scalar::Text)), |form| self.value(form, Some(node)))
            }
            (Kind::Integer, Some(node)) => Some(self.plain(node, Scalar::Integer)),
            (Kind::Boolean, Some(node)) => Some(self.plain(node, Scalar::Boolean)),
            (_, Some(node)) => Some(self.plain(node, Scalar::Text)),
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
            let value = match written {
                Some(_) => self.value(&field.schema, written),
                None if field.optional => None,
                None => self.default(field).or_else(|| self.value(&field.schema, None)),
            };
            entries.extend(value.map(|value| (field.key.to_owned(), value)));
        }
        (node.is_some() || !entries.is_empty()).then_some(Out::Map(entries))
    }

    /// A default is written in YAML in the schema.
    fn default(&self, field: &Field) -> Option<Out> {
        let text = field.default.as_ref()?;
        let mut sources = Sources::default();
        let id = sources.add(DEFAULT, text.as_str());
        let node = sources.file(id).and_then(|source| syntax::parse(id, source, &mut Vec::new()));
        let unwritten = Printer { sources: &Sources::default() };
        unwritten.value(&field.schema, Some(&node.unwrap_or_else(|| Node::unwritten(text.as_str()))))
    }

    /// A value as it was written.
    fn plain(&self, node: &Node, kind: Scalar) -> Out {
        match &node.kind {
            NodeKind::Scalar { style, raw, .. } => {
                // A reference is a text whatever it brings in.
                let is_text = kind == Scalar::Text || raw.is_some();
                let kind = match (is_text, style) {
                    (true, Style::Quoted) => Scalar::Quoted,
                    (true, _) => Scalar::Text,
                    _ => kind,
                };
                let origin = self.origin(node.span);
                Out::Scalar { text: node.shown().unwrap_or_default().to_owned(), origin, kind }
            }
            NodeKind::List(items) => Out::List(items.iter().map(|item| self.plain(item, Scalar::Text)).collect()),
            NodeKind::Map(entries) => {
                Out::Map(entries.iter().map(|e| (e.key.value.clone(), self.plain(&e.value, Scalar::Text))).collect())
            }
        }
    }

    fn origin(&self, span: Span) -> String {
        self.sources.locate(span).map_or_else(|| DEFAULT.to_owned(), |at| at.place())
    }
}

/// Whether a value has the form that a schema describes.
pub(crate) fn fits(schema: &Schema, node: &Node) -> bool {
    match (&schema.kind, &node.kind) {
        (Kind::List(_), NodeKind::List(_)) | (Kind::Table(_), NodeKind::Map(_)) => true,
        (Kind::Record { shape, .. }, kind) => matches!(kind, NodeKind::Map(_)) || shape.short.is_some(),
        (Kind::Text { .. } | Kind::Integer | Kind::Boolean | Kind::Words { .. }, NodeKind::Scalar { .. }) => true,
        _ => false,
    }
}

/// A scalar in YAML.
fn scalar(text: &str, kind: Scalar) -> String {
    match kind {
        Scalar::Integer => written(text, false, false),
        Scalar::Boolean => written(text, false, true),
        Scalar::Text => written(text, false, false),
        Scalar::Quoted => quoted(text),
    }
}

fn emit_entry(out: &mut String, key: &str, value: &Out, depth: usize) {
    let indent = "  ".repeat(depth);
    let _ = write!(out, "{indent}{}:", written(key, false, false));
    emit_value(out, value, depth);
}

/// Writes a value behind its key, with the line end.
fn emit_value(out: &mut String, value: &Out, depth: usize) {
    match value {
        Out::Scalar { text, origin, kind } => {
            let _ = writeln!(out, " {} # {}", scalar(text, *kind), origin.replace(['\n', '\r'], " "));
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
                let _ = write!(out, "{indent}{lead}{}:", written(key, false, false));
                emit_value(out, value, depth + 1);
            }
        }
        _ => {
            let _ = write!(out, "{indent}-");
            emit_value(out, item, depth);
        }
    }
}
