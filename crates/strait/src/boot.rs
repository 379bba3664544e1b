//! From a configuration to a running proxy, and to its end.

use crate::discovery::Lookups;
use crate::exit::Exit;
use crate::kept::{Kept, Prefer, contested};
use crate::log::Log;
use crate::operator::{colors_are_welcome, say, terminals};
use crate::reload::{Control, Reloader};
use crate::source::{Output, Source};
use crate::{allocator, descriptors, notify, ports, privileges, sights, state, sticky_key, watch, watchdog};
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use strait_compile::{Compiler, Question, Terminals};
use strait_config::value::Address;
use strait_config::{Snapshot, Spanned};
use strait_control::admin::{AdminError, AdminServer, AdminSettings, Asked, Hooks, Refused, SocketPlace, Token};
use strait_control::files::{FileHooks, FileWatch, LOOK_EVERY};
use strait_control::health::Checker;
use strait_control::ocsp::{StapleHooks, Stapler};
use strait_control::resolve::{ResolveIntervals, Resolver};
use strait_control::signals::{self, SignalHooks};
use strait_dataplane::{Fleet, Inherited, Settings};
use strait_plan::{ListenAddress, Plan, PublishError, Workers};
use strait_telemetry::sights::Sightings;

/// What a start waits for names to resolve: the first requests then find addresses, and a dead name holds up little.
const RESOLVE_WAIT: Duration = Duration::from_secs(2);
/// What the access log gets to write the last records.
const LOG_TIMEOUT: Duration = Duration::from_secs(5);

/// What spans and records that wait get to be sent.
const SIGHTS_TIMEOUT: Duration = Duration::from_secs(5);

/// A proxy that serves.
pub(crate) struct Running {
    /// The workers.
    pub(crate) fleet: Arc<Fleet>,
    admin: Option<AdminServer>,
    log: Log,
    sightings: Arc<Sightings>,
    _resolver: Arc<Resolver>,
    _checker: Arc<Checker>,
    _files: FileWatch,
    _stapler: Stapler,
}

/// Starts everything, in this order: what can be refused first, what others see last. `watching` reads the
/// configuration anew whenever its files change.
///
/// # Errors
/// How the process ends, after the reason has been said.
pub(crate) fn start(source: Source, output: Output, watching: bool, prefer: Option<Prefer>) -> Result<Running, Exit> {
    let kept = kept(&source, output, prefer)?;
    let snapshot = kept.over(&source).load().map_err(|findings| output.refuse(&findings))?;
    privileges::drop_to(&snapshot.spec).map_err(|why| failed(&why))?;
    // What a reload could not read is told now.
    let mut snapshot = match snapshot.spec.user {
        Some(_) => kept.over(&source).load().map_err(|findings| output.refuse(&findings))?,
        None => snapshot,
    };
    let mut compiler = Compiler::new(workers(&snapshot)).with_terminals(log_terminals());
    compiler = compiler.with_local_authority(state::authority());
    if let Some(key) = sticky_key::of(&snapshot) {
        compiler = compiler.with_sticky_key(key);
    }
    let plan = compiler.compile(&snapshot).map_err(|findings| output.refuse(&findings))?;
    snapshot.warnings.extend_from_slice(compiler.warnings());
    output.show_warnings(&snapshot);
    descriptors::raise(&plan);
    let log = Log::start(&snapshot, plan.access_log.is_off()).map_err(|error| failed(&error.to_string()))?;
    let mut lookups = Lookups::default();
    let plan =
        lookups.fill(&mut compiler, &snapshot, plan, RESOLVE_WAIT).map_err(|findings| output.refuse(&findings))?;
    let sightings = sights::start(&snapshot).map_err(|error| failed(&format!("sights: {error}")))?;
    let resolver = Arc::new(start_resolver(&plan)?);
    let workers = compiler.workers();
    let settings = Settings {
        workers,
        sinks: log.sinks(workers),
        sights: sights::sinks(&sightings, workers),
        inherited: inherited(),
        give_back: allocator::give_back,
    };
    let fleet = Fleet::start(settings, plan);
    let fleet = Arc::new(fleet.map_err(|error| failed(&not_bound(&error)))?);
    let checker = Arc::new(start_checker(&fleet)?);
    let control = Control {
        resolver: resolver.clone(),
        checker: checker.clone(),
        lookups,
        log: log.clone(),
        sightings: sightings.clone(),
    };
    let reloader = Reloader::new(source, output, compiler, (snapshot.clone(), kept), control, fleet.clone());
    let reloader = Arc::new(Mutex::new(reloader));
    if let Ok(mut following) = reloader.lock() {
        following.follow_lookups(Arc::downgrade(&reloader));
    }
    let files = watch_files(&fleet, &reloader).map_err(|error| failed(&format!("files: {error}")))?;
    let stapler = start_stapler(&fleet, &reloader).map_err(|error| failed(&format!("ocsp: {error}")))?;
    watch_signals(&fleet, reloader.clone(), log.clone()).map_err(|error| failed(&format!("signals: {error}")))?;
    if watching {
        watch::start(reloader.clone()).map_err(|error| failed(&format!("watching files: {error}")))?;
    }
    let desk = Desk { fleet: fleet.clone(), reloader, log: log.clone(), sightings: sightings.clone() };
    let admin = start_admin(&snapshot, &desk)?;
    say_ready(&fleet, admin.as_ref());
    notify::tell("READY=1");
    watchdog::start(fleet.clone()).map_err(|error| failed(&format!("watchdog: {error}")))?;
    Ok(Running {
        fleet,
        admin,
        log,
        sightings,
        _resolver: resolver,
        _checker: checker,
        _files: files,
        _stapler: stapler,
    })
}

/// What the admin API has patched, for what the files say now.
fn kept(source: &Source, output: Output, prefer: Option<Prefer>) -> Result<Kept, Exit> {
    let kept = Kept::of(source).map_err(|why| failed(&why))?;
    if kept.is_empty() {
        return Ok(kept);
    }
    let files = source.load().map_err(|findings| output.refuse(&findings))?;
    let settled = kept.settled(&files, prefer).map_err(|paths| {
        say(&contested(&paths, &kept));
        Exit::Configuration
    })?;
    if settled != kept {
        settled.save().map_err(|error| failed(&format!("{}: {error}", settled.place().unwrap_or_default())))?;
    }
    say(&format!("the admin API's patch holds over {}: {}", source.name(), settled.place().unwrap_or_default()));
    Ok(settled)
}

impl Running {
    /// The address of the admin API, when it has one.
    pub(crate) fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref().and_then(AdminServer::address)
    }

    /// Waits until a signal or the admin API has ended the workers, and puts away the rest.
    pub(crate) fn wait(self) -> Exit {
        self.fleet.join();
        notify::tell("STOPPING=1");
        if let Some(admin) = self.admin {
            admin.stop();
        }
        if !self.log.stop(LOG_TIMEOUT) {
            say("access log: the last records could not be written in time");
        }
        self.sightings.stop(SIGHTS_TIMEOUT);
        say("stopped");
        Exit::Done
    }
}

fn workers(snapshot: &Snapshot) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    snapshot.spec.workers.map_or_else(cores, |workers| workers as usize)
}

/// The sockets that the service manager bound for us: the protocol of sd_listen_fds(3).
fn inherited() -> Inherited {
    let mut from_manager = listenfd::ListenFd::from_env();
    let mut inherited = Inherited::default();
    for index in 0..from_manager.len() {
        // A socket of another kind than is asked for stays for the next question.
        if let Ok(Some(socket)) = from_manager.take_tcp_listener(index) {
            inherited.tcp.push(socket);
        } else if let Ok(Some(socket)) = from_manager.take_unix_listener(index) {
            inherited.unix.push(socket);
        } else {
            say(&format!("socket {index} of the service manager is no listening stream socket: it is not used"));
        }
    }
    inherited
}

fn log_terminals() -> Terminals {
    let (stdout, stderr) = terminals();
    Terminals { stdout, stderr, color: colors_are_welcome() }
}

/// Says why, and ends.
fn failed(why: &str) -> Exit {
    say(why);
    Exit::Failed
}

/// Starts checking the endpoints of the plan that was just published.
fn start_checker(fleet: &Arc<Fleet>) -> Result<Checker, Exit> {
    let checker = Checker::start(fleet.clone()).map_err(|error| failed(&format!("health checks: {error}")))?;
    checker.adopt(fleet.plan());
    Ok(checker)
}

fn start_resolver(plan: &Plan) -> Result<Resolver, Exit> {
    let resolver =
        Resolver::start(ResolveIntervals::default()).map_err(|error| failed(&format!("resolver: {error}")))?;
    for name in resolver.adopt(plan, RESOLVE_WAIT) {
        say(&format!("`{name}` does not resolve yet; its requests are answered with 503 until it does"));
    }
    Ok(resolver)
}

/// Why a listener is not there, and what to do.
pub(crate) fn not_bound(error: &PublishError) -> String {
    let taken = error.error.kind() == std::io::ErrorKind::AddrInUse;
    let holder = match &error.address {
        ListenAddress::Tcp(address) if taken => ports::holder(*address),
        _ => None,
    };
    match holder {
        Some(holder) => format!("{error}\n  {holder} has it: stop it, or listen on another port"),
        None if taken => format!(
            "{error}\n  another user's process has it (`ss -ltnp` as root shows which), or listen on another port"
        ),
        None if error.error.kind() == std::io::ErrorKind::PermissionDenied => {
            format!("{error}\n  {}", ports::permission())
        }
        None => error.to_string(),
    }
}

/// Takes up certificates that change, and turns the keys of tickets.
fn watch_files(fleet: &Arc<Fleet>, reloader: &Arc<Mutex<Reloader>>) -> std::io::Result<FileWatch> {
    let (fleet, to_change, to_turn) = (fleet.clone(), reloader.clone(), reloader.clone());
    let hooks = FileHooks {
        files: Box::new(move || fleet.plan().files.clone()),
        changed: Box::new(move |files| {
            if let Ok(mut reloader) = to_change.lock() {
                reloader.take_up(files);
            }
        }),
        turn: Box::new(move || {
            if let Ok(mut reloader) = to_turn.lock() {
                reloader.turn();
            }
        }),
    };
    FileWatch::start(hooks, LOOK_EVERY)
}

/// Asks the responders of certificates.
fn start_stapler(fleet: &Arc<Fleet>, reloader: &Arc<Mutex<Reloader>>) -> std::io::Result<Stapler> {
    let (fleet, reloader) = (fleet.clone(), reloader.clone());
    Stapler::start(StapleHooks {
        orders: Box::new(move || fleet.plan().staples.clone()),
        said: Box::new(move |order, staple| {
            if let Ok(mut reloader) = reloader.lock() {
                reloader.staple(order, staple);
            }
        }),
    })
}

fn watch_signals(fleet: &Arc<Fleet>, reloader: Arc<Mutex<Reloader>>, log: Log) -> std::io::Result<()> {
    let (to_drain, to_stop) = (fleet.clone(), fleet.clone());
    signals::watch(SignalHooks {
        drain: Box::new(move || drain(&to_drain)),
        stop: Box::new(move || {
            say("stopping at once");
            to_stop.stop();
        }),
        reload: Box::new(move || {
            if let Ok(mut reloader) = reloader.lock() {
                // Said to people already.
                let _ = reloader.reload(None);
            }
        }),
        reopen: Box::new(move || log.reopen()),
        reap: Box::new(reap),
    })
}

/// As the first process of a container it inherits orphans, and must let those that have ended go. Any other process
/// has no children but its own.
fn reap() {
    let is_first = std::process::id() == 1;
    while is_first && rustix::process::wait(rustix::process::WaitOptions::NOHANG).is_ok_and(|ended| ended.is_some()) {}
}

/// Begins a drain, once.
fn drain(fleet: &Arc<Fleet>) {
    if !fleet.is_draining() {
        let open: u64 = fleet.meters().iter().map(|meter| meter.connections_open.read()).sum();
        let timeout = fleet.plan().drain_timeout;
        let within = timeout.map_or_else(String::new, |timeout| format!(" within {timeout:?}"));
        say(&format!("draining: {open} connections finish{within}, none is accepted; again to stop at once"));
        notify::tell("STOPPING=1");
        fleet.drain();
        if let Some(timeout) = timeout {
            end_after(fleet.clone(), timeout);
        }
    }
}

/// Ends what still runs when a drain has taken long enough. Most drains are over before, and the process with them.
fn end_after(fleet: Arc<Fleet>, timeout: Duration) {
    let ending = move || {
        std::thread::sleep(timeout);
        let open: u64 = fleet.meters().iter().map(|meter| meter.connections_open.read()).sum();
        say(&format!("the drain took its {timeout:?}: {open} connections are ended"));
        fleet.stop();
    };
    if std::thread::Builder::new().name("drain".into()).spawn(ending).is_err() {
        say("no thread for the drain's timeout: it waits for all connections");
    }
}

/// The admin API. An address or a socket that nobody wrote and cannot be had is done without.
fn start_admin(snapshot: &Snapshot, desk: &Desk) -> Result<Option<AdminServer>, Exit> {
    let spec = &snapshot.spec.admin;
    let address: Option<&Spanned<Address>> = spec.address.get();
    let file = |address: &Address| match address {
        Address::Unix(path) => Some(path.clone()),
        _ => None,
    };
    let written = spec.socket.as_ref().or(address).and_then(|socket| file(&socket.value));
    let token = spec.token.as_ref().map(|token| Token::new(token.value.as_str()));
    let usual = || usual_folder().filter(|_| address.is_some()).map(SocketPlace::In);
    let socket = written.map(SocketPlace::Named).or_else(usual);
    let mut settings = AdminSettings { address: address.and_then(|address| address.socket()), socket, token };
    while settings.address.is_some() || settings.socket.is_some() {
        match AdminServer::start(settings.clone(), desk.fleet.clone(), desk.hooks()) {
            Ok(admin) => return Ok(Some(admin)),
            Err(AdminError::Address(at, _)) if address.is_some_and(|address| !address.span.is_written()) => {
                let holder = ports::holder(at).map_or_else(String::new, |holder| format!(": {holder} has it"));
                say(&format!("no admin API on {at}{holder} (set `admin: {{address: …}}`)"));
                settings.address = None;
            }
            // There is the address, and signals.
            Err(AdminError::Socket(path, error)) if matches!(settings.socket, Some(SocketPlace::In(_))) => {
                say(&format!("no admin socket {}: {error} (set `admin: {{socket: …}}`)", path.display()));
                settings.socket = None;
            }
            Err(error) => return Err(failed(&error.to_string())),
        }
    }
    Ok(None)
}

/// The first of the usual folders in which this user can make a socket.
fn usual_folder() -> Option<PathBuf> {
    let is_usable = |folder: &PathBuf| {
        let made = std::fs::DirBuilder::new().recursive(true).mode(0o750).create(folder);
        made.is_ok() && rustix::fs::access(folder, rustix::fs::Access::WRITE_OK).is_ok()
    };
    state::socket_folders().into_iter().find(is_usable)
}

/// What the admin API asks.
struct Desk {
    fleet: Arc<Fleet>,
    reloader: Arc<Mutex<Reloader>>,
    log: Log,
    sightings: Arc<Sightings>,
}

impl Desk {
    fn hooks(&self) -> Hooks {
        let (to_ask, to_stop) = (self.fleet.clone(), self.fleet.clone());
        let (to_read, to_change, log) = (self.reloader.clone(), self.reloader.clone(), self.log.clone());
        Hooks {
            explain: Box::new(move |asked| explained(&to_ask.plan(), to_ask.now_ms(), asked)),
            config: Box::new(move || to_read.lock().map(|reloader| reloader.served()).unwrap_or_default()),
            change: Box::new(move |change| match to_change.lock() {
                Ok(mut reloader) => reloader.change(change),
                Err(_) => Err(Refused::Failed("a defect: an earlier reload ended in a panic".to_owned())),
            }),
            stop: Box::new(move || drain(&to_stop)),
            access_log: self.log.meter(),
            sightings: Some(self.sightings.clone()),
            reopen: Box::new(move || log.reopen()),
        }
    }
}

/// Answers what becomes of a request under the plan that serves.
fn explained(plan: &Plan, now_ms: u64, asked: &Asked) -> Result<String, String> {
    let question = Question {
        headers: &asked.headers,
        listener: asked.listener.as_deref(),
        client: asked.client,
        now_ms,
        ..Question::new(&asked.method, &asked.url)
    };
    let explanation = strait_compile::explain(plan, &question).map_err(|refusal| refusal.to_string())?;
    Ok(if asked.json { explanation.to_json().to_string() } else { explanation.to_string() })
}

fn say_ready(fleet: &Fleet, admin: Option<&AdminServer>) {
    let plan = fleet.plan();
    let listening = fleet.listening();
    for listener in &plan.listeners {
        let at = match &listener.address {
            ListenAddress::Unix(_) => listener.address.to_string(),
            ListenAddress::Tcp(address) => {
                let bound = listening.iter().find(|(name, _)| *name == listener.name);
                bound.map_or(*address, |(_, at)| *at).to_string()
            }
        };
        say(&format!("ready: listening on {at}"));
    }
    if let Some(at) = admin.and_then(AdminServer::address) {
        say(&format!("admin: http://{at}/metrics"));
    }
    if let Some(socket) = admin.and_then(AdminServer::socket) {
        say(&format!("admin: unix:{}", socket.display()));
    }
}
