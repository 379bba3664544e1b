use ipnet::IpNet;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use strait_message::{Headers, Name};

/// The proxies whose word about a client is believed.
#[derive(Clone, Debug, Default)]
pub struct TrustedProxies(Arc<[IpNet]>);

/// Who the client is, and what it asked for, after trusted proxies were heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientView {
    /// The client's address; port 0 when only an address is known.
    pub address: SocketAddr,
    /// Whether the peer of the connection is a trusted proxy, so that its forwarded fields are kept and extended.
    pub from_trusted_proxy: bool,
    /// Whether it came by TLS.
    pub secure: bool,
}

impl TrustedProxies {
    /// The proxies in these networks.
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks.into())
    }

    /// Whether this address is one of a trusted proxy.
    pub fn contains(&self, address: IpAddr) -> bool {
        !self.0.is_empty() && {
            let address = address.to_canonical();
            self.0.iter().any(|network| network.contains(&address))
        }
    }

    /// Who the client is, given the peer of the connection and the fields of its request: the peer itself, or, when
    /// that is a trusted proxy, the last address in X-Forwarded-For that is not one.
    pub fn client(&self, peer: SocketAddr, headers: &Headers) -> ClientView {
        if !self.contains(peer.ip()) {
            return ClientView { address: peer, from_trusted_proxy: false, secure: false };
        }
        let mut believed = None;
        let mut hops: Vec<_> = headers.list(Name::XForwardedFor).collect();
        while let Some(address) = hops.pop().and_then(parse_address) {
            believed = Some(address);
            if !self.contains(address) {
                break;
            }
        }
        let address = believed.map_or(peer, |address| SocketAddr::new(address, 0));
        ClientView { address, from_trusted_proxy: true, secure: false }
    }
}

/// An address as proxies write it into X-Forwarded-For: bare, in brackets, or with a port.
fn parse_address(text: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(text).ok()?;
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    text.parse::<SocketAddr>()
        .map(|address| address.ip())
        .ok()
        .or_else(|| text.strip_prefix('[')?.strip_suffix(']')?.parse().ok())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::TrustedProxies;
    use strait_message::{Headers, Name};

    #[track_caller]
    fn check(peer: &str, forwarded: &[u8], expected: &str) {
        let trusted = TrustedProxies::new(vec!["10.0.0.0/8".parse().unwrap(), "fd00::/8".parse().unwrap()]);
        let mut headers = Headers::new();
        headers.push_name(Name::XForwardedFor, forwarded);
        assert_eq!(trusted.client(peer.parse().unwrap(), &headers).address.ip().to_string(), expected);
    }

    #[test]
    fn only_trusted_proxies_are_believed_and_only_up_to_the_first_stranger() {
        check("192.0.2.1:5", b"198.51.100.7", "192.0.2.1");
        check("10.0.0.1:5", b"198.51.100.7", "198.51.100.7");
        check("10.0.0.1:5", b"203.0.113.9, 198.51.100.7, 10.2.2.2", "198.51.100.7");
        check("10.0.0.1:5", b"203.0.113.9, nonsense, 10.2.2.2", "10.2.2.2");
        check("[::ffff:10.0.0.1]:5", b"[2001:db8::1]:443", "2001:db8::1");
        check("10.0.0.1:5", b"", "10.0.0.1");
    }
}
