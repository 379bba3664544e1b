//! A certificate chain with its key: read, checked, and what is known about it.

use crate::identity::fingerprint;
use crate::names::matches;
use crate::provider::provider;
use crate::subject::distinguished;
use rustls::sign::CertifiedKey;
use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, PrivateKeyDer};
use std::net::IpAddr;
use std::sync::Arc;
use x509_parser::extensions::GeneralName;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// A certificate with its chain and key.
#[derive(Debug)]
pub struct Certificate {
    /// What messages and `explain` call it: usually its file.
    pub label: Box<str>,
    /// Host names and addresses it is for, in lower case; `*.` begins a wildcard.
    pub names: Vec<Box<str>>,
    /// Its subject as RFC 4514 writes it.
    pub subject: Box<str>,
    /// Its issuer, likewise.
    pub issuer: Box<str>,
    /// From when it is valid, in seconds since 1970-01-01 UTC.
    pub not_before_s: i64,
    /// Until when, likewise.
    pub not_after_s: i64,
    /// The kind of its key.
    pub algorithm: Algorithm,
    /// SHA-256 of it in hexadecimal.
    pub fingerprint: Box<str>,
    pub(crate) key: Arc<CertifiedKey>,
}

/// The kind of a certificate's key, in the order in which they are preferred: the cheapest to sign with first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Algorithm {
    /// ECDSA.
    Ecdsa,
    /// Ed25519.
    Ed25519,
    /// RSA.
    Rsa,
}

impl Algorithm {
    /// As people write it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Ecdsa => "ECDSA",
            Self::Ed25519 => "Ed25519",
            Self::Rsa => "RSA",
        }
    }
}

/// Which of the files something is wrong with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The chain.
    Chain,
    /// The key.
    Key,
}

/// What is wrong with a certificate or key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// Where.
    pub part: Part,
    /// What, as a sentence without its subject: `holds no certificate`.
    pub what: String,
    /// What to do.
    pub hint: String,
}

impl Flaw {
    fn chain(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { part: Part::Chain, what: what.into(), hint: hint.into() }
    }

    fn key(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { part: Part::Key, what: what.into(), hint: hint.into() }
    }
}

/// The certificates of a PEM text, in its order.
///
/// # Errors
/// A flaw of [`Part::Chain`] when there are none, or what looks like one cannot be read.
pub fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Flaw> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|error| Flaw::chain(format!("is no PEM: {error}"), PEM_HINT))?;
    if found.is_empty() {
        let hint = match PrivateKeyDer::from_pem_slice(pem) {
            Ok(_) => "this file holds a key: are `cert` and `key` the wrong way round?",
            Err(_) => PEM_HINT,
        };
        return Err(Flaw::chain("holds no certificate", hint));
    }
    Ok(found)
}

const PEM_HINT: &str = "a certificate begins with `-----BEGIN CERTIFICATE-----`; a DER file becomes one by `openssl x509 -inform der -in FILE`";

/// The revocation lists of a PEM text.
///
/// # Errors
/// A flaw when there are none or one cannot be read.
pub fn revocation_lists(pem: &[u8]) -> Result<Vec<CertificateRevocationListDer<'static>>, Flaw> {
    let hint = "a revocation list begins with `-----BEGIN X509 CRL-----`";
    let found: Result<Vec<_>, _> = CertificateRevocationListDer::pem_slice_iter(pem).collect();
    let found = found.map_err(|error| Flaw::chain(format!("is no PEM: {error}"), hint))?;
    for list in &found {
        webpki::BorrowedCertRevocationList::from_der(list)
            .map_err(|error| Flaw::chain(format!("holds a revocation list that cannot be used: {error}"), hint))?;
    }
    if found.is_empty() { Err(Flaw::chain("holds no revocation list", hint)) } else { Ok(found) }
}

impl Certificate {
    /// Reads a chain (the certificate itself first) and its key out of PEM, and a stapled OCSP response out of DER.
    ///
    /// # Errors
    /// What is wrong with which of them: unreadable, no match, an empty chain, names missing.
    pub fn read(label: &str, chain: &[u8], key: &[u8], ocsp: Option<Vec<u8>>) -> Result<Self, Flaw> {
        let chain = certificates(chain)?;
        let key = PrivateKeyDer::from_pem_slice(key).map_err(|error| unreadable_key(key, &error))?;
        Self::new(label, chain, key, ocsp)
    }

    pub(crate) fn new(
        label: &str,
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
        ocsp: Option<Vec<u8>>,
    ) -> Result<Self, Flaw> {
        let own = chain.first().ok_or_else(|| Flaw::chain("holds no certificate", PEM_HINT))?;
        let print = fingerprint(own);
        let owned = own.clone();
        let (_, parsed) = X509Certificate::from_der(&owned)
            .map_err(|error| Flaw::chain(format!("holds a certificate that cannot be read: {error}"), PEM_HINT))?;
        let key = provider().key_provider.load_private_key(key).map_err(|error| {
            Flaw::key(
                format!("holds a key that cannot be used: {error}"),
                "use an ECDSA P-256, Ed25519 or RSA key of at least 2048 bits",
            )
        })?;
        let algorithm = match key.algorithm() {
            rustls::SignatureAlgorithm::RSA => Algorithm::Rsa,
            rustls::SignatureAlgorithm::ED25519 => Algorithm::Ed25519,
            _ => Algorithm::Ecdsa,
        };
        let certified = CertifiedKey { cert: chain, key, ocsp };
        check_match(&certified, &parsed, algorithm)?;
        check_order(&certified.cert, &parsed)?;
        Ok(Self {
            label: label.into(),
            names: host_names(&parsed),
            subject: distinguished(parsed.subject()).into(),
            issuer: distinguished(parsed.issuer()).into(),
            not_before_s: parsed.validity().not_before.timestamp(),
            not_after_s: parsed.validity().not_after.timestamp(),
            algorithm,
            fingerprint: print,
            key: Arc::new(certified),
        })
    }

    /// Whether one of its names covers a host (lower case; in a wildcard pattern `*.example.com`, all of its hosts).
    pub fn covers(&self, host: &str) -> bool {
        self.names.iter().any(|name| matches(name, host))
    }

    /// Whether an OCSP response is stapled to it.
    pub fn has_ocsp(&self) -> bool {
        self.key.ocsp.is_some()
    }
}

fn unreadable_key(pem: &[u8], error: &rustls_pki_types::pem::Error) -> Flaw {
    if pem.windows(9).any(|window| window == b"ENCRYPTED") {
        return Flaw::key("holds a key with a passphrase", "decrypt it: `openssl pkey -in FILE -out FILE`");
    }
    let hint = "a key begins with `-----BEGIN PRIVATE KEY-----`";
    match error {
        rustls_pki_types::pem::Error::NoItemsFound => match certificates(pem) {
            Ok(_) => {
                Flaw::key("holds no key", "this file holds a certificate: are `cert` and `key` the wrong way round?")
            }
            Err(_) => Flaw::key("holds no key", hint),
        },
        other => Flaw::key(format!("is no PEM: {other}"), hint),
    }
}

fn check_match(certified: &CertifiedKey, parsed: &X509Certificate<'_>, algorithm: Algorithm) -> Result<(), Flaw> {
    let error = match certified.keys_match() {
        Ok(()) => return Ok(()),
        Err(rustls::Error::InconsistentKeys(rustls::InconsistentKeys::Unknown)) => return Ok(()),
        Err(error) => error,
    };
    let subject = distinguished(parsed.subject());
    let what = match error {
        rustls::Error::InconsistentKeys(_) => format!("holds another key than the certificate's ({subject})"),
        other => format!("does not fit the certificate: {other}"),
    };
    let of = parsed.public_key().algorithm.algorithm.to_id_string();
    let kind = if of == RSA_OID { "RSA" } else { "no RSA" };
    let hint = match (algorithm, of == RSA_OID) {
        (Algorithm::Rsa, false) | (Algorithm::Ecdsa | Algorithm::Ed25519, true) => {
            format!(
                "the certificate is for {kind} key, this is an {} key: name the key it was made with",
                algorithm.word()
            )
        }
        _ => "name the key that the certificate was made with".to_owned(),
    };
    Err(Flaw::key(what, hint))
}

const RSA_OID: &str = "1.2.840.113549.1.1.1";

/// The next certificate of a chain has issued the one before: clients do not sort.
fn check_order(chain: &[CertificateDer<'_>], own: &X509Certificate<'_>) -> Result<(), Flaw> {
    let Some(next) = chain.get(1) else { return Ok(()) };
    let (_, next) = X509Certificate::from_der(next)
        .map_err(|error| Flaw::chain(format!("holds a certificate that cannot be read: {error}"), PEM_HINT))?;
    if next.subject().as_raw() == own.issuer().as_raw() {
        return Ok(());
    }
    let (issuer, subject) = (distinguished(own.issuer()), distinguished(next.subject()));
    let what = format!("is out of order: the second certificate is {subject}, but the first was issued by {issuer}");
    Err(Flaw::chain(what, "put the certificate itself first, then the one that issued it, and so on"))
}

/// The host names and addresses of a certificate, in lower case.
fn host_names(parsed: &X509Certificate<'_>) -> Vec<Box<str>> {
    let names = alternative_names(parsed).into_iter().filter(|(kind, _)| matches!(*kind, "DNS" | "IP"));
    names.map(|(_, name)| name.to_ascii_lowercase().into()).collect()
}

/// All names of a certificate, each with its kind before it.
pub(crate) fn kinds_and_names(parsed: &X509Certificate<'_>) -> Vec<String> {
    alternative_names(parsed).into_iter().map(|(kind, name)| format!("{kind}:{name}")).collect()
}

/// The names of the extension for them. The common name of the subject does not count: clients have stopped to look
/// at it.
fn alternative_names(parsed: &X509Certificate<'_>) -> Vec<(&'static str, String)> {
    let extension = parsed.subject_alternative_name().ok().flatten();
    let names = extension.iter().flat_map(|extension| &extension.value.general_names);
    names.filter_map(kind_and_name).collect()
}

fn kind_and_name(name: &GeneralName<'_>) -> Option<(&'static str, String)> {
    match name {
        GeneralName::DNSName(name) => Some(("DNS", (*name).to_owned())),
        GeneralName::URI(name) => Some(("URI", (*name).to_owned())),
        GeneralName::RFC822Name(name) => Some(("email", (*name).to_owned())),
        GeneralName::IPAddress(octets) => address(octets).map(|address| ("IP", address)),
        _ => None,
    }
}

/// An address as hosts have it: IPv6 in brackets.
fn address(octets: &[u8]) -> Option<String> {
    match octets.len() {
        4 => <[u8; 4]>::try_from(octets).ok().map(|octets| IpAddr::from(octets).to_string()),
        _ => <[u8; 16]>::try_from(octets).ok().map(|octets| format!("[{}]", IpAddr::from(octets))),
    }
}
