//! One word, one meaning: words that names of the code do not use, each with the word that is used instead.

use crate::reviewed::Reviewed;
use crate::source::{Source, Token};
use crate::verdict::Verdict;
use std::collections::BTreeSet;
use std::path::Path;

const LIST: &str = "crates/xtask/vocabulary-allowed.txt";

/// Words in any declared name. Words that protocols own (server, peer, target, settings, options, location) are
/// not here: they are right in their engines and wrong elsewhere, which takes a reader to tell.
const WORDS: &[(&str, &str)] = &[
    ("frontend", "downstream or listener"),
    ("backend", "upstream"),
    ("entrypoint", "listener"),
    ("session", "connection, stream or exchange (session means logins and TLS resumption)"),
    ("transaction", "exchange"),
    ("middleware", "filter"),
    ("plugin", "filter"),
    ("handler", "filter, or the verb of what it does"),
    ("cluster", "upstream (a cluster is a fleet of Strait nodes)"),
    ("balancer", "picker"),
    ("circuit", "breaker"),
    ("adapter", "provider"),
    ("manager", "the noun of what it holds"),
    ("helper", "the noun of what it is"),
    ("helpers", "the noun of what it is"),
    ("util", "the noun of what it is"),
    ("utils", "the noun of what it is"),
];
/// Names no module and no crate has.
const MODULES: &[&str] = &["core", "common", "util", "utils", "types", "misc", "helper", "helpers"];
/// Words that introduce a declared name.
const TYPES: &[&str] = &["struct", "enum", "trait", "type", "union"];
const DECLARATIONS: &[&str] = &["fn", "mod", "const", "static", "struct", "enum", "trait", "type", "union"];

/// Looks at every name the code declares, outside tests.
pub(crate) fn check(root: &Path, sources: &[Source]) -> Verdict {
    let reviewed = Reviewed::read(root, LIST);
    let mut found = Vec::new();
    let mut names = 0;
    for source in sources {
        for name in declared(source) {
            names += 1;
            let objections = objections(&name).into_iter();
            let open = objections.filter(|_| !reviewed.allows(&format!("{} {}", source.path, name.text)));
            found.extend(open.map(|objection| format!("{}:{}: {objection}", source.path, name.line)));
        }
    }
    let rooms: BTreeSet<&str> = sources.iter().map(Source::room).collect();
    found.extend(rooms.iter().filter(|room| MODULES.contains(room)).map(|room| format!("crates/{room}: says nothing")));
    found.extend(reviewed.findings());
    Verdict::of(found, format!("{names} names"))
}

/// A name with the word that declares it.
struct Name<'a> {
    text: &'a str,
    kind: &'a str,
    line: usize,
}

fn declared(source: &Source) -> Vec<Name<'_>> {
    let tokens = source.tokens();
    let pairs = tokens.windows(2).enumerate().filter(|(_, pair)| !source.in_test(pair[0].at));
    let named = pairs.filter_map(|(index, pair)| {
        let kind = declaration(&tokens, index)?;
        Some(Name { text: pair[1].text, kind, line: source.line(pair[1].at) })
    });
    named.filter(|name| name.text.starts_with(|c: char| c.is_alphabetic() || c == '_')).collect()
}

/// The declaring word at `index`: a keyword, or `pub` before a field.
fn declaration<'a>(tokens: &[Token<'a>], index: usize) -> Option<&'a str> {
    let word = tokens[index].text;
    let is_field = || tokens.get(index + 2).is_some_and(|colon| colon.text == ":");
    let is_own = index == 0 || tokens[index - 1].text != "*"; // `*const T` declares nothing
    match word {
        "pub" if is_field() => Some(word),
        _ if is_own && DECLARATIONS.contains(&word) => Some(word),
        _ => None,
    }
}

fn objections(name: &Name<'_>) -> Vec<String> {
    let Name { text, kind, .. } = name;
    let words = words(text);
    let mut found: Vec<String> = WORDS
        .iter()
        .filter(|(word, _)| words.iter().any(|own| own == word))
        .map(|(word, instead)| format!("`{text}` uses `{word}`: say {instead}, or list it in {LIST}"))
        .collect();
    if *kind == "mod" && MODULES.contains(text) {
        found.push(format!("module `{text}` says nothing about what is in it"));
    }
    if *kind == "fn" && text.starts_with("get_") && *text != "get_mut" {
        found.push(format!("`{text}`: no `get_`"));
    }
    if TYPES.contains(kind) && words.last().is_some_and(|last| last == "data") && words.len() > 1 {
        found.push(format!("`{text}`: `Data` says nothing"));
    }
    if TYPES.contains(kind) && has_shouted_acronym(text) {
        found.push(format!("`{text}`: acronyms are words (`TlsAcceptor`)"));
    }
    found
}

fn has_shouted_acronym(name: &str) -> bool {
    name.as_bytes().windows(3).any(|three| three.iter().all(u8::is_ascii_uppercase))
}

/// The words of a snake, camel or upper case name, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        if (c == '_' || (c.is_uppercase() && was_lower)) && words.last().is_some_and(|last| !last.is_empty()) {
            words.push(String::new());
        }
        was_lower = c.is_lowercase() || c.is_numeric();
        if c != '_'
            && let Some(last) = words.last_mut()
        {
            last.extend(c.to_lowercase());
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_objections(text: &str, expected: usize) {
        let source = Source::new("crates/x/src/lib.rs".to_owned(), text.to_owned());
        let found: Vec<String> = declared(&source).iter().flat_map(objections).collect();
        assert_eq!(found.len(), expected, "{text}: {found:?}");
    }

    #[test]
    fn names_split_into_words() {
        assert_eq!(words("idle_ms_max"), ["idle", "ms", "max"]);
        assert_eq!(words("Http1Backend"), ["http1", "backend"]);
        assert_eq!(words("MAX_BACKEND"), ["max", "backend"]);
    }

    #[test]
    fn other_words_are_objected_to_in_declared_names_only() {
        check_objections("pub struct BackendPool;", 1);
        check_objections("fn get_name() {}", 1);
        check_objections("fn get() {} fn get_mut() {} fn target() {}", 0);
        check_objections("mod util;", 2);
        check_objections("struct S { pub plugin: u8 }", 1);
        check_objections("let backend = 1; // middleware", 0);
        check_objections("struct TLSAcceptor; struct RouteData; struct Data;", 2);
        check_objections("#[cfg(test)] mod tests { fn backend() {} }", 0);
    }
}
