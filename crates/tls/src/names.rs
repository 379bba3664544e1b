//! Names of hosts and the wildcards that cover them, as certificates and policies have them.

use std::collections::HashMap;

/// Values by host name: exact names, and wildcards that stand for one label (RFC 9525 §6.3). Names are in lower case.
#[derive(Clone, Debug)]
pub struct Names<T> {
    exact: HashMap<Box<str>, T>,
    /// By what follows `*.`.
    wildcard: HashMap<Box<str>, T>,
}

/// How a name was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<'n> {
    /// By itself.
    Exact,
    /// By a wildcard for its parent.
    Wildcard(&'n str),
}

impl<T> Default for Names<T> {
    fn default() -> Self {
        Self { exact: HashMap::new(), wildcard: HashMap::new() }
    }
}

impl<T> Names<T> {
    /// The value of a name as written, made when there is none. `*.example.com` is a wildcard.
    pub fn entry(&mut self, name: &str) -> std::collections::hash_map::Entry<'_, Box<str>, T> {
        match name.strip_prefix("*.") {
            Some(parent) => self.wildcard.entry(parent.to_ascii_lowercase().into()),
            None => self.exact.entry(name.to_ascii_lowercase().into()),
        }
    }

    /// The value for a host in lower case: its own, else that of the wildcard of its parent.
    pub fn find<'n>(&self, host: &'n str) -> Option<(&T, Found<'n>)> {
        if let Some(value) = self.exact.get(host) {
            return Some((value, Found::Exact));
        }
        let (label, parent) = host.split_once('.').filter(|(label, _)| !label.is_empty())?;
        debug_assert!(!label.contains('.'));
        Some((self.wildcard.get(parent)?, Found::Wildcard(parent)))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.exact.is_empty() && self.wildcard.is_empty()
    }
}

/// Whether a name of a certificate covers a host: itself, or as a wildcard for exactly one label. A host that is a
/// wildcard of a route's pattern is covered by the same wildcard only. Both in lower case.
pub fn matches(name: &str, host: &str) -> bool {
    if name == host {
        return true;
    }
    let Some(parent) = name.strip_prefix("*.") else { return false };
    host.split_once('.').is_some_and(|(label, rest)| !label.is_empty() && label != "*" && rest == parent)
}

#[cfg(test)]
mod tests {
    use super::{Found, Names, matches};

    #[test]
    fn a_name_of_its_own_goes_before_a_wildcard_which_stands_for_one_label() {
        let mut names = Names::default();
        for (value, name) in ["example.com", "*.example.com", "a.example.com", "*.b.example.com"].iter().enumerate() {
            names.entry(name).or_insert(value);
        }
        let find = |host| names.find(host).map(|(&value, found)| (value, found));
        assert_eq!(find("example.com"), Some((0, Found::Exact)));
        assert_eq!(find("a.example.com"), Some((2, Found::Exact)));
        assert_eq!(find("x.example.com"), Some((1, Found::Wildcard("example.com"))));
        assert_eq!(find("b.example.com"), Some((1, Found::Wildcard("example.com"))));
        assert_eq!(find("x.b.example.com"), Some((3, Found::Wildcard("b.example.com"))));
        assert_eq!(find("x.y.example.com"), None);
        assert_eq!(find(".example.com"), None);
        assert_eq!(find("com"), None);
        assert_eq!(find(""), None);
    }

    #[test]
    fn what_a_certificate_covers() {
        for (name, host, covered) in [
            ("example.com", "example.com", true),
            ("*.example.com", "a.example.com", true),
            ("*.example.com", "*.example.com", true),
            ("*.example.com", "a.b.example.com", false),
            ("*.example.com", "example.com", false),
            ("*.com", "*.example.com", false),
            ("a.example.com", "*.example.com", false),
            ("*.example.com", "*.a.example.com", false),
        ] {
            assert_eq!(matches(name, host), covered, "{name} {host}");
        }
    }
}
