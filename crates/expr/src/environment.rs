//! The names that an expression may use, and where their values come from.

use crate::value::{Kind, Value};
use std::borrow::Cow;

/// A single value that every exchange may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is documented in `NAMES`, which is also the manual")]
pub enum Fact {
    ClientIp,
    ClientPort,
    RequestId,
    RequestMethod,
    RequestScheme,
    RequestHost,
    RequestPath,
    RequestQueryString,
    RequestUri,
    Listener,
    Protocol,
    TlsVersion,
    TlsSni,
    TlsCipher,
    TlsAlpn,
    TlsClientSubject,
    TlsClientIssuer,
    TlsClientSan,
    TlsClientSerial,
    TlsClientFingerprint,
    ResponseStatus,
    Duration,
}

/// A map from names to text that every exchange has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "each is documented in `NAMES`, which is also the manual")]
pub enum MapFact {
    RequestHeaders,
    RequestCookies,
    RequestQuery,
    ResponseHeaders,
}

/// What an expression is evaluated against. Where a request has no such value the answer is `None`.
pub trait Facts {
    /// A single value, of the type that [`NAMES`] gives it.
    fn fact(&self, fact: Fact) -> Option<Value<'_>>;

    /// The entry of a map. Names of headers come in lower case; a header that stands on several lines is one text,
    /// joined by `, ` (RFC 9110 §5.3); of cookies and parameters of a query the first counts.
    fn entry(&self, map: MapFact, key: &[u8]) -> Option<Cow<'_, [u8]>>;

    /// What the capture of the route's pattern at this place holds, counted from the left.
    fn capture(&self, place: usize) -> Option<Cow<'_, [u8]>>;

    /// The value of a name that [`Environment::with`] added.
    fn added(&self, name: &str) -> Option<Value<'_>> {
        let _ = name;
        None
    }
}

/// From when on a name has a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Since {
    /// From the request's head on.
    Request,
    /// From the response's head on.
    Response,
}

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Meaning {
    Fact(Fact, Kind),
    Map(MapFact),
    Capture(usize),
    Added(Kind),
}

/// A name of the language.
#[derive(Debug)]
pub struct NameDoc {
    /// As it is written; a map with `['…']` behind it.
    pub name: &'static str,
    /// What it is, for the manual.
    pub doc: &'static str,
    /// From when on it has a value.
    pub since: Since,
    meaning: Source,
}

#[derive(Clone, Copy, Debug)]
enum Source {
    Text(Fact),
    Int(Fact),
    Address(Fact),
    Duration(Fact),
    Texts(Fact),
    Map(MapFact),
}

use Since::{Request, Response};

const fn name(name: &'static str, meaning: Source, since: Since, doc: &'static str) -> NameDoc {
    NameDoc { name, doc, since, meaning }
}

/// Every name that needs no filter, in the order of the manual.
pub const NAMES: &[NameDoc] = &[
    name("client.ip", Source::Address(Fact::ClientIp), Request, "address of the client, trusted proxies heard"),
    name("client.port", Source::Int(Fact::ClientPort), Request, "its port; absent when a proxy speaks for it"),
    name("request.id", Source::Text(Fact::RequestId), Request, "the identifier of the request"),
    name("request.method", Source::Text(Fact::RequestMethod), Request, "`GET`, `POST` …"),
    name("request.scheme", Source::Text(Fact::RequestScheme), Request, "`http` or `https`"),
    name("request.host", Source::Text(Fact::RequestHost), Request, "host in lower case, without port"),
    name("request.path", Source::Text(Fact::RequestPath), Request, "canonical path, without the query"),
    name("request.query_string", Source::Text(Fact::RequestQueryString), Request, "query as sent, without `?`"),
    name("request.uri", Source::Text(Fact::RequestUri), Request, "canonical path with the query"),
    name(
        "request.query",
        Source::Map(MapFact::RequestQuery),
        Request,
        "a parameter of the query, decoded; the first of its name",
    ),
    name(
        "request.headers",
        Source::Map(MapFact::RequestHeaders),
        Request,
        "a header; several lines are joined by `, `",
    ),
    name("request.cookies", Source::Map(MapFact::RequestCookies), Request, "a cookie; the first of its name"),
    name("listener", Source::Text(Fact::Listener), Request, "name of the listener"),
    name("protocol", Source::Text(Fact::Protocol), Request, "`HTTP/1.0`, `HTTP/1.1`, `HTTP/2` or `HTTP/3`"),
    name("tls.version", Source::Text(Fact::TlsVersion), Request, "`TLSv1.2` or `TLSv1.3`; absent without TLS"),
    name("tls.sni", Source::Text(Fact::TlsSni), Request, "name the client asked for"),
    name("tls.cipher", Source::Text(Fact::TlsCipher), Request, "cipher suite"),
    name("tls.alpn", Source::Text(Fact::TlsAlpn), Request, "protocol agreed upon: `h2`, `http/1.1`"),
    name(
        "tls.client.subject",
        Source::Text(Fact::TlsClientSubject),
        Request,
        "subject of the client's certificate (RFC 4514)",
    ),
    name("tls.client.issuer", Source::Text(Fact::TlsClientIssuer), Request, "its issuer"),
    name(
        "tls.client.san",
        Source::Texts(Fact::TlsClientSan),
        Request,
        "its alternative names, as `DNS:name`, `URI:spiffe://…`",
    ),
    name("tls.client.serial", Source::Text(Fact::TlsClientSerial), Request, "its serial number in hexadecimal"),
    name("tls.client.fingerprint", Source::Text(Fact::TlsClientFingerprint), Request, "SHA-256 of it in hexadecimal"),
    name("response.status", Source::Int(Fact::ResponseStatus), Response, "status of the response"),
    name("response.headers", Source::Map(MapFact::ResponseHeaders), Response, "a header of the response"),
    name("status", Source::Int(Fact::ResponseStatus), Response, "the same as `response.status`"),
    name("duration", Source::Duration(Fact::Duration), Response, "time since the first octet of the request"),
];

/// The names that may be used in a place of the configuration.
#[derive(Clone, Debug)]
pub struct Environment {
    since: Since,
    captures: Vec<String>,
    added: Vec<(String, Kind)>,
    hidden: Vec<&'static str>,
}

impl Environment {
    /// The names that a request's head gives values to.
    pub fn request() -> Self {
        Self { since: Request, captures: Vec::new(), added: Vec::new(), hidden: Vec::new() }
    }

    /// The names of the request, and those that a response's head gives values to.
    pub fn response() -> Self {
        Self { since: Response, ..Self::request() }
    }

    /// The same with `path.NAME` for each capture of a route's pattern, in the order of the pattern.
    #[must_use]
    pub fn with_captures<'n>(mut self, names: impl IntoIterator<Item = &'n str>) -> Self {
        self.captures = names.into_iter().map(str::to_owned).collect();
        self
    }

    /// The same with one name more, whose values [`Facts::added`] gives: `jwt` of any kind, `client.country` as text.
    /// With [`Kind::Any`] everything below the name may be written too: `jwt.sub`.
    #[must_use]
    pub fn with(mut self, name: &str, kind: Kind) -> Self {
        self.added.push((name.to_owned(), kind));
        self
    }

    /// The same without a name of the language that has no value here.
    #[must_use]
    pub fn without(mut self, name: &'static str) -> Self {
        self.hidden.push(name);
        self
    }

    /// What a whole name stands for.
    pub(crate) fn meaning(&self, name: &str) -> Option<Meaning> {
        if let Some(capture) = name.strip_prefix("path.") {
            return self.captures.iter().position(|known| known == capture).map(Meaning::Capture);
        }
        if let Some((_, kind)) = self.added.iter().find(|(added, _)| added == name) {
            return Some(Meaning::Added(kind.clone()));
        }
        let known = NAMES.iter().find(|known| known.name == name && self.has(known))?;
        Some(known.meaning.meaning())
    }

    fn has(&self, known: &NameDoc) -> bool {
        (known.since == Request || self.since == Response) && !self.hidden.contains(&known.name)
    }

    /// Whether the name is one of the language, but has no value here yet.
    pub(crate) fn is_too_early(&self, name: &str) -> bool {
        self.since == Request && NAMES.iter().any(|known| known.since == Response && known.name == name)
    }

    /// Every name that can be written here.
    pub fn names(&self) -> Vec<String> {
        let known = NAMES.iter().filter(|known| self.has(known)).map(|known| known.name.to_owned());
        let captures = self.captures.iter().map(|capture| format!("path.{capture}"));
        known.chain(captures).chain(self.added.iter().map(|(name, _)| name.clone())).collect()
    }
}

impl Source {
    fn meaning(self) -> Meaning {
        match self {
            Self::Text(fact) => Meaning::Fact(fact, Kind::Text),
            Self::Int(fact) => Meaning::Fact(fact, Kind::Int),
            Self::Address(fact) => Meaning::Fact(fact, Kind::Address),
            Self::Duration(fact) => Meaning::Fact(fact, Kind::Duration),
            Self::Texts(fact) => Meaning::Fact(fact, Kind::List(Box::new(Kind::Text))),
            Self::Map(map) => Meaning::Map(map),
        }
    }

    fn words(self) -> String {
        match self {
            Self::Map(_) => "text, by name".to_owned(),
            other => match other.meaning() {
                Meaning::Fact(_, kind) => kind.words(),
                _ => String::new(),
            },
        }
    }
}

impl NameDoc {
    /// Its type in words, for the manual.
    pub fn kind(&self) -> String {
        self.meaning.words()
    }
}
