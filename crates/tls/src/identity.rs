//! What is known about a connection once its handshake is done.

use crate::certificate::kinds_and_names;
use crate::subject::distinguished;
use aws_lc_rs::digest::{SHA256, digest};
use rustls::pki_types::CertificateDer;
use std::fmt::Write as _;
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// What routes, fields, logs and metrics may know about a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// `TLSv1.2` or `TLSv1.3`.
    pub version: &'static str,
    /// The suite by its IANA name.
    pub suite: &'static str,
    /// The name the client asked for, in lower case.
    pub server_name: Option<Box<str>>,
    /// The protocol agreed on by ALPN, such as `http/1.1`.
    pub protocol: Option<Box<[u8]>>,
    /// Whether an earlier session was resumed.
    pub resumed: bool,
    /// Who the client proved to be.
    pub client: Option<Box<Identity>>,
    /// The policy it was served under: an index into the listener's.
    pub policy: usize,
}

/// A client by its certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The subject as RFC 4514 writes it: `CN=client,O=Example`.
    pub subject: Box<str>,
    /// The issuer, likewise.
    pub issuer: Box<str>,
    /// The serial number in hexadecimal.
    pub serial: Box<str>,
    /// The alternative names of the certificate, each with its kind before it: `DNS:`, `URI:` (SPIFFE), `IP:`, `email:`.
    pub names: Vec<Box<str>>,
    /// SHA-256 of the certificate, in hexadecimal.
    pub fingerprint: Box<str>,
    /// Until when it is valid, in seconds since 1970-01-01 UTC.
    pub not_after_s: i64,
}

impl Identity {
    /// Reads it out of a certificate; `None` when that cannot be parsed.
    pub fn of(certificate: &CertificateDer<'_>) -> Option<Self> {
        let (_, parsed) = X509Certificate::from_der(certificate).ok()?;
        Some(Self {
            subject: distinguished(parsed.subject()).into(),
            issuer: distinguished(parsed.issuer()).into(),
            serial: hexadecimal(parsed.raw_serial()),
            names: kinds_and_names(&parsed).into_iter().map(Into::into).collect(),
            fingerprint: fingerprint(certificate),
            not_after_s: parsed.validity().not_after.timestamp(),
        })
    }
}

/// SHA-256 of a certificate in hexadecimal.
pub(crate) fn fingerprint(certificate: &CertificateDer<'_>) -> Box<str> {
    hexadecimal(digest(&SHA256, certificate).as_ref())
}

fn hexadecimal(octets: &[u8]) -> Box<str> {
    let mut text = String::with_capacity(octets.len() * 2);
    for octet in octets {
        let _ = write!(text, "{octet:02x}");
    }
    text.into()
}
