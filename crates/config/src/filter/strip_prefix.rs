use crate::value::UrlPath;
use strait_config_derive::Spec;

/// Takes a prefix of whole segments off the path: `strip_prefix: /api` turns `/api/users` into `/users` and `/api` into `/`, and leaves `/apis` alone. The origin learns the prefix in `X-Forwarded-Prefix`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(noun = "`strip_prefix`", short = "prefix", peers(prefixes = "prefix", path = "prefix"))]
pub struct StripPrefix {
    /// The prefix.
    #[spec(example = "/api")]
    pub prefix: UrlPath,
}
