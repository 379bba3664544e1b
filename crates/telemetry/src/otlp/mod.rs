//! Spans and logs sent by OTLP, over HTTP or gRPC, as Protocol Buffers.
//!
//! The thread that takes exchanges collects them into messages; for each signal a thread of its own sends these and
//! waits for whoever receives them. Between the two lie at most [`MESSAGES_MAX`] messages; what comes then is dropped
//! and counted.

mod grpc;
mod post;
mod proto;
mod signals;

pub use post::Collector;

use post::Sender;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use strait_record::Sight;

/// Messages that wait to be sent.
pub const MESSAGES_MAX: usize = 64;
/// Spans, or log records, of one message.
const ITEMS_MAX: usize = 512;
/// Octets of one message.
const MESSAGE_BYTES_MAX: usize = 1 << 20;
/// How long spans and records are collected.
const COLLECT_TIMEOUT: Duration = Duration::from_secs(1);
/// How long a message is tried again while its receiver is busy or away.
const RETRY_TIMEOUT: Duration = Duration::from_secs(60);
const RETRY_PAUSE_MIN: Duration = Duration::from_millis(250);
const RETRY_PAUSE_MAX: Duration = Duration::from_secs(5);
/// What an exporter that was replaced gets to send what it collected.
const LEFT_BEHIND_TIMEOUT: Duration = Duration::from_secs(5);
const COMPLAINT_INTERVAL: Duration = Duration::from_secs(60);

/// Where what goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExportSettings {
    /// Who gets spans, if they are sent.
    pub traces: Option<Collector>,
    /// Who gets log records, if they are sent.
    pub logs: Option<Collector>,
}

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Spans.
    Traces,
    /// Log records.
    Logs,
}

impl Signal {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Traces, Self::Logs];

    /// One word, as in labels.
    pub fn word(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Logs => "logs",
        }
    }

    /// The path that takes it over HTTP.
    pub fn http_path(self) -> &'static str {
        match self {
            Self::Traces => "/v1/traces",
            Self::Logs => "/v1/logs",
        }
    }

    /// The method that takes it over gRPC, as a path.
    pub fn grpc_method(self) -> &'static str {
        match self {
            Self::Traces => "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
            Self::Logs => "/opentelemetry.proto.collector.logs.v1.LogsService/Export",
        }
    }
}

/// What is counted about sending, by signal. More than one thread writes it, seldom.
#[derive(Debug, Default)]
pub struct ExportMeter {
    sent: [AtomicU64; 2],
    dropped: [AtomicU64; 2],
    failures: [AtomicU64; 2],
}

impl ExportMeter {
    /// Spans or records that were taken at the other end.
    pub fn sent(&self, signal: Signal) -> u64 {
        read(&self.sent, signal)
    }

    /// Spans or records that were dropped: the queue was full, or they were refused, or tried for too long.
    pub fn dropped(&self, signal: Signal) -> u64 {
        read(&self.dropped, signal)
    }

    /// Messages that could not be sent or were refused; some are tried again.
    pub fn failures(&self, signal: Signal) -> u64 {
        read(&self.failures, signal)
    }
}

fn read(counters: &[AtomicU64; 2], signal: Signal) -> u64 {
    counters.get(signal as usize).map_or(0, |counter| counter.load(Ordering::Relaxed))
}

fn add(counters: &[AtomicU64; 2], signal: Signal, count: usize) {
    if let Some(counter) = counters.get(signal as usize) {
        counter.fetch_add(count as u64, Ordering::Relaxed);
    }
}

/// Collects spans and records, and has them sent.
#[derive(Debug)]
pub(crate) struct Exporter {
    instance: String,
    /// In the order of [`Signal::ALL`]; `None` for what is not sent.
    lanes: [Option<Lane>; 2],
    /// Set once it is to end: until when messages may be tried.
    stop_by: Arc<OnceLock<Instant>>,
    meter: Arc<ExportMeter>,
}

/// What is collected of one signal, and who sends it.
#[derive(Debug)]
struct Lane {
    collected: Collected,
    /// The name of the service (`service.name`).
    service: String,
    queue: SyncSender<Message>,
    sender: JoinHandle<()>,
}

#[derive(Debug, Default)]
struct Collected {
    content: Vec<u8>,
    items: usize,
    since: Option<Instant>,
}

#[derive(Debug)]
struct Message {
    body: Vec<u8>,
    items: usize,
}

impl Exporter {
    pub(crate) fn start(settings: ExportSettings, meter: Arc<ExportMeter>) -> io::Result<Self> {
        let stop_by = Arc::new(OnceLock::new());
        let lane = |signal, collector: &Option<Collector>| {
            let start = |collector: &Collector| Lane::start(signal, collector, stop_by.clone(), meter.clone());
            collector.as_ref().map(start).transpose()
        };
        let lanes = [lane(Signal::Traces, &settings.traces)?, lane(Signal::Logs, &settings.logs)?];
        Ok(Self { instance: instance(), lanes, stop_by, meter })
    }

    pub(crate) fn add(&mut self, sight: &Sight<'_>) {
        let [traces, logs] = &mut self.lanes;
        if let Some(Lane { collected, .. }) = traces.as_mut().filter(|_| sight.wanted.trace) {
            let items = signals::spans(sight, &mut collected.content);
            collected.added(items);
        }
        if let Some(Lane { collected, .. }) = logs.as_mut().filter(|_| sight.wanted.log) {
            signals::log(sight, now_us(), &mut collected.content);
            collected.added(1);
        }
        self.send_if(Collected::is_full);
    }

    pub(crate) fn send_if_due(&mut self) {
        self.send_if(|collected| collected.since.is_some_and(|since| since.elapsed() >= COLLECT_TIMEOUT));
    }

    fn send_if(&mut self, is_wanted: impl Fn(&Collected) -> bool) {
        let lanes =
            Signal::ALL.into_iter().zip(&mut self.lanes).filter_map(|(signal, lane)| Some((signal, lane.as_mut()?)));
        for (signal, Lane { collected, queue, service, .. }) in lanes {
            if collected.items == 0 || !is_wanted(collected) {
                continue;
            }
            let Collected { content, items, .. } = std::mem::take(collected);
            let version = env!("CARGO_PKG_VERSION");
            let body = signals::envelope(service, &self.instance, version, &content);
            if queue.try_send(Message { body, items }).is_err() {
                add(&self.meter.dropped, signal, items);
            }
        }
    }

    /// Sends what is left, within about `limit`.
    pub(crate) fn stop(mut self, limit: Duration) {
        self.send_if(|_| true);
        let _ = self.stop_by.set(Instant::now() + limit);
        for Lane { queue, sender, .. } in std::mem::take(&mut self.lanes).into_iter().flatten() {
            // The thread ends when its queue is empty and nobody fills it any more.
            drop(queue);
            let _ = sender.join();
        }
    }
}

/// Another destination takes its place: what was collected still goes where it was to go, while nobody waits for it.
impl Drop for Exporter {
    fn drop(&mut self) {
        self.send_if(|_| true);
        let _ = self.stop_by.set(Instant::now() + LEFT_BEHIND_TIMEOUT);
    }
}

impl Lane {
    fn start(
        signal: Signal,
        collector: &Collector,
        stop_by: Arc<OnceLock<Instant>>,
        meter: Arc<ExportMeter>,
    ) -> io::Result<Self> {
        let (queue, messages) = mpsc::sync_channel(MESSAGES_MAX);
        let post = Post { signal, sender: Sender::new(collector.clone()), stop_by, meter, complained: None };
        let name = format!("otlp-{}", signal.word());
        let sender = thread::Builder::new().name(name).spawn(move || post.run(&messages))?;
        let (collected, service) = (Collected::default(), collector.service.clone());
        Ok(Self { collected, service, queue, sender })
    }
}

impl Collected {
    fn added(&mut self, items: usize) {
        self.items += items;
        self.since.get_or_insert_with(Instant::now);
    }

    fn is_full(&self) -> bool {
        self.items >= ITEMS_MAX || self.content.len() >= MESSAGE_BYTES_MAX
    }
}

/// The thread that sends.
struct Post {
    signal: Signal,
    sender: Sender,
    stop_by: Arc<OnceLock<Instant>>,
    meter: Arc<ExportMeter>,
    complained: Option<Instant>,
}

impl Post {
    fn run(mut self, messages: &Receiver<Message>) {
        while let Ok(message) = messages.recv() {
            self.deliver(&message);
        }
    }

    /// Sends a message, again and again while that may help.
    fn deliver(&mut self, message: &Message) {
        let (signal, began) = (self.signal, Instant::now());
        let mut pause = RETRY_PAUSE_MIN;
        loop {
            let refusal = match self.sender.send(&message.body) {
                Ok(()) => return add(&self.meter.sent, signal, message.items),
                Err(refusal) => refusal,
            };
            add(&self.meter.failures, signal, 1);
            let collector = self.sender.collector();
            self.complain(&format!("{} cannot be sent to {collector}: {refusal}", signal.word()));
            let over = self.stop_by.get().is_some_and(|stop_by| Instant::now() + pause >= *stop_by);
            if over || refusal.is_final() || began.elapsed() >= RETRY_TIMEOUT {
                return add(&self.meter.dropped, signal, message.items);
            }
            let wait = refusal.retry_after().unwrap_or(pause).min(RETRY_PAUSE_MAX);
            thread::sleep(wait.min(self.left()));
            pause = (pause * 2).min(RETRY_PAUSE_MAX);
        }
    }

    fn left(&self) -> Duration {
        self.stop_by.get().map_or(RETRY_PAUSE_MAX, |stop_by| stop_by.saturating_duration_since(Instant::now()))
    }

    fn complain(&mut self, told: &str) {
        if self.complained.is_none_or(|when| when.elapsed() >= COMPLAINT_INTERVAL) {
            self.complained = Some(Instant::now());
            let _ = writeln!(io::stderr(), "strait: {told}");
        }
    }
}

/// What tells this process from others of the same service.
fn instance() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    format!("{}:{}", host.trim(), std::process::id())
}

fn now_us() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}
