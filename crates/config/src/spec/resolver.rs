//! Who is asked for names.

use crate::decode::OneOrMany;
use crate::source::Spanned;
use crate::value::Address;
use strait_config_derive::Spec;

/// Who is asked for the names of `dns://` and `srv://`. An address or a list stands for `servers`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`resolver`",
    short = "servers",
    empty_ok,
    peers(nameservers = "servers", nameserver = "servers", server = "servers", addresses = "servers", "resolve-prefer" = "family", dns_lookup_family = "family", prefer = "family")
)]
pub struct Resolver {
    /// Name servers, asked over UDP and then TCP. Without any, those of the system (`/etc/resolv.conf`).
    #[spec(default = OneOrMany::default(), example = "['10.0.0.53:53']")]
    pub servers: OneOrMany<Spanned<Address>>,
    /// Which addresses are endpoints where a name has both kinds.
    #[spec(default = AddressFamily::PreferIpv4)]
    pub family: AddressFamily,
}

/// Which addresses of a name are endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Spec)]
#[spec(
    noun = "a family of addresses",
    peers(
        ipv4 = "prefer_ipv4",
        V4_ONLY = "prefer_ipv4",
        V4_PREFERRED = "prefer_ipv4",
        ipv6 = "prefer_ipv6",
        V6_ONLY = "prefer_ipv6",
        AUTO = "prefer_ipv6",
        ALL = "both",
        all = "both"
    )
)]
pub enum AddressFamily {
    /// Those of IPv4, unless there are none.
    PreferIpv4,
    /// Those of IPv6, unless there are none.
    PreferIpv6,
    /// All: a machine with an address of each kind is two endpoints.
    Both,
}
