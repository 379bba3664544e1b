use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

/// Where endpoints of an upstream are looked up while it serves.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Lookup {
    /// All addresses of a name, each an endpoint with this port.
    Dns {
        /// The name.
        host: String,
        /// The port.
        port: u16,
    },
    /// The SRV records of a name (RFC 2782): priorities are tiers, and each address of a target is an endpoint.
    Srv {
        /// The name, such as `_http._tcp.example.com`.
        name: String,
    },
}

impl fmt::Display for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dns { host, port } => write!(f, "dns://{host}:{port}"),
            Self::Srv { name } => write!(f, "srv://{name}"),
        }
    }
}

/// An endpoint that was found by a look-up.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Found {
    /// Its tier, from 0.
    pub tier: u8,
    /// Where it is: its identity.
    pub address: SocketAddr,
    /// The name that it was found by, for Host fields and certificates.
    pub host: Arc<str>,
    /// Its weight against the others that were found.
    pub weight: u32,
}
