use crate::{Absence, Endpoint, HashKey, HealthCheck, Lookup, RetryPolicy, Sticky, UpstreamState};
use std::sync::Arc;
use std::time::Duration;
pub use strait_traffic::WEIGHT_MAX;
use strait_traffic::{Balance, Candidate, Endpoints, OutlierRules, Standing};

/// A named group of interchangeable endpoints and how to use them.
#[derive(Clone, Debug)]
pub struct Upstream {
    /// Its name; for one written in place, its target.
    pub name: Arc<str>,
    /// Its endpoints.
    pub endpoints: Vec<Endpoint>,
    /// Where further endpoints are looked up; those found are among `endpoints`.
    pub lookups: Vec<Lookup>,
    /// How they are chosen.
    pub balance: Balance,
    /// What consistent hashing chooses by.
    pub hash_key: Option<HashKey>,
    /// Keeps a client with one endpoint.
    pub sticky: Option<Arc<Sticky>>,
    /// What is known about it over all plans and workers.
    pub state: Arc<UpstreamState>,
    /// Opening a connection, at most.
    pub connect_timeout: Duration,
    /// From the end of the request to the response head, at most.
    pub first_byte_timeout: Duration,
    /// Without an octet of either body moving, at most.
    pub idle_timeout: Duration,
    /// Without an octet of a tunnel moving, at most.
    pub tunnel_timeout: Duration,
    /// Exchanges that wait for a connection to one endpoint, over all workers.
    pub queue_max: u32,
    /// How long one may wait so.
    pub queue_timeout: Duration,
    /// Idle connections kept to one endpoint by one worker.
    pub keep_alive_max: usize,
    /// Idle connections that one worker opens beforehand to each endpoint.
    pub keep_alive_warm: usize,
    /// How long an idle one is kept.
    pub keep_alive_timeout: Duration,
    /// When a request is sent once more.
    pub retry: RetryPolicy,
    /// What the control plane asks its endpoints.
    pub health_check: Option<Arc<HealthCheck>>,
    /// When endpoints are ejected for what attempts show.
    pub outliers: Option<OutlierRules>,
    /// Whether endpoints may say about themselves how much they want to do.
    pub takes_hints: bool,
    /// Where its timeouts were set.
    pub sources: TimeoutSources,
    /// The upstream that this is, used with timeouts of a route's own: the same name, endpoints and state. Metrics show
    /// only those for which this is `None`.
    pub variant_of: Option<usize>,
}

/// Who goes first where exchanges wait for a connection to one endpoint; later variants go before earlier ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum QueuePriority {
    /// Behind all others.
    Low,
    /// As most.
    #[default]
    Normal,
    /// Before all others.
    High,
}

/// Where a timeout was set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Source {
    /// In `defaults`, or nowhere: the default of the language.
    #[default]
    Defaults,
    /// In the upstream.
    Upstream,
    /// In the route.
    Route,
}

/// Where each timeout of an upstream was set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TimeoutSources {
    /// Connecting.
    pub connect: Source,
    /// The first octet of the response.
    pub first_byte: Source,
    /// Silence of a body.
    pub idle: Source,
    /// Silence of a tunnel.
    pub tunnel: Source,
}

impl Source {
    /// For people, behind the value.
    pub fn word(self) -> &'static str {
        match self {
            Self::Defaults => "defaults",
            Self::Upstream => "upstream",
            Self::Route => "route",
        }
    }
}

impl Upstream {
    /// An upstream with the defaults of the language.
    pub fn new(name: &str, endpoints: Vec<Endpoint>) -> Self {
        let first = endpoints.first();
        Self {
            name: name.into(),
            state: first.map(|first| first.state.standing.upstream().clone()).unwrap_or_default(),
            endpoints,
            lookups: Vec::new(),
            balance: Balance::default(),
            hash_key: None,
            sticky: None,
            connect_timeout: Duration::from_secs(1),
            first_byte_timeout: Duration::from_secs(60),
            idle_timeout: Duration::from_secs(60),
            tunnel_timeout: Duration::ZERO,
            queue_max: 16_384,
            queue_timeout: Duration::from_secs(10),
            keep_alive_max: 1024,
            keep_alive_warm: 0,
            keep_alive_timeout: Duration::from_secs(60),
            retry: RetryPolicy::default(),
            health_check: None,
            outliers: None,
            takes_hints: false,
            sources: TimeoutSources::default(),
            variant_of: None,
        }
    }
}

/// An upstream as pickers see it.
impl Endpoints for Upstream {
    fn count(&self) -> usize {
        self.endpoints.len()
    }

    #[inline]
    fn candidate(&self, endpoint: usize, now_ms: u64) -> Candidate {
        self.endpoints.get(endpoint).map_or(NOBODY, |endpoint| endpoint.candidate(now_ms))
    }

    #[inline]
    fn running(&self, endpoint: usize) -> u32 {
        self.endpoints.get(endpoint).map_or(0, |endpoint| endpoint.state.load.running())
    }

    #[inline]
    fn running_in_all(&self) -> u32 {
        self.state.running()
    }

    #[inline]
    fn latency_us(&self, endpoint: usize, now_ms: u64, decay_ms: u32) -> u32 {
        self.endpoints.get(endpoint).map_or(0, |endpoint| endpoint.state.load.latency.read_us(now_ms, decay_ms))
    }
}

const NOBODY: Candidate =
    Candidate { weight: 0, table_weight: 0, tier: 0, standing: Standing::Out, until_ms: u64::MAX, since_ms: None };

impl Endpoint {
    /// Whether a client that sticks to it may still come: unless it is known not to work.
    pub fn keeps_clients(&self, now_ms: u64) -> bool {
        matches!(self.state.standing.absence(now_ms), None | Some(Absence::Draining))
    }

    /// Its weight now.
    pub fn weight_now(&self) -> u32 {
        self.state.standing.weight().unwrap_or(self.weight)
    }

    fn candidate(&self, now_ms: u64) -> Candidate {
        let standing = &self.state.standing;
        let (seen, until_ms) = match standing.absence(now_ms) {
            None => (Standing::Available, u64::MAX),
            Some(Absence::Ejected { until_ms }) => (Standing::Failing, until_ms),
            Some(Absence::Unhealthy) => (Standing::Failing, u64::MAX),
            Some(Absence::Draining | Absence::Unresolved) => (Standing::Out, u64::MAX),
        };
        Candidate {
            weight: self.weight_now(),
            table_weight: self.weight,
            tier: self.tier,
            standing: seen,
            until_ms,
            since_ms: standing.since_ms(now_ms),
        }
    }
}
