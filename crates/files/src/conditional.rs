//! Preconditions of a request (RFC 9110 §13).

use crate::validators::{Validators, seconds_of};
use strait_message::{Headers, Name};

/// What the preconditions of a GET or HEAD come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It is served.
    Proceed,
    /// 304: the client has it.
    NotModified,
    /// 412: the client wants another one.
    Failed,
}

/// Evaluates them in the order of RFC 9110 §13.2.2.
pub(crate) fn evaluate(headers: &Headers, ours: &Validators) -> Outcome {
    let by_date = |name: &[u8]| headers.get_by_text(name).and_then(seconds_of);
    if let Some(matches) = any_tag(values(headers, b"if-match"), |tag| is_same_strongly(tag, &ours.etag)) {
        if !matches {
            return Outcome::Failed;
        }
    } else if by_date(b"if-unmodified-since").is_some_and(|date| ours.modified_seconds > date) {
        return Outcome::Failed;
    }
    if let Some(matches) = any_tag(headers.get_all(Name::IfNoneMatch), |tag| is_same_weakly(tag, &ours.etag)) {
        return if matches { Outcome::NotModified } else { Outcome::Proceed };
    }
    let since = headers.get(Name::IfModifiedSince).and_then(seconds_of);
    match since.is_some_and(|date| ours.modified_seconds <= date) {
        true => Outcome::NotModified,
        false => Outcome::Proceed,
    }
}

/// Whether ranges may be served as far as If-Range says (RFC 9110 §13.1.5): without it, or when it names what is served.
pub(crate) fn ranges_hold(headers: &Headers, ours: &Validators) -> bool {
    match headers.get_by_text(b"if-range") {
        None => true,
        Some(tag) if tag.starts_with(b"\"") => is_same_strongly(tag, &ours.etag),
        Some(tag) if tag.starts_with(b"W/") => false,
        Some(date) => seconds_of(date) == Some(ours.modified_seconds),
    }
}

fn values<'h>(headers: &'h Headers, name: &'h [u8]) -> impl Iterator<Item = &'h [u8]> {
    headers.iter().filter(move |field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value)
}

/// Whether one of the tags is right; `None` when the field is not there. `*` is any.
fn any_tag<'h>(values: impl Iterator<Item = &'h [u8]>, is_right: impl Fn(&[u8]) -> bool) -> Option<bool> {
    let mut found = None;
    for value in values {
        let here = value.trim_ascii() == b"*" || Tags(value).any(&is_right);
        found = Some(found.unwrap_or(false) || here);
    }
    found
}

/// The entity tags of a list; what is none ends it, since where the next begins is not known.
struct Tags<'h>(&'h [u8]);

impl<'h> Iterator for Tags<'h> {
    type Item = &'h [u8];

    fn next(&mut self) -> Option<&'h [u8]> {
        let start = self.0.iter().position(|octet| !matches!(octet, b' ' | b'\t' | b','))?;
        let rest = self.0.get(start..)?;
        let prefix = if rest.starts_with(b"W/") { 2 } else { 0 };
        let opaque = rest.get(prefix..)?.strip_prefix(b"\"")?;
        let length = prefix + opaque.iter().position(|&octet| octet == b'"')? + 2;
        self.0 = rest.get(length..)?;
        rest.get(..length)
    }
}

/// Strong comparison: ours is strong, so that a weak one is never the same (RFC 9110 §8.8.3.2).
fn is_same_strongly(tag: &[u8], ours: &str) -> bool {
    tag == ours.as_bytes()
}

/// Weak comparison: what compression made weak on the way is the same still.
fn is_same_weakly(tag: &[u8], ours: &str) -> bool {
    tag.strip_prefix(b"W/").unwrap_or(tag) == ours.as_bytes()
}

#[cfg(test)]
mod tests {
    use super::{Outcome, evaluate, ranges_hold};
    use crate::validators::{Modified, Validators};
    use strait_message::Headers;

    const EARLIER: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const SAME: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const LATER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

    fn ours() -> Validators {
        let mut ours = Validators::of(Modified { seconds: 784_111_777, nanoseconds: 9 }, 10, "");
        "\"tag\"".clone_into(&mut ours.etag);
        ours
    }

    fn headers(fields: &[(&str, &str)]) -> Headers {
        let mut headers = Headers::new();
        fields.iter().for_each(|(name, value)| headers.push(name.as_bytes(), value.as_bytes()));
        headers
    }

    #[test]
    fn preconditions_are_judged_in_order() {
        use Outcome::{Failed, NotModified, Proceed};
        let cases: &[(&[(&str, &str)], Outcome)] = &[
            (&[], Proceed),
            (&[("If-Match", "\"tag\"")], Proceed),
            (&[("If-Match", "*")], Proceed),
            (&[("If-Match", "\"a\", \"tag\"")], Proceed),
            (&[("If-Match", "\"a\"")], Failed),
            (&[("If-Match", "W/\"tag\"")], Failed),
            (&[("If-Match", "")], Failed),
            (&[("If-Match", "\"a\""), ("If-Match", "\"tag\"")], Proceed),
            (&[("If-Unmodified-Since", SAME)], Proceed),
            (&[("If-Unmodified-Since", LATER)], Proceed),
            (&[("If-Unmodified-Since", EARLIER)], Failed),
            (&[("If-Unmodified-Since", "nonsense")], Proceed),
            (&[("If-Match", "\"tag\""), ("If-Unmodified-Since", EARLIER)], Proceed),
            (&[("If-None-Match", "\"tag\"")], NotModified),
            (&[("If-None-Match", "W/\"tag\"")], NotModified),
            (&[("If-None-Match", "*")], NotModified),
            (&[("If-None-Match", "\"a\",\"tag\"")], NotModified),
            (&[("If-None-Match", "\"a,\", \"tag\"")], NotModified),
            (&[("If-None-Match", "\"a\"")], Proceed),
            (&[("If-None-Match", "tag")], Proceed),
            (&[("If-None-Match", "\"a\""), ("If-Modified-Since", LATER)], Proceed),
            (&[("If-Modified-Since", SAME)], NotModified),
            (&[("If-Modified-Since", LATER)], NotModified),
            (&[("If-Modified-Since", EARLIER)], Proceed),
            (&[("If-Modified-Since", "0")], Proceed),
            (&[("If-Match", "\"a\""), ("If-None-Match", "\"tag\"")], Failed),
        ];
        for (fields, expected) in cases {
            assert_eq!(evaluate(&headers(fields), &ours()), *expected, "{fields:?}");
        }
    }

    #[test]
    fn ranges_hold_only_for_what_is_served() {
        for (value, holds) in [
            ("\"tag\"", true),
            ("\"other\"", false),
            ("W/\"tag\"", false),
            (SAME, true),
            (EARLIER, false),
            (LATER, false),
            ("nonsense", false),
        ] {
            assert_eq!(ranges_hold(&headers(&[("If-Range", value)]), &ours()), holds, "{value}");
        }
        assert!(ranges_hold(&headers(&[]), &ours()));
    }
}
