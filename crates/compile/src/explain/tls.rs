//! Which certificate a client gets and why, and what it must prove, by the code that serves.

use serde_json::{Value, json};
use std::sync::Arc;
use strait_tls::{Certificate, Choice, ClientAuth, ListenerTls, ServerPolicy, VersionMin};

/// How TLS is spoken with a client that asks for a name.
#[derive(Clone, Debug)]
pub struct TlsAnswer {
    /// The certificates it may get, the most wanted first: it gets the first one that it can check.
    pub certificates: Vec<Arc<Certificate>>,
    /// Why these.
    pub why: String,
    /// The policy: the listener, or the pattern of hosts that are served otherwise.
    pub policy: String,
    /// What the client must prove.
    pub client: &'static str,
    /// The least version.
    pub version_min: &'static str,
}

impl TlsAnswer {
    pub(super) fn of(tls: &ListenerTls, host: &str) -> Self {
        let name = Some(host).filter(|host| !host.is_empty());
        let policy = tls.policy(tls.policy_of(name)).or_else(|| tls.policies().first());
        policy.map_or_else(Self::nothing, |policy| Self::under(policy, name))
    }

    fn under(policy: &ServerPolicy, name: Option<&str>) -> Self {
        let settings = &policy.settings;
        let (certificates, choice) = settings.certificates.find(name);
        let client = match &settings.client_auth {
            ClientAuth::Off => "nothing",
            ClientAuth::Certificate { required: true, .. } => "a certificate, or there is no service",
            ClientAuth::Certificate { .. } => "a certificate, if it has one",
        };
        Self {
            certificates: certificates.to_vec(),
            why: why(choice, name),
            policy: settings.name.to_string(),
            client,
            version_min: if settings.version_min == VersionMin::Tls13 { "1.3" } else { "1.2" },
        }
    }

    fn nothing() -> Self {
        let (certificates, why, policy) = (Vec::new(), String::new(), String::new());
        Self { certificates, why, policy, client: "nothing", version_min: "1.2" }
    }

    /// Titles and texts for people.
    pub(super) fn lines(&self) -> Vec<(&'static str, String)> {
        let mut lines = Vec::new();
        for (place, certificate) in self.certificates.iter().enumerate() {
            let title = if place == 0 { "certificate" } else { "" };
            let Certificate { label, algorithm, .. } = &**certificate;
            lines.push((title, format!("{label} ({}, {})", algorithm.word(), certificate.names.join(" "))));
        }
        lines.push(("", format!("because {}", self.why)));
        lines.push(("tls", format!("from {} on, under the policy of {}", self.version_min, self.policy)));
        lines.push(("", format!("the client shows {}", self.client)));
        lines
    }

    pub(super) fn to_json(&self) -> Value {
        let certificates = self.certificates.iter().map(|certificate| {
            json!({
                "file": certificate.label,
                "algorithm": certificate.algorithm.word(),
                "names": certificate.names,
                "issuer": certificate.issuer,
                "not_after": certificate.not_after_s,
                "sha256": certificate.fingerprint,
            })
        });
        json!({
            "certificates": certificates.collect::<Vec<_>>(),
            "because": self.why,
            "policy": self.policy,
            "client_shows": self.client,
            "version_min": self.version_min,
        })
    }
}

fn why(choice: Choice<'_>, name: Option<&str>) -> String {
    match choice {
        Choice::Exact => format!("it is for {}", name.unwrap_or_default()),
        Choice::Wildcard(parent) => format!("it is for *.{parent}"),
        Choice::NoName => "it is the first one, and no name is asked for".to_owned(),
        Choice::UnknownName => {
            format!("it is the first one, and none is for {}: clients will refuse it", name.unwrap_or_default())
        }
    }
}
