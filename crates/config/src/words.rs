//! Knowing what was meant: edit distance, and the words of other products.

use std::sync::OnceLock;

use crate::decode::{Shape, Spec as _};
use crate::diagnose::{Edit, Fix};
use crate::schema::{Kind, Schema};
use crate::source::Spanned;
use crate::spec::Root;

/// The second of the pair whose first is `word`.
pub(crate) fn lookup(pairs: &[(&'static str, &'static str)], word: &str) -> Option<&'static str> {
    pairs.iter().find(|(theirs, _)| *theirs == word).map(|(_, ours)| *ours)
}

/// The candidate that `word` most likely stands for; `None` if none is near.
pub(crate) fn closest<'c>(word: &str, candidates: impl Iterator<Item = &'c str>) -> Option<&'c str> {
    let length = word.chars().count();
    // Longer words than any of ours are no typing mistakes, and would cost quadratic time.
    if length > 64 {
        return None;
    }
    let allowed = (length / 3).max(1);
    let plain = |text: &str| text.to_lowercase().replace('-', "_");
    let wanted = plain(word);
    candidates
        .map(|candidate| (distance(&wanted, &plain(candidate), allowed), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Edits between two words: insert, delete, replace, swap neighbours. Beyond `limit` any number
/// above it may be answered.
fn distance(a: &str, b: &str, limit: usize) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > limit {
        return limit + 1;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let cell = |row: &[usize], at: usize| row.get(at).copied().unwrap_or(usize::MAX / 2);
            let mut best = (cell(&last, j) + usize::from(x != y)).min(cell(&last, j + 1) + 1).min(cell(&row, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                best = best.min(cell(&before, j - 1) + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last.last().copied().unwrap_or(usize::MAX)
}

/// The shape of a whole file.
pub(crate) fn root_shape() -> Option<&'static Shape> {
    static SHAPE: OnceLock<Option<&'static Shape>> = OnceLock::new();
    *SHAPE.get_or_init(|| match Root::schema().kind {
        Kind::Record { shape, .. } => Some(shape),
        _ => None,
    })
}

/// Every key of the language with the nouns of the maps it belongs to.
fn keys() -> &'static Vec<(&'static str, &'static str)> {
    static KEYS: OnceLock<Vec<(&'static str, &'static str)>> = OnceLock::new();
    KEYS.get_or_init(|| {
        let mut keys = Vec::new();
        collect(&Root::schema(), &mut keys);
        keys.sort_unstable();
        keys.dedup();
        keys
    })
}

fn collect(schema: &Schema, keys: &mut Vec<(&'static str, &'static str)>) {
    match &schema.kind {
        Kind::Record { shape, fields } => {
            keys.extend(shape.unbuilt.iter().map(|(key, _)| (*key, shape.noun)));
            for field in fields {
                keys.push((field.key, shape.noun));
                collect(&field.schema, keys);
            }
        }
        Kind::List(inner) | Kind::Table(inner) => collect(inner, keys),
        Kind::Forms(forms) => forms.iter().for_each(|form| collect(form, keys)),
        _ => {}
    }
}

/// Whether this is a key anywhere in the language.
pub(crate) fn is_key(word: &str) -> bool {
    keys().binary_search_by(|(key, _)| (*key).cmp(word)).is_ok()
}

/// The fix for a key that belongs somewhere else.
pub(crate) fn elsewhere(key: &Spanned<String>, here: &[&str]) -> Option<Fix> {
    let word = &key.value;
    let nouns: Vec<&str> = keys().iter().filter(|(known, _)| known == word).map(|(_, noun)| *noun).collect();
    if !nouns.is_empty() {
        let message = format!("`{word}` belongs in {}; look at the indentation", nouns.join(" or "));
        return Some(Fix { message, edits: Vec::new() });
    }
    if here.contains(&"routes") && (word.contains('/') || word.contains('.')) {
        let message = "a route pattern is indented below `routes:`".to_owned();
        let edits = vec![Edit { span: key.span.before(), replacement: "  ".to_owned() }];
        return Some(Fix { message, edits });
    }
    None
}
