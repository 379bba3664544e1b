//! `remove_headers`: takes fields off the request or the response.

mod run;
#[cfg(test)]
mod tests;

use crate::FieldPattern;

/// Takes fields off the request and the response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RemoveHeaders {
    /// Fields of the request.
    pub request: Vec<FieldPattern>,
    /// Fields of the response.
    pub response: Vec<FieldPattern>,
}
