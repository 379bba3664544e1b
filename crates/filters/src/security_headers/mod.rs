//! `security_headers`: what browsers are told to be careful about.

mod run;
#[cfg(test)]
mod tests;

use crate::FieldName;

/// Puts fields into responses that do not have them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecurityHeaders {
    /// The fields.
    pub fields: Vec<(FieldName, Box<str>)>,
    /// The value of Strict-Transport-Security. Sent over TLS only (RFC 6797 §7.2); empty for none.
    pub hsts: Box<str>,
}
