//! The cryptography in use: which suites and groups, in which order.

use rustls::SupportedProtocolVersion;
use rustls::crypto::aws_lc_rs::{cipher_suite as suite, default_provider, kx_group as group};
use rustls::crypto::{CryptoProvider, SupportedKxGroup};
use std::sync::{Arc, LazyLock};

/// AES-128-GCM goes first: with the AES instructions of any server it is the cheapest, and no client is worse off.
static SUITES: [rustls::SupportedCipherSuite; 9] = [
    suite::TLS13_AES_128_GCM_SHA256,
    suite::TLS13_CHACHA20_POLY1305_SHA256,
    suite::TLS13_AES_256_GCM_SHA384,
    suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
    suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
    suite::TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256,
    suite::TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
    suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
    suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
];

/// The hybrid of X25519 and ML-KEM first: what is recorded today stays secret when quantum computers come.
static GROUPS: [&dyn SupportedKxGroup; 4] = [group::X25519MLKEM768, group::X25519, group::SECP256R1, group::SECP384R1];

static PROVIDER: LazyLock<Arc<CryptoProvider>> = LazyLock::new(|| {
    let provider = CryptoProvider { cipher_suites: SUITES.to_vec(), kx_groups: GROUPS.to_vec(), ..default_provider() };
    Arc::new(provider)
});

pub(crate) fn provider() -> Arc<CryptoProvider> {
    PROVIDER.clone()
}

/// The least version that is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum VersionMin {
    /// TLS 1.2 and 1.3.
    #[default]
    Tls12,
    /// TLS 1.3 only.
    Tls13,
}

static FROM_12: [&SupportedProtocolVersion; 2] = [&rustls::version::TLS13, &rustls::version::TLS12];
static FROM_13: [&SupportedProtocolVersion; 1] = [&rustls::version::TLS13];

/// The versions from a least one up.
pub(crate) fn versions(min: VersionMin) -> &'static [&'static SupportedProtocolVersion] {
    match min {
        VersionMin::Tls12 => &FROM_12,
        VersionMin::Tls13 => &FROM_13,
    }
}
