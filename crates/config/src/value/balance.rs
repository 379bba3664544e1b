//! What balancing is told: keys of hashing, names of cookies, sizes of tables.

use super::{Flaw, HeaderName, Value};
use crate::codes;
use std::fmt;

/// What the key of a request is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HashKey {
    /// The client's address.
    Address,
    /// The value of a header.
    Header(HeaderName),
    /// The value of a cookie.
    Cookie(CookieName),
    /// The value of a parameter of the query.
    Parameter(String),
    /// The whole query.
    Query,
    /// The canonical path.
    Path,
    /// The host.
    Host,
}

impl fmt::Display for HashKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address => f.write_str("address"),
            Self::Header(name) => write!(f, "header {}", name.as_str()),
            Self::Cookie(name) => write!(f, "cookie {}", name.as_str()),
            Self::Parameter(name) => write!(f, "query {name}"),
            Self::Query => f.write_str("query"),
            Self::Path => f.write_str("path"),
            Self::Host => f.write_str("host"),
        }
    }
}

impl Value for HashKey {
    const WHAT: &'static str = "a key";
    const EXAMPLES: &'static [&'static str] =
        &["address", "header X-User", "cookie session", "query user", "path", "host"];

    fn parse(text: &str) -> Result<Self, Flaw> {
        let (word, name) = text.split_once([' ', ':']).map_or((text, None), |(word, name)| (word, Some(name.trim())));
        match (word, name.filter(|name| !name.is_empty())) {
            ("address", None) => Ok(Self::Address),
            ("query", None) => Ok(Self::Query),
            ("path", None) => Ok(Self::Path),
            ("host", None) => Ok(Self::Host),
            ("header", Some(name)) => HeaderName::parse(name).map(Self::Header),
            ("cookie", Some(name)) => CookieName::parse(name).map(Self::Cookie),
            ("query", Some(name)) => Ok(Self::Parameter(name.to_owned())),
            _ => Err(not_key(text, word)),
        }
    }

    fn written(&self) -> String {
        self.to_string()
    }
}

fn not_key(text: &str, word: &str) -> Flaw {
    let flaw = Flaw::new(codes::UNKNOWN_WORD, format!("`{text}` is not a key of requests"));
    match word {
        "header" => flaw.label("a name is missing").replace("header X-User"),
        "cookie" => flaw.label("a name is missing").replace("cookie session"),
        "ip" | "source" | "src" | "client" | "client.ip" | "source_ip" | "remote_addr" | "$remote_addr" => {
            flaw.replace("address")
        }
        "uri" | "url" | "$request_uri" => flaw.replace("path"),
        "hdr" => flaw.hint("write `header NAME`"),
        "url_param" | "query_parameter" => flaw.hint("write `query NAME`"),
        _ => flaw.hint("write address, header NAME, cookie NAME, query NAME, query, path or host"),
    }
}

/// The name of a cookie: a token (RFC 6265 §4.1.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CookieName(String);

impl CookieName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Value for CookieName {
    const WHAT: &'static str = "the name of a cookie";
    const EXAMPLES: &'static [&'static str] = &["route"];

    fn parse(text: &str) -> Result<Self, Flaw> {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if !text.is_empty() && text.len() <= 64 && text.bytes().all(fits) {
            return Ok(Self(text.to_owned()));
        }
        let better: String = text.bytes().filter(|&byte| fits(byte)).map(char::from).take(64).collect();
        let flaw = Flaw::new(codes::HEADER, format!("`{text}` is not the name of a cookie"));
        Err(match better.is_empty() {
            true => flaw.hint("write letters, digits, `-` and `_`"),
            false => flaw.label("letters, digits, `-` and `_`").replace(better),
        })
    }

    fn written(&self) -> String {
        crate::decode::quoted_if_needed(&self.0)
    }
}

/// The size of a table that must be a prime.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prime(u32);

/// The largest table: 10 MB.
const PRIME_MAX: u32 = 5_000_011;

impl Prime {
    /// For defaults, which are primes.
    pub const fn new(prime: u32) -> Self {
        Self(prime)
    }

    /// The number.
    pub fn get(self) -> u32 {
        self.0
    }
}

impl Value for Prime {
    const WHAT: &'static str = "a prime";
    const EXAMPLES: &'static [&'static str] = &["65537", "655373"];

    fn parse(text: &str) -> Result<Self, Flaw> {
        let number = u32::parse(text)?;
        if (2..=PRIME_MAX).contains(&number) && is_prime(number) {
            return Ok(Self(number));
        }
        let next = (number.clamp(2, PRIME_MAX)..=PRIME_MAX).find(|&next| is_prime(next)).unwrap_or(PRIME_MAX);
        Err(Flaw::new(codes::NUMBER, format!("`{number}` is not a prime up to {PRIME_MAX}")).replace(next.to_string()))
    }

    fn written(&self) -> String {
        self.0.to_string()
    }
}

fn is_prime(number: u32) -> bool {
    number >= 2
        && (2..).take_while(|&divisor| divisor * divisor <= number).all(|divisor| !number.is_multiple_of(divisor))
}
