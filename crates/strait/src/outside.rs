//! What `strait check` asks of the world around: whether ports are free, and whether names resolve. Warnings only, for
//! the world may be another one where the configuration runs.

use crate::ports;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs as _};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use strait_compile::codes;
use strait_config::spec::{Route, To};
use strait_config::value::{Endpoint, Host, Target};
use strait_config::{Diagnostic, Snapshot, Span, Spanned};
use strait_plan::{ListenAddress, Plan};

/// Names that are resolved at once; more are not asked for.
const NAMES_MAX: usize = 64;
/// How long all of them may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// A warning for each port that somebody else holds and each name that does not resolve.
pub(crate) fn warnings(snapshot: &Snapshot, plan: &Plan) -> Vec<Diagnostic> {
    let mut found: Vec<_> = held(snapshot, plan).collect();
    found.extend(unresolved(snapshot));
    found
}

/// Ports that others hold. One that a Strait holds is its own: this configuration is its next one.
fn held<'a>(snapshot: &'a Snapshot, plan: &'a Plan) -> impl Iterator<Item = Diagnostic> + 'a {
    snapshot.spec.listeners.iter().zip(&plan.listeners).filter_map(|((_, spec), listener)| {
        let ListenAddress::Tcp(address) = &listener.address else { return None };
        let holder = foreign_holder(*address)?;
        let message = format!("port {} is held by {holder}", address.port());
        let warning = Diagnostic::warning(codes::PORT_HELD, spec.address.span, message).label("it cannot be bound now");
        Some(warning.hint("end that process, or choose another port"))
    })
}

fn foreign_holder(address: SocketAddr) -> Option<String> {
    if address.port() == 0 {
        return None;
    }
    match TcpListener::bind(address) {
        Err(error) if error.kind() == ErrorKind::AddrInUse => {}
        _ => return None,
    }
    let holder = ports::holder(address).unwrap_or_else(|| "a process of somebody else".to_owned());
    (!holder.starts_with("strait ")).then_some(holder)
}

/// Names of endpoints that do not resolve, each once.
fn unresolved(snapshot: &Snapshot) -> Vec<Diagnostic> {
    let mut names = BTreeMap::new();
    endpoints(snapshot, &mut |endpoint: &Endpoint, span| {
        if let Endpoint::Tcp { host: Host::Name(name), port, .. } = endpoint {
            names.entry(name.clone()).or_insert((*port, span));
        }
    });
    let (sender, receiver) = mpsc::channel();
    let asked: Vec<_> = names.into_iter().take(NAMES_MAX).collect();
    for (name, (port, _)) in asked.clone() {
        let sender = sender.clone();
        // A resolver cannot be told to stop: the thread ends with the process at the latest.
        std::thread::spawn(move || {
            let failed = (name.as_str(), port).to_socket_addrs().err().map(|error| error.to_string());
            let _ = sender.send((name, failed));
        });
    }
    drop(sender);
    let answers = answers(&receiver, asked.len());
    let warning = |(name, (_, span)): (String, (u16, Span))| {
        let why = match answers.get(&name) {
            Some(None) => return None,
            Some(Some(why)) => why.clone(),
            None => format!("no answer in {} s", PATIENCE.as_secs()),
        };
        let message = format!("`{name}` does not resolve here: {why}");
        let warning = Diagnostic::warning(codes::UNRESOLVED, span, message).label("asked of this machine's resolver");
        Some(warning.hint("requests for it are answered with 502 until it does"))
    };
    asked.into_iter().filter_map(warning).collect()
}

fn answers(receiver: &mpsc::Receiver<(String, Option<String>)>, count: usize) -> BTreeMap<String, Option<String>> {
    let until = Instant::now() + PATIENCE;
    let next = || receiver.recv_timeout(until.saturating_duration_since(Instant::now())).ok();
    std::iter::from_fn(next).take(count).collect()
}

/// Visits every endpoint that is written.
fn endpoints(snapshot: &Snapshot, visit: &mut impl FnMut(&Endpoint, Span)) {
    let spec = &snapshot.spec;
    for (_, upstream) in &spec.upstreams {
        upstream.endpoints.iter().for_each(|endpoint| visit(&endpoint.address.value, endpoint.address.span));
    }
    let own = spec.listeners.iter().filter_map(|(_, listener)| listener.routes.as_ref());
    for (_, route) in own.chain([&spec.routes]).flat_map(|routes| routes.iter()) {
        targets(route).for_each(|to| match to {
            To::One(target) => of_target(target, visit),
            To::Any(list) => list.iter().for_each(|endpoint| visit(&endpoint.value, endpoint.span)),
            To::Split(weights) => weights.0.iter().for_each(|share| of_target(&share.target, visit)),
        });
    }
}

fn targets(route: &Route) -> impl Iterator<Item = &To> {
    route.to.iter().chain(route.when.iter().filter_map(|branch| branch.value.to.as_ref()))
}

fn of_target(target: &Spanned<Target>, visit: &mut impl FnMut(&Endpoint, Span)) {
    if let Target::Endpoint(endpoint) = &target.value {
        visit(endpoint, target.span);
    }
}
