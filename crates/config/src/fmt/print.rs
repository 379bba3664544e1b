//! A layout as text.

use super::WIDTH_MAX;
use super::comments::Waiting;
use super::tree::{Form, Item, Layout};
use crate::decode::Spec as _;
use crate::quote::{Guess, guess, is_plain, quoted, written};
use crate::schema::{Kind, Schema};
use crate::source::{SourceFile, offset};
use crate::spec::Root;
use crate::syntax::Style;
use crate::words;

/// Writes a file anew. `copies_blocks` keeps block texts (`|`, `>`) as they are laid out.
pub(super) fn print(layout: &Layout, source: &SourceFile, copies_blocks: bool) -> String {
    let waiting = Waiting::new(&layout.comments);
    let mut printer = Printer { source, waiting, out: String::new(), last_line: 0, is_fresh: true, copies_blocks };
    if let Some(marker) = layout.marker {
        printer.comments_before(marker, 0);
        printer.blank_line(marker);
        printer.out.push_str("---");
        printer.end_line(source.line_at(marker), marker + 4);
        printer.is_fresh = true;
    }
    if let Some(root) = &layout.root {
        printer.comments_before(settled(root), 0);
        printer.block(root, Place { indent: 0, continues: false, column: -1, limit: u32::MAX }, Some(&Root::schema()));
    }
    printer.comments_before(u32::MAX, 0);
    printer.out
}

struct Printer<'l> {
    source: &'l SourceFile,
    waiting: Waiting<'l>,
    out: String,
    /// The line of the source that was written last.
    last_line: usize,
    /// Nothing was written yet in the file or collection: no blank line stands there.
    is_fresh: bool,
    copies_blocks: bool,
}

/// Where a collection is written.
#[derive(Clone, Copy)]
struct Place {
    /// Spaces before its lines.
    indent: usize,
    /// Its first line has begun already, behind a dash.
    continues: bool,
    /// Column of the collection around it in the source; comments further right belong to this one.
    column: i64,
    /// Where the next value of the collection around it begins.
    limit: u32,
}

/// Up to where comments are written before a value begins: its first line holds what comes before.
fn settled(item: &Item) -> u32 {
    match &item.form {
        Form::List { items, in_brackets: false } => items.first().map_or(item.start, settled),
        Form::Map { entries, in_brackets: false } => entries.first().map_or(item.start, settled_entry),
        _ => item.start,
    }
}

fn settled_entry((key, value): &(Item, Item)) -> u32 {
    let is_block = matches!(value.form, Form::List { in_brackets: false, .. } | Form::Map { in_brackets: false, .. });
    if is_block || value.is_absent() { key.start } else { value.start.max(key.start) }
}

impl Printer<'_> {
    /// Comments that begin before an offset, each on a line of its own.
    fn comments_before(&mut self, until: u32, indent: usize) {
        while let Some(comment) = self.waiting.next_if(|comment| comment.start < until) {
            self.blank_before(comment.line);
            self.pad(indent);
            self.out.push_str(&comment.text);
            self.out.push('\n');
            self.last_line = comment.line;
        }
    }

    /// The author's blank line, if there was one before this offset.
    fn blank_line(&mut self, at: u32) {
        self.blank_before(self.source.line_at(at));
    }

    fn blank_before(&mut self, line: usize) {
        if line > self.last_line + 1 && !self.is_fresh {
            self.out.push('\n');
        }
        self.is_fresh = false;
    }

    fn pad(&mut self, indent: usize) {
        self.out.push_str(&" ".repeat(indent));
    }

    /// Ends a line, with the comment that stands behind it in the source.
    fn end_line(&mut self, line: usize, limit: u32) {
        let is_behind =
            |comment: &super::comments::Comment| !comment.is_alone && comment.line == line && comment.start < limit;
        if let Some(comment) = self.waiting.next_if(is_behind) {
            self.out.push(' ');
            self.out.push_str(&comment.text);
        }
        self.out.push('\n');
        self.last_line = self.last_line.max(line);
    }

    fn line_of_end(&self, item: &Item) -> usize {
        self.source.line_at(item.end.saturating_sub(1).max(item.start))
    }

    /// A collection on lines of its own, or a value alone.
    fn block(&mut self, item: &Item, place: Place, schema: Option<&Schema>) {
        match &item.form {
            Form::List { items, in_brackets } if !items.is_empty() => {
                self.list(items, place, schema);
                self.comments_behind(item, place, *in_brackets);
            }
            Form::Map { entries, in_brackets } if !entries.is_empty() => {
                self.map(entries, place, schema);
                self.comments_behind(item, place, *in_brackets);
            }
            _ => {
                let text = self.inline(item, place.indent, false, schema).unwrap_or_default();
                self.out.push_str(&text);
                self.end_line(self.line_of_end(item), place.limit);
            }
        }
    }

    /// Comments at the end of a collection.
    fn comments_behind(&mut self, item: &Item, place: Place, in_brackets: bool) {
        let belongs = |comment: &super::comments::Comment| match in_brackets {
            true => comment.start < item.end,
            false => i64::from(comment.column) > place.column && comment.start < place.limit && place.column >= 0,
        };
        while let Some(comment) = self.waiting.next_if(belongs) {
            self.blank_before(comment.line);
            self.pad(place.indent);
            self.out.push_str(&comment.text);
            self.out.push('\n');
            self.last_line = comment.line;
        }
        if in_brackets {
            self.last_line = self.last_line.max(self.line_of_end(item));
        }
    }

    fn column_of(&self, at: u32) -> i64 {
        i64::from(at) - i64::from(self.source.line_start(self.source.line_at(at)))
    }

    fn list(&mut self, items: &[Item], place: Place, schema: Option<&Schema>) {
        let of = schema.and_then(item_schema);
        let mut starts = items.iter().skip(1).map(|item| item.start);
        for (at, item) in items.iter().enumerate() {
            let limit = starts.next().unwrap_or(place.limit);
            if at > 0 || !place.continues {
                self.comments_before(settled(item), place.indent);
                self.blank_line(self.dash_of(item));
                self.pad(place.indent);
            }
            self.out.push('-');
            let within = Place { indent: place.indent + 2, continues: true, column: place.column.max(0), limit };
            self.value(item, within, of);
        }
    }

    fn map(&mut self, entries: &[(Item, Item)], place: Place, schema: Option<&Schema>) {
        let schema = schema.map(|schema| map_schema(schema, entries));
        let mut starts = entries.iter().skip(1).map(|(key, _)| key.start);
        for (at, entry) in entries.iter().enumerate() {
            let (key, value) = entry;
            let limit = starts.next().unwrap_or(place.limit);
            if at > 0 || !place.continues {
                self.comments_before(settled_entry(entry), place.indent);
                self.blank_line(key.start);
                self.pad(place.indent);
            }
            self.out.push_str(&key_text(key, false));
            let column = self.column_of(key.start);
            let within = Place { indent: place.indent + 2, continues: false, column, limit };
            self.value(value, within, schema.and_then(|schema| entry_schema(schema, key)));
        }
    }

    /// A value behind `key:` or `-`, to the end of its line or lines.
    fn value(&mut self, item: &Item, place: Place, schema: Option<&Schema>) {
        if let Some(text) = self.block_text(item) {
            return self.write_block_text(item, &text, place);
        }
        let used = self.out.len() - self.out.rfind('\n').map_or(0, |at| at + 1);
        if let Some(text) = self.inline(item, used + 1, false, schema) {
            if !text.is_empty() {
                self.out.push(' ');
                self.out.push_str(&text);
            }
            let line = if item.is_absent() { self.source.line_at(item.start) } else { self.line_of_end(item) };
            return self.end_line(line, place.limit);
        }
        let anchor = item.anchor.as_ref().map(|name| format!(" &{name}"));
        self.out.push_str(anchor.as_deref().unwrap_or_default());
        if place.continues && anchor.is_none() {
            self.out.push(' ');
            return self.block(item, place, schema);
        }
        let first = settled(item);
        // A comment that is left here and is not alone stands behind the key.
        let line = self.waiting.line_before(first).unwrap_or(self.last_line);
        self.end_line(line, first);
        self.is_fresh = true;
        self.block(item, Place { continues: false, ..place }, schema);
    }

    /// A value on one line, if it can and may stand on one.
    fn inline(&self, item: &Item, used: usize, in_flow: bool, schema: Option<&Schema>) -> Option<String> {
        let text = match &item.form {
            Form::Scalar { text, style } => scalar(text, *style, in_flow, schema),
            Form::Alias(name) => name.clone(),
            Form::List { items, .. } if items.is_empty() && !self.waiting.is_between(item.start, item.end) => {
                "[]".to_owned()
            }
            Form::Map { entries, .. } if entries.is_empty() && !self.waiting.is_between(item.start, item.end) => {
                "{}".to_owned()
            }
            Form::List { in_brackets: false, .. } | Form::Map { in_brackets: false, .. } => return None,
            Form::List { items, .. } => {
                let of = schema.and_then(item_schema);
                let parts: Option<Vec<String>> = items.iter().map(|item| self.inline(item, 0, true, of)).collect();
                format!("[{}]", parts?.join(", "))
            }
            Form::Map { entries, .. } => {
                let schema = schema.map(|schema| map_schema(schema, entries));
                let parts: Option<Vec<String>> = entries.iter().map(|entry| self.inline_entry(entry, schema)).collect();
                format!("{{{}}}", parts?.join(", "))
            }
        };
        let is_collection = matches!(item.form, Form::List { .. } | Form::Map { .. });
        if is_collection && !in_flow {
            let has_comments = self.waiting.is_between(item.start, item.end);
            if has_comments && text.len() > 2 || used + text.chars().count() > WIDTH_MAX {
                return None;
            }
        }
        Some(match &item.anchor {
            Some(name) if text.is_empty() => format!("&{name}"),
            Some(name) => format!("&{name} {text}"),
            None => text,
        })
    }

    fn inline_entry(&self, (key, value): &(Item, Item), schema: Option<&Schema>) -> Option<String> {
        let schema = schema.and_then(|schema| entry_schema(schema, key));
        let (key, value) = (key_text(key, true), self.inline(value, 0, true, schema)?);
        Some(if value.is_empty() { key } else { format!("{key} {value}") })
    }

    /// Where the dash of an item stands, if it has one.
    fn dash_of(&self, item: &Item) -> u32 {
        let (end, text) = self.before(item.start);
        if text.ends_with('-') { end } else { item.start }
    }

    /// What stands last before an offset, blanks aside: its offset and the rest of its line before it.
    fn before(&self, at: u32) -> (u32, &str) {
        let text = self.source.slice(0, at).trim_end();
        let end = offset(text.len());
        (end, self.source.slice(self.source.line_start(self.source.line_at(end)), end))
    }

    /// The header of a block text and its lines without their indentation, with the line of the header.
    fn block_text(&self, item: &Item) -> Option<BlockText> {
        let Form::Scalar { style: Style::Block, .. } = item.form else { return None };
        let line = self.source.line_at(item.start);
        let header = self.source.slice(item.start, self.source.line_start(line + 1));
        let header = header.split_whitespace().next()?.to_owned();
        if !self.copies_blocks || !header.starts_with(['|', '>']) || header.contains(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let last = self.source.line_at(item.end);
        // The span reaches into the indentation of what comes next.
        let is_next = self.source.slice(self.source.line_start(last), item.end).trim().is_empty();
        let body: Vec<&str> = (line + 1..last + usize::from(!is_next)).map(|number| self.source.line(number)).collect();
        let spaces = |line: &&str| line.len() - line.trim_start_matches(' ').len();
        let base = body.iter().find(|line| !line.trim().is_empty()).map_or(0, spaces);
        let strip = |line: &&str| line.get(base..).unwrap_or_default().to_owned();
        Some(BlockText { line, body: body.iter().map(strip).collect(), header })
    }

    fn write_block_text(&mut self, item: &Item, text: &BlockText, place: Place) {
        let anchor = item.anchor.as_ref().map_or_else(String::new, |name| format!(" &{name}"));
        self.out.push_str(&format!("{anchor} {}", text.header));
        self.end_line(text.line, place.limit);
        let last = text.body.iter().rposition(|line| !line.is_empty());
        let kept = if text.header.contains('+') { text.body.len() } else { last.map_or(0, |at| at + 1) };
        for line in text.body.iter().take(kept) {
            if !line.is_empty() {
                self.pad(place.indent);
                self.out.push_str(line);
            }
            self.out.push('\n');
        }
        self.last_line = text.line + kept;
    }
}

/// A text in the form of a block.
struct BlockText {
    header: String,
    /// The line of the header.
    line: usize,
    body: Vec<String>,
}

fn key_text(key: &Item, in_flow: bool) -> String {
    let anchor = key.anchor.as_ref().map_or_else(String::new, |name| format!("&{name} "));
    match &key.form {
        Form::Scalar { text, style } => format!("{anchor}{}:", scalar_key(text, *style, in_flow)),
        // Without the space the colon would belong to the name.
        Form::Alias(name) => format!("{name} :"),
        _ => String::new(),
    }
}

/// Keys are read as texts by the loader; tools of YAML 1.1 give types to them too.
fn scalar_key(text: &str, style: Style, in_flow: bool) -> String {
    let is_number_in_quotes = style == Style::Quoted && guess(text) == Guess::Integer;
    if is_number_in_quotes { quoted(text) } else { written(text, in_flow, false) }
}

fn scalar(text: &str, style: Style, in_flow: bool, schema: Option<&Schema>) -> String {
    match style {
        Style::Absent => String::new(),
        Style::Plain => written(text, in_flow, schema.is_none_or(takes_truth)),
        // Quotes of the author's stay where they say that a text is meant.
        Style::Quoted | Style::Block if keeps_quotes(text) => quoted(text),
        Style::Quoted | Style::Block => written(text, in_flow, false),
    }
}

fn keeps_quotes(text: &str) -> bool {
    let glued = text.split_once(':').is_some_and(|(word, rest)| words::is_key(word) && !rest.starts_with("//"));
    guess(text) != Guess::Text || glued || !is_plain(text, false)
}

/// Whether a truth value may stand here.
fn takes_truth(schema: &Schema) -> bool {
    match &schema.kind {
        Kind::Boolean => true,
        Kind::Forms(forms) => forms.iter().any(takes_truth),
        Kind::Record { shape, fields } => {
            shape.short.and_then(|at| fields.get(at)).is_some_and(|field| takes_truth(&field.schema))
        }
        _ => false,
    }
}

fn item_schema(schema: &Schema) -> Option<&Schema> {
    match &schema.kind {
        Kind::List(item) => Some(item),
        Kind::Forms(forms) => forms.iter().find_map(item_schema),
        Kind::Record { shape, fields } => item_schema(&fields.get(shape.short?)?.schema),
        _ => None,
    }
}

/// The schema of a map; one whose keys are none of the record's stands for its short form.
fn map_schema<'s>(schema: &'s Schema, entries: &[(Item, Item)]) -> &'s Schema {
    let Kind::Record { shape, fields } = &schema.kind else { return schema };
    let is_own = |(key, _): &(Item, Item)| matches!(&key.form, Form::Scalar { text, .. } if shape.knows(text));
    match shape.short.and_then(|at| fields.get(at)) {
        Some(field) if shape.short_if.is_some() && !entries.iter().any(is_own) => &field.schema,
        _ => schema,
    }
}

fn entry_schema<'s>(schema: &'s Schema, key: &Item) -> Option<&'s Schema> {
    let Form::Scalar { text, .. } = &key.form else { return None };
    match &schema.kind {
        Kind::Table(of) => Some(of),
        Kind::Record { fields, .. } => fields.iter().find(|field| field.key == text).map(|field| &field.schema),
        Kind::Forms(forms) => forms.iter().find_map(|form| entry_schema(form, key)),
        _ => None,
    }
}
