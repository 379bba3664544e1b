//! Conditions on a request beyond its pattern, compiled: names are octets, networks and patterns built.

use ipnet::IpNet;
use std::borrow::Cow;
use strait_expr::{Expression, Facts as _, Value};
use strait_filters::evidence::{Evidence, cookie, header, parameter};
use strait_message::Method;

/// Conditions that must all hold; none of them is a condition that always holds.
#[derive(Clone, Debug, Default)]
pub struct Condition {
    /// Fields of the request, by name in lower case.
    pub headers: Box<[(Box<[u8]>, TextTest)]>,
    /// Parameters of the query.
    pub query: Box<[(Box<[u8]>, TextTest)]>,
    /// Cookies.
    pub cookies: Box<[(Box<[u8]>, TextTest)]>,
    /// Networks of the client; empty for any.
    pub networks: Box<[IpNet]>,
    /// Methods; empty for any.
    pub methods: Box<[Method]>,
    /// A share of all requests.
    pub portion: Option<Portion>,
    /// An expression.
    pub expression: Option<Expression>,
}

/// A condition on one text.
#[derive(Clone, Debug)]
pub enum TextTest {
    /// It is this text.
    Exact(Box<[u8]>),
    /// It begins so.
    Prefix(Box<[u8]>),
    /// It ends so.
    Suffix(Box<[u8]>),
    /// It holds this.
    Contains(Box<[u8]>),
    /// The pattern is found in it.
    Pattern(Box<strait_expr::Regex>),
    /// Whether it is there at all.
    Present(bool),
}

/// A share of all requests, the same ones everywhere and always: what falls into it follows from a key alone.
#[derive(Clone, Debug)]
pub struct Portion {
    /// What decides; the client's address without one.
    pub key: Option<Expression>,
    /// Requests of a hundred thousand.
    pub of_100_000: u32,
    /// Sets shares of different routes apart.
    pub salt: u64,
}

/// The first condition that a request does not fulfil.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unmet {
    /// A header, by its name.
    Header(Box<[u8]>),
    /// A parameter of the query.
    Query(Box<[u8]>),
    /// A cookie.
    Cookie(Box<[u8]>),
    /// The client's address.
    Client,
    /// The method.
    Method,
    /// It is not in the share.
    Portion,
    /// The expression does not hold; if it has no value, why.
    Expression(Option<String>),
}

impl Condition {
    /// Whether a request fulfils every condition.
    pub fn holds(&self, evidence: &Evidence<'_>) -> bool {
        self.unmet(evidence).is_none()
    }

    /// The first condition that a request does not fulfil. Cheap ones are asked first.
    pub fn unmet(&self, evidence: &Evidence<'_>) -> Option<Unmet> {
        let facts = &evidence.facts;
        if !self.methods.is_empty() && !self.methods.contains(facts.method) {
            return Some(Unmet::Method);
        }
        if !self.networks.is_empty() && !self.has_client(evidence) {
            return Some(Unmet::Client);
        }
        if let Some(name) = first_unmet(&self.headers, |name| header(facts.headers, name)) {
            return Some(Unmet::Header(name.into()));
        }
        if let Some(name) = first_unmet(&self.cookies, |name| cookie(facts.headers, name).map(Cow::Borrowed)) {
            return Some(Unmet::Cookie(name.into()));
        }
        if let Some(name) = first_unmet(&self.query, |name| parameter(facts.query?, name)) {
            return Some(Unmet::Query(name.into()));
        }
        if self.portion.as_ref().is_some_and(|portion| !portion.includes(evidence)) {
            return Some(Unmet::Portion);
        }
        self.expression.as_ref().and_then(|expression| unmet_expression(expression, evidence))
    }

    fn has_client(&self, evidence: &Evidence<'_>) -> bool {
        let address = evidence.facts.client.map(|client| client.ip().to_canonical());
        address.is_some_and(|address| self.networks.iter().any(|network| network.contains(&address)))
    }
}

/// Why an expression does not hold; `None` if it does.
pub(crate) fn unmet_expression(expression: &Expression, evidence: &Evidence<'_>) -> Option<Unmet> {
    match expression.evaluate(evidence) {
        Ok(Value::Bool(true)) => None,
        Ok(_) => Some(Unmet::Expression(None)),
        Err(failure) => Some(Unmet::Expression(Some(expression.explain(failure)))),
    }
}

fn first_unmet<'t, 'h>(
    tests: &'t [(Box<[u8]>, TextTest)],
    find: impl Fn(&[u8]) -> Option<Cow<'h, [u8]>>,
) -> Option<&'t [u8]> {
    tests.iter().find(|(name, test)| !test.passes(find(name).as_deref())).map(|(name, _)| &**name)
}

impl TextTest {
    /// Whether a text passes; one that is absent passes nothing but `Present(false)`.
    pub fn passes(&self, text: Option<&[u8]>) -> bool {
        let Some(text) = text else { return matches!(self, Self::Present(false)) };
        match self {
            Self::Exact(wanted) => text == &**wanted,
            Self::Prefix(start) => text.starts_with(start),
            Self::Suffix(end) => text.ends_with(end),
            Self::Contains(part) => strait_expr::contains(text, part),
            Self::Pattern(pattern) => pattern.is_match(text),
            Self::Present(wanted) => *wanted,
        }
    }
}

impl Portion {
    /// Whether a request falls into the share. One whose key has no value does not.
    pub fn includes(&self, evidence: &Evidence<'_>) -> bool {
        let mut key = Vec::new();
        let has_key = match &self.key {
            Some(expression) => {
                expression.evaluate(evidence).is_ok_and(|value| value.write_text(&mut key)) && !key.is_empty()
            }
            None => evidence.fact(strait_expr::Fact::ClientIp).is_some_and(|client| client.write_text(&mut key)),
        };
        has_key && even_hash(&key, self.salt) % 100_000 < u64::from(self.of_100_000)
    }
}

/// A hash that is the same on every machine and in every version: FNV-1a, its bits then mixed as SplitMix64 does, for
/// FNV alone leaves neighbouring keys near each other.
fn even_hash(key: &[u8], salt: u64) -> u64 {
    let fnv = key.iter().fold(0xCBF2_9CE4_8422_2325 ^ salt, |hash, octet| {
        (hash ^ u64::from(*octet)).wrapping_mul(0x0000_0100_0000_01B3)
    });
    let mixed = (fnv ^ (fnv >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

/// The salt of a route's shares, by its pattern.
pub fn portion_salt(pattern: &str) -> u64 {
    even_hash(pattern.as_bytes(), 0)
}

#[cfg(test)]
mod tests;
