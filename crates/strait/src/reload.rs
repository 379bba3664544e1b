//! A new configuration for a process that serves: compiled aside, published whole, or not at all.

use crate::boot::not_bound;
use crate::operator::say;
use crate::source::{Output, Source};
use std::sync::Arc;
use std::time::Duration;
use strait_compile::{Compiler, changes};
use strait_config::Snapshot;
use strait_control::resolve::Resolver;
use strait_dataplane::Fleet;
use strait_plan::Workers as _;

/// What new names get to resolve before the plan is published.
const RESOLVE_WAIT: Duration = Duration::from_secs(1);
/// Differences that are named one by one.
const CHANGES_SHOWN: usize = 20;

/// Reads the configuration anew on demand.
pub(crate) struct Reloader {
    source: Source,
    output: Output,
    compiler: Compiler,
    /// What the process was started with: some of it is for its whole life.
    started_with: Snapshot,
    resolver: Arc<Resolver>,
    fleet: Arc<Fleet>,
}

impl Reloader {
    pub(crate) fn new(
        source: Source,
        output: Output,
        compiler: Compiler,
        started_with: Snapshot,
        resolver: Arc<Resolver>,
        fleet: Arc<Fleet>,
    ) -> Self {
        Self { source, output, compiler, started_with, resolver, fleet }
    }

    /// Loads, compiles and publishes. When any of it fails, the plan that serves goes on serving.
    pub(crate) fn reload(&mut self) {
        let loaded = self.source.load().and_then(|snapshot| Ok((self.compiler.compile(&snapshot)?, snapshot)));
        let (plan, snapshot) = match loaded {
            Ok(loaded) => loaded,
            Err(findings) => {
                self.output.show(&findings);
                return say(&format!("{} is refused: the configuration of before serves on", self.source.name()));
            }
        };
        let changes = changes(&self.fleet.plan(), &plan);
        for name in self.resolver.adopt(&plan, RESOLVE_WAIT) {
            say(&format!("`{name}` does not resolve yet; its requests are answered with 503 until it does"));
        }
        let generation = plan.generation;
        if let Err(error) = self.fleet.publish(plan) {
            self.resolver.adopt(&self.fleet.plan(), Duration::ZERO);
            return say(&format!("{}\n  the configuration of before serves on", not_bound(&error)));
        }
        say(&format!("reloaded: generation {generation}, {}", counted(changes.len())));
        for change in changes.iter().take(CHANGES_SHOWN) {
            say(&format!("  {change}"));
        }
        if changes.len() > CHANGES_SHOWN {
            say(&format!("  … and {} more", changes.len() - CHANGES_SHOWN));
        }
        self.say_what_waits(&snapshot);
    }

    /// Names what is for the life of the process.
    fn say_what_waits(&self, snapshot: &Snapshot) {
        let (was, is) = (&self.started_with.spec, &snapshot.spec);
        let log = |spec: &strait_config::spec::Root| {
            (spec.telemetry.access_log.path.clone(), spec.telemetry.access_log.format)
        };
        let off = strait_config::spec::LogFormat::Off;
        let log_waits = log(was).0 != log(is).0 || (log(was).1 == off) && log(is).1 != off;
        let waits = [
            (was.workers != is.workers, "workers"),
            (was.admin != is.admin, "admin"),
            (log_waits, "telemetry.access_log"),
        ];
        for (_, key) in waits.into_iter().filter(|(waits, _)| *waits) {
            say(&format!("`{key}` takes effect when strait is started again"));
        }
    }
}

fn counted(changes: usize) -> String {
    match changes {
        0 => "nothing changed".to_owned(),
        1 => "1 change".to_owned(),
        many => format!("{many} changes"),
    }
}
