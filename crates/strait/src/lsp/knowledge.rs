//! What the language says about a place.

use super::cursor::Cursor;
use strait_config::schema::{Field, Kind, Schema};
use strait_config::spec::Root;
use strait_config::{Node, Spec as _};

/// The language, read once.
pub(super) struct Knowledge {
    root: Schema,
}

/// Something that can be written at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) text: String,
    /// What it is, in a few words.
    pub(super) detail: String,
    pub(super) doc: String,
}

impl Knowledge {
    pub(super) fn new() -> Self {
        Self { root: Root::schema() }
    }

    /// The types that a place may have.
    fn types(&self, path: &[String]) -> Vec<&Schema> {
        let mut types = vec![&self.root];
        for key in path {
            types = types.into_iter().flat_map(|schema| below(schema, key)).collect();
        }
        types
    }

    /// The key of a record that the path leads to.
    pub(super) fn field(&self, path: &[String]) -> Option<&Field> {
        let (key, around) = path.split_last()?;
        self.types(around).into_iter().find_map(|schema| field_of(schema, key))
    }

    /// Whether names of upstreams stand at a place.
    pub(super) fn is_target(&self, cursor: &Cursor) -> bool {
        self.types(&cursor.path).iter().any(|schema| takes_targets(schema))
    }

    /// What can be written at a place; `tree` has the names that the files define.
    pub(super) fn offers(&self, cursor: &Cursor, tree: &Node) -> Vec<Offer> {
        let mut offers = Vec::new();
        let types = self.types(&cursor.path);
        // A new line below a key holds keys; in a list of texts it holds a value too.
        let takes_values = !cursor.is_key || cursor.path.last().is_some_and(|last| last == "-");
        for schema in types {
            if cursor.is_key {
                keys(schema, tree, &mut offers);
            }
            if takes_values {
                values(schema, tree, &mut offers);
            }
        }
        if cursor.path.last().is_some_and(|last| last == "use") {
            offers.extend(names(tree, "policies"));
        }
        offers.dedup();
        offers
    }
}

fn offer(text: &str, detail: &str, doc: &str) -> Offer {
    Offer { text: text.to_owned(), detail: detail.to_owned(), doc: doc.to_owned() }
}

/// The types one key further in.
fn below<'s>(schema: &'s Schema, key: &str) -> Vec<&'s Schema> {
    match &schema.kind {
        Kind::Forms(forms) => forms.iter().flat_map(|form| below(form, key)).collect(),
        Kind::List(item) if key == "-" => vec![item],
        Kind::Table(value) => vec![value],
        Kind::Record { shape, fields } => match fields.iter().find(|field| field.key == key) {
            Some(field) => vec![&field.schema],
            None => short(shape.short, fields).map_or_else(Vec::new, |schema| below(schema, key)),
        },
        _ => Vec::new(),
    }
}

fn short(at: Option<usize>, fields: &[Field]) -> Option<&Schema> {
    at.and_then(|at| fields.get(at)).map(|field| &field.schema)
}

fn field_of<'s>(schema: &'s Schema, key: &str) -> Option<&'s Field> {
    match &schema.kind {
        Kind::Record { fields, .. } => fields.iter().find(|field| field.key == key),
        Kind::Forms(forms) => forms.iter().find_map(|form| field_of(form, key)),
        _ => None,
    }
}

fn takes_targets(schema: &Schema) -> bool {
    match &schema.kind {
        Kind::Text { what, .. } => *what == "a target",
        Kind::Forms(forms) => forms.iter().any(takes_targets),
        Kind::Record { shape, fields } => short(shape.short, fields).is_some_and(takes_targets),
        Kind::Table(_) => schema.name == "Weights",
        _ => false,
    }
}

fn keys(schema: &Schema, tree: &Node, offers: &mut Vec<Offer>) {
    match &schema.kind {
        Kind::Record { shape, fields } => {
            offers.extend(fields.iter().map(|field| offer(field.key, &field_detail(field), field.doc)));
            if let Some(inner) = short(shape.short, fields).filter(|inner| takes_targets(inner)) {
                keys(inner, tree, offers);
            }
        }
        Kind::Forms(forms) => forms.iter().for_each(|form| keys(form, tree, offers)),
        Kind::Table(_) if schema.name == "Weights" => offers.extend(names(tree, "upstreams")),
        _ => {}
    }
}

fn values(schema: &Schema, tree: &Node, offers: &mut Vec<Offer>) {
    match &schema.kind {
        Kind::Words { shape, docs } => {
            offers.extend(shape.keys.iter().zip(docs).map(|(word, doc)| offer(word, shape.noun, doc)));
        }
        Kind::Boolean => offers.extend(["true", "false"].map(|word| offer(word, "", ""))),
        Kind::Text { what, examples, .. } => {
            if *what == "a target" {
                offers.extend(names(tree, "upstreams"));
            }
            offers.extend(examples.iter().map(|example| offer(example, &format!("for example: {what}"), "")));
        }
        Kind::Forms(forms) => forms.iter().for_each(|form| values(form, tree, offers)),
        Kind::Record { shape, fields } => {
            if let Some(inner) = short(shape.short, fields) {
                values(inner, tree, offers);
            }
        }
        _ => {}
    }
}

/// The names that the files define in a table.
fn names(tree: &Node, table: &'static str) -> Vec<Offer> {
    let entries = tree.value(table).map(Node::entries).unwrap_or_default();
    let what = if table == "upstreams" { "upstream" } else { "policy" };
    entries.iter().map(|entry| offer(&entry.key.value, what, "")).collect()
}

/// `a duration, 1ms to 1h; default 1s`.
pub(super) fn field_detail(field: &Field) -> String {
    let mut detail = kind(&field.schema);
    match (&field.min, &field.max) {
        (Some(min), Some(max)) => detail.push_str(&format!(", {min} to {max}")),
        (Some(min), None) => detail.push_str(&format!(", at least {min}")),
        (None, Some(max)) => detail.push_str(&format!(", at most {max}")),
        (None, None) => {}
    }
    match &field.default {
        Some(default) => detail.push_str(&format!("; default {default}")),
        None if field.required => detail.push_str("; required"),
        None => {}
    }
    detail
}

fn kind(schema: &Schema) -> String {
    match &schema.kind {
        Kind::Text { what, .. } => (*what).to_owned(),
        Kind::Integer => "a whole number".to_owned(),
        Kind::Boolean => "true or false".to_owned(),
        Kind::Words { shape, .. } => shape.keys.join(" | "),
        Kind::List(item) => format!("a list: {}", kind(item)),
        Kind::Table(_) => "a map from names".to_owned(),
        Kind::Record { shape, .. } => shape.noun.to_owned(),
        Kind::Forms(forms) => forms.iter().map(kind).collect::<Vec<_>>().join(", or "),
    }
}
