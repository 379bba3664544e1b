//! The one canonical path of a request.
//!
//! It is computed once, before routing, and is the only form that matching, access rules, the cache key, the log and
//! the upstream see, so that no two of them can disagree about what a request names. Normalisation follows RFC 3986
//! §6.2.2: escapes of unreserved bytes are decoded, all other escapes are kept with upper-case hex digits, and dot
//! segments are removed (§5.2.4). Bytes that RFC 3986 does not allow raw but clients do send (`|`, `[`, `"`, bytes
//! above 0x7F, …) are escaped, so that `|` and `%7C` are one path. An escape that stays is never decoded, thus
//! sequences that are not UTF-8 pass unharmed.
//!
//! What two implementations could read in two ways is refused, see [`PathFlaw`].
//!
//! Repeated slashes are kept by the rules of the RFC: `/a//b` and `/a/b` are two paths, and some origins (object stores)
//! rely on it. Listeners merge them all the same unless told otherwise ([`PathRules::merge_slashes`]): to most origins
//! they are one, and `//admin` would pass a pattern for `/admin`.
//!
//! The query is no part of the path and is never changed.

use std::fmt;

/// What a deployment may relax or tighten. The default is right unless the origin needs otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PathRules {
    /// Keep `%2F` and `%5C` (as escapes, never decoded) instead of refusing them; GitLab's API needs it.
    /// Dot segments next to such an escape (`..%2F`) are refused all the same.
    pub keep_encoded_slash: bool,
    /// Replace runs of `/` by one.
    pub merge_slashes: bool,
}

/// Why a path is refused: what, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PathError {
    /// What is wrong.
    pub flaw: PathFlaw,
    /// Byte offset in the raw path; of a refused segment, its end.
    pub at: usize,
}

/// The kinds of refused paths, each with a test of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathFlaw {
    /// The path does not begin with `/`.
    NotAbsolute,
    /// A raw byte below 0x20, a space, or 0x7F.
    ControlByte,
    /// A raw `?` or `#`: whoever calls cuts the query off first, and a request target has no fragment.
    Delimiter,
    /// A raw backslash; some origins read it as `/`.
    Backslash,
    /// `%` that two hex digits do not follow.
    InvalidEscape,
    /// `%00`; C strings end there.
    EncodedNul,
    /// `%2F`: one segment here, two for an origin that decodes first.
    EncodedSlash,
    /// `%5C`, for the reason of `Backslash`.
    EncodedBackslash,
    /// `..` with no segment left to remove.
    AboveRoot,
    /// `..` after an empty segment (`/a//../b`): `/a/b` by RFC 3986, `/b` where slashes are merged; refused where they are
    /// merged here too, since somebody meant something by it.
    ParentOfEmpty,
    /// `.;x` or `..;x`: an ordinary segment by RFC 3986, a dot segment for servlet containers.
    DotParameter,
    /// `..%2F` or the like where encoded slashes are kept: a dot segment for an origin that decodes.
    EncodedDotSegment,
}

impl PathFlaw {
    /// The flaw in plain words, for the log and the error page.
    pub fn message(self) -> &'static str {
        match self {
            Self::NotAbsolute => "the path does not begin with `/`",
            Self::ControlByte => "the path has a space or a control byte in it",
            Self::Delimiter => "the path has a raw `?` or `#` in it",
            Self::Backslash => "the path has a backslash in it",
            Self::InvalidEscape => "a `%` is not followed by two hexadecimal digits",
            Self::EncodedNul => "the path has an encoded NUL (%00) in it",
            Self::EncodedSlash => "the path has an encoded slash (%2F) in it",
            Self::EncodedBackslash => "the path has an encoded backslash (%5C) in it",
            Self::AboveRoot => "`..` leads above the root",
            Self::ParentOfEmpty => "`..` follows an empty segment, which origins read in two ways",
            Self::DotParameter => "a dot segment carries a `;` parameter, which origins read in two ways",
            Self::EncodedDotSegment => "a dot segment stands next to an encoded slash",
        }
    }
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (at byte {})", self.flaw.message(), self.at)
    }
}

impl std::error::Error for PathError {}

/// The canonical form of a path under the default rules; see [`canonical_by`].
pub fn canonical<'a>(raw: &'a [u8], scratch: &'a mut Vec<u8>) -> Result<&'a [u8], PathError> {
    canonical_by(PathRules::default(), raw, scratch)
}

/// The canonical form of `raw`, the path of a request target without its query.
///
/// A path that is canonical already, as nearly all are, is returned as it is after one scan; otherwise `scratch` is
/// overwritten and returned. The empty path (absolute-form without a path) is `/` (RFC 3986 §6.2.3). The result is
/// at most three times as long as `raw`, and a fixed point: its canonical form is itself.
pub fn canonical_by<'a>(rules: PathRules, raw: &'a [u8], scratch: &'a mut Vec<u8>) -> Result<&'a [u8], PathError> {
    match raw.first() {
        None => return Ok(b"/"),
        Some(b'/') if is_canonical(rules, raw) => return Ok(raw),
        Some(b'/') => {}
        Some(_) => return Err(PathError { flaw: PathFlaw::NotAbsolute, at: 0 }),
    }
    scratch.clear();
    scratch.reserve(raw.len());
    Rewrite { rules, out: scratch, segment: 0, behind_merged: false }.run(raw)?;
    Ok(scratch)
}

/// What a raw byte of a path means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Class {
    /// RFC 3986 pchar: stays as it is.
    Plain,
    Slash,
    Percent,
    /// Not allowed raw, but unambiguous: becomes an escape.
    Escape,
    Refused(PathFlaw),
}

const fn class_of(byte: u8) -> Class {
    match byte {
        b'/' => Class::Slash,
        b'%' => Class::Percent,
        b'\\' => Class::Refused(PathFlaw::Backslash),
        b'?' | b'#' => Class::Refused(PathFlaw::Delimiter),
        0..=0x20 | 0x7F => Class::Refused(PathFlaw::ControlByte),
        _ if is_unreserved(byte) => Class::Plain,
        b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' | b':' | b'@' => Class::Plain,
        _ => Class::Escape,
    }
}

/// RFC 3986 §2.3.
const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[expect(clippy::indexing_slicing, reason = "evaluated by the compiler, which would refuse an index out of bounds")]
const CLASSES: [Class; 256] = {
    let mut classes = [Class::Plain; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = class_of(byte as u8);
        byte += 1;
    }
    classes
};

fn class(byte: u8) -> Class {
    CLASSES.get(usize::from(byte)).copied().unwrap_or(Class::Escape)
}

/// Whether the path can be used as it is. `false` also for what is refused: `Rewrite` says why.
fn is_canonical(rules: PathRules, raw: &[u8]) -> bool {
    let mut rest = raw;
    while let Some((&byte, tail)) = rest.split_first() {
        rest = match class(byte) {
            Class::Plain => tail,
            Class::Slash if is_plain_start(rules, tail) => tail,
            Class::Percent => match tail.split_at_checked(2) {
                Some(([high, low], tail)) if is_kept_escape(*high, *low) => tail,
                _ => return false,
            },
            _ => return false,
        };
    }
    true
}

/// Whether what follows a slash is certainly no dot segment and no slash to merge.
fn is_plain_start(rules: PathRules, segment: &[u8]) -> bool {
    match segment {
        [b'/', ..] => !rules.merge_slashes,
        [b'.', b'.', next, ..] => !ends_dots(*next),
        [b'.', next, ..] => *next != b'.' && !ends_dots(*next),
        [b'.'] => false,
        _ => true,
    }
}

/// Whether the byte after leading dots leaves them a dot segment, by some reading. `%` may begin `%2F`.
fn ends_dots(next: u8) -> bool {
    matches!(next, b'/' | b';' | b'%')
}

/// Whether an escape is in canonical form and never refused.
fn is_kept_escape(high: u8, low: u8) -> bool {
    let upper = |digit: u8| !digit.is_ascii_lowercase();
    match unhex(high, low) {
        Some(0 | b'/' | b'\\') | None => false,
        Some(byte) => upper(high) && upper(low) && !is_unreserved(byte),
    }
}

fn unhex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

/// The slow way: writes the canonical path to `out`, segment by segment.
struct Rewrite<'a> {
    rules: PathRules,
    out: &'a mut Vec<u8>,
    /// Where the open segment begins in `out`: just behind a slash.
    segment: usize,
    /// Slashes before it were merged: without merging, an empty segment would stand there.
    behind_merged: bool,
}

impl Rewrite<'_> {
    fn run(mut self, raw: &[u8]) -> Result<(), PathError> {
        let mut at = 0;
        while let Some(&byte) = raw.get(at) {
            let fail = move |flaw| PathError { flaw, at };
            match class(byte) {
                Class::Plain => self.out.push(byte),
                Class::Slash => self.slash().map_err(fail)?,
                Class::Percent => {
                    let digits = raw.get(at + 1..at + 3);
                    self.escape(digits.unwrap_or_default()).map_err(fail)?;
                    at += 2;
                }
                Class::Escape => push_escape(self.out, byte),
                Class::Refused(flaw) => return Err(fail(flaw)),
            }
            at += 1;
        }
        self.close().map(drop).map_err(|flaw| PathError { flaw, at })
    }

    fn slash(&mut self) -> Result<(), PathFlaw> {
        let removed = !self.out.is_empty() && self.close()?;
        let merged = self.rules.merge_slashes && self.out.ends_with(b"/");
        if !removed && !merged {
            self.out.push(b'/');
        }
        self.behind_merged = merged && !removed;
        self.segment = self.out.len();
        Ok(())
    }

    fn escape(&mut self, digits: &[u8]) -> Result<(), PathFlaw> {
        let byte = match digits {
            [high, low] => unhex(*high, *low),
            _ => None,
        };
        match byte.ok_or(PathFlaw::InvalidEscape)? {
            0 => return Err(PathFlaw::EncodedNul),
            b'/' if !self.rules.keep_encoded_slash => return Err(PathFlaw::EncodedSlash),
            b'\\' if !self.rules.keep_encoded_slash => return Err(PathFlaw::EncodedBackslash),
            byte if is_unreserved(byte) => self.out.push(byte),
            byte => push_escape(self.out, byte),
        }
        Ok(())
    }

    /// Ends the open segment; `true` if it was a dot segment, which is gone then (RFC 3986 §5.2.4).
    fn close(&mut self) -> Result<bool, PathFlaw> {
        let segment = self.out.get(self.segment..).unwrap_or_default();
        match segment {
            b"." => self.out.truncate(self.segment),
            b".." => self.remove_parent()?,
            [b'.', b';', ..] | [b'.', b'.', b';', ..] => return Err(PathFlaw::DotParameter),
            _ if self.rules.keep_encoded_slash && hides_dots(segment) => return Err(PathFlaw::EncodedDotSegment),
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn remove_parent(&mut self) -> Result<(), PathFlaw> {
        let before = self.out.get(..self.segment.saturating_sub(1)).unwrap_or_default();
        let parent = memchr::memrchr(b'/', before).ok_or(PathFlaw::AboveRoot)? + 1;
        if parent == before.len() || self.behind_merged {
            return Err(PathFlaw::ParentOfEmpty);
        }
        self.out.truncate(parent);
        self.segment = parent;
        Ok(())
    }
}

/// Whether an origin that decodes `%2F` and `%5C` would find a dot segment in this one.
fn hides_dots(segment: &[u8]) -> bool {
    let mut parts = Vec::new();
    let mut start = 0;
    for at in memchr::memchr_iter(b'%', segment) {
        if matches!(segment.get(at..at + 3), Some(b"%2F" | b"%5C")) {
            parts.push(segment.get(start..at));
            start = at + 3;
        }
    }
    let escapes = !parts.is_empty();
    parts.push(segment.get(start..));
    escapes && parts.iter().any(|part| matches!(part, Some(b"." | b"..")))
}

fn push_escape(out: &mut Vec<u8>, byte: u8) {
    let digit = |nibble: u8| if nibble < 10 { b'0' + nibble } else { b'A' + nibble - 10 };
    out.extend([b'%', digit(byte >> 4), digit(byte & 15)]);
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;
    use proptest::prelude::*;

    const DEFAULT: PathRules = PathRules { keep_encoded_slash: false, merge_slashes: false };
    const KEEP: PathRules = PathRules { keep_encoded_slash: true, merge_slashes: false };
    const MERGE: PathRules = PathRules { keep_encoded_slash: false, merge_slashes: true };

    #[track_caller]
    fn check(rules: PathRules, raw: &[u8], expected: Result<&str, PathFlaw>) {
        let mut scratch = b"left over".to_vec();
        let got = canonical_by(rules, raw, &mut scratch).map(|path| String::from_utf8(path.to_vec()).unwrap());
        assert_eq!(got.map_err(|error| error.flaw), expected.map(str::to_owned), "{}", raw.escape_ascii());
    }

    #[test]
    fn canonical_paths_stay() {
        for path in [
            "/",
            "/a",
            "/a/",
            "/a/b.c",
            "/.well-known/x",
            "/...",
            "/..a",
            "/.a/..b",
            "/a;b=c",
            "/a//b",
            "//",
            "/%20",
            "/%C3%A4",
            "/%FF",
            "/a%3Fb",
            "/a:b@c!$&'()*+,;=~-_.",
            "/a.",
            "/a..",
            "/%0A",
            "/%25",
        ] {
            let mut scratch = Vec::new();
            let got = canonical(path.as_bytes(), &mut scratch).unwrap();
            assert!(std::ptr::eq(got, path.as_bytes()), "{path} was copied");
        }
    }

    #[test]
    fn other_paths_are_rewritten() {
        for (raw, expected) in [
            ("", "/"),
            ("/%41%7a%2D%2e%5F%7e", "/Az-._~"),
            ("/%c3%a4", "/%C3%A4"),
            ("/a|b[c]\"<>^`{}", "/a%7Cb%5Bc%5D%22%3C%3E%5E%60%7B%7D"),
            ("/ä", "/%C3%A4"),
            ("/a/./b", "/a/b"),
            ("/a/../b", "/b"),
            ("/a/b/..", "/a/"),
            ("/a/b/.", "/a/b/"),
            ("/.", "/"),
            ("/a/..", "/"),
            ("/a/b/../..", "/"),
            ("/a/%2e%2E/b", "/b"),
            ("/%2e/b", "/b"),
            ("/a/b/c/./../../g", "/a/g"),
            ("/%252e%252e/a%2541|", "/%252e%252e/a%2541%7C"),
            ("/a//b/..|/", "/a//b/..%7C/"),
            ("/a//b/../c", "/a//c"),
        ] {
            check(DEFAULT, raw.as_bytes(), Ok(expected));
        }
    }

    #[test]
    fn ambiguous_paths_are_refused() {
        use PathFlaw::*;
        let cases: &[(&[u8], PathFlaw)] = &[
            (b"a", NotAbsolute),
            (b"*", NotAbsolute),
            (b"\\a", NotAbsolute),
            (b"/a\0", ControlByte),
            (b"/a\n", ControlByte),
            (b"/a b", ControlByte),
            (b"/a\x7F", ControlByte),
            (b"/a?b", Delimiter),
            (b"/a#b", Delimiter),
            (b"/a\\..\\b", Backslash),
            (b"/%", InvalidEscape),
            (b"/%4", InvalidEscape),
            (b"/%4g", InvalidEscape),
            (b"/%+1", InvalidEscape),
            (b"/%u0041", InvalidEscape),
            (b"/a%00", EncodedNul),
            (b"/a%2fb", EncodedSlash),
            (b"/a%2Fb", EncodedSlash),
            (b"/a%5cb", EncodedBackslash),
            (b"/..", AboveRoot),
            (b"/../a", AboveRoot),
            (b"/a/../../b", AboveRoot),
            (b"/%2e%2e/a", AboveRoot),
            (b"/./../a", AboveRoot),
            (b"/a//../b", ParentOfEmpty),
            (b"//..", ParentOfEmpty),
            (b"/a/..;/b", DotParameter),
            (b"/a/.;x", DotParameter),
            (b"/a/%2e%2e;x/b", DotParameter),
        ];
        for (raw, flaw) in cases {
            check(DEFAULT, raw, Err(*flaw));
        }
    }

    #[test]
    fn the_error_names_the_byte() {
        let error = canonical(b"/ab%2Fc", &mut Vec::new()).unwrap_err();
        assert_eq!(error.at, 3);
        assert_eq!(error.to_string(), "the path has an encoded slash (%2F) in it (at byte 3)");
    }

    #[test]
    fn encoded_slashes_can_be_kept_but_hide_nothing() {
        check(KEEP, b"/projects/a%2fb/x", Ok("/projects/a%2Fb/x"));
        check(KEEP, b"/a%5Cb", Ok("/a%5Cb"));
        check(KEEP, b"/a/..%2Fb", Err(PathFlaw::EncodedDotSegment));
        check(KEEP, b"/a/b%2f%2e%2e", Err(PathFlaw::EncodedDotSegment));
        check(KEEP, b"/a/b%5C.%2Fc", Err(PathFlaw::EncodedDotSegment));
        check(KEEP, b"/a/..b%2Fc..", Ok("/a/..b%2Fc.."));
    }

    #[test]
    fn slashes_can_be_merged() {
        check(MERGE, b"//admin", Ok("/admin"));
        check(MERGE, b"/a///b//", Ok("/a/b/"));
        check(MERGE, b"/a//../b", Err(PathFlaw::ParentOfEmpty));
        check(MERGE, b"//..", Err(PathFlaw::AboveRoot));
        check(MERGE, b"/a//b/../c", Ok("/a/c"));
        check(MERGE, b"/a/.//b", Ok("/a/b"));
    }

    fn rules() -> impl Strategy<Value = PathRules> {
        (any::<bool>(), any::<bool>())
            .prop_map(|(keep_encoded_slash, merge_slashes)| PathRules { keep_encoded_slash, merge_slashes })
    }

    /// Raw paths made of what matters, so that most of them are accepted.
    fn pieces() -> impl Strategy<Value = Vec<u8>> {
        let piece = prop::sample::select(vec![
            "/", "/", "a", ".", "..", "%2e", "%2E", "%2F", "%5c", "%41", "%c3", "%", ";", "|", "ä", "%25", "2e", "{",
        ]);
        prop::collection::vec(piece, 0..12).prop_map(|pieces| format!("/{}", pieces.concat()).into_bytes())
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(rules in rules(), raw in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = canonical_by(rules, &raw, &mut Vec::new());
        }

        #[test]
        fn canonical_is_a_fixed_point(rules in rules(), raw in pieces()) {
            let (mut first, mut second) = (Vec::new(), Vec::new());
            if let Ok(once) = canonical_by(rules, &raw, &mut first) {
                prop_assert_eq!(canonical_by(rules, once, &mut second), Ok(once));
                let segments: Vec<_> = once.split(|byte| *byte == b'/').collect();
                prop_assert!(!segments.iter().any(|segment| matches!(*segment, b"." | b"..")));
            }
        }

        #[test]
        fn the_fast_way_agrees_with_the_slow(rules in rules(), raw in pieces()) {
            let mut out = Vec::new();
            let slow = Rewrite { rules, out: &mut out, segment: 0, behind_merged: false }.run(&raw);
            if is_canonical(rules, &raw) {
                prop_assert_eq!(slow, Ok(()));
                prop_assert_eq!(out, raw);
            }
        }
    }
}
