use crate::decode::{OneOrMany, Table};
use strait_config_derive::Spec;

/// Changes parameters of the query. Parameters that are not named keep their octets and their order; names are compared decoded, so `a%62` is `ab`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(noun = "`query`", peers(delete = "remove", add = "append", replace = "set", only = "keep", drop = "remove"))]
pub struct Query {
    /// Parameters that are removed.
    #[spec(default = OneOrMany::default(), example = "[utm_source, utm_medium]")]
    pub remove: OneOrMany<String>,
    /// The only parameters that are kept, if any are named.
    #[spec(default = OneOrMany::default(), example = "[q, page]")]
    pub keep: OneOrMany<String>,
    /// Old names with new ones.
    #[spec(example = "{q: search}")]
    pub rename: Table<String>,
    /// Parameters that replace every one of their name.
    #[spec(example = "{lang: en}")]
    pub set: Table<String>,
    /// Parameters that come behind the others.
    #[spec(example = "{via: strait}")]
    pub append: Table<String>,
}
