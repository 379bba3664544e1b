//! What workers read: the compiled, immutable form of a configuration, and the road by which it reaches them.
//!
//! A [`Plan`] is built aside and published whole; an exchange keeps the one it began with. Names have become
//! indices, patterns a table, weights a schedule. What must outlive a plan (an endpoint's connections and counters, a
//! route's meters) hangs on it as shared state that the compiler carries from plan to plan by identity.
//!
//! Knows the engines' limits and tables; knows nothing about text, files, sockets or tasks.

mod access_log;
mod condition;
mod decide;
mod endpoint;
mod files;
mod forwarded;
mod health;
mod hint;
mod key;
mod lookup;
mod mailbox;
mod outlier;
mod own_fields;
mod retry;
mod standing;
mod status_set;
mod sticky;
mod tracing;
mod upstream;
mod watch;

pub use access_log::{AccessLog, Chosen, Form, LOG_NAMES, LogEvidence, Sampling, log_environment};
pub use condition::{Condition, Portion, TextTest, Unmet, portion_salt};
pub use decide::Verdict;
pub use endpoint::{Endpoint, EndpointAddress, EndpointState};
pub use files::{Files, Symlinks, coded_extension};
pub use forwarded::{ClientView, TrustedProxies};
pub use health::{CheckFigures, CheckKind, CheckStep, GrpcCheck, HealthCheck, HttpCheck};
pub use hint::Hint;
pub use key::HashKey;
pub use lookup::{Found, Lookup};
pub use mailbox::{PublishError, Workers};
pub use outlier::{OutlierFigures, outcome_of};
pub use own_fields::{IDENTITY_FAMILIES, OwnField, RESPONSE_REPLACED, request_skipped};
pub use retry::{RetryOn, RetryPolicy};
pub use standing::{Absence, Health, Load, Standing, UpstreamState};
pub use status_set::StatusSet;
pub use sticky::{Sticky, Tag, cookie};
pub use strait_filters::evidence::{ClientCertificate, Evidence, Facts, TlsFacts, scheme};
pub use tracing::{Parents, TraceForms, Tracing, hexadecimal};
pub use upstream::{QueuePriority, Source, TimeoutSources, Upstream, WEIGHT_MAX};
pub use watch::RecordFilter;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use strait_expr::{Expression, Template};
use strait_filters::Chain;
use strait_message::Status;
use strait_record::{Dialect, RouteMeter, Sharded};
use strait_route::PathRules;
use strait_tls::{ListenerTls, OcspOrder};

/// Everything the workers need to know, at one moment.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Counts published plans; stands in every access record.
    pub generation: u64,
    /// Where connections arrive.
    pub listeners: Vec<Listener>,
    /// Groups of endpoints; routes name them by index.
    pub upstreams: Vec<Arc<Upstream>>,
    /// How access records are written, and of which exchanges.
    pub access_log: Arc<AccessLog>,
    /// How exchanges are traced; `None` when none is.
    pub tracing: Option<Tracing>,
    /// Whether clients are told where the time went (`Server-Timing`).
    pub server_timing: bool,
    /// Whose names metrics are shown under as well.
    pub dialects: Vec<Dialect>,
    /// How long a drain waits for what runs; `None` for as long as it takes.
    pub drain_timeout: Option<Duration>,
    /// Files of certificates, keys and authorities: when one of them changes, the same configuration is compiled anew.
    pub files: Vec<PathBuf>,
    /// Certificates whose responders are asked for OCSP responses.
    pub staples: Arc<[OcspOrder]>,
}

impl Plan {
    /// Where endpoints are looked up, each once.
    pub fn lookups(&self) -> Vec<Lookup> {
        let all = self.upstreams.iter().flat_map(|upstream| &upstream.lookups);
        all.collect::<std::collections::BTreeSet<_>>().into_iter().cloned().collect()
    }
}

/// A bound address and how its connections are treated.
#[derive(Clone, Debug)]
pub struct Listener {
    /// Its name in the configuration: its identity over reloads, together with its address.
    pub name: Arc<str>,
    /// Where it is bound.
    pub address: ListenAddress,
    /// The routes of its requests; shared by listeners that use the same table.
    pub routes: Arc<RouteSet>,
    /// What one connection and one message may cost.
    pub limits: ListenerLimits,
    /// TLS, where it is spoken.
    pub tls: Option<Arc<ListenerTls>>,
    /// The port of the listener with TLS that requests are redirected to.
    pub https_port: Option<u16>,
    /// Whose word about the client is believed.
    pub trusted_proxies: TrustedProxies,
    /// How paths are made canonical.
    pub path_rules: PathRules,
    /// Whether a client that ends its side of the connection is taken to have left.
    pub end_is_leaving: bool,
}

/// What a listener is bound to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ListenAddress {
    /// An address and port; port 0 lets the system choose.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

/// What a listener allows its clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ListenerLimits {
    /// Limits of one message.
    pub http1: strait_http1::Limits,
    /// The same of HTTP/2; `None` where it is not spoken.
    pub http2: Option<strait_http2::Limits>,
    /// From the first octet of a request to the end of its head, at most.
    pub header_timeout: Duration,
    /// How long a kept-alive connection may be idle.
    pub idle_timeout: Duration,
    /// Octets a second that a body must move on average, over a window; zero turns it off.
    pub body_rate_min: u64,
    /// The window of `body_rate_min`.
    pub body_rate_window: Duration,
    /// Open connections over all workers.
    pub connections_max: u32,
    /// Open connections from one client address over all workers; `None` for any number.
    pub connections_per_client_max: Option<u32>,
    /// Requests on one connection; zero for any number.
    pub requests_per_connection_max: u32,
    /// Octets of a request body.
    pub body_bytes_max: Option<u64>,
}

/// A table of patterns, and what each leads to.
#[derive(Debug)]
pub struct RouteSet {
    /// Finds an index into `routes`; shared by plans that have the same patterns.
    pub table: Arc<strait_route::Table>,
    /// The routes.
    pub routes: Vec<Route>,
    /// Whether some route has a condition, so that a pattern alone does not decide.
    pub has_conditions: bool,
    /// The filters of requests without a route: those of `defaults` and of the listener.
    pub unrouted: Option<Arc<Chain>>,
}

/// A pattern, what is done to its requests, and where they go.
#[derive(Debug)]
pub struct Route {
    /// The pattern as written: its identity over reloads.
    pub pattern: Arc<str>,
    /// Where it is written, as `file:line`.
    pub source: Arc<str>,
    /// Without it holding, the pattern is passed over.
    pub condition: Option<Box<Expression>>,
    /// What is done instead, under conditions; the first that hold decide.
    pub branches: Box<[Branch]>,
    /// What is done.
    pub action: Action,
    /// From the end of the request head to the end of the response, at most; `None` for tunnels and streams that may
    /// last.
    pub request_timeout: Option<Duration>,
    /// Where that was set.
    pub request_timeout_source: Source,
    /// Keeps a client with one side of a split.
    pub sticky: Option<Arc<Sticky>>,
    /// Whether the origin sees the client's Host (else the endpoint's name).
    pub preserve_host: bool,
    /// Its place where exchanges wait for a connection.
    pub queue_priority: QueuePriority,
    /// Octets of a request body, where it differs from the listener's.
    pub body_bytes_max: Option<u64>,
    /// Changes to the request's fields.
    pub request_headers: HeaderEdits,
    /// Changes to the response's fields.
    pub response_headers: HeaderEdits,
    /// The filters of its requests and responses; `None` without any, which costs nothing.
    pub filters: Option<Arc<Chain>>,
    /// What is counted about it.
    pub meter: Arc<Sharded<RouteMeter>>,
}

/// What takes the place of a route under conditions.
#[derive(Debug)]
pub struct Branch {
    /// The conditions.
    pub condition: Condition,
    /// The route in its place: of the same pattern, meter and captures, and without branches of its own.
    pub route: Route,
}

/// What a route does with a request.
#[derive(Debug)]
pub enum Action {
    /// Sends it upstream.
    Forward {
        /// Indices into the plan's upstreams.
        upstreams: Box<[usize]>,
        /// Their weights, in the same order.
        weights: Box<[u32]>,
    },
    /// Serves files.
    Files(Arc<Files>),
    /// Answers with a redirect.
    Redirect(Redirect),
    /// Answers with a fixed response.
    Respond(Respond),
}

/// A redirect.
#[derive(Clone, Debug)]
pub struct Redirect {
    /// 301, 302, 303, 307 or 308.
    pub status: Status,
    /// Scheme and authority, or an absolute path, or both.
    pub location: Template,
    /// Whether the request's path and query are appended.
    pub keep_path: bool,
}

/// A fixed response.
#[derive(Clone, Debug)]
pub struct Respond {
    /// Its status.
    pub status: Status,
    /// Its body.
    pub body: Template,
    /// Its Content-Type; empty for none.
    pub content_type: Box<str>,
    /// Further fields.
    pub headers: HeaderEdits,
}

/// Fields to set and to remove.
#[derive(Clone, Debug, Default)]
pub struct HeaderEdits {
    /// Fields that replace any of the same name.
    pub set: Vec<(Box<str>, Template)>,
    /// Names of fields to remove.
    pub remove: Vec<Box<str>>,
}
