//! Addresses to listen on.

use super::{Flaw, Value};
use crate::codes;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

/// Where a listener waits for connections. Port 0 lets the system choose.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Address {
    /// A port on all addresses, IPv4 and IPv6.
    Port(u16),
    /// A port on one address. `localhost` is 127.0.0.1.
    Socket(SocketAddr),
    /// A socket file.
    Unix(PathBuf),
}

impl Address {
    /// The address to bind: all addresses is `[::]`, to be bound for both families.
    pub fn socket(&self) -> Option<SocketAddr> {
        match self {
            Self::Port(port) => Some(SocketAddr::from((Ipv6Addr::UNSPECIFIED, *port))),
            Self::Socket(socket) => Some(*socket),
            Self::Unix(_) => None,
        }
    }

    /// The port; `None` for a socket file.
    pub fn port(&self) -> Option<u16> {
        self.socket().map(|socket| socket.port())
    }

    /// Whether two listeners could not both have their address.
    pub fn collides(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Unix(a), Self::Unix(b)) => a == b,
            (Self::Unix(_), _) | (_, Self::Unix(_)) => false,
            _ if self.port() != other.port() || self.port() == Some(0) => false,
            (Self::Socket(a), Self::Socket(b)) => {
                a == b || (a.is_ipv4() == b.is_ipv4() && (a.ip().is_unspecified() || b.ip().is_unspecified()))
            }
            _ => true,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Port(port) => write!(f, "{port}"),
            Self::Socket(socket) => write!(f, "{socket}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Value for Address {
    const WHAT: &'static str = "an address to listen on";
    const EXAMPLES: &'static [&'static str] = &["443", "127.0.0.1:8080", "[::1]:8080", "unix:/run/strait/app.sock"];

    fn parse(text: &str) -> Result<Self, Flaw> {
        if let Some(path) = text.strip_prefix("unix:") {
            return unix_path(text, path).map(Self::Unix);
        }
        if let Ok(port) = text.parse::<u16>() {
            return Ok(Self::Port(port));
        }
        if let Ok(socket) = text.parse::<SocketAddr>() {
            return Ok(Self::Socket(socket));
        }
        if let Some(port) = text.strip_prefix("localhost:").and_then(|port| port.parse().ok()) {
            return Ok(Self::Socket(SocketAddr::from((Ipv4Addr::LOCALHOST, port))));
        }
        Err(not_address(text))
    }

    fn written(&self) -> String {
        crate::decode::quoted_if_needed(&self.to_string())
    }
}

fn not_address(text: &str) -> Flaw {
    let flaw = Flaw::new(codes::ADDRESS, format!("`{text}` is not an address to listen on"));
    let port = |text: &str| text.parse::<u16>().is_ok();
    if text.chars().all(|c| c.is_ascii_digit()) && !text.is_empty() {
        return flaw.label("ports end at 65535").replace("8080").hint("write a port from 1 to 65535, such as 8080");
    }
    if let Some(rest) = text.strip_prefix(':').or_else(|| text.strip_prefix("*:")).filter(|rest| port(rest)) {
        return flaw.label("a bare number is a port on all addresses").replace(rest);
    }
    let named = text.rsplit_once(':').filter(|(_, number)| port(number));
    // `::1:8080` is an address in itself, but hardly one that is meant.
    if let Some((host, number)) = named.filter(|(host, _)| host.parse::<Ipv6Addr>().is_ok()) {
        return flaw.label("an IPv6 address needs brackets").replace(format!("[{host}]:{number}"));
    }
    if let Ok(address) = text.parse::<IpAddr>() {
        let socket = SocketAddr::new(address, 8080);
        return flaw.label("a port is missing").replace(socket.to_string());
    }
    if text == "localhost" {
        return flaw.label("a port is missing").replace("localhost:8080");
    }
    if text.starts_with('/') {
        return flaw.label("a socket file is written with `unix:`").replace(format!("unix:{text}"));
    }
    if let Some((scheme, rest)) = text.split_once("://") {
        let rest = rest.trim_end_matches('/');
        let better = Address::parse(rest).is_ok().then(|| rest.to_owned());
        let default = if scheme == "https" { "443" } else { "80" };
        return flaw.label("an address, not a URL").replace(better.unwrap_or_else(|| default.to_owned()));
    }
    match named {
        Some((_, number)) => flaw
            .label("names are not resolved for listening")
            .replace(number)
            .hint(format!("write `{number}` for all addresses; host names belong in `routes`")),
        None => flaw.label("a port, address:port or unix:/path").hint("write an address such as 127.0.0.1:8080"),
    }
}

/// The path of `unix:/path`. Linux allows 107 bytes for it (`sun_path` of unix(7)).
pub(super) fn unix_path(text: &str, path: &str) -> Result<PathBuf, Flaw> {
    let path = path.strip_prefix("//").unwrap_or(path);
    if !path.starts_with('/') || path.contains('\0') {
        return Err(Flaw::new(codes::ADDRESS, format!("`{text}` is not a socket file"))
            .label("the path begins with `/`")
            .replace(format!("unix:/{}", path.trim_start_matches(['.', '/']))));
    }
    if path.len() > 107 {
        return Err(Flaw::new(codes::ADDRESS, "the path of the socket file is longer than 107 bytes")
            .label("the system allows no more")
            .hint("choose a shorter path"));
    }
    Ok(PathBuf::from(path))
}
