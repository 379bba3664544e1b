//! How the endpoint of a request is chosen, and what keeps a client with one.

use crate::codes;
use crate::decode::{Decoder, removal};
use crate::diagnose::Diagnostic;
use crate::syntax::Node;
use crate::value::{CookieName, Duration, HashKey, Percent, Prime};
use strait_config_derive::Spec;

/// How the endpoint of a request is chosen: a word, or a map of one algorithm with its settings.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(noun = "`balance`")]
pub enum Balance {
    /// An algorithm as it comes.
    #[spec(form = "scalar")]
    Named(Algorithm),
    /// An algorithm with settings.
    #[spec(form = "map")]
    Set(Box<AlgorithmSettings>),
}

/// An algorithm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Spec)]
#[spec(
    noun = "a way to balance",
    peers(
        roundrobin = "round_robin", "round-robin" = "round_robin", ROUND_ROBIN = "round_robin", wrr = "round_robin", rr = "round_robin", static_rr = "round_robin", "static-rr" = "round_robin",
        leastconn = "least_request", least_conn = "least_request", leastconns = "least_request", LEAST_REQUEST = "least_request", p2c = "least_request", leasttime = "peak_ewma", least_time = "peak_ewma", ewma = "peak_ewma", peakewma = "peak_ewma", latency = "peak_ewma",
        RANDOM = "random", ip_hash = "write `{consistent_hash: address}`", source = "write `{consistent_hash: address}`", client_ip_hash = "write `{consistent_hash: address}`", src = "write `{consistent_hash: address}`",
        uri = "write `{consistent_hash: path}`", uri_hash = "write `{consistent_hash: path}`", url_param = "write `{consistent_hash: query NAME}`", hdr = "write `{consistent_hash: header NAME}`", header = "write `{consistent_hash: header NAME}`", cookie = "write `{consistent_hash: cookie NAME}`, or `sticky: NAME` for clients that stay with an endpoint",
        hash = "write `{consistent_hash: address}`", consistent_hash = "say by what: `{consistent_hash: address}`", ring_hash = "write `{consistent_hash: {by: address, algorithm: ring}}`", RING_HASH = "write `{consistent_hash: {by: address, algorithm: ring}}`", maglev = "write `{consistent_hash: {by: address, algorithm: maglev}}`", MAGLEV = "write `{consistent_hash: {by: address, algorithm: maglev}}`",
        first = "give the endpoints a `priority`: the first tier is used as long as it can",
    )
)]
pub enum Algorithm {
    /// One after the other, by weight.
    RoundRobin,
    /// Of two drawn by weight, the one with fewer requests under way for its weight.
    LeastRequest,
    /// Of two drawn by weight, the one that is likely to answer sooner: by how long it took lately, with peaks remembered, and how much it has under way.
    PeakEwma,
    /// By chance, by weight.
    Random,
}

/// One algorithm with its settings.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(noun = "`balance`", check = one_algorithm, peers(hash = "consistent_hash", ring_hash = "consistent_hash", maglev = "consistent_hash", ewma = "peak_ewma", leastconn = "least_request", least_conn = "least_request", p2c = "least_request", algorithm = "write the algorithm's name: `balance: least_request`", policy = "write the algorithm's name: `balance: least_request`", by = "write `{consistent_hash: {by: …}}`"))]
pub struct AlgorithmSettings {
    /// Of some drawn by weight, the one with the fewest requests under way for its weight.
    #[spec(example = "{choices: 3}")]
    pub least_request: Option<LeastRequest>,
    /// Of two drawn by weight, the one that is likely to answer sooner.
    #[spec(example = "{decay: 5s}")]
    pub peak_ewma: Option<PeakEwma>,
    /// The same endpoint for the same key.
    #[spec(example = "{by: header X-User}")]
    pub consistent_hash: Option<ConsistentHash>,
}

/// Settings of `least_request`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(noun = "`least_request`", short = "choices", empty_ok, peers(choice_count = "choices", draws = "choices"))]
pub struct LeastRequest {
    /// How many endpoints are looked at. Two are enough to keep away from slow ones, and spread best when many nodes choose by themselves.
    #[spec(default = 2, min = 2_u32, max = 10_u32)]
    pub choices: u32,
}

/// Settings of `peak_ewma`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`peak_ewma`",
    short = "decay",
    empty_ok,
    peers(decay_time = "decay", tau = "decay", half_life = "decay")
)]
pub struct PeakEwma {
    /// How long a slow answer is remembered: after this time a third of it is left.
    #[spec(default = Duration::secs(10), min = Duration::millis(10), max = Duration::secs(3600))]
    pub decay: Duration,
}

/// The same endpoint for the same key, as long as it is there. A text stands for `by`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(noun = "`consistent_hash`", short = "by", peers(key = "by", hash_on = "by", hash_policy = "by", on = "by", balance_factor = "bounded_load", hash_balance_factor = "bounded_load", bounded = "bounded_load", "hash-balance-factor" = "bounded_load", type = "algorithm", function = "algorithm", size = "table_size"))]
pub struct ConsistentHash {
    /// What the key is: `address` (of the client), `header NAME`, `cookie NAME`, `query NAME`, `query`, `path`, `host`. A request without it goes anywhere.
    #[spec(example = "header X-User")]
    pub by: HashKey,
    /// How keys find endpoints.
    #[spec(default = HashAlgorithm::Maglev)]
    pub algorithm: HashAlgorithm,
    /// The most requests an endpoint may have under way, in percent of its fair share; those beyond go to the next endpoint of their key. Without it keys stay, whatever the load.
    #[spec(min = Percent::whole(101), max = Percent::whole(1000), example = "125%")]
    pub bounded_load: Option<Percent>,
    /// Slots of a Maglev table, a prime. The default is good for 20 endpoints; take 100 times their number or more.
    #[spec(default = Prime::new(65_537))]
    pub table_size: Prime,
}

/// How keys find endpoints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Spec)]
#[spec(
    noun = "an algorithm of consistent hashing",
    peers(ketama = "ring", ring_hash = "ring", consistent = "ring", jump = "maglev")
)]
pub enum HashAlgorithm {
    /// A table that is filled evenly: quick, and keys spread within 1 %.
    Maglev,
    /// Points on a circle: keys spread within 5 or 10 %, and fewest of them move when endpoints come and go.
    Ring,
}

/// Keeps a client with the endpoint, or the side of a split, that it came to first, by a signed cookie. A text stands for `cookie`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`sticky`",
    short = "cookie",
    peers(
        name = "cookie",
        cookie_name = "cookie",
        expires = "ttl",
        max_age = "ttl",
        maxAge = "ttl",
        samesite = "same_site",
        sameSite = "same_site",
        type = "only cookies stick; for the client's address write `balance: {consistent_hash: address}`",
        secret = "key",
        httponly = "the cookie is always HttpOnly",
        httpOnly = "the cookie is always HttpOnly"
    )
)]
pub struct Sticky {
    /// The name of the cookie.
    #[spec(example = "route")]
    pub cookie: CookieName,
    /// How long the client keeps it; without it until the browser is closed.
    #[spec(min = Duration::secs(1), max = Duration::secs(34_560_000), example = "7d")]
    pub ttl: Option<Duration>,
    /// What happens when the endpoint cannot be used.
    #[spec(default = StickyMode::Soft)]
    pub mode: StickyMode,
    /// What signs the cookie: nodes that share it understand each other's cookies. Without it Strait makes one and keeps it in its state folder.
    #[spec(example = "'${file:/run/secrets/sticky}'")]
    pub key: Option<String>,
    /// Whether the cookie is sent over TLS only. Without it, when the request came over TLS.
    pub secure: Option<bool>,
    /// Whether other sites' requests carry it.
    #[spec(default = SameSite::Lax)]
    pub same_site: SameSite,
}

/// What happens when the endpoint that a client sticks to cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Spec)]
#[spec(noun = "a mode of sticking")]
pub enum StickyMode {
    /// Another is chosen, and the client sticks to that.
    Soft,
    /// The request is answered with 503: nobody else has its state.
    Strict,
}

/// Whether other sites' requests carry a cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Spec)]
#[spec(noun = "a value of SameSite", peers(Lax = "lax", Strict = "strict", None = "none"))]
pub enum SameSite {
    /// When a link leads here.
    Lax,
    /// Never.
    Strict,
    /// Always; browsers ask for `secure` then.
    None,
}

/// An endpoint that is new, or comes back, gets its share little by little. A text stands for `duration`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`slow_start`",
    short = "duration",
    peers(window = "duration", time = "duration", min_weight_percent = "begin", slow_start_window = "duration")
)]
pub struct SlowStart {
    /// From its first request to its whole share.
    #[spec(min = Duration::millis(100), max = Duration::secs(86_400), example = "30s")]
    pub duration: Duration,
    /// The part of its share it begins with.
    #[spec(default = Percent::whole(10), min = Percent::whole(1), max = Percent::whole(100))]
    pub begin: Percent,
    /// How the share grows: 100% evenly, above quickly at first, below slowly at first.
    #[spec(default = Percent::whole(100), min = Percent::whole(10), max = Percent::whole(1000))]
    pub aggression: Percent,
}

/// One algorithm, no more and no less.
fn one_algorithm(_: &AlgorithmSettings, node: &Node, decoder: &mut Decoder) {
    let written = node.entries().iter().filter(|entry| !entry.key.value.starts_with("x-"));
    let known = ["least_request", "peak_ewma", "consistent_hash"];
    let mut written = written.filter(|entry| known.contains(&entry.key.value.as_str()));
    match (written.next(), written.next()) {
        (Some(first), Some(second)) => decoder.report(
            Diagnostic::error(codes::CONFLICTING_KEYS, second.key.span, "an upstream balances in one way")
                .label("one too many")
                .second(first.key.span, "the other one")
                .edits("remove one of them", removal(node.entries(), &second.key.value).into_iter().collect()),
        ),
        (None, _) if node.entries().is_empty() => {
            let finding = Diagnostic::error(codes::MISSING_KEY, node.span, "`balance` needs the name of an algorithm");
            decoder.report(finding.replace("write `round_robin`", node.span, "round_robin"));
        }
        _ => {}
    }
}
