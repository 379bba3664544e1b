//! Networks.

use super::{Flaw, Value};
use crate::codes;
use ipnet::IpNet;
use std::fmt;
use std::net::IpAddr;

/// Addresses that share a prefix; a bare address stands for itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cidr(pub IpNet);

impl fmt::Display for Cidr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Value for Cidr {
    const WHAT: &'static str = "a network";
    const EXAMPLES: &'static [&'static str] = &["10.0.0.0/8", "2001:db8::/32", "192.0.2.7"];

    fn parse(text: &str) -> Result<Self, Flaw> {
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self(IpNet::from(address)));
        }
        let Ok(network) = text.parse::<IpNet>() else {
            return Err(not_network(text));
        };
        // 10.1.2.3/8 may be meant as 10.0.0.0/8 or as 10.1.2.3: who trusts it should say which.
        if network.addr() != network.network() {
            return Err(Flaw::new(codes::CIDR, format!("`{text}` has bits set beyond its prefix"))
                .label(format!("the network is {}", network.trunc()))
                .replace(network.trunc().to_string()));
        }
        Ok(Self(network))
    }

    fn written(&self) -> String {
        self.0.to_string()
    }
}

fn not_network(text: &str) -> Flaw {
    let flaw = Flaw::new(codes::CIDR, format!("`{text}` is not a network")).label("an address and a prefix length");
    let ranges = match text {
        "private" | "private_ranges" => {
            return flaw.hint("write 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16: those of them that your proxies use");
        }
        "localhost" | "loopback" => Some("127.0.0.0/8"),
        "all" | "any" | "*" => Some("0.0.0.0/0"),
        _ => None,
    };
    let (address, prefix) = text.split_once('/').unwrap_or((text, ""));
    if let (Ok(address), Ok(length)) = (address.parse::<IpAddr>(), prefix.parse::<u32>()) {
        let longest = if address.is_ipv4() { 32 } else { 128 };
        if length > longest {
            return flaw.label(format!("the prefix is at most {longest}")).replace(format!("{address}/{longest}"));
        }
    }
    match ranges {
        Some(range) => flaw.replace(range),
        None => flaw.hint("write a network such as 10.0.0.0/8"),
    }
}
