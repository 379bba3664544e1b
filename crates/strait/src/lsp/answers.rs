//! The answers to an editor's questions.

use super::cursor::{Cursor, cursor};
use super::knowledge::{Knowledge, Offer, field_detail};
use super::place;
use super::workspace::{Document, Workspace, file_of, location};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use strait_compile::{Compiler, Question, example_request, explain};
use strait_config::{Diagnostic, Node, format_text};

/// Kinds of completion items: a field, and a value.
const FIELD: u8 = 5;
const VALUE: u8 = 12;
/// Kinds of symbols: a module for sections, a key for their entries.
const SECTION: u8 = 2;
const ENTRY: u8 = 20;

/// A question about a document.
pub(super) struct Asked<'a> {
    pub(super) workspace: &'a Workspace,
    pub(super) knowledge: &'a Knowledge,
    pub(super) parameters: &'a Value,
}

impl Asked<'_> {
    fn document(&self) -> Option<Document> {
        self.workspace.document(self.parameters.pointer("/textDocument/uri")?.as_str()?)
    }

    fn at_cursor(&self) -> Option<(Document, Cursor)> {
        let document = self.document()?;
        let offset = place::offset(&document.text, self.parameters.get("position")?);
        let cursor = cursor(&document.text, offset);
        Some((document, cursor))
    }

    pub(super) fn completion(&self) -> Value {
        let Some((document, cursor)) = self.at_cursor() else { return json!([]) };
        let range = place::range(&document.text, cursor.start, cursor.end);
        let offers = self.knowledge.offers(&cursor, self.workspace.names(&document));
        let item = |offer: &Offer| {
            let is_key = cursor.is_key && self.is_key(&cursor, offer);
            let text = if is_key { format!("{}: ", offer.text) } else { quoted(&offer.text, cursor.in_flow) };
            json!({
                "label": offer.text,
                "kind": if is_key { FIELD } else { VALUE },
                "detail": offer.detail,
                "documentation": offer.doc,
                "filterText": offer.text,
                "textEdit": {"range": range, "newText": text},
            })
        };
        json!({"isIncomplete": false, "items": offers.iter().map(item).collect::<Vec<_>>()})
    }

    /// Whether an offer is a key, rather than a value in a list.
    fn is_key(&self, cursor: &Cursor, offer: &Offer) -> bool {
        let mut path = cursor.path.clone();
        path.push(offer.text.clone());
        let is_weight = offer.detail == "upstream" && cursor.path.last().is_none_or(|last| last != "-");
        self.knowledge.field(&path).is_some() || is_weight
    }

    pub(super) fn hover(&self) -> Value {
        let Some((document, cursor)) = self.at_cursor() else { return Value::Null };
        let range = place::range(&document.text, cursor.start, cursor.end);
        let told = self.explained(&document, &cursor).or_else(|| self.documented(&cursor));
        told.map_or(Value::Null, |text| json!({"contents": {"kind": "markdown", "value": text}, "range": range}))
    }

    /// What the manual says of a key, or of the key of a value.
    fn documented(&self, cursor: &Cursor) -> Option<String> {
        let mut path = cursor.path.clone();
        if cursor.is_key {
            path.push(cursor.word.clone());
        }
        while path.last().is_some_and(|last| last == "-") {
            path.pop();
        }
        let field = self.knowledge.field(&path)?;
        let mut text = format!("**{}**: {}\n\n{}", field.key, field_detail(field), field.doc);
        let offers = self.knowledge.offers(&Cursor { is_key: false, ..cursor.clone() }, &Node::unwritten(""));
        if let Some(offer) = offers.iter().find(|offer| !cursor.is_key && offer.text == cursor.word) {
            text = format!("**{}**: {}\n\n{text}", offer.text, offer.doc);
        }
        Some(text)
    }

    /// What becomes of a request that the pattern under the cursor matches.
    fn explained(&self, document: &Document, cursor: &Cursor) -> Option<String> {
        let (pattern, listener) = match (cursor.is_key, cursor.path.as_slice()) {
            (true, [routes]) if routes == "routes" => (&cursor.word, None),
            (true, [listeners, name, routes]) if listeners == "listeners" && routes == "routes" => {
                (&cursor.word, Some(name))
            }
            (false, [routes, pattern]) if routes == "routes" && cursor.word.is_empty() => (pattern, None),
            _ => return None,
        };
        let snapshot = self.workspace.snapshot(document)?;
        let plan = Compiler::new(1).compile(&snapshot).ok()?;
        let (method, url) = example_request(pattern)?;
        let question = Question { listener: listener.map(String::as_str), ..Question::new(&method, &url) };
        let explanation = explain(&plan, &question).ok()?;
        Some(format!("For example:\n\n```text\n{explanation}```"))
    }

    pub(super) fn definition(&self) -> Value {
        let Some((document, cursor)) = self.at_cursor() else { return Value::Null };
        if cursor.path.first().is_some_and(|first| first == "include") {
            return included(&document, &cursor.word);
        }
        let table = match cursor.path.last().map(String::as_str) {
            Some("use") => "policies",
            _ if cursor.path.iter().any(|key| key == "to") || self.knowledge.is_target(&cursor) => "upstreams",
            _ => return Value::Null,
        };
        let entries = document.draft.tree.value(table).map(Node::entries).unwrap_or_default();
        let entry = entries.iter().find(|entry| entry.key.value == cursor.word);
        entry.and_then(|entry| location(entry.key.span, &document.draft.sources)).unwrap_or(Value::Null)
    }

    pub(super) fn symbols(&self) -> Value {
        let Some(document) = self.document() else { return json!([]) };
        let sources = &document.draft.sources;
        let Some(file) = file_of(sources, &document.path) else { return json!([]) };
        let in_file = |entry: &&strait_config::Entry| entry.key.span.file == file;
        let symbol = |entry: &strait_config::Entry, kind: u8, children: Vec<Value>| {
            let key = entry.key.span;
            let end = if entry.value.span.file == file { entry.value.span.end.max(key.end) } else { key.end };
            json!({
                "name": entry.key.value,
                "kind": kind,
                "range": place::range(&document.text, key.start as usize, end as usize),
                "selectionRange": place::range(&document.text, key.start as usize, key.end as usize),
                "children": children,
            })
        };
        let sections = document.draft.tree.entries().iter().map(|section| {
            let entries = section.value.entries().iter().filter(in_file);
            (section, entries.map(|entry| symbol(entry, ENTRY, Vec::new())).collect::<Vec<_>>())
        });
        // A table may begin in another file.
        let own = sections.filter(|(section, entries)| section.key.span.file == file || !entries.is_empty());
        own.flat_map(|(section, entries)| match section.key.span.file == file {
            true => vec![symbol(section, SECTION, entries)],
            false => entries,
        })
        .collect()
    }

    pub(super) fn formatting(&self) -> Value {
        let Some(document) = self.document() else { return json!([]) };
        match format_text(&document.path.display().to_string(), &document.text) {
            Ok(formatted) if formatted != document.text => {
                json!([{"range": place::range(&document.text, 0, document.text.len()), "newText": formatted}])
            }
            // What cannot be formatted has findings that say why.
            _ => json!([]),
        }
    }

    pub(super) fn actions(&self) -> Value {
        let Some(document) = self.document() else { return json!([]) };
        let findings = self.workspace.findings(&document);
        let Some(file) = file_of(&findings.sources, &document.path) else { return json!([]) };
        let corner =
            |key: &str| self.parameters.pointer(key).map_or(0, |position| place::offset(&document.text, position));
        let (start, end) = (corner("/range/start"), corner("/range/end"));
        let touches = |finding: &&Diagnostic| {
            let span = finding.primary.span;
            span.file == file && span.start as usize <= end && span.end as usize >= start
        };
        let action = |finding: &Diagnostic| {
            let fix = finding.fix.as_ref().filter(|fix| !fix.edits.is_empty())?;
            let mut changes: BTreeMap<String, Vec<Value>> = BTreeMap::new();
            for edit in &fix.edits {
                let at = location(edit.span, &findings.sources)?;
                let uri = at.get("uri").and_then(Value::as_str)?.to_owned();
                changes.entry(uri).or_default().push(json!({"range": at.get("range"), "newText": edit.replacement}));
            }
            let title = format!("{} ({})", fix.message, finding.code.id);
            Some(json!({"title": title, "kind": "quickfix", "isPreferred": true, "edit": {"changes": changes}}))
        };
        findings.list.iter().filter(touches).filter_map(action).collect()
    }
}

/// A value as it is typed.
fn quoted(text: &str, in_flow: bool) -> String {
    let needs = text.starts_with(['*', '[', '{', '"', '@', '%']) || in_flow && text.contains(['{', '}', ',', '[', ']']);
    if needs { format!("\"{text}\"") } else { text.to_owned() }
}

/// The file that an `include` names; of a pattern the first one that is among those read.
fn included(document: &Document, pattern: &str) -> Value {
    let folder = document.path.parent().unwrap_or(Path::new(""));
    let path = folder.join(pattern);
    let first = || {
        let prefix = pattern.split('*').next().unwrap_or_default();
        let names = document.draft.sources.files().iter().map(|file| Path::new(&file.name).to_path_buf());
        let start = folder.join(prefix).display().to_string();
        names
            .map(|name| std::path::absolute(&name).unwrap_or(name))
            .find(|name| *name != document.path && name.display().to_string().starts_with(&start))
    };
    let found = if path.is_file() { Some(path) } else { first() };
    found.map_or(Value::Null, |path| json!({"uri": place::uri(&path), "range": place::range("", 0, 0)}))
}
