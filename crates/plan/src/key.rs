use crate::Facts;
use crate::sticky::cookie;
use std::net::IpAddr;
use strait_traffic::{hash, hash_with};

/// What the key of a request is, by which consistent hashing chooses.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HashKey {
    /// The client's address.
    Address,
    /// The values of a field, in order.
    Header(Box<str>),
    /// The value of a cookie.
    Cookie(Box<str>),
    /// The value of a parameter of the query, as it is written.
    Parameter(Box<str>),
    /// The whole query.
    Query,
    /// The canonical path.
    Path,
    /// The host in lower case.
    Host,
}

impl HashKey {
    /// The hash of a request's key; `None` when it has none.
    pub fn hash(&self, facts: &Facts<'_>) -> Option<u64> {
        match self {
            Self::Address => facts.client.map(|client| match client.ip().to_canonical() {
                IpAddr::V4(address) => hash(&address.octets()),
                IpAddr::V6(address) => hash(&address.octets()),
            }),
            Self::Header(name) => {
                let fields = facts.headers.iter().filter(|field| field.name.eq_ignore_ascii_case(name.as_bytes()));
                fields.map(|field| field.value).fold(None, |before, value| Some(following(before, value)))
            }
            Self::Cookie(name) => cookie(facts.headers, name.as_bytes()).map(hash),
            Self::Parameter(name) => parameter(facts.query?, name.as_bytes()).map(hash),
            Self::Query => facts.query.filter(|query| !query.is_empty()).map(hash),
            Self::Path => Some(hash(facts.path)),
            Self::Host => Some(facts.host).filter(|host| !host.is_empty()).map(hash),
        }
    }
}

fn following(before: Option<u64>, value: &[u8]) -> u64 {
    before.map_or_else(|| hash(value), |before| hash_with(before, value))
}

fn parameter<'q>(query: &'q [u8], name: &[u8]) -> Option<&'q [u8]> {
    query.split(|&byte| byte == b'&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix(b"="))
}

impl std::fmt::Display for HashKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Address => f.write_str("the client's address"),
            Self::Header(name) => write!(f, "the header {name}"),
            Self::Cookie(name) => write!(f, "the cookie {name}"),
            Self::Parameter(name) => write!(f, "the query's {name}"),
            Self::Query => f.write_str("the query"),
            Self::Path => f.write_str("the path"),
            Self::Host => f.write_str("the host"),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::HashKey;
    use crate::Facts;
    use strait_message::{Headers, Method, Version};
    use strait_traffic::hash;

    #[test]
    fn each_key_is_found_where_it_is_and_missing_where_it_is_not() {
        let mut headers = Headers::new();
        headers.push(b"X-User", b"ann");
        headers.push(b"Cookie", b"a=1; session=s9");
        let facts = Facts {
            method: &Method::Get,
            host: b"example.com",
            path: b"/p",
            query: Some(b"x=1&user=bob"),
            headers: &headers,
            version: Version::Http11,
            scheme: "http",
            client: Some("[::ffff:192.0.2.7]:5".parse().unwrap()),
            listener: "web",
            request_id: b"",
            tls: None,
        };
        let name = |name: &str| Box::<str>::from(name);
        for (key, expected) in [
            (HashKey::Address, Some(&[192, 0, 2, 7][..])),
            (HashKey::Header(name("x-user")), Some(b"ann")),
            (HashKey::Header(name("x-other")), None),
            (HashKey::Cookie(name("session")), Some(b"s9")),
            (HashKey::Cookie(name("sess")), None),
            (HashKey::Parameter(name("user")), Some(b"bob")),
            (HashKey::Parameter(name("use")), None),
            (HashKey::Query, Some(b"x=1&user=bob")),
            (HashKey::Path, Some(b"/p")),
            (HashKey::Host, Some(b"example.com")),
        ] {
            assert_eq!(key.hash(&facts), expected.map(hash), "{key}");
        }
        assert_eq!(HashKey::Query.hash(&Facts { query: None, ..facts }), None);
    }
}
