//! `strait demo`: the main job on embedded origins, to be looked at.

mod live;
mod origins;
mod traffic;

use crate::boot::{self, Running};
use crate::exit::Exit;
use crate::operator::{print, say};
use crate::source::{Output, Source};
use clap::Args;
use live::Live;
use origins::Origins;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};
use strait_dataplane::Fleet;
use strait_plan::Workers as _;

/// Between two lines of figures.
const LINE_INTERVAL: Duration = Duration::from_secs(1);
/// How soon the end of the demonstration is noticed.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// See the proxy at work: three built-in origins, light traffic, and a line of figures a second
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Where to listen [default: 127.0.0.1:8080, or any free port]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<SocketAddr>,
    /// Send no traffic of its own
    #[arg(long)]
    no_traffic: bool,
    /// End after this many seconds
    #[arg(long, value_name = "SECONDS")]
    seconds: Option<u64>,
}

impl Demo {
    pub(crate) fn run(self, output: Output) -> Exit {
        let origins = match Origins::start() {
            Ok(origins) => origins,
            Err(error) => {
                say(&format!("the origins cannot be started: {error}"));
                return Exit::Failed;
            }
        };
        let listen = self.listen.unwrap_or_else(|| free(8080));
        let yaml = configuration(&origins, listen, free(9900));
        print(&format!("This runs:\n\n{}", indented(&yaml)));
        match boot::start(Source::text("demo", yaml), output, false, None) {
            Ok(running) => self.show(running),
            Err(exit) => exit,
        }
    }

    /// Shows figures until it ends.
    fn show(self, running: Running) -> Exit {
        let fleet = running.fleet.clone();
        let Some(address) = fleet.listening().first().map(|(_, address)| *address) else { return running.wait() };
        print(&invitation(address, running.admin_address()));
        let traffic = if self.no_traffic { Vec::new() } else { traffic::start(address, &fleet) };
        self.show_lines(&fleet);
        if !fleet.is_draining() {
            fleet.drain();
        }
        // They end when the drain begins; workers wait for their connections.
        for thread in traffic {
            let _ = thread.join();
        }
        running.wait()
    }

    fn show_lines(&self, fleet: &Arc<Fleet>) {
        let began = Instant::now();
        let end = self.seconds.map(Duration::from_secs);
        let mut live = Live::of(fleet);
        for count in 1.. {
            let line_due = LINE_INTERVAL * count;
            while began.elapsed() < line_due {
                if fleet.is_draining() || end.is_some_and(|end| began.elapsed() >= end) {
                    return;
                }
                std::thread::sleep(LOOK_INTERVAL);
            }
            print(&live.line(fleet, count));
        }
    }
}

/// This port of the loopback address, or any when it is taken.
fn free(port: u16) -> SocketAddr {
    let at = |port| SocketAddr::from(([127, 0, 0, 1], port));
    TcpListener::bind(at(port)).map_or_else(|_| at(0), |_| at(port))
}

fn configuration(origins: &Origins, listen: SocketAddr, admin: SocketAddr) -> String {
    let Origins { quick, slow, flaky } = origins;
    format!(
        "\
listeners:
  demo: {listen}
routes:
  /: app
  /quick: {quick}
  /slow: {slow}
  /flaky: {flaky}
  /hello: {{respond: \"Hello from Strait itself.\"}}
  /old: {{redirect: /hello}}
upstreams:
  app:
    endpoints:
      - {{address: {quick}, weight: 7}}
      - {{address: {slow}, weight: 1}} # takes 80 ms
      - {{address: {flaky}, weight: 2}} # fails now and then
telemetry: {{access_log: \"off\"}}
admin: {admin}
"
    )
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("  {line}\n")).collect()
}

fn invitation(address: SocketAddr, admin: Option<SocketAddr>) -> String {
    let mut rows = vec![
        (format!("http://{address}/"), "one of three origins, by weight"),
        (format!("http://{address}/slow"), "the one that takes 80 ms"),
        (format!("http://{address}/flaky"), "the one that fails now and then; watch the errors below"),
        (format!("http://{address}/hello"), "answered without an origin"),
        (format!("http://{address}/old"), "a redirect"),
    ];
    if let Some(admin) = admin {
        rows.push((format!("http://{admin}/metrics"), "what Prometheus would read"));
        rows.push((format!("http://{admin}/explain?url=http://{address}/old"), "why a request goes where it goes"));
    }
    let width = rows.iter().map(|(url, _)| url.len()).max().unwrap_or(0);
    let rows: String = rows.iter().map(|(url, what)| format!("  {url:width$}  {what}\n")).collect();
    format!("\nTry:\n\n{rows}\nCtrl-C lets requests finish and ends; a second one ends at once.\n\n{}", live::HEADING)
}
