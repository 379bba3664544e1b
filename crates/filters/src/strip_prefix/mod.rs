//! `strip_prefix`: takes a prefix off the path and tells the origin which.

mod run;
#[cfg(test)]
mod tests;

/// Takes a prefix off the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StripPrefix {
    /// Canonical, without a slash at its end.
    prefix: Box<[u8]>,
}

impl StripPrefix {
    /// Takes off `prefix`, a canonical path. `/` takes nothing off.
    pub fn new(prefix: &str) -> Self {
        Self { prefix: prefix.trim_end_matches('/').as_bytes().into() }
    }
}
