//! How endpoints are spoken to.

use crate::certificate::Certificate;
use crate::policy::PolicyError;
use crate::policy::digest;
use crate::provider::{VersionMin, provider, versions};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConfig, Resumption, WebPkiServerVerifier};
use rustls::crypto::{verify_tls12_signature, verify_tls13_signature};
use rustls::{DigitallySignedStruct, RootCertStore, SignatureScheme};
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, ServerName, UnixTime};
use std::sync::Arc;
use std::time::Duration;

/// Sessions remembered for resumption, per policy.
const SESSIONS_MAX: usize = 256;

/// Whose word about an endpoint is believed.
#[derive(Clone, Debug)]
pub enum Trust {
    /// That of these authorities.
    Roots {
        /// Their certificates.
        roots: Vec<CertificateDer<'static>>,
        /// What they have revoked.
        revoked: Vec<CertificateRevocationListDer<'static>>,
    },
    /// Anybody's: whoever answers is taken for the endpoint.
    Anybody,
}

/// What a policy is made of.
#[derive(Clone, Debug)]
pub struct ClientSettings {
    /// Whose word is believed.
    pub trust: Trust,
    /// Who Strait says to be.
    pub certificate: Option<Arc<Certificate>>,
    /// The least version.
    pub version_min: VersionMin,
    /// Protocols offered by ALPN, by preference.
    pub protocols: Vec<Vec<u8>>,
    /// For the handshake, at most.
    pub handshake_timeout: Duration,
}

/// How endpoints are spoken to. Endpoints share it; the name is each one's own.
#[derive(Clone, Debug)]
pub struct ClientPolicy {
    /// The name that is asked for, and that the certificate must be for.
    pub server_name: ServerName<'static>,
    /// For the handshake, at most.
    pub handshake_timeout: Duration,
    /// Whether the endpoint must prove who it is.
    pub verifies: bool,
    /// Digest of the policy and the name: connections under another are not shared.
    pub hash: [u8; 32],
    /// Digest of the policy alone.
    base: [u8; 32],
    pub(crate) config: Arc<ClientConfig>,
}

impl ClientPolicy {
    /// Makes a policy for an endpoint of this name: a host name or an address.
    ///
    /// # Errors
    /// When an authority, a list or the certificate cannot be used, or the name is none.
    pub fn new(settings: &ClientSettings, name: &str) -> Result<Self, PolicyError> {
        let builder = ClientConfig::builder_with_provider(provider())
            .with_protocol_versions(versions(settings.version_min))
            .map_err(|error| PolicyError(error.to_string()))?;
        let verifier: Arc<dyn ServerCertVerifier> = match &settings.trust {
            Trust::Roots { roots, revoked } => verifier(roots, revoked)?,
            Trust::Anybody => Arc::new(Anybody),
        };
        let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
        let mut config = match &settings.certificate {
            None => builder.with_no_client_auth(),
            Some(certificate) => builder.with_client_cert_resolver(Arc::new(Always(certificate.key.clone()))),
        };
        config.alpn_protocols.clone_from(&settings.protocols);
        config.resumption = Resumption::in_memory_sessions(SESSIONS_MAX);
        let base = hash(settings);
        Ok(Self {
            server_name: parse_name(name)?,
            handshake_timeout: settings.handshake_timeout,
            verifies: matches!(settings.trust, Trust::Roots { .. }),
            hash: digest(&[&base, name.as_bytes()]),
            base,
            config: Arc::new(config),
        })
    }

    /// The same with other protocols offered by ALPN (RFC 7301), the one liked best first; with none the extension is
    /// left out. No session is shared with it: what was agreed on in one means nothing in the other.
    #[must_use]
    pub fn speaking(&self, protocols: &[&[u8]]) -> Self {
        let mut config = ClientConfig::clone(&self.config);
        config.alpn_protocols = protocols.iter().map(|protocol| protocol.to_vec()).collect();
        config.resumption = Resumption::in_memory_sessions(SESSIONS_MAX);
        Self { config: Arc::new(config), ..self.clone() }
    }

    /// A policy by a configuration of the engine that was made elsewhere, for an endpoint of this name. Its hash does not
    /// tell configurations apart: it is for who measures or tests, not for connections that are shared.
    ///
    /// # Errors
    /// When the name is none.
    pub fn of(config: ClientConfig, name: &str) -> Result<Self, PolicyError> {
        Ok(Self {
            server_name: parse_name(name)?,
            handshake_timeout: Duration::MAX,
            verifies: true,
            hash: digest(&[name.as_bytes()]),
            base: [0; 32],
            config: Arc::new(config),
        })
    }

    /// The engine's own configuration, for whoever drives rustls by other means than [`crate::TlsEngine`].
    pub fn config(&self) -> &Arc<ClientConfig> {
        &self.config
    }

    /// The same for an endpoint of another name.
    ///
    /// # Errors
    /// When the name is none.
    pub fn named(&self, name: &str) -> Result<Self, PolicyError> {
        let hash = digest(&[&self.base, name.as_bytes()]);
        Ok(Self { server_name: parse_name(name)?, hash, ..self.clone() })
    }
}

fn parse_name(name: &str) -> Result<ServerName<'static>, PolicyError> {
    let bare = name.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
    ServerName::try_from(bare.to_owned()).map_err(|_| PolicyError(format!("`{name}` is no name of a host")))
}

fn verifier(
    roots: &[CertificateDer<'static>],
    revoked: &[CertificateRevocationListDer<'static>],
) -> Result<Arc<WebPkiServerVerifier>, PolicyError> {
    let mut store = RootCertStore::empty();
    // A system's store may hold a few that nobody can read.
    let (added, _) = store.add_parsable_certificates(roots.iter().cloned());
    if added == 0 {
        return Err(PolicyError("there is no authority that could be believed".to_owned()));
    }
    let mut builder = WebPkiServerVerifier::builder_with_provider(Arc::new(store), provider());
    if !revoked.is_empty() {
        builder = builder.with_crls(revoked.iter().cloned()).only_check_end_entity_revocation();
    }
    builder.build().map_err(|error| PolicyError(error.to_string()))
}

/// Of everything but the name.
fn hash(settings: &ClientSettings) -> [u8; 32] {
    let version = [u8::from(settings.version_min == VersionMin::Tls13)];
    let fingerprint = settings.certificate.as_ref().map_or("", |certificate| &certificate.fingerprint);
    let mut parts: Vec<&[u8]> = vec![&version, fingerprint.as_bytes()];
    parts.extend(settings.protocols.iter().map(Vec::as_slice));
    match &settings.trust {
        Trust::Anybody => parts.push(b"anybody"),
        Trust::Roots { roots, revoked } => {
            parts.push(b"roots");
            parts.extend(roots.iter().map(|root| root.as_ref()));
            parts.push(b"revoked");
            parts.extend(revoked.iter().map(|list| list.as_ref()));
        }
    }
    digest(&parts)
}

/// Shows one certificate to whoever asks for any.
#[derive(Debug)]
struct Always(Arc<rustls::sign::CertifiedKey>);

impl rustls::client::ResolvesClientCert for Always {
    fn resolve(&self, _hints: &[&[u8]], _schemes: &[SignatureScheme]) -> Option<Arc<rustls::sign::CertifiedKey>> {
        Some(self.0.clone())
    }

    fn has_certs(&self) -> bool {
        true
    }
}

/// Believes any certificate; that its holder has the key is still checked.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &provider().signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signed, &provider().signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}
