//! What can only be judged once everything is together.

use super::{DEFAULT_PORT, section};
use crate::codes;
use crate::decode::{Mention, Table};
use crate::diagnose::{Diagnostic, Edit};
use crate::limits::NAME_BYTES_MAX;
use crate::source::{Span, Spanned};
use crate::spec::{HalfClose, Limits, Listener, Protocol, Root};
use crate::syntax::Node;
use crate::value::Address;
use crate::words;
use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;

/// Names that are no names, and upstreams that nobody defines.
pub(super) fn names(tree: &Node, mentioned: &[Mention], found: &mut Vec<Diagnostic>) {
    for kind in ["listeners", "upstreams", "policies"] {
        for entry in section(tree, kind) {
            if !crate::value::is_name(&entry.key.value) {
                found.push(bad_name(&entry.key));
            }
        }
    }
    let defined: HashMap<&str, Span> =
        section(tree, "upstreams").iter().map(|entry| (entry.key.value.as_str(), entry.key.span)).collect();
    for Mention { name, raw } in mentioned {
        if defined.contains_key(name.value.as_str()) {
            continue;
        }
        found.push(match raw {
            None => unknown_upstream(name, &defined),
            // What was brought in may be a secret in the wrong place.
            Some(raw) => {
                let message = format!("the value of `{raw}` is no name of an upstream");
                Diagnostic::error(codes::UNKNOWN_UPSTREAM, name.span, message).label("after it was replaced")
            }
        });
    }
}

fn bad_name(key: &Spanned<String>) -> Diagnostic {
    let message = format!("`{}` is not a usable name", key.value);
    let diagnostic = Diagnostic::error(codes::NAME, key.span, message).label("letters, digits, `-`, `_` and `.`");
    let better: String = key
        .value
        .trim()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' })
        .collect();
    if better.is_empty() || better.len() > NAME_BYTES_MAX {
        return diagnostic.hint(format!("1 to {NAME_BYTES_MAX} characters"));
    }
    diagnostic.replace(format!("write `{better}`"), key.span, better)
}

fn unknown_upstream(name: &Spanned<String>, defined: &HashMap<&str, Span>) -> Diagnostic {
    let finding = Diagnostic::error(codes::UNKNOWN_UPSTREAM, name.span, format!("no upstream named `{}`", name.value))
        .label("not defined");
    let mut candidates: Vec<&str> = defined.keys().copied().collect();
    candidates.sort_unstable();
    if let Some(near) = words::closest(&name.value, candidates.iter().copied()) {
        let place = defined.get(near).copied().unwrap_or(Span::NONE);
        return finding.second(place, format!("`{near}` is defined here")).replace(
            format!("did you mean `{near}`?"),
            name.span,
            near,
        );
    }
    let target = format!("{}:80", name.value);
    if name.value.contains('.') || name.value == "localhost" || candidates.is_empty() {
        return finding.replace(format!("if it is a host, write its port: {target}"), name.span, target);
    }
    let some: Vec<String> = candidates.iter().take(8).map(|name| format!("`{name}`")).collect();
    let message = format!("write the name of an upstream ({}), or for a host its port: {target}", some.join(", "));
    finding.replace(message, name.span, target)
}

/// Listeners that want the same address.
pub(super) fn addresses(spec: &Root, found: &mut Vec<Diagnostic>) {
    let mut by_port: HashMap<Option<u16>, Vec<&Spanned<Address>>> = HashMap::new();
    let admin = spec.admin.address.get().filter(|address| address.span.is_written());
    let listeners = spec.listeners.iter().map(|(_, listener)| &listener.address);
    for address in listeners.chain(admin).chain(spec.admin.socket.as_ref()) {
        let others = by_port.get(&address.port());
        if let Some(other) = others.into_iter().flatten().find(|other| other.collides(&address.value)) {
            found.push(
                Diagnostic::error(codes::SAME_ADDRESS, address.span, "this address is taken already")
                    .label("here again")
                    .second(other.span, "first here")
                    .edits("choose another one", another_port(address, &by_port).into_iter().collect()),
            );
        }
        by_port.entry(address.port()).or_default().push(address);
    }
}

/// The address with the next port that no listener before it has.
fn another_port(address: &Spanned<Address>, taken: &HashMap<Option<u16>, Vec<&Spanned<Address>>>) -> Option<Edit> {
    let port = (address.port()?..=u16::MAX).find(|port| !taken.contains_key(&Some(*port)))?;
    let replacement = match &address.value {
        Address::Port(_) => Address::Port(port),
        Address::Socket(socket) => Address::Socket(SocketAddr::new(socket.ip(), port)),
        Address::Unix(_) => return None,
    };
    Some(Edit { span: address.span, replacement: replacement.to_string() })
}

/// What is accepted, but hardly meant.
pub(super) fn warnings(spec: &Root, tree: &Node, mentioned: &[Mention], found: &mut Vec<Diagnostic>) {
    let used: HashSet<&str> = mentioned.iter().map(|mention| mention.name.value.as_str()).collect();
    for (name, _) in &spec.upstreams {
        if !used.contains(name.value.as_str()) {
            let message = format!("the upstream `{}` is never used", name.value);
            found.push(Diagnostic::warning(codes::UNUSED_UPSTREAM, name.span, message).label("no route goes to it"));
        }
    }
    let needs_routes =
        spec.listeners.is_empty() || spec.listeners.iter().any(|(_, listener)| listener.routes.is_none());
    if spec.routes.is_empty() && needs_routes {
        let span = Span { end: tree.span.start, ..tree.span };
        let warning =
            Diagnostic::warning(codes::NO_ROUTES, span, "there are no routes: every request is answered with 404");
        found.push(warning.hint("add `routes: {/: localhost:3000}`"));
    }
}

/// Without listeners there is one on port 8080.
pub(super) fn add_default_listener(spec: &mut Root) {
    if spec.listeners.is_empty() {
        let mut listeners = Table::default();
        let listener = Listener {
            address: Spanned::unwritten(Address::Port(DEFAULT_PORT)),
            protocol: Protocol::Http,
            tls: None,
            http2: None,
            redirect_to_https: None,
            trusted_proxies: None,
            half_close: HalfClose::Serve,
            merge_slashes: true,
            limits: Limits::default(),
            filters: Vec::new(),
            routes: None,
        };
        listeners.push(Spanned::unwritten("http".to_owned()), listener);
        spec.listeners = listeners;
    }
}
