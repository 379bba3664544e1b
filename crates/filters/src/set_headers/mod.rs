//! `set_headers`: puts fields into the request or the response.

mod run;
#[cfg(test)]
mod tests;

use crate::FieldName;
use strait_expr::Template;
pub use crate::fields::Mode;

/// Puts fields into the request and the response.
#[derive(Clone, Debug)]
pub struct SetHeaders {
    /// What is done where a field is there already.
    pub mode: Mode,
    /// Fields of the request.
    pub request: Vec<(FieldName, Template)>,
    /// Fields of the response.
    pub response: Vec<(FieldName, Template)>,
}
