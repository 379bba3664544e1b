//! What requests are counted by: the key of a limit.

use crate::{FieldName, Request};
use std::hash::{BuildHasher, Hash, Hasher};
use std::net::IpAddr;
use strait_message::Name;

/// What makes two requests count together: the parts in order, each with its value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Key {
    /// The parts; without any, all requests count together.
    pub parts: Vec<Part>,
}

/// One part of a key. A request that lacks it counts with all others that do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// The client's address, of which so many leading bits count: 32 of IPv4 and 64 of IPv6 by default, since a
    /// household has a whole /64.
    Client {
        /// Bits of an IPv4 address.
        v4_bits: u8,
        /// Bits of an IPv6 address.
        v6_bits: u8,
    },
    /// A field of the request.
    Header(FieldName),
    /// A cookie of the request.
    Cookie(Box<str>),
    /// The route's pattern.
    Route,
    /// The host.
    Host,
    /// The canonical path.
    Path,
    /// The method.
    Method,
}

impl Key {
    /// A number for the key of a request; equal keys have equal numbers, and others practically never, for nobody
    /// outside knows how `hasher` is keyed.
    pub fn number(&self, request: &Request<'_>, hasher: &impl BuildHasher) -> u64 {
        let mut state = hasher.build_hasher();
        for part in &self.parts {
            part.hash_of(request, &mut state);
        }
        state.finish()
    }

    /// As it is written.
    pub fn written(&self) -> String {
        let part = |part: &Part| match part {
            Part::Client { v4_bits: 32, v6_bits: 64 } => "client.ip".to_owned(),
            Part::Client { v4_bits, v6_bits } => format!("client.ip (/{v4_bits}, /{v6_bits})"),
            Part::Header(name) => format!("header {}", name.as_str()),
            Part::Cookie(name) => format!("cookie {name}"),
            Part::Route => "route".to_owned(),
            Part::Host => "host".to_owned(),
            Part::Path => "path".to_owned(),
            Part::Method => "method".to_owned(),
        };
        if self.parts.is_empty() {
            "all".to_owned()
        } else {
            self.parts.iter().map(part).collect::<Vec<_>>().join(" + ")
        }
    }
}

impl Part {
    fn hash_of(&self, request: &Request<'_>, state: &mut impl Hasher) {
        let (facts, headers) = (&request.facts, &request.head.headers);
        match self {
            Self::Client { v4_bits, v6_bits } => match facts.client {
                IpAddr::V4(address) => (u32::from(address) >> 32u8.saturating_sub(*v4_bits).min(31)).hash(state),
                IpAddr::V6(address) => (u128::from(address) >> 128u8.saturating_sub(*v6_bits).min(127)).hash(state),
            },
            Self::Header(name) => name.get(headers).hash(state),
            Self::Cookie(name) => cookie(headers.get_all(Name::Cookie), name).hash(state),
            Self::Route => facts.route.hash(state),
            Self::Host => facts.host.hash(state),
            Self::Path => facts.path.hash(state),
            Self::Method => request.head.method.as_str().hash(state),
        }
    }
}

/// The value of the first cookie of this name (RFC 6265 §4.2).
pub(crate) fn cookie<'c>(lines: impl Iterator<Item = &'c [u8]>, name: &str) -> Option<&'c [u8]> {
    let mut pairs = lines.flat_map(|line| line.split(|&b| b == b';')).map(<[u8]>::trim_ascii);
    pairs.find_map(|pair| pair.strip_prefix(name.as_bytes())?.strip_prefix(b"="))
}
