use crate::decode::OneOrMany;
use crate::value::{KeyPart, Status};
use strait_config_derive::Spec;

/// Refuses requests with 503 while as many of their key are under way as may be. One count for all workers and over reloads. A number stands for `max`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(noun = "`concurrency_limit`", short = "max", peers(amount = "max", limit = "max", maxconn = "max", sourceCriterion = "key"))]
pub struct ConcurrencyLimit {
    /// Requests under way at a time.
    #[spec(example = "100")]
    pub max: u32,
    /// What requests are counted by, as in `rate_limit`. Without the key, all count together.
    #[spec(default = OneOrMany::default())]
    pub key: OneOrMany<KeyPart>,
    /// The status of a refusal.
    #[spec(default = Status::UNAVAILABLE)]
    pub status: Status,
    /// Whether requests over the limit go on and are only counted.
    #[spec(default = false)]
    pub dry_run: bool,
}
