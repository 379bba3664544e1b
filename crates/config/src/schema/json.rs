//! JSON schema (draft 7, which every editor speaks).

use super::{Field, Kind, Schema};
use crate::decode::{Shape, Spec as _};
use crate::spec::Root;
use serde_json::{Map, Value, json};

/// The JSON schema of a configuration file, for editors and for checks in other tools.
pub fn schema_json() -> Value {
    let mut definitions = Map::new();
    let root = reference(&Root::schema(), &mut definitions);
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "Strait configuration",
        "allOf": [root],
        "definitions": definitions,
    })
}

/// A schema in place, or a reference if it has a name.
fn reference(schema: &Schema, definitions: &mut Map<String, Value>) -> Value {
    if schema.name.is_empty() {
        return body(schema, definitions);
    }
    if !definitions.contains_key(schema.name) {
        definitions.insert(schema.name.to_owned(), Value::Null);
        let mut value = body(schema, definitions);
        if let Some(object) = value.as_object_mut() {
            object.insert("description".to_owned(), json!(schema.doc));
        }
        definitions.insert(schema.name.to_owned(), value);
    }
    json!({"$ref": format!("#/definitions/{}", schema.name)})
}

fn body(schema: &Schema, definitions: &mut Map<String, Value>) -> Value {
    match &schema.kind {
        Kind::Text { pattern, examples, .. } => text(*pattern, examples),
        Kind::Integer => json!({"type": "integer", "minimum": 0}),
        Kind::Boolean => json!({"type": "boolean"}),
        Kind::Words { shape, docs } => words(shape, docs),
        Kind::List(item) => json!({"type": "array", "items": reference(item, definitions)}),
        Kind::Table(value) => {
            json!({"type": ["object", "null"], "additionalProperties": reference(value, definitions)})
        }
        Kind::Forms(forms) => {
            let forms: Vec<Value> = forms.iter().map(|form| reference(form, definitions)).collect();
            json!({"anyOf": forms})
        }
        Kind::Record { shape, fields } => record(shape, fields, definitions),
    }
}

/// YAML gives numbers and truth values a type that the language does not see; `pattern` binds texts only.
fn text(pattern: Option<&str>, examples: &[&str]) -> Value {
    let mut value = json!({"type": ["string", "number", "boolean"]});
    if let Some(object) = value.as_object_mut() {
        if let Some(pattern) = pattern {
            // A value may always be given by the environment.
            object.insert("pattern".to_owned(), json!(format!("{pattern}|\\$\\{{")));
        }
        if !examples.is_empty() {
            object.insert("examples".to_owned(), json!(examples));
        }
    }
    value
}

/// A word that is a number is one to YAML; both forms are accepted. Editors show what stands in
/// `markdownEnumDescriptions` beside each.
fn words(shape: &Shape, docs: &[&str]) -> Value {
    let numbers = shape.keys.iter().zip(docs).filter_map(|(word, doc)| Some((json!(word.parse::<u64>().ok()?), *doc)));
    let words = shape.keys.iter().zip(docs).map(|(word, doc)| (json!(word), *doc));
    let (options, docs): (Vec<Value>, Vec<&str>) = numbers.chain(words).unzip();
    json!({"enum": options, "markdownEnumDescriptions": docs})
}

fn record(shape: &Shape, fields: &[Field], definitions: &mut Map<String, Value>) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    let mut short = None;
    for (at, field) in fields.iter().enumerate() {
        let value = property(field, definitions);
        if shape.short == Some(at) {
            short = Some(value.clone());
        }
        if field.required {
            required.push(field.key);
        }
        properties.insert(field.key.to_owned(), value);
    }
    let mut object = json!({
        "type": ["object", "null"], "properties": properties, "patternProperties": {"^x-": {}}, "additionalProperties": false,
    });
    if let Some(map) = object.as_object_mut().filter(|_| !required.is_empty()) {
        map.insert("required".to_owned(), json!(required));
    }
    match short {
        Some(short) if shape.short_if.is_some() => {
            // As the loader does: a map with a key of the record is the record. Editors then speak of the right form.
            let known: Vec<Value> = shape.keys.iter().map(|key| json!({"required": [key]})).collect();
            let is_record = json!({"type": "object", "anyOf": known});
            json!({"if": is_record, "then": object, "else": {"anyOf": [object, short]}})
        }
        Some(short) => json!({"if": {"type": ["object", "null"]}, "then": object, "else": short}),
        None => object,
    }
}

fn property(field: &Field, definitions: &mut Map<String, Value>) -> Value {
    let mut inner = reference(&field.schema, definitions);
    if let Some(object) = inner.as_object_mut() {
        for (key, bound) in [("minimum", &field.min), ("maximum", &field.max)] {
            if let Some(number) = bound.as_ref().and_then(|bound| bound.parse::<u64>().ok()) {
                object.insert(key.to_owned(), json!(number));
            }
        }
    }
    let mut description = field.doc.to_owned();
    if let Some(default) = &field.default {
        description.push_str(&format!("\nDefault: {default}"));
    }
    // Draft 7 ignores what stands beside `$ref`.
    let mut property = json!({"description": description, "allOf": [inner]});
    let scalar = field.default.as_deref().and_then(|text| default(&field.schema, text));
    if let (Some(object), Some(scalar)) = (property.as_object_mut(), scalar) {
        object.insert("default".to_owned(), scalar);
    }
    property
}

/// A default as editors write it out; `None` for lists and maps.
fn default(schema: &Schema, text: &str) -> Option<Value> {
    match &schema.kind {
        Kind::Integer => text.parse::<u64>().ok().map(Value::from),
        Kind::Boolean => text.parse::<bool>().ok().map(Value::from),
        Kind::Text { .. } => Some(json!(text.trim_matches('"'))),
        _ => None,
    }
}
