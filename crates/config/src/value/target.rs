//! Where requests go: targets, endpoints, weights.

use super::{Flaw, Value};
use crate::codes;
use crate::decode::{Decoder, Mention, Shape, Spec};
use crate::limits::WEIGHT_MAX;
use crate::schema::{Kind, Schema};
use crate::source::Spanned;
use crate::syntax::{Node, NodeKind};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;

/// The host of an endpoint.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Host {
    /// An address.
    Ip(IpAddr),
    /// A name to resolve, in lower case.
    Name(String),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ip(IpAddr::V6(address)) => write!(f, "[{address}]"),
            Self::Ip(address) => write!(f, "{address}"),
            Self::Name(name) => f.write_str(name),
        }
    }
}

/// One address of an upstream, spoken to in HTTP/1.1.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// A host and port.
    Tcp {
        /// The host.
        host: Host,
        /// The port; never 0.
        port: u16,
        /// Whether it is written as `https://`, and so spoken to by TLS whatever the upstream says.
        tls: bool,
    },
    /// A socket file.
    Unix(PathBuf),
    /// All addresses of a name, looked up as its records say.
    Dns {
        /// The name, in lower case.
        host: String,
        /// The port; never 0.
        port: u16,
    },
    /// The services that SRV records of a name say.
    Srv(String),
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp { host, port, tls: false } => write!(f, "{host}:{port}"),
            Self::Tcp { host, port, tls: true } => write!(f, "https://{host}:{port}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Dns { host, port } => write!(f, "dns://{host}:{port}"),
            Self::Srv(name) => write!(f, "srv://{name}"),
        }
    }
}

/// What a route or a share of a split points to.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Target {
    /// An entry of `upstreams`.
    Upstream(String),
    /// A single endpoint.
    Endpoint(Endpoint),
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Upstream(name) => f.write_str(name),
            Self::Endpoint(endpoint) => endpoint.fmt(f),
        }
    }
}

/// Schemes of the language that cannot be served yet, with the feature they belong to.
const UNBUILT_SCHEMES: [(&str, &str); 6] = [
    ("h2c", "HTTP/2 to upstreams"),
    ("h2", "HTTP/2 to upstreams"),
    ("grpc", "gRPC to upstreams"),
    ("grpcs", "gRPC to upstreams"),
    ("docker", "endpoints from Docker"),
    ("k8s", "endpoints from Kubernetes"),
];

impl Value for Target {
    const WHAT: &'static str = "a target";
    const EXAMPLES: &'static [&'static str] =
        &["app", "localhost:3000", "https://example.com", "unix:/run/app.sock", "dns://app.internal:3000"];

    fn parse(text: &str) -> Result<Self, Flaw> {
        if is_name(text) && text.parse::<IpAddr>().is_err() && text.parse::<u64>().is_err() {
            return Ok(Self::Upstream(text.to_owned()));
        }
        parse_endpoint(text).map(Self::Endpoint)
    }

    fn written(&self) -> String {
        crate::decode::quoted_if_needed(&self.to_string())
    }
}

impl Spec for Target {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        let target = decoder.value::<Self>(node)?;
        if let Self::Upstream(name) = &target {
            let raw = node.is_substituted().then(|| node.shown().unwrap_or_default().to_owned());
            decoder.mentioned.push(Mention { name: Spanned::new(name.clone(), node.span), raw });
        }
        Some(target)
    }

    fn schema() -> Schema {
        Schema {
            name: "",
            doc: "",
            kind: Kind::Text { what: Self::WHAT, pattern: Self::PATTERN, examples: Self::EXAMPLES },
        }
    }

    fn text(&self) -> Option<String> {
        Some(self.written())
    }
}

impl Value for Endpoint {
    const WHAT: &'static str = "an endpoint";
    const EXAMPLES: &'static [&'static str] = &["localhost:3000", "https://10.0.0.7:8443", "unix:/run/app.sock"];

    fn parse(text: &str) -> Result<Self, Flaw> {
        parse_endpoint(text)
    }

    fn written(&self) -> String {
        crate::decode::quoted_if_needed(&self.to_string())
    }
}

/// Names of upstreams and listeners.
pub(crate) fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= crate::limits::NAME_BYTES_MAX
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c))
}

fn parse_endpoint(text: &str) -> Result<Endpoint, Flaw> {
    if let Some((scheme, rest)) = text.split_once("://") {
        return parse_url(text, scheme, rest);
    }
    if let Some(path) = text.strip_prefix("unix:") {
        return super::address::unix_path(text, path).map(Endpoint::Unix);
    }
    host_and_port(text).ok_or_else(|| not_endpoint(text))
}

fn parse_url(text: &str, scheme: &str, rest: &str) -> Result<Endpoint, Flaw> {
    if let Some((_, feature)) = UNBUILT_SCHEMES.iter().find(|(known, _)| *known == scheme) {
        return Err(Flaw::new(codes::NOT_BUILT, format!("`{scheme}://` is not built yet: {feature}"))
            .label("not built yet")
            .hint("use host:port; this version refuses what it cannot do"));
    }
    if scheme == "dns" || scheme == "srv" {
        return parse_source(text, scheme, rest);
    }
    if scheme == "unix" {
        return Err(Flaw::new(codes::TARGET, format!("`{text}` is not a target")).replace(format!("unix:{rest}")));
    }
    if scheme != "http" && scheme != "https" {
        let flaw = Flaw::new(codes::TARGET, format!("`{scheme}://` is not a scheme of targets"));
        return Err(match host_and_port(rest) {
            Some(_) => flaw.replace(rest),
            None => flaw.hint("write host:port or http://host"),
        });
    }
    let (authority, path) = rest.split_once('/').map_or((rest, None), |(a, p)| (a, Some(p)));
    if path.is_some_and(|path| !path.is_empty()) {
        return Err(Flaw::new(codes::TARGET, "a target has no path")
            .label("the request's own path is kept")
            .replace(format!("{scheme}://{authority}"))
            .hint(format!("write {scheme}://{authority}; a path is changed by filters")));
    }
    let is_tls = scheme == "https";
    let with_port = format!("{authority}:{}", if is_tls { 443 } else { 80 });
    let endpoint = host_and_port(authority).or_else(|| host_and_port(&with_port)).ok_or_else(|| not_endpoint(text))?;
    Ok(match endpoint {
        Endpoint::Tcp { host, port, .. } => Endpoint::Tcp { host, port, tls: is_tls },
        other => other,
    })
}

/// `dns://name:port` or `srv://name`.
fn parse_source(text: &str, scheme: &str, rest: &str) -> Result<Endpoint, Flaw> {
    let name = |text: &str| match parse_host(text) {
        Some(Host::Name(name)) => Some(name),
        _ => None,
    };
    let flaw = Flaw::new(codes::TARGET, format!("`{text}` is not a name to look up"));
    if scheme == "srv" {
        let bare = rest.rsplit_once(':').map_or(rest, |(name, _)| name);
        return match (name(rest), name(bare)) {
            (Some(name), _) => Ok(Endpoint::Srv(name)),
            (None, Some(bare)) => Err(flaw.label("SRV records say the port").replace(format!("srv://{bare}"))),
            _ => Err(flaw.label("a name").hint("write srv://_http._tcp.example.com")),
        };
    }
    match host_and_port(rest) {
        Some(Endpoint::Tcp { host: Host::Name(host), port, .. }) => Ok(Endpoint::Dns { host, port }),
        Some(_) => Err(flaw.label("an address needs no look-up").replace(rest)),
        None if name(rest).is_some() => Err(flaw.label("a port is missing").replace(format!("{text}:80"))),
        None => Err(flaw.label("a name, a colon, a port").hint("write dns://app.internal:3000")),
    }
}

fn host_and_port(text: &str) -> Option<Endpoint> {
    let (host, port) = text.rsplit_once(':')?;
    let port = port.parse::<u16>().ok().filter(|port| *port > 0)?;
    parse_host(host).map(|host| Endpoint::Tcp { host, port, tls: false })
}

fn parse_host(text: &str) -> Option<Host> {
    if let Some(inner) = text.strip_prefix('[') {
        let address = inner.strip_suffix(']')?.parse::<Ipv6Addr>().ok()?;
        return Some(Host::Ip(address.into()));
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        return address.is_ipv4().then_some(Host::Ip(address));
    }
    // RFC 1123 section 2.1, with the underscore that container names use.
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    let name = text.strip_suffix('.').unwrap_or(text);
    // A last label of digits is a mistyped IPv4 address (WHATWG URL, section 3.5).
    let numeric = name.rsplit('.').next().is_some_and(|last| last.chars().all(|c| c.is_ascii_digit()));
    (name.len() <= 253 && name.split('.').all(label) && !numeric).then(|| Host::Name(name.to_ascii_lowercase()))
}

fn not_endpoint(text: &str) -> Flaw {
    let flaw = Flaw::new(codes::TARGET, format!("`{text}` is not host:port"));
    if text.parse::<u16>().is_ok_and(|port| port > 0) {
        return flaw.label("a host is missing").replace(format!("localhost:{text}"));
    }
    if let Some(port) = text.strip_prefix(':').filter(|port| port.parse::<u16>().is_ok_and(|port| port > 0)) {
        return flaw.label("a host is missing").replace(format!("localhost:{port}"));
    }
    if let Ok(IpAddr::V6(address)) = text.parse::<IpAddr>() {
        return flaw.label("an IPv6 address needs brackets and a port").replace(format!("[{address}]:80"));
    }
    if parse_host(text).is_some() {
        let hint = format!("did you mean `{text}:80`? To split over upstreams, write {{one: 1, other: 1}}");
        return flaw.label("a port is missing").replace(format!("{text}:80")).hint(hint);
    }
    if let Some(host) = text.split('/').next().filter(|host| *host != text && host_and_port(host).is_some()) {
        return flaw.label("a target has no path").replace(host);
    }
    let port = text.rsplit_once(':').filter(|(host, _)| parse_host(host).is_some());
    match port {
        Some((host, number)) if number.chars().all(|c| c.is_ascii_digit()) && !number.is_empty() => {
            let hint = format!("write a port from 1 to 65535, such as {host}:8080");
            flaw.label("ports go from 1 to 65535").replace(format!("{host}:8080")).hint(hint)
        }
        _ => flaw.label("a host name or address, a colon, a port").hint("write a target such as localhost:3000"),
    }
}

/// One part of a split.
#[derive(Debug, Clone, PartialEq)]
pub struct Share {
    /// Where it goes.
    pub target: Spanned<Target>,
    /// Its weight; 0 gets nothing.
    pub weight: Spanned<u32>,
}

/// A split of requests over targets by weight: `{stable: 95, canary: 5}`.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights(pub Vec<Share>);

/// Whether a map looks like weights: every value is a number, a percentage or a text, and no key
/// could be one of a route.
pub(crate) fn looks_like_weights(node: &Node, shape: &Shape) -> bool {
    let entries = node.entries();
    !entries.is_empty()
        && entries.iter().all(|entry| {
            if shape.knows(&entry.key.value) {
                return false;
            }
            let digits = entry.value.text().map(|text| text.trim_end_matches('%'));
            digits.is_some_and(|digits| !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit() || c == '.'))
        })
}

impl Spec for Weights {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        let NodeKind::Map(entries) = &node.kind else {
            decoder.wrong_form(node, "weights", &["map"]);
            return None;
        };
        let mut shares = Vec::with_capacity(entries.len());
        for entry in entries {
            let key = Node::text_at(&entry.key.value, entry.key.span);
            let target = Spanned::<Target>::decode(&key, decoder);
            let weight = decode_weight(&entry.value, decoder);
            if let (Some(target), Some(weight)) = (target, weight) {
                shares.push(Share { target, weight });
            }
        }
        if shares.len() == entries.len() && shares.iter().all(|share| share.weight.value == 0) {
            let span = entries.first().map_or(node.span, |entry| entry.value.span);
            decoder.report(
                crate::Diagnostic::error(codes::WEIGHT, span, "all weights are 0")
                    .label("nothing could be chosen")
                    .replace("write 1", span, "1"),
            );
        }
        Some(Self(shares))
    }

    fn schema() -> Schema {
        Schema { name: "Weights", doc: "Targets with their weights.", kind: Kind::Table(Box::new(u32::schema())) }
    }
}

fn decode_weight(node: &Node, decoder: &mut Decoder) -> Option<Spanned<u32>> {
    if let Some(number) = node.text().and_then(|text| text.strip_suffix('%')) {
        let message = "weights are plain numbers, not percentages";
        decoder.report(
            crate::Diagnostic::error(codes::WEIGHT, node.span, message).label("they need not add up to 100").replace(
                format!("write {number}"),
                node.span,
                number,
            ),
        );
        return None;
    }
    let weight = Spanned::<u32>::decode(node, decoder)?;
    if weight.value > WEIGHT_MAX {
        let message = format!("a weight is at most {WEIGHT_MAX}");
        decoder.report(crate::Diagnostic::error(codes::WEIGHT, node.span, message).label("too large").replace(
            format!("write {WEIGHT_MAX}"),
            node.span,
            WEIGHT_MAX.to_string(),
        ));
        return None;
    }
    Some(weight)
}
