use crate::decode::OneOrMany;
use crate::value::{KeyPart, Rate, Status};
use strait_config_derive::Spec;

/// Refuses requests that come more often than a rate with 429, `Retry-After` and `RateLimit` headers. One limit for all workers; where it is written is where it counts: one in `defaults` or in a policy is one for all their routes together. Counts survive a reload. A rate stands for `rate`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`rate_limit`",
    short = "rate",
    peers(average = "rate", limit = "rate", period = "the time is part of the rate: `10/s`, `600/m`", window = "the time is part of the rate: `10/s`, `600/m`", zone = "key", limit_by = "key", by = "key", nodelay = "requests are refused at once, never delayed", delay = "requests are refused at once, never delayed", rejected_code = "status", limit_req_status = "status", limit_req_dry_run = "dry_run", size = "keys", max_size = "keys")
)]
pub struct RateLimit {
    /// How often requests of one key may come.
    #[spec(example = "10/s")]
    pub rate: Rate,
    /// How many more than one may come at once. Without the key, as many as the rate's number: `600/m` lets 600 come at once and then ten a second.
    #[spec(max = 1_000_000_u64, example = "20")]
    pub burst: Option<u64>,
    /// What requests are counted by, one or several: `client.ip`, `route`, `request.host`, `request.path`, `request.method`, `request.headers['name']`, `request.cookies['name']`. Requests that lack a part count together.
    #[spec(default = OneOrMany(vec![KeyPart::Client]))]
    pub key: OneOrMany<KeyPart>,
    /// Leading bits of an IPv4 address that count.
    #[spec(default = 32, max = 32_u32)]
    pub ipv4_bits: u32,
    /// Leading bits of an IPv6 address that count: a household has a whole /64.
    #[spec(default = 64, max = 128_u32)]
    pub ipv6_bits: u32,
    /// Keys that are told apart at a time, at 34 bytes each. When there are more, fresh ones share a count, and none that is known is forgotten.
    #[spec(default = 100_000, min = 16_u32, max = 16_000_000_u32)]
    pub keys: u32,
    /// The status of a refusal.
    #[spec(default = Status::TOO_MANY_REQUESTS)]
    pub status: Status,
    /// What the limit is called in `RateLimit` headers.
    #[spec(default = "default".to_owned())]
    pub name: String,
    /// Whether responses tell how much is left, in `RateLimit` and `RateLimit-Policy`.
    #[spec(default = true)]
    pub headers: bool,
    /// Whether requests over the limit go on and are only counted, as `spared`.
    #[spec(default = false)]
    pub dry_run: bool,
}
