use crate::value::UrlPath;
use strait_config_derive::Spec;

/// Puts a prefix before the path: `add_prefix: /v1` turns `/users` into `/v1/users`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(noun = "`add_prefix`", short = "prefix", peers(path = "prefix"))]
pub struct AddPrefix {
    /// The prefix.
    #[spec(example = "/v1")]
    pub prefix: UrlPath,
}
