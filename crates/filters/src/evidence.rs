//! What is known about a request: by this conditions are judged and templates filled in.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::time::Duration;
use strait_expr::{Fact, List, MapFact, Value};
use strait_message::{Headers, Method, ResponseHead, Version};
use strait_route::Captures;

/// What a decision about a request depends on.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The method.
    pub method: &'a Method,
    /// The host in lower case, without port or trailing dot; empty when the request named none.
    pub host: &'a [u8],
    /// The canonical path.
    pub path: &'a [u8],
    /// The query as received, without its question mark.
    pub query: Option<&'a [u8]>,
    /// The fields as received.
    pub headers: &'a Headers,
    /// The version the client spoke.
    pub version: Version,
    /// `http` or `https`, as the client is believed to have asked.
    pub scheme: &'static str,
    /// The client, trusted proxies heard; port 0 when only an address is known. `None` when somebody asks without saying
    /// who the client is.
    pub client: Option<SocketAddr>,
    /// The name of the listener.
    pub listener: &'a str,
    /// The identifier of the request.
    pub request_id: &'a [u8],
    /// What TLS says about the connection; `None` without it.
    pub tls: Option<&'a TlsFacts>,
}

/// What TLS says about a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TlsFacts {
    /// `TLSv1.2` or `TLSv1.3`.
    pub version: &'static str,
    /// The cipher suite, by its registered name.
    pub cipher: &'static str,
    /// The name the client asked for.
    pub sni: Option<Box<str>>,
    /// The protocol agreed upon.
    pub alpn: Option<Box<str>>,
    /// The client's certificate.
    pub client: Option<ClientCertificate>,
}

/// What a client's certificate says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientCertificate {
    /// Its subject (RFC 4514).
    pub subject: Box<str>,
    /// Its issuer.
    pub issuer: Box<str>,
    /// Its alternative names, as `DNS:name`, `URI:spiffe://…`.
    pub names: Box<[Box<str>]>,
    /// Its serial number in hexadecimal.
    pub serial: Box<str>,
    /// SHA-256 of it in hexadecimal.
    pub fingerprint: Box<str>,
}

/// All that an expression may ask about an exchange.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// The request.
    pub facts: Facts<'a>,
    /// What the captures of the pattern hold.
    pub captures: Captures,
    /// The response's head, once there is one.
    pub response: Option<&'a ResponseHead>,
    /// The time since the first octet of the request.
    pub elapsed: Option<Duration>,
}

impl<'a> Evidence<'a> {
    /// Of a request that has no response yet.
    pub fn of(facts: Facts<'a>, captures: Captures) -> Self {
        Self { facts, captures, response: None, elapsed: None }
    }

    fn tls(&self, fact: Fact) -> Option<Value<'_>> {
        let tls = self.facts.tls?;
        let certificate = tls.client.as_ref();
        let text = |of: fn(&ClientCertificate) -> &str| certificate.map(|certificate| Value::text(of(certificate)));
        match fact {
            Fact::TlsVersion => Some(Value::text(tls.version)),
            Fact::TlsCipher => Some(Value::text(tls.cipher)),
            Fact::TlsSni => tls.sni.as_deref().map(Value::text),
            Fact::TlsAlpn => tls.alpn.as_deref().map(Value::text),
            Fact::TlsClientSubject => text(|certificate| &certificate.subject),
            Fact::TlsClientIssuer => text(|certificate| &certificate.issuer),
            Fact::TlsClientSerial => text(|certificate| &certificate.serial),
            Fact::TlsClientFingerprint => text(|certificate| &certificate.fingerprint),
            Fact::TlsClientSan => {
                let names = certificate?.names.iter().map(|name| Value::text(&**name));
                Some(Value::List(List::Owned(names.collect())))
            }
            _ => None,
        }
    }

    fn uri(&self) -> Cow<'_, [u8]> {
        match self.facts.query {
            None => Cow::Borrowed(self.facts.path),
            Some(query) => Cow::Owned([self.facts.path, b"?", query].concat()),
        }
    }
}

impl strait_expr::Facts for Evidence<'_> {
    fn fact(&self, fact: Fact) -> Option<Value<'_>> {
        let facts = &self.facts;
        match fact {
            Fact::ClientIp => facts.client.map(|client| Value::Address(client.ip().to_canonical())),
            Fact::ClientPort => {
                let port = facts.client.map(|client| client.port()).filter(|port| *port != 0);
                port.map(|port| Value::Int(port.into()))
            }
            Fact::RequestId => Some(facts.request_id).filter(|id| !id.is_empty()).map(Value::text),
            Fact::RequestMethod => Some(Value::text(facts.method.as_str())),
            Fact::RequestScheme => Some(Value::text(facts.scheme)),
            Fact::RequestHost => Some(Value::text(facts.host)),
            Fact::RequestPath => Some(Value::text(facts.path)),
            Fact::RequestQueryString => Some(Value::text(facts.query.unwrap_or_default())),
            Fact::RequestUri => Some(Value::Text(self.uri())),
            Fact::Listener => Some(Value::text(facts.listener)),
            Fact::Protocol => Some(Value::text(protocol(facts.version))),
            Fact::ResponseStatus => self.response.map(|response| Value::Int(response.status.code().into())),
            Fact::Duration => {
                let nanoseconds = self.elapsed.map(|elapsed| i64::try_from(elapsed.as_nanos()).unwrap_or(i64::MAX));
                nanoseconds.map(Value::Duration)
            }
            _ => self.tls(fact),
        }
    }

    fn entry(&self, map: MapFact, key: &[u8]) -> Option<Cow<'_, [u8]>> {
        match map {
            MapFact::RequestHeaders => header(self.facts.headers, key),
            MapFact::ResponseHeaders => header(&self.response?.headers, key),
            MapFact::RequestCookies => cookie(self.facts.headers, key).map(Cow::Borrowed),
            MapFact::RequestQuery => parameter(self.facts.query?, key),
        }
    }

    fn capture(&self, place: usize) -> Option<Cow<'_, [u8]>> {
        self.facts.path.get(self.captures.get(place)?).map(Cow::Borrowed)
    }
}

/// The scheme the client is believed to have asked with: a trusted proxy's word goes before the connection's own.
pub fn scheme(from_trusted_proxy: bool, headers: &Headers, over_tls: bool) -> &'static str {
    let told = if from_trusted_proxy { headers.get(strait_message::Name::XForwardedProto) } else { None };
    match told {
        Some(told) if told.eq_ignore_ascii_case(b"https") => "https",
        Some(told) if told.eq_ignore_ascii_case(b"http") => "http",
        _ if over_tls => "https",
        _ => "http",
    }
}

fn protocol(version: Version) -> &'static str {
    match version {
        Version::Http10 => "HTTP/1.0",
        Version::Http11 => "HTTP/1.1",
        Version::Http2 => "HTTP/2",
        Version::Http3 => "HTTP/3",
    }
}

/// A field by its name in lower case. Several lines are one text (RFC 9110 §5.3; of Cookie RFC 9113 §8.2.3).
pub fn header<'h>(headers: &'h Headers, name: &[u8]) -> Option<Cow<'h, [u8]>> {
    let mut lines = headers.iter().filter(|field| field.name.eq_ignore_ascii_case(name)).map(|field| field.value);
    let first = lines.next()?;
    let Some(second) = lines.next() else { return Some(Cow::Borrowed(first)) };
    let between: &[u8] = if name == b"cookie" { b"; " } else { b", " };
    let mut joined = [first, between, second].concat();
    for line in lines {
        joined.extend_from_slice(between);
        joined.extend_from_slice(line);
    }
    Some(Cow::Owned(joined))
}

/// The first cookie of a name (RFC 6265 §5.4).
pub fn cookie<'h>(headers: &'h Headers, name: &[u8]) -> Option<&'h [u8]> {
    let pairs = headers.get_all(strait_message::Name::Cookie).flat_map(|line| line.split(|octet| *octet == b';'));
    let named = pairs.filter_map(|pair| {
        let at = memchr(b'=', pair)?;
        let (key, value) = (pair.get(..at)?, pair.get(at + 1..)?);
        (key.trim_ascii() == name).then(|| value.trim_ascii())
    });
    named.into_iter().next()
}

/// The first parameter of a name, decoded: `%XX`, and `+` as a blank.
pub fn parameter<'q>(query: &'q [u8], name: &[u8]) -> Option<Cow<'q, [u8]>> {
    query.split(|octet| *octet == b'&').find_map(|pair| {
        let at = memchr(b'=', pair).unwrap_or(pair.len());
        let key = pair.get(..at)?;
        let value = pair.get(at + 1..).unwrap_or_default();
        (*decoded(key) == *name && !key.is_empty()).then(|| decoded(value))
    })
}

fn memchr(octet: u8, text: &[u8]) -> Option<usize> {
    text.iter().position(|other| *other == octet)
}

fn decoded(text: &[u8]) -> Cow<'_, [u8]> {
    if !text.iter().any(|octet| matches!(octet, b'%' | b'+')) {
        return Cow::Borrowed(text);
    }
    let digit = |octet: Option<&u8>| octet.and_then(|octet| char::from(*octet).to_digit(16));
    let mut written = Vec::with_capacity(text.len());
    let mut rest = text;
    while let [first, behind @ ..] = rest {
        let pair = digit(behind.first()).zip(digit(behind.get(1)));
        let (octet, skip) = match (first, pair) {
            (b'%', Some((high, low))) => (u8::try_from(high * 16 + low).unwrap_or(b'%'), 3),
            (b'+', _) => (b' ', 1),
            (octet, _) => (*octet, 1),
        };
        written.push(octet);
        rest = rest.get(skip..).unwrap_or_default();
    }
    Cow::Owned(written)
}

#[cfg(test)]
mod tests;
