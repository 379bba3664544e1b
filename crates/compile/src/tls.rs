//! TLS: certificates and authorities are read and checked, and become policies of listeners and endpoints.

mod files;
mod listener;
mod local;
mod upstream;

pub use local::LocalAuthority;

use files::Files;
use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use strait_config::spec::{CertificateFiles, ClientAuth as ClientAuthSpec, ClientAuthMode, TlsVersion};
use strait_config::{Diagnostic, Snapshot};
use strait_tls::{Authority, Certificate, CertificateDer, ClientAuth, OcspOrder, Staple, TicketKeys, VersionMin};

pub(crate) use upstream::UpstreamTls;

/// A certificate that expires within this many seconds is warned of.
const SOON_S: i64 = 14 * 86_400;

/// What outlives a snapshot: keys of tickets, the local authority and what it has issued.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) tickets: Arc<TicketKeys>,
    pub(crate) place: LocalAuthority,
    authority: Option<Arc<Authority>>,
    /// By the names they are for.
    issued: HashMap<Vec<String>, Arc<Certificate>>,
    /// What responders said, by the fingerprint of the certificate. Shared with the snapshot in the making.
    staples: Arc<HashMap<Box<str>, Staple>>,
    /// Those of the system, read when first asked for.
    roots: OnceLock<Vec<CertificateDer<'static>>>,
}

impl Kept {
    /// Takes up what the responder of a certificate said, or that it has expired.
    pub(crate) fn staple(&mut self, fingerprint: &str, staple: Option<Staple>) {
        let staples = Arc::make_mut(&mut self.staples);
        match staple {
            Some(staple) => _ = staples.insert(fingerprint.into(), staple),
            None => _ = staples.remove(fingerprint),
        }
    }
}

/// The TLS of a snapshot in the making.
pub(crate) struct Tls<'s> {
    snapshot: &'s Snapshot,
    kept: &'s mut Kept,
    now_s: i64,
    files: Files<'s>,
    /// Errors and warnings.
    pub(crate) found: Vec<Diagnostic>,
}

impl<'s> Tls<'s> {
    pub(crate) fn new(snapshot: &'s Snapshot, kept: &'s mut Kept, now_s: i64) -> Self {
        let files = Files::new(snapshot, kept.staples.clone());
        Self { snapshot, kept, now_s, files, found: Vec::new() }
    }

    /// The files that were read, or looked for, and the certificates whose responders are to be asked.
    pub(crate) fn into_files(self) -> (Vec<PathBuf>, Vec<OcspOrder>) {
        self.files.into_seen()
    }

    /// Certificates from files, without those that cannot be used.
    fn certificates(&mut self, written: &[CertificateFiles]) -> Vec<Arc<Certificate>> {
        written.iter().filter_map(|written| self.files.certificate(written, self.now_s, &mut self.found)).collect()
    }

    /// What clients must prove. `None` where a file of it cannot be used: nobody is let in by mistake.
    fn client_auth(&mut self, written: &ClientAuthSpec) -> Option<ClientAuth> {
        let before = self.found.len();
        let roots = self.files.authorities(&written.ca, &mut self.found);
        let revoked = self.files.revocation_lists(&written.crl, &mut self.found);
        let sound = self.found.get(before..).unwrap_or_default().iter().all(|finding| !finding.is_error());
        let required = written.mode == ClientAuthMode::Required;
        sound.then_some(ClientAuth::Certificate { roots, revoked, required })
    }
}

fn version(written: TlsVersion) -> VersionMin {
    match written {
        TlsVersion::Tls12 => VersionMin::Tls12,
        TlsVersion::Tls13 => VersionMin::Tls13,
    }
}

/// What is spoken inside, the best first.
fn protocols(http2: bool) -> Vec<Vec<u8>> {
    let best = http2.then(|| b"h2".to_vec());
    best.into_iter().chain([b"http/1.1".to_vec()]).collect()
}
