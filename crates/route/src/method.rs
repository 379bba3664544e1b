//! Sets of method names, as patterns and `Allow` fields hold them. Methods are case-sensitive (RFC 9110 §9.1).

use std::fmt;

/// The methods of RFC 9110 §9.3 and RFC 5789; a set holds them as bits.
const STANDARD: [&str; 9] = ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];
const GET: u16 = 1;
const HEAD: u16 = 2;

/// Some methods, or none, which in a pattern means every method.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct MethodSet {
    standard: u16,
    /// Sorted, each once.
    others: Vec<Box<str>>,
}

/// How well a pattern's methods fit a request's; better ones come first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MethodFit {
    /// The pattern names the method.
    Named,
    /// The method is HEAD and the pattern names GET (RFC 9110 §9.3.2: HEAD is GET without the content).
    HeadAsGet,
    /// The pattern names no method.
    Any,
}

/// A request's method, looked up once.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MethodKey<'a> {
    bit: u16,
    name: &'a [u8],
}

impl<'a> MethodKey<'a> {
    pub(crate) fn of(name: &'a [u8]) -> Self {
        Self { bit: bit_of(name), name }
    }
}

/// The bit of a standard method, 0 for any other.
fn bit_of(name: &[u8]) -> u16 {
    match name {
        b"GET" => GET,
        b"HEAD" => HEAD,
        b"POST" => 4,
        b"PUT" => 8,
        b"DELETE" => 16,
        b"CONNECT" => 32,
        b"OPTIONS" => 64,
        b"TRACE" => 128,
        b"PATCH" => 256,
        _ => 0,
    }
}

/// RFC 9110 §5.6.2 without lower-case letters: a method with those is taken for a slip.
pub(crate) fn is_method_name(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

pub(crate) fn is_standard(name: &str) -> bool {
    STANDARD.contains(&name)
}

impl MethodSet {
    /// The empty set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a method; `false` if it was there.
    pub fn insert(&mut self, name: &str) -> bool {
        let bit = bit_of(name.as_bytes());
        if bit != 0 {
            let added = self.standard & bit == 0;
            self.standard |= bit;
            return added;
        }
        match self.others.binary_search_by(|other| (**other).cmp(name)) {
            Ok(_) => false,
            Err(at) => {
                self.others.insert(at, name.into());
                true
            }
        }
    }

    /// Whether no method is named.
    pub fn is_empty(&self) -> bool {
        self.standard == 0 && self.others.is_empty()
    }

    /// Whether the set names this very method.
    pub fn contains(&self, name: &[u8]) -> bool {
        self.names(MethodKey::of(name))
    }

    /// How the set, read as a pattern's, fits a request's method; `None` if it does not.
    pub fn fit(&self, method: &[u8]) -> Option<MethodFit> {
        self.fit_key(MethodKey::of(method))
    }

    #[inline]
    pub(crate) fn fit_key(&self, method: MethodKey<'_>) -> Option<MethodFit> {
        if self.is_empty() {
            Some(MethodFit::Any)
        } else if self.names(method) {
            Some(MethodFit::Named)
        } else if method.bit == HEAD && self.standard & GET != 0 {
            Some(MethodFit::HeadAsGet)
        } else {
            None
        }
    }

    #[inline]
    fn names(&self, method: MethodKey<'_>) -> bool {
        match method.bit {
            0 => self.others.iter().any(|other| other.as_bytes() == method.name),
            bit => self.standard & bit != 0,
        }
    }

    /// The methods in the order of RFC 9110, others behind them by name.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        let standard = STANDARD.iter().enumerate();
        let standard = standard.filter(|(at, _)| self.standard & (1 << at) != 0).map(|(_, name)| *name);
        standard.chain(self.others.iter().map(|name| &**name))
    }

    /// Adds what a pattern with these methods answers: HEAD comes with GET.
    pub(crate) fn add_answered(&mut self, pattern: &Self) {
        self.standard |= pattern.standard;
        if self.standard & GET != 0 {
            self.standard |= HEAD;
        }
        for name in &pattern.others {
            self.insert(name);
        }
    }
}

/// As the value of an `Allow` field: `GET, HEAD`.
impl fmt::Display for MethodSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, name) in self.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { ", " })?;
            f.write_str(name)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn bits_follow_the_standard_order() {
        for (at, name) in STANDARD.iter().enumerate() {
            assert_eq!(bit_of(name.as_bytes()), 1 << at);
        }
    }

    #[test]
    fn a_set_fits_by_name_then_head_then_any() {
        let set = |names: &[&str]| {
            let mut set = MethodSet::new();
            names.iter().for_each(|name| assert!(set.insert(name)));
            set
        };
        let check = |names: &[&str], method: &str, expected| assert_eq!(set(names).fit(method.as_bytes()), expected);
        check(&[], "PURGE", Some(MethodFit::Any));
        check(&["GET"], "GET", Some(MethodFit::Named));
        check(&["GET"], "HEAD", Some(MethodFit::HeadAsGet));
        check(&["HEAD"], "GET", None);
        check(&["GET"], "get", None);
        check(&["PURGE", "BAN"], "PURGE", Some(MethodFit::Named));
        check(&["PURGE"], "BAN", None);
        check(&["POST"], "HEAD", None);
        assert_eq!(set(&["PURGE", "POST", "BAN", "GET"]).to_string(), "GET, POST, BAN, PURGE");
        assert!(!set(&["PURGE"]).insert("PURGE"));
    }
}
