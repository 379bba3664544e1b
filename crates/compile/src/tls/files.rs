//! Files of certificates, keys, authorities and revocation lists: each read once, and what is wrong said at its place.

use super::SOON_S;
use std::collections::{BTreeSet, HashMap};
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strait_config::codes::{self, Code};
use strait_config::spec::{CertificateFiles, OcspSource};
use strait_config::{Diagnostic, Snapshot, Spanned};
use strait_tls::{Certificate, CertificateDer, CertificateRevocationListDer, Flaw, OcspOrder, Part, Staple};

/// The largest file that is read. The certificates of all public authorities together have 250 KB.
const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;
const DAY_S: i64 = 86_400;

pub(super) struct Files<'s> {
    snapshot: &'s Snapshot,
    seen: BTreeSet<PathBuf>,
    certificates: HashMap<(PathBuf, PathBuf), Option<Arc<Certificate>>>,
    /// What responders have said, by fingerprint.
    staples: Arc<HashMap<Box<str>, Staple>>,
    /// Whose responders are to be asked.
    orders: Vec<OcspOrder>,
}

impl<'s> Files<'s> {
    pub(super) fn new(snapshot: &'s Snapshot, staples: Arc<HashMap<Box<str>, Staple>>) -> Self {
        Self { snapshot, seen: BTreeSet::new(), certificates: HashMap::new(), staples, orders: Vec::new() }
    }

    pub(super) fn into_seen(self) -> (Vec<PathBuf>, Vec<OcspOrder>) {
        (self.seen.into_iter().collect(), self.orders)
    }

    /// A path as written, relative to the file that names it.
    fn path(&mut self, written: &Spanned<PathBuf>) -> PathBuf {
        let named_in = self.snapshot.sources.locate(written.span).map(|place| PathBuf::from(&*place.name));
        let folder = named_in.as_deref().and_then(Path::parent).unwrap_or(Path::new(""));
        let path = folder.join(&written.value);
        self.seen.insert(path.clone());
        path
    }

    fn read(
        &mut self,
        code: &'static Code,
        written: &Spanned<PathBuf>,
        found: &mut Vec<Diagnostic>,
    ) -> Option<Vec<u8>> {
        let path = self.path(written);
        match read(&path) {
            Ok(bytes) => Some(bytes),
            Err(error) => {
                found.push(unreadable(code, written, &path, &error));
                None
            }
        }
    }

    /// A certificate with its key, and a warning where it needs a look.
    pub(super) fn certificate(
        &mut self,
        written: &CertificateFiles,
        now_s: i64,
        found: &mut Vec<Diagnostic>,
    ) -> Option<Arc<Certificate>> {
        let place = (self.path(&written.cert), self.path(&written.key));
        if let Some(known) = self.certificates.get(&place) {
            return known.clone();
        }
        let certificate = self.load(written, now_s, found).map(Arc::new);
        self.certificates.insert(place, certificate.clone());
        certificate
    }

    fn load(&mut self, written: &CertificateFiles, now_s: i64, found: &mut Vec<Diagnostic>) -> Option<Certificate> {
        let chain = self.read(codes::CERTIFICATE, &written.cert, found);
        let key = self.read(codes::CERTIFICATE_KEY, &written.key, found);
        let ocsp = match &written.ocsp {
            Some(OcspSource::File(file)) => Some((file, self.read(codes::CERTIFICATE, file, found)?)),
            None | Some(OcspSource::Fetch) => None,
        };
        let label = self.path(&written.cert).display().to_string();
        let response = ocsp.as_ref().map(|(_, response)| response.clone());
        match Certificate::read(&label, &chain?, &key?, response) {
            Ok(certificate) => {
                found.extend(dates(&certificate, &written.cert, now_s));
                match ocsp {
                    Some((file, response)) => {
                        found.extend(unfit_response(&certificate, file, &response, now_s));
                        Some(certificate)
                    }
                    None => Some(self.stapled(certificate, written, now_s, found)),
                }
            }
            Err(flaw) => {
                found.push(unusable(written, flaw));
                None
            }
        }
    }

    /// The certificate with what its responder has said, if it is to be asked.
    fn stapled(
        &mut self,
        certificate: Certificate,
        written: &CertificateFiles,
        now_s: i64,
        found: &mut Vec<Diagnostic>,
    ) -> Certificate {
        let is_asked = written.ocsp == Some(OcspSource::Fetch);
        if !is_asked && !certificate.must_staple() {
            return certificate;
        }
        let order = match certificate.ocsp_order() {
            Ok(order) => order,
            Err(flaw) => {
                let message = format!("`{}` {}", written.cert.value.display(), flaw.what);
                let finding = Diagnostic::warning(codes::CERTIFICATE, written.cert.span, message);
                found.push(finding.label("nothing is stapled to it").hint(flaw.hint));
                return certificate;
            }
        };
        let known = self.staples.get(&order.fingerprint).filter(|staple| staple.next_update_s > now_s);
        let certificate = match known {
            Some(staple) => certificate.stapling(staple),
            None => certificate,
        };
        self.orders.push(order);
        certificate
    }

    /// The certificates of authorities.
    pub(super) fn authorities(
        &mut self,
        written: &[Spanned<PathBuf>],
        found: &mut Vec<Diagnostic>,
    ) -> Vec<CertificateDer<'static>> {
        let mut all = Vec::new();
        for file in written {
            let Some(bytes) = self.read(codes::AUTHORITY, file, found) else { continue };
            match strait_tls::certificates(&bytes) {
                Ok(certificates) => all.extend(certificates),
                Err(flaw) => found.push(of_authority(file, &flaw)),
            }
        }
        all
    }

    /// Revocation lists.
    pub(super) fn revocation_lists(
        &mut self,
        written: &[Spanned<PathBuf>],
        found: &mut Vec<Diagnostic>,
    ) -> Vec<CertificateRevocationListDer<'static>> {
        let mut all = Vec::new();
        for file in written {
            let Some(bytes) = self.read(codes::AUTHORITY, file, found) else { continue };
            match strait_tls::revocation_lists(&bytes) {
                Ok(lists) => all.extend(lists),
                Err(flaw) => found.push(of_authority(file, &flaw)),
            }
        }
        all
    }
}

fn read(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    std::fs::File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(std::io::Error::other("it is larger than 16 MiB"));
    }
    Ok(bytes)
}

fn unreadable(code: &'static Code, written: &Spanned<PathBuf>, path: &Path, error: &std::io::Error) -> Diagnostic {
    let message = format!("`{}` cannot be read: {}", path.display(), plain(error));
    let hint = match error.kind() {
        std::io::ErrorKind::PermissionDenied => "let the user that runs Strait read it",
        std::io::ErrorKind::NotFound => "name a file that exists; paths are relative to this configuration file",
        _ => "name a PEM file",
    };
    Diagnostic::error(code, written.span, message).label("named here").hint(hint)
}

/// Without the number that the standard library appends.
fn plain(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_ascii_lowercase()
}

fn unusable(written: &CertificateFiles, flaw: Flaw) -> Diagnostic {
    let (code, file, other) = match flaw.part {
        Part::Chain => (codes::CERTIFICATE, &written.cert, None),
        Part::Key => (codes::CERTIFICATE_KEY, &written.key, Some(&written.cert)),
    };
    let finding = Diagnostic::error(code, file.span, format!("`{}` {}", file.value.display(), flaw.what));
    let finding = finding.label("this file").hint(flaw.hint);
    match other {
        Some(other) => finding.second(other.span, "the certificate"),
        None => finding,
    }
}

fn of_authority(file: &Spanned<PathBuf>, flaw: &Flaw) -> Diagnostic {
    let finding = Diagnostic::error(codes::AUTHORITY, file.span, format!("`{}` {}", file.value.display(), flaw.what));
    finding.label("this file").hint(flaw.hint.clone())
}

/// What a response from a file deserves that clients would not take. Whether it is one can only be told with the issuer
/// in the chain.
fn unfit_response(
    certificate: &Certificate,
    file: &Spanned<PathBuf>,
    response: &[u8],
    now_s: i64,
) -> Option<Diagnostic> {
    let why = certificate.ocsp_order().ok()?.judge(response, now_s).err()?;
    let message = format!("`{}` is stapled, and clients will not take it: {why}", file.value.display());
    let finding = Diagnostic::warning(codes::CERTIFICATE, file.span, message).label("this response");
    Some(finding.hint("fetch a new one, or write `ocsp: fetch`"))
}

/// What the dates of a certificate deserve.
fn dates(certificate: &Certificate, written: &Spanned<PathBuf>, now_s: i64) -> Option<Diagnostic> {
    let file = written.value.display();
    let left_s = certificate.not_after_s - now_s;
    let at =
        |message: String| Diagnostic::warning(codes::CERTIFICATE_DATE, written.span, message).label("this certificate");
    if left_s <= 0 {
        let message = format!("`{file}` has expired {}", ago(-left_s));
        let finding = Diagnostic::error(codes::CERTIFICATE_DATE, written.span, message).label("this certificate");
        return Some(finding.hint("renew it: every client refuses it"));
    }
    if certificate.not_before_s > now_s {
        let message = format!("`{file}` is not valid yet, for {}", days(certificate.not_before_s - now_s));
        return Some(at(message).hint("until then clients refuse it; is the clock of this machine right?"));
    }
    (left_s < SOON_S).then(|| {
        at(format!("`{file}` expires in {}", days(left_s))).hint("renew it; the new one is taken up by itself")
    })
}

fn ago(seconds: i64) -> String {
    if seconds < DAY_S { "today".to_owned() } else { format!("{} ago", days(seconds)) }
}

fn days(seconds: i64) -> String {
    match seconds / DAY_S {
        0 => format!("{} hours", seconds / 3600),
        1 => "1 day".to_owned(),
        days => format!("{days} days"),
    }
}
