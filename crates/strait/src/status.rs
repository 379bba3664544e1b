//! `strait status`: what a running Strait does now.

use crate::exit::Exit;
use crate::live;
use crate::operator::{print, say};
use crate::source::{Output, Source};
use crate::state;
use clap::Args;
use serde_json::Value;
use std::fmt::Write as _;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use strait_config::spec;
use strait_config::value::{Address, Value as _};
use strait_control::admin::SocketPlace;
use strait_control::client::AdminAddress;

/// Show what a running strait does
#[derive(Debug, Args)]
pub(crate) struct Status {
    #[command(flatten)]
    admin: Admin,
}

/// Where a running Strait is asked.
#[derive(Debug, Args)]
pub(crate) struct Admin {
    /// Its admin address or socket [default: 127.0.0.1:9900]; its socket is asked before it
    #[arg(long, value_name = "ADDRESS")]
    admin: Option<String>,
    /// Its configuration, which names the address
    #[arg(short = 'c', long = "config", value_name = "PATH")]
    config: Vec<PathBuf>,
}

impl Admin {
    /// The one that a configuration names.
    pub(crate) fn of(config: &[PathBuf]) -> Self {
        Self { admin: None, config: config.to_vec() }
    }

    /// The address without a word, if there is one.
    pub(crate) fn address_quietly(&self) -> Option<AdminAddress> {
        let source = Source::of(&self.config);
        place(&source.load().ok()?.spec.admin)
    }

    /// The address of this name, or the default one.
    pub(crate) fn at(admin: Option<String>) -> Self {
        Self { admin, config: Vec::new() }
    }

    /// The address: named, or in the configuration named, or the default one.
    pub(crate) fn address(&self) -> Result<AdminAddress, Exit> {
        if let Some(text) = &self.admin {
            let refused = |_| {
                say(&format!("`{text}` is not an admin address: write 127.0.0.1:9900 or unix:/path"));
                Exit::Usage
            };
            let address = Address::parse(text).map_err(refused)?;
            if let Some(socket) = socket_beside(&address) {
                return Ok(socket);
            }
            let token = std::env::var("STRAIT_ADMIN_TOKEN").ok().filter(|token| !token.is_empty());
            return Ok(reachable(address).ok_or(Exit::Usage)?.bearing(token));
        }
        let source = match &*self.config {
            [] => Source::text("defaults", "routes: {/: {respond: here}}"),
            paths => Source::of(paths),
        };
        let admin = source.load().map_err(|findings| Output::Text.refuse(&findings))?.spec.admin;
        place(&admin).ok_or_else(|| {
            say("the configuration switches the admin API off");
            Exit::Failed
        })
    }
}

/// Where a Strait of this configuration is asked: at the socket that is written, else the one beside its address, else
/// the address.
fn place(admin: &spec::Admin) -> Option<AdminAddress> {
    let written = admin.socket.as_ref().or(admin.address.get())?;
    let token = || admin.token.as_ref().map(|token| token.value.clone());
    socket_beside(&written.value).or_else(|| Some(reachable(written.value.clone())?.bearing(token())))
}

/// The socket of the Strait that has this address, if one answers that this user may ask.
fn socket_beside(address: &Address) -> Option<AdminAddress> {
    let address = address.socket()?;
    let sockets = state::socket_folders().into_iter().map(|folder| SocketPlace::In(folder).path(Some(address)));
    sockets.into_iter().find(|path| UnixStream::connect(path).is_ok()).map(AdminAddress::Unix)
}

/// Where to knock for what was bound: for all addresses, at this machine's own.
fn reachable(address: Address) -> Option<AdminAddress> {
    if let Address::Unix(path) = address {
        return Some(AdminAddress::Unix(path));
    }
    let mut socket = address.socket()?;
    if socket.ip().is_unspecified() {
        socket.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    Some(AdminAddress::Tcp(socket))
}

impl Status {
    pub(crate) fn run(self, output: Output) -> Exit {
        let address = match self.admin.address() {
            Ok(address) => address,
            Err(exit) => return exit,
        };
        let body = match live::ask(&address, "/status") {
            Ok(body) => body,
            Err(exit) => return exit,
        };
        match serde_json::from_str::<Value>(&body) {
            Ok(report) if output == Output::Json => print(&format!("{report:#}\n")),
            Ok(report) => print(&text(&report)),
            Err(_) => {
                say(&format!("{address} answered {}", body.trim()));
                return Exit::Failed;
            }
        }
        Exit::Done
    }
}

/// The report for people. What is missing in it is left out.
fn text(report: &Value) -> String {
    let number = |value: &Value, key: &str| value.get(key).and_then(Value::as_u64).unwrap_or(0);
    let word = |value: &Value, key: &str| value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let list = |value: &Value, key: &str| value.get(key).and_then(Value::as_array).cloned().unwrap_or_default();
    let draining = report.get("draining").and_then(Value::as_bool).unwrap_or(false);
    let left = report.get("drain_left_s").and_then(Value::as_u64).filter(|_| draining);
    let state = if draining { "draining" } else { "serving" };
    let state = left.map_or_else(|| state.to_owned(), |left| format!("{state} ({left} s left)"));
    let (version, process) = (word(report, "version"), number(report, "pid"));
    let mut out = format!(
        "strait {version}, process {process}: {state} since {}, generation {}\n",
        since(number(report, "uptime_s")),
        number(report, "generation")
    );
    for listener in list(report, "listeners") {
        let _ = writeln!(out, "  listener  {}  {}", word(&listener, "name"), word(&listener, "address"));
    }
    let workers = list(report, "workers");
    let sum = |key| workers.iter().map(|worker| number(worker, key)).sum::<u64>();
    let _ = writeln!(
        out,
        "  workers   {}: {} connections open, {} exchanges ({} running)",
        workers.len(),
        sum("connections_open"),
        sum("exchanges"),
        sum("exchanges_running")
    );
    for upstream in list(report, "upstreams") {
        let balance = word(&upstream, "balance");
        let balance = if balance.is_empty() { balance } else { format!("  ({balance})") };
        let _ = writeln!(out, "  upstream  {}{balance}", word(&upstream, "name"));
        list(&upstream, "endpoints").iter().for_each(|found| out.push_str(&endpoint(found)));
    }
    for fault in list(report, "faults") {
        let _ = writeln!(out, "  fault     {}  {}", number(&fault, "count"), word(&fault, "code"));
    }
    out
}

/// One endpoint for people.
pub(crate) fn endpoint(report: &Value) -> String {
    let number = |key: &str| report.get(key).and_then(Value::as_u64).unwrap_or(0);
    let mut out = format!(
        "    {}{}  {} attempts, {} failed, {} connections open ({} idle)",
        report.get("name").and_then(Value::as_str).unwrap_or_default(),
        absence(report.get("health")),
        number("attempts"),
        number("faults"),
        number("connections_open"),
        number("connections_idle")
    );
    if number("attempts_running") > 0 {
        let _ = write!(out, ", {} running", number("attempts_running"));
    }
    if number("tier") > 0 {
        let _ = write!(out, ", tier {}", number("tier"));
    }
    let (weight, configured) = (number("weight"), number("weight_configured"));
    if weight != configured {
        let _ = write!(out, ", weight {weight} (configured: {configured})");
    } else if weight != 1 && report.get("weight").is_some() {
        let _ = write!(out, ", weight {weight}");
    }
    out.push('\n');
    out
}

/// Why an endpoint gets no requests, in brackets; nothing where it gets some.
fn absence(health: Option<&Value>) -> String {
    let word = |key: &str| health?.get(key)?.as_str().map(str::to_owned);
    match (word("absence"), word("last_failure")) {
        (Some(absence), Some(why)) if absence == "unhealthy" => format!(" ({absence}: {why})"),
        (Some(absence), _) => format!(" ({absence})"),
        (None, _) => String::new(),
    }
}

/// `3d 4h`, `5m 10s`: the two largest units.
fn since(seconds: u64) -> String {
    let parts = [(seconds / 86_400, "d"), (seconds / 3600 % 24, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let shown = parts.iter().skip_while(|(count, _)| *count == 0).take(2).map(|(count, unit)| format!("{count}{unit}"));
    let shown = shown.collect::<Vec<_>>().join(" ");
    if shown.is_empty() { "0s".to_owned() } else { shown }
}

#[cfg(test)]
mod tests {
    use super::{since, text};
    use serde_json::json;

    #[test]
    fn times_have_two_units() {
        assert_eq!([0, 59, 61, 3600, 90_000].map(since), ["0s", "59s", "1m 1s", "1h 0m", "1d 1h"]);
    }

    #[test]
    fn a_report_is_told() {
        let report = json!({
            "version": "0.1.0", "pid": 7, "generation": 2, "uptime_s": 5, "draining": false,
            "workers": [{"connections_open": 1, "exchanges": 3, "exchanges_running": 1}, {"exchanges": 4}],
            "listeners": [{"name": "http", "address": "[::]:8080"}],
            "upstreams": [{"name": "app", "endpoints": [{"name": "localhost:1", "attempts": 7, "faults": 1, "connections_open": 2, "connections_idle": 1}]}],
            "faults": [{"code": "upstream.connect.refused", "count": 1}],
        });
        insta::assert_snapshot!(text(&report));
        assert!(!text(&json!({})).is_empty());
    }
}
