//! Places as editors name them: `file:` URIs, and positions by line and UTF-16 unit.

use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// The path of a `file:` URI.
pub(super) fn path(uri: &str) -> Option<PathBuf> {
    let rest = uri.strip_prefix("file://")?;
    let encoded = rest.get(rest.find('/')?..)?.as_bytes();
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut at = 0;
    while let Some(&byte) = encoded.get(at) {
        let pair = encoded.get(at + 1..at + 3).and_then(|pair| std::str::from_utf8(pair).ok());
        match pair.filter(|_| byte == b'%').and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(decoded) => {
                bytes.push(decoded);
                at += 3;
            }
            None => {
                bytes.push(byte);
                at += 1;
            }
        }
    }
    String::from_utf8(bytes).ok().map(PathBuf::from)
}

/// The `file:` URI of a path.
pub(super) fn uri(path: &Path) -> String {
    let absolute = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let text = absolute.display().to_string();
    let escape = |byte: u8| match byte {
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'_' | b'.' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    format!("file://{}", text.bytes().map(escape).collect::<String>())
}

/// The byte that a position stands before; the end of the line if that is shorter.
pub(super) fn offset(text: &str, position: &Value) -> usize {
    let number =
        |key: &str| position.get(key).and_then(Value::as_u64).and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    let mut start = 0;
    for _ in 0..number("line") {
        match text.get(start..).and_then(|rest| rest.find('\n')) {
            Some(end) => start += end + 1,
            None => return text.len(),
        }
    }
    let line = text.get(start..).unwrap_or_default().lines().next().unwrap_or_default();
    let mut left = number("character");
    for (at, c) in line.char_indices() {
        if left < c.len_utf16() {
            return start + at;
        }
        left -= c.len_utf16();
    }
    start + line.len()
}

/// The position of a byte.
pub(super) fn position(text: &str, offset: usize) -> Value {
    let before = text.get(..offset.min(text.len())).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let units: usize = before.get(line_start..).unwrap_or_default().chars().map(char::len_utf16).sum();
    json!({"line": before.matches('\n').count(), "character": units})
}

/// The range between two bytes.
pub(super) fn range(text: &str, start: usize, end: usize) -> Value {
    json!({"start": position(text, start), "end": position(text, end.max(start))})
}

#[cfg(test)]
mod tests {
    use super::{offset, path, position, uri};
    use serde_json::json;
    use std::path::{Path, PathBuf};

    #[test]
    fn uris_are_paths() {
        assert_eq!(path("file:///a%20b/%C3%A9.yaml"), Some(PathBuf::from("/a b/é.yaml")));
        assert_eq!(path("file://localhost/a"), Some(PathBuf::from("/a")));
        assert_eq!(path("untitled:1"), None);
        assert_eq!(uri(Path::new("/a b/é.yaml")), "file:///a%20b/%C3%A9.yaml");
    }

    #[test]
    fn positions_count_utf16_units() {
        let text = "a: b\né😀: c\n";
        let at = |line, character| offset(text, &json!({"line": line, "character": character}));
        assert_eq!((at(0, 3), at(0, 99), at(1, 1), at(1, 3), at(9, 0)), (3, 4, 7, 11, text.len()));
        assert_eq!(position(text, 11), json!({"line": 1, "character": 3}));
    }
}
