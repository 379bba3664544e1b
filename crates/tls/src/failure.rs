//! What an error of the engine means.

use rustls::{AlertDescription, CertificateError, Error};
use strait_message::HandshakeFailure as Failure;

/// What an error of the engine means.
pub fn failure_of(error: &Error) -> Failure {
    match error {
        Error::InvalidMessage(rustls::InvalidMessage::InvalidContentType) => Failure::NotTls,
        Error::NoCertificatesPresented => Failure::CertificateMissing,
        Error::InvalidCertificate(error) => of_certificate(error),
        Error::AlertReceived(alert) => of_alert(*alert),
        Error::NoApplicationProtocol => Failure::Protocol,
        Error::PeerIncompatible(_) => Failure::Incompatible,
        Error::InvalidMessage(_)
        | Error::InappropriateMessage { .. }
        | Error::InappropriateHandshakeMessage { .. }
        | Error::PeerMisbehaved(_)
        | Error::DecryptError
        | Error::PeerSentOversizedRecord => Failure::Malformed,
        _ => Failure::Other,
    }
}

fn of_certificate(error: &CertificateError) -> Failure {
    match error {
        CertificateError::Expired
        | CertificateError::ExpiredContext { .. }
        | CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. } => Failure::CertificateExpired,
        CertificateError::Revoked | CertificateError::UnknownRevocationStatus => Failure::CertificateRevoked,
        CertificateError::UnknownIssuer => Failure::UnknownIssuer,
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => Failure::CertificateName,
        _ => Failure::CertificateBad,
    }
}

fn of_alert(alert: AlertDescription) -> Failure {
    match alert {
        AlertDescription::BadCertificate
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnknownCA
        | AlertDescription::AccessDenied => Failure::Refused,
        AlertDescription::CertificateRequired => Failure::CertificateMissing,
        AlertDescription::ProtocolVersion
        | AlertDescription::HandshakeFailure
        | AlertDescription::InsufficientSecurity => Failure::Incompatible,
        AlertDescription::NoApplicationProtocol => Failure::Protocol,
        _ => Failure::Alert,
    }
}
