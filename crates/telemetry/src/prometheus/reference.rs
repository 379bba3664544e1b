use super::ROUTES_MAX;
use super::families::groups;
use std::fmt::Write;

/// The page of the manual that lists every metric.
pub fn reference_markdown() -> String {
    let mut page = format!(
        "# Metrics\n\n\
         `GET /metrics` on the admin address or socket, as Prometheus text (0.0.4) or, when the scraper asks for it, \
         OpenMetrics 1.0. Labels come from the configuration and from fixed words; no request makes a series. With \
         more than {ROUTES_MAX} routes, the metrics of single routes are left out unless the scrape asks for \
         `/metrics?all`; a route that was never used has no series.\n"
    );
    for (heading, families) in groups() {
        let _ = write!(page, "\n## {heading}\n\n| name | type | labels | meaning |\n|---|---|---|---|\n");
        for family in families {
            let labels: Vec<String> = family.labels.iter().map(|label| format!("`{label}`")).collect();
            let (name, kind, labels) = (family.name, family.kind.word(), labels.join(", "));
            let _ = writeln!(page, "| `{name}` | {kind} | {labels} | {} |", family.help);
        }
    }
    page
}
