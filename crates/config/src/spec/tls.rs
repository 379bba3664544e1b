//! TLS: certificates, what listeners ask of clients, and how endpoints are spoken to.

use crate::codes;
use crate::decode::{Decoder, OneOrMany, Spec, Table, not_built, removal};
use crate::diagnose::{Diagnostic, Edit};
use crate::schema::Schema;
use crate::source::Spanned;
use crate::syntax::Node;
use crate::value::{Duration, OrOff};
use std::path::PathBuf;
use strait_config_derive::Spec;

/// A certificate, as PEM files. They are read anew when they change; paths are relative to this file.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "a certificate",
    peers(
        certificate = "cert",
        ssl_certificate = "cert",
        certificate_chain = "cert",
        crt = "cert",
        certFile = "cert",
        chain = "cert",
        fullchain = "cert",
        ssl_certificate_key = "key",
        private_key = "key",
        keyFile = "key",
        ssl_stapling_file = "ocsp",
        ocsp_staple = "ocsp",
        ssl_stapling = "`ocsp: fetch`",
        stapling = "`ocsp: fetch`",
    )
)]
pub struct CertificateFiles {
    /// The certificate, and behind it those that issued it, up to but without the root.
    #[spec(example = "/etc/strait/tls/example.com.pem")]
    pub cert: Spanned<PathBuf>,
    /// Its key.
    #[spec(example = "/etc/strait/tls/example.com.key")]
    pub key: Spanned<PathBuf>,
    /// An OCSP response (DER) that is stapled to it, or `fetch`: then its responder is asked for one, again and again. That is also done, without being told, for a certificate that demands it (must-staple).
    #[spec(example = "fetch")]
    pub ocsp: Option<OcspSource>,
}

/// Where the OCSP response of a certificate comes from.
#[derive(Debug, Clone, PartialEq)]
pub enum OcspSource {
    /// From the responder that the certificate names.
    Fetch,
    /// From a file that somebody else replaces.
    File(Spanned<PathBuf>),
}

impl Spec for OcspSource {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        match node.text() {
            Some("fetch") => Some(Self::Fetch),
            _ => Spanned::<PathBuf>::decode(node, decoder).map(Self::File),
        }
    }

    fn schema() -> Schema {
        Spanned::<PathBuf>::schema()
    }

    fn text(&self) -> Option<String> {
        match self {
            Self::Fetch => Some("fetch".to_owned()),
            Self::File(file) => file.text(),
        }
    }
}

/// Certificates for every listener with TLS.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`certificates`",
    empty_ok,
    peers(load_files = "files", local_certs = "local", internal = "local"),
    unbuilt(acme = "certificates from an ACME authority")
)]
pub struct Certificates {
    /// Certificates from files. Each serves the names that stand in it, so several may lie side by side; of one name there may be an ECDSA and an RSA certificate, and each client gets the one it can use.
    #[spec(example = "[{cert: example.com.pem, key: example.com.key}]")]
    pub files: Vec<CertificateFiles>,
    /// For which hosts of `routes` that no certificate covers the local authority (`strait ca`) issues one.
    #[spec(default = LocalNames::Internal)]
    pub local: LocalNames,
}

/// For which hosts the local authority issues certificates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Spec)]
#[spec(noun = "a choice of hosts", peers(auto = "internal", "true" = "all", "false" = "off", none = "off", on = "all"))]
pub enum LocalNames {
    /// For those that no public authority issues for: `localhost`, names that end in `.localhost`, `.internal`, `.local`, `.test`, `.home.arpa` or have no dot, and addresses.
    Internal,
    /// For all.
    All,
    /// For none.
    Off,
}

/// The least version of TLS that is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Spec)]
#[spec(
    noun = "a version of TLS",
    peers("TLSv1.2" = "1.2", "TLSv1.3" = "1.3", "tls1.2" = "1.2", "tls1.3" = "1.3", TLSv1_2 = "1.2", TLSv1_3 = "1.3", "1.0" = "TLS 1.0 and 1.1 are broken and not spoken: write 1.2", "1.1" = "TLS 1.0 and 1.1 are broken and not spoken: write 1.2")
)]
pub enum TlsVersion {
    /// TLS 1.2 and 1.3.
    #[spec(name = "1.2")]
    Tls12,
    /// TLS 1.3 only.
    #[spec(name = "1.3")]
    Tls13,
}

/// TLS of a listener.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`tls`",
    empty_ok,
    peers(
        certificate = "certificates",
        certs = "certificates",
        cert = "`certificates: [{cert: …, key: …}]`",
        key = "`certificates: [{cert: …, key: …}]`",
        client_certificate = "client_auth",
        mtls = "client_auth",
        ssl_client_certificate = "client_auth",
        ssl_verify_client = "client_auth",
        verify = "client_auth",
        ca_file = "client_auth",
        clientAuth = "client_auth",
        protocols = "min_version",
        ssl_protocols = "min_version",
        minVersion = "min_version",
        tls_minimum_protocol_version = "min_version",
        ciphers = "the suites are chosen for you: all are sound, the fastest goes first",
        cipherSuites = "the suites are chosen for you: all are sound, the fastest goes first",
        sni = "hosts",
        domains = "hosts",
        session_timeout = "session_tickets",
        ssl_session_tickets = "session_tickets",
        handshakeTimeout = "handshake_timeout",
    ),
    unbuilt(acme = "certificates from an ACME authority", mode = "PostgreSQL pooling", host = "PostgreSQL pooling")
)]
pub struct ListenerTls {
    /// Certificates of this listener, beside those of `certificates.files` and before them.
    #[spec(example = "[{cert: cert.pem, key: key.pem}]")]
    pub certificates: Vec<CertificateFiles>,
    /// What clients must prove about themselves. Without it they are not asked.
    pub client_auth: Option<ClientAuth>,
    /// The least version of TLS.
    #[spec(default = TlsVersion::Tls12)]
    pub min_version: TlsVersion,
    /// Hosts that are served otherwise, by name or wildcard (`"*.example.com"`, one label). A request whose `Host` is served otherwise than the name its connection was opened for is answered with 421.
    pub hosts: Table<HostTls>,
    /// Whether clients may resume sessions. Tickets are sealed under keys that change every six hours, and open only under the same demands on clients.
    #[spec(default = true)]
    pub session_tickets: bool,
    /// Time for a handshake, counted from when the connection is accepted.
    #[spec(default = Duration::secs(10), min = Duration::millis(100), max = Duration::secs(300))]
    pub handshake_timeout: Duration,
    /// Most handshakes that run at a time, over all workers. Further connections are closed.
    #[spec(default = 16_384, min = 1_u32, max = 16_777_216_u32)]
    pub max_handshakes: u32,
}

/// What some hosts of a listener do otherwise. What is not written is the listener's.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(noun = "a host", empty_ok, peers(mtls = "client_auth", verify = "client_auth"))]
pub struct HostTls {
    /// Certificates before all others.
    #[spec(example = "[{cert: admin.pem, key: admin.key}]")]
    pub certificates: Vec<CertificateFiles>,
    /// What clients must prove about themselves, or `off`.
    pub client_auth: Option<OrOff<ClientAuth>>,
    /// The least version of TLS.
    #[spec(example = "1.3")]
    pub min_version: Option<TlsVersion>,
}

/// What clients must prove about themselves. A text stands for `ca`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`client_auth`",
    short = "ca",
    peers(
        trusted_ca = "ca",
        ca_file = "ca",
        caFiles = "ca",
        trusted_ca_certs = "ca",
        verify = "mode",
        clientAuthType = "mode",
        crl_file = "crl",
        ssl_crl = "crl",
        optional = "`mode: optional`",
        required = "`mode: required`",
    )
)]
pub struct ClientAuth {
    /// Certificates (PEM) of the authorities whose certificates count.
    #[spec(example = "ca.pem")]
    pub ca: OneOrMany<Spanned<PathBuf>>,
    /// Revocation lists (PEM) of these authorities. With any, a certificate that no list speaks of is refused.
    #[spec(default = OneOrMany::default(), example = "ca.crl")]
    pub crl: OneOrMany<Spanned<PathBuf>>,
    /// Whether there is service without a certificate.
    #[spec(default = ClientAuthMode::Required)]
    pub mode: ClientAuthMode,
}

/// Whether there is service without a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Spec)]
#[spec(
    noun = "a mode",
    peers(
        on = "required",
        require = "required",
        require_and_verify = "required",
        RequireAndVerifyClientCert = "required",
        optional_no_ca = "optional",
        verify_if_given = "optional",
        VerifyClientCertIfGiven = "optional",
        request = "optional"
    )
)]
pub enum ClientAuthMode {
    /// No: the handshake fails.
    Required,
    /// Yes. A certificate that is shown must still be sound.
    Optional,
}

/// TLS to endpoints. `{}` verifies them by the authorities that the system trusts.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`tls`",
    empty_ok,
    check = key_with_certificate,
    peers(
        proxy_ssl_trusted_certificate = "ca", ca_file = "ca", trusted_ca = "ca", rootCAs = "ca", trust_pool = "ca", certificate = "cert", proxy_ssl_certificate = "cert", proxy_ssl_certificate_key = "key", client_certificate = "cert",
        sni = "server_name", proxy_ssl_name = "server_name", serverName = "server_name", tls_server_name = "server_name", verify = "`insecure_skip_verify: true` takes whoever answers for the endpoint; without it endpoints are verified",
        proxy_ssl_verify = "`insecure_skip_verify: true` takes whoever answers for the endpoint; without it endpoints are verified", insecure = "insecure_skip_verify", insecureSkipVerify = "insecure_skip_verify", tls_insecure_skip_verify = "insecure_skip_verify", handshakeTimeout = "handshake_timeout",
    )
)]
pub struct UpstreamTls {
    /// Certificates (PEM) of the authorities that endpoints are verified by, in place of the system's.
    #[spec(default = OneOrMany::default(), example = "ca.pem")]
    pub ca: OneOrMany<Spanned<PathBuf>>,
    /// Revocation lists (PEM) of these authorities.
    #[spec(default = OneOrMany::default(), example = "ca.crl")]
    pub crl: OneOrMany<Spanned<PathBuf>>,
    /// The certificate that Strait shows to endpoints that ask for one, with those that issued it.
    #[spec(example = "client.pem")]
    pub cert: Option<Spanned<PathBuf>>,
    /// Its key.
    #[spec(example = "client.key")]
    pub key: Option<Spanned<PathBuf>>,
    /// The name that endpoints are asked for and must have a certificate for. Without it that is the host of each.
    #[spec(example = "app.internal")]
    pub server_name: Option<Spanned<String>>,
    /// The least version of TLS.
    #[spec(default = TlsVersion::Tls12)]
    pub min_version: TlsVersion,
    /// Takes whoever answers for the endpoint: the connection is encrypted, but may be with anybody.
    #[spec(default = false)]
    pub insecure_skip_verify: bool,
    /// Time for a handshake.
    #[spec(default = Duration::secs(5), min = Duration::millis(10), max = Duration::secs(300))]
    pub handshake_timeout: Duration,
}

/// The TLS of an upstream; or, one day, the word `mesh`.
#[derive(Debug, Clone, PartialEq)]
pub struct EndpointTls(pub UpstreamTls);

impl Spec for EndpointTls {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        if node.text() == Some("mesh") {
            decoder.report(not_built(node.span, "mesh", "the service mesh"));
            return None;
        }
        UpstreamTls::decode(node, decoder).map(Self)
    }

    fn schema() -> Schema {
        UpstreamTls::schema()
    }

    fn text(&self) -> Option<String> {
        self.0.text()
    }
}

fn key_with_certificate(tls: &UpstreamTls, node: &Node, decoder: &mut Decoder) {
    let one_only = match (&tls.cert, &tls.key) {
        (Some(cert), None) => Some((cert, "`cert` needs its `key`", "key")),
        (None, Some(key)) => Some((key, "`key` needs its `cert`", "cert")),
        _ => None,
    };
    if let Some((written, message, missing)) = one_only {
        let finding = Diagnostic::error(codes::MISSING_KEY, written.span, message);
        let file = if missing == "key" { "client.key" } else { "client.pem" };
        let edit = Edit { span: written.span.after(), replacement: format!(", {missing}: {file}") };
        let words = format!("name both: add `{missing}: {file}`");
        let in_braces = node.span.start < node.entries().first().map_or(0, |entry| entry.key.span.start);
        let finding = finding.label("alone");
        decoder.report(if in_braces { finding.edits(words, vec![edit]) } else { finding.hint(words) });
    }
    if tls.insecure_skip_verify && !tls.ca.is_empty() {
        let span = node.value("insecure_skip_verify").map_or(node.span, |value| value.span);
        let finding =
            Diagnostic::error(codes::CONFLICTING_KEYS, span, "`ca` verifies what `insecure_skip_verify` does not");
        let second = tls.ca.first().map_or(node.span, |ca| ca.span);
        decoder.report(
            finding
                .label("one too many")
                .second(second, "the other one")
                .edits("remove one of them", removal(node.entries(), "insecure_skip_verify").into_iter().collect()),
        );
    }
}
