//! TLS on the load's side: what a row asks for, the certificates of the proxies, and a session on a socket.
//!
//! What the load spends on it is not counted. Suites and groups are those that every peer has: AES-128-GCM with SHA-256
//! and X25519, which a browser puts first too but for X25519MLKEM768, that some peers do not know and that costs a quarter
//! of the handshakes of one who does.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{ClientConfig, ClientSessionStore, Resumption, Tls12ClientSessionValue, Tls13ClientSessionValue};
use rustls::crypto::{CryptoProvider, aws_lc_rs};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{CipherSuite, DigitallySignedStruct, NamedGroup, SignatureScheme};
use strait_tls::{ClientPolicy, Room, TlsEngine};

use crate::poll::{self, Io};

/// The name that is asked for, and that requests carry.
pub(crate) const HOST: &str = "bench.example";

/// What a record is longer than what it holds, and then some.
const RECORD_OVERHEAD: usize = 64;
/// Plain octets of a record.
const RECORD_OCTETS: usize = 16 << 10;

/// What a row asks of TLS.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Secure {
    pub(crate) key: Key,
    pub(crate) version: Version,
    /// Whether every connection resumes the session of an earlier one.
    pub(crate) resumes: bool,
}

/// The key of the proxy's certificate.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Key {
    /// On P-256.
    Ecdsa,
    /// Of 2048 bits.
    Rsa,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    Tls12,
    Tls13,
}

/// A proxy's certificate and key, as PEM files.
#[derive(Clone)]
pub(crate) struct Files {
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
    /// Both in one, as HAProxy wants them.
    pub(crate) both: PathBuf,
}

impl Files {
    /// Makes a certificate in a folder, where there is none yet.
    pub(crate) fn make(folder: &Path, key: Key) -> io::Result<Files> {
        fs::create_dir_all(folder)?;
        let (name, kind): (_, &[&str]) = match key {
            Key::Ecdsa => ("ecdsa", &["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]),
            Key::Rsa => ("rsa", &["rsa:2048"]),
        };
        let path = |end: &str| folder.join(format!("{name}.{end}"));
        let files = Files { cert: path("pem"), key: path("key"), both: path("both.pem") };
        if files.both.exists() {
            return Ok(files);
        }
        let mut openssl = Command::new("openssl");
        openssl.args(["req", "-x509", "-nodes", "-days", "30", "-subj", "/CN=bench.example", "-newkey"]).args(kind);
        openssl.args(["-addext", "subjectAltName=DNS:bench.example", "-keyout"]).arg(&files.key);
        let made = openssl.arg("-out").arg(&files.cert).output()?;
        if !made.status.success() {
            return Err(io::Error::other(format!("openssl: {}", String::from_utf8_lossy(&made.stderr))));
        }
        fs::write(&files.both, [fs::read(&files.cert)?, fs::read(&files.key)?].concat())?;
        Ok(files)
    }
}

impl Secure {
    /// What the load speaks by. Sessions are remembered within it.
    pub(crate) fn policy(self) -> io::Result<Arc<ClientPolicy>> {
        let version = match self.version {
            Version::Tls12 => &rustls::version::TLS12,
            Version::Tls13 => &rustls::version::TLS13,
        };
        let mut config = ClientConfig::builder_with_provider(Arc::new(provider()))
            .with_protocol_versions(&[version])
            .map_err(io::Error::other)?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Anybody))
            .with_no_client_auth();
        config.resumption = match self.resumes {
            true => Resumption::store(Arc::new(Sessions::default())),
            false => Resumption::disabled(),
        };
        ClientPolicy::of(config, HOST).map(Arc::new).map_err(io::Error::other)
    }
}

fn provider() -> CryptoProvider {
    let mut provider = aws_lc_rs::default_provider();
    provider.cipher_suites.sort_by_key(|suite| suite.suite() != CipherSuite::TLS13_AES_128_GCM_SHA256);
    let tls12 = [
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        CipherSuite::TLS13_AES_128_GCM_SHA256,
    ];
    provider.cipher_suites.retain(|suite| tls12.contains(&suite.suite()));
    // P-256 too: in TLS 1.2 the groups say which ECDSA keys the client can check (RFC 8422 §5.1.1).
    provider.kx_groups.retain(|group| [NamedGroup::X25519, NamedGroup::secp256r1].contains(&group.name()));
    provider
}

/// Tickets that are kept: more than there are connections at a time.
const TICKETS_MAX: usize = 1_024;

/// The sessions of all connections: a closed loop has more of them than a store that was made for browsers keeps.
#[derive(Debug, Default)]
struct Sessions {
    tls12: Mutex<Option<Tls12ClientSessionValue>>,
    tls13: Mutex<Vec<Tls13ClientSessionValue>>,
}

impl ClientSessionStore for Sessions {
    fn set_kx_hint(&self, _name: ServerName<'static>, _group: NamedGroup) {}

    fn kx_hint(&self, _name: &ServerName<'_>) -> Option<NamedGroup> {
        None
    }

    fn set_tls12_session(&self, _name: ServerName<'static>, value: Tls12ClientSessionValue) {
        *self.tls12.lock().unwrap_or_else(PoisonError::into_inner) = Some(value);
    }

    fn tls12_session(&self, _name: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.tls12.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn remove_tls12_session(&self, _name: &ServerName<'static>) {
        *self.tls12.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn insert_tls13_ticket(&self, _name: ServerName<'static>, value: Tls13ClientSessionValue) {
        let mut tickets = self.tls13.lock().unwrap_or_else(PoisonError::into_inner);
        if tickets.len() < TICKETS_MAX {
            tickets.push(value);
        }
    }

    fn take_tls13_ticket(&self, _name: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.tls13.lock().unwrap_or_else(PoisonError::into_inner).pop()
    }
}

/// Believes everything: the load is to cost little.
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
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        aws_lc_rs::default_provider().signature_verification_algorithms.supported_schemes()
    }
}

/// A session on a socket.
pub(crate) struct Secured {
    engine: TlsEngine,
    /// What came and was not opened: the beginning of a record.
    incoming: Vec<u8>,
    /// What was sealed and has not left.
    outgoing: Vec<u8>,
    /// Whether an event may have been for more than was read.
    pub(crate) may_have_more: bool,
    /// Whether an earlier session was resumed, once the handshake is done.
    pub(crate) resumed: Option<bool>,
}

impl Secured {
    pub(crate) fn new(policy: &ClientPolicy) -> io::Result<Secured> {
        let mut engine = TlsEngine::client(policy).map_err(io::Error::other)?;
        let mut outgoing = Vec::new();
        let (mut none, mut nowhere) = (Vec::new(), Vec::new());
        engine.recv(&mut none, &mut Room::new(&mut [], &mut nowhere), &mut outgoing).map_err(io::Error::other)?;
        Ok(Secured { engine, incoming: Vec::new(), outgoing, may_have_more: false, resumed: None })
    }

    /// Goes on with the handshake: `Moved` when it is done.
    pub(crate) fn shake(&mut self, socket: &OwnedFd, scratch: &mut [u8]) -> Io {
        loop {
            match self.flush(socket) {
                Io::Moved(_) if !self.engine.is_handshaking() => {
                    self.resumed.get_or_insert_with(|| self.engine.facts(0, None).resumed);
                    return Io::Moved(1);
                }
                Io::Moved(_) => {}
                other => return other,
            }
            match self.open(socket, scratch) {
                // Nothing but the handshake is expected: the request has not been sent.
                Io::Moved(0) => {}
                Io::Moved(_) => return Io::Gone,
                other => return other,
            }
        }
    }

    /// Opens what is there into the front of `scratch`.
    pub(crate) fn read(&mut self, socket: &OwnedFd, scratch: &mut [u8]) -> Io {
        loop {
            match self.open(socket, scratch) {
                Io::Moved(0) if self.engine.peer_has_closed() => return Io::Gone,
                Io::Moved(0) => {}
                other => return other,
            }
        }
    }

    /// Seals all of `bytes` and sends what the socket takes; the rest leaves with [`Secured::flush`].
    pub(crate) fn write(&mut self, socket: &OwnedFd, bytes: &[u8]) -> Io {
        let start = self.outgoing.len();
        let records = bytes.len() / RECORD_OCTETS + 1;
        self.outgoing.resize(start + bytes.len() + records * RECORD_OVERHEAD, 0);
        let room = self.outgoing.get_mut(start..).unwrap_or_default();
        match self.engine.send(&mut self.incoming, bytes, room) {
            Ok((sealed, written)) if sealed == bytes.len() => self.outgoing.truncate(start + written),
            _ => return Io::Gone,
        }
        match self.flush(socket) {
            Io::Gone => Io::Gone,
            _ => Io::Moved(bytes.len()),
        }
    }

    /// Sends what waits: `Moved` once all has left.
    pub(crate) fn flush(&mut self, socket: &OwnedFd) -> Io {
        while !self.outgoing.is_empty() {
            match poll::write(socket, &self.outgoing) {
                Io::Moved(octets) => drop(self.outgoing.drain(..octets)),
                other => return other,
            }
        }
        Io::Moved(1)
    }

    /// Reads once into the back half of `scratch` and opens that into its front half.
    fn open(&mut self, socket: &OwnedFd, scratch: &mut [u8]) -> Io {
        let half = scratch.len() / 2;
        let (plain, sealed) = scratch.split_at_mut(half);
        let held = self.incoming.len();
        let Some((front, room)) = sealed.split_at_mut_checked(held) else { return Io::Gone };
        front.copy_from_slice(&self.incoming);
        let read = match poll::read(socket, room) {
            Io::Moved(octets) => octets,
            other => return other,
        };
        self.may_have_more = read == room.len();
        let sealed = sealed.get_mut(..held + read).unwrap_or_default();
        let mut rest = Vec::new();
        let mut room = Room::new(plain, &mut rest);
        let Ok(taken) = self.engine.recv(sealed, &mut room, &mut self.outgoing) else { return Io::Gone };
        let filled = room.filled;
        self.incoming = sealed.get(taken..).unwrap_or_default().to_vec();
        // What was opened is less than what came: it fits.
        if rest.is_empty() { Io::Moved(filled) } else { Io::Gone }
    }
}
