use crate::decode::OneOrMany;
use crate::value::WebOrigin;
use strait_config_derive::Spec;

/// Refuses requests that change something (every method but GET, HEAD and OPTIONS) when a browser sends them for a page of another origin, by `Sec-Fetch-Site` and `Origin`. Programs that are no browsers pass. A list stands for `origins`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(noun = "`csrf`", short = "origins", empty_ok, peers(additional_origins = "origins", trusted_origins = "origins"))]
pub struct Csrf {
    /// Other origins whose pages may.
    #[spec(default = OneOrMany::default(), example = "[https://partner.example.com]")]
    pub origins: OneOrMany<WebOrigin>,
}
