//! `csrf`: requests that change something must come from pages of the same origin.

mod run;
#[cfg(test)]
mod tests;

use crate::origins::Origins;

/// Refuses requests of unsafe methods that a browser sends for a page of another origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Csrf {
    /// Other origins whose pages may.
    pub origins: Origins,
}
