//! `cors`: which pages of other origins may use an origin's answers (Fetch standard, §3.2).

mod run;
#[cfg(test)]
mod tests;

use crate::origins::Origins;

/// Answers preflights, and tells browsers who may read a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cors {
    /// The origins whose pages may.
    pub origins: Origins,
    /// The methods they may use.
    pub methods: Box<str>,
    /// The fields they may send; `None` for whatever they ask for.
    pub headers: Option<Box<str>>,
    /// The fields they may read, beyond those that are always readable.
    pub expose: Box<str>,
    /// Whether they may send cookies and credentials.
    pub credentials: bool,
    /// For how many seconds a browser may remember a preflight.
    pub max_age_s: u64,
    /// Whether pages of public networks may reach this one in a private network.
    pub private_network: bool,
}
