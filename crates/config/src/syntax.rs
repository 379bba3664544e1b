//! YAML 1.2 (and with it JSON) as a tree with spans.
//!
//! Every scalar stays text: the key that holds it decides its type. What tools disagree about is
//! refused: duplicate keys, tags, merge keys, tabs, second documents, keys that are not text.
//! Aliases are expanded here, within a limit; from then on nothing knows of them.

use crate::codes;
use crate::diagnose::Diagnostic;
use crate::limits::{ALIAS_NODES_MAX, DEPTH_MAX, FILE_BYTES_MAX};
use crate::source::{FileId, SourceFile, Span, Spanned, offset};
use crate::traps;
use granit_parser::{Event, Parser, ScalarStyle};
use std::collections::HashMap;

/// How a scalar was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// In quotes of either kind.
    Quoted,
    /// As a block, `|` or `>`.
    Block,
    /// Not at all: `key:` with nothing behind it.
    Absent,
}

/// A value in a file.
#[derive(Debug, Clone)]
pub struct Node {
    /// Where it is written; a block map or list reaches to its last value.
    pub span: Span,
    /// What it is.
    pub kind: NodeKind,
    /// Spaces before it in its line, for edits that add a line beside it.
    column: u32,
}

/// What a value is.
#[derive(Debug, Clone)]
pub enum NodeKind {
    /// Text.
    Scalar {
        /// The text, after `${…}` was replaced.
        text: String,
        /// How it was written.
        style: Style,
        /// The text as it stands in the file, if `${…}` was replaced in it: what dumps show.
        raw: Option<String>,
        /// The parts of `text` that stand for values of the request: `${client.ip}`.
        values: Vec<RequestValue>,
    },
    /// `[a, b]` or lines that begin with `- `.
    List(Vec<Node>),
    /// `{a: b}` or lines of `a: b`, in the order written.
    Map(Vec<Entry>),
}

/// A part of a text that stands for a value of the request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestValue {
    /// Its bytes in the text, `${` and `}` included.
    pub range: std::ops::Range<usize>,
    /// Where it begins in the text as it was before `${env:…}` and its like were replaced.
    pub written_at: usize,
}

/// One key of a map.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key.
    pub key: Spanned<String>,
    /// Its value.
    pub value: Node,
}

impl Node {
    /// A text that nobody wrote.
    pub fn unwritten(text: impl Into<String>) -> Self {
        Self::scalar(text, Style::Quoted, Span::NONE)
    }

    /// A text at a place: a key read as a value.
    pub(crate) fn text_at(text: &str, span: Span) -> Self {
        Self::scalar(text, Style::Plain, span)
    }

    /// A key with nothing behind it.
    pub(crate) fn absent(span: Span) -> Self {
        Self::scalar("", Style::Absent, span)
    }

    fn scalar(text: impl Into<String>, style: Style, span: Span) -> Self {
        Self { span, kind: NodeKind::Scalar { text: text.into(), style, raw: None, values: Vec::new() }, column: 0 }
    }

    /// A collection.
    pub(crate) fn collection(kind: NodeKind, span: Span, column: u32) -> Self {
        Self { span, kind, column }
    }

    /// Spaces before a collection in its first line.
    pub(crate) fn column(&self) -> usize {
        self.column as usize
    }

    /// `scalar`, `list` or `map`.
    pub fn form(&self) -> &'static str {
        match self.kind {
            NodeKind::Scalar { .. } => "scalar",
            NodeKind::List(_) => "list",
            NodeKind::Map(_) => "map",
        }
    }

    /// The text of a scalar.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The text of a scalar as messages and dumps may show it: never what `${…}` brought in.
    pub fn shown(&self) -> Option<&str> {
        match &self.kind {
            NodeKind::Scalar { text, raw, .. } => Some(raw.as_ref().unwrap_or(text)),
            _ => None,
        }
    }

    /// Whether nothing was written behind the key.
    pub fn is_absent(&self) -> bool {
        matches!(self.kind, NodeKind::Scalar { style: Style::Absent, .. })
    }

    /// The parts of a text that stand for values of the request.
    pub fn values(&self) -> &[RequestValue] {
        match &self.kind {
            NodeKind::Scalar { values, .. } => values,
            _ => &[],
        }
    }

    /// Whether the text holds something that `${…}` brought in.
    pub fn is_substituted(&self) -> bool {
        matches!(self.kind, NodeKind::Scalar { raw: Some(_), .. })
    }

    /// The entries of a map; none for anything else.
    pub fn entries(&self) -> &[Entry] {
        match &self.kind {
            NodeKind::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The value of a key of a map.
    pub fn value(&self, key: &str) -> Option<&Node> {
        self.entries().iter().find(|entry| entry.key.value == key).map(|entry| &entry.value)
    }

    fn size(&self) -> usize {
        match &self.kind {
            NodeKind::Scalar { .. } => 1,
            NodeKind::List(items) => 1 + items.iter().map(Self::size).sum::<usize>(),
            NodeKind::Map(entries) => 1 + entries.iter().map(|e| 1 + e.value.size()).sum::<usize>(),
        }
    }
}

/// Reads one file into a tree; `None` if it holds nothing or cannot be read at all.
///
/// Findings go to `found`. After a syntax error nothing of the file is used.
pub(crate) fn parse(file: FileId, source: &SourceFile, found: &mut Vec<Diagnostic>) -> Option<Node> {
    let whole = Span { file, start: 0, end: 0 };
    if source.text.len() > FILE_BYTES_MAX {
        let message = format!("the file is larger than {} MiB", FILE_BYTES_MAX / (1024 * 1024));
        found.push(Diagnostic::error(codes::FILE, whole, message).hint("split it and use `include`"));
        return None;
    }
    let mut builder = Builder::new(file, source);
    let outcome = builder.run();
    let failed = outcome.is_err();
    if let Err(diagnostic) = outcome {
        builder.found.push(*diagnostic);
    }
    if !failed {
        traps::find_tabs(file, source, &builder.scalars, builder.root.as_ref(), &mut builder.found);
    }
    let refused = failed || builder.refused;
    found.append(&mut builder.found);
    if refused { None } else { builder.root }
}

/// A collection that is not closed yet.
enum Open {
    List { span: Span, items: Vec<Node>, anchor: usize },
    Map { span: Span, entries: Vec<Entry>, key: Option<Spanned<String>>, seen: HashMap<String, Span>, anchor: usize },
}

struct Builder<'s> {
    file: FileId,
    source: &'s SourceFile,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    alias_nodes: usize,
    documents: usize,
    root: Option<Node>,
    /// Spans of quoted and block scalars: tabs inside them are text.
    scalars: Vec<Span>,
    found: Vec<Diagnostic>,
    refused: bool,
}

type Refusal = Box<Diagnostic>;

impl<'s> Builder<'s> {
    fn new(file: FileId, source: &'s SourceFile) -> Self {
        Self {
            file,
            source,
            open: Vec::new(),
            anchors: HashMap::new(),
            alias_nodes: 0,
            documents: 0,
            root: None,
            scalars: Vec::new(),
            found: Vec::new(),
            refused: false,
        }
    }

    fn run(&mut self) -> Result<(), Refusal> {
        let options = granit_parser::options! {
            disallow_directives: true,
            emit_unresolved_aliases: true,
            emit_comments: false,
            flow_nesting_limit: DEPTH_MAX,
            block_nesting_limit: DEPTH_MAX,
            // Only keys may not be longer: a JSON object on one line is one long candidate.
            simple_key_max_lookahead: 8192,
        };
        let source = self.source;
        for next in Parser::new_from_str_with_options(&source.text, options) {
            match next {
                Ok((event, span)) => self.event(event, self.span(&span), span.tag_span().map(|t| self.span(&t)))?,
                Err(error) => return Err(Box::new(traps::explain(self.file, source, &error))),
            }
        }
        Ok(())
    }

    fn span(&self, span: &granit_parser::Span) -> Span {
        let start = offset(span.start.byte_offset().unwrap_or(0));
        let end = offset(span.end.byte_offset().unwrap_or(0)).max(start);
        Span { file: self.file, start, end }
    }

    fn event(&mut self, event: Event<'_>, span: Span, tag: Option<Span>) -> Result<(), Refusal> {
        if let Some(tag) = tag {
            self.refuse_tag(tag);
        }
        match event {
            Event::DocumentStart(..) => self.document(span),
            Event::Scalar(text, style, anchor, _) => self.scalar(&text, style, anchor, span),
            Event::SequenceStart(_, anchor, _) => self.begin(Open::List { span, items: Vec::new(), anchor }),
            Event::MappingStart(_, anchor, _) => {
                self.begin(Open::Map { span, entries: Vec::new(), key: None, seen: HashMap::new(), anchor })
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            Event::Alias(id) => self.alias(id, span),
            Event::UnresolvedAlias(name) => Err(Box::new(traps::unresolved_alias(self.file, self.source, span, &name))),
            _ => Ok(()),
        }
    }

    fn refuse_tag(&mut self, tag: Span) {
        self.refused = true;
        let text = self.source.slice(tag.start, tag.end);
        let diagnostic = Diagnostic::error(codes::TAG, tag, format!("the tag `{text}` is not part of the language"))
            .label("the key decides the type of its value");
        // The blank between tag and value goes too.
        let blank = self.source.text.as_bytes().get(tag.end as usize) == Some(&b' ');
        let whole = Span { end: tag.end + u32::from(blank), ..tag };
        self.found.push(diagnostic.replace("remove the tag", whole, ""));
    }

    fn document(&mut self, span: Span) -> Result<(), Refusal> {
        self.documents += 1;
        if self.documents < 2 {
            return Ok(());
        }
        let rest = Span { end: offset(self.source.text.len()), ..span };
        let dashes = Span { end: span.start.saturating_add(3).min(rest.end), ..span };
        Err(Box::new(
            Diagnostic::error(codes::SECOND_DOCUMENT, dashes, "a second document in the file")
                .label("starts here")
                .hint("put it in a file of its own"),
        ))
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, anchor: usize, span: Span) -> Result<(), Refusal> {
        let empty = span.start == span.end && style == ScalarStyle::Plain;
        let style = match style {
            _ if empty => Style::Absent,
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
            _ => Style::Block,
        };
        if matches!(style, Style::Quoted | Style::Block) {
            self.scalars.push(span);
        }
        let span = if empty { self.behind_colon(span) } else { span };
        if style == Style::Plain
            && let Some(swallowed) = traps::swallowed_item(self.file, self.source, span)
        {
            return Err(Box::new(swallowed));
        }
        let node = Node::scalar(if empty { "" } else { text }, style, span);
        self.remember(anchor, &node);
        self.place(node)
    }

    /// The parser places an empty value on the colon; edits belong behind it.
    fn behind_colon(&self, span: Span) -> Span {
        match self.source.slice(span.start, span.start + 1) {
            ":" => Span { start: span.start + 1, end: span.start + 1, ..span },
            _ => span,
        }
    }

    fn begin(&mut self, open: Open) -> Result<(), Refusal> {
        let (Open::List { span, .. } | Open::Map { span, .. }) = &open;
        if self.open.len() >= DEPTH_MAX {
            let message = format!("nested more than {DEPTH_MAX} levels deep");
            return Err(Box::new(Diagnostic::error(codes::DEPTH, *span, message)));
        }
        // A collection where a key is expected: stop before its content is taken for keys.
        if let Some(Open::Map { key: None, .. }) = self.open.last() {
            return Err(Box::new(self.complex_key(*span)));
        }
        self.open.push(open);
        Ok(())
    }

    fn complex_key(&self, span: Span) -> Diagnostic {
        traps::reference_without_quotes(self.file, self.source, span.start)
            .unwrap_or_else(|| Diagnostic::error(codes::SCALAR_KEY, span, "a key must be text, not a map or a list"))
    }

    fn end(&mut self, end: Span) -> Result<(), Refusal> {
        let (node, anchor) = match self.open.pop() {
            Some(Open::List { span, items, anchor }) => {
                let last = items.last().map(|item| item.span);
                (Node::collection(NodeKind::List(items), closed(span, last, end), self.column_of(span)), anchor)
            }
            Some(Open::Map { span, entries, anchor, .. }) => {
                let last = entries.last().map(|entry| entry.value.span);
                (Node::collection(NodeKind::Map(entries), closed(span, last, end), self.column_of(span)), anchor)
            }
            None => return Ok(()),
        };
        self.remember(anchor, &node);
        self.place(node)
    }

    fn column_of(&self, span: Span) -> u32 {
        span.start - self.source.line_start(self.source.line_at(span.start)).min(span.start)
    }

    fn remember(&mut self, anchor: usize, node: &Node) {
        if anchor > 0 {
            self.anchors.insert(anchor, node.clone());
        }
    }

    fn alias(&mut self, id: usize, span: Span) -> Result<(), Refusal> {
        let Some(target) = self.anchors.get(&id) else {
            // The anchor exists but is not closed yet: the value would contain itself.
            let message = "an alias inside of what it repeats";
            return Err(Box::new(Diagnostic::error(codes::UNKNOWN_ALIAS, span, message)));
        };
        self.alias_nodes += target.size();
        if self.alias_nodes > ALIAS_NODES_MAX {
            let message = format!("aliases add more than {ALIAS_NODES_MAX} values to this file");
            return Err(Box::new(
                Diagnostic::error(codes::ALIAS_LIMIT, span, message).label("the limit is reached here"),
            ));
        }
        let node = target.clone();
        self.place(node)
    }

    /// Puts a finished value where it belongs: as a key, a value, an item or the root.
    fn place(&mut self, node: Node) -> Result<(), Refusal> {
        match self.open.last_mut() {
            None => {
                self.root = (!node.is_absent()).then_some(node);
                Ok(())
            }
            Some(Open::List { items, .. }) => {
                items.push(node);
                Ok(())
            }
            Some(Open::Map { key: slot @ None, .. }) => match node.kind {
                NodeKind::Scalar { text, .. } => {
                    *slot = Some(Spanned::new(text, node.span));
                    Ok(())
                }
                _ => Err(Box::new(self.complex_key(node.span))),
            },
            Some(Open::Map { key: slot @ Some(_), entries, seen, .. }) => {
                let Some(key) = slot.take() else { return Ok(()) };
                if let Some(finding) = refuse_key(&key, &node, seen, entries.last()) {
                    self.refused = true;
                    self.found.push(finding);
                } else {
                    seen.insert(key.value.clone(), key.span);
                    entries.push(Entry { key, value: node });
                }
                Ok(())
            }
        }
    }
}

/// The span of a collection: a bracket closes it, or its last value does (not one an alias brought).
fn closed(start: Span, last: Option<Span>, end: Span) -> Span {
    let by_bracket = (end.start < end.end).then_some(end.end);
    let by_value = last.map(|last| last.end);
    Span { end: by_bracket.or(by_value).unwrap_or(start.end).max(start.end), ..start }
}

/// Merge keys and duplicates.
fn refuse_key(
    key: &Spanned<String>,
    value: &Node,
    seen: &HashMap<String, Span>,
    before: Option<&Entry>,
) -> Option<Diagnostic> {
    if key.value == "<<" {
        return Some(
            Diagnostic::error(codes::MERGE_KEY, key.span, "merge keys (`<<`) are not part of the language")
                .label("tools disagree about its meaning")
                .hint("write the keys out, or use `defaults`"),
        );
    }
    let first = seen.get(&key.value)?;
    let diagnostic =
        Diagnostic::error(codes::DUPLICATE_KEY, key.span, format!("the key `{}` is written twice", key.value))
            .label("here again")
            .second(*first, "first here");
    // From the end of the entry before to the end of this one; an alias has its value elsewhere.
    let gone = before.filter(|entry| entry.value.span.end <= key.span.start && value.span.start >= key.span.end);
    Some(match gone {
        Some(entry) => {
            let span = Span { start: entry.value.span.end, end: value.span.end.max(key.span.end), ..key.span };
            diagnostic.replace("remove one of them", span, "")
        }
        None => diagnostic.hint("remove one of them"),
    })
}
