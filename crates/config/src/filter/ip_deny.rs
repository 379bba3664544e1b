use crate::decode::OneOrMany;
use crate::source::Spanned;
use crate::value::Cidr;
use std::path::PathBuf;
use strait_config_derive::Spec;

/// Refuses clients of these networks with 403. A list stands for `networks`. The client is whom `trusted_proxies` say it is.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(noun = "`ip_deny`", short = "networks", peers(sourceRange = "networks", deny = "networks", ips = "networks", cidrs = "networks"))]
pub struct IpDeny {
    /// Networks and addresses.
    #[spec(default = OneOrMany::default(), example = "[10.0.0.0/8, 2001:db8::/32]")]
    pub networks: OneOrMany<Spanned<Cidr>>,
    /// A file with more of them, one a line; what follows `#` is a comment. Read again at each reload.
    #[spec(example = "lists/abuse.txt")]
    pub file: Option<Spanned<PathBuf>>,
}
