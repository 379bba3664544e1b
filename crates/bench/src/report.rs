//! Samples as Markdown: one table with every row and its goals, then each row by itself.

use std::fmt::Write as _;

use crate::peers::Peer;
use crate::rows::{Goal, Metric, ROWS, Reference, Row, Sense};
use crate::samples::Samples;

/// Two medians closer than this are told as a tie.
const TIE: f64 = 0.03;

/// The columns of the first table.
const COLUMNS: [&str; 9] =
    ["floor", "nginx", "haproxy", "envoy", "caddy", "strait", "strait+json", "strait+metrics", "strait+json+metrics"];

/// What became of a goal.
pub(crate) enum Verdict {
    /// Nothing to compare yet.
    Unknown,
    Met {
        value: f64,
    },
    /// Missed by this part of the bound.
    Missed {
        value: f64,
        by: f64,
    },
}

/// The whole report.
pub(crate) fn markdown(samples: &Samples) -> String {
    let mut text = String::from("# Strait beside its peers\n\n");
    for (name, fact) in &samples.about {
        let _ = writeln!(text, "- {name}: {fact}");
    }
    text.push_str(
        "\nCPU µs per request = user + system time of all the proxy's processes / completed requests, at saturation, \
         the proxy on one core, load and origin on another. Medians of interleaved rounds; in brackets the ratio to \
         nginx in the same round, `=` when within 3 %. Other load: CPU time of everything else on the machine, in cores.\n\n",
    );
    summary(samples, &mut text);
    for row in measured(samples) {
        detail(samples, row, &mut text);
    }
    text
}

fn measured(samples: &Samples) -> impl Iterator<Item = &'static Row> {
    ROWS.iter().filter(|row| samples.all.iter().any(|sample| sample.row == row.name))
}

fn summary(samples: &Samples, text: &mut String) {
    let columns: Vec<&str> =
        COLUMNS.into_iter().filter(|column| samples.all.iter().any(|sample| sample.target == *column)).collect();
    let _ = writeln!(text, "| row | {} | goal | verdict |", columns.join(" | "));
    let _ = writeln!(text, "|---|{}---|---|", "---|".repeat(columns.len()));
    for row in measured(samples) {
        for metric in row.metrics {
            let goals = row.goals.iter().filter(|goal| goal.metric == metric.key);
            let (goals, verdicts): (Vec<_>, Vec<_>) =
                goals.map(|goal| (goal_words(goal, metric), verdict_words(samples, row, goal, metric))).unzip();
            let cells: Vec<String> = columns.iter().map(|target| cell(samples, row, target, metric)).collect();
            let _ = writeln!(
                text,
                "| {}, {} | {} | {} | {} |",
                row.title,
                metric.unit,
                cells.join(" | "),
                goals.join("; "),
                verdicts.join("; ")
            );
        }
    }
}

fn cell(samples: &Samples, row: &Row, target: &str, metric: &Metric) -> String {
    let Some(median) = samples.median(row.name, target, metric.key) else { return "–".to_owned() };
    let number = format!("{median:.*}", metric.digits);
    match samples.ratio(row.name, target, Peer::Nginx.name(), metric.key) {
        Some(ratio) if target != Peer::Nginx.name() && metric.key == row.key() => {
            format!("{number} ({})", ratio_words(ratio))
        }
        _ => number,
    }
}

fn ratio_words(ratio: f64) -> String {
    if (ratio - 1.0).abs() < TIE { "=".to_owned() } else { format!("{ratio:.2}") }
}

fn detail(samples: &Samples, row: &Row, text: &mut String) {
    let Some(metric) = row.metrics.first() else { return };
    let _ = writeln!(text, "\n## {}\n", row.title);
    let _ = writeln!(
        text,
        "| target | {} median | least–most | × floor | × nginx | × best peer | user share | core busy | other load | per second |",
        metric.unit
    );
    text.push_str("|---|---|---|---|---|---|---|---|---|---|\n");
    let best = best_peer(samples, row.name, metric.key);
    for target in targets(samples, row) {
        let Some(spread) = samples.spread(row.name, &target, metric.key) else { continue };
        let ratio = |reference: Option<&str>| {
            let ratio = samples.ratio(row.name, &target, reference?, metric.key);
            ratio.map(ratio_words)
        };
        let ratio = |reference| ratio(reference).unwrap_or("–".to_owned());
        let share = |key| {
            samples.median(row.name, &target, key).map_or("–".to_owned(), |share| format!("{:.0} %", share * 100.0))
        };
        let rate =
            samples.median(row.name, &target, "per_second").map_or("–".to_owned(), |rate| format!("{rate:.0}"));
        let errors = samples.errors(row.name, &target);
        let errors = if errors > 0.0 { format!(" **{errors} errors**") } else { String::new() };
        let _ = writeln!(
            text,
            "| {target}{errors} | {:.digits$} | {:.digits$}–{:.digits$} | {} | {} | {} | {} | {} | {} | {rate} |",
            spread.median,
            spread.least,
            spread.most,
            ratio(Some(Peer::Floor.name())),
            ratio(Some(Peer::Nginx.name())),
            ratio(best),
            share("user_share"),
            share("busy"),
            share("foreign"),
            digits = metric.digits,
        );
    }
}

/// The targets that a row has samples of, cheapest first.
fn targets(samples: &Samples, row: &Row) -> Vec<String> {
    let of_row = samples.all.iter().filter(|sample| sample.row == row.name);
    let mut targets: Vec<String> = of_row.map(|sample| sample.target.clone()).collect();
    targets.sort();
    targets.dedup();
    let median = |target: &String| samples.median(row.name, target, row.key()).unwrap_or(f64::MAX);
    targets.sort_by(|one, other| median(one).total_cmp(&median(other)));
    targets
}

/// The cheapest of the peers that Strait is compared with.
fn best_peer(samples: &Samples, row: &str, key: &str) -> Option<&'static str> {
    let peers = [Peer::Nginx, Peer::Haproxy, Peer::Envoy, Peer::Caddy].map(Peer::name);
    let measured = peers.into_iter().filter_map(|peer| Some((peer, samples.median(row, peer, key)?)));
    measured.min_by(|(_, one), (_, other)| one.total_cmp(other)).map(|(peer, _)| peer)
}

/// Whether a goal is met by what was measured.
pub(crate) fn verdict(samples: &Samples, row: &Row, goal: &Goal) -> Verdict {
    let against = |reference: &str| samples.ratio(row.name, goal.target, reference, goal.metric);
    let value = match goal.of {
        Reference::Absolute => samples.median(row.name, goal.target, goal.metric),
        Reference::Floor => against(Peer::Floor.name()),
        Reference::BestPeer => best_peer(samples, row.name, goal.metric).and_then(against),
        Reference::Peer(peer) => against(peer.name()),
        Reference::HyperByNginx(_) => against(Peer::Nginx.name()),
    };
    let Some(value) = value else { return Verdict::Unknown };
    let by = match goal.sense {
        Sense::AtMost => value / goal.bound - 1.0,
        Sense::AtLeast => 1.0 - value / goal.bound,
    };
    if by <= 0.0 { Verdict::Met { value } } else { Verdict::Missed { value, by } }
}

fn goal_words(goal: &Goal, metric: &Metric) -> String {
    let sign = if goal.sense == Sense::AtMost { "≤" } else { "≥" };
    let bound = match goal.of {
        Reference::Absolute => format!("{} {}", goal.bound, metric.unit),
        Reference::Floor => format!("{:.2} × floor", goal.bound),
        Reference::BestPeer => format!("{:.2} × best peer", goal.bound),
        Reference::Peer(peer) => format!("{:.2} × {}", goal.bound, peer.name()),
        Reference::HyperByNginx(of_hyper) => format!("{:.2} × nginx (for {of_hyper:.2} × hyper)", goal.bound),
    };
    let target = if goal.target == "strait" { String::new() } else { format!("{}: ", goal.target) };
    format!("{target}{sign} {bound}")
}

fn verdict_words(samples: &Samples, row: &Row, goal: &Goal, metric: &Metric) -> String {
    let number = |value: f64| match goal.of {
        Reference::Absolute => format!("{value:.*}", metric.digits),
        _ => format!("{value:.2} ×"),
    };
    match verdict(samples, row, goal) {
        Verdict::Unknown => "–".to_owned(),
        Verdict::Met { value } => format!("met ({})", number(value)),
        Verdict::Missed { value, by } => format!("**missed by {:.0} %** ({})", (by * 100.0).max(1.0), number(value)),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::samples::tests::sample;

    fn keep_alive(strait: f64) -> Samples {
        let all = [("floor", 8.0), ("nginx", 12.0), ("haproxy", 11.8), ("strait", strait)];
        let all = all.map(|(target, value)| sample("keep-alive", target, 0, "cpu_us", value)).to_vec();
        Samples { all, ..Samples::default() }
    }

    #[test]
    fn goals_are_judged_against_their_reference() {
        let row = ROWS.iter().find(|row| row.name == "keep-alive").unwrap();
        let [of_floor, of_peer, with_log] = row.goals else { unreachable!() };
        assert!(matches!(verdict(&keep_alive(9.0), row, of_floor), Verdict::Met { .. }));
        assert!(matches!(verdict(&keep_alive(9.6), row, of_floor), Verdict::Missed { by, .. } if by < 0.05));
        assert!(matches!(verdict(&keep_alive(9.6), row, of_peer), Verdict::Met { value } if value < 0.82));
        assert!(matches!(verdict(&keep_alive(9.6), row, with_log), Verdict::Unknown));
    }

    #[test]
    fn ties_are_told_as_ties() {
        let text = markdown(&keep_alive(9.0));
        assert!(text.contains("| 8.0 (0.67) | 12.0 | 11.8 (=) | 9.0 (0.75) |"), "{text}");
    }
}
