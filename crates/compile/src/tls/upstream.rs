//! How endpoints are spoken to.

use super::{Tls, protocols, version};
use std::sync::Arc;
use strait_config::spec::{self, CertificateFiles};
use strait_config::{Diagnostic, Span, codes};
use strait_tls::{CertificateDer, ClientPolicy, ClientSettings, Trust};

/// The TLS of one upstream: what its endpoints share, made with the first of them.
#[derive(Debug)]
pub(crate) struct UpstreamTls {
    /// `None` where something is wrong.
    settings: Option<ClientSettings>,
    server_name: Option<String>,
    first: Option<ClientPolicy>,
    /// Where it is written.
    span: Span,
}

impl Tls<'_> {
    /// The TLS of an upstream by its settings, or by those of the language.
    pub(crate) fn upstream(&mut self, written: Option<&spec::UpstreamTls>) -> UpstreamTls {
        let default = spec::UpstreamTls::default();
        let spec = written.unwrap_or(&default);
        let span = spec.ca.first().or(spec.cert.as_ref()).map_or(Span::NONE, |file| file.span);
        UpstreamTls {
            settings: self.client_settings(spec),
            server_name: spec.server_name.as_ref().map(|name| name.value.clone()),
            first: None,
            span: spec.server_name.as_ref().map_or(span, |name| name.span),
        }
    }

    fn client_settings(&mut self, spec: &spec::UpstreamTls) -> Option<ClientSettings> {
        let before = self.found.len();
        let revoked = self.files.revocation_lists(&spec.crl, &mut self.found);
        let trust = match (spec.insecure_skip_verify, spec.ca.is_empty()) {
            (true, _) => Trust::Anybody,
            (false, true) => Trust::Roots { roots: self.system_roots(), revoked },
            (false, false) => Trust::Roots { roots: self.files.authorities(&spec.ca, &mut self.found), revoked },
        };
        let certificate = match (&spec.cert, &spec.key) {
            (Some(cert), Some(key)) => {
                let written = CertificateFiles { cert: cert.clone(), key: key.clone(), ocsp: None };
                self.certificates(&[written]).pop()
            }
            _ => None,
        };
        let sound = self.found.get(before..).unwrap_or_default().iter().all(|finding| !finding.is_error());
        sound.then(|| ClientSettings {
            trust,
            certificate,
            version_min: version(spec.min_version),
            protocols: protocols(false),
            handshake_timeout: spec.handshake_timeout.into(),
        })
    }

    /// The authorities that the system trusts, read once.
    fn system_roots(&mut self) -> Vec<CertificateDer<'static>> {
        self.kept.roots.get_or_init(|| rustls_native_certs::load_native_certs().certs).clone()
    }

    /// The policy for an endpoint with this host; `None` when something is wrong, which is among the findings.
    pub(crate) fn endpoint(&mut self, upstream: &mut UpstreamTls, host: &str, at: Span) -> Option<Arc<ClientPolicy>> {
        let settings = upstream.settings.as_ref()?;
        let name = upstream.server_name.as_deref().unwrap_or(host);
        let policy = match &upstream.first {
            Some(first) => first.named(name),
            None => ClientPolicy::new(settings, name),
        };
        match policy {
            Ok(policy) => {
                upstream.first.get_or_insert_with(|| policy.clone());
                Some(Arc::new(policy))
            }
            Err(error) => {
                let span = if upstream.span.is_written() { upstream.span } else { at };
                let finding =
                    Diagnostic::error(codes::AUTHORITY, span, format!("TLS to `{name}` is not possible: {error}"));
                self.found.push(finding.hint(
                    "name authorities in `tls: {ca: …}` of the upstream (Debian: the package ca-certificates brings the public ones), and a `server_name` where the endpoint has none",
                ));
                None
            }
        }
    }
}
