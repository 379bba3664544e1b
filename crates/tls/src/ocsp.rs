//! OCSP (RFC 6960, in the profile of RFC 5019): what the responder of a certificate is asked, and whether what it says
//! may be stapled.

mod der;
#[cfg(test)]
mod tests;

use crate::certificate::{Certificate, Flaw, Part};
use crate::provider::provider;
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use der::{Element, bits, children, element, wrap};
use rustls_pki_types::CertificateDer;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::prelude::{FromDer as _, X509Certificate};

/// `id-ad-ocsp`: the responder among a certificate's places of access.
const RESPONDER: &str = "1.3.6.1.5.5.7.48.1";
/// The extension `TLS Feature` (RFC 7633), and its value that demands a stapled response.
const TLS_FEATURE: &str = "1.3.6.1.5.5.7.1.24";
const MUST_STAPLE: &[u8] = &[0x30, 0x03, 0x02, 0x01, 0x05];
/// `sha1`, without parameters other than NULL: the hash of identifiers that every responder knows (RFC 5019 §2.1.1).
const SHA1: &[u8] = &[0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00];
/// How far ahead of ours a responder's clock may be, in seconds.
const SKEW_S: i64 = 300;

/// A certificate whose responder is to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OcspOrder {
    /// What people call the certificate: usually its file.
    pub label: Box<str>,
    /// SHA-256 of the certificate in hexadecimal.
    pub fingerprint: Box<str>,
    /// Where its responder is: `http://…`.
    pub url: Box<str>,
    /// The request (DER), to be sent by POST as `application/ocsp-request`.
    pub request: Box<[u8]>,
    /// The certificate's identifier in it: hashes of issuer and key, and the serial number.
    id: [Box<[u8]>; 3],
    issuer: CertificateDer<'static>,
}

/// A response that may be stapled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staple {
    /// The response (DER).
    pub response: Box<[u8]>,
    /// Since when it holds, in seconds since 1970-01-01 UTC.
    pub this_update_s: i64,
    /// Until when it may be used, likewise.
    pub next_update_s: i64,
}

impl Certificate {
    /// Whether it says that clients may expect a stapled response (RFC 7633), and refuse it without.
    pub fn must_staple(&self) -> bool {
        let Some((_, own)) = self.key.cert.first().and_then(|own| X509Certificate::from_der(own).ok()) else {
            return false;
        };
        own.extensions().iter().any(|one| one.oid.to_id_string() == TLS_FEATURE && one.value == MUST_STAPLE)
    }

    /// What to ask its responder.
    ///
    /// # Errors
    /// A flaw where it names no responder that can be asked, or its issuer is not in the chain.
    pub fn ocsp_order(&self) -> Result<OcspOrder, Flaw> {
        let flaw = |what: &str, hint: &str| Flaw { part: Part::Chain, what: what.to_owned(), hint: hint.to_owned() };
        let (own, issuer) = match self.key.cert.as_slice() {
            [own, issuer, ..] => (own, issuer),
            _ => {
                return Err(flaw(
                    "is without its issuer, which OCSP needs",
                    "put the certificate that issued it behind it: `cat own.pem issuer.pem`",
                ));
            }
        };
        let unreadable = |_| flaw("holds a certificate that cannot be read", "ask its issuer for another");
        let (_, parsed) = X509Certificate::from_der(own).map_err(unreadable)?;
        let (_, authority) = X509Certificate::from_der(issuer).map_err(unreadable)?;
        let url = responder(&parsed).ok_or_else(|| {
            flaw("names no OCSP responder", "write no `ocsp`: most authorities use revocation lists today")
        })?;
        let sha1 = |octets: &[u8]| Box::from(digest(&SHA1_FOR_LEGACY_USE_ONLY, octets).as_ref());
        let id = [
            sha1(parsed.issuer().as_raw()),
            sha1(&authority.public_key().subject_public_key.data),
            parsed.raw_serial().into(),
        ];
        Ok(OcspOrder {
            label: self.label.clone(),
            fingerprint: self.fingerprint.clone(),
            url: url.into(),
            request: request(&id).into(),
            id,
            issuer: issuer.clone().into_owned(),
        })
    }

    /// The same with a response stapled to it.
    #[must_use]
    pub fn stapling(self, staple: &Staple) -> Self {
        let key = rustls::sign::CertifiedKey {
            cert: self.key.cert.clone(),
            key: self.key.key.clone(),
            ocsp: Some(staple.response.to_vec()),
        };
        Self { key: std::sync::Arc::new(key), ..self }
    }
}

/// Where the responder is that a certificate names: the first that is asked in plain HTTP.
fn responder(certificate: &X509Certificate<'_>) -> Option<String> {
    let places = certificate.extensions().iter().find_map(|extension| match extension.parsed_extension() {
        ParsedExtension::AuthorityInfoAccess(places) => Some(places),
        _ => None,
    })?;
    let responders = places.accessdescs.iter().filter(|place| place.access_method.to_id_string() == RESPONDER);
    responders
        .filter_map(|place| match place.access_location {
            GeneralName::URI(url) if url.starts_with("http://") => Some(url.to_owned()),
            _ => None,
        })
        .next()
}

/// An OCSPRequest for one certificate, without a nonce: responders prepare their responses (RFC 5019 §2.1.1).
fn request([name, key, serial]: &[Box<[u8]>; 3]) -> Vec<u8> {
    let id = [SHA1, &wrap(0x04, name), &wrap(0x04, key), &wrap(0x02, serial)].concat();
    // OCSPRequest, TBSRequest, requestList, Request, CertID: each holds the next alone.
    (0..5).fold(id, |inner, _| wrap(0x30, &inner))
}

impl OcspOrder {
    /// Whether a response is about this certificate, says that it is good, now, and comes from who may say so.
    ///
    /// # Errors
    /// Why it cannot be stapled, for people.
    pub fn judge(&self, response: &[u8], now_s: i64) -> Result<Staple, String> {
        let malformed = || "its answer is no OCSP response".to_owned();
        let basic = basic_response(response).ok_or_else(malformed)??;
        let parts = children(basic.content).ok_or_else(malformed)?;
        let [data, algorithm, signature, certificates @ ..] = parts.as_slice() else { return Err(malformed()) };
        let single = self.own_response(data).ok_or_else(malformed)?;
        let single = single.ok_or("its answer is about another certificate")?;
        let (status, this_update_s, next_update_s) = times(&single).ok_or_else(malformed)?;
        match status {
            0x80 => {}
            0xa1 => return Err("it says that the certificate is revoked".to_owned()),
            _ => return Err("it does not know the certificate".to_owned()),
        }
        let next_update_s = next_update_s.ok_or("its answer does not say until when it holds")?;
        if this_update_s > now_s + SKEW_S {
            return Err("its answer is from the future: is the clock of this machine right?".to_owned());
        }
        if next_update_s <= now_s {
            return Err("its answer has expired".to_owned());
        }
        let signature = bits(signature.content).ok_or_else(malformed)?;
        if !self.is_signed(data.whole, algorithm.content, signature, certificates.first(), now_s) {
            return Err("its answer is not signed by the certificate's issuer, nor by whom that has named".to_owned());
        }
        Ok(Staple { response: response.into(), this_update_s, next_update_s })
    }

    /// The part of ResponseData that is about this certificate, if any is.
    fn own_response<'d>(&self, data: &Element<'d>) -> Option<Option<Vec<Element<'d>>>> {
        let parts = children(data.content)?;
        let responses = parts.iter().find(|part| part.tag == 0x30)?;
        for single in children(responses.content)? {
            let fields = children(single.content)?;
            let id = children(fields.first()?.content)?;
            let [_, name, key, serial] = id.as_slice() else { return None };
            if self.id.iter().map(AsRef::as_ref).eq([name.content, key.content, serial.content]) {
                return Some(Some(fields));
            }
        }
        Some(None)
    }

    /// Whether the issuer has signed it, or one in the response whom the issuer has named for it (RFC 6960 §4.2.2.2).
    fn is_signed(
        &self,
        data: &[u8],
        algorithm: &[u8],
        signature: &[u8],
        certificates: Option<&Element<'_>>,
        now_s: i64,
    ) -> bool {
        let Ok((_, issuer)) = X509Certificate::from_der(&self.issuer) else { return false };
        if verifies(&issuer, algorithm, data, signature) {
            return true;
        }
        let named = certificates.and_then(|list| children(element(list.content)?.0.content)).unwrap_or_default();
        named.iter().any(|certificate| {
            let Ok((_, delegate)) = X509Certificate::from_der(certificate.whole) else { return false };
            may_sign(&delegate, &issuer, certificate, now_s) && verifies(&delegate, algorithm, data, signature)
        })
    }
}

/// Whether the issuer has named this one to sign responses.
fn may_sign(delegate: &X509Certificate<'_>, issuer: &X509Certificate<'_>, raw: &Element<'_>, now_s: i64) -> bool {
    let usage = delegate.extended_key_usage().ok().flatten();
    let validity = delegate.validity();
    let is_valid = (validity.not_before.timestamp()..=validity.not_after.timestamp()).contains(&now_s);
    let Some([body, algorithm, signature]) = children(raw.content).and_then(|parts| <[_; 3]>::try_from(parts).ok())
    else {
        return false;
    };
    let Some(signature) = bits(signature.content) else { return false };
    is_valid
        && usage.is_some_and(|usage| usage.value.ocsp_signing)
        && delegate.issuer().as_raw() == issuer.subject().as_raw()
        && verifies(issuer, algorithm.content, body.whole, signature)
}

/// Whether the key of a certificate has made a signature.
fn verifies(signer: &X509Certificate<'_>, algorithm: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let Some(key) = element(signer.public_key().raw).and_then(|(info, _)| children(info.content)) else { return false };
    let [kind, key] = key.as_slice() else { return false };
    let Some(key) = bits(key.content) else { return false };
    let provider = provider();
    let known = provider.signature_verification_algorithms.all.iter();
    let fitting = known
        .filter(|one| one.signature_alg_id().as_ref() == algorithm && one.public_key_alg_id().as_ref() == kind.content);
    fitting.into_iter().any(|one| one.verify_signature(key, message, signature).is_ok())
}

/// The BasicOCSPResponse in an OCSPResponse; an error where the responder gives none.
fn basic_response(response: &[u8]) -> Option<Result<Element<'_>, String>> {
    let (outer, rest) = element(response)?;
    let parts = children(outer.content)?;
    let status = parts.first().filter(|status| status.tag == 0x0a && rest.is_empty())?;
    let why = match status.content {
        [0] => None,
        [1] => Some("it takes our request for malformed"),
        [2] => Some("it has an internal error"),
        [3] => Some("it asks to try again later"),
        [5] => Some("it wants a signed request"),
        [6] => Some("it is not authorized to answer for this certificate"),
        _ => return None,
    };
    if let Some(why) = why {
        return Some(Err(why.to_owned()));
    }
    // [0] ResponseBytes { responseType, response OCTET STRING }
    let bytes = children(element(parts.get(1)?.content)?.0.content)?;
    let octets = bytes.get(1).filter(|octets| octets.tag == 0x04)?;
    Some(Ok(element(octets.content)?.0))
}

/// Tag of the status, thisUpdate and nextUpdate of a SingleResponse.
fn times(fields: &[Element<'_>]) -> Option<(u8, i64, Option<i64>)> {
    let [_, status, this_update, more @ ..] = fields else { return None };
    let next_update = match more.iter().find(|field| field.tag == 0xa0) {
        Some(field) => Some(der::time(&element(field.content)?.0)?),
        None => None,
    };
    Some((status.tag, der::time(this_update)?, next_update))
}
