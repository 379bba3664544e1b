//! How names are served: which certificate, which versions, who must prove to be whom.

use crate::certificate::Certificate;
use crate::hello::Hello;
use crate::names::{Found, Names};
use crate::provider::{VersionMin, provider, versions};
use crate::tickets::{TicketKeys, Ticketer};
use aws_lc_rs::digest::{Context, SHA256};
use rustls::server::{ClientHello, NoServerSessionStorage, ResolvesServerCert, ServerConfig, WebPkiClientVerifier};
use rustls::sign::CertifiedKey;
use rustls::{RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer};
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// Certificates by name. Of one name there may be one of each algorithm.
#[derive(Debug, Default)]
pub struct Chooser {
    names: Names<Vec<Arc<Certificate>>>,
    /// For clients that name nobody, or nobody we know.
    default: Vec<Arc<Certificate>>,
    all: Vec<Arc<Certificate>>,
}

/// Why a certificate was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice<'n> {
    /// It is for the name.
    Exact,
    /// It is for the wildcard of the name's parent.
    Wildcard(&'n str),
    /// It is the first one, and no name was asked for.
    NoName,
    /// It is the first one, and none is for the name.
    UnknownName,
}

impl Chooser {
    /// The certificates, the most wanted first. Of two with one name and algorithm the one that is valid longer is
    /// used, so that old and new may lie side by side.
    pub fn new(certificates: Vec<Arc<Certificate>>) -> Self {
        let mut chooser = Self { all: certificates.clone(), ..Self::default() };
        for certificate in &certificates {
            for name in &certificate.names {
                add(chooser.names.entry(name).or_default(), certificate);
            }
        }
        if let Some(first) = certificates.first() {
            let same = |other: &&Arc<Certificate>| other.names == first.names;
            certificates.iter().filter(same).for_each(|certificate| add(&mut chooser.default, certificate));
        }
        chooser
    }

    /// The certificates for a name in lower case, by preference, and why these. Empty only when there are none at all.
    pub fn find<'n>(&self, name: Option<&'n str>) -> (&[Arc<Certificate>], Choice<'n>) {
        match name.map(|name| self.names.find(name)) {
            None => (&self.default, Choice::NoName),
            Some(None) => (&self.default, Choice::UnknownName),
            Some(Some((found, Found::Exact))) => (found, Choice::Exact),
            Some(Some((found, Found::Wildcard(parent)))) => (found, Choice::Wildcard(parent)),
        }
    }

    /// All certificates.
    pub fn all(&self) -> &[Arc<Certificate>] {
        &self.all
    }

    fn resolve_for(&self, name: Option<&str>, schemes: &[SignatureScheme]) -> Option<Arc<CertifiedKey>> {
        let (found, _) = self.find(name);
        let usable = |certificate: &&Arc<Certificate>| certificate.key.key.choose_scheme(schemes).is_some();
        // With no common scheme the handshake fails with the right alert of its own.
        found.iter().find(usable).or(found.first()).map(|certificate| certificate.key.clone())
    }
}

fn add(list: &mut Vec<Arc<Certificate>>, certificate: &Arc<Certificate>) {
    match list.iter_mut().find(|known| known.algorithm == certificate.algorithm) {
        Some(known) if known.not_after_s < certificate.not_after_s => *known = certificate.clone(),
        Some(_) => {}
        None => list.push(certificate.clone()),
    }
    list.sort_by_key(|certificate| certificate.algorithm);
}

/// Gives out certificates for the names of one policy, by the name that the engine itself has read, also when a
/// session is resumed. A policy was chosen by a first look at the same octets: where the two do not agree, nobody is
/// let in.
#[derive(Debug)]
struct Guard {
    certificates: Arc<Chooser>,
    names: Arc<Names<usize>>,
    policy: usize,
}

impl ResolvesServerCert for Guard {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let name = hello.server_name().map(str::to_ascii_lowercase);
        if policy_of(&self.names, name.as_deref()) != self.policy {
            return None;
        }
        self.certificates.resolve_for(name.as_deref(), hello.signature_schemes())
    }
}

fn policy_of(names: &Names<usize>, host: Option<&str>) -> usize {
    if names.is_empty() {
        return 0;
    }
    host.and_then(|host| names.find(host)).map_or(0, |(policy, _)| *policy)
}

/// What clients prove about themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ClientAuth {
    /// Nothing.
    #[default]
    Off,
    /// A certificate of one of these authorities.
    Certificate {
        /// The authorities.
        roots: Vec<CertificateDer<'static>>,
        /// What they have revoked. With any, a certificate that no list speaks of is refused.
        revoked: Vec<CertificateRevocationListDer<'static>>,
        /// Whether there is no service without.
        required: bool,
    },
}

/// What a policy is made of.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// What `explain` calls it: the listener's name, or the pattern of hosts it is for.
    pub name: Box<str>,
    /// Who gets which certificate.
    pub certificates: Arc<Chooser>,
    /// What clients prove.
    pub client_auth: ClientAuth,
    /// The least version.
    pub version_min: VersionMin,
    /// Protocols offered by ALPN, by preference.
    pub protocols: Vec<Vec<u8>>,
    /// The keys of tickets; without, no session is resumed.
    pub tickets: Option<Arc<TicketKeys>>,
}

/// A policy could not be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyError(pub String);

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for PolicyError {}

/// How one set of names is served.
#[derive(Debug)]
pub struct ServerPolicy {
    /// What it is made of.
    pub settings: ServerSettings,
    /// Digest of all that a client must prove under it.
    pub hash: [u8; 32],
    /// Takes our order of suites.
    config: Arc<ServerConfig>,
    /// Takes the client's.
    config_of_client_order: Arc<ServerConfig>,
}

impl ServerPolicy {
    /// Makes the policy with an index among those of these names.
    fn new(settings: ServerSettings, policy: usize, names: &Arc<Names<usize>>) -> Result<Self, PolicyError> {
        let hash = hash(&settings);
        let builder = ServerConfig::builder_with_provider(provider())
            .with_protocol_versions(versions(settings.version_min))
            .map_err(|error| PolicyError(error.to_string()))?;
        let builder = match &settings.client_auth {
            ClientAuth::Off => builder.with_no_client_auth(),
            ClientAuth::Certificate { roots, revoked, required } => {
                builder.with_client_cert_verifier(verifier(roots, revoked, *required)?)
            }
        };
        let guard = Guard { certificates: settings.certificates.clone(), names: names.clone(), policy };
        let mut config = builder.with_cert_resolver(Arc::new(guard));
        config.alpn_protocols.clone_from(&settings.protocols);
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.ignore_client_order = true;
        config.send_tls13_tickets = 0;
        if let Some(keys) = &settings.tickets {
            config.ticketer = Arc::new(Ticketer { keys: keys.clone(), policy: hash });
            // One is enough: whoever resumes gets another.
            config.send_tls13_tickets = 1;
        }
        let mut of_client_order = config.clone();
        of_client_order.ignore_client_order = false;
        Ok(Self { settings, hash, config: Arc::new(config), config_of_client_order: Arc::new(of_client_order) })
    }

    /// The engine's configuration for a client. One that prefers ChaCha20 has no instructions for AES, and its order is
    /// followed; everybody else gets ours.
    pub fn config(&self, hello: &Hello) -> &Arc<ServerConfig> {
        if hello.prefers_chacha { &self.config_of_client_order } else { &self.config }
    }

    /// Whether clients without a certificate are turned away.
    pub fn requires_client(&self) -> bool {
        matches!(self.settings.client_auth, ClientAuth::Certificate { required: true, .. })
    }
}

fn verifier(
    roots: &[CertificateDer<'static>],
    revoked: &[CertificateRevocationListDer<'static>],
    required: bool,
) -> Result<Arc<dyn rustls::server::danger::ClientCertVerifier>, PolicyError> {
    let mut store = RootCertStore::empty();
    for root in roots {
        store.add(root.clone()).map_err(|error| PolicyError(format!("an authority cannot be used: {error}")))?;
    }
    let mut builder = WebPkiClientVerifier::builder_with_provider(Arc::new(store), provider());
    if !revoked.is_empty() {
        builder = builder.with_crls(revoked.iter().cloned()).only_check_end_entity_revocation();
    }
    if !required {
        builder = builder.allow_unauthenticated();
    }
    builder.build().map_err(|error| PolicyError(error.to_string()))
}

/// What a resumed session skips is what this covers: whoever changes any of it lets nobody in by an old ticket.
fn hash(settings: &ServerSettings) -> [u8; 32] {
    let version = [u8::from(settings.version_min == VersionMin::Tls13)];
    let mut parts: Vec<&[u8]> = vec![b"strait tls policy 1", &version];
    match &settings.client_auth {
        ClientAuth::Off => parts.push(b"off"),
        ClientAuth::Certificate { roots, revoked, required } => {
            parts.push(if *required { b"required" } else { b"optional" });
            parts.extend(roots.iter().map(|root| root.as_ref()));
            parts.push(b"revoked");
            parts.extend(revoked.iter().map(|list| list.as_ref()));
        }
    }
    digest(&parts)
}

/// SHA-256 of parts, each with its length before it, so that no two lists of parts are alike.
pub(crate) fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part);
    }
    let mut digest = [0; 32];
    digest.iter_mut().zip(context.finish().as_ref()).for_each(|(to, from)| *to = *from);
    digest
}

/// The TLS of a listener: a policy for everybody, and further ones for some names.
#[derive(Debug)]
pub struct ListenerTls {
    policies: Vec<ServerPolicy>,
    names: Arc<Names<usize>>,
    /// From the first octet to the end of the handshake, at most.
    pub handshake_timeout: Duration,
    /// Handshakes at a time, over all workers.
    pub handshakes_max: u32,
    running: Arc<AtomicU32>,
}

impl ListenerTls {
    /// The policy for everybody, and those of certain names with the names as written (`*.` begins a wildcard).
    ///
    /// # Errors
    /// The place of the first that cannot be made, and why: its authorities or revocation lists cannot be used.
    pub fn new(
        everybody: ServerSettings,
        some: Vec<(Box<str>, ServerSettings)>,
        handshake_timeout: Duration,
        handshakes_max: u32,
    ) -> Result<Self, (usize, PolicyError)> {
        let mut names = Names::default();
        let mut all = vec![everybody];
        for (name, settings) in some {
            names.entry(&name).or_insert(all.len());
            all.push(settings);
        }
        let names = Arc::new(names);
        let make = |(place, settings)| ServerPolicy::new(settings, place, &names).map_err(|error| (place, error));
        let policies = all.into_iter().enumerate().map(make).collect::<Result<_, _>>()?;
        Ok(Self { policies, names, handshake_timeout, handshakes_max, running: Arc::default() })
    }

    /// The policy for a host in lower case, as an index; of none, and of one nobody speaks of, the one for everybody.
    pub fn policy_of(&self, host: Option<&str>) -> usize {
        policy_of(&self.names, host)
    }

    /// A policy by its index.
    pub fn policy(&self, index: usize) -> Option<&ServerPolicy> {
        self.policies.get(index)
    }

    /// All policies, that for everybody first.
    pub fn policies(&self) -> &[ServerPolicy] {
        &self.policies
    }

    /// Takes a place among the running handshakes; `None` when there are too many.
    pub fn begin_handshake(&self) -> Option<Handshaking> {
        let taken = self.running.fetch_update(Ordering::AcqRel, Ordering::Acquire, |running| {
            (running < self.handshakes_max).then_some(running + 1)
        });
        taken.is_ok().then(|| Handshaking(self.running.clone()))
    }

    /// Handshakes running now.
    pub fn handshakes_running(&self) -> u32 {
        self.running.load(Ordering::Relaxed)
    }

    /// Goes on counting where a listener of the plan before stands.
    #[must_use]
    pub fn following(mut self, before: &Self) -> Self {
        self.running = before.running.clone();
        self
    }
}

/// A place among the running handshakes, given back when dropped.
#[derive(Debug)]
pub struct Handshaking(Arc<AtomicU32>);

impl Drop for Handshaking {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}
