//! The description of the language as data, and what is derived from it: JSON schema and manual.

mod json;
mod manual;

pub use json::schema_json;
pub use manual::reference_markdown;

use crate::decode::Shape;

/// A type of the language, described.
#[derive(Debug, Clone)]
pub struct Schema {
    /// Name of the Rust type; empty for lists and the like.
    pub name: &'static str,
    /// Its documentation.
    pub doc: &'static str,
    /// What it is.
    pub kind: Kind,
}

/// What a value may be.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Text of a certain form.
    Text {
        /// `a duration`.
        what: &'static str,
        /// Regular expression (ECMA 262), if one says it all.
        pattern: Option<&'static str>,
        /// Values to show.
        examples: &'static [&'static str],
    },
    /// A whole number.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// One of some words.
    Words {
        /// The words, and what is said about them in messages.
        shape: &'static Shape,
        /// What each means.
        docs: Vec<&'static str>,
    },
    /// A list.
    List(Box<Schema>),
    /// A map with names of the user's choice.
    Table(Box<Schema>),
    /// A map with known keys.
    Record {
        /// Keys, short form, peers' words.
        shape: &'static Shape,
        /// The keys in order.
        fields: Vec<Field>,
    },
    /// One of several forms.
    Forms(Vec<Schema>),
}

/// A key of a record.
#[derive(Debug, Clone)]
pub struct Field {
    /// The key.
    pub key: &'static str,
    /// Its documentation.
    pub doc: &'static str,
    /// The type of its value.
    pub schema: Schema,
    /// Whether it must be written.
    pub required: bool,
    /// Whether nothing stands in its place if it is not written.
    pub optional: bool,
    /// The value if it is not written.
    pub default: Option<String>,
    /// The smallest value.
    pub min: Option<String>,
    /// The largest value.
    pub max: Option<String>,
    /// A value to show.
    pub example: Option<&'static str>,
}

impl Schema {
    /// A map with known keys.
    pub fn record(name: &'static str, doc: &'static str, shape: &'static Shape, fields: Vec<Field>) -> Self {
        Self { name, doc, kind: Kind::Record { shape, fields } }
    }

    /// A choice of words.
    pub fn words(name: &'static str, doc: &'static str, shape: &'static Shape, docs: &[&'static str]) -> Self {
        Self { name, doc, kind: Kind::Words { shape, docs: docs.to_vec() } }
    }

    /// A choice of forms.
    pub fn forms(name: &'static str, doc: &'static str, forms: Vec<Self>) -> Self {
        Self { name, doc, kind: Kind::Forms(forms) }
    }

    /// A list.
    pub fn list(item: Self) -> Self {
        Self { name: "", doc: "", kind: Kind::List(Box::new(item)) }
    }

    /// A map with names of the user's choice.
    pub fn table(value: Self) -> Self {
        Self { name: "", doc: "", kind: Kind::Table(Box::new(value)) }
    }
}
