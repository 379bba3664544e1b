//! `body_limit`: how large bodies may be.

mod run;
#[cfg(test)]
mod tests;

/// Bounds the bodies of requests and responses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodyLimit {
    /// Octets of a request body.
    pub request_octets_max: Option<u64>,
    /// Octets of a response body.
    pub response_octets_max: Option<u64>,
}
