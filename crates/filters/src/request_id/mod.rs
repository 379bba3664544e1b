//! `request_id`: the name under which requests carry their id, and whether one that comes with a request is kept.

mod run;
#[cfg(test)]
mod tests;

use crate::FieldName;

/// Carries the request's id in a field of its own, and takes over one that comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestId {
    /// The field, in the request and in the response.
    pub header: FieldName,
    /// Whether an id that comes in this field is taken over, if it is a UUID.
    pub accept: bool,
}
