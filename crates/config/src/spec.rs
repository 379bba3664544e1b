//! What can be written, as types. Keys, defaults, ranges, short forms and documentation of the
//! language are these types and nothing else: the doc comments are the reference manual.

use crate::codes;
use crate::decode::{Decoder, OneOrMany, Table, removal};
use crate::diagnose::Diagnostic;
use crate::filter::Filter;
use crate::source::Spanned;
use crate::syntax::{Node, NodeKind, Style};
use crate::value::{
    Address, ByteRate, Cidr, Duration, Endpoint, HeaderName, Headers, Limit, Location, LogPath, OrOff, Size, Status,
    Target, Value as _, Weights,
};
use std::net::Ipv4Addr;
use strait_config_derive::Spec;

/// A whole configuration. Every key may be left out; keys that begin with `x-` are free for your own use.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "the file",
    empty_ok,
    peers(
        listener = "listeners", listen = "listeners", server = "listeners", servers = "listeners", bind = "listeners",
        frontend = "listeners", frontends = "listeners", entrypoints = "listeners", entryPoints = "listeners", http = "`http` has no block of its own: write `listeners`, `routes` and `upstreams` at the top",
        static_resources = "there is no static/dynamic split: write `listeners`, `routes` and `upstreams` at the top",
        route = "routes", location = "routes", locations = "routes", routers = "routes", virtual_hosts = "routes", handle = "routes",
        virtualHosts = "routes", hosts = "routes", rules = "routes",
        upstream = "upstreams", cluster = "upstreams", clusters = "upstreams", backend = "upstreams", backends = "upstreams",
        service = "upstreams", services = "upstreams", pools = "upstreams", pool = "upstreams",
        log = "telemetry", logs = "telemetry", logging = "telemetry", accessLog = "telemetry", access_log = "`access_log` belongs in `telemetry`", error_log = "telemetry",
        metrics = "`metrics` belongs in `telemetry`", tracing = "telemetry",
        global = "defaults", worker_processes = "workers", nbthread = "workers", threads = "workers", concurrency = "workers",
        set_real_ip_from = "trusted_proxies", trusted_proxy = "trusted_proxies", trustedIPs = "trusted_proxies",
        includes = "include", import = "include", api = "admin", stats = "admin", dashboard = "admin", plugins = "filters attach to routes: `filters: [...]`",
        middlewares = "filters attach to routes; named lists of them are `policies`", tls = "`tls` belongs in a listener", format_version = "version", _format_version = "version",
    ),
    unbuilt(
        policies = "named filter lists", auth = "authentication", certificates = "TLS certificates", mesh = "the service mesh",
        providers = "configuration from Docker, Kubernetes and others", "assert" = "assertions about routes",
    )
)]
pub struct Root {
    /// Version of the configuration format.
    #[spec(default = Version::One)]
    pub version: Version,
    /// More files to read, as paths or globs (`conf.d/*.yaml`), relative to this file. Their maps are united with this one's; the same key in two files is an error.
    #[spec(default = OneOrMany::default(), example = "[conf.d/*.yaml]")]
    pub include: OneOrMany<Spanned<String>>,
    /// Where connections arrive, by name. Without any there is one on port 8080, named `http`.
    pub listeners: Table<Listener>,
    /// Patterns of requests and what is done with them. A pattern is `[METHOD[,METHOD] ][host][/path]`; the most specific one wins, whatever the order.
    pub routes: Table<Route>,
    /// Named groups of interchangeable endpoints.
    pub upstreams: Table<Upstream>,
    /// What holds for every route unless it says otherwise.
    pub defaults: Defaults,
    /// Logs.
    pub telemetry: Telemetry,
    /// Health, metrics and control of the running process.
    pub admin: Admin,
    /// Networks of proxies in front of this one: only from them are `X-Forwarded-For` and its like believed. From everyone else they are removed.
    #[spec(default = OneOrMany::default(), example = "[10.0.0.0/8]")]
    pub trusted_proxies: OneOrMany<Spanned<Cidr>>,
    /// Number of worker threads. Without it there is one per core.
    #[spec(min = 1_u32, max = 1024_u32)]
    pub workers: Option<u32>,
    /// Requests with what must become of them, run by `strait check`.
    pub tests: Vec<RequestTest>,
}

/// Version of the configuration format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Spec)]
#[spec(noun = "a version of the format")]
pub enum Version {
    /// The only version so far.
    #[spec(name = "1")]
    One,
}

/// An address that is bound, and how its connections are treated. A text stands for the `address`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "a listener",
    short = "address",
    peers(
        bind = "address",
        listen = "address",
        port = "address",
        socket_address = "address",
        addr = "address",
        host = "address",
        ssl = "tls",
        certificates = "tls",
        filter_chains = "routes",
        server_name = "host names belong in the patterns of `routes`",
        hostname = "host names belong in the patterns of `routes`",
        location = "routes",
        locations = "routes",
        mode = "protocol",
        maxconn = "`connections` in `limits`",
        timeout = "`header_timeout` and `idle_timeout` in `limits`",
        default_backend = "routes",
        keepalive_timeout = "`idle_timeout` in `limits`",
        client_max_body_size = "`body_size` in `limits`",
        handlers = "routes",
        forwardedHeaders = "trusted_proxies",
        trustedIPs = "trusted_proxies",
        trusted_proxy = "trusted_proxies",
    ),
    unbuilt(
        tls = "TLS",
        databases = "PostgreSQL pooling",
        direction = "the service mesh",
        allow = "forward proxying",
        to = "plain TCP and UDP proxying",
        filters = "filters on listeners",
        proxy_protocol = "the PROXY protocol",
    )
)]
pub struct Listener {
    /// Where to listen: a port (`8080`) on all addresses, `127.0.0.1:8080`, `[::1]:8080`, or `unix:/path`. Port 0 lets the system choose; the chosen one is printed.
    #[spec(example = "8080")]
    pub address: Spanned<Address>,
    /// What is spoken on the connections.
    #[spec(default = Protocol::Http)]
    pub protocol: Protocol,
    /// As the key of the same name at the top, for this listener instead of it.
    pub trusted_proxies: Option<OneOrMany<Spanned<Cidr>>>,
    /// Bounds on what clients can make the proxy do.
    pub limits: Limits,
    /// Routes of this listener, in place of those at the top.
    pub routes: Option<Table<Route>>,
}

/// What is spoken on a listener's connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Spec)]
#[spec(
    noun = "a protocol",
    peers(http1 = "http", "http/1.1" = "http", h1 = "http", HTTP = "http"),
    unbuilt(
        https = "TLS", tls = "TLS", h2 = "HTTP/2", http2 = "HTTP/2", h2c = "HTTP/2", h3 = "HTTP/3", http3 = "HTTP/3", grpc = "gRPC", tcp = "plain TCP proxying",
        udp = "UDP proxying", postgres = "PostgreSQL pooling", mesh = "the service mesh", forward = "forward proxying", socks5 = "forward proxying",
    )
)]
pub enum Protocol {
    /// HTTP/1.1 and HTTP/1.0, without TLS.
    Http,
}

/// Bounds on what clients can make the proxy do. Each is finite unless said otherwise here; `none` lifts those that say so.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`limits`",
    empty_ok,
    peers(
        client_max_body_size = "body_size",
        max_body_size = "body_size",
        max_request_bytes = "body_size",
        client_header_timeout = "header_timeout",
        read_header_timeout = "header_timeout",
        large_client_header_buffers = "header_size",
        max_request_headers_kb = "header_size",
        max_header_bytes = "header_size",
        keepalive_timeout = "idle_timeout",
        maxconn = "connections",
        max_connections = "connections",
        keepalive_requests = "requests_per_connection",
        max_headers = "header_count",
        max_headers_count = "header_count",
        limit_conn = "per_client_ip",
        body_timeout = "body_rate_min",
        client_body_timeout = "body_rate_min",
        readTimeout = "header_timeout",
        idleTimeout = "idle_timeout",
    )
)]
pub struct Limits {
    /// Largest head of a request: request line and headers together. Larger ones are answered with 431.
    #[spec(default = Size::kib(32), min = Size::kib(1), max = Size::mib(1))]
    pub header_size: Size,
    /// Most header lines of a request. More are answered with 431.
    #[spec(default = 100, min = 1_u32, max = 10_000_u32)]
    pub header_count: u32,
    /// Time for a client to send the whole head, counted from its first byte. Whoever is slower is answered with 408.
    #[spec(default = Duration::secs(10), min = Duration::millis(100), max = Duration::secs(3600))]
    pub header_timeout: Duration,
    /// Largest request body, or `none`. Larger ones are answered with 413. A route may set its own.
    #[spec(default = Limit::Max(Size::mib(1024)))]
    pub body_size: Limit<Size>,
    /// Least rate at which a client must send a body and take an answer, averaged over some seconds, or `none`. Slower ones lose their connection.
    #[spec(default = Limit::Max(ByteRate::bytes_per_second(256)))]
    pub body_rate_min: Limit<ByteRate>,
    /// How long a connection may wait for its next request.
    #[spec(default = Duration::secs(75), min = Duration::millis(100), max = Duration::secs(86_400))]
    pub idle_timeout: Duration,
    /// Most connections of this listener, over all workers. Further ones wait in the system's queue.
    #[spec(default = 65_536, min = 1_u32, max = 16_777_216_u32)]
    pub connections: u32,
    /// Most connections from one client address, or `none`. Not bounded by default, since behind another proxy or a large office all clients share few addresses.
    #[spec(default = Limit::None)]
    pub per_client_ip: Limit<u32>,
    /// Most requests on one connection, or `none`; after that the client is asked to open a new one, which spreads clients over workers anew.
    #[spec(default = Limit::Max(10_000))]
    pub requests_per_connection: Limit<u32>,
}

/// What is done with the requests that a pattern matches: exactly one of `to`, `redirect`, `respond`. A text, a list or a map of weights stands for `to`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "a route",
    short = "to",
    short_if = crate::value::looks_like_weights,
    check = one_action,
    peers(
        proxy_pass = "to", target = "to", targets = "to", upstream = "to", upstreams = "to", backend = "to", backends = "to", backendRefs = "to", service = "to",
        services = "to", cluster = "to", weighted_clusters = "to", use_backend = "to", reverse_proxy = "to", forwardTo = "to", server = "to", servers = "to", url = "to", host = "the host is part of the pattern: `example.com/path`",
        hosts = "the host is part of the pattern: `example.com/path`", path = "the path is part of the pattern: `example.com/path`", paths = "the path is part of the pattern: `example.com/path`", methods = "the method is part of the pattern: `GET /path`", method = "the method is part of the pattern: `GET /path`",
        middlewares = "filters", plugins = "filters", handlers = "filters", priority = "order never matters: the most specific pattern wins", "return" = "respond", direct_response = "respond", static_response = "respond", redir = "redirect", add_header = "response_headers",
        proxy_set_header = "request_headers", headers = "`request_headers` or `response_headers`", request_headers_to_add = "request_headers", response_headers_to_add = "response_headers", root = "files", file_server = "files",
        timeouts = "timeout", proxy_read_timeout = "timeout", client_max_body_size = "body_size", max_body = "body_size", preserveHost = "preserve_host", passHostHeader = "preserve_host", strip_path = "filters", stripPrefix = "filters", retries = "`retry` belongs in an upstream", retry = "`retry` belongs in an upstream",
        balance = "`balance` belongs in an upstream", health_check = "`health_check` belongs in an upstream", weights = "to", split = "to",
    ),
    unbuilt(
        files = "static files", aggregate = "aggregation", sticky = "sticky sessions", when = "conditions beyond the pattern", "if" = "conditions beyond the pattern",
        rollout = "automatic rollouts", mirror = "mirroring", "match" = "conditions beyond the pattern", auth = "authentication", cache = "caching", limits = "limits of a route",
    )
)]
pub struct Route {
    /// Where requests go: the name of an upstream, an endpoint (`localhost:3000`), a list of endpoints that serve in turn, or a map from targets to weights (`{stable: 95, canary: 5}`).
    #[spec(example = "localhost:3000")]
    pub to: Option<To>,
    /// Answer with a redirect.
    #[spec(example = "https://example.com")]
    pub redirect: Option<Redirect>,
    /// Answer with a fixed text.
    #[spec(example = "OK")]
    pub respond: Option<Respond>,
    /// Timeouts of this route; what is not written comes from the upstream, then from `defaults`.
    pub timeout: Timeouts,
    /// Whether the origin sees the `Host` the client sent. With `false` it sees the endpoint's own host and port.
    #[spec(default = true)]
    pub preserve_host: bool,
    /// Largest request body, or `none`, in place of the listener's limit.
    #[spec(example = "10MiB")]
    pub body_size: Option<Limit<Size>>,
    /// Headers set on the request before it goes to the origin; each replaces all of its name.
    #[spec(example = "{X-Site: main}")]
    pub request_headers: Headers,
    /// Headers removed from the request before it goes to the origin.
    pub remove_request_headers: Vec<HeaderName>,
    /// Headers set on the response before it goes to the client; each replaces all of its name.
    #[spec(example = "{X-Frame-Options: DENY}")]
    pub response_headers: Headers,
    /// Headers removed from the response before it goes to the client.
    pub remove_response_headers: Vec<HeaderName>,
    /// Steps on the way of request and response, in order.
    pub filters: Vec<Filter>,
}

/// Exactly one of `to`, `redirect` and `respond`.
fn one_action(route: &Route, node: &Node, decoder: &mut Decoder) {
    let key = |name: &str| node.entries().iter().find(|entry| entry.key.value == name).map(|entry| entry.key.span);
    let written: Vec<_> =
        ["to", "redirect", "respond"].into_iter().filter_map(|name| Some((name, key(name)?))).collect();
    if let [(first, first_span), (second, second_span), ..] = written.as_slice() {
        let (first, first_span, second, second_span) = if first_span <= second_span {
            (first, first_span, second, second_span)
        } else {
            (second, second_span, first, first_span)
        };
        decoder.report(
            Diagnostic::error(
                codes::CONFLICTING_KEYS,
                *second_span,
                format!("a route has either `{first}` or `{second}`"),
            )
            .label("one too many")
            .second(*first_span, "the other one")
            .edits("remove one of them", removal(node.entries(), second).into_iter().collect()),
        );
        return;
    }
    if matches!(&route.to, Some(To::Any(targets)) if targets.is_empty()) {
        let list = node.value("to").unwrap_or(node);
        if matches!(&list.kind, NodeKind::List(items) if items.is_empty()) {
            decoder.report(empty_list(list, "`to` is an empty list", "[localhost:3000]"));
        }
        return;
    }
    let unbuilt = ["files", "aggregate", "when", "rollout"].into_iter().any(|name| key(name).is_some());
    let acts = route.to.is_some() || route.redirect.is_some() || route.respond.is_some();
    if acts || unbuilt || !written.is_empty() {
        return;
    }
    decoder.missing_key(node, "to", "localhost:3000", "a route needs `to`, `redirect` or `respond`");
}

fn empty_list(node: &Node, message: &str, example: &str) -> Diagnostic {
    Diagnostic::error(codes::EMPTY_LIST, node.span, message).label("nothing in it").replace(
        format!("write {example}"),
        node.span,
        example,
    )
}

/// An upstream without endpoints could not serve anything.
fn some_endpoints(_: &Upstream, node: &Node, decoder: &mut Decoder) {
    let list = node.value("endpoints").unwrap_or(node);
    if matches!(&list.kind, NodeKind::List(items) if items.is_empty()) {
        decoder.report(empty_list(list, "an upstream needs endpoints", "[localhost:3000]"));
    }
}

/// Where requests go.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(noun = "`to`")]
pub enum To {
    /// One target.
    #[spec(form = "scalar")]
    One(Spanned<Target>),
    /// Endpoints that serve in turn: an upstream without a name.
    #[spec(form = "list")]
    Any(Vec<Spanned<Endpoint>>),
    /// A split by weight.
    #[spec(form = "map")]
    Split(Weights),
}

/// A redirect. A text stands for `to`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "a redirect",
    short = "to",
    peers(
        url = "to",
        location = "to",
        target = "to",
        code = "status",
        status_code = "status",
        permanent = "status",
        statusCode = "status",
        preserve_path = "keep_path"
    )
)]
pub struct Redirect {
    /// A URL (`https://example.com`) or a path (`/new`).
    #[spec(example = "https://example.com")]
    pub to: Spanned<Location>,
    /// The status. 302 by default, as in Caddy and the Gateway API: browsers remember 301 and 308 for good, so a mistaken one cannot be taken back.
    #[spec(default = RedirectStatus::Found)]
    pub status: RedirectStatus,
    /// Whether the path and query of the request are appended. By default they are if `to` is a URL without a path of its own.
    pub keep_path: Option<bool>,
}

impl Redirect {
    /// Whether the path and query of the request are appended.
    pub fn keeps_path(&self) -> bool {
        self.keep_path.unwrap_or_else(|| self.to.as_str().contains("://") && !self.to.has_path())
    }
}

/// The status of a redirect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Spec)]
#[spec(noun = "the status of a redirect", peers(permanent = "308", temporary = "307", found = "302", "300" = "302", "304" = "302"))]
pub enum RedirectStatus {
    /// 301: for good; clients may turn POST into GET.
    #[spec(name = "301")]
    MovedPermanently,
    /// 302: for now; clients may turn POST into GET.
    #[spec(name = "302")]
    Found,
    /// 303: for now, and always with GET.
    #[spec(name = "303")]
    SeeOther,
    /// 307: for now, with the same method.
    #[spec(name = "307")]
    TemporaryRedirect,
    /// 308: for good, with the same method.
    #[spec(name = "308")]
    PermanentRedirect,
}

impl RedirectStatus {
    /// The number.
    pub fn get(self) -> u16 {
        match self {
            Self::MovedPermanently => 301,
            Self::Found => 302,
            Self::SeeOther => 303,
            Self::TemporaryRedirect => 307,
            Self::PermanentRedirect => 308,
        }
    }
}

/// A fixed answer. A text stands for `body`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(noun = "`respond`", short = "body", check = sound_answer, peers(code = "status", status_code = "status", text = "body", content = "body", type = "content_type", header = "headers"))]
pub struct Respond {
    /// The status.
    #[spec(default = Status::OK)]
    pub status: Status,
    /// The body.
    #[spec(default = String::new(), example = "OK")]
    pub body: String,
    /// The `Content-Type` of the body.
    #[spec(default = String::from("text/plain; charset=utf-8"))]
    pub content_type: String,
    /// More headers of the answer.
    pub headers: Headers,
}

/// `respond: 404` could mean the status or the text; Caddy takes it for the status, nginx asks for both.
/// A line end in the type would begin another header.
fn sound_answer(respond: &Respond, node: &Node, decoder: &mut Decoder) {
    if respond.content_type.chars().any(char::is_control) {
        let span = node.value("content_type").map_or(node.span, |value| value.span);
        decoder.report(
            Diagnostic::error(codes::HEADER, span, "a header value holds no line ends or control characters").replace(
                "write text/plain",
                span,
                "text/plain",
            ),
        );
    }
    let NodeKind::Scalar { text, style: Style::Plain, raw: None } = &node.kind else { return };
    if respond.body == *text && Status::parse(text).is_ok() {
        decoder.report(
            Diagnostic::error(codes::STATUS, node.span, format!("`{text}` could be the status or the text"))
                .label("ambiguous")
                .replace(format!("write {{status: {text}}}"), node.span, format!("{{status: {text}}}")),
        );
    }
}

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
    /// Longest silence while a body is on its way, in either direction.
    #[spec(min = Duration::millis(1), max = Duration::secs(86_400), example = "60s")]
    pub idle: Option<Duration>,
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
        maxconn = "max_connections", max_conns = "max_connections", keepalive = "keep_alive", keepAlive = "keep_alive", connection_pool = "keep_alive", timeouts = "timeout", connect_timeout = "timeout", retries = "retry", retry_policy = "retry",
        healthcheck = "health_check", healthchecks = "health_check", health_checks = "health_check", healthCheck = "health_check", check = "health_check",
        outlier = "outlier_detection", transport_socket = "tls", ssl = "tls", weight = "weights stand beside the endpoint: `{address: host:port, weight: 2}`",
    ),
    unbuilt(
        health_check = "active health checks", outlier_detection = "outlier detection", circuit_breaker = "circuit breakers", tls = "TLS to upstreams", protocol = "other protocols than HTTP/1.1 to upstreams",
        replicas = "PostgreSQL pooling", slow_start = "slow start", sticky = "sticky sessions", hash = "hash balancing", proxy_protocol = "the PROXY protocol", locality = "localities", subsets = "subsets of endpoints",
    )
)]
pub struct Upstream {
    /// The endpoints: `host:port`, `unix:/path`, or `{address: host:port, weight: 2}`.
    #[spec(example = "[localhost:3000]")]
    pub endpoints: OneOrMany<UpstreamEndpoint>,
    /// How the endpoint of a request is chosen.
    #[spec(default = Balance::RoundRobin)]
    pub balance: Balance,
    /// Most connections to one endpoint at a time, over all workers, or `none`.
    #[spec(default = Limit::Max(1024))]
    pub max_connections: Limit<u32>,
    /// Connections kept for further requests.
    pub keep_alive: KeepAlive,
    /// Timeouts of this upstream; what is not written comes from `defaults`. A route's own go first.
    pub timeout: Timeouts,
    /// When a request is sent once more.
    pub retry: Retry,
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
        load_balancing_weight = "weight"
    ),
    unbuilt(
        backup = "backup endpoints",
        priority = "priorities of endpoints",
        zone = "localities",
        max_connections = "limits of single endpoints",
        labels = "subsets of endpoints"
    )
)]
pub struct UpstreamEndpoint {
    /// `host:port`, `http://host:port` or `unix:/path`.
    #[spec(example = "localhost:3000")]
    pub address: Spanned<Endpoint>,
    /// Its share of the requests, against the weights of the others. 0 gets none.
    #[spec(default = 1, max = crate::limits::WEIGHT_MAX)]
    pub weight: u32,
}

/// How the endpoint of a request is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Spec)]
#[spec(
    noun = "a way to balance",
    peers(roundrobin = "round_robin", "round-robin" = "round_robin", ROUND_ROBIN = "round_robin", wrr = "round_robin", rr = "round_robin", static_rr = "round_robin", "static-rr" = "round_robin",
        leastconn = "least_request", least_conn = "least_request", LEAST_REQUEST = "least_request", ip_hash = "hash", source = "hash", RANDOM = "random"),
    unbuilt(least_request = "least-request balancing", random = "random balancing", hash = "hash balancing", ring_hash = "hash balancing", maglev = "hash balancing", first = "balancing by order", peak_ewma = "latency balancing", p2c = "least-request balancing")
)]
pub enum Balance {
    /// One after the other, by weight.
    RoundRobin,
}

/// Connections kept for further requests.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`keep_alive`",
    empty_ok,
    peers(
        max = "max_idle",
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
    /// How long an idle connection is kept. Shorter than the origin keeps it (nginx 75s, Apache 5s, Node 5s), or requests meet closed connections and are sent again.
    #[spec(default = Duration::secs(60), min = Duration::millis(100), max = Duration::secs(86_400))]
    pub idle_timeout: Duration,
}

/// When a request is sent once more, to another endpoint if there is one. Only what is safe is repeated: a request that may have reached the origin only if its method is idempotent (RFC 9110 section 9.2.2).
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(noun = "`retry`", short = "attempts", empty_ok, peers(num_retries = "attempts", retries = "attempts", tries = "attempts", "on" = "retry_on", conditions = "retry_on", retry_policy = "retry_on"),
    unbuilt(budget = "retry budgets", backoff = "retry delays", per_try_timeout = "timeouts of single attempts"))]
pub struct Retry {
    /// Most attempts, the first one included; 1 never repeats.
    #[spec(default = 2, min = 1_u32, max = 10_u32)]
    pub attempts: u32,
    /// What is worth another attempt.
    #[spec(default = vec![RetryOn::ConnectFailure, RetryOn::Reset])]
    pub retry_on: Vec<RetryOn>,
}

/// What is worth another attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Spec)]
#[spec(noun = "a reason to try again", peers("connect-failure" = "connect_failure", error = "connect_failure", "conn-failure" = "connect_failure", "refused-stream" = "connect_failure", "empty-response" = "reset"),
    unbuilt("500" = "retries by status", "502" = "retries by status", "503" = "retries by status", "504" = "retries by status", "5xx" = "retries by status", timeout = "retries after a timeout", gateway_error = "retries by status"))]
pub enum RetryOn {
    /// The connection could not be made: the request has not left.
    ConnectFailure,
    /// The connection broke before a byte of the response came.
    Reset,
}

/// What holds for every route unless it says otherwise.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`defaults`",
    empty_ok,
    peers(timeouts = "timeout"),
    unbuilt(limits = "default limits", retry = "default retries", balance = "default balancing")
)]
pub struct Defaults {
    /// Timeouts.
    pub timeout: DefaultTimeouts,
    /// Filters that run before each route's own.
    pub filters: Vec<Filter>,
}

/// Timeouts where neither route nor upstream sets its own. A text stands for `request`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`timeout`",
    short = "request",
    empty_ok,
    peers(
        read = "first_byte",
        response = "first_byte",
        server = "first_byte",
        total = "request",
        dial = "connect",
        client = "`header_timeout` and `idle_timeout` in a listener's `limits`"
    )
)]
pub struct DefaultTimeouts {
    /// Time to connect to an endpoint.
    #[spec(default = Duration::secs(1), min = Duration::millis(1), max = Duration::secs(3600))]
    pub connect: Duration,
    /// Time from the request's end to the first byte of the response. Answered with 504 when it is over.
    #[spec(default = Duration::secs(60), min = Duration::millis(1), max = Duration::secs(86_400))]
    pub first_byte: Duration,
    /// Time for the whole exchange, or `none`. Long by default: it also bounds downloads. Upgraded connections (WebSocket) are not bounded by it.
    #[spec(default = Limit::Max(Duration::secs(3600)), min = Duration::millis(1))]
    pub request: Limit<Duration>,
    /// Longest silence while a body or an upgraded connection is open, in either direction.
    #[spec(default = Duration::secs(75), min = Duration::millis(1), max = Duration::secs(86_400))]
    pub idle: Duration,
}

impl DefaultTimeouts {
    /// These, with what a route or an upstream sets in their place.
    #[must_use]
    pub fn overridden(&self, by: &Timeouts) -> Self {
        Self {
            connect: by.connect.unwrap_or(self.connect),
            first_byte: by.first_byte.unwrap_or(self.first_byte),
            request: by.request.unwrap_or(self.request),
            idle: by.idle.unwrap_or(self.idle),
        }
    }
}

/// Logs.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`telemetry`",
    empty_ok,
    peers(log = "access_log", logs = "access_log", accessLog = "access_log", tracing = "traces"),
    unbuilt(metrics = "settings of metrics", traces = "traces")
)]
pub struct Telemetry {
    /// A record of every request.
    pub access_log: AccessLog,
}

/// A record of every request. A text stands for `format`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`access_log`",
    short = "format",
    empty_ok,
    peers(output = "path", file = "path", filePath = "path", to = "path", log_format = "format"),
    unbuilt(
        sample = "sampling of logs",
        always = "sampling of logs",
        fields = "choice of log fields",
        filters = "sampling of logs"
    )
)]
pub struct AccessLog {
    /// How records are written.
    #[spec(default = LogFormat::Auto)]
    pub format: LogFormat,
    /// Where they go: `stdout`, `stderr` or the path of a file, which is appended to.
    #[spec(default = LogPath::Stdout)]
    pub path: LogPath,
}

/// How records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Spec)]
#[spec(noun = "a log format", peers(none = "off", "false" = "off", disabled = "off", console = "text", common = "text", combined = "text", plain = "text"))]
pub enum LogFormat {
    /// Coloured text on a terminal, JSON elsewhere.
    Auto,
    /// One JSON object a line.
    Json,
    /// One line of text a request.
    Text,
    /// No records.
    Off,
}

/// Health, metrics and control of the running process. A text stands for `address`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(noun = "`admin`", short = "address", empty_ok, check = socket_is_a_file, peers(listen = "address", bind = "address", port = "address", path = "socket", enabled = "`address: off` switches it off"), unbuilt(dashboard = "the dashboard", tokens = "tokens for the admin API", tls = "TLS"))]
pub struct Admin {
    /// Where `/livez`, `/readyz` and `/metrics` are served, or `off`. Whoever reaches it can read metrics and stop the process, so it is this machine only by default.
    #[spec(default = OrOff::On(Spanned::unwritten(Address::Socket((Ipv4Addr::LOCALHOST, 9900).into()))))]
    pub address: OrOff<Spanned<Address>>,
    /// A socket file that serves the same.
    #[spec(example = "unix:/run/strait/admin.sock")]
    pub socket: Option<Spanned<Address>>,
}

fn socket_is_a_file(admin: &Admin, _: &Node, decoder: &mut Decoder) {
    if let Some(socket) = admin.socket.as_ref().filter(|socket| !matches!(socket.value, Address::Unix(_))) {
        decoder.report(
            Diagnostic::error(codes::ADDRESS, socket.span, "`socket` is a socket file")
                .label("this is a port")
                .replace("write unix:/run/strait/admin.sock", socket.span, "unix:/run/strait/admin.sock"),
        );
    }
}

/// A request with what must become of it.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(noun = "a test", peers(url = "request", client = "from", expected = "expect"))]
pub struct RequestTest {
    /// Method and URL: `GET https://example.com/path`.
    #[spec(example = "GET http://example.com/")]
    pub request: Spanned<String>,
    /// Headers of the request.
    pub headers: Headers,
    /// Address of the client.
    #[spec(example = "203.0.113.9")]
    pub from: Option<Spanned<Cidr>>,
    /// What must become of it.
    pub expect: Spanned<Expectation>,
}

/// What must become of a test's request.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`expect`",
    peers(code = "status", upstream = "to", target = "to"),
    unbuilt(headers = "expectations about headers", body = "expectations about bodies")
)]
pub struct Expectation {
    /// The status of the answer, where the configuration alone decides it.
    pub status: Option<Status>,
    /// The target it goes to.
    pub to: Option<Spanned<Target>>,
    /// The pattern of the route that wins.
    pub route: Option<Spanned<String>>,
}
