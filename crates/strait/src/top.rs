//! `strait top`: the busiest routes, upstreams, endpoints or clients of a running Strait.

mod screen;

use crate::exit::Exit;
use crate::live::ask;
use crate::operator::{print, say, terminals};
use crate::source::Output;
use crate::status::Admin;
use clap::{Args, ValueEnum};
use screen::{Key, Screen};
use serde_json::{Value, json};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::time::Duration;
use strait_control::client::AdminAddress;

/// Rows where nobody says how many fit.
const ROWS: usize = 20;

/// Watch what is busiest in a running strait
///
/// On a terminal it goes on until `q`: r, u, e and c show routes, upstreams, endpoints and clients; s sorts by another
/// column. Elsewhere it prints a table every interval. Clients are counted while somebody watches.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strait top
  strait top --by client --sort errors
  strait top --by endpoint --count 1 --json")]
pub(crate) struct Top {
    /// What is listed
    #[arg(long, value_enum, default_value_t = By::Route)]
    by: By,
    /// The column that says what comes first
    #[arg(long, value_enum, default_value_t = Sort::Rate)]
    sort: Sort,
    /// Seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..=3600))]
    interval: u64,
    /// End after so many tables
    #[arg(long, value_name = "TABLES")]
    count: Option<u64>,
    #[command(flatten)]
    admin: Admin,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum By {
    Route,
    Upstream,
    Endpoint,
    Client,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Sort {
    Rate,
    P99,
    Errors,
    Name,
}

impl By {
    fn word(self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::Upstream => "upstream",
            Self::Endpoint => "endpoint",
            Self::Client => "client",
        }
    }
}

/// What was counted up to a moment.
#[derive(Debug, Default)]
struct Look {
    now_ms: u64,
    bounds_us: Vec<u64>,
    rows: HashMap<String, Counts>,
}

#[derive(Clone, Debug, Default)]
struct Counts {
    exchanges: u64,
    errors: u64,
    durations: Vec<u64>,
}

/// What happened between two moments.
#[derive(Debug, PartialEq)]
struct Row {
    name: String,
    rate: f64,
    errors: f64,
    /// Upper bounds of the buckets in microseconds, [`u64::MAX`] above the last; `None` without any duration.
    p50_us: Option<u64>,
    p99_us: Option<u64>,
}

impl Top {
    pub(crate) fn run(self, output: Output) -> Exit {
        let address = match self.admin.address() {
            Ok(address) => address,
            Err(exit) => return exit,
        };
        let screen = if terminals().0 && output != Output::Json { Screen::open() } else { None };
        self.watch(&address, output, screen)
    }

    fn watch(self, address: &AdminAddress, output: Output, screen: Option<Screen>) -> Exit {
        let (mut by, mut sort, mut left) = (self.by, self.sort, self.count.unwrap_or(u64::MAX));
        let mut before = match look(address, by) {
            Ok(look) => look,
            Err(exit) => return exit,
        };
        while left > 0 {
            let key = match &screen {
                Some(screen) => screen.wait(Duration::from_secs(self.interval)),
                None => {
                    std::thread::sleep(Duration::from_secs(self.interval));
                    None
                }
            };
            match key {
                Some(Key::Quit) => return Exit::Done,
                Some(Key::Sort) => sort = sort.next(),
                Some(Key::By(wanted)) => by = wanted,
                None => {}
            }
            let now = match look(address, by) {
                Ok(look) => look,
                Err(exit) => return exit,
            };
            let rows = rows(&before, &now, sort);
            match &screen {
                Some(screen) => screen.show(&table(&rows, by, sort, screen.rows())),
                None if output == Output::Json => print(&format!("{}\n", to_json(&rows, by))),
                None => print(&table(&rows, by, sort, ROWS)),
            }
            if key.is_none() || matches!(key, Some(Key::By(_))) {
                before = now;
            }
            left -= 1;
        }
        Exit::Done
    }
}

impl Sort {
    fn next(self) -> Self {
        match self {
            Self::Rate => Self::P99,
            Self::P99 => Self::Errors,
            Self::Errors => Self::Name,
            Self::Name => Self::Rate,
        }
    }
}

fn look(address: &AdminAddress, by: By) -> Result<Look, Exit> {
    let answer = ask(address, &format!("/top?by={}", by.word()))?;
    let Ok(answer) = serde_json::from_str::<Value>(&answer) else {
        say(&format!("{address} answered {answer}"));
        return Err(Exit::Failed);
    };
    let numbers = |value: Option<&Value>| {
        value.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_u64).collect::<Vec<_>>()
    };
    let number = |row: &Value, key: &str| row.get(key).and_then(Value::as_u64).unwrap_or(0);
    let rows = answer.get("rows").and_then(Value::as_array).into_iter().flatten().map(|row| {
        let counts = Counts {
            exchanges: number(row, "exchanges"),
            errors: number(row, "errors"),
            durations: numbers(row.get("durations")),
        };
        (row.get("name").and_then(Value::as_str).unwrap_or_default().to_owned(), counts)
    });
    Ok(Look { now_ms: number(&answer, "now_ms"), bounds_us: numbers(answer.get("bounds_us")), rows: rows.collect() })
}

/// What happened in between, sorted. What did nothing is left out.
fn rows(before: &Look, now: &Look, sort: Sort) -> Vec<Row> {
    let seconds = now.now_ms.saturating_sub(before.now_ms).max(1) as f64 / 1e3;
    let nothing = Counts::default();
    let mut rows: Vec<Row> = now
        .rows
        .iter()
        .filter_map(|(name, counts)| {
            let was = before.rows.get(name).unwrap_or(&nothing);
            let exchanges = counts.exchanges.saturating_sub(was.exchanges);
            let earlier = was.durations.iter().copied().chain(std::iter::repeat(0));
            let durations: Vec<u64> =
                counts.durations.iter().zip(earlier).map(|(now, was)| now.saturating_sub(was)).collect();
            (exchanges > 0 || durations.iter().any(|count| *count > 0)).then(|| Row {
                name: name.clone(),
                rate: exchanges as f64 / seconds,
                errors: counts.errors.saturating_sub(was.errors) as f64 / seconds,
                p50_us: quantile(&durations, &now.bounds_us, 50),
                p99_us: quantile(&durations, &now.bounds_us, 99),
            })
        })
        .collect();
    rows.sort_by(|a, b| {
        let first = match sort {
            Sort::Rate => b.rate.total_cmp(&a.rate),
            Sort::P99 => b.p99_us.cmp(&a.p99_us),
            Sort::Errors => b.errors.total_cmp(&a.errors),
            Sort::Name => std::cmp::Ordering::Equal,
        };
        first.then_with(|| a.name.cmp(&b.name))
    });
    rows
}

/// The bound of the bucket in which this many of a hundred are reached.
fn quantile(durations: &[u64], bounds_us: &[u64], percent: u64) -> Option<u64> {
    let wanted = (durations.iter().sum::<u64>() * percent).div_ceil(100).max(1);
    let mut reached = 0;
    let place = durations.iter().position(|count| {
        reached += count;
        reached >= wanted
    });
    place.map(|place| bounds_us.get(place).copied().unwrap_or(u64::MAX))
}

fn table(rows: &[Row], by: By, sort: Sort, rows_max: usize) -> String {
    let mark = |column| if sort == column { "*" } else { "" };
    let heading = |name: &str, column| format!("{name}{}", mark(column));
    let mut out = format!(
        "{:>10} {:>10} {:>9} {:>9}  {}\n",
        heading("req/s", Sort::Rate),
        heading("errors/s", Sort::Errors),
        "p50",
        heading("p99", Sort::P99),
        heading(by.word(), Sort::Name),
    );
    for row in rows.iter().take(rows_max) {
        let (p50, p99) = (shown(row.p50_us), shown(row.p99_us));
        let name: String = row.name.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
        let _ = writeln!(out, "{:>10.1} {:>10.1} {p50:>9} {p99:>9}  {name}", row.rate, row.errors);
    }
    if rows.is_empty() {
        out.push_str("         -  nothing happens\n");
    }
    out
}

fn shown(us: Option<u64>) -> String {
    match us {
        None => "-".to_owned(),
        Some(u64::MAX) => ">10s".to_owned(),
        Some(us) if us < 1_000 => format!("{us}us"),
        Some(us) if us < 1_000_000 => format!("{}ms", us as f64 / 1e3),
        Some(us) => format!("{}s", us as f64 / 1e6),
    }
}

fn to_json(rows: &[Row], by: By) -> Value {
    let row = |row: &Row| json!({ "name": row.name, "rate": row.rate, "errors": row.errors, "p50_us": row.p50_us, "p99_us": row.p99_us });
    json!({ "by": by.word(), "rows": rows.iter().map(row).collect::<Vec<_>>() })
}

#[cfg(test)]
mod tests {
    use super::{By, Counts, Look, Sort, quantile, rows, table};

    fn look(now_ms: u64, rows: &[(&str, u64, u64, [u64; 3])]) -> Look {
        let counts = |&(name, exchanges, errors, durations): &(&str, u64, u64, [u64; 3])| {
            (name.to_owned(), Counts { exchanges, errors, durations: durations.to_vec() })
        };
        Look { now_ms, bounds_us: vec![100, 2_500], rows: rows.iter().map(counts).collect() }
    }

    #[test]
    fn what_happened_in_between_is_sorted_and_shown() {
        let before = look(1_000, &[("a", 10, 0, [10, 0, 0]), ("idle", 5, 0, [5, 0, 0])]);
        let now = look(3_000, &[("a", 30, 4, [10, 20, 0]), ("b", 6, 6, [0, 0, 6]), ("idle", 5, 0, [5, 0, 0])]);
        let names = |sort| rows(&before, &now, sort).into_iter().map(|row| row.name).collect::<Vec<_>>();
        assert_eq!(names(Sort::Rate), ["a", "b"]);
        assert_eq!(names(Sort::P99), ["b", "a"]);
        assert_eq!(names(Sort::Errors), ["b", "a"]);
        assert_eq!(names(Sort::Name), ["a", "b"]);
        insta::assert_snapshot!(table(&rows(&before, &now, Sort::Errors), By::Route, Sort::Errors, 10));
        assert!(table(&[], By::Client, Sort::Rate, 10).ends_with("nothing happens\n"));
    }

    #[test]
    fn quantiles_are_bounds_of_buckets() {
        assert_eq!(quantile(&[99, 1, 0], &[100, 2_500], 99), Some(100));
        assert_eq!(quantile(&[98, 2, 0], &[100, 2_500], 99), Some(2_500));
        assert_eq!(quantile(&[0, 0, 1], &[100, 2_500], 50), Some(u64::MAX));
        assert_eq!(quantile(&[], &[], 50), None);
    }
}
