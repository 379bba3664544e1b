//! Functions, not files, are short: p90 ≤ 30 lines, p99 ≤ 100, and whatever is above 70 stands in a reviewed list.

use crate::reviewed::Reviewed;
use crate::source::{Source, Token, matching};
use crate::verdict::Verdict;
use std::path::Path;

const P90_MAX: usize = 30;
const P99_MAX: usize = 100;
const LINES_MAX: usize = 70;
const LIST: &str = "crates/xtask/long-functions.txt";

/// A function with a body.
struct Function {
    name: String,
    path: String,
    line: usize,
    lines: usize,
}

/// Measures every function outside tests.
pub(crate) fn check(root: &Path, sources: &[Source]) -> Verdict {
    let functions: Vec<Function> = sources.iter().flat_map(functions).collect();
    let lengths = sorted_lengths(&functions);
    let (median, p90, p99) = (percentile(&lengths, 50), percentile(&lengths, 90), percentile(&lengths, 99));
    let reviewed = Reviewed::read(root, LIST);
    let mut found: Vec<String> = functions.iter().filter_map(|function| too_long(function, &reviewed)).collect();
    found.extend(reviewed.findings());
    if p90 > P90_MAX || p99 > P99_MAX {
        found.push(format!("functions too long as a whole: p90 {p90} (max {P90_MAX}), p99 {p99} (max {P99_MAX})"));
    }
    Verdict::of(found, format!("{} functions, median {median}, p90 {p90}, p99 {p99} lines", functions.len()))
}

fn too_long(function: &Function, reviewed: &Reviewed) -> Option<String> {
    let Function { name, path, line, lines } = function;
    (*lines > LINES_MAX && !reviewed.allows(&format!("{path} {name}"))).then(|| {
        format!(
            "{path}:{line}: `{name}` has {lines} lines (max {LINES_MAX}): split it, or list it in {LIST} with a reason"
        )
    })
}

fn sorted_lengths(functions: &[Function]) -> Vec<usize> {
    let mut lengths: Vec<usize> = functions.iter().map(|function| function.lines).collect();
    lengths.sort_unstable();
    lengths
}

fn percentile(sorted: &[usize], percent: usize) -> usize {
    let rank = (sorted.len() * percent).div_ceil(100).max(1);
    sorted.get(rank - 1).copied().unwrap_or(0)
}

fn functions(source: &Source) -> Vec<Function> {
    let tokens = source.tokens();
    let starts = tokens.windows(2).enumerate().filter(|(_, pair)| pair[0].text == "fn" && is_name(pair[1].text));
    let starts = starts.filter(|(_, pair)| !source.in_test(pair[0].at));
    starts.filter_map(|(index, _)| measure(source, &tokens, index)).collect()
}

fn is_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// The function whose `fn` is at `index`; none if it is only declared.
fn measure(source: &Source, tokens: &[Token<'_>], index: usize) -> Option<Function> {
    let mut at = index + 2;
    while !matches!(tokens.get(at)?.text, "{" | ";") {
        // An array type in the signature holds a semicolon of its own.
        at = if matches!(tokens[at].text, "(" | "[") { matching(tokens, at) } else { at } + 1;
    }
    if tokens[at].text == ";" {
        return None;
    }
    let line = source.line(tokens[index].at);
    let last = source.line(tokens[matching(tokens, at)].at);
    Some(Function { name: tokens[index + 1].text.to_owned(), path: source.path.clone(), line, lines: last - line + 1 })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_lengths(text: &str, expected: &[(&str, usize)]) {
        let source = Source::new("crates/x/src/lib.rs".to_owned(), text.to_owned());
        let found = functions(&source);
        let found: Vec<(&str, usize)> = found.iter().map(|f| (f.name.as_str(), f.lines)).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn functions_are_measured_from_fn_to_closing_brace() {
        check_lengths("fn a() {}\nfn b(x: [u8; 4]) -> [u8; 2] {\n    \"}\"\n}\n", &[("a", 1), ("b", 3)]);
        check_lengths("trait T { fn a(&self);\n fn b(&self) {\n if x { 1 }\n }\n}", &[("b", 3)]);
        check_lengths("type F = fn(u8) -> u8;\n#[cfg(test)]\nmod tests { fn a() {} }", &[]);
    }

    #[test]
    fn percentiles_are_of_the_nearest_rank() {
        let lengths: Vec<usize> = (1..=10).collect();
        assert_eq!((percentile(&lengths, 50), percentile(&lengths, 90), percentile(&lengths, 99)), (5, 9, 10));
        assert_eq!(percentile(&[], 90), 0);
    }
}
