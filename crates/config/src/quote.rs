//! How a text is written in YAML so that everybody reads the same: the loader, tools of YAML 1.2 and tools of YAML 1.1
//! (PyYAML, Ansible, yamllint and others), which take `no` for a truth value and `12:30` for a number.

use std::fmt::Write as _;

/// What tools that give types to plain scalars take a text for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guess {
    /// Text.
    Text,
    /// A whole number that is written back as it was.
    Integer,
    /// `true` or `false`.
    Boolean,
    /// Something that is written back otherwise, or not at all.
    Other,
}

/// What the plain scalar is taken for by any of them.
pub(crate) fn guess(text: &str) -> Guess {
    match text {
        "true" | "false" => return Guess::Boolean,
        "" | "~" | "=" | "<<" => return Guess::Other,
        _ => {}
    }
    let lower = text.to_ascii_lowercase();
    let words = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];
    if words.contains(&&*lower) {
        return Guess::Other;
    }
    let unsigned = lower.strip_prefix(['-', '+']).unwrap_or(&lower);
    if is_integer(text) {
        return Guess::Integer;
    }
    if is_number(unsigned) || is_sexagesimal(unsigned) || is_date(unsigned) { Guess::Other } else { Guess::Text }
}

/// Written the one way, and small enough for every tool.
fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    let all = !digits.is_empty() && digits.len() <= 15 && digits.bytes().all(|c| c.is_ascii_digit());
    all && (digits == "0" && text == "0" || !digits.starts_with('0'))
}

/// Integers of any base and floats, generously.
fn is_number(text: &str) -> bool {
    if matches!(text, ".inf" | ".nan") {
        return true;
    }
    let based = |prefix: &str, digits: fn(&char) -> bool| {
        text.strip_prefix(prefix).is_some_and(|rest| rest.chars().all(|c| c == '_' || digits(&c)))
    };
    if based("0x", char::is_ascii_hexdigit) || based("0o", char::is_ascii_digit) || based("0b", char::is_ascii_digit) {
        return true;
    }
    let (mantissa, exponent) = text.split_once('e').unwrap_or((text, "0"));
    let exponent = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
    let digits = |part: &str| part.chars().all(|c| c.is_ascii_digit() || c == '_' || c == '.');
    let points = mantissa.matches('.').count();
    points < 2
        && digits(mantissa)
        && mantissa.contains(|c: char| c.is_ascii_digit())
        && exponent.chars().all(|c| c.is_ascii_digit())
}

/// `12:30`, which YAML 1.1 takes for 750: digits, then parts below 60, the last with a fraction or without.
fn is_sexagesimal(text: &str) -> bool {
    let mut parts = text.split(':');
    let whole = |part: &str| !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit() || c == b'_');
    let below = |part: &str| matches!(part.len(), 1 | 2) && part.parse::<u8>().is_ok_and(|number| number < 60);
    let last = |part: &str| {
        part.split_once('.').map_or_else(|| below(part), |(part, rest)| below(part) && (rest.is_empty() || whole(rest)))
    };
    let first = parts.next().is_some_and(whole);
    let rest: Vec<&str> = parts.collect();
    first && rest.split_last().is_some_and(|(end, middle)| last(end) && middle.iter().all(|part| below(part)))
}

/// `2026-11-24`, with or without a time.
fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let mut digits = |count: std::ops::RangeInclusive<usize>| {
        parts.next().is_some_and(|part| {
            let number = part.bytes().take_while(u8::is_ascii_digit).count();
            count.contains(&number)
        })
    };
    digits(4..=4) && digits(1..=2) && digits(1..=2)
}

/// Whether a text can stand without quotes, as far as the grammars go. Inside of brackets and braces less can.
pub(crate) fn is_plain(text: &str, in_flow: bool) -> bool {
    let Some(first) = text.chars().next() else { return false };
    let begins = "-?:,[]{}#&*!|>'\"%@`= ".contains(first) || text.starts_with("...");
    let holds = text.contains(": ") || text.contains(" #") || text.ends_with([':', ' ']) || text.contains("${");
    let breaks = in_flow && text.contains([',', '[', ']', '{', '}']);
    !begins && !holds && !breaks && !text.contains('\t') && !text.chars().any(needs_escape)
}

/// Characters that one of the YAML versions does not print, or takes for a line end.
fn needs_escape(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// The text in quotes: double ones, or single ones where that saves backslashes.
pub(crate) fn quoted(text: &str) -> String {
    if text.contains(['"', '\\']) && !text.contains('\'') && !text.chars().any(needs_escape) {
        return format!("'{text}'");
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if needs_escape(c) => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// The text as a value or key that everybody reads as this text, with as few quotes as that allows. `typed` says that
/// the key takes truth values, so that `true` needs none.
pub(crate) fn written(text: &str, in_flow: bool, typed: bool) -> String {
    let misread = match guess(text) {
        Guess::Text | Guess::Integer => false,
        Guess::Boolean => !typed,
        Guess::Other => true,
    };
    if misread || !is_plain(text, in_flow) { quoted(text) } else { text.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{Guess, guess, written};

    #[test]
    fn what_tools_take_a_scalar_for() {
        let of = |texts: &[&str], expected| texts.iter().for_each(|text| assert_eq!(guess(text), expected, "{text}"));
        of(&["8080", "0", "-1", "999999999999999"], Guess::Integer);
        of(&["true", "false"], Guess::Boolean);
        of(&["no", "On", "Y", "off", "null", "~", "", "True", "=", "<<", "NULL"], Guess::Other);
        of(&["010", "0x1F", "0o17", "0b1", "1_000", "+1", "1.10", "1e3", ".5", "5.", ".inf", "-.INF"], Guess::Other);
        of(
            &["12:30", "1:2:3.5", "2026-11-24", "2026-1-2T03:04:05Z", "1234567890123456", "00", "-0", "1:59"],
            Guess::Other,
        );
        of(
            &[
                "30s",
                "64KiB",
                "10/s",
                "5%",
                "localhost:3000",
                "10.0.0.1",
                "none",
                "a",
                "1.2.x",
                "::1",
                "127.0.0.1:9900",
                "1:60",
                "80:443",
            ],
            Guess::Text,
        );
    }

    #[test]
    fn quotes_are_written_where_they_are_needed() {
        let of = |text: &str, expected: &str| assert_eq!(written(text, false, false), expected);
        of("app", "app");
        of("GET /users/{id}", "GET /users/{id}");
        of("*.example.com", "\"*.example.com\"");
        of("say \"x\"", "say \"x\"");
        of("\"x\"", "'\"x\"'");
        of("it's", "it's");
        of("a: b", "\"a: b\"");
        of("a\u{2028}b", "\"a\\u2028b\"");
        of("${env:PORT}", "\"${env:PORT}\"");
        of("off", "\"off\"");
        of("true", "\"true\"");
        assert_eq!(written("/users/{id}", true, false), "\"/users/{id}\"");
        assert_eq!(written("true", true, true), "true");
    }
}
