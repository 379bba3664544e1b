//! What a reader should never meet: hidden panics, unexplained `unsafe`, marks left for later, paths of one machine.

use crate::arrows;
use crate::reviewed::Reviewed;
use crate::source::{Source, Token, text_files};
use crate::verdict::Verdict;
use std::collections::BTreeMap;
use std::path::Path;

const PANICS: &str = "crates/xtask/panics-allowed.txt";
const UNSAFE: &str = "crates/xtask/unsafe-files.txt";
/// How far above `unsafe` its reason may begin.
const SAFETY_LINES_MAX: usize = 12;
// Split, so that this file does not find itself.
const MARKS: &[&str] = &[concat!("TO", "DO"), concat!("FIX", "ME"), concat!("HA", "CK")];
const MACHINE_PATHS: &[&str] =
    &[concat!("/wo", "rk/"), concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/Us", "ers/")];

/// Looks at every source and every other text of the project.
pub(crate) fn check(root: &Path, sources: &[Source]) -> Verdict {
    let mut found = Vec::new();
    let panics = panics(root, sources, &mut found);
    let unsafes = unsafes(root, sources, &mut found);
    let texts = text_files(root);
    found.extend(texts.iter().flat_map(|(path, text)| text_findings(path, text)));
    Verdict::of(found, format!("{} texts, {unsafes} unsafe, panics outside tests: {panics}", texts.len()))
}

/// Counts what can panic by intent, outside tests, for each crate; none may stand in a crate of the product.
///
/// Clippy denies the same, but an `allow` with no reviewer gets past it.
fn panics(root: &Path, sources: &[Source], found: &mut Vec<String>) -> String {
    let reviewed = Reviewed::read(root, PANICS);
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for source in sources {
        let tokens = source.tokens();
        let spots: Vec<usize> = panic_spots(&tokens).filter(|at| !source.in_test(*at)).collect();
        *counts.entry(source.room()).or_default() += spots.len();
        let is_product = !arrows::is_development(source.room());
        if is_product && !spots.is_empty() && !reviewed.allows(&format!("{} {}", source.path, spots.len())) {
            let lines: Vec<String> = spots.iter().map(|at| source.line(*at).to_string()).collect();
            let (count, lines) = (spots.len(), lines.join(", "));
            found.push(format!("{}: {count} unwrap/expect/panic outside tests, lines {lines} ({PANICS})", source.path));
        }
    }
    found.extend(reviewed.findings());
    let counted: Vec<String> =
        counts.iter().filter(|(_, count)| **count > 0).map(|(room, count)| format!("{room} {count}")).collect();
    if counted.is_empty() { "none".to_owned() } else { counted.join(", ") }
}

fn panic_spots<'a>(tokens: &'a [Token<'a>]) -> impl Iterator<Item = usize> + 'a {
    let texts = |index: usize| tokens.get(index).map_or("", |token| token.text);
    tokens.iter().enumerate().filter_map(move |(index, token)| {
        let is_call = index > 0 && texts(index - 1) == "." && texts(index + 1) == "(";
        let panics = match token.text {
            "unwrap" | "expect" => is_call,
            "panic" | "unreachable" | "unimplemented" => texts(index + 1) == "!",
            _ => false,
        };
        panics.then_some(token.at)
    })
}

/// `unsafe` stands in listed files only, each with its reason just above.
fn unsafes(root: &Path, sources: &[Source], found: &mut Vec<String>) -> usize {
    let reviewed = Reviewed::read(root, UNSAFE);
    let mut count = 0;
    for source in sources {
        let spots: Vec<usize> = source.tokens().iter().filter(|t| t.text == "unsafe").map(|t| t.at).collect();
        count += spots.len();
        if !spots.is_empty() && !reviewed.allows(&source.path) {
            found.push(format!("{}: `unsafe` in a file that {UNSAFE} does not name", source.path));
        }
        let silent = spots.iter().map(|at| source.line(*at)).filter(|line| !has_safety_reason(source, *line));
        found.extend(silent.map(|line| format!("{}:{line}: `unsafe` without a SAFETY comment", source.path)));
    }
    found.extend(reviewed.findings());
    count
}

fn has_safety_reason(source: &Source, line: usize) -> bool {
    let says_why = |text: &str| text.contains("SAFETY:") || text.contains("# Safety");
    let first = line.saturating_sub(SAFETY_LINES_MAX).max(1);
    for above in (first..=line).rev() {
        let text = source.line_text(above).trim();
        if says_why(text) {
            return true;
        }
        // Another statement's end: a reason above it belongs to that statement.
        if above < line && (text.is_empty() || (!text.starts_with("//") && text.ends_with([';', '}']))) {
            return false;
        }
    }
    false
}

fn text_findings(path: &str, text: &str) -> Vec<String> {
    let lines = text.lines().enumerate();
    let found = lines.flat_map(|(index, line)| {
        let marks = MARKS.iter().filter(|mark| has_word(line, mark));
        let marks = marks.map(move |mark| format!("{path}:{}: {mark} (file an issue instead)", index + 1));
        let places = MACHINE_PATHS.iter().filter(|place| has_absolute(line, place));
        marks.chain(places.map(move |place| format!("{path}:{}: {place} is a path of one machine", index + 1)))
    });
    found.collect()
}

fn has_word(line: &str, word: &str) -> bool {
    let is_edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric() && c != '_');
    line.match_indices(word)
        .any(|(at, _)| is_edge(line[..at].chars().next_back()) && is_edge(line[at + word.len()..].chars().next()))
}

/// Whether an absolute path begins here: `x/home/` and `example.com/home/` do not count.
fn has_absolute(line: &str, place: &str) -> bool {
    let before = |at: usize| line[..at].chars().next_back();
    line.match_indices(place).any(|(at, _)| before(at).is_none_or(|c| c.is_whitespace() || "\"'`(=:".contains(c)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(text: &str) -> Source {
        Source::new("crates/x/src/lib.rs".to_owned(), text.to_owned())
    }

    #[test]
    fn panics_are_counted_and_their_safe_cousins_are_not() {
        let source = source("a.unwrap(); b.unwrap_or(0); c.expect(\"x\"); panic!(); fn unwrap() {}");
        assert_eq!(panic_spots(&source.tokens()).count(), 3);
    }

    #[test]
    fn unsafe_needs_a_reason_of_its_own() {
        assert!(has_safety_reason(&source("// SAFETY: a\nlet x =\n    unsafe { f() };"), 3));
        assert!(has_safety_reason(&source("/// # Safety\n/// b\n#[inline]\nunsafe fn f() {}"), 4));
        assert!(!has_safety_reason(&source("// SAFETY: a\nlet x = 1;\nunsafe { f() };"), 3));
        assert!(!has_safety_reason(&source("unsafe { f() };"), 1));
    }

    #[test]
    fn marks_and_machine_paths_are_found_in_texts() {
        let text = format!("# {}: later\ncd {}me/me\nsee example.com{}x", MARKS[0], "/ho", MACHINE_PATHS[0]);
        assert_eq!(text_findings("a.md", &text).len(), 2);
        assert!(text_findings("a.md", &format!("{}S x", MARKS[0])).is_empty());
    }
}
