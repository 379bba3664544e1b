//! `add_prefix`: puts a prefix before the path.

mod run;
#[cfg(test)]
mod tests;

/// Puts a prefix before the path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddPrefix {
    /// Canonical, without a slash at its end.
    prefix: Box<[u8]>,
}

impl AddPrefix {
    /// Puts `prefix`, a canonical path, before every path.
    pub fn new(prefix: &str) -> Self {
        Self { prefix: prefix.trim_end_matches('/').as_bytes().into() }
    }
}
