use crate::decode::OneOrMany;
use strait_config_derive::Spec;

/// Refuses requests that pages of other hosts lead to (hotlinks) with 403, by `Referer`. Pages of the host itself always may. A list stands for `hosts`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(noun = "`referer`", short = "hosts", empty_ok, peers(server_names = "hosts", allow = "hosts", none = "without", blocked = "without"))]
pub struct Referer {
    /// Hosts whose pages may: `example.com`, and `*.example.com` for every host below.
    #[spec(default = OneOrMany::default(), example = "[example.com, \"*.example.org\"]")]
    pub hosts: OneOrMany<String>,
    /// Whether requests that name no page go on: a URL that was typed, or a browser that never tells.
    #[spec(default = true)]
    pub without: bool,
}
