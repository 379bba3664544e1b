//! Rust sources as the checks see them: comments and literals blanked, split into tokens, with the test code known.
//!
//! A full parser would make this crate slow to build, and every check here needs names, braces and lines only.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders that hold nothing the project wrote.
const SKIPPED_FOLDERS: &[&str] = &["target", ".git", ".peers", "node_modules", "corpus", "artifacts"];
/// Larger files are data, not text somebody wrote.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// One Rust file.
pub(crate) struct Source {
    /// Path from the root of the workspace, with `/` between folders.
    pub(crate) path: String,
    /// The file as it is.
    pub(crate) text: String,
    /// The same length and lines, with comments and the insides of literals replaced by spaces.
    pub(crate) code: String,
    /// The whole file is for tests, benches or examples only.
    pub(crate) is_test: bool,
    line_starts: Vec<usize>,
    test_spans: Vec<(usize, usize)>,
}

/// A word or one punctuation character of blanked code.
#[derive(Clone, Copy)]
pub(crate) struct Token<'a> {
    pub(crate) text: &'a str,
    pub(crate) at: usize,
}

impl Source {
    /// Prepares one file for the checks; `path` decides whether it is test code by its place.
    pub(crate) fn new(path: String, text: String) -> Source {
        let code = blank(&text);
        let line_starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1)).collect();
        let test_spans = test_spans(&code);
        let is_test = is_test_path(&path) || code.contains("#![cfg(test)]");
        Source { path, text, code, is_test, line_starts, test_spans }
    }

    /// The crate's folder under `crates/`, or the first folder for code elsewhere (`fuzz`).
    pub(crate) fn room(&self) -> &str {
        let mut parts = self.path.split('/');
        match parts.next() {
            Some("crates") => parts.next().unwrap_or(""),
            other => other.unwrap_or(""),
        }
    }

    /// Line number of a byte offset, from 1.
    pub(crate) fn line(&self, at: usize) -> usize {
        self.line_starts.partition_point(|start| *start <= at)
    }

    /// Text of a line counted from 1; empty outside the file.
    pub(crate) fn line_text(&self, line: usize) -> &str {
        self.text.lines().nth(line.saturating_sub(1)).unwrap_or("")
    }

    /// Whether the code at this offset is compiled for tests only.
    pub(crate) fn in_test(&self, at: usize) -> bool {
        self.is_test || self.test_spans.iter().any(|(from, to)| (*from..*to).contains(&at))
    }

    pub(crate) fn tokens(&self) -> Vec<Token<'_>> {
        tokens(&self.code)
    }
}

/// Splits blanked code into words and single punctuation characters.
pub(crate) fn tokens(code: &str) -> Vec<Token<'_>> {
    let mut found = Vec::new();
    let mut word: Option<usize> = None;
    for (at, c) in code.char_indices() {
        let in_word = c.is_alphanumeric() || c == '_';
        match (in_word, word) {
            (true, None) => word = Some(at),
            (false, Some(from)) => {
                found.push(Token { text: &code[from..at], at: from });
                word = None;
            }
            _ => {}
        }
        if !in_word && !c.is_whitespace() {
            found.push(Token { text: &code[at..at + c.len_utf8()], at });
        }
    }
    if let Some(from) = word {
        found.push(Token { text: &code[from..], at: from });
    }
    found
}

/// Index of the token that closes the bracket opened at `open`, or the last token if it never closes.
pub(crate) fn matching(tokens: &[Token<'_>], open: usize) -> usize {
    let mut depth = 0usize;
    for (index, token) in tokens.iter().enumerate().skip(open) {
        match token.text {
            "{" | "(" | "[" => depth += 1,
            "}" | ")" | "]" => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return index;
        }
    }
    tokens.len().saturating_sub(1)
}

/// Byte spans of items under `#[cfg(test)]` and of functions under `#[test]`.
fn test_spans(code: &str) -> Vec<(usize, usize)> {
    let tokens = tokens(code);
    let mut spans = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        if token.text == "#" && tokens.get(index + 1).is_some_and(|next| next.text == "[") {
            let close = matching(&tokens, index + 1);
            if is_test_attribute(&tokens[index + 2..close]) {
                spans.push((token.at, item_end(&tokens, close + 1, code.len())));
            }
        }
    }
    spans
}

fn is_test_attribute(attribute: &[Token<'_>]) -> bool {
    let has = |word: &str| attribute.iter().any(|token| token.text == word);
    match attribute.first().map(|token| token.text) {
        Some("cfg") => has("test") && !has("not"),
        Some("test") => true,
        _ => attribute.last().is_some_and(|last| last.text == "test"),
    }
}

/// Offset just after the item that starts at token `from`: its block's end or its semicolon.
fn item_end(tokens: &[Token<'_>], from: usize, code_len: usize) -> usize {
    let mut index = from;
    while let Some(token) = tokens.get(index) {
        match token.text {
            "{" => return tokens.get(matching(tokens, index)).map_or(code_len, |close| close.at + 1),
            ";" => return token.at + 1,
            "(" | "[" => index = matching(tokens, index),
            _ => {}
        }
        index += 1;
    }
    code_len
}

fn is_test_path(path: &str) -> bool {
    let mut parts = path.rsplit('/');
    let file = parts.next().unwrap_or("");
    file == "tests.rs"
        || file.ends_with("_tests.rs")
        || parts.any(|folder| matches!(folder, "tests" | "benches" | "examples"))
}

/// Replaces comments and the insides of string and character literals by spaces; lines and offsets stay.
pub(crate) fn blank(text: &str) -> String {
    let mut blanker = Blanker { bytes: text.as_bytes(), out: Vec::with_capacity(text.len()), at: 0 };
    while blanker.at < blanker.bytes.len() {
        blanker.step();
    }
    String::from_utf8_lossy(&blanker.out).into_owned()
}

struct Blanker<'a> {
    bytes: &'a [u8],
    out: Vec<u8>,
    at: usize,
}

impl Blanker<'_> {
    fn step(&mut self) {
        let rest = &self.bytes[self.at..];
        if rest.starts_with(b"//") {
            let end = rest.iter().position(|b| *b == b'\n').unwrap_or(rest.len());
            self.hide(end);
        } else if rest.starts_with(b"/*") {
            self.hide(block_comment_len(rest));
        } else if let Some(len) = raw_string_len(rest).filter(|_| !self.after_word()) {
            self.hide(len);
        } else if rest[0] == b'"' {
            self.hide(quoted_len(rest, b'"'));
        } else if rest[0] == b'\'' && is_char_literal(rest) {
            self.hide(quoted_len(rest, b'\''));
        } else {
            self.out.push(rest[0]);
            self.at += 1;
        }
    }

    /// A raw string's `r` must not be the end of a longer name.
    fn after_word(&self) -> bool {
        self.at.checked_sub(1).is_some_and(|before| {
            let b = self.bytes[before];
            b.is_ascii_alphanumeric() || b == b'_'
        })
    }

    fn hide(&mut self, len: usize) {
        let end = (self.at + len).min(self.bytes.len());
        self.out.extend(self.bytes[self.at..end].iter().map(|b| if *b == b'\n' { b'\n' } else { b' ' }));
        self.at = end;
    }
}

fn block_comment_len(rest: &[u8]) -> usize {
    let (mut at, mut depth) = (0, 0usize);
    while at < rest.len() {
        if rest[at..].starts_with(b"/*") {
            depth += 1;
            at += 2;
        } else if rest[at..].starts_with(b"*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += 1;
        }
    }
    rest.len()
}

/// Length of a raw string (`r"…"`, `br#"…"#`, `cr"…"`) that starts here, if one does.
fn raw_string_len(rest: &[u8]) -> Option<usize> {
    let prefix = [&b"r"[..], b"br", b"cr"].into_iter().find(|prefix| rest.starts_with(prefix))?;
    let hashes = rest[prefix.len()..].iter().take_while(|b| **b == b'#').count();
    let open = prefix.len() + hashes;
    if rest.get(open) != Some(&b'"') {
        return None;
    }
    let mut close = vec![b'"'];
    close.extend(std::iter::repeat_n(b'#', hashes));
    let body = &rest[open + 1..];
    let end = body.windows(close.len()).position(|window| window == close).unwrap_or(body.len());
    Some(open + 1 + end + close.len())
}

/// Length of a quoted literal with escapes, both quotes included.
fn quoted_len(rest: &[u8], quote: u8) -> usize {
    let mut at = 1;
    while at < rest.len() && rest[at] != quote {
        at += if rest[at] == b'\\' { 2 } else { 1 };
    }
    at + 1
}

/// Tells `'a'` and `'\n'` from the lifetime `'a`.
fn is_char_literal(rest: &[u8]) -> bool {
    if rest.get(1) == Some(&b'\\') {
        return true;
    }
    let text = String::from_utf8_lossy(&rest[1..rest.len().min(6)]);
    let mut chars = text.chars();
    chars.next().is_some() && chars.next() == Some('\'')
}

/// All Rust files of the crates and of `fuzz/`, in order of path.
pub(crate) fn rust_files(root: &Path) -> Vec<Source> {
    let mut files: Vec<Source> = text_files(root)
        .into_iter()
        .filter(|(path, _)| path.ends_with(".rs") && (path.starts_with("crates/") || path.starts_with("fuzz/")))
        .map(|(path, text)| Source::new(path, text))
        .collect();
    let test_modules: HashSet<String> = files.iter().flat_map(declared_test_modules).collect();
    for file in &mut files {
        file.is_test |= test_modules.contains(&file.path);
    }
    files
}

/// Files of modules declared as `#[cfg(test)] mod name;`.
fn declared_test_modules(file: &Source) -> Vec<String> {
    let tokens = file.tokens();
    let mut found = Vec::new();
    for three in tokens.windows(3) {
        if three[0].text == "mod" && three[2].text == ";" && file.in_test(three[0].at) {
            let folder = module_folder(&file.path);
            found.push(format!("{folder}/{}.rs", three[1].text));
            found.push(format!("{folder}/{}/mod.rs", three[1].text));
        }
    }
    found
}

fn module_folder(path: &str) -> String {
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    match file {
        "lib.rs" | "main.rs" | "mod.rs" => folder.to_owned(),
        _ => format!("{folder}/{}", file.trim_end_matches(".rs")),
    }
}

/// Every text file of the project with its path from the root, in order of path.
pub(crate) fn text_files(root: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    collect(root, root, &mut found);
    found.sort();
    found
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let path: PathBuf = entry.path();
        let name = entry.file_name();
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() && !SKIPPED_FOLDERS.iter().any(|skipped| name == *skipped) {
            collect(root, &path, found);
        } else if kind.is_file()
            && entry.metadata().is_ok_and(|metadata| metadata.len() <= FILE_BYTES_MAX)
            && let Ok(text) = fs::read_to_string(&path)
        {
            let relative = path.strip_prefix(root).unwrap_or(&path);
            found.push((relative.to_string_lossy().replace('\\', "/"), text));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_blank(text: &str, expected: &str) {
        assert_eq!(blank(text), expected, "in {text}");
    }

    #[test]
    fn comments_and_literals_are_blanked_and_offsets_stay() {
        check_blank("a // b\nc", "a     \nc");
        check_blank("a /* b /* { */ */ c", "a                 c");
        check_blank(r#"f("{ \" }", '{', b'\'')"#, "f(        ,    , b    )");
        check_blank(r###"r#"a " b"# x"###, "           x");
        check_blank("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}");
        check_blank("bar\"x\" 'é'", "bar        ");
    }

    #[test]
    fn test_code_is_told_from_product_code() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests { fn b() {} }\nfn c() {}\n#[test]\nfn d() {}\n";
        let source = Source::new("crates/x/src/lib.rs".to_owned(), text.to_owned());
        let at = |name: &str| text.find(name).unwrap_or(0);
        assert!(!source.in_test(at("fn a")) && !source.in_test(at("fn c")));
        assert!(source.in_test(at("fn b")) && source.in_test(at("fn d")));
    }

    #[test]
    fn files_of_test_modules_are_test_code() {
        assert!(is_test_path("crates/x/tests/a.rs") && is_test_path("crates/x/src/head/tests.rs"));
        assert!(!is_test_path("crates/x/src/lib.rs"));
        let text = "#[cfg(test)]\nmod cases;\n".to_owned();
        let found = declared_test_modules(&Source::new("crates/x/src/head.rs".to_owned(), text));
        assert_eq!(found.first().map(String::as_str), Some("crates/x/src/head/cases.rs"));
    }

    #[test]
    fn lines_count_from_one() {
        let source = Source::new("crates/x/src/lib.rs".to_owned(), "a\nb\n".to_owned());
        assert_eq!((source.line(0), source.line(2), source.line_text(2)), (1, 2, "b"));
    }
}
