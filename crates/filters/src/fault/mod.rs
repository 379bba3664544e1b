//! `fault`: makes some requests late or fail on purpose, to see how others bear it.

mod run;
#[cfg(test)]
mod tests;

use crate::FieldName;
use strait_message::Status;

/// Delays and refuses some requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Only requests with this field are meant, if it is named; with this value, if there is one.
    pub header: Option<(FieldName, Option<Box<str>>)>,
    /// How long requests are delayed, in milliseconds, and how many of 100,000.
    pub delay: Option<(u64, u32)>,
    /// The status requests are refused with, and how many of 100,000.
    pub abort: Option<(Status, u32)>,
}
