//! What two configurations mean differently: listeners, routes, upstreams and settings that were added, removed or
//! changed, and who notices. It compares effective configurations ([`strait_config::Effective`]), so that the order of
//! keys, short forms, comments, defaults written out and the split into files make no difference.

mod affected;
mod render;
mod sides;

pub use affected::example_request;

use affected::affected;
use serde_json::Value;
use sides::Side;
use std::collections::BTreeSet;
use strait_config::join;

/// How a thing differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// It is there that was not.
    Added,
    /// It is gone.
    Removed,
    /// It is other than it was.
    Changed,
}

/// A named thing that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// How.
    pub turn: Turn,
    /// `listener`, `route`, `upstream` and so on; for what has no name of its own `setting`.
    pub kind: String,
    /// Its name; of a route the pattern.
    pub name: String,
    /// The listener a route belongs to, if it is not for all of them.
    pub listener: Option<String>,
    /// Its values that differ; of what was added those that are not defaults.
    pub fields: Vec<FieldStep>,
    /// Who notices, in words.
    pub affects: Vec<String>,
}

/// A value that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldStep {
    /// Where it is within the thing, as `--set` writes paths.
    pub path: String,
    /// What it was; `None` when there was none.
    pub old: Option<Value>,
    /// What it is.
    pub new: Option<Value>,
}

/// Everything that differs, settings first, then listeners, upstreams and the like, then routes.
///
/// Both sides are [`strait_config::Effective::to_json`].
pub fn difference(old: &Value, new: &Value) -> Vec<Step> {
    let (old, new) = (Side::of(old), Side::of(new));
    let names: BTreeSet<_> = old.things.keys().chain(new.things.keys()).collect();
    let mut steps = Vec::new();
    for id in names {
        let (was, is) = (old.things.get(id), new.things.get(id));
        let mut fields = fields(was.copied(), is.copied());
        if id.kind == "listener" {
            // Its routes are things of their own.
            fields.retain(|field| !field.path.starts_with("routes"));
        }
        let turn = match (was, is) {
            (None, _) => Turn::Added,
            (_, None) => Turn::Removed,
            _ if fields.is_empty() => continue,
            _ => Turn::Changed,
        };
        // A setting that holds by default on one side is written there nowhere.
        let turn = if id.kind == "setting" { Turn::Changed } else { turn };
        let mut step = Step {
            turn,
            kind: id.kind.to_owned(),
            name: id.name.clone(),
            listener: id.listener.clone(),
            fields,
            affects: Vec::new(),
        };
        step.affects = affected(&step, &old, &new);
        if turn != Turn::Changed {
            let side = if turn == Turn::Added { &new } else { &old };
            step.fields.retain(|field| !side.is_default(id, &field.path));
        }
        steps.push(step);
    }
    steps
}

/// The values that differ between two things.
fn fields(was: Option<&Value>, is: Option<&Value>) -> Vec<FieldStep> {
    let mut fields = Vec::new();
    compare("", was, is, &mut fields);
    fields
}

fn compare(path: &str, was: Option<&Value>, is: Option<&Value>, fields: &mut Vec<FieldStep>) {
    let (was, is) = (was.map(unwrapped), is.map(unwrapped));
    match (was, is) {
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            let keys: BTreeSet<_> = a.keys().chain(b.keys()).collect();
            keys.into_iter().for_each(|key| compare(&join(path, key), a.get(key), b.get(key), fields));
        }
        // A list of one map may be written as the map.
        (Some(Value::Array(items)), Some(Value::Object(_))) if items.len() == 1 => {
            compare(path, items.first(), is, fields);
        }
        (Some(Value::Object(_)), Some(Value::Array(items))) if items.len() == 1 => {
            compare(path, was, items.first(), fields);
        }
        (Some(Value::Object(one)), None) => {
            one.iter().for_each(|(key, value)| compare(&join(path, key), Some(value), None, fields));
        }
        (None, Some(Value::Object(one))) => {
            one.iter().for_each(|(key, value)| compare(&join(path, key), None, Some(value), fields));
        }
        (a, b) if means_the_same(path, a, b) => {}
        (a, b) => fields.push(FieldStep { path: path.to_owned(), old: a.cloned(), new: b.cloned() }),
    }
}

/// A list of one is its item, wherever an item may stand for the list.
fn unwrapped(value: &Value) -> &Value {
    match value {
        Value::Array(items) => match items.as_slice() {
            [only] if !only.is_object() => only,
            _ => value,
        },
        _ => value,
    }
}

fn means_the_same(path: &str, was: Option<&Value>, is: Option<&Value>) -> bool {
    match (was, is) {
        (Some(Value::Array(a)), Some(Value::Array(b))) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| means_the_same(path, Some(a), Some(b)))
        }
        (Some(Value::Object(a)), Some(Value::Object(b))) => {
            a.len() == b.len() && a.iter().all(|(key, value)| means_the_same(key, Some(value), b.get(key)))
        }
        // Nothing in a list is as much as no list.
        (Some(Value::Array(items)), None) | (None, Some(Value::Array(items))) => items.is_empty(),
        (Some(Value::String(a)), Some(Value::String(b))) => a == b || (!is_text(path) && same_value(a, b)),
        (Some(a), Some(b)) => a == b || (a.to_string().trim_matches('"') == b.to_string().trim_matches('"')),
        (a, b) => a == b,
    }
}

/// Keys whose values are texts, equal only letter by letter.
fn is_text(path: &str) -> bool {
    ["headers", "body", "content_type", "secret"].iter().any(|part| path.contains(part))
}

/// Two ways to write one value: `60s` and `1m`, `localhost:80` and `http://localhost`.
fn same_value(a: &str, b: &str) -> bool {
    use strait_config::value::{Address, Duration, Endpoint, Rate, Size, Value as Scalar};
    fn same<T: Scalar + PartialEq>(a: &str, b: &str) -> bool {
        matches!((T::parse(a), T::parse(b)), (Ok(a), Ok(b)) if a == b)
    }
    same::<Duration>(a, b)
        || same::<Size>(a, b)
        || same::<Rate>(a, b)
        || same::<Endpoint>(a, b)
        || same::<Address>(a, b)
}
