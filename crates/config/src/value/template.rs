//! Text with values of the request in it, and expressions. Their syntax and types are checked where the names that they may
//! use are known: when routes are compiled.

use super::{Flaw, Value};
use crate::codes;
use crate::decode::{Decoder, Spec, quoted_if_needed};
use crate::diagnose::Diagnostic;
use crate::schema::{Kind, Schema};
use crate::source::{Sources, Span};
use crate::syntax::Node;
use std::ops::Range;

/// Text that may hold values of the request: `a ${client.ip} b`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TemplateText {
    pieces: Vec<TextPiece>,
    /// As it stands in the file, what `${env:…}` and its like bring in left out.
    shown: String,
}

/// A piece of such a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TextPiece {
    /// Text that stands for itself, whatever it looks like.
    Literal(String),
    /// What stands between `${` and `}`, and where it begins in the text as written.
    Value {
        /// The expression.
        text: String,
        /// Bytes before it.
        at: usize,
    },
}

/// What stands in a text in place of a value while the rest is checked.
const PLACEHOLDER: &str = "x";

impl TemplateText {
    /// A text without values.
    pub fn literal(text: impl Into<String>) -> Self {
        let text = text.into();
        Self { shown: text.replace("${", "$${"), pieces: vec![TextPiece::Literal(text)] }
    }

    fn of(node: &Node, text: &str) -> Self {
        let mut pieces = Vec::new();
        let mut at = 0;
        for value in node.values() {
            push_literal(&mut pieces, text.get(at..value.range.start));
            let inside = text.get(value.range.start + 2..value.range.end.saturating_sub(1)).unwrap_or_default();
            pieces.push(TextPiece::Value { text: inside.to_owned(), at: value.written_at + 2 });
            at = value.range.end;
        }
        push_literal(&mut pieces, text.get(at..));
        Self { pieces, shown: node.shown().unwrap_or_default().to_owned() }
    }

    /// The pieces, in order.
    pub fn pieces(&self) -> &[TextPiece] {
        &self.pieces
    }

    /// The whole text, if it holds no values.
    pub fn as_literal(&self) -> Option<&str> {
        match self.pieces.as_slice() {
            [] => Some(""),
            [TextPiece::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// The text as messages and dumps may show it.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// The text with a letter in place of each value.
    pub fn outline(&self) -> String {
        let piece = |piece: &TextPiece| match piece {
            TextPiece::Literal(text) => text.clone(),
            TextPiece::Value { .. } => PLACEHOLDER.to_owned(),
        };
        self.pieces.iter().map(piece).collect()
    }

    /// The beginning of a URL whose host a value could go on with. A path of the request begins with a slash, and its
    /// host is its own.
    pub(crate) fn open_host(&self) -> Option<String> {
        let (lead, value) = match self.pieces.as_slice() {
            [TextPiece::Literal(lead), TextPiece::Value { text, .. }, ..] => (lead, text.trim()),
            _ => return None,
        };
        let host = lead.split_once("://")?.1;
        let ends = host.contains(['/', '?', '#']);
        let path = !host.is_empty() && is_path(value);
        (!ends && value != "request.host" && !path).then(|| lead.clone())
    }

    /// Whether it brings the path of the request.
    pub(crate) fn has_path(&self) -> bool {
        self.pieces.iter().any(|piece| matches!(piece, TextPiece::Value { text, .. } if is_path(text.trim())))
    }

    /// Where a part of a value stands in the file; the whole text where that cannot be said, as with escapes.
    pub fn place_of(&self, sources: &Sources, span: Span, at: usize, part: Range<usize>) -> Span {
        let within = |offset: usize| {
            let lead = sources.text(span).find(self.shown.as_str())?;
            u32::try_from(lead + at + offset).ok()?.checked_add(span.start)
        };
        match (within(part.start), within(part.end)) {
            (Some(start), Some(end)) if end <= span.end => Span { start, end, ..span },
            _ => span,
        }
    }
}

fn is_path(value: &str) -> bool {
    matches!(value, "request.uri" | "request.path")
}

fn push_literal(pieces: &mut Vec<TextPiece>, text: Option<&str>) {
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        pieces.push(TextPiece::Literal(text.to_owned()));
    }
}

fn text_schema(what: &'static str, examples: &'static [&'static str]) -> Schema {
    Schema { name: "", doc: "", kind: Kind::Text { what, pattern: None, examples } }
}

impl Decoder {
    /// Reads a text that may hold values of the request. What stands around them must be a `T`.
    pub(crate) fn template<T: Value>(&mut self, node: &Node) -> Option<(T, TemplateText)> {
        let Some(text) = node.text().filter(|_| !node.is_absent()) else {
            self.value::<T>(node)?;
            return None;
        };
        let template = TemplateText::of(node, text);
        if node.values().is_empty() {
            return self.value::<T>(node).map(|value| (value, template));
        }
        match T::parse(&template.outline()) {
            Ok(value) => Some((value, template)),
            Err(flaw) => {
                // A replacement would be of the outline, not of what is written.
                if let Some(better) = T::mended(node.shown().unwrap_or_default()) {
                    let flaw = Flaw { replacement: Some(better), ..flaw };
                    self.flaw(node, T::WHAT, flaw);
                    return None;
                }
                let hint = flaw.hint.unwrap_or_else(|| format!("what stands around `${{…}}` must be {}", T::WHAT));
                let flaw = Flaw { replacement: None, message: hide_outline(&flaw.message), hint: Some(hint), ..flaw };
                self.flaw(node, T::WHAT, flaw);
                None
            }
        }
    }
}

/// A message quotes what it is about, and that is the outline here.
fn hide_outline(message: &str) -> String {
    match message.split_once('`').and_then(|(before, rest)| Some((before, rest.split_once('`')?.1))) {
        Some((before, after)) if !message.contains("{key}") => format!("{before}the text{after}"),
        _ => message.to_owned(),
    }
}

impl Spec for TemplateText {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        decoder.template::<String>(node).map(|(_, template)| template)
    }

    fn schema() -> Schema {
        text_schema("text, with values of the request as `${client.ip}`", &["hello", "${client.ip}"])
    }

    fn text(&self) -> Option<String> {
        Some(quoted_if_needed(&self.shown))
    }
}

/// The value of a header, with values of the request in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderTemplate(pub TemplateText);

impl Spec for HeaderTemplate {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        let (value, template) = decoder.template::<super::HeaderValue>(node)?;
        // A literal is trimmed, as HTTP does (RFC 9110 section 5.5).
        let is_literal = template.as_literal().is_some();
        let pieces = if is_literal { vec![TextPiece::Literal(value.as_str().to_owned())] } else { template.pieces };
        Some(Self(TemplateText { pieces, shown: template.shown }))
    }

    fn schema() -> Schema {
        text_schema("a header value, with values of the request as `${client.ip}`", &["DENY", "${client.ip}"])
    }

    fn text(&self) -> Option<String> {
        self.0.text()
    }
}

/// An expression in CEL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpressionText(String);

impl ExpressionText {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where a part of it stands in the file.
    pub fn place_of(&self, sources: &Sources, span: Span, part: Range<usize>) -> Span {
        let template = TemplateText { pieces: Vec::new(), shown: self.0.clone() };
        template.place_of(sources, span, 0, part)
    }
}

impl Spec for ExpressionText {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        let text = node.text().filter(|_| !node.is_absent());
        if text.is_some() && (node.is_substituted() || !node.values().is_empty()) {
            decoder.report(foreign_text(node));
            return None;
        }
        decoder.value::<String>(node).map(Self)
    }

    fn schema() -> Schema {
        text_schema("an expression in CEL", &["client.ip in ['10.0.0.0/8']"])
    }

    fn text(&self) -> Option<String> {
        Some(quoted_if_needed(&self.0))
    }
}

/// What `${…}` brings in would become a part of the program.
fn foreign_text(node: &Node) -> Diagnostic {
    let finding = Diagnostic::error(codes::EXPRESSION_REFERENCE, node.span, "an expression holds no `${…}`");
    let shown = node.shown().unwrap_or_default();
    let inside = shown.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
    match inside.filter(|inside| !inside.contains(['$', '{']) && !node.values().is_empty()) {
        Some(inside) => {
            finding.label("it is one already").replace(format!("write {inside}"), node.span, quoted_if_needed(inside))
        }
        None => finding
            .label("what it brings in would become a part of the program")
            .hint("compare with a secret in `when`: {headers: {X-Key: \"${env:KEY}\"}}"),
    }
}
