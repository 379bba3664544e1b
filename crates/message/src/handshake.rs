//! Why a handshake failed: a short list, of words for metrics and of sentences for logs.

/// Why a TLS handshake failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum HandshakeFailure {
    /// It took longer than its timeout.
    Timeout,
    /// The peer closed or reset the connection in the middle of it.
    Closed,
    /// What came is no TLS.
    NotTls,
    /// The peer broke the protocol.
    Malformed,
    /// There is no version, suite, group or scheme that both sides know.
    Incompatible,
    /// No application protocol that both sides know.
    Protocol,
    /// The peer was to show a certificate and did not.
    CertificateMissing,
    /// The peer's certificate is issued by nobody who is believed.
    UnknownIssuer,
    /// The peer's certificate has expired or is not valid yet.
    CertificateExpired,
    /// The peer's certificate was revoked, or no list says that it was not.
    CertificateRevoked,
    /// The peer's certificate is for another name.
    CertificateName,
    /// The peer's certificate cannot be used for another reason.
    CertificateBad,
    /// The peer refused our certificate.
    Refused,
    /// The peer ended it with another alert.
    Alert,
    /// Too many handshakes at a time.
    OverLimit,
    /// The name read first and the name the engine read differ.
    Policy,
    /// Anything else.
    Other,
}

impl HandshakeFailure {
    /// Every reason, in the order of the variants.
    pub const ALL: [Self; 17] = [
        Self::Timeout,
        Self::Closed,
        Self::NotTls,
        Self::Malformed,
        Self::Incompatible,
        Self::Protocol,
        Self::CertificateMissing,
        Self::UnknownIssuer,
        Self::CertificateExpired,
        Self::CertificateRevoked,
        Self::CertificateName,
        Self::CertificateBad,
        Self::Refused,
        Self::Alert,
        Self::OverLimit,
        Self::Policy,
        Self::Other,
    ];

    /// One word, as in labels of metrics.
    pub fn word(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Closed => "closed",
            Self::NotTls => "not_tls",
            Self::Malformed => "malformed",
            Self::Incompatible => "incompatible",
            Self::Protocol => "no_protocol",
            Self::CertificateMissing => "certificate_missing",
            Self::UnknownIssuer => "unknown_issuer",
            Self::CertificateExpired => "certificate_expired",
            Self::CertificateRevoked => "certificate_revoked",
            Self::CertificateName => "certificate_name",
            Self::CertificateBad => "certificate_bad",
            Self::Refused => "certificate_refused",
            Self::Alert => "alert",
            Self::OverLimit => "over_limit",
            Self::Policy => "policy",
            Self::Other => "other",
        }
    }

    /// As a sentence about the peer.
    pub fn sentence(self) -> &'static str {
        match self {
            Self::Timeout => "the TLS handshake took longer than its timeout",
            Self::Closed => "the connection was closed during the TLS handshake",
            Self::NotTls => "it does not speak TLS on this port",
            Self::Malformed => "it broke the TLS protocol",
            Self::Incompatible => "it knows no TLS version, suite or group in common",
            Self::Protocol => "it knows no application protocol in common",
            Self::CertificateMissing => "a certificate was asked for and none was shown",
            Self::UnknownIssuer => "its certificate was issued by nobody who is trusted",
            Self::CertificateExpired => "its certificate has expired or is not valid yet",
            Self::CertificateRevoked => "its certificate was revoked, or no list says that it was not",
            Self::CertificateName => "its certificate is for another name",
            Self::CertificateBad => "its certificate cannot be used",
            Self::Refused => "it refused our certificate",
            Self::Alert => "it ended the TLS handshake with an alert",
            Self::OverLimit => "too many TLS handshakes at a time",
            Self::Policy => "the name of the ClientHello is ambiguous",
            Self::Other => "the TLS handshake failed",
        }
    }

    /// Whether it is about the peer's certificate.
    pub fn is_certificate(self) -> bool {
        matches!(
            self,
            Self::UnknownIssuer
                | Self::CertificateExpired
                | Self::CertificateRevoked
                | Self::CertificateName
                | Self::CertificateBad
        )
    }
}
