//! A new configuration for a process that serves: compiled aside, published whole, or not at all.

use crate::boot::not_bound;
use crate::discovery::Lookups;
use crate::kept::{Kept, Prefer, contested};
use crate::log::Log;
use crate::operator::say;
use crate::source::{Output, Source};
use crate::{notify, sights};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;
use strait_compile::{Change, Compiler, Step, changes, difference};
use strait_config::{Diagnostics, Effective, Snapshot};
use strait_control::admin::{self, Deed, Refused, Served, tag_of};
use strait_control::health::Checker;
use strait_control::patch::{self, PatchError};
use strait_control::resolve::Resolver;
use strait_dataplane::Fleet;
use strait_plan::{Lookup, Plan, Workers as _};
use strait_telemetry::access_log::Prepared;
use strait_telemetry::destination::Destination;
use strait_telemetry::sights::Sightings;
use strait_tls::{OcspOrder, Staple};

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
    /// Who finds endpoints.
    pub(crate) lookups: Lookups,
    /// Where records are written.
    pub(crate) log: Log,
    /// Who takes what the workers see.
    pub(crate) sightings: Arc<Sightings>,
}

/// Why a configuration does not serve: a word for tools, and the reason for people.
type Refusal = (&'static str, String);

/// Reads the configuration anew on demand, and takes in endpoints as they are found.
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
    /// What the admin API has patched in it.
    kept: Kept,
}

impl Reloader {
    pub(crate) fn new(
        source: Source,
        output: Output,
        compiler: Compiler,
        (started_with, kept): (Snapshot, Kept),
        control: Control,
        fleet: Arc<Fleet>,
    ) -> Self {
        let serving = started_with.clone();
        Self { source, output, compiler, started_with, control, fleet, serving, kept }
    }

    /// Takes in what look-ups find from now on; `myself` is this reloader.
    pub(crate) fn follow_lookups(&mut self, myself: Weak<Mutex<Self>>) {
        self.control.lookups.follow(myself);
    }

    /// Publishes what look-ups find now.
    pub(crate) fn discovered(&mut self, lookups: BTreeSet<Lookup>) {
        let names: Vec<String> = lookups.iter().map(ToString::to_string).collect();
        let names = names.join(", ");
        let before = self.fleet.plan();
        let finds = self.control.lookups.known(lookups);
        let plan = match self.compiler.discovered(&self.serving, &before, finds) {
            Ok(Some(plan)) => plan,
            Ok(None) => return,
            Err(findings) => {
                self.output.show(&findings);
                return say(&format!("what {names} found cannot be used: what was before serves on"));
            }
        };
        self.control.resolver.adopt(&plan, Duration::ZERO);
        let generation = plan.generation;
        let changes = changes(&before, &plan);
        match self.fleet.publish(plan) {
            Ok(()) => {
                self.control.checker.adopt(self.fleet.plan());
                say(&format!("generation {generation}: {names} found anew"));
                changes.iter().take(CHANGES_SHOWN).for_each(|change| say(&format!("  {change}")));
            }
            Err(error) => say(&not_bound(&error)),
        }
    }

    /// The configuration that serves, for the admin API.
    pub(crate) fn served(&self) -> Served {
        let effective = Effective::of(&self.serving).to_json();
        let tag = tag(&effective, &self.kept);
        Served { effective, patch: self.kept.patch.clone(), state_file: self.kept.place(), tag }
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
        if !self.kept.over(&self.source).load().is_ok_and(same) {
            let _ = self.reload(None);
        }
    }

    /// Loads, compiles and publishes, and tells the service manager when it begins and ends. When any of it fails, the
    /// plan that serves goes on serving.
    ///
    /// # Errors
    /// Why it was refused, for tools; it has been said to people.
    pub(crate) fn reload(&mut self, prefer: Option<Prefer>) -> Result<Value, Refusal> {
        notify::reloading();
        let outcome = self.settle(prefer).and_then(|kept| {
            let source = kept.over(&self.source);
            self.load_and_publish(&source, kept)
        });
        notify::tell("READY=1");
        outcome
    }

    /// What is kept, over what the files say now.
    fn settle(&self, prefer: Option<Prefer>) -> Result<Kept, Refusal> {
        if self.kept.is_empty() {
            return Ok(self.kept.clone());
        }
        let files = self.source.load().map_err(|findings| self.refuse(&findings))?;
        self.kept.settled(&files, prefer).map_err(|paths| {
            let text = format!("{}\n  the configuration of before serves on", contested(&paths, &self.kept));
            say(&text);
            ("contested", text)
        })
    }

    fn refuse(&self, findings: &Diagnostics) -> Refusal {
        self.output.show(findings);
        say(&format!("{} is refused: the configuration of before serves on", self.source.name()));
        ("refused", findings.to_string())
    }

    /// A plan with the endpoints that look-ups find at once.
    fn plan_of(&mut self, snapshot: &Snapshot) -> Result<Arc<Plan>, Diagnostics> {
        let plan = self.compiler.compile(snapshot)?;
        self.control.lookups.fill(&mut self.compiler, snapshot, plan, RESOLVE_WAIT)
    }

    fn load_and_publish(&mut self, source: &Source, kept: Kept) -> Result<Value, Refusal> {
        let loaded = source.load().and_then(|snapshot| Ok((self.plan_of(&snapshot)?, snapshot)));
        let (plan, snapshot) = loaded.map_err(|findings| self.refuse(&findings))?;
        let log_to = self.control.log.prepare(&snapshot, plan.access_log.is_off()).map_err(|error| {
            let text = format!("{error}\n  the configuration of before serves on");
            say(&text);
            ("not_opened", text)
        })?;
        let (generation, changes) = self.publish(plan, log_to).inspect_err(|_| {
            let serving = self.fleet.plan().lookups();
            self.control.lookups.adopt(&self.serving, serving, Duration::ZERO);
        })?;
        let not_kept = self.keep(kept);
        self.export(&snapshot);
        let waits = self.say_what_waits(&snapshot);
        self.serving = snapshot;
        let changes: Vec<String> = changes.iter().map(ToString::to_string).collect();
        let mut report =
            json!({"generation": generation, "changes": changes, "waits_for_restart": waits, "dry_run": false});
        if let (Some(why), Some(report)) = (not_kept, report.as_object_mut()) {
            report.insert("not_kept".to_owned(), json!(why));
        }
        Ok(report)
    }

    /// Keeps a patch that serves; why it will not outlive the process, if it will not.
    fn keep(&mut self, kept: Kept) -> Option<String> {
        let saved = if kept == self.kept { Ok(()) } else { kept.save() };
        let place = kept.place().unwrap_or_default();
        self.kept = kept;
        let error = saved.err()?;
        let why = format!("the patch cannot be kept in {place}: {error}; it holds until the process ends");
        say(&why);
        Some(why)
    }

    /// Does what the admin API asks for, or says what it would change.
    ///
    /// # Errors
    /// Why nothing was changed.
    pub(crate) fn change(&mut self, change: admin::Change) -> Result<(Value, String), Refused> {
        let served = self.served();
        if change.if_match.is_some_and(|tags| !tags.contains(&served.tag)) {
            return Err(Refused::Stale(served.tag));
        }
        let prefer = match change.prefer.as_deref() {
            Some("file") => Some(Prefer::File),
            Some("api") => Some(Prefer::Api),
            _ => None,
        };
        let report = match change.deed {
            Deed::Reload if change.dry_run => {
                let kept = self.settle(prefer).map_err(for_the_api)?;
                let source = kept.over(&self.source);
                return self.rehearse(&source, &served);
            }
            Deed::Reload => self.reload(prefer),
            Deed::Edit { .. } | Deed::TakeBack => {
                // A file that somebody is about to write is none of this change.
                let files = self.source.clone().frozen(&self.serving);
                let kept = self.edited(&files, change.deed, &served)?;
                let source = kept.over(&files);
                if change.dry_run {
                    return self.rehearse(&source, &served);
                }
                self.load_and_publish(&source, kept)
            }
        };
        report.map_err(for_the_api).map(|report| (report, self.served().tag))
    }

    /// What is to be kept after an edit.
    fn edited(&self, files: &Source, deed: Deed, served: &Served) -> Result<Kept, Refused> {
        let Deed::Edit { at, with } = deed else { return Ok(self.kept.none()) };
        let config = served.effective.get("config").unwrap_or(&Value::Null);
        let written = Effective::of(&self.serving).written();
        let edit = patch::resolved(config, &written, &at, &with).map_err(|error| match error {
            PatchError::Malformed(why) => Refused::Malformed(why),
            PatchError::Missing(why) => Refused::Missing(why),
            PatchError::Failed(why) => Refused::Conflict(why),
        })?;
        let files = files.load().map_err(|findings| for_the_api(self.refuse(&findings)))?;
        let effective = Effective::of(&files);
        let patch = patch::kept(&effective.values(), &effective.written(), &self.kept.patch, &edit);
        Ok(self.kept.with(patch, &files))
    }

    /// What a source would change, if it can serve. Ports are not asked for.
    fn rehearse(&self, source: &Source, served: &Served) -> Result<(Value, String), Refused> {
        let refuse = |findings: Diagnostics| Refused::Configuration("refused", findings.to_string());
        let snapshot = source.load().map_err(refuse)?;
        let mut compiler = Compiler::new(1).with_local_authority(crate::state::authority_if_there());
        compiler.compile(&snapshot).map_err(refuse)?;
        let steps = difference(&served.effective, &Effective::of(&snapshot).to_json());
        let changes: Vec<String> = steps.iter().map(|step: &Step| step.to_text().trim_end().to_owned()).collect();
        let generation = self.fleet.plan().generation;
        let waits = self.what_waits(&snapshot);
        let report = json!({"generation": generation, "changes": changes, "waits_for_restart": waits, "dry_run": true});
        Ok((report, served.tag.clone()))
    }

    /// Sends spans and records as the new configuration says. Without a thread for that they go where they went.
    fn export(&self, snapshot: &Snapshot) {
        let settings = sights::settings(snapshot);
        if settings != sights::settings(&self.serving)
            && let Err(error) = self.control.sightings.export(settings)
        {
            say(&format!("otlp: {error}: spans and records go where they went"));
        }
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

    /// Takes up what the responder of a certificate said: what serves is compiled anew, and nothing else changes.
    pub(crate) fn staple(&mut self, order: &OcspOrder, staple: Option<Staple>) {
        let what = if staple.is_some() { "a new OCSP response" } else { "no OCSP response any more" };
        self.compiler.staple(&order.fingerprint, staple);
        if let Ok(plan) = self.compiler.compile(&self.serving) {
            say(&format!("{}: {what}", order.label));
            // What fails is said there.
            let _ = self.publish(plan, None);
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
    ) -> Result<(u64, Vec<Change>), Refusal> {
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
            ("not_bound", text)
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
        let waiting = self.what_waits(snapshot);
        waiting.iter().for_each(|key| say(&format!("`{key}` takes effect when strait is started again")));
        waiting
    }

    fn what_waits(&self, snapshot: &Snapshot) -> Vec<&'static str> {
        let (was, is) = (&self.started_with.spec, &snapshot.spec);
        let waits = [
            (was.workers != is.workers, "workers"),
            (was.admin != is.admin, "admin"),
            (was.resolver != is.resolver, "resolver"),
            (was.user != is.user, "user"),
            (was.group != is.group, "group"),
        ];
        waits.into_iter().filter(|(waits, _)| *waits).map(|(_, key)| key).collect()
    }
}

fn for_the_api((error, text): Refusal) -> Refused {
    Refused::Configuration(error, text)
}

fn tag(effective: &Value, kept: &Kept) -> String {
    let config = effective.get("config").unwrap_or(&Value::Null);
    tag_of(&format!("{config}{}", kept.patch))
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
