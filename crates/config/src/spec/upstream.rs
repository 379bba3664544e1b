//! Upstreams: named groups of endpoints, and their timeouts.

use super::balance::{Algorithm, Balance, SlowStart, Sticky};
use super::route::empty_list;
use super::{EndpointTls, HealthCheck, OutlierDetection, Retry};
use crate::codes;
use crate::decode::{Decoder, OneOrMany, removal};
use crate::diagnose::Diagnostic;
use crate::source::Spanned;
use crate::syntax::{Node, NodeKind};
use crate::value::{Duration, Endpoint, Limit, Percent};
use strait_config_derive::Spec;

/// Timeouts that a route or an upstream may set. A text stands for `request`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`timeout`",
    short = "request",
    empty_ok,
    peers(
        read = "first_byte",
        response = "first_byte",
        server = "first_byte",
        response_header_timeout = "first_byte",
        total = "request",
        dial = "connect",
        connect_timeout = "connect",
        stream_idle = "idle",
        backendRequest = "first_byte",
        client = "`header_timeout` and `idle_timeout` in a listener's `limits`"
    )
)]
pub struct Timeouts {
    /// Time to connect to an endpoint.
    #[spec(min = Duration::millis(1), max = Duration::secs(3600), example = "1s")]
    pub connect: Option<Duration>,
    /// Time from the request's end to the first byte of the response.
    #[spec(min = Duration::millis(1), max = Duration::secs(86_400), example = "60s")]
    pub first_byte: Option<Duration>,
    /// Time for the whole exchange, or `none`.
    #[spec(min = Duration::millis(1), example = "30s")]
    pub request: Option<Limit<Duration>>,
    /// Longest silence while a body is on its way: as long as something moves in either direction it is not over.
    #[spec(min = Duration::millis(1), max = Duration::secs(86_400), example = "60s")]
    pub idle: Option<Duration>,
    /// Longest silence, in both directions, of an upgraded connection (WebSocket).
    #[spec(min = Duration::millis(1), max = Duration::secs(86_400), example = "1h")]
    pub tunnel: Option<Duration>,
}

/// A named group of interchangeable endpoints and how to use them. A text or list stands for `endpoints`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "an upstream",
    short = "endpoints",
    check = some_endpoints,
    peers(
        servers = "endpoints", server = "endpoints", targets = "endpoints", target = "endpoints", hosts = "endpoints", backends = "endpoints", upstreams = "endpoints", url = "endpoints", urls = "endpoints", to = "endpoints",
        nodes = "endpoints", lb_endpoints = "endpoints", load_assignment = "endpoints", loadBalancer = "endpoints", addresses = "endpoints", address = "endpoints", dial = "endpoints",
        lb_policy = "balance", algorithm = "balance", lb_algorithm = "balance", load_balancing = "balance", strategy = "balance", policy = "balance", method = "balance",
        maxconn = "max_connections", max_conns = "max_connections", max_pending_requests = "queue", maxqueue = "queue", keepalive = "keep_alive", keepAlive = "keep_alive", connection_pool = "keep_alive", timeouts = "timeout", connect_timeout = "timeout", retries = "retry", retry_policy = "retry",
        healthcheck = "health_check", healthchecks = "health_check", health_checks = "health_check", healthCheck = "health_check", check = "health_check",
        outlier = "outlier_detection", passive_health_check = "outlier_detection", "agent-check" = "agent_hints", agent_check = "agent_hints", transport_socket = "tls", ssl = "tls", panic = "panic_threshold", healthy_panic_threshold = "panic_threshold", overprovisioning_factor = "overprovisioning", slowstart = "slow_start", slow_start_config = "slow_start", hash = "write `balance: {consistent_hash: {by: …}}`", hash_on = "write `balance: {consistent_hash: {by: …}}`", ip_hash = "write `balance: {consistent_hash: address}`", least_conn = "write `balance: least_request`", stick = "sticky", session_affinity = "sticky", sessionAffinity = "sticky", session_persistence = "sticky", cookie = "sticky", backup = "a backup stands beside the endpoint: `{address: host:port, backup: true}`", weight = "weights stand beside the endpoint: `{address: host:port, weight: 2}`",
    ),
    unbuilt(
        circuit_breaker = "circuit breakers", protocol = "other protocols than HTTP/1.1 to upstreams",
        replicas = "PostgreSQL pooling", proxy_protocol = "the PROXY protocol", locality = "localities", subsets = "subsets of endpoints",
    )
)]
pub struct Upstream {
    /// The endpoints: `host:port`, `https://host`, `unix:/path`, or `{address: host:port, weight: 2}`.
    #[spec(example = "[localhost:3000]")]
    pub endpoints: OneOrMany<UpstreamEndpoint>,
    /// How the endpoint of a request is chosen.
    #[spec(default = Balance::Named(Algorithm::RoundRobin))]
    pub balance: Balance,
    /// Keeps a client with the endpoint it came to first.
    #[spec(example = "route")]
    pub sticky: Option<Sticky>,
    /// Endpoints that are new, or come back, get their share little by little.
    #[spec(example = "30s")]
    pub slow_start: Option<SlowStart>,
    /// Below this part of healthy endpoints all of a tier are used, healthy or not: few cannot carry what many did. 0% never does that.
    #[spec(default = Percent::whole(50), max = Percent::whole(100))]
    pub panic_threshold: Percent,
    /// What a tier of endpoints bears, in percent of its healthy part, before requests spill to the next tier: at 140% none do as long as 72% are healthy.
    #[spec(default = Percent::whole(140), min = Percent::whole(100), max = Percent::whole(100_000))]
    pub overprovisioning: Percent,
    /// Most connections to one endpoint at a time, over all workers, or `none`.
    #[spec(default = Limit::Max(1024))]
    pub max_connections: Limit<u32>,
    /// Requests that wait for one of the `max_connections`.
    pub queue: Queue,
    /// TLS to the endpoints. An endpoint written as `https://host` is spoken to by TLS without it.
    pub tls: Option<EndpointTls>,
    /// Connections kept for further requests.
    pub keep_alive: KeepAlive,
    /// Timeouts of this upstream; what is not written comes from `defaults`. A route's own go first.
    pub timeout: Timeouts,
    /// When a request is sent once more.
    pub retry: Retry,
    /// Questions that the proxy asks each endpoint by itself, to learn whether it works before a client does.
    #[spec(example = "{path: /healthz, interval: 2s}")]
    pub health_check: Option<HealthCheck>,
    /// Takes endpoints out for a while whose answers show that they are ill.
    #[spec(example = "{consecutive_errors: 5, eject_for: 30s}")]
    pub outlier_detection: Option<OutlierDetection>,
    /// Whether endpoints may say about themselves, in a field `Strait-Endpoint` of their responses (to checks too), that they want no new requests (`drain`), or a share of them (`weight=50%`), or all again (`ready`). The field never reaches clients.
    #[spec(default = false)]
    pub agent_hints: bool,
}

/// One address of an upstream. A text stands for `address`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "an endpoint",
    short = "address",
    peers(
        host = "address",
        url = "address",
        target = "address",
        server = "address",
        dial = "address",
        addr = "address",
        load_balancing_weight = "weight",
        tier = "priority",
        order = "priority",
        maxconn = "max_connections",
        max_conns = "max_connections",
        slow_start = "`slow_start` belongs in the upstream",
        down = "take it out of the list, or drain it: `strait endpoint drain`"
    ),
    check = one_tier,
    unbuilt(zone = "localities", labels = "subsets of endpoints")
)]
pub struct UpstreamEndpoint {
    /// `host:port`, `http://host:port`, `unix:/path`; `dns://name:port` for every address of a name, or `srv://name` for what its SRV records say, looked up again as their TTL says.
    #[spec(example = "localhost:3000")]
    pub address: Spanned<Endpoint>,
    /// Its share of the requests, against the weights of the others. 0 gets none.
    #[spec(default = 1, max = crate::limits::WEIGHT_MAX)]
    pub weight: u32,
    /// Its tier, 0 where nothing is said. Requests go to tier 0 as long as that can bear them, then to 1, and so on.
    #[spec(max = crate::limits::TIERS_MAX, example = "1")]
    pub priority: Option<u32>,
    /// Short for `priority: 1`: used when the others cannot bear all requests.
    #[spec(example = "true")]
    pub backup: Option<bool>,
    /// Most connections to it at a time, over all workers, in place of the upstream's `max_connections`.
    #[spec(example = "100")]
    pub max_connections: Option<Limit<u32>>,
}

impl UpstreamEndpoint {
    /// An endpoint of which only the address is said.
    pub fn plain(address: Spanned<Endpoint>) -> Self {
        Self { address, weight: 1, priority: None, backup: None, max_connections: None }
    }

    /// Its tier.
    pub fn tier(&self) -> u32 {
        self.priority.unwrap_or(0).max(u32::from(self.backup == Some(true)))
    }
}

/// `backup` and `priority` say the same thing, and may not say different ones.
fn one_tier(endpoint: &UpstreamEndpoint, node: &Node, decoder: &mut Decoder) {
    let key = |name: &str| node.entries().iter().find(|entry| entry.key.value == name).map(|entry| entry.key.span);
    if let (Some(true), Some(backup), Some(priority)) = (endpoint.backup, key("backup"), key("priority")) {
        decoder.report(
            Diagnostic::error(codes::CONFLICTING_KEYS, backup, "an endpoint has either `backup` or `priority`")
                .label("`backup: true` is short for `priority: 1`")
                .second(priority, "the other one")
                .edits("remove one of them", removal(node.entries(), "backup").into_iter().collect()),
        );
    }
}

/// Requests that wait for a connection to an endpoint that has as many as it may have. A number stands for `max`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`queue`",
    short = "max",
    empty_ok,
    peers(
        size = "max",
        length = "max",
        max_pending_requests = "max",
        maxqueue = "max",
        max_queue = "max",
        wait = "timeout",
        queue_timeout = "timeout"
    )
)]
pub struct Queue {
    /// Most requests that wait for one endpoint, over all workers; each holds its buffers. Further ones are answered with 503. 0 lets none wait.
    #[spec(default = 16_384, max = 16_777_216_u32)]
    pub max: u32,
    /// How long one waits; then it is answered with 504. As long as a person looks at an empty page.
    #[spec(default = Duration::secs(10), min = Duration::millis(1), max = Duration::secs(3600))]
    pub timeout: Duration,
}

/// Connections kept for further requests.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`keep_alive`",
    empty_ok,
    peers(
        max = "max_idle",
        preconnect = "warm",
        min_idle = "warm",
        connections = "max_idle",
        idle = "idle_timeout",
        timeout = "idle_timeout",
        max_idle_conns_per_host = "max_idle",
        keepalive_timeout = "idle_timeout"
    )
)]
pub struct KeepAlive {
    /// Most idle connections kept to one endpoint, per worker. 0 keeps none.
    #[spec(default = 1024, max = 65_536_u32)]
    pub max_idle: u32,
    /// Connections that are opened beforehand to each endpoint that may be chosen, per worker, and opened again when they are used up or closed: the first requests then wait for no connection. Looked after once a second.
    #[spec(default = 0, max = 1024_u32)]
    pub warm: u32,
    /// How long an idle connection is kept. Shorter than the origin keeps it (nginx 75s, Apache 5s, Node 5s), or requests meet closed connections and are sent again.
    #[spec(default = Duration::secs(60), min = Duration::millis(100), max = Duration::secs(86_400))]
    pub idle_timeout: Duration,
}

/// An upstream without endpoints could not serve anything.
fn some_endpoints(_: &Upstream, node: &Node, decoder: &mut Decoder) {
    let list = node.value("endpoints").unwrap_or(node);
    if matches!(&list.kind, NodeKind::List(items) if items.is_empty()) {
        decoder.report(empty_list(list, "an upstream needs endpoints", "[localhost:3000]"));
    }
}
