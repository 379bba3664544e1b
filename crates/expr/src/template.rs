//! Text with values of the request in it: `a ${client.ip} b`.

use crate::environment::{Environment, Facts};
use crate::error::{Error, Span};
use crate::expression::Expression;
use crate::limits::{RENDERED_BYTES_MAX, TEMPLATE_PARTS_MAX};
use std::fmt;

/// Text with values of the request in it.
///
/// A value that is absent is empty text. What is rendered holds at most [`RENDERED_BYTES_MAX`] octets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Template {
    parts: Box<[Part]>,
}

#[derive(Clone, Debug, PartialEq)]
enum Part {
    Literal(Box<[u8]>),
    Value(Box<Expression>),
}

/// A piece of a template that was taken apart already, so that nothing in the literal pieces is looked at: what a
/// secret brought in stays text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// Text that stands for itself.
    Literal(String),
    /// What stands between `${` and `}`.
    Value(String),
}

impl Template {
    /// Compiles a text. `$${` stands for `${`.
    ///
    /// # Errors
    /// The first thing that is wrong, with where in the text.
    pub fn compile(text: &str, environment: &Environment) -> Result<Self, Error> {
        let mut parts = Vec::new();
        for (at, piece) in pieces(text)? {
            match piece {
                Found::Literal(literal) => parts.push(Part::Literal(literal.into_bytes().into())),
                Found::Value(value) => {
                    let expression = Expression::compile(value, environment).map_err(|error| error.moved(at))?;
                    parts.push(Part::Value(Box::new(expression)));
                }
            }
        }
        bounded(parts, text.len())
    }

    /// Compiles what was taken apart already.
    ///
    /// # Errors
    /// Which piece is wrong and how, with where in the piece.
    pub fn of_pieces(pieces: &[Piece], environment: &Environment) -> Result<Self, (usize, Error)> {
        let mut parts = Vec::new();
        for (at, piece) in pieces.iter().enumerate() {
            parts.push(match piece {
                Piece::Literal(text) => Part::Literal(text.as_bytes().into()),
                Piece::Value(text) => {
                    Part::Value(Box::new(Expression::compile(text, environment).map_err(|error| (at, error))?))
                }
            });
        }
        bounded(parts, 0).map_err(|error| (TEMPLATE_PARTS_MAX, error))
    }

    /// A text that has no values in it.
    pub fn literal(text: impl Into<Vec<u8>>) -> Self {
        Self { parts: Box::new([Part::Literal(text.into().into())]) }
    }

    /// The whole text, if there are no values in it.
    pub fn as_literal(&self) -> Option<&[u8]> {
        match &*self.parts {
            [] => Some(b""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// Appends the text with its values.
    pub fn render(&self, facts: &dyn Facts, out: &mut Vec<u8>) {
        let start = out.len();
        for part in &self.parts {
            match part {
                Part::Literal(text) => out.extend_from_slice(text),
                Part::Value(expression) => {
                    if let Ok(value) = expression.evaluate(facts) {
                        value.write_text(out);
                    }
                }
            }
        }
        out.truncate(start + RENDERED_BYTES_MAX);
    }

    /// Appends the text with its values, each value written by `escape`: for lines in which a value must stay in its
    /// place. `scratch` is wiped.
    pub fn render_escaped(
        &self,
        facts: &dyn Facts,
        escape: fn(&[u8], &mut Vec<u8>),
        scratch: &mut Vec<u8>,
        out: &mut Vec<u8>,
    ) {
        let start = out.len();
        for part in &self.parts {
            match part {
                Part::Literal(text) => out.extend_from_slice(text),
                Part::Value(expression) => {
                    scratch.clear();
                    if let Ok(value) = expression.evaluate(facts) {
                        value.write_text(scratch);
                    }
                    escape(scratch, out);
                }
            }
        }
        out.truncate(start + RENDERED_BYTES_MAX);
    }

    /// Appends the text with its values, fit for the value of a header field: control characters are blanks, so that
    /// nothing from a request can begin another line (RFC 9110 §5.5).
    pub fn render_field(&self, facts: &dyn Facts, out: &mut Vec<u8>) {
        let start = out.len();
        self.render(facts, out);
        let controls =
            out.iter_mut().skip(start).filter(|octet| (**octet < b' ' && **octet != b'\t') || **octet == 127);
        controls.for_each(|octet| *octet = b' ');
    }
}

fn bounded(parts: Vec<Part>, length: usize) -> Result<Template, Error> {
    if parts.len() > TEMPLATE_PARTS_MAX {
        let message = format!("a text holds at most {TEMPLATE_PARTS_MAX} values and pieces between them");
        return Err(Error::new(Span::new(0, length), message));
    }
    Ok(Template { parts: parts.into() })
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for part in &self.parts {
            match part {
                Part::Literal(text) => f.write_str(&String::from_utf8_lossy(text).replace("${", "$${"))?,
                Part::Value(expression) => write!(f, "${{{expression}}}")?,
            }
        }
        Ok(())
    }
}

enum Found<'t> {
    Literal(String),
    Value(&'t str),
}

/// Takes a text apart; a value comes with where it begins.
fn pieces(text: &str) -> Result<Vec<(usize, Found<'_>)>, Error> {
    let mut found = Vec::new();
    let mut literal = String::new();
    let mut at = 0;
    while let Some(next) = text.get(at..).and_then(|rest| rest.find("${")).map(|next| next + at) {
        let before = text.get(at..next).unwrap_or_default();
        if let Some(kept) = before.strip_suffix('$') {
            literal.push_str(kept);
            literal.push_str("${");
            at = next + 2;
            continue;
        }
        literal.push_str(before);
        let start = next + 2;
        let Some(length) = value_length(text.get(start..).unwrap_or_default()) else {
            let error = Error::new(Span::new(next, next + 2), "`${` is never closed").label("opened here");
            let end = Span::new(text.len(), text.len());
            return Err(error.replace_saying("add `}`; a plain `${` is written `$${`", end, "}"));
        };
        if !literal.is_empty() {
            found.push((at, Found::Literal(std::mem::take(&mut literal))));
        }
        found.push((start, Found::Value(text.get(start..start + length).unwrap_or_default())));
        at = start + length + 1;
    }
    literal.push_str(text.get(at..).unwrap_or_default());
    if !literal.is_empty() {
        found.push((at, Found::Literal(literal)));
    }
    Ok(found)
}

/// Bytes up to the `}` that closes a value: one in quotes does not.
pub fn value_length(text: &str) -> Option<usize> {
    let mut quote = None;
    let mut escaped = false;
    for (at, octet) in text.bytes().enumerate() {
        match (quote, octet) {
            _ if escaped => escaped = false,
            (Some(_), b'\\') => escaped = true,
            (Some(open), _) if open == octet => quote = None,
            (None, b'\'' | b'"') => quote = Some(octet),
            (None, b'}') => return Some(at),
            _ => {}
        }
    }
    None
}
