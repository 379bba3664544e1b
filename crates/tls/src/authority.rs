//! The local authority: issues certificates for names that no public authority issues for.

use crate::certificate::{Certificate, Flaw, Part};
use rcgen::{
    BasicConstraints, CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use std::fmt;
use time::{Duration, OffsetDateTime};

/// How long the authority itself is valid: as long as a machine lasts.
const ROOT_DAYS: i64 = 3_650;
/// How long a certificate that it issues is valid. It is issued anew long before.
pub const LEAF_DAYS: i64 = 90;
/// Clocks differ: what is issued is valid since yesterday.
const EARLIER: Duration = Duration::days(1);

/// An authority with its key.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its certificate, which clients must trust, in PEM.
    pub certificate_pem: String,
}

impl fmt::Debug for Authority {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").finish_non_exhaustive()
    }
}

impl Authority {
    /// Makes a new one; also returns its key in PEM. `owner` tells people apart who see it in their list of
    /// authorities: usually the name of the machine.
    ///
    /// # Errors
    /// When the system gives no random octets.
    pub fn create(owner: &str, now_s: i64) -> Result<(Self, String), Flaw> {
        let key = KeyPair::generate().map_err(impossible)?;
        let mut params = CertificateParams::default();
        params.distinguished_name = name(&format!("Strait local authority of {owner}"));
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        (params.not_before, params.not_after) = validity(now_s, ROOT_DAYS);
        let certificate = params.self_signed(&key).map_err(impossible)?;
        let (certificate_pem, key_pem) = (certificate.pem(), key.serialize_pem());
        Ok((Self { issuer: Issuer::new(params, key), certificate_pem }, key_pem))
    }

    /// Reads one that was made before.
    ///
    /// # Errors
    /// When certificate or key cannot be read.
    pub fn read(certificate_pem: &str, key_pem: &str) -> Result<Self, Flaw> {
        let hint =
            "move the folder away: a new authority is made at the next start, which clients must be told to trust";
        let flaw =
            |part, error: rcgen::Error| Flaw { part, what: format!("cannot be read: {error}"), hint: hint.into() };
        let key = KeyPair::from_pem(key_pem).map_err(|error| flaw(Part::Key, error))?;
        let issuer = Issuer::from_ca_cert_pem(certificate_pem, key).map_err(|error| flaw(Part::Chain, error))?;
        Ok(Self { issuer, certificate_pem: certificate_pem.to_owned() })
    }

    /// Issues a certificate for names and addresses (as text, IPv6 without brackets; `*.` begins a wildcard).
    ///
    /// # Errors
    /// When a name is none.
    pub fn issue(&self, names: &[String], now_s: i64) -> Result<Certificate, Flaw> {
        let key = KeyPair::generate().map_err(impossible)?;
        let mut params = CertificateParams::new(names.to_vec()).map_err(impossible)?;
        params.distinguished_name = name(names.first().map_or("localhost", String::as_str));
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        (params.not_before, params.not_after) = validity(now_s, LEAF_DAYS);
        let certificate = params.signed_by(&key, &self.issuer).map_err(impossible)?;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let chain: Vec<CertificateDer<'static>> = vec![certificate.der().clone()];
        Certificate::new("the local authority", chain, key, None)
    }
}

fn validity(now_s: i64, days: i64) -> (OffsetDateTime, OffsetDateTime) {
    let now = OffsetDateTime::from_unix_timestamp(now_s).unwrap_or(OffsetDateTime::UNIX_EPOCH);
    (now - EARLIER, now + Duration::days(days))
}

fn name(common: &str) -> DistinguishedName {
    let mut name = DistinguishedName::new();
    name.push(DnType::CommonName, common);
    name
}

fn impossible(error: rcgen::Error) -> Flaw {
    Flaw { part: Part::Chain, what: format!("cannot be issued: {error}"), hint: String::new() }
}
