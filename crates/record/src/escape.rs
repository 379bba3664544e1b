//! Strings from outside on one line: no octet of a request ends a line, moves a cursor or leaves its field.

use std::fmt::{self, Write};

/// Octets that are looked at together; the compiler makes vector instructions of it.
const LANES: usize = 16;
/// The same for strings that are shorter.
const SHORT: usize = 8;

/// Writes the inside of a JSON string (RFC 8259 §7).
///
/// What is not UTF-8 becomes `\ufffd`, one for each malformed sequence; controls, line and paragraph separators and
/// what changes the direction of writing become `\u00XX` or `\u20XX`.
#[inline]
pub(crate) fn json(octets: &[u8], out: &mut Vec<u8>) {
    if is_plain(octets) {
        out.extend_from_slice(octets);
    } else {
        json_escaped(octets, out);
    }
}

/// Writes one column of a line for people: without spaces and controls, so that it stays one column.
///
/// A space and what is not UTF-8 become `\xNN` for each octet, controls `\xNN` or `\u{NN}`, a backslash two.
pub(crate) fn column(octets: &[u8], out: &mut Vec<u8>) {
    if is_plain(octets) && !octets.contains(&b' ') {
        out.extend_from_slice(octets);
    } else {
        text_escaped(octets, false, out);
    }
}

/// Writes text for people like [`column`], but with its spaces.
pub(crate) fn words(octets: &[u8], out: &mut Vec<u8>) {
    if is_plain(octets) {
        out.extend_from_slice(octets);
    } else {
        text_escaped(octets, true, out);
    }
}

/// Writes what stands between quotes of a line, as nginx does: a quote, a backslash, controls and whatever is not UTF-8
/// become `\xNN`, so that nothing ends the quotes or the line.
pub fn quotable(octets: &[u8], out: &mut Vec<u8>) {
    if is_plain(octets) {
        out.extend_from_slice(octets);
        return;
    }
    for chunk in octets.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' | '\\' => octet_escaped(c as u8, out),
                c if is_treacherous(c) => {
                    c.encode_utf8(&mut [0; 4]).bytes().for_each(|octet| octet_escaped(octet, out));
                }
                c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        chunk.invalid().iter().for_each(|&octet| octet_escaped(octet, out));
    }
}

/// Whether nothing in it needs escaping: printable ASCII without quotes and backslashes, as nearly always.
#[inline]
fn is_plain(octets: &[u8]) -> bool {
    match octets.last_chunk::<LANES>() {
        // The last lanes overlap those before, so that no octet is looked at alone.
        Some(last) => !octets.as_chunks().0.iter().chain([last]).any(has_special::<LANES>),
        None => match (octets.first_chunk::<SHORT>(), octets.last_chunk::<SHORT>()) {
            (Some(first), Some(last)) => !has_special(first) && !has_special(last),
            _ => !octets.iter().any(|&octet| is_special(octet)),
        },
    }
}

#[inline]
fn has_special<const N: usize>(lanes: &[u8; N]) -> bool {
    lanes.iter().fold(false, |seen, &octet| seen | is_special(octet))
}

#[inline]
fn is_special(octet: u8) -> bool {
    // Without branches, for the vector unit.
    !(0x20..0x7f).contains(&octet) | (octet == b'"') | (octet == b'\\')
}

#[cold]
fn json_escaped(octets: &[u8], out: &mut Vec<u8>) {
    for chunk in octets.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '"' | '\\' => out.extend_from_slice(&[b'\\', c as u8]),
                c if is_treacherous(c) => {
                    out.extend_from_slice(b"\\u");
                    out.extend(hex::<4>(c.into()));
                }
                c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        if !chunk.invalid().is_empty() {
            out.extend_from_slice(b"\\ufffd");
        }
    }
}

#[cold]
fn text_escaped(octets: &[u8], with_spaces: bool, out: &mut Vec<u8>) {
    for chunk in octets.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\\' => out.extend_from_slice(b"\\\\"),
                ' ' if with_spaces => out.push(b' '),
                '\0'..=' ' | '\x7f' => octet_escaped(c as u8, out),
                c if is_treacherous(c) || c.is_whitespace() => {
                    out.extend_from_slice(b"\\u{");
                    out.extend(hex::<4>(c.into()));
                    out.push(b'}');
                }
                c => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
            }
        }
        chunk.invalid().iter().for_each(|&octet| octet_escaped(octet, out));
    }
}

fn octet_escaped(octet: u8, out: &mut Vec<u8>) {
    out.extend_from_slice(b"\\x");
    out.extend(hex::<2>(octet.into()));
}

/// Takes formatted text and writes it through one of the escapes above: only for what has no other way out.
pub(crate) struct Escaping<'a> {
    pub(crate) escape: fn(&[u8], &mut Vec<u8>),
    pub(crate) out: &'a mut Vec<u8>,
}

impl Write for Escaping<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        (self.escape)(text.as_bytes(), self.out);
        Ok(())
    }
}

/// What a reader or a terminal takes for more than a character: controls of both sets, separators of lines, and what
/// changes the direction of writing. All lie below U+10000.
fn is_treacherous(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The last `N` hexadecimal digits.
fn hex<const N: usize>(value: u32) -> [u8; N] {
    let mut digits = [b'0'; N];
    for (place, digit) in digits.iter_mut().rev().enumerate() {
        *digit = hex_digit(value >> (4 * place));
    }
    digits
}

/// The lowest hexadecimal digit, in lower case.
pub(crate) fn hex_digit(value: u32) -> u8 {
    match (value & 0xf) as u8 {
        digit @ 0..10 => b'0' + digit,
        letter => b'a' - 10 + letter,
    }
}

#[cfg(test)]
mod tests {
    use super::{column, json};

    #[track_caller]
    fn check(input: &[u8], in_json: &str, in_column: &str) {
        let (mut as_json, mut as_column) = (Vec::new(), Vec::new());
        json(input, &mut as_json);
        column(input, &mut as_column);
        assert_eq!(String::from_utf8_lossy(&as_json), in_json);
        assert_eq!(String::from_utf8_lossy(&as_column), in_column);
    }

    #[test]
    fn nothing_leaves_its_field() {
        check(b"", "", "");
        check(b"/plain?x=1&y=%20", "/plain?x=1&y=%20", "/plain?x=1&y=%20");
        check(b"a b", "a b", r"a\x20b");
        check(b"a\"b\\c", r#"a\"b\\c"#, r#"a"b\\c"#);
        check(b"a\r\nb\0\x1b[31m\x7f", r"a\u000d\u000ab\u0000\u001b[31m\u007f", r"a\x0d\x0ab\x00\x1b[31m\x7f");
        check("ünï→日本".as_bytes(), "ünï→日本", "ünï→日本");
        check(
            "\u{9b}\u{2028}\u{202e}\u{a0}".as_bytes(),
            "\\u009b\\u2028\\u202e\u{a0}",
            r"\u{009b}\u{2028}\u{202e}\u{00a0}",
        );
        check(b"a\xff\xfeb\xe6\x97", r"a\ufffd\ufffdb\ufffd", r"a\xff\xfeb\xe6\x97");
    }

    #[test]
    fn a_special_octet_is_found_wherever_it_stands() {
        for at in 0..40 {
            let mut input = [b'a'; 40];
            input[at] = b'\n';
            let mut out = Vec::new();
            json(&input, &mut out);
            assert_eq!(out.len(), 45, "at {at}");
        }
    }
}
