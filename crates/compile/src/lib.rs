//! Snapshot to plan: names become indices, patterns a table, weights a schedule, and what lives longer than a plan is
//! found again by its identity.
//!
//! ```
//! use strait_compile::{Compiler, Question, explain};
//!
//! let snapshot = strait_config::load_str("strait.yaml", "
//! routes:
//!   example.com/api/*: localhost:3001
//!   /: {respond: hello}
//! ")?;
//! let plan = Compiler::new(2).compile(&snapshot)?;
//! let explanation = explain(&plan, &Question::new("GET", "http://example.com/api/users"))?;
//! assert_eq!(explanation.winner.as_ref().map(|winner| &*winner.pattern), Some("example.com/api/*"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Knows the language and the plan; knows nothing about sockets, tasks, clocks, or who reads the plan.

mod assertions;
mod balance;
pub mod codes;
mod conditions;
mod differ;
mod difference;
mod expectations;
mod explain;
mod exposure;
mod files;
mod filters;
mod health;
mod listeners;
mod registry;
mod retry;
mod routes;
mod sticky;
mod telemetry;
mod texts;
mod tls;
mod unreachable;
mod upstreams;

pub use differ::{Change, changes};
pub use difference::{FieldStep, Step, Turn, difference, example_request};
pub use explain::{
    BranchStep, Explanation, FilterStep, Loser, Outcome, Question, Refusal, Share, TlsAnswer, Winner, explain,
};
pub use tls::LocalAuthority;

use filters::{Filters, Kept};
use registry::Registry;
use std::collections::HashSet;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use strait_config::spec::LogFormat;
use strait_config::value::{LogPath, TemplateText};
use strait_config::{Diagnostic, Diagnostics, Snapshot, Spanned};
use strait_expr::Expression;
use strait_plan::{AccessLog, Chosen, Form, Found, Lookup, Plan, Sampling, Upstream, log_environment};
use strait_record::Format;
use texts::Texts;
use tls::Tls;
use upstreams::Upstreams;

/// What is written down whatever `sample` says, unless `always` says something else.
const ALWAYS: &str = "status >= 500 || duration > 1s";

/// Compiles snapshots, one after the other, for a fixed number of workers. What outlives a plan (connections and
/// counters of an endpoint, meters of a route) is carried from one plan to the next as long as either is in use.
#[derive(Debug)]
pub struct Compiler {
    workers: usize,
    terminals: Terminals,
    /// Keys the tables that outsiders name keys of.
    seed: u64,
    /// Signs sticky cookies whose configuration names no key.
    sticky_key: Vec<u8>,
    generation: u64,
    registry: Registry,
    kept: Kept,
    tls: tls::Kept,
    clock: fn() -> i64,
    warnings: Vec<Diagnostic>,
}

/// Which of the outputs are terminals: what `format: auto` of the access log depends on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Terminals {
    /// Standard output is one.
    pub stdout: bool,
    /// Standard error is one.
    pub stderr: bool,
    /// Terminals may be written to in colour.
    pub color: bool,
}

impl Compiler {
    /// A compiler for this many workers. No output is taken for a terminal.
    pub fn new(workers: usize) -> Self {
        let seed = RandomState::new().hash_one(0);
        let registry = Registry::new(workers);
        let sticky_key = seed.to_be_bytes().to_vec();
        Self {
            workers,
            terminals: Terminals::default(),
            seed,
            sticky_key,
            generation: 0,
            registry,
            kept: Kept::default(),
            tls: tls::Kept::default(),
            clock: wall_clock,
            warnings: Vec::new(),
        }
    }

    /// The same, knowing which outputs are terminals.
    #[must_use]
    pub fn with_terminals(self, terminals: Terminals) -> Self {
        Self { terminals, ..self }
    }

    /// The same, with a key for sticky cookies that outlives the process; without it they end with it.
    #[must_use]
    pub fn with_sticky_key(self, sticky_key: Vec<u8>) -> Self {
        Self { sticky_key, ..self }
    }

    /// The same, with a local authority that lies somewhere. Without, it is made for as long as this compiler lives.
    #[must_use]
    pub fn with_local_authority(mut self, place: LocalAuthority) -> Self {
        self.tls.place = place;
        self
    }

    /// The same with another clock, in seconds since 1970-01-01 UTC.
    #[must_use]
    pub fn with_clock(self, clock: fn() -> i64) -> Self {
        Self { clock, ..self }
    }

    /// The keys that seal tickets: whoever runs the proxy rotates them.
    pub fn ticket_keys(&self) -> &Arc<strait_tls::TicketKeys> {
        &self.tls.tickets
    }

    /// What deserves a look in the snapshot that was compiled last: certificates that will expire, hosts without one.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    /// How many workers plans are made for.
    pub fn workers(&self) -> usize {
        self.workers
    }

    /// What the responder of a certificate said, by the certificate's fingerprint: plans from now on staple it, until it
    /// expires. `None` where what it said before has expired.
    pub fn staple(&mut self, fingerprint: &str, staple: Option<strait_tls::Staple>) {
        self.tls.staple(fingerprint, staple);
    }

    /// Compiles a snapshot into the next plan.
    ///
    /// # Errors
    /// Everything that is wrong with its patterns, in one list. The compiler is then as it was before.
    pub fn compile(&mut self, snapshot: &Snapshot) -> Result<Arc<Plan>, Diagnostics> {
        let mut found = Vec::new();
        let tls = Tls::new(snapshot, &mut self.tls, (self.clock)());
        let mut upstreams = Upstreams::of(snapshot, &self.registry, tls, &self.sticky_key);
        let mut filters = Filters::of(snapshot, &mut self.kept, self.seed);
        let tables = routes::tables(snapshot, self.seed, &mut upstreams, &mut filters, &mut found);
        found.extend(filters.into_findings());
        let (upstreams, in_place, mut tls) = upstreams.into_parts();
        let listeners = listeners::listeners(snapshot, &tables, &mut tls);
        found.append(&mut tls.found);
        let (files, staples) = tls.into_files();
        let access_log = Arc::new(self.access_log(snapshot, &mut found));
        if found.iter().any(Diagnostic::is_error) {
            return Err(snapshot.refuse(found));
        }
        self.warnings = found;
        self.tls.forget_issued();
        self.registry.remember(&tables, &upstreams, in_place);
        self.kept.forget_dead();
        self.generation += 1;
        Ok(Arc::new(Plan {
            generation: self.generation,
            listeners,
            upstreams,
            access_log,
            tracing: telemetry::tracing(snapshot),
            server_timing: snapshot.spec.telemetry.server_timing,
            dialects: telemetry::dialects(snapshot),
            drain_timeout: snapshot.spec.drain_timeout.get().map(Into::into),
            files,
            staples: staples.into(),
        }))
    }

    /// The next plan after this one of the same snapshot, with what some of its look-ups have found now; `None` when that
    /// changes nothing. Only upstreams that have these are made anew, and of those the endpoints that remain keep their
    /// state.
    ///
    /// # Errors
    /// What forbids to speak to the endpoints that were found, such as a certificate that has gone.
    pub fn discovered(
        &mut self,
        snapshot: &Snapshot,
        plan: &Plan,
        finds: impl IntoIterator<Item = (Lookup, Vec<Found>)>,
    ) -> Result<Option<Arc<Plan>>, Diagnostics> {
        let finds = finds.into_iter();
        let news: HashSet<Lookup> =
            finds.filter_map(|(lookup, found)| self.registry.note_found(&lookup, found).then_some(lookup)).collect();
        let is_concerned = |upstream: &Upstream| upstream.lookups.iter().any(|lookup| news.contains(lookup));
        if !plan.upstreams.iter().any(|upstream| is_concerned(upstream)) {
            return Ok(None);
        }
        let tls = Tls::new(snapshot, &mut self.tls, (self.clock)());
        let mut upstreams = Upstreams::none(snapshot, &self.registry, tls, &self.sticky_key);
        let list = upstreams.renewed(&plan.upstreams, is_concerned);
        let found = upstreams.into_findings();
        if found.iter().any(Diagnostic::is_error) {
            return Err(snapshot.refuse(found));
        }
        let renewed = list.iter().filter(|upstream| is_concerned(upstream));
        renewed.for_each(|upstream| self.registry.remember_upstream(upstream));
        self.generation += 1;
        Ok(Some(Arc::new(Plan { generation: self.generation, upstreams: list, ..plan.clone() })))
    }

    fn access_log(&self, snapshot: &Snapshot, found: &mut Vec<Diagnostic>) -> AccessLog {
        let log = &snapshot.spec.telemetry.access_log;
        let names = log.chosen.as_ref().map(|fields| telemetry::names(fields, found));
        let mut texts = Texts::of_log(snapshot, found);
        let chosen = log.chosen.as_ref().zip(names).map(|(fields, names)| {
            let add = |(name, text): &(Spanned<String>, Spanned<TemplateText>)| {
                (name.value.as_str().into(), texts.template(&text.value, text.span))
            };
            let is_logfmt = log.format == LogFormat::Logfmt;
            Form::Chosen(Chosen { is_logfmt, names, added: fields.add.iter().map(add).collect() })
        });
        let template = log.template.as_ref().map(|text| Form::Template(texts.template(text, text.span)));
        let always = match &log.always {
            Some(always) => texts.condition(always),
            None => Expression::condition(ALWAYS, &log_environment()).ok(),
        };
        let of_100_000 = log.sample.of_100_000();
        let sampling = always.filter(|_| of_100_000 < 100_000).map(|always| Sampling { of_100_000, always });
        let form = chosen.or(template).unwrap_or_else(|| Form::Fixed(self.log_format(log)));
        let is_off = matches!(form, Form::Fixed(Format::Off));
        AccessLog { form, sampling, is_otlp: log.path == LogPath::Otlp && !is_off }
    }

    fn log_format(&self, log: &strait_config::spec::AccessLog) -> Format {
        let terminal = match log.path {
            LogPath::Stdout => self.terminals.stdout,
            LogPath::Stderr => self.terminals.stderr,
            LogPath::File(_) | LogPath::SyslogUnix(_) | LogPath::SyslogUdp(_) | LogPath::Otlp => false,
        };
        let text = Format::Text { color: terminal && self.terminals.color };
        match log.format {
            LogFormat::Off => Format::Off,
            LogFormat::Json => Format::Json,
            LogFormat::Ecs => Format::Ecs,
            LogFormat::Logfmt => Format::Logfmt,
            LogFormat::Common => Format::Common,
            LogFormat::Combined => Format::Combined,
            LogFormat::Text => text,
            LogFormat::Auto if terminal => text,
            LogFormat::Auto => Format::Json,
        }
    }
}

/// Seconds since 1970-01-01 UTC.
#[allow(clippy::disallowed_methods, reason = "certificates have dates; tests bring their own clock")]
pub fn wall_clock() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_secs()).unwrap_or(i64::MAX))
}

/// What deserves a look in a configuration that compiles: the snapshot's warnings, routes that no request reaches, and
/// as errors the `tests:` that do not come out as expected.
pub fn review(snapshot: &Snapshot, plan: &Plan) -> Diagnostics {
    let mut found = unreachable::warnings(snapshot, plan);
    found.extend(conditions::warnings(snapshot, plan));
    found.extend(exposure::warnings(snapshot));
    found.extend(files::warnings(snapshot));
    found.extend(expectations::failures(snapshot, plan));
    found.extend(assertions::failures(snapshot, plan));
    snapshot.refuse(found)
}

#[cfg(test)]
mod tests;
