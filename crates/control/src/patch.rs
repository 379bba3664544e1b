//! Changes to JSON documents: merge patches (RFC 7396), JSON patches (RFC 6902) and pointers (RFC 6901), as pure
//! functions. Whatever is asked for becomes one merge patch, which is what is kept.

use serde_json::{Map, Value};
use std::fmt;

/// Operations of one JSON patch.
const OPERATIONS_MAX: usize = 1000;
/// Levels below the top that a patch may reach, as deep as a configuration may be.
const DEPTH_MAX: usize = 64;
/// Octets that `copy` may write in one JSON patch: what is copied may be copied again, and doubles each time.
const COPIED_BYTES_MAX: usize = 4 << 20;

/// What is done at a place of a document.
#[derive(Clone, Debug, PartialEq)]
pub enum With {
    /// Merges this into what is there.
    Merge(Value),
    /// Puts this in the place of what is there.
    Replace(Value),
    /// Takes away what is there.
    Remove,
    /// A JSON patch, whose pointers begin at the place.
    Operations(Value),
}

/// Why a patch cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PatchError {
    /// It is not a patch.
    Malformed(String),
    /// There is nothing at the place it names.
    Missing(String),
    /// A `test` found another value.
    Failed(String),
}

impl fmt::Display for PatchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Malformed(what) | Self::Missing(what) | Self::Failed(what)) = self;
        f.write_str(what)
    }
}

/// Merges a patch into a document (RFC 7396 §2).
pub fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        *target = patch.clone();
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else { return };
    for (key, value) in patch {
        if value.is_null() {
            target.remove(key);
        } else {
            merge(target.entry(key.clone()).or_insert(Value::Null), value);
        }
    }
}

/// What is kept when `edit` is made over `kept`, both over a document: one patch, of what differs from it.
pub fn kept(document: &Value, written: &Value, kept: &Value, edit: &Value) -> Value {
    let mut wanted = document.clone();
    merge(&mut wanted, kept);
    merge(&mut wanted, edit);
    between(document, &wanted, Some(written))
}

/// The merge patch from one document to another. Of what is gone only what is in `written` is removed: defaults cannot be.
pub fn between(from: &Value, to: &Value, written: Option<&Value>) -> Value {
    let (Value::Object(before), Value::Object(after)) = (from, to) else { return to.clone() };
    let mut patch = Map::new();
    for key in before.keys().filter(|key| !after.contains_key(*key)) {
        if written.and_then(|written| written.get(key)).is_some() {
            patch.insert(key.clone(), Value::Null);
        }
    }
    for (key, value) in after {
        match before.get(key) {
            Some(old) if old == value => {}
            Some(old) => {
                patch.insert(key.clone(), between(old, value, written.and_then(|written| written.get(key))));
            }
            None => {
                patch.insert(key.clone(), value.clone());
            }
        }
    }
    Value::Object(patch)
}

/// What a document holds where a patch writes: the patch that would undo it.
pub fn inverse(document: &Value, patch: &Value) -> Value {
    let Value::Object(patch) = patch else { return document.clone() };
    let below = |(key, value): (&String, &Value)| {
        let there = match document.get(key) {
            Some(there) if there.is_object() => inverse(there, value),
            Some(there) => there.clone(),
            None => Value::Null,
        };
        (key.clone(), there)
    };
    Value::Object(patch.iter().map(below).collect())
}

/// The merge patch that does `with` at a place of the document. `written` is the document without its defaults.
///
/// # Errors
/// [`PatchError`] when the patch is none, or does not fit the document.
pub fn resolved(document: &Value, written: &Value, at: &[String], with: &With) -> Result<Value, PatchError> {
    if let With::Merge(patch) = with {
        if !patch.is_object() && at.is_empty() {
            return Err(PatchError::Malformed("a merge patch of the configuration is an object".to_owned()));
        }
        bounded(at, patch)?;
        return Ok(wrapped(at, patch.clone()));
    }
    let mut changed = document.clone();
    match with {
        With::Replace(value) => put(&mut changed, at, value.clone())?,
        With::Remove => take(&mut changed, at).map(drop)?,
        With::Operations(operations) => {
            let place = find_mut(&mut changed, at).ok_or_else(|| missing(at))?;
            operate(place, operations)?;
        }
        With::Merge(_) => {}
    }
    Ok(between(document, &changed, Some(written)))
}

/// The value at a place.
pub fn find<'v>(document: &'v Value, at: &[String]) -> Option<&'v Value> {
    at.iter().try_fold(document, |value, key| match value {
        Value::Object(map) => map.get(key),
        Value::Array(items) => items.get(index(key)?),
        _ => None,
    })
}

/// The keys of a JSON pointer (RFC 6901 §3).
///
/// # Errors
/// When it does not begin with a slash, or escapes something else than `~` and `/`.
pub fn pointer(text: &str) -> Result<Vec<String>, PatchError> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    let malformed =
        || PatchError::Malformed(format!("`{text}` is no JSON pointer: they begin with `/`, and `~` is `~0`"));
    let keys = text.strip_prefix('/').ok_or_else(malformed)?.split('/');
    keys.map(|key| {
        let escapes_known = key.split('~').skip(1).all(|rest| rest.starts_with(['0', '1']));
        escapes_known.then(|| key.replace("~1", "/").replace("~0", "~")).ok_or_else(malformed)
    })
    .collect()
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Object(map) => 1 + map.values().map(depth).max().unwrap_or(0),
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// Whoever goes through a document does so by recursion.
fn bounded(at: &[String], value: &Value) -> Result<(), PatchError> {
    match at.len() + depth(value) > DEPTH_MAX {
        true => Err(PatchError::Malformed(format!("a patch has {DEPTH_MAX} levels at most"))),
        false => Ok(()),
    }
}

/// About the octets that a value takes when it is written.
fn bytes(value: &Value) -> usize {
    match value {
        Value::Object(map) => map.iter().map(|(key, value)| key.len() + bytes(value)).sum::<usize>() + 2,
        Value::Array(items) => items.iter().map(bytes).sum::<usize>() + 2,
        Value::String(text) => text.len() + 2,
        _ => 8,
    }
}

/// A patch for the whole document from one for a place.
fn wrapped(at: &[String], patch: Value) -> Value {
    at.iter().rev().fold(patch, |patch, key| Value::Object(Map::from_iter([(key.clone(), patch)])))
}

fn missing(at: &[String]) -> PatchError {
    PatchError::Missing(format!("there is nothing at `/{}`", at.join("/")))
}

/// The number of an item: without sign and leading zeros (RFC 6901 §4).
fn index(key: &str) -> Option<usize> {
    let plain = key == "0" || (!key.starts_with('0') && key.bytes().all(|digit| digit.is_ascii_digit()));
    plain.then(|| key.parse().ok()).flatten()
}

fn find_mut<'v>(document: &'v mut Value, at: &[String]) -> Option<&'v mut Value> {
    at.iter().try_fold(document, |value, key| match value {
        Value::Object(map) => map.get_mut(key),
        Value::Array(items) => items.get_mut(index(key)?),
        _ => None,
    })
}

/// Puts a value at a place, whose parent must be there.
fn put(document: &mut Value, at: &[String], value: Value) -> Result<(), PatchError> {
    bounded(at, &value)?;
    let Some((last, parents)) = at.split_last() else {
        *document = value;
        return Ok(());
    };
    match find_mut(document, parents) {
        Some(Value::Object(map)) => {
            map.insert(last.clone(), value);
            Ok(())
        }
        Some(Value::Array(items)) => {
            let item = index(last).and_then(|at| items.get_mut(at)).ok_or_else(|| missing(at))?;
            *item = value;
            Ok(())
        }
        _ => Err(missing(at)),
    }
}

/// Takes the value at a place away.
fn take(document: &mut Value, at: &[String]) -> Result<Value, PatchError> {
    let Some((last, parents)) = at.split_last() else { return Ok(std::mem::take(document)) };
    let taken = match find_mut(document, parents) {
        Some(Value::Object(map)) => map.remove(last),
        Some(Value::Array(items)) => index(last).filter(|at| *at < items.len()).map(|at| items.remove(at)),
        _ => None,
    };
    taken.ok_or_else(|| missing(at))
}

/// `add` puts a value before an item of a list, or behind the last (RFC 6902 §4.1).
fn add(document: &mut Value, at: &[String], value: Value) -> Result<(), PatchError> {
    if let Some((last, parents)) = at.split_last()
        && let Some(Value::Array(items)) = find_mut(document, parents)
    {
        let place = if last == "-" { Some(items.len()) } else { index(last) };
        let place = place.filter(|place| *place <= items.len()).ok_or_else(|| missing(at))?;
        bounded(at, &value)?;
        items.insert(place, value);
        return Ok(());
    }
    put(document, at, value)
}

/// Applies a JSON patch (RFC 6902 §5): all of it or nothing, for the caller drops the document on an error.
fn operate(document: &mut Value, operations: &Value) -> Result<(), PatchError> {
    let malformed = |what: &str| PatchError::Malformed(what.to_owned());
    let operations = operations.as_array().ok_or_else(|| malformed("a JSON patch is a list of operations"))?;
    if operations.len() > OPERATIONS_MAX {
        return Err(PatchError::Malformed(format!("a JSON patch has {OPERATIONS_MAX} operations at most")));
    }
    let mut copied_bytes = 0;
    for operation in operations {
        let word = |key: &str| operation.get(key).and_then(Value::as_str);
        let place = |key: &str| pointer(word(key).ok_or_else(|| malformed("an operation has an `op` and a `path`"))?);
        let value = || operation.get("value").cloned().ok_or_else(|| malformed("this operation has a `value`"));
        let at = place("path")?;
        match word("op") {
            Some("add") => add(document, &at, value()?)?,
            Some("remove") => take(document, &at).map(drop)?,
            Some("replace") => {
                find(document, &at).ok_or_else(|| missing(&at))?;
                put(document, &at, value()?)?;
            }
            Some("move") => {
                let from = place("from")?;
                if at.len() > from.len() && at.starts_with(&from) {
                    return Err(malformed("a value cannot be moved into itself"));
                }
                let moved = take(document, &from)?;
                add(document, &at, moved)?;
            }
            Some("copy") => {
                let from = place("from")?;
                let copied = find(document, &from).ok_or_else(|| missing(&from))?;
                copied_bytes += bytes(copied);
                if copied_bytes > COPIED_BYTES_MAX {
                    return Err(PatchError::Malformed(format!(
                        "a JSON patch copies {COPIED_BYTES_MAX} octets at most"
                    )));
                }
                add(document, &at, copied.clone())?;
            }
            Some("test") => {
                if find(document, &at).ok_or_else(|| missing(&at))? != &value()? {
                    return Err(PatchError::Failed(format!(
                        "the value at `{}` is another one",
                        word("path").unwrap_or("")
                    )));
                }
            }
            _ => return Err(malformed("`op` is add, remove, replace, move, copy or test")),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{DEPTH_MAX, PatchError, With, between, inverse, kept, merge, pointer, resolved};
    use serde_json::{Value, json};

    /// The cases of RFC 7396, appendix A.
    #[test]
    fn merge_patches_do_as_their_rfc_says() {
        for (target, patch, expected) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!(["a", "b"]), json!(["c", "d"]), json!(["c", "d"])),
            (json!({"a": "b"}), json!(["c"]), json!(["c"])),
            (json!({"a": "foo"}), json!(null), json!(null)),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            let mut merged = target.clone();
            merge(&mut merged, &patch);
            assert_eq!(merged, expected, "{target} {patch}");
        }
    }

    #[test]
    fn two_patches_are_one() {
        let document = json!({"a": {"b": 1, "c": 2}, "d": 3});
        for (first, second) in [
            (json!({"a": {"b": null}}), json!({"a": {"b": 5}})),
            (json!({"a": {"b": 5}}), json!({"a": {"b": null}})),
            (json!({"a": null}), json!({"a": {"x": 1}})),
            (json!({"d": {"x": 1}}), json!({"d": {"y": 2}})),
        ] {
            let (mut one, mut other) = (document.clone(), document.clone());
            merge(&mut one, &first);
            merge(&mut one, &second);
            merge(&mut other, &kept(&document, &document, &first, &second));
            assert_eq!(one, other, "{first} {second}");
        }
        let undone = kept(&document, &document, &json!({"d": 4}), &json!({"d": 3}));
        assert_eq!(undone, json!({}), "what is as before is not kept");
    }

    #[test]
    fn the_difference_leads_from_one_to_the_other_and_its_inverse_back() {
        let from = json!({"a": {"b": 1, "c": [1, 2]}, "d": 3, "e": {"f": "g"}});
        let to = json!({"a": {"b": 2, "c": [1]}, "e": {"f": "g", "h": true}});
        let patch = between(&from, &to, Some(&from));
        assert_eq!(patch, json!({"a": {"b": 2, "c": [1]}, "d": null, "e": {"h": true}}));
        let back = inverse(&from, &patch);
        let mut there = from.clone();
        merge(&mut there, &patch);
        assert_eq!(there, to);
        merge(&mut there, &back);
        assert_eq!(there, from);
        assert_eq!(between(&from, &json!({}), Some(&json!({"d": 3}))), json!({"d": null}), "defaults are left");
    }

    #[test]
    fn no_patch_grows_without_bound() {
        let document = json!({"a": {"list": []}, "text": "x".repeat(1000)});
        let refused = |at: &[String], with: With| resolved(&document, &document, at, &with).unwrap_err().to_string();
        let double = json!({"op": "copy", "from": "/a", "path": "/a/list/-"});
        let doubled = refused(&[], With::Operations(vec![double; 60].into()));
        assert!(doubled.contains("copies 4194304 octets at most"), "{doubled}");
        let wide: Vec<Value> =
            (0..900).map(|n| json!({"op": "copy", "from": "/text", "path": format!("/a/{n}")})).collect();
        assert!(resolved(&document, &document, &[], &With::Operations(wide.into())).is_ok());
        let deep: Vec<String> = vec!["a".to_owned(); 5000];
        assert!(refused(&deep, With::Merge(json!(1))).contains("levels at most"));
        let mut nested = json!(1);
        (0..DEPTH_MAX + 1).for_each(|_| nested = json!([nested]));
        assert!(refused(&["a".to_owned()], With::Replace(nested.clone())).contains("levels at most"));
        let added = json!([{"op": "add", "path": "/a/list/-", "value": nested}]);
        assert!(refused(&[], With::Operations(added)).contains("levels at most"));
    }

    #[track_caller]
    fn operated(document: Value, operations: Value) -> Result<Value, PatchError> {
        let patch = resolved(&document, &document, &[], &With::Operations(operations))?;
        let mut changed = document;
        merge(&mut changed, &patch);
        Ok(changed)
    }

    /// Those of RFC 6902, appendix A, that a configuration can hold.
    #[test]
    fn json_patches_do_as_their_rfc_says() {
        let done = |document, operations| operated(document, operations).unwrap_or_default();
        let add = json!([{"op": "add", "path": "/baz", "value": "qux"}]);
        assert_eq!(done(json!({"foo": "bar"}), add), json!({"foo": "bar", "baz": "qux"}));
        let insert = json!([{"op": "add", "path": "/foo/1", "value": "qux"}]);
        assert_eq!(done(json!({"foo": ["bar", "baz"]}), insert), json!({"foo": ["bar", "qux", "baz"]}));
        let append = json!([{"op": "add", "path": "/foo/-", "value": 1}]);
        assert_eq!(done(json!({"foo": [0]}), append), json!({"foo": [0, 1]}));
        let remove = json!([{"op": "remove", "path": "/foo/1"}]);
        assert_eq!(done(json!({"foo": [1, 2, 3]}), remove), json!({"foo": [1, 3]}));
        let moved = json!([{"op": "move", "from": "/foo/waldo", "path": "/qux/thud"}]);
        assert_eq!(
            done(json!({"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}}), moved),
            json!({"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}})
        );
        let copy = json!([{"op": "copy", "from": "/a", "path": "/b"}, {"op": "test", "path": "/b", "value": 1}]);
        assert_eq!(done(json!({"a": 1}), copy), json!({"a": 1, "b": 1}));
        let escaped = json!([{"op": "replace", "path": "/~1~01", "value": 2}]);
        assert_eq!(done(json!({"/~1": 1}), escaped), json!({"/~1": 2}));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let refused = |operations| operated(json!({"a": [1], "b": {}}), operations).err();
        assert!(matches!(refused(json!({})), Some(PatchError::Malformed(_))));
        assert!(matches!(refused(json!([{"op": "add", "path": "b"}])), Some(PatchError::Malformed(_))));
        assert!(matches!(refused(json!([{"op": "fly", "path": "/b"}])), Some(PatchError::Malformed(_))));
        assert!(matches!(refused(json!([{"op": "add", "path": "/a/2", "value": 1}])), Some(PatchError::Missing(_))));
        assert!(matches!(refused(json!([{"op": "remove", "path": "/a/01"}])), Some(PatchError::Missing(_))));
        assert!(matches!(refused(json!([{"op": "test", "path": "/a", "value": 1}])), Some(PatchError::Failed(_))));
        let into_itself = json!([{"op": "move", "from": "/b", "path": "/b/c"}]);
        assert!(matches!(refused(into_itself), Some(PatchError::Malformed(_))));
        assert!(pointer("/~2").is_err() && pointer("a").is_err());
    }

    #[test]
    fn places_below_are_changed_alone() {
        let document = json!({"routes": {"/": {"to": "a", "x": 1}}});
        let at = ["routes".to_owned(), "/".to_owned()];
        let patch = |with| resolved(&document, &document, &at, &with).unwrap_or_default();
        assert_eq!(patch(With::Merge(json!({"to": "b"}))), json!({"routes": {"/": {"to": "b"}}}));
        assert_eq!(patch(With::Replace(json!({"to": "b"}))), json!({"routes": {"/": {"to": "b", "x": null}}}));
        assert_eq!(patch(With::Remove), json!({"routes": {"/": null}}));
    }
}
