//! The TLS of a listener: its certificates, who else has some for it, and who must prove what.

use super::{Tls, protocols, version};
use std::collections::BTreeSet;
use std::sync::Arc;
use strait_config::spec::{self, LocalNames};
use strait_config::value::OrOff;
use strait_config::{Diagnostic, Spanned, Table, codes};
use strait_route::{HostPattern, Pattern};
use strait_tls::{Certificate, Chooser, ClientAuth, Flaw, ListenerTls, ServerSettings};

/// Names under which a machine is reached by itself.
const OWN_NAMES: [&str; 3] = ["localhost", "127.0.0.1", "::1"];
/// Ends of names that no public authority issues for (RFC 6761, RFC 6762, RFC 8375, ICANN 2024).
const INTERNAL: [&str; 6] = [".localhost", ".internal", ".local", ".test", ".home.arpa", ".lan"];

/// A host that routes are for.
#[derive(Clone)]
struct Host {
    /// Lower case; `*.` begins a wildcard; an IPv6 address has its brackets.
    name: String,
    /// The pattern that names it.
    pattern: Spanned<String>,
}

impl Tls<'_> {
    /// The policies of a listener with these routes. `None` when something is wrong; what, is among the findings.
    pub(crate) fn listener(
        &mut self,
        name: &Spanned<String>,
        listener: &spec::Listener,
        routes: &Table<spec::Route>,
    ) -> Option<Arc<ListenerTls>> {
        let written = listener.tls()?.cloned().unwrap_or_else(unwritten);
        let mut certificates = self.certificates(&written.certificates);
        let common = self.snapshot.spec.certificates.files.clone();
        certificates.extend(self.certificates(&common));
        let own: Vec<Vec<Arc<Certificate>>> =
            written.hosts.iter().map(|(_, host)| self.certificates(&host.certificates)).collect();
        let covered: Vec<_> = own.iter().flatten().chain(&certificates).cloned().collect();
        let some_failed = self.found.iter().any(Diagnostic::is_error);
        let local = self.uncovered(name, &covered, &hosts(routes), some_failed);
        certificates.extend(local);
        let auth = match &written.client_auth {
            None => ClientAuth::Off,
            Some(auth) => self.client_auth(auth)?,
        };
        let everybody = ServerSettings {
            name: name.value.as_str().into(),
            certificates: Arc::new(Chooser::new(certificates.clone())),
            client_auth: auth,
            version_min: version(written.min_version),
            protocols: protocols(listener.http2().is_some()),
            tickets: written.session_tickets.then(|| self.kept.tickets.clone()),
        };
        let some = self.hosts(&written, own, &certificates, &everybody)?;
        let timeout = written.handshake_timeout.into();
        match ListenerTls::new(everybody, some, timeout, written.max_handshakes) {
            Ok(tls) => Some(Arc::new(tls)),
            Err((place, error)) => {
                self.found.push(unusable_policy(&written, name, place, &error.to_string()));
                None
            }
        }
    }

    /// The policies of hosts that are served otherwise.
    fn hosts(
        &mut self,
        written: &spec::ListenerTls,
        own: Vec<Vec<Arc<Certificate>>>,
        common: &[Arc<Certificate>],
        everybody: &ServerSettings,
    ) -> Option<Vec<(Box<str>, ServerSettings)>> {
        let mut policies = Vec::new();
        for ((name, host), own) in written.hosts.iter().zip(own) {
            if !is_host(&name.value) {
                self.found.push(no_host(name));
                continue;
            }
            let client_auth = match &host.client_auth {
                None => everybody.client_auth.clone(),
                Some(OrOff::Off) => ClientAuth::Off,
                Some(OrOff::On(auth)) => self.client_auth(auth)?,
            };
            let certificates = own.into_iter().chain(common.iter().cloned()).collect();
            let settings = ServerSettings {
                name: name.value.as_str().into(),
                certificates: Arc::new(Chooser::new(certificates)),
                client_auth,
                version_min: host.min_version.map_or(everybody.version_min, version),
                ..everybody.clone()
            };
            policies.push((name.value.to_ascii_lowercase().into(), settings));
        }
        Some(policies)
    }

    /// A certificate of the local authority for the hosts that no other covers; what nobody covers is found.
    fn uncovered(
        &mut self,
        listener: &Spanned<String>,
        certificates: &[Arc<Certificate>],
        hosts: &[Host],
        some_failed: bool,
    ) -> Option<Arc<Certificate>> {
        let choice = self.snapshot.spec.certificates.local;
        let is_covered = |host: &&Host| !certificates.iter().any(|certificate| certificate.covers(&host.name));
        let uncovered: Vec<&Host> = hosts.iter().filter(is_covered).collect();
        let is_local = |host: &Host| match choice {
            LocalNames::Off => false,
            LocalNames::All => true,
            LocalNames::Internal => is_internal(&host.name),
        };
        let (local, public): (Vec<&Host>, Vec<&Host>) = uncovered.into_iter().partition(|host| is_local(host));
        // A certificate that cannot be read may be the one that covers them.
        if !some_failed {
            self.found.extend(public.iter().map(|host| no_certificate(host, listener, certificates.is_empty())));
        }
        let mut names: BTreeSet<String> = local.iter().map(|host| bare(&host.name)).collect();
        if certificates.is_empty() && choice != LocalNames::Off && !some_failed {
            names.extend(OWN_NAMES.map(str::to_owned));
        }
        if names.is_empty() {
            if certificates.is_empty() && public.is_empty() && !some_failed {
                self.found.push(nothing_at_all(listener));
            }
            return None;
        }
        let names: Vec<String> = names.into_iter().collect();
        match self.kept.issue(&names, self.now_s) {
            Ok(issued) => Some(issued),
            Err(flaw) => {
                self.found.push(no_authority(listener, &flaw));
                None
            }
        }
    }
}

/// The settings of a listener of which nothing is written.
fn unwritten() -> spec::ListenerTls {
    spec::ListenerTls::default()
}

/// The hosts of routes, each once.
fn hosts(routes: &Table<spec::Route>) -> Vec<Host> {
    let mut seen = BTreeSet::new();
    let mut hosts = Vec::new();
    for (key, _) in routes {
        let Ok(pattern) = Pattern::parse(&key.value) else { continue };
        let name = match pattern.host() {
            HostPattern::Exact(name) => name.clone(),
            HostPattern::Below(parent) => format!("*.{}", parent.trim_start_matches('.')),
            _ => continue,
        };
        if seen.insert(name.clone()) {
            hosts.push(Host { name, pattern: key.clone() });
        }
    }
    hosts
}

/// Whether no public authority issues for a host.
fn is_internal(host: &str) -> bool {
    let name = host.strip_prefix("*.").unwrap_or(host);
    let is_address = bare(name).parse::<std::net::IpAddr>().is_ok();
    is_address || !name.contains('.') || INTERNAL.iter().any(|end| host.ends_with(end))
}

/// An IPv6 address without its brackets.
fn bare(host: &str) -> String {
    host.trim_start_matches('[').trim_end_matches(']').to_owned()
}

fn is_host(name: &str) -> bool {
    let name = name.strip_prefix("*.").unwrap_or(name);
    !name.is_empty()
        && name
            .split('.')
            .all(|label| !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_'))
}

fn no_host(name: &Spanned<String>) -> Diagnostic {
    let message = format!("`{}` is no name of a host", name.value);
    let finding = Diagnostic::error(codes::PATTERN, name.span, message).label("a name or a wildcard");
    finding.hint("write a name such as `admin.example.com`, or \"*.example.com\"; paths belong in `routes`")
}

/// With other certificates at hand the host may be meant for another listener: then it is a warning.
fn no_certificate(host: &Host, listener: &Spanned<String>, none_at_all: bool) -> Diagnostic {
    let message = format!("no certificate covers `{}`", host.name);
    let finding = match none_at_all {
        true => Diagnostic::error(codes::NO_CERTIFICATE, host.pattern.span, message),
        false => Diagnostic::warning(codes::NO_CERTIFICATE, host.pattern.span, message),
    };
    let finding = finding.label("clients refuse it by https").second(listener.span, "this listener speaks TLS");
    finding.hint("name one: `certificates: {files: [{cert: …, key: …}]}`; or have the local authority issue one, which clients must trust: `certificates: {local: all}`; or write `tls: off` in the listener")
}

fn nothing_at_all(listener: &Spanned<String>) -> Diagnostic {
    let message = format!("the listener `{}` speaks TLS and has no certificate", listener.value);
    let finding = Diagnostic::error(codes::NO_CERTIFICATE, listener.span, message).label("speaks TLS");
    finding.hint("name one: `certificates: {files: [{cert: …, key: …}]}`, or write `tls: off`")
}

fn no_authority(listener: &Spanned<String>, flaw: &Flaw) -> Diagnostic {
    let message = format!("the local authority {}", flaw.what);
    let finding = Diagnostic::error(codes::LOCAL_AUTHORITY, listener.span, message);
    finding.label("needs a certificate of it").hint(flaw.hint.clone())
}

fn unusable_policy(written: &spec::ListenerTls, listener: &Spanned<String>, place: usize, error: &str) -> Diagnostic {
    let host = place.checked_sub(1).and_then(|place| written.hosts.iter().nth(place));
    let of_host = host.and_then(|(_, host)| host.client_auth.as_ref()?.get());
    let auth = of_host.or(written.client_auth.as_ref());
    let span = auth.and_then(|auth| auth.ca.first()).map_or(listener.span, |ca| ca.span);
    let finding = Diagnostic::error(codes::AUTHORITY, span, format!("clients cannot be verified by this: {error}"));
    finding.label("these authorities").hint("name certificates of authorities, not of clients or servers")
}

#[cfg(test)]
mod tests {
    use super::is_internal;

    #[test]
    fn names_that_no_public_authority_issues_for() {
        for name in
            ["localhost", "a.localhost", "app.internal", "*.app.internal", "printer", "10.0.0.1", "[::1]", "nas.local"]
        {
            assert!(is_internal(name), "{name}");
        }
        for name in ["example.com", "*.example.com", "internal.example.com", "localhost.example.com"] {
            assert!(!is_internal(name), "{name}");
        }
    }
}
