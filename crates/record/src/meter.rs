use crate::{Answers, Histogram};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};
use strait_message::{Fault, HandshakeFailure, Kind, Origin, Phase};

/// A count that one worker writes and anyone reads.
///
/// Adding is a load and a store without a locked instruction: correct only because there is a single writer.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds `n`. Only the owning worker may call it.
    #[inline]
    pub fn add(&self, n: u64) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(n), Ordering::Relaxed);
    }

    /// The count so far.
    pub fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A level that one worker raises and lowers and anyone reads.
#[derive(Debug, Default)]
pub struct Gauge(AtomicU64);

impl Gauge {
    /// Raises the level by one. Only the owning worker may call it.
    #[inline]
    pub fn up(&self) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
    }

    /// Lowers the level by one. Only the owning worker may call it.
    #[inline]
    pub fn down(&self) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_sub(1), Ordering::Relaxed);
    }

    /// The level now.
    pub fn read(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// One meter a worker, made when the worker first needs it, so that ten thousand idle routes cost nothing.
#[derive(Debug)]
pub struct Sharded<T>(Box<[OnceLock<Box<T>>]>);

impl<T: Default> Sharded<T> {
    /// Room for this many workers.
    pub fn new(workers: usize) -> Self {
        Self((0..workers).map(|_| OnceLock::new()).collect())
    }

    /// The meter of one worker. `None` when there are fewer workers.
    #[inline]
    pub fn of(&self, worker: usize) -> Option<&T> {
        self.0.get(worker).map(|shard| &**shard.get_or_init(Box::default))
    }

    /// The meters that were made so far.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter().filter_map(|shard| shard.get().map(|meter| &**meter))
    }

    /// The sum of one figure over all workers.
    pub fn sum(&self, figure: impl Fn(&T) -> u64) -> u64 {
        self.iter().map(figure).sum()
    }
}

/// What one worker counts about itself.
#[derive(Debug, Default)]
pub struct WorkerMeter {
    /// Client connections accepted.
    pub connections_accepted: Counter,
    /// Client connections refused by a limit.
    pub connections_refused: Counter,
    /// Those among them that were refused by the limit on connections of one client.
    pub connections_refused_per_client: Counter,
    /// Client connections open now.
    pub connections_open: Gauge,
    /// Exchanges begun.
    pub exchanges: Counter,
    /// Exchanges running now.
    pub exchanges_running: Gauge,
    /// Tunnels open now.
    pub tunnels_open: Gauge,
    /// Octets received from clients.
    pub bytes_received: Counter,
    /// Octets sent to clients.
    pub bytes_sent: Counter,
    /// Connections opened to endpoints.
    pub upstream_opened: Counter,
    /// Attempts served by a connection that was already open.
    pub upstream_reused: Counter,
    /// Idle upstream connections taken over from another worker.
    pub upstream_moved: Counter,
    /// Attempts beyond the first.
    pub retries: Counter,
    /// Attempts that were permitted and not made, because the budget for retries was used up.
    pub retries_over_budget: Counter,
    /// Access records that could not be written and were dropped.
    pub records_lost: Counter,
    /// Exchanges that sampling left out of the access log.
    pub records_sampled_out: Counter,
    /// Exchanges that traces, those who watch and the ring of failures missed, because their queue was full.
    pub sights_lost: Counter,
    /// Panics caught; each ended one connection.
    pub panics: Counter,
    /// Octets of pooled buffers in use or kept.
    pub buffer_bytes: Gauge,
    /// Turns of the worker's timer that came late, and by how many milliseconds together.
    pub lag_ms: Counter,
    /// TLS with clients.
    pub tls: TlsMeter,
    /// HTTP/2 with clients.
    pub http2: Http2Meter,
    /// Exchanges ended by a fault, by who, in which phase, and what.
    pub faults: FaultMeter,
    /// What filters did, by filter.
    pub filters: FilterMeter,
}

/// What one worker counts about HTTP/2 with clients.
#[derive(Debug, Default)]
pub struct Http2Meter {
    /// Connections open now.
    pub connections_open: Gauge,
    /// Streams open now: with their work upstream.
    pub streams_open: Gauge,
    /// Streams opened.
    pub streams: Counter,
    /// Streams that clients reset before they had ended.
    pub resets_received: Counter,
    /// Streams that were reset by us.
    pub resets_sent: Counter,
    /// Streams refused because the connection had as many as it may.
    pub streams_refused: Counter,
    /// Times that a body waited for a client's windows.
    pub stalls: Counter,
    /// Connections ended for frames without progress.
    pub floods: Counter,
    /// Connections ended because the protocol was broken.
    pub malformed: Counter,
    /// Connections ended because nothing left for too long.
    pub stalled_out: Counter,
}

impl Http2Meter {
    /// Connections that were ended, by the reason.
    pub fn ended(&self) -> [(&'static str, u64); 3] {
        [("flood", self.floods.read()), ("malformed", self.malformed.read()), ("stalled", self.stalled_out.read())]
    }
}

/// What one worker counts about TLS with clients.
#[derive(Debug, Default)]
pub struct TlsMeter {
    /// Handshakes running now.
    pub handshakes_running: Gauge,
    /// Handshakes done: TLS 1.2, 1.2 resumed, 1.3, 1.3 resumed.
    handshakes: [Counter; 4],
    failures: [Counter; HandshakeFailure::ALL.len()],
}

impl TlsMeter {
    /// Counts a handshake that was done.
    pub fn count_handshake(&self, version_is_13: bool, resumed: bool) {
        if let Some(counter) = self.handshakes.get(usize::from(version_is_13) * 2 + usize::from(resumed)) {
            counter.add(1);
        }
    }

    /// Counts one that failed.
    pub fn count_failure(&self, failure: HandshakeFailure) {
        if let Some(counter) = self.failures.get(failure as usize) {
            counter.add(1);
        }
    }

    /// Handshakes done, with version and whether a session was resumed.
    pub fn handshakes(&self) -> [(&'static str, bool, u64); 4] {
        let [old, old_resumed, new, new_resumed] = &self.handshakes;
        [
            ("1.2", false, old.read()),
            ("1.2", true, old_resumed.read()),
            ("1.3", false, new.read()),
            ("1.3", true, new_resumed.read()),
        ]
    }

    /// Handshakes that failed for a reason.
    pub fn failed(&self, failure: HandshakeFailure) -> u64 {
        self.failures.get(failure as usize).map_or(0, Counter::read)
    }
}

/// What is counted about a route, by one worker.
#[derive(Debug, Default)]
pub struct RouteMeter {
    /// Exchanges by method and status, with the time from the first octet of the request to the last of the response.
    pub answers: Answers,
    /// Exchanges that ended in a fault.
    pub faults: Counter,
    /// Octets of request bodies.
    pub bytes_received: Counter,
    /// Octets of response bodies.
    pub bytes_sent: Counter,
}

/// What is counted about an endpoint, by one worker.
#[derive(Debug, Default)]
pub struct EndpointMeter {
    /// Attempts begun.
    pub attempts: Counter,
    /// Attempts running now.
    pub attempts_running: Gauge,
    /// Attempts that ended in a fault of the endpoint.
    pub faults: Counter,
    /// Answers of the class 5xx.
    pub error_answers: Counter,
    /// Attempts by the hundreds digit of the status that came; index 0 counts those without one.
    pub classes: [Counter; 6],
    /// Connections opened.
    pub connections_opened: Counter,
    /// Connections that could not be opened.
    pub connections_failed: Counter,
    /// Time from the start of an attempt to the response head.
    pub response_time: Histogram,
}

const ORIGINS: [Origin; 4] = [Origin::Client, Origin::Upstream, Origin::Operator, Origin::Strait];
const PHASES: [Phase; 8] = [
    Phase::RequestHead,
    Phase::Route,
    Phase::Queue,
    Phase::Connect,
    Phase::RequestBody,
    Phase::ResponseHead,
    Phase::ResponseBody,
    Phase::Tunnel,
];
const KINDS: [Kind; 23] = [
    Kind::Malformed,
    Kind::TooLarge,
    Kind::Unsupported,
    Kind::Timeout,
    Kind::TryTimeout,
    Kind::Deadline,
    Kind::TooSlow,
    Kind::Closed,
    Kind::Reset,
    Kind::Refused,
    Kind::Unreachable,
    Kind::LengthMismatch,
    Kind::BadStatus,
    Kind::NoRoute,
    Kind::MethodNotAllowed,
    Kind::NoEndpoint,
    Kind::QueueFull,
    Kind::OverLimit,
    Kind::Stopping,
    Kind::Tls,
    Kind::Certificate,
    Kind::Misdirected,
    Kind::Defect,
];
// A variant added in `message` and not here stops the build.
const _: () = assert!(Origin::Strait as usize + 1 == ORIGINS.len());
const _: () = assert!(Phase::Tunnel as usize + 1 == PHASES.len());
const _: () = assert!(Kind::Defect as usize + 1 == KINDS.len());

/// Counts of faults by origin, phase and kind: a bounded table, whatever outsiders do.
#[derive(Debug)]
pub struct FaultMeter(Box<[Counter]>);

impl Default for FaultMeter {
    fn default() -> Self {
        Self((0..ORIGINS.len() * PHASES.len() * KINDS.len()).map(|_| Counter::default()).collect())
    }
}

impl FaultMeter {
    /// Counts a fault.
    pub fn count(&self, fault: &Fault) {
        if let Some(counter) = self.0.get(Self::slot(fault.origin, fault.phase, fault.kind)) {
            counter.add(1);
        }
    }

    /// How often this combination was counted.
    pub fn read(&self, fault: &Fault) -> u64 {
        self.of(fault.origin, fault.phase, fault.kind)
    }

    /// How often this combination was counted.
    pub fn of(&self, origin: Origin, phase: Phase, kind: Kind) -> u64 {
        self.0.get(Self::slot(origin, phase, kind)).map_or(0, Counter::read)
    }

    /// Every combination there is, in a fixed order.
    pub fn combinations() -> impl Iterator<Item = (Origin, Phase, Kind)> {
        let phases = |origin| PHASES.into_iter().map(move |phase| (origin, phase));
        let kinds = |(origin, phase)| KINDS.into_iter().map(move |kind| (origin, phase, kind));
        ORIGINS.into_iter().flat_map(phases).flat_map(kinds)
    }

    fn slot(origin: Origin, phase: Phase, kind: Kind) -> usize {
        (origin as usize * PHASES.len() + phase as usize) * KINDS.len() + kind as usize
    }
}

/// What a filter did with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilterVerdict {
    /// Let it go on.
    Continued,
    /// Answered in the origin's place.
    Answered,
    /// Would have answered, were it not a dry run.
    Spared,
    /// Could not do its work, and let it go on by its own rule for that.
    Failed,
}

impl FilterVerdict {
    /// Every verdict.
    pub const ALL: [Self; 4] = [Self::Continued, Self::Answered, Self::Spared, Self::Failed];

    /// One word, as in labels.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Continued => "continued",
            Self::Answered => "answered",
            Self::Spared => "spared",
            Self::Failed => "failed",
        }
    }
}

/// Filters that can be told apart; the list of them is far shorter.
const FILTERS_MAX: usize = 64;

/// Counts of filters' verdicts, by the number of the filter in the list of all: a bounded table.
#[derive(Debug)]
pub struct FilterMeter(Box<[Counter]>);

impl Default for FilterMeter {
    fn default() -> Self {
        Self((0..FILTERS_MAX * FilterVerdict::ALL.len()).map(|_| Counter::default()).collect())
    }
}

impl FilterMeter {
    /// Counts a verdict of a filter.
    #[inline]
    pub fn count(&self, filter: usize, verdict: FilterVerdict) {
        if let Some(counter) = self.0.get(filter * FilterVerdict::ALL.len() + verdict as usize) {
            counter.add(1);
        }
    }

    /// How often a filter said this.
    pub fn of(&self, filter: usize, verdict: FilterVerdict) -> u64 {
        self.0.get(filter * FilterVerdict::ALL.len() + verdict as usize).map_or(0, Counter::read)
    }
}

#[cfg(test)]
mod tests {
    use super::FaultMeter;

    #[test]
    fn every_combination_has_a_counter_of_its_own() {
        for (place, (origin, phase, kind)) in FaultMeter::combinations().enumerate() {
            assert_eq!(FaultMeter::slot(origin, phase, kind), place);
        }
        assert_eq!(FaultMeter::combinations().count(), FaultMeter::default().0.len());
    }
}
