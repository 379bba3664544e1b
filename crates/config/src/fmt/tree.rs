//! A file as it is laid out: what the loader's tree leaves away because it means nothing.

use super::comments::Comment;
use crate::limits::DEPTH_MAX;
use crate::source::{SourceFile, offset};
use crate::syntax::Style;
use granit_parser::{Event, Parser, ScalarStyle, StructureStyle};

/// A whole file.
pub(super) struct Layout {
    /// Offset of the `---`, if one begins the document.
    pub(super) marker: Option<u32>,
    pub(super) root: Option<Item>,
    pub(super) comments: Vec<Comment>,
}

/// A value with its place.
pub(super) struct Item {
    pub(super) start: u32,
    pub(super) end: u32,
    pub(super) anchor: Option<String>,
    pub(super) form: Form,
}

pub(super) enum Form {
    Scalar { text: String, style: Style },
    Alias(String),
    List { in_brackets: bool, items: Vec<Item> },
    Map { in_brackets: bool, entries: Vec<(Item, Item)> },
}

impl Item {
    pub(super) fn is_absent(&self) -> bool {
        matches!(self.form, Form::Scalar { style: Style::Absent, .. })
    }
}

impl Layout {
    /// Reads a file that the loader's parser accepts.
    pub(super) fn read(source: &SourceFile) -> Self {
        let options = granit_parser::options! {
            disallow_directives: true,
            emit_unresolved_aliases: true,
            emit_comments: true,
            emit_anchor_events: true,
            max_buffered_comment_events: usize::MAX,
            flow_nesting_limit: DEPTH_MAX,
            block_nesting_limit: DEPTH_MAX,
            simple_key_max_lookahead: 8192,
        };
        let mut reader = Reader { layout: Self { marker: None, root: None, comments: Vec::new() }, open: Vec::new() };
        for (event, span) in Parser::new_from_str_with_options(&source.text, options).map_while(Result::ok) {
            let at = |offset_of: Option<usize>| offset(offset_of.unwrap_or(0));
            let (start, end) = (at(span.start.byte_offset()), at(span.end.byte_offset()));
            reader.event(event, start, end.max(start), source);
        }
        reader.layout
    }
}

struct Reader {
    layout: Layout,
    open: Vec<Item>,
}

impl Reader {
    fn event(&mut self, event: Event<'_>, start: u32, end: u32, source: &SourceFile) {
        match event {
            Event::DocumentStart(true, _) => self.layout.marker = Some(start),
            Event::Comment(..) => self.layout.comments.push(Comment::at(start, end, source)),
            Event::Anchor(_, name) => self.name(&name),
            Event::Scalar(text, style, _, _) => {
                let is_block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                let form = scalar(&text, style, start == end);
                let start = if is_block { header_start(source, start) } else { start };
                self.place(Item { start, end, anchor: None, form });
            }
            Event::Alias(_) => {
                let form = Form::Alias(source.slice(start, end).to_owned());
                self.place(Item { start, end, anchor: None, form });
            }
            Event::SequenceStart(style, ..) => {
                let form = Form::List { in_brackets: style == StructureStyle::Flow, items: Vec::new() };
                self.open.push(Item { start, end, anchor: None, form });
            }
            Event::MappingStart(style, ..) => {
                let form = Form::Map { in_brackets: style == StructureStyle::Flow, entries: Vec::new() };
                self.open.push(Item { start, end, anchor: None, form });
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(mut item) = self.open.pop() {
                    item.end = end.max(item.end);
                    self.place(item);
                }
            }
            _ => {}
        }
    }

    /// The anchor of the node just begun or placed.
    fn name(&mut self, name: &str) {
        let begun = self.open.last_mut().filter(|item| match &item.form {
            Form::List { items, .. } => items.is_empty(),
            Form::Map { entries, .. } => entries.is_empty(),
            _ => false,
        });
        let node = match begun {
            Some(node) => Some(node),
            None => self.open.last_mut().map_or(self.layout.root.as_mut(), last),
        };
        if let Some(node) = node {
            node.anchor = Some(name.to_owned());
        }
    }

    fn place(&mut self, item: Item) {
        match self.open.last_mut().map(|open| &mut open.form) {
            None => self.layout.root = (!item.is_absent()).then_some(item),
            Some(Form::List { items, .. }) => items.push(item),
            Some(Form::Map { entries, .. }) => match entries.last_mut().filter(|(_, value)| value.is_waiting()) {
                Some((_, value)) => *value = item,
                None => entries.push((item, Item::waiting())),
            },
            Some(_) => {}
        }
    }
}

impl Item {
    /// What stands behind a key until its value comes.
    fn waiting() -> Self {
        let form = Form::Alias(String::new());
        Self { start: 0, end: 0, anchor: None, form }
    }

    fn is_waiting(&self) -> bool {
        matches!(&self.form, Form::Alias(name) if name.is_empty())
    }
}

/// The node placed last in a collection.
fn last(open: &mut Item) -> Option<&mut Item> {
    match &mut open.form {
        Form::List { items, .. } => items.last_mut(),
        Form::Map { entries, .. } => {
            entries.last_mut().map(|(key, value)| if value.is_waiting() { key } else { value })
        }
        _ => None,
    }
}

fn scalar(text: &str, style: ScalarStyle, is_empty: bool) -> Form {
    let style = match style {
        ScalarStyle::Plain if is_empty => Style::Absent,
        ScalarStyle::Plain => Style::Plain,
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => Style::Quoted,
        _ => Style::Block,
    };
    Form::Scalar { text: if style == Style::Absent { String::new() } else { text.to_owned() }, style }
}

/// Where a block text's `|` or `>` stands: the span of the text begins behind its header.
fn header_start(source: &SourceFile, text_start: u32) -> u32 {
    let end = offset(source.slice(0, text_start).trim_end().len());
    let line_start = source.line_start(source.line_at(end));
    let line = source.slice(line_start, end);
    let line = line.split(" #").next().unwrap_or(line).trim_end();
    let header = line.rfind(['|', '>']).unwrap_or(line.len());
    line_start + offset(header)
}
