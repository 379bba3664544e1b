//! `strait doctor`: whether this machine lets Strait do its work, and what to change where it does not.

use crate::descriptors;
use crate::exit::Exit;
use crate::operator::print;
use crate::ports;
use crate::source::{Output, Source};
use crate::state;
use crate::status::Admin;
use clap::Args;
use serde_json::json;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use strait_compile::Compiler;
use strait_config::{Diagnostics, Snapshot};
use strait_plan::{ListenAddress, Plan};

/// Connections the kernel should hold until they are accepted: what listeners ask for.
const BACKLOG: u64 = 4096;
/// Connections below which the limit on open files is worth a word.
const CONNECTIONS: u64 = 10_000;
/// Local ports below which connections to one endpoint run short.
const LOCAL_PORTS: u64 = 20_000;

/// Look whether this machine and the configuration go together
///
/// Limits of the system, ports, permissions, the configuration, and whether a running strait answers. Ends with 1 when
/// something will not work, with 78 when it is the configuration.
#[derive(Debug, Args)]
pub(crate) struct Doctor {
    /// Files and folders, read as one [default: strait.yaml, then /etc/strait/strait.yaml]
    #[arg(value_name = "PATH")]
    config: Vec<PathBuf>,
}

/// How a thing stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Health {
    Good,
    /// It works, with less than it could.
    Poor,
    /// It will not work.
    Bad,
}

/// One thing that was looked at.
#[derive(Debug)]
struct Finding {
    what: &'static str,
    health: Health,
    found: String,
    /// What to do about it.
    fix: Option<String>,
}

impl Finding {
    fn good(what: &'static str, found: String) -> Self {
        Self { what, health: Health::Good, found, fix: None }
    }

    fn with(what: &'static str, health: Health, found: String, fix: impl Into<String>) -> Self {
        Self { what, health, found, fix: Some(fix.into()) }
    }
}

impl Doctor {
    pub(crate) fn run(self, output: Output) -> Exit {
        let mut findings = vec![open_files(), state_folder(), backlog(), local_ports(), cores(), memory()];
        let loaded = plan(&Source::of(&self.config));
        let refused = loaded.as_ref().is_err();
        match loaded {
            Ok((snapshot, plan)) => {
                findings.push(configuration(&snapshot, &plan));
                findings.push(admin(&snapshot));
                findings.extend(plan.listeners.iter().map(|listener| port(&listener.address, &self.config)));
            }
            Err(refusal) => findings.push(refusal_of(&refusal)),
        }
        findings.push(running(&self.config));
        show(&findings, output);
        let bad = findings.iter().any(|finding| finding.health == Health::Bad);
        match (refused, bad) {
            (true, _) => Exit::Configuration,
            (_, true) => Exit::Failed,
            _ => Exit::Done,
        }
    }
}

fn plan(source: &Source) -> Result<(Snapshot, std::sync::Arc<Plan>), Diagnostics> {
    let snapshot = source.load()?;
    let plan = Compiler::new(1).compile(&snapshot)?;
    Ok((snapshot, plan))
}

fn open_files() -> Finding {
    let Some(files) = descriptors::limit() else { return Finding::good("open files", "no limit".to_owned()) };
    let found = format!("{files}, enough for about {} proxied connections", files / 2);
    if files / 2 < CONNECTIONS {
        let fix = "raise the hard limit: LimitNOFILE= in a systemd unit, `ulimit -Hn` in a shell";
        return Finding::with("open files", Health::Poor, found, fix);
    }
    Finding::good("open files", found)
}

/// Where the local authority, keys of cookies and patches of the admin API are kept.
fn state_folder() -> Finding {
    let folder = state::folder();
    let there = folder.ancestors().find(|folder| folder.exists()).unwrap_or(&folder);
    let writable = rustix::fs::access(there, rustix::fs::Access::WRITE_OK).is_ok();
    let found = folder.display().to_string();
    if writable {
        return Finding::good("state", found);
    }
    let fix = "StateDirectory=strait in a systemd unit, or STRAIT_STATE with a folder that this user may write to";
    Finding::with(
        "state",
        Health::Poor,
        format!(
            "{found} cannot be written to: certificates of the local authority, keys of cookies and patches of the admin API end with the process"
        ),
        fix,
    )
}

/// Who may change what is served.
fn admin(snapshot: &Snapshot) -> Finding {
    let spec = &snapshot.spec.admin;
    Finding::good(
        "admin",
        match (spec.address.get().and_then(|address| address.socket()), &spec.token) {
            (Some(at), None) => {
                format!("{at} shows metrics and state to every user; only its socket's owner changes something")
            }
            (Some(at), Some(_)) => format!("{at} asks for a token"),
            (None, _) => "its socket at most".to_owned(),
        },
    )
}

fn backlog() -> Finding {
    match number("/proc/sys/net/core/somaxconn") {
        Some(length) if length < BACKLOG => Finding::with(
            "accept queue",
            Health::Poor,
            format!("the kernel holds at most {length} connections until they are accepted"),
            format!("sysctl -w net.core.somaxconn={BACKLOG}"),
        ),
        Some(length) => Finding::good("accept queue", format!("{length} connections")),
        None => Finding::good("accept queue", "not told by this system".to_owned()),
    }
}

fn local_ports() -> Finding {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    let mut ends = range.split_ascii_whitespace().filter_map(|end| end.parse::<u64>().ok());
    let (Some(first), Some(last)) = (ends.next(), ends.next()) else {
        return Finding::good("local ports", "not told by this system".to_owned());
    };
    let ports = last.saturating_sub(first) + 1;
    let found = format!("{ports}, the most connections to one endpoint");
    if ports < LOCAL_PORTS {
        let fix = "sysctl -w net.ipv4.ip_local_port_range=\"1024 65535\"";
        return Finding::with("local ports", Health::Poor, found, fix);
    }
    Finding::good("local ports", found)
}

fn cores() -> Finding {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    Finding::good("cores", format!("{cores}, so {cores} workers unless `workers` says otherwise"))
}

fn memory() -> Finding {
    let limit = fs::read_to_string("/sys/fs/cgroup/memory.max").ok().and_then(|text| text.trim().parse::<u64>().ok());
    match limit {
        Some(octets) => Finding::good("memory", format!("limited to {} MiB by its control group", octets >> 20)),
        None => Finding::good("memory", "not limited".to_owned()),
    }
}

fn configuration(snapshot: &Snapshot, plan: &Plan) -> Finding {
    let findings = strait_compile::review(snapshot, plan);
    let errors = findings.errors();
    let warnings = findings.list.len() - errors;
    let found = format!("{errors} errors, {warnings} warnings");
    match (errors, warnings) {
        (0, 0) => Finding::good("configuration", "good".to_owned()),
        (0, _) => Finding::with("configuration", Health::Poor, found, "`strait check` shows them"),
        _ => Finding::with("configuration", Health::Bad, found, "`strait check` shows them"),
    }
}

fn refusal_of(findings: &Diagnostics) -> Finding {
    Finding::with(
        "configuration",
        Health::Bad,
        format!("refused: {} errors", findings.errors()),
        "`strait check` shows them",
    )
}

/// Whether the address of a listener can be bound, or is held by a Strait.
fn port(address: &ListenAddress, config: &[PathBuf]) -> Finding {
    let ListenAddress::Tcp(at) = address else { return Finding::good("listener", address.to_string()) };
    match TcpListener::bind(at) {
        Ok(_) => Finding::good("listener", format!("{at} is free")),
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => taken(*at, config),
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            Finding::with("listener", Health::Bad, format!("{at}: this user may not bind it"), ports::permission())
        }
        Err(error) => {
            Finding::with("listener", Health::Bad, format!("{at}: {error}"), "use an address of this machine")
        }
    }
}

fn taken(at: SocketAddr, config: &[PathBuf]) -> Finding {
    let holder = ports::holder(at).unwrap_or_else(|| "another user's process".to_owned());
    let found = format!("{at} is held by {holder}");
    if holder.starts_with("strait ") || answers(config) {
        return Finding::good("listener", found);
    }
    Finding::with("listener", Health::Bad, found, "stop it, or listen on another port")
}

fn running(config: &[PathBuf]) -> Finding {
    let found = if answers(config) { "a running strait answers on its admin address" } else { "none answers" };
    Finding::good("running", found.to_owned())
}

fn answers(config: &[PathBuf]) -> bool {
    let address = Admin::of(config).address_quietly();
    address.is_some_and(|address| address.get("/livez").is_ok_and(|answer| answer.status == 200))
}

fn number(path: &str) -> Option<u64> {
    fs::read_to_string(path).ok()?.trim().parse().ok()
}

fn show(findings: &[Finding], output: Output) {
    let word = |health| match health {
        Health::Good => "good",
        Health::Poor => "poor",
        Health::Bad => "bad",
    };
    if output == Output::Json {
        let list = findings.iter().map(|finding| {
            json!({"what": finding.what, "health": word(finding.health), "found": finding.found, "fix": finding.fix})
        });
        return print(&format!("{:#}\n", json!({ "findings": list.collect::<Vec<_>>() })));
    }
    for Finding { what, health, found, fix } in findings {
        print(&format!("{:<5} {what:<14} {found}\n", word(*health)));
        if let Some(fix) = fix {
            print(&format!("{:<20} fix: {fix}\n", ""));
        }
    }
}
