//! The picture for the README: CPU per request relative to nginx, as horizontal bars, readable on light and dark pages.

use std::fmt::Write as _;

use crate::rows::{ROWS, Row};
use crate::samples::Samples;

/// The proxies shown, in this order, with the class that colours them.
const SHOWN: [(&str, &str, &str); 5] = [
    ("strait", "Strait", "own"),
    ("nginx", "nginx", "peer"),
    ("haproxy", "HAProxy", "peer"),
    ("envoy", "Envoy", "peer"),
    ("caddy", "Caddy", "peer"),
];

/// Pixels.
const WIDTH: f64 = 760.0;
const LEFT: f64 = 84.0;
const RIGHT: f64 = 76.0;
const BAR: f64 = 13.0;
const BAR_STEP: f64 = 18.0;
const GROUP_GAP: f64 = 36.0;
const TOP: f64 = 58.0;

/// A bar for a higher ratio is cut here and marked, lest one slow proxy make all others look alike.
const RATIO_MAX: f64 = 2.5;

const STYLE: &str = "
text { font: 12px system-ui, -apple-system, 'Segoe UI', Roboto, sans-serif; fill: #24292f; }
.title { font-size: 16px; font-weight: 600; }
.group { font-weight: 600; }
.quiet { fill: #57606a; }
.own { fill: #0a7f6f; } .peer { fill: #b4bcc6; }
text.own { font-weight: 600; }
.rule { stroke: #57606a; stroke-dasharray: 2 3; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3; } .quiet { fill: #9198a1; } .own { fill: #3fd0b6; } .peer { fill: #5b6570; }
  .rule { stroke: #9198a1; }
}
";

/// An SVG of the rows that the picture shows and that were measured; `None` when there is none.
pub(crate) fn svg(samples: &Samples) -> Option<String> {
    let groups: Vec<&Row> =
        ROWS.iter().filter(|row| row.picture && samples.median(row.name, "nginx", row.key()).is_some()).collect();
    if groups.is_empty() {
        return None;
    }
    let mut body = String::new();
    let mut y = TOP;
    for row in groups {
        y = group(samples, row, y, &mut body);
    }
    let rule = LEFT + scale(1.0);
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
         height=\"{height}\" role=\"img\" aria-label=\"CPU per request relative to nginx\">\n<style>{STYLE}</style>\n\
         <text class=\"title\" x=\"0\" y=\"18\">CPU per request relative to nginx</text>\n\
         <text class=\"quiet\" x=\"0\" y=\"36\">Shorter is better. One core for the proxy, access log off, medians of \
         interleaved rounds.</text>\n\
         <line class=\"rule\" x1=\"{rule}\" y1=\"{TOP}\" x2=\"{rule}\" y2=\"{end}\"/>\n{body}</svg>\n",
        height = y - 4.0,
        end = y - GROUP_GAP / 2.0,
    ))
}

/// Draws one row's bars from `y` on and returns where the next group begins.
fn group(samples: &Samples, row: &Row, y: f64, body: &mut String) -> f64 {
    let _ = writeln!(body, "<text class=\"group\" x=\"0\" y=\"{}\">{}</text>", y + 12.0, row.title);
    let mut y = y + 20.0;
    for (target, label, class) in SHOWN {
        let Some(ratio) = samples.ratio(row.name, target, "nginx", row.key()) else { continue };
        bar(label, class, ratio, y, body);
        y += BAR_STEP;
    }
    y + GROUP_GAP - BAR_STEP
}

fn bar(label: &str, class: &str, ratio: f64, y: f64, body: &mut String) {
    let length = scale(ratio.min(RATIO_MAX));
    let baseline = y + BAR - 2.5;
    let cut = if ratio > RATIO_MAX { " ≫" } else { "" };
    let text_class = if class == "own" { "own" } else { "quiet" };
    let _ = writeln!(
        body,
        "<text class=\"{text_class}\" x=\"{x}\" y=\"{baseline}\" text-anchor=\"end\">{label}</text>\
         <rect class=\"{class}\" x=\"{LEFT}\" y=\"{y}\" width=\"{length:.1}\" height=\"{BAR}\" rx=\"2\"/>\
         <text class=\"{text_class}\" x=\"{end:.1}\" y=\"{baseline}\">{ratio:.2}{cut}</text>",
        x = LEFT - 8.0,
        end = LEFT + length + 6.0,
    );
}

/// The length of a bar in pixels.
fn scale(ratio: f64) -> f64 {
    ratio / RATIO_MAX * (WIDTH - LEFT - RIGHT)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::tests::sample;

    #[test]
    fn bars_are_drawn_relative_to_nginx_and_cut_when_long() {
        let all = [("nginx", 10.0), ("strait", 7.0), ("caddy", 50.0)];
        let all = all.map(|(target, value)| sample("keep-alive", target, 0, "cpu_us", value)).to_vec();
        let svg = svg(&Samples { all, ..Samples::default() }).unwrap_or_default();
        assert!(svg.contains(">0.70<") && svg.contains(">5.00 ≫<"), "{svg}");
        assert!(!svg.contains("HAProxy"));
        assert_eq!(svg.matches("<rect").count(), 3);
    }

    #[test]
    fn nothing_measured_is_no_picture() {
        assert!(svg(&Samples::default()).is_none());
    }
}
