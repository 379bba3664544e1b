//! A new configuration for a process that serves: compiled aside, published whole, or not at all.

use crate::boot::not_bound;
use crate::log::Log;
use crate::notify;
use crate::operator::say;
use crate::source::{Output, Source};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use strait_compile::{Change, Compiler, changes};
use strait_config::{Effective, Snapshot};
use strait_control::health::Checker;
use strait_control::resolve::Resolver;
use strait_dataplane::Fleet;
use strait_plan::{Plan, Workers as _};
use strait_telemetry::access_log::Prepared;
use strait_telemetry::destination::Destination;

/// What new names get to resolve before the plan is published.
const RESOLVE_WAIT: Duration = Duration::from_secs(1);
/// Differences that are named one by one.
const CHANGES_SHOWN: usize = 20;

/// Those beside the workers who must know the plan.
pub(crate) struct Control {
    /// Who looks up names.
    pub(crate) resolver: Arc<Resolver>,
    /// Who checks endpoints.
    pub(crate) checker: Arc<Checker>,
    /// Where records are written.
    pub(crate) log: Log,
}

/// Reads the configuration anew on demand.
pub(crate) struct Reloader {
    source: Source,
    output: Output,
    compiler: Compiler,
    /// What the process was started with: some of it is for its whole life.
    started_with: Snapshot,
    control: Control,
    fleet: Arc<Fleet>,
    /// What serves now.
    serving: Snapshot,
    /// The same, for whoever asks.
    effective: Value,
}

impl Reloader {
    pub(crate) fn new(
        source: Source,
        output: Output,
        compiler: Compiler,
        started_with: Snapshot,
        control: Control,
        fleet: Arc<Fleet>,
    ) -> Self {
        let effective = Effective::of(&started_with).to_json();
        let serving = started_with.clone();
        Self { source, output, compiler, started_with, control, fleet, serving, effective }
    }

    /// The configuration that serves.
    pub(crate) fn effective(&self) -> Value {
        self.effective.clone()
    }

    /// The files and folders whose changes can change what serves.
    pub(crate) fn watched(&self) -> Vec<PathBuf> {
        let mut paths = self.source.paths().to_vec();
        paths.extend(self.serving.sources.names().map(PathBuf::from));
        let folders: Vec<PathBuf> = paths.iter().filter_map(|path| path.parent()).map(Path::to_path_buf).collect();
        paths.extend(folders);
        paths.sort();
        paths.dedup();
        paths
    }

    /// [`Reloader::reload`] when the files say something else than what serves. A mistake is told like any other.
    pub(crate) fn reload_if_changed(&mut self) {
        let serving = &self.serving;
        let same = |new: Snapshot| new.sources.same_texts(&serving.sources) && new.spec == serving.spec;
        if !self.source.load().is_ok_and(same) {
            let _ = self.reload();
        }
    }

    /// Loads, compiles and publishes, and tells the service manager when it begins and ends. When any of it fails, the
    /// plan that serves goes on serving.
    ///
    /// # Errors
    /// Why it was refused, for tools; it has been said to people.
    pub(crate) fn reload(&mut self) -> Result<Value, Value> {
        notify::reloading();
        let outcome = self.load_and_publish();
        notify::tell("READY=1");
        outcome
    }

    fn load_and_publish(&mut self) -> Result<Value, Value> {
        let loaded = self.source.load().and_then(|snapshot| Ok((self.compiler.compile(&snapshot)?, snapshot)));
        let (plan, snapshot) = loaded.map_err(|findings| {
            self.output.show(&findings);
            say(&format!("{} is refused: the configuration of before serves on", self.source.name()));
            json!({"error": "refused", "text": findings.to_string()})
        })?;
        let log_to = self.control.log.prepare(&snapshot, plan.access_log.is_off()).map_err(|error| {
            let text = format!("{error}\n  the configuration of before serves on");
            say(&text);
            json!({"error": "not_opened", "text": text})
        })?;
        let (generation, changes) = self.publish(plan, log_to)?;
        self.effective = Effective::of(&snapshot).to_json();
        let waits = self.say_what_waits(&snapshot);
        self.serving = snapshot;
        let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
        Ok(json!({"generation": generation, "changes": changes, "waits_for_restart": waits}))
    }

    /// Takes up certificates and authorities whose files have changed: what serves is compiled anew. Where that cannot
    /// be, what was there before serves on.
    pub(crate) fn take_up(&mut self, files: &[PathBuf]) {
        let names: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
        let names = names.join(", ");
        match self.compiler.compile(&self.serving) {
            Ok(plan) => {
                say(&format!("{names} changed"));
                // What fails is said there.
                let _ = self.publish(plan, None);
            }
            Err(findings) => {
                self.output.show(&findings);
                say(&format!("{names} changed and cannot be used: what was before serves on"));
            }
        }
    }

    /// Turns the keys of tickets, and renews what the local authority has issued and is soon to expire.
    pub(crate) fn turn(&mut self) {
        self.compiler.ticket_keys().rotate();
        if let Ok(plan) = self.compiler.compile(&self.serving)
            && !changes(&self.fleet.plan(), &plan).is_empty()
        {
            let _ = self.publish(plan, None);
        }
    }

    /// Hands a plan to the workers, with where their records go from now on, and says what it changes.
    fn publish(
        &mut self,
        plan: Arc<Plan>,
        log_to: Option<(Prepared, Destination)>,
    ) -> Result<(u64, Vec<Change>), Value> {
        let warnings = self.compiler.warnings();
        if !warnings.is_empty() {
            self.output.show(&self.serving.refuse(warnings.to_vec()));
        }
        let changes = changes(&self.fleet.plan(), &plan);
        for name in self.control.resolver.adopt(&plan, RESOLVE_WAIT) {
            say(&format!("`{name}` does not resolve yet; its requests are answered with 503 until it does"));
        }
        let generation = plan.generation;
        self.fleet.publish(plan).map_err(|error| {
            self.control.resolver.adopt(&self.fleet.plan(), Duration::ZERO);
            let text = format!("{}\n  the configuration of before serves on", not_bound(&error));
            say(&text);
            json!({"error": "not_bound", "text": text})
        })?;
        self.control.checker.adopt(self.fleet.plan());
        if let Some(to) = log_to {
            say(&format!("access log: {} from now on", to.1));
            self.control.log.switch(to);
        }
        say_changes(generation, &changes);
        Ok((generation, changes))
    }

    /// Names what is for the life of the process.
    fn say_what_waits(&self, snapshot: &Snapshot) -> Vec<&'static str> {
        let (was, is) = (&self.started_with.spec, &snapshot.spec);
        let waits = [(was.workers != is.workers, "workers"), (was.admin != is.admin, "admin")];
        let waiting: Vec<_> = waits.into_iter().filter(|(waits, _)| *waits).map(|(_, key)| key).collect();
        waiting.iter().for_each(|key| say(&format!("`{key}` takes effect when strait is started again")));
        waiting
    }
}

fn say_changes(generation: u64, changes: &[Change]) {
    say(&format!("reloaded: generation {generation}, {}", counted(changes.len())));
    changes.iter().take(CHANGES_SHOWN).for_each(|change| say(&format!("  {change}")));
    if changes.len() > CHANGES_SHOWN {
        say(&format!("  … and {} more", changes.len() - CHANGES_SHOWN));
    }
}

fn counted(changes: usize) -> String {
    match changes {
        0 => "nothing changed".to_owned(),
        1 => "1 change".to_owned(),
        many => format!("{many} changes"),
    }
}
