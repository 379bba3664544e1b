//! What THREAT_MODEL.md promises has a proof that exists.

use crate::source::Source;
use crate::verdict::Verdict;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

const PAGE: &str = "THREAT_MODEL.md";

/// Every row of a table with a column `proof` names something, and everything it names is there: a function, a group of
/// the corpus, a row of the measurements or a step (`known`).
pub(crate) fn check(root: &Path, sources: &[Source], known: &[&str]) -> Verdict {
    let Ok(page) = fs::read_to_string(root.join(PAGE)) else {
        return Verdict::Failed(vec![format!("{PAGE} cannot be read")]);
    };
    let mut there: BTreeSet<String> = known.iter().map(|name| (*name).to_owned()).collect();
    there.extend(corpus(root));
    for source in sources {
        there.extend(functions(&source.text));
        there.extend(rows(&source.text));
    }
    let (found, count) = judge(&page, &there);
    Verdict::of(found, format!("{count} promises"))
}

/// What is wrong with the page, and how many promises it makes.
fn judge(page: &str, there: &BTreeSet<String>) -> (Vec<String>, usize) {
    let (mut found, mut count, mut in_table) = (Vec::new(), 0, false);
    for line in page.lines() {
        in_table = line.starts_with('|') && (in_table || line.ends_with("| proof |"));
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").collect();
        let [threat, _, proof] = cells[..] else { continue };
        if !in_table || proof.trim() == "proof" || proof.starts_with("---") {
            continue;
        }
        count += 1;
        let named: Vec<&str> = proof.split('`').skip(1).step_by(2).collect();
        if named.is_empty() {
            found.push(format!("{PAGE}: `{}` names no proof", threat.trim()));
        }
        let missing = named.iter().filter(|name| !there.contains(**name));
        found.extend(missing.map(|name| format!("{PAGE}: `{name}`, the proof of `{}`, does not exist", threat.trim())));
    }
    (found, count)
}

/// The names of the functions in a source, those inside of macros included.
fn functions(text: &str) -> impl Iterator<Item = String> {
    let words = text.lines().filter_map(|line| line.trim_start().split("fn ").nth(1));
    let names = words.map(|rest| rest.split(['(', '<']).next().unwrap_or_default().to_owned());
    names.filter(|name| !name.is_empty())
}

/// The names of rows of the measurements, and of crates that are named as such.
fn rows(text: &str) -> impl Iterator<Item = String> {
    let quoted = |line: &str| line.trim().strip_prefix("name: \"")?.strip_suffix("\",").map(str::to_owned);
    text.lines().filter_map(quoted)
}

fn corpus(root: &Path) -> Vec<String> {
    let folder = fs::read_dir(root.join("crates/conformance/corpus")).into_iter().flatten().flatten();
    folder.filter_map(|entry| Some(entry.path().file_stem()?.to_string_lossy().into_owned())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_promise_without_a_proof_is_found() {
        let page = "| threat | mechanism | proof |\n|---|---|---|\n| a | b | `there`, `gone` |\n| c | d | none |\n\n| x | y | `z` |\n";
        let (found, count) = judge(page, &BTreeSet::from(["there".to_owned()]));
        assert_eq!(count, 2);
        assert!(found[0].contains("`gone`") && found[1].contains("`c` names no proof"), "{found:?}");
        assert_eq!(functions("    fn a_b(x: u8) {\npub fn c<T>() {").collect::<Vec<_>>(), ["a_b", "c"]);
    }
}
