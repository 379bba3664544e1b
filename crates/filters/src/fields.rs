//! Names of fields, and changes to fields by name.

use strait_message::{Field, Headers, Name, NameSet};

/// A field's name, recognised once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldName {
    known: Name,
    text: Box<str>,
}

/// A field's name, or the beginning of names: `X-Internal-*`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FieldPattern {
    /// This name.
    Exact(FieldName),
    /// Every name that begins so, in any case.
    Prefix(Box<str>),
}

/// What is done where a field is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It is replaced, every line of it.
    Set,
    /// It stays, and another line comes behind it.
    Append,
    /// It stays, and nothing is done.
    IfAbsent,
}

impl FieldName {
    /// A name, which the caller vouches is a token (RFC 9110 §5.1).
    pub fn new(text: &str) -> Self {
        Self { known: Name::from_bytes(text.as_bytes()), text: text.into() }
    }

    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Which known name it is.
    pub fn known(&self) -> Name {
        self.known
    }

    /// Whether a field has this name.
    #[inline]
    pub fn is(&self, field: &Field<'_>) -> bool {
        match self.known {
            Name::Other => field.known == Name::Other && self.text.as_bytes().eq_ignore_ascii_case(field.name),
            known => field.known == known,
        }
    }

    /// The value of the first field of this name.
    pub fn get<'h>(&self, headers: &'h Headers) -> Option<&'h [u8]> {
        match self.known {
            Name::Other => headers.iter().find(|field| self.is(field)).map(|field| field.value),
            known => headers.get(known),
        }
    }

    /// Removes every field of this name.
    pub fn remove(&self, headers: &mut Headers) {
        match self.known {
            Name::Other if headers.iter().any(|field| self.is(&field)) => headers.retain(|field| !self.is(&field)),
            Name::Other => {}
            known => headers.remove(known),
        }
    }

    /// Puts a value, which the caller vouches is valid (RFC 9110 §5.5).
    pub fn put(&self, mode: Mode, value: &[u8], headers: &mut Headers) {
        match mode {
            Mode::Set => self.remove(headers),
            Mode::IfAbsent if self.get(headers).is_some() => return,
            Mode::IfAbsent | Mode::Append => {}
        }
        headers.push(self.text.as_bytes(), value);
    }
}

impl FieldPattern {
    /// A pattern: what ends in `*` is the beginning of names.
    pub fn new(text: &str) -> Self {
        match text.strip_suffix('*') {
            Some(prefix) => Self::Prefix(prefix.into()),
            None => Self::Exact(FieldName::new(text)),
        }
    }

    /// Whether a field is meant.
    pub fn matches(&self, field: &Field<'_>) -> bool {
        match self {
            Self::Exact(name) => name.is(field),
            Self::Prefix(prefix) => {
                field.name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()))
            }
        }
    }

    /// As it is written.
    pub fn written(&self) -> String {
        match self {
            Self::Exact(name) => name.as_str().to_owned(),
            Self::Prefix(prefix) => format!("{prefix}*"),
        }
    }
}

/// Removes the fields that one of the patterns means. Fields in `kept` stay.
pub(crate) fn remove_all(patterns: &[FieldPattern], kept: NameSet, headers: &mut Headers) {
    let meant = |field: &Field<'_>| !kept.contains(field.known) && patterns.iter().any(|p| p.matches(field));
    if headers.iter().any(|field| meant(&field)) {
        headers.retain(|field| !meant(&field));
    }
}

/// Says that a response depends on request fields (RFC 9110 §12.5.5); said once is enough.
pub(crate) fn vary(headers: &mut Headers, names: &str) {
    let said =
        |name: &str| headers.list_contains(Name::Vary, name.as_bytes()) || headers.list_contains(Name::Vary, b"*");
    let missing: Vec<&str> = names.split(", ").filter(|name| !said(name)).collect();
    if !missing.is_empty() {
        headers.push_name(Name::Vary, missing.join(", ").as_bytes());
    }
}
