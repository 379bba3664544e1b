//! The reference of the manual.

use super::{Field, Kind, Schema};
use crate::decode::{Shape, Spec as _};
use crate::spec::Root;
use std::collections::HashSet;
use std::fmt::Write as _;

/// The reference of every key, as Markdown: one section per map, in the order they are met.
pub fn reference_markdown() -> String {
    let mut out = String::from("# Configuration reference\n\nGenerated from the types that read the configuration.\n");
    let mut seen = HashSet::new();
    let mut waiting = vec![Root::schema()];
    while let Some(schema) = waiting.pop() {
        let mut found = Vec::new();
        section(&schema, &mut seen, &mut out, &mut found);
        waiting.extend(found.into_iter().rev());
    }
    out
}

fn section(schema: &Schema, seen: &mut HashSet<&'static str>, out: &mut String, found: &mut Vec<Schema>) {
    match &schema.kind {
        Kind::List(inner) | Kind::Table(inner) => section(inner, seen, out, found),
        Kind::Forms(forms) => forms.iter().for_each(|form| section(form, seen, out, found)),
        Kind::Record { shape, fields } if seen.insert(schema.name) => {
            let _ = write!(out, "\n## {}\n\n{}\n\n", title(schema.name), schema.doc);
            out.push_str("| key | value | default | meaning |\n|---|---|---|---|\n");
            for field in fields {
                row(field, out);
                found.push(field.schema.clone());
            }
            planned(shape, out);
        }
        Kind::Words { shape, docs } if seen.insert(schema.name) => {
            let _ = write!(out, "\n## {}\n\n{}\n\n| word | meaning |\n|---|---|\n", title(schema.name), schema.doc);
            for (word, doc) in shape.keys.iter().zip(docs) {
                let _ = writeln!(out, "| `{word}` | {} |", cell(doc));
            }
            planned(shape, out);
        }
        _ => {}
    }
}

/// `UpstreamEndpoint` → `Upstream endpoint`; the root is the file.
fn title(name: &str) -> String {
    if name == "Root" {
        return "The file".to_owned();
    }
    let mut title = String::new();
    for (at, c) in name.chars().enumerate() {
        if at > 0 && c.is_uppercase() {
            title.push(' ');
            title.extend(c.to_lowercase());
        } else {
            title.push(c);
        }
    }
    title
}

fn row(field: &Field, out: &mut String) {
    let default = match (&field.default, field.required) {
        (Some(default), _) => format!("`{}`", cell(default)),
        (None, true) => "required".to_owned(),
        (None, false) => String::new(),
    };
    let mut value = kind(&field.schema);
    match (&field.min, &field.max) {
        (Some(min), Some(max)) => value.push_str(&format!(", {min} to {max}")),
        (Some(min), None) => value.push_str(&format!(", at least {min}")),
        (None, Some(max)) => value.push_str(&format!(", at most {max}")),
        (None, None) => {}
    }
    let _ = writeln!(out, "| `{}` | {value} | {default} | {} |", field.key, cell(field.doc));
}

fn kind(schema: &Schema) -> String {
    if !schema.name.is_empty() && matches!(schema.kind, Kind::Record { .. } | Kind::Words { .. }) {
        let title = title(schema.name);
        return format!("[{title}](#{})", title.to_lowercase().replace(' ', "-"));
    }
    match &schema.kind {
        Kind::Text { what, .. } => (*what).to_owned(),
        Kind::Integer => "a whole number".to_owned(),
        Kind::Boolean => "`true` or `false`".to_owned(),
        Kind::Words { .. } => "a word".to_owned(),
        Kind::List(item) => format!("list of {}", kind(item)),
        Kind::Table(value) => format!("map from names to {}", kind(value)),
        Kind::Record { .. } => "a map".to_owned(),
        Kind::Forms(forms) => forms.iter().map(kind).collect::<Vec<_>>().join(" or "),
    }
}

/// What the language has and the product has not yet.
fn planned(shape: &Shape, out: &mut String) {
    if shape.unbuilt.is_empty() {
        return;
    }
    let words: Vec<String> = shape.unbuilt.iter().map(|(word, feature)| format!("`{word}` ({feature})")).collect();
    let _ = write!(out, "\nNot built yet, and refused by name: {}.\n", words.join(", "));
}

fn cell(text: &str) -> String {
    text.replace('\n', " ").replace('|', "\\|")
}
