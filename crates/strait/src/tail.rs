//! `strait tail`: exchanges of a running Strait as they end.

use crate::exit::Exit;
use crate::live::{ask, escaped};
use crate::operator::{print, say};
use crate::source::Output;
use crate::status::Admin;
use clap::{Args, ValueEnum};
use serde_json::Value;
use std::time::Duration;

/// How often it is asked.
const INTERVAL: Duration = Duration::from_millis(200);

/// Watch the requests of a running strait as they end
///
/// Sees every request, whatever the access log samples or leaves out. Workers do not wait for whoever watches: what
/// cannot be shown in time is counted and said.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  strait tail
  strait tail --errors
  strait tail --slower 500ms --upstream app
  strait tail --filter \"request.method == 'POST' && client.ip in '10.0.0.0/8'\"")]
pub(crate) struct Tail {
    /// Only those for which this condition holds: names of requests and of ended exchanges, without headers
    #[arg(long, value_name = "CONDITION")]
    filter: Vec<String>,
    /// Only those that a fault ended, or with a status from 500 up
    #[arg(long)]
    errors: bool,
    /// Only those that took longer
    #[arg(long, value_name = "DURATION")]
    slower: Option<String>,
    /// Only those of this route, by its pattern
    #[arg(long, value_name = "PATTERN")]
    route: Option<String>,
    /// Only those of this upstream
    #[arg(long, value_name = "NAME")]
    upstream: Option<String>,
    /// Only those of this client
    #[arg(long, value_name = "ADDRESS")]
    client: Option<std::net::IpAddr>,
    /// How lines are written
    #[arg(long, value_enum, default_value_t = Line::Text)]
    line: Line,
    /// End after so many lines
    #[arg(long, value_name = "LINES")]
    count: Option<u64>,
    #[command(flatten)]
    admin: Admin,
}

/// How lines are written: as the access log does by these names.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Line {
    Text,
    Json,
    Logfmt,
    Ecs,
    Combined,
}

impl Tail {
    pub(crate) fn run(self, output: Output) -> Exit {
        let address = match self.admin.address() {
            Ok(address) => address,
            Err(exit) => return exit,
        };
        let line = if output == Output::Json { Line::Json } else { self.line };
        let mut fixed = format!("format={}", line.word());
        if let Some(filter) = self.condition() {
            fixed.push_str(&format!("&filter={}", escaped(&filter)));
        }
        let (mut since, mut left) = (String::new(), self.count.unwrap_or(u64::MAX));
        loop {
            let answer = match ask(&address, &format!("/tail?{fixed}{since}")) {
                Ok(answer) => answer,
                Err(exit) => return exit,
            };
            let Ok(answer) = serde_json::from_str::<Value>(&answer) else {
                say(&format!("{address} answered {answer}"));
                return Exit::Failed;
            };
            left = show(&answer, left);
            if left == 0 {
                return Exit::Done;
            }
            let next = answer.get("next").and_then(Value::as_u64).unwrap_or(0);
            since = format!("&since={next}");
            std::thread::sleep(INTERVAL);
        }
    }

    /// All that is asked for, as one condition.
    fn condition(&self) -> Option<String> {
        let quoted = |text: &str| format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"));
        let mut all: Vec<String> = self.filter.iter().map(|filter| format!("({filter})")).collect();
        // The ends of faults are codes; others have no dot.
        all.extend(self.errors.then(|| "(status >= 500 || exchange.end.contains('.'))".to_owned()));
        all.extend(self.slower.as_ref().map(|duration| format!("duration > {duration}")));
        all.extend(self.route.as_ref().map(|route| format!("route.pattern == {}", quoted(route))));
        all.extend(self.upstream.as_ref().map(|upstream| format!("upstream.name == {}", quoted(upstream))));
        all.extend(self.client.map(|client| format!("client.ip == '{client}'")));
        (!all.is_empty()).then(|| all.join(" && "))
    }
}

impl Line {
    fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Logfmt => "logfmt",
            Self::Ecs => "ecs",
            Self::Combined => "combined",
        }
    }
}

/// Prints the lines of an answer, so many at most; how many may still follow.
fn show(answer: &Value, left: u64) -> u64 {
    if let Some(missed) = answer.get("missed").and_then(Value::as_u64).filter(|missed| *missed > 0) {
        say(&format!("{missed} requests went by unseen"));
    }
    let lines = answer.get("lines").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let shown: Vec<&str> =
        lines.iter().filter_map(Value::as_str).take(usize::try_from(left).unwrap_or(usize::MAX)).collect();
    if !shown.is_empty() {
        print(&format!("{}\n", shown.join("\n")));
    }
    left - shown.len() as u64
}
