//! From nodes to typed values, collecting every error on the way.

use crate::codes;
use crate::diagnose::{Diagnostic, Edit};
use crate::schema::Schema;
use crate::source::{Span, Spanned};
use crate::syntax::{Node, NodeKind, Style};
use crate::traps;
use crate::value::{Flaw, Value};
use crate::words;
use std::collections::HashMap;

/// A type of the configuration language. Derived for structs and enums by `#[derive(Spec)]`, for
/// scalars by way of [`Value`].
pub trait Spec: Sized {
    /// Reads a value. `None` means that the reason has been reported to the decoder.
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self>;

    /// Describes the type for manual, JSON schema and completion.
    fn schema() -> Schema;

    /// The value of a key that was not written and has no default; `None` makes the key required.
    fn absent() -> Option<Self> {
        None
    }

    /// Whether the value may be missing altogether, without a default in its place.
    const OPTIONAL: bool = false;

    /// The value as one would write it; `None` for what has no form on one line.
    fn text(&self) -> Option<String> {
        None
    }
}

/// [`Spec::text`] as a function, for bounds in schemas.
pub fn text_of<T: Spec>(value: &T) -> Option<String> {
    value.text()
}

/// What a map may hold; written by the derive.
#[derive(Debug)]
pub struct Shape {
    /// `an upstream`: how messages name it.
    pub noun: &'static str,
    /// The keys, or the words of a choice.
    pub keys: &'static [&'static str],
    /// An example of each key's value.
    pub examples: &'static [Option<&'static str>],
    /// The key that a value other than a map stands for.
    pub short: Option<usize>,
    /// Which maps stand for that key too.
    pub short_if: Option<fn(&Node, &Shape) -> bool>,
    /// Words of other products with ours.
    pub peers: &'static [(&'static str, &'static str)],
    /// Words of the language that are not built yet, with the name of the feature.
    pub unbuilt: &'static [(&'static str, &'static str)],
}

impl Shape {
    /// Whether this key has a meaning here, be it ours, planned or another product's.
    pub(crate) fn knows(&self, key: &str) -> bool {
        self.keys.contains(&key) || self.unbuilt_feature(key).is_some() || words::lookup(self.peers, key).is_some()
    }

    /// The key, or the words of advice, for a key that is none here.
    pub(crate) fn meant(&self, key: &str) -> Option<&'static str> {
        words::lookup(self.peers, key).or_else(|| words::closest(key, self.keys.iter().copied()))
    }

    /// The refusal of a word that is not built: ours, a peer's word for it, or nearly it.
    pub(crate) fn unbuilt_word(&self, span: Span, word: &str) -> Option<Diagnostic> {
        let near =
            || words::closest(word, self.unbuilt.iter().map(|(word, _)| *word)).filter(|_| self.meant(word).is_none());
        let ours = match self.unbuilt_feature(word) {
            Some(feature) => return Some(not_built(span, word, feature)),
            None => words::lookup(self.peers, word).or_else(near)?,
        };
        let finding = not_built(span, ours, self.unbuilt_feature(ours)?);
        Some(finding.label(format!("called `{ours}` here, and not built yet")))
    }

    fn unbuilt_feature(&self, key: &str) -> Option<&'static str> {
        words::lookup(self.unbuilt, key)
    }
}

/// The values of a map by the position of their key in the [`Shape`].
#[derive(Debug)]
pub struct Fields<'n> {
    values: Vec<Option<&'n Node>>,
    shape: &'static Shape,
    node: &'n Node,
    /// The key that holds the map, if a short form stands in place of the map.
    short_of: Option<&'static str>,
}

/// The name of an upstream in a target.
#[derive(Debug, Clone)]
pub(crate) struct Mention {
    /// The name, and where it stands.
    pub(crate) name: Spanned<String>,
    /// The text as it stands there, if `${…}` brought the name in: a message shows this instead.
    pub(crate) raw: Option<String>,
}

/// Collects findings while values are read.
#[derive(Debug, Default)]
pub struct Decoder {
    /// What was found so far.
    pub found: Vec<Diagnostic>,
    /// Names of upstreams that targets mention, whatever becomes of the route around them.
    pub(crate) mentioned: Vec<Mention>,
    key: &'static str,
}

impl Decoder {
    /// A decoder that goes on from what reading the files found.
    pub(crate) fn with_findings(found: Vec<Diagnostic>) -> Self {
        Self { found, ..Self::default() }
    }

    /// Reports a finding.
    pub fn report(&mut self, diagnostic: Diagnostic) {
        self.found.push(diagnostic);
    }

    /// Names what is read next in messages.
    pub(crate) fn under(&mut self, key: &'static str) {
        self.key = key;
    }

    /// Sorts the entries of a map by key; reports the keys that do not belong here.
    pub fn fields<'n>(&mut self, node: &'n Node, shape: &'static Shape) -> Option<Fields<'n>> {
        let mut fields = Fields { values: vec![None; shape.keys.len()], shape, node, short_of: None };
        let entries = match &node.kind {
            NodeKind::Map(entries) if !shape.short_if.is_some_and(|is_short| is_short(node, shape)) => entries,
            _ if node.is_absent() => return Some(fields),
            _ => {
                self.short_form(node, &mut fields)?;
                return Some(fields);
            }
        };
        for entry in entries {
            match shape.keys.iter().position(|key| *key == entry.key.value) {
                Some(at) => {
                    if let Some(slot) = fields.values.get_mut(at) {
                        *slot = Some(&entry.value);
                    }
                }
                None if entry.key.value.starts_with("x-") => {}
                None => {
                    self.unknown_key(entries, &entry.key, shape);
                    // A word of what is not built is no typing mistake for one that is.
                    if !shape.unbuilt.iter().any(|(word, _)| *word == entry.key.value) {
                        fields.recover(&entry.key.value, &entry.value);
                    }
                }
            }
        }
        Some(fields)
    }

    /// A value that is no map stands for one key; text such as `to:app` shows a forgotten space.
    fn short_form<'n>(&mut self, node: &'n Node, fields: &mut Fields<'n>) -> Option<()> {
        if self.glued_key(node, fields.shape) {
            return None;
        }
        let Some(slot) = fields.shape.short.and_then(|at| fields.values.get_mut(at)) else {
            self.wrong_form(node, fields.shape.noun, &["map"]);
            return None;
        };
        *slot = Some(node);
        fields.short_of = Some(self.key);
        Some(())
    }

    fn glued_key(&mut self, node: &Node, shape: &Shape) -> bool {
        let NodeKind::Scalar { text, style: Style::Plain, .. } = &node.kind else { return false };
        let Some((key, value)) = text.split_once(':') else { return false };
        if value.starts_with(' ') || value.starts_with("//") || !shape.keys.contains(&key) {
            return false;
        }
        let colon = node.span.start + crate::source::offset(key.len());
        self.report(traps::colon_space_finding(node.span.file, colon));
        true
    }

    fn unknown_key(&mut self, entries: &[crate::syntax::Entry], key: &Spanned<String>, shape: &Shape) {
        if let Some(refusal) = shape.unbuilt_word(key.span, &key.value) {
            self.report(refusal);
            return;
        }
        let message = format!("unknown key `{}` in {}", key.value, shape.noun);
        let mut diagnostic = Diagnostic::error(codes::UNKNOWN_KEY, key.span, message).label("not a key here");
        diagnostic = match shape.meant(&key.value) {
            Some(ours) if shape.keys.contains(&ours) => {
                diagnostic.replace(format!("did you mean `{ours}`?"), key.span, ours)
            }
            Some(ours) => diagnostic.hint(ours),
            None => match words::elsewhere(key, shape.keys) {
                Some(fix) => Diagnostic { fix: Some(fix), ..diagnostic },
                None => {
                    let edits = removal(entries, &key.value).into_iter().collect();
                    diagnostic.edits(format!("remove it; keys here: {}", shape.keys.join(", ")), edits)
                }
            },
        };
        self.report(diagnostic);
    }

    /// The value of a field without default.
    pub fn field<T: Spec>(&mut self, fields: &Fields<'_>, at: usize) -> Option<T> {
        let Some(node) = fields.values.get(at).copied().flatten() else {
            return T::absent().or_else(|| self.missing(fields, at));
        };
        self.key = fields.spoken_key(at);
        T::decode(node, self)
    }

    /// The value of a field with a default.
    pub fn field_or<T: Spec>(&mut self, fields: &Fields<'_>, at: usize, default: impl FnOnce() -> T) -> Option<T> {
        match fields.values.get(at).copied().flatten() {
            Some(node) => {
                self.key = fields.spoken_key(at);
                T::decode(node, self)
            }
            None => Some(default()),
        }
    }

    /// Reports a value outside of its bounds. A value that could not be read passes.
    pub fn in_range<T, B>(
        &mut self,
        fields: &Fields<'_>,
        at: usize,
        value: Option<T>,
        min: Option<&B>,
        max: Option<&B>,
    ) -> Option<T>
    where
        T: Within<B>,
        B: Spec,
    {
        let value = value?;
        let Some(node) = fields.values.get(at).copied().flatten() else { return Some(value) };
        let bound = if min.is_some_and(|min| value.below(min)) {
            min.and_then(Spec::text).map(|text| ("at least", text))
        } else if max.is_some_and(|max| value.above(max)) {
            max.and_then(Spec::text).map(|text| ("at most", text))
        } else {
            return Some(value);
        };
        let (side, text) = bound?;
        let key = fields.spoken_key(at);
        self.report(
            Diagnostic::error(codes::RANGE, node.span, format!("`{key}` must be {side} {text}"))
                .label("out of range")
                .replace(format!("write {text}"), node.span, text),
        );
        None
    }

    fn missing<T>(&mut self, fields: &Fields<'_>, at: usize) -> Option<T> {
        let (key, noun) = (fields.key(at), fields.shape.noun);
        let example = fields.shape.examples.get(at).copied().flatten().unwrap_or("…");
        self.missing_key(fields.node, key, example, &format!("{noun} needs the key `{key}`"));
        None
    }

    /// Reports a key that is not there, with the edit that writes it.
    pub(crate) fn missing_key(&mut self, node: &Node, key: &str, example: &str, message: &str) {
        let first = node.entries().first();
        let mut span = first.map_or(node.span, |entry| entry.key.span);
        if node.is_absent() {
            span.start = span.start.saturating_sub(1);
        }
        let diagnostic = Diagnostic::error(codes::MISSING_KEY, span, message).label(format!("`{key}` is missing here"));
        let advice = format!("add `{key}: {example}`");
        self.report(match first {
            Some(first) => diagnostic.edits(advice, vec![insert_key(node, first.key.span, key, example)]),
            None if node.is_absent() => diagnostic.replace(advice, node.span, format!(" {{{key}: {example}}}")),
            None if matches!(node.kind, NodeKind::Map(_)) => {
                diagnostic.replace(advice, node.span, format!("{{{key}: {example}}}"))
            }
            None => diagnostic.hint(advice),
        });
    }

    /// Position of a word in the shape of a choice.
    pub fn word(&mut self, node: &Node, shape: &'static Shape) -> Option<usize> {
        let Some(text) = node.text() else {
            self.wrong_form(node, shape.noun, &["scalar"]);
            return None;
        };
        if node.is_absent() {
            self.empty(node);
            return None;
        }
        if let Some(at) = shape.keys.iter().position(|word| *word == text) {
            return Some(at);
        }
        if let Some(refusal) = shape.unbuilt_word(node.span, text) {
            self.report(refusal);
            return None;
        }
        let shown = node.shown().unwrap_or_default();
        let diagnostic = Diagnostic::error(codes::UNKNOWN_WORD, node.span, format!("`{shown}` is not {}", shape.noun))
            .label(format!("one of: {}", shape.keys.join(", ")));
        self.report(match shape.meant(text) {
            Some(ours) if shape.keys.contains(&ours) => {
                diagnostic.replace(format!("did you mean `{ours}`?"), node.span, ours)
            }
            Some(ours) => diagnostic.hint(ours),
            None => match shape.keys {
                [only] => diagnostic.replace(format!("write `{only}`"), node.span, *only),
                [first, ..] => diagnostic.replace(format!("write one of them, such as `{first}`"), node.span, *first),
                [] => diagnostic,
            },
        });
        None
    }

    /// Reads a scalar.
    pub fn value<T: Value>(&mut self, node: &Node) -> Option<T> {
        let Some(text) = node.text() else {
            self.wrong_form(node, T::WHAT, &["scalar"]);
            return None;
        };
        if node.is_absent() {
            self.empty(node);
            return None;
        }
        if !node.values().is_empty() {
            let is_header = T::WHAT == crate::value::HeaderValue::WHAT;
            self.report(if is_header {
                not_built(node.span, node.shown().unwrap_or_default(), "values of the request in filters")
            } else {
                request_value(node, T::WHAT)
            });
            return None;
        }
        match T::parse(text) {
            Ok(value) => Some(value),
            Err(flaw) => {
                self.flaw(node, T::WHAT, flaw);
                None
            }
        }
    }

    /// Reports what is wrong with a scalar. What `${…}` brought in is never shown.
    pub(crate) fn flaw(&mut self, node: &Node, what: &str, flaw: Flaw) {
        if node.is_substituted() {
            let shown = node.shown().unwrap_or_default();
            let message = format!("the value of `{shown}` is not {what}");
            self.report(Diagnostic::error(flaw.code, node.span, message).label("after it was replaced"));
            return;
        }
        if let Some(finding) = traps::glued_dash(node) {
            self.report(finding);
            return;
        }
        let subject = if self.key.is_empty() { "the value".to_owned() } else { format!("`{}`", self.key) };
        let message = flaw.message.replace("{key}", &subject);
        let mut diagnostic = Diagnostic::error(flaw.code, node.span, message).label(flaw.label);
        diagnostic = match (flaw.replacement, flaw.hint) {
            (Some(with), hint) => {
                let written = quoted_if_needed(&with);
                diagnostic.replace(hint.unwrap_or_else(|| format!("did you mean `{with}`?")), node.span, written)
            }
            (None, Some(hint)) => diagnostic.hint(hint),
            (None, None) => diagnostic,
        };
        self.report(diagnostic);
    }

    fn empty(&mut self, node: &Node) {
        let subject = if self.key.is_empty() { "the key".to_owned() } else { format!("`{}`", self.key) };
        let span = Span { start: node.span.start.saturating_sub(1), ..node.span };
        self.report(
            Diagnostic::error(codes::EMPTY_VALUE, span, format!("{subject} has no value"))
                .label("nothing follows")
                .hint("give it a value, or remove the line"),
        );
    }

    /// Reports a value where a map from names to values is expected.
    fn nameless(&mut self, node: &Node) {
        let key = self.key;
        let form = form_name(node.form());
        let name = match key {
            "routes" => "/",
            "listeners" => "http",
            _ => "app",
        };
        let edits = vec![insert(node.span.before(), &format!("{{{name}: ")), insert(node.span.after(), "}")];
        self.report(
            Diagnostic::error(
                codes::WRONG_FORM,
                first_line(node),
                format!("`{key}` is written as a map, not as {form}"),
            )
            .label(format!("this is {form}"))
            .edits(format!("give it a name: `{name}: …`"), edits),
        );
    }

    /// Reports a map where a list is expected and the like.
    pub fn wrong_form(&mut self, node: &Node, noun: &str, wanted: &[&str]) {
        if node.is_absent() {
            self.empty(node);
            return;
        }
        let wanted: Vec<&str> = wanted.iter().map(|form| form_name(form)).collect();
        let wanted = wanted.join(" or ");
        let is = form_name(node.form());
        let span = first_line(node);
        let diagnostic =
            Diagnostic::error(codes::WRONG_FORM, span, format!("{noun} is written as {wanted}, not as {is}"))
                .label(format!("this is {is}"));
        self.report(match (&node.kind, wanted.as_str()) {
            (NodeKind::Scalar { .. }, "a list") => {
                let edits = vec![insert(node.span.before(), "["), insert(node.span.after(), "]")];
                diagnostic.edits("put it in brackets", edits)
            }
            (NodeKind::Map(entries), "a list") if is_in_braces(node, entries) => {
                let edits = vec![insert(node.span.before(), "["), insert(node.span.after(), "]")];
                diagnostic.edits("put it in brackets", edits)
            }
            (NodeKind::List(items), "a text") => match items.as_slice() {
                [only] if only.text().is_some() => {
                    let text = quoted_if_needed(only.shown().unwrap_or_default());
                    diagnostic.replace(format!("write {text}"), node.span, text)
                }
                _ => diagnostic,
            },
            _ => diagnostic,
        });
    }
}

impl<'n> Fields<'n> {
    fn key(&self, at: usize) -> &'static str {
        self.shape.keys.get(at).copied().unwrap_or_default()
    }

    /// The key as the file has it: `timeout` where `timeout: 30` stands for its `request`.
    fn spoken_key(&self, at: usize) -> &'static str {
        self.short_of.filter(|key| !key.is_empty()).unwrap_or_else(|| self.key(at))
    }

    /// Reads on as if the key that was meant stood there, so that one mistake is one finding.
    fn recover(&mut self, key: &str, value: &'n Node) {
        let meant = self.shape.meant(key).and_then(|ours| self.shape.keys.iter().position(|known| *known == ours));
        if let Some(slot @ None) = meant.and_then(|at| self.values.get_mut(at)) {
            *slot = Some(value);
        }
    }
}

/// Whether a map is written as `{…}`, with its end where it closes.
fn is_in_braces(node: &Node, entries: &[crate::syntax::Entry]) -> bool {
    entries.first().is_some_and(|entry| node.span.start < entry.key.span.start)
}

fn form_name(form: &str) -> &'static str {
    match form {
        "scalar" => "a text",
        "list" => "a list",
        _ => "a map",
    }
}

/// A value of the request where the value must be known when the file is loaded.
fn request_value(node: &Node, what: &str) -> Diagnostic {
    let shown = node.shown().unwrap_or_default();
    Diagnostic::error(codes::REQUEST_VALUE, node.span, format!("`{shown}` is not known before there is a request"))
        .label(format!("{what} is needed when the file is loaded"))
        .hint("values of the request stand in headers, answers, redirects and keys; a plain `${` is written `$${`")
}

/// The refusal of what the language has and the product has not.
pub(crate) fn not_built(span: Span, word: &str, feature: &str) -> Diagnostic {
    Diagnostic::error(codes::NOT_BUILT, span, format!("`{word}` is not built yet: {feature}"))
        .label("not built yet")
        .hint("remove it; this version refuses what it cannot do")
}

/// A collection is marked by its first line only; that of a block begins at its first key.
fn first_line(node: &Node) -> Span {
    match &node.kind {
        NodeKind::Map(entries) => entries.first().map_or(node.span, |entry| entry.key.span),
        _ => node.span,
    }
}

fn insert(span: Span, text: &str) -> Edit {
    Edit { span, replacement: text.to_owned() }
}

/// The edit that takes an entry out of its map; `None` if it is the only one.
pub(crate) fn removal(entries: &[crate::syntax::Entry], key: &str) -> Option<Edit> {
    let at = entries.iter().position(|entry| entry.key.value == key)?;
    let entry = entries.get(at)?;
    let before = at.checked_sub(1).and_then(|before| entries.get(before));
    let span = match (before, entries.get(at + 1)) {
        (Some(before), _) => Span { start: before.value.span.end, end: entry.value.span.end, ..entry.key.span },
        (None, Some(next)) => Span { start: entry.key.span.start, end: next.key.span.start, ..entry.key.span },
        (None, None) => return None,
    };
    (span.start <= span.end).then(|| Edit { span, replacement: String::new() })
}

/// Puts a key at the start of a map. In a block the line break takes its indentation from the
/// column that the span of the first key remembers.
fn insert_key(node: &Node, first: Span, key: &str, example: &str) -> Edit {
    let in_braces = node.span.start < first.start;
    let replacement = if in_braces {
        format!("{key}: {example}, ")
    } else {
        format!("{key}: {example}\n{}", " ".repeat(node.column()))
    };
    Edit { span: first.before(), replacement }
}

/// Text as YAML would take it back.
pub(crate) fn quoted_if_needed(text: &str) -> String {
    let plain_start = text.chars().next().is_some_and(|c| !"*&!@%`|>'\"#?:-[]{}, ".contains(c));
    let plain = plain_start
        && !text.contains(": ")
        && !text.contains(" #")
        && !text.ends_with(':')
        && !text.ends_with(' ')
        && !text.contains(['[', ']', '{', '}', ',', '\n', '\t', '\u{7f}'])
        && !text.chars().any(char::is_control);
    if plain { text.to_owned() } else { format!("{}", serde_json::Value::from(text)) }
}

/// Comparison of a field with a bound, also through `Option` and [`Spanned`].
pub trait Within<B> {
    /// Whether the value is smaller than the bound.
    fn below(&self, bound: &B) -> bool;
    /// Whether the value is larger than the bound.
    fn above(&self, bound: &B) -> bool;
}

impl<T: PartialOrd> Within<T> for T {
    fn below(&self, bound: &T) -> bool {
        self < bound
    }

    fn above(&self, bound: &T) -> bool {
        self > bound
    }
}

impl<T: PartialOrd> Within<T> for Option<T> {
    fn below(&self, bound: &T) -> bool {
        self.as_ref().is_some_and(|value| value < bound)
    }

    fn above(&self, bound: &T) -> bool {
        self.as_ref().is_some_and(|value| value > bound)
    }
}

impl<T: PartialOrd> Within<T> for Spanned<T> {
    fn below(&self, bound: &T) -> bool {
        self.value < *bound
    }

    fn above(&self, bound: &T) -> bool {
        self.value > *bound
    }
}

impl<T: Spec> Spec for Option<T> {
    const OPTIONAL: bool = true;

    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        T::decode(node, decoder).map(Some)
    }

    fn schema() -> Schema {
        T::schema()
    }

    fn absent() -> Option<Self> {
        Some(None)
    }

    fn text(&self) -> Option<String> {
        self.as_ref().and_then(Spec::text)
    }
}

impl<T: Spec> Spec for Spanned<T> {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        let value = T::decode(node, decoder)?;
        Some(Self::new(value, node.span))
    }

    fn schema() -> Schema {
        T::schema()
    }

    fn absent() -> Option<Self> {
        T::absent().map(Self::unwritten)
    }

    fn text(&self) -> Option<String> {
        self.value.text()
    }
}

impl<T: Spec> Spec for Box<T> {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        T::decode(node, decoder).map(Box::new)
    }

    fn schema() -> Schema {
        T::schema()
    }

    fn absent() -> Option<Self> {
        T::absent().map(Box::new)
    }

    fn text(&self) -> Option<String> {
        self.as_ref().text()
    }
}

impl<T: Spec> Spec for Vec<T> {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        let NodeKind::List(items) = &node.kind else {
            if node.is_absent() {
                return Some(Self::new());
            }
            let noun = if decoder.key.is_empty() { "the value".to_owned() } else { format!("`{}`", decoder.key) };
            decoder.wrong_form(node, &noun, &["list"]);
            return None;
        };
        let key = decoder.key;
        let mut values = Self::with_capacity(items.len());
        for item in items {
            decoder.key = key;
            values.extend(T::decode(item, decoder));
        }
        // A bad item is reported; the others are still worth checking.
        Some(values)
    }

    fn schema() -> Schema {
        Schema::list(T::schema())
    }

    fn absent() -> Option<Self> {
        Some(Self::new())
    }

    fn text(&self) -> Option<String> {
        let items: Option<Vec<String>> = self.iter().map(Spec::text).collect();
        items.map(|items| format!("[{}]", items.join(", ")))
    }
}

/// A list, or its only item without brackets.
#[derive(Debug, Clone, PartialEq)]
pub struct OneOrMany<T>(pub Vec<T>);

impl<T> Default for OneOrMany<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> std::ops::Deref for OneOrMany<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Spec> Spec for OneOrMany<T> {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        match &node.kind {
            NodeKind::List(_) => Vec::decode(node, decoder).map(Self),
            _ => T::decode(node, decoder).map(|only| Self(vec![only])),
        }
    }

    fn schema() -> Schema {
        Schema::forms("", "", vec![Schema::list(T::schema()), T::schema()])
    }

    fn text(&self) -> Option<String> {
        self.0.text()
    }
}

/// A map from names of the user's choice to values, in the order written.
#[derive(Debug, Clone, PartialEq)]
pub struct Table<V> {
    entries: Vec<(Spanned<String>, V)>,
    index: HashMap<String, usize>,
}

impl<V> Default for Table<V> {
    fn default() -> Self {
        Self { entries: Vec::new(), index: HashMap::new() }
    }
}

impl<V> Table<V> {
    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&V> {
        self.entry(name).map(|(_, value)| value)
    }

    /// The name as written, and its value.
    pub fn entry(&self, name: &str) -> Option<&(Spanned<String>, V)> {
        self.index.get(name).and_then(|at| self.entries.get(*at))
    }

    /// All entries in the order written.
    pub fn iter(&self) -> std::slice::Iter<'_, (Spanned<String>, V)> {
        self.entries.iter()
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds an entry. An entry of the same name stays, but is no longer found by name: the loader
    /// reports equal names before it comes to this.
    pub fn push(&mut self, name: Spanned<String>, value: V) {
        self.index.insert(name.value.clone(), self.entries.len());
        self.entries.push((name, value));
    }
}

impl<'t, V> IntoIterator for &'t Table<V> {
    type Item = &'t (Spanned<String>, V);
    type IntoIter = std::slice::Iter<'t, (Spanned<String>, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<V: Spec> Spec for Table<V> {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        let NodeKind::Map(entries) = &node.kind else {
            if node.is_absent() {
                return Some(Self::default());
            }
            decoder.nameless(node);
            return None;
        };
        let mut table = Self::default();
        for entry in entries {
            decoder.key = "";
            if let Some(value) = V::decode(&entry.value, decoder) {
                table.push(entry.key.clone(), value);
            }
        }
        Some(table)
    }

    fn schema() -> Schema {
        Schema::table(V::schema())
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}
