//! What a handshake came to, as exchanges ask for it.

use strait_filters::evidence::{ClientCertificate, TlsFacts};
use strait_tls::{Facts, Identity};

/// What a handshake came to.
#[derive(Debug, Default)]
pub(crate) struct Secured {
    /// What conditions and templates may ask.
    pub(crate) facts: TlsFacts,
    /// Whether an earlier session was resumed.
    pub(crate) resumed: bool,
    /// The policy it was done under: an index into the listener's.
    pub(crate) policy: usize,
}

impl From<Facts> for Secured {
    fn from(facts: Facts) -> Self {
        let Facts { version, suite, server_name, protocol, resumed, client, policy } = facts;
        let alpn = protocol.map(|protocol| String::from_utf8_lossy(&protocol).into());
        let client = client.map(|client| certificate(*client));
        Self { facts: TlsFacts { version, cipher: suite, sni: server_name, alpn, client }, resumed, policy }
    }
}

fn certificate(client: Identity) -> ClientCertificate {
    let Identity { subject, issuer, serial, names, fingerprint, .. } = client;
    ClientCertificate { subject, issuer, serial, names: names.into(), fingerprint }
}
