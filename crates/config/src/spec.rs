//! What can be written, as types. Keys, defaults, ranges, short forms and documentation of the
//! language are these types and nothing else: the doc comments are the reference manual.

mod admin;
mod balance;
mod condition;
mod defaults;
mod files;
mod health;
mod http2;
mod listener;
mod resolver;
mod retry;
mod route;
mod telemetry;
mod tests;
mod tls;
mod traces;
mod upstream;

pub use admin::Admin;
pub use balance::{
    Algorithm, AlgorithmSettings, Balance, ConsistentHash, HashAlgorithm, LeastRequest, PeakEwma, SameSite, SlowStart,
    Sticky, StickyMode,
};
pub use condition::Branch;
pub use defaults::{DefaultTimeouts, Defaults};
pub use files::{Files, Symlinks};
pub use health::{CheckMethod, CheckProtocol, CheckStart, CheckStep, HealthCheck, OutlierDetection, OutlierMode};
pub use http2::Http2;
pub use listener::{HalfClose, Limits, Listener, Protocol};
pub use resolver::{AddressFamily, Resolver};
pub use retry::{Backoff, Retry, RetryOn};
pub use route::{QueuePriority, Redirect, RedirectStatus, Respond, Route, To};
pub use telemetry::{AccessLog, Facility, LogFields, LogFormat, Rotate, Syslog, Telemetry};
pub use tests::{Expectation, RequestTest};
pub use tls::{
    CertificateFiles, Certificates, ClientAuth, ClientAuthMode, EndpointTls, HostTls, ListenerTls, LocalNames,
    OcspSource, TlsVersion, UpstreamTls,
};
pub use traces::{MetricNames, Metrics, Otlp, TraceForm, TraceParents, Traces};
pub use upstream::{KeepAlive, Queue, Timeouts, Upstream, UpstreamEndpoint};

use crate::decode::{OneOrMany, Table};
use crate::filter::Filter;
use crate::source::Spanned;
use crate::value::{Cidr, Duration, Limit};
use strait_config_derive::Spec;

/// A whole configuration. Every key may be left out; keys that begin with `x-` are free for your own use.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "the file",
    empty_ok,
    peers(
        listener = "listeners",
        listen = "listeners",
        server = "listeners",
        servers = "listeners",
        bind = "listeners",
        frontend = "listeners",
        frontends = "listeners",
        entrypoints = "listeners",
        entryPoints = "listeners",
        http = "`http` has no block of its own: write `listeners`, `routes` and `upstreams` at the top",
        static_resources = "there is no static/dynamic split: write `listeners`, `routes` and `upstreams` at the top",
        route = "routes",
        location = "routes",
        locations = "routes",
        routers = "routes",
        virtual_hosts = "routes",
        handle = "routes",
        virtualHosts = "routes",
        hosts = "routes",
        rules = "routes",
        upstream = "upstreams",
        cluster = "upstreams",
        clusters = "upstreams",
        backend = "upstreams",
        backends = "upstreams",
        service = "upstreams",
        services = "upstreams",
        pools = "upstreams",
        pool = "upstreams",
        log = "telemetry",
        logs = "telemetry",
        logging = "telemetry",
        accessLog = "telemetry",
        access_log = "`access_log` belongs in `telemetry`",
        error_log = "telemetry",
        metrics = "`metrics` belongs in `telemetry`",
        tracing = "telemetry",
        global = "defaults",
        worker_processes = "workers",
        nbthread = "workers",
        threads = "workers",
        concurrency = "workers",
        set_real_ip_from = "trusted_proxies",
        worker_shutdown_timeout = "drain_timeout",
        shutdown_timeout = "drain_timeout",
        grace_period = "drain_timeout",
        graceTimeOut = "drain_timeout",
        trusted_proxy = "trusted_proxies",
        trustedIPs = "trusted_proxies",
        asserts = "assert",
        assertions = "assert",
        invariants = "assert",
        test = "tests",
        resolvers = "resolver",
        dns = "resolver",
        nameservers = "resolver",
        includes = "include",
        import = "include",
        api = "admin",
        stats = "admin",
        dashboard = "admin",
        plugins = "filters attach to routes: `filters: [...]`",
        middlewares = "filters attach to routes; named lists of them are `policies`",
        tls = "`tls` belongs in a listener",
        format_version = "version",
        _format_version = "version",
    ),
    unbuilt(
        auth = "authentication",
        mesh = "the service mesh",
        providers = "configuration from Docker, Kubernetes and others",
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
    /// Certificates for every listener with TLS.
    pub certificates: Certificates,
    /// Named lists of filters; `- use: NAME` stands for one in any list of filters.
    pub policies: Table<Vec<Filter>>,
    /// What holds for every route unless it says otherwise.
    pub defaults: Defaults,
    /// Logs.
    pub telemetry: Telemetry,
    /// Health, metrics and control of the running process.
    pub admin: Admin,
    /// Networks of proxies in front of this one: only from them are `X-Forwarded-For` and its like believed. From everyone else they are removed.
    #[spec(default = OneOrMany::default(), example = "[10.0.0.0/8]")]
    pub trusted_proxies: OneOrMany<Spanned<Cidr>>,
    /// Who is asked for the names of `dns://` and `srv://`.
    pub resolver: Resolver,
    /// Number of worker threads. Without it there is one per core.
    #[spec(min = 1_u32, max = 1024_u32)]
    pub workers: Option<u32>,
    /// The user to serve as, by name or number, when root starts it: everything but the configuration is opened as that user. The right to bind low ports is kept.
    #[spec(example = "strait")]
    pub user: Option<Spanned<String>>,
    /// The group to serve as; without it that of `user`.
    #[spec(example = "strait")]
    pub group: Option<Spanned<String>>,
    /// How long a drain (SIGTERM, SIGINT, `strait stop`) waits for exchanges and tunnels that run; then those left are ended. `none` waits for all of them. A second signal ends them at once.
    #[spec(default = Limit::Max(Duration::secs(30)), min = Duration::millis(1))]
    pub drain_timeout: Limit<Duration>,
    /// Requests with what must become of them, run by `strait check`.
    pub tests: Vec<RequestTest>,
    /// Sentences that must be true of every request, such as `/admin/** requires auth`: proven by `strait check` over the routes.
    #[spec(name = "assert", example = "[/admin/** requires auth]")]
    pub assertions: Vec<Spanned<String>>,
}

/// Version of the configuration format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Spec)]
#[spec(noun = "a version of the format")]
pub enum Version {
    /// The only version so far.
    #[spec(name = "1")]
    One,
}
