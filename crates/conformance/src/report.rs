//! Outcomes as text.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::corpus::{Case, Level, Section};
use crate::escape::encode;
use crate::judge::summary;
use crate::run::Outcome;

/// The outcomes of one target.
pub struct Column {
    /// Name and version.
    pub title: String,
    /// Its outcomes.
    pub outcomes: Vec<Outcome>,
}

/// Passed and run, by section.
fn by_section<'a>(cases: &'a [Case], column: &Column) -> BTreeMap<&'a str, (usize, usize)> {
    let mut counts = BTreeMap::new();
    for outcome in &column.outcomes {
        let count: &mut (usize, usize) = counts.entry(cases[outcome.index].section()).or_default();
        count.0 += usize::from(outcome.failures.is_empty());
        count.1 += 1;
    }
    counts
}

fn by_level(cases: &[Case], column: &Column, level: Level) -> (usize, usize) {
    let chosen = || column.outcomes.iter().filter(|outcome| cases[outcome.index].level == level);
    (chosen().filter(|outcome| outcome.failures.is_empty()).count(), chosen().count())
}

/// The table of all targets in Markdown: a row a section, then the sums by level.
pub fn table(sections: &[Section], cases: &[Case], columns: &[Column]) -> String {
    let mut text = String::from("| section | cases |");
    for column in columns {
        let _ = write!(text, " {} |", column.title);
    }
    let _ = write!(text, "\n|---|---:|{}", "---:|".repeat(columns.len()));
    text.push('\n');
    let counts: Vec<_> = columns.iter().map(|column| by_section(cases, column)).collect();
    for section in sections {
        let Some((_, run)) = counts.iter().find_map(|count| count.get(section.name.as_str())) else { continue };
        let _ = write!(text, "| {} {} | {run} |", section.name, section.title);
        for count in &counts {
            let _ = write!(text, " {} |", count.get(section.name.as_str()).map_or(0, |count| count.0));
        }
        text.push('\n');
    }
    for level in [Level::Must, Level::Should, Level::Policy] {
        let all = columns.first().map_or(0, |column| by_level(cases, column, level).1);
        let _ = write!(text, "| **{}** | {all} |", level.as_str());
        for column in columns {
            let _ = write!(text, " **{}** |", by_level(cases, column, level).0);
        }
        text.push('\n');
    }
    text
}

/// One line a failure.
pub fn failures(cases: &[Case], column: &Column) -> String {
    let mut text = String::new();
    for outcome in column.outcomes.iter().filter(|outcome| !outcome.failures.is_empty()) {
        let case = &cases[outcome.index];
        let _ = writeln!(text, "{:6} {}: {}", case.level.as_str(), case.name, outcome.failures.join("; "));
    }
    text
}

/// Everything about one outcome: the rule, the verdict, and the bytes on both sides.
pub fn details(case: &Case, outcome: &Outcome) -> String {
    let seen = &outcome.observation;
    let verdict = if outcome.failures.is_empty() { "passed".into() } else { outcome.failures.join("\n  ") };
    format!(
        "{} ({}: {})\n  {verdict}\n--- client sent\n{}\n--- client received ({})\n{}\n--- origin received ({} requests)\n{}\n",
        case.name,
        case.level.as_str(),
        case.rule,
        encode(&seen.sent),
        summary(case, seen),
        encode(&seen.received),
        seen.log.requests.len(),
        encode(&seen.log.bytes),
    )
}
