//! Exchanges as they are handed to whoever looks at them beside the access log: traces, those who watch, the ring of
//! failures. Plain copies: whatever is made of them is made elsewhere, so that a worker pays for a copy and no more.

use crate::AccessRecord;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use strait_message::{Fault, Status};

/// Octets that are kept of one text, such as a path or a User-Agent.
const TEXT_BYTES_MAX: usize = 2048;
/// Texts of a record, the one of the trace among them.
const TEXTS: usize = 16;

/// Where an exchange stands in a trace.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TraceRecord {
    /// The trace (W3C Trace Context §3.2.2.3).
    pub trace_id: [u8; 16],
    /// The exchange's own span.
    pub span_id: [u8; 8],
    /// The span of whoever asked, if it named one.
    pub parent_id: Option<[u8; 8]>,
    /// Whether the trace is kept, and spans are made.
    pub sampled: bool,
}

/// An attempt upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AttemptRecord {
    /// Its span, where the exchange is traced.
    pub span_id: [u8; 8],
    /// When it began, in microseconds after the exchange.
    pub began_us: u64,
    /// When it ended, in microseconds after the exchange.
    pub ended_us: u64,
    /// What connecting took in microseconds; zero on an open connection.
    pub connect_us: u64,
    /// Whether the connection was open already.
    pub reused: bool,
    /// The status that came, if one did.
    pub status: Option<Status>,
    /// Why it failed, if it did.
    pub fault: Option<Fault>,
}

/// Who wants an exchange beside those who want every one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Spans are made of it.
    pub trace: bool,
    /// It belongs into the access log that is sent as OTLP.
    pub log: bool,
}

/// One exchange out of a batch.
#[derive(Clone, Debug)]
pub struct Sight<'a> {
    /// Its record.
    pub record: AccessRecord<'a>,
    /// What the caller's `tracestate` was; empty for none.
    pub trace_state: &'a str,
    /// Its attempts in order, each with the name of the endpoint.
    pub attempts: Vec<(AttemptRecord, &'a str)>,
    /// Who wants it.
    pub wanted: Wanted,
}

impl Sight<'_> {
    /// Whether it deserves to be asked about: a fault ended it, or the answer was of the class 5xx.
    pub fn has_failed(&self) -> bool {
        self.record.has_failed()
    }
}

/// A batch of exchanges: one buffer of text, and figures beside it.
#[derive(Clone, Debug, Default)]
pub struct Sights {
    entries: Vec<Entry>,
    attempts: Vec<(AttemptRecord, u16)>,
    text: Vec<u8>,
}

#[derive(Clone, Debug)]
struct Entry {
    /// Everything that is no text.
    record: AccessRecord<'static>,
    wanted: Wanted,
    text_at: u32,
    lengths: [u16; TEXTS],
    attempts_at: u32,
    attempts: u16,
}

impl Sights {
    /// Copies an exchange into the batch. Of each text 2,048 octets are kept, of attempts 255.
    pub fn push<'e>(
        &mut self,
        record: &AccessRecord<'_>,
        trace_state: &[u8],
        wanted: Wanted,
        attempts: impl Iterator<Item = (AttemptRecord, &'e str)>,
    ) {
        let text_at = at(self.text.len());
        let lengths = texts(record, trace_state).map(|text| put(text, &mut self.text));
        let attempts_at = self.attempts.len();
        for (attempt, endpoint) in attempts.take(usize::from(u8::MAX)) {
            let length = put(endpoint.as_bytes(), &mut self.text);
            self.attempts.push((attempt, length));
        }
        let attempts = u16::try_from(self.attempts.len() - attempts_at).unwrap_or(0);
        let record = without_texts(record);
        self.entries.push(Entry { record, wanted, text_at, lengths, attempts_at: at(attempts_at), attempts });
    }

    /// The exchanges in order.
    pub fn iter(&self) -> impl Iterator<Item = Sight<'_>> {
        self.entries.iter().map(|entry| self.sight(entry))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Octets it takes.
    pub fn octets(&self) -> usize {
        self.text.len() + self.entries.len() * size_of::<Entry>() + self.attempts.len() * size_of::<AttemptRecord>()
    }

    /// Forgets all, and keeps the memory.
    pub fn clear(&mut self) {
        self.entries.clear();
        self.attempts.clear();
        self.text.clear();
    }

    fn sight<'a>(&'a self, entry: &'a Entry) -> Sight<'a> {
        let mut cut = Cut(self.text.get(entry.text_at as usize..).unwrap_or_default());
        let texts = entry.lengths.map(|length| cut.next(length));
        let (record, trace_state) = with_texts(entry.record, texts);
        let attempts = self.attempts.iter().skip(entry.attempts_at as usize).take(usize::from(entry.attempts));
        let attempts = attempts.map(|(attempt, length)| (*attempt, text(cut.next(*length)))).collect();
        Sight { record, trace_state, attempts, wanted: entry.wanted }
    }
}

/// Texts one behind the other.
struct Cut<'a>(&'a [u8]);

impl<'a> Cut<'a> {
    fn next(&mut self, length: u16) -> &'a [u8] {
        let (text, rest) = self.0.split_at_checked(usize::from(length)).unwrap_or_default();
        self.0 = rest;
        text
    }
}

fn put(text: &[u8], out: &mut Vec<u8>) -> u16 {
    let kept = text.get(..TEXT_BYTES_MAX).unwrap_or(text);
    out.extend_from_slice(kept);
    u16::try_from(kept.len()).unwrap_or(0)
}

fn at(place: usize) -> u32 {
    u32::try_from(place).unwrap_or(u32::MAX)
}

/// The texts of a record in the order in which [`with_texts`] takes them.
fn texts<'a>(record: &AccessRecord<'a>, trace_state: &'a [u8]) -> [&'a [u8]; TEXTS] {
    let tls = record.tls.unwrap_or_default();
    [
        record.request_id.as_bytes(),
        record.listener.as_bytes(),
        record.host,
        record.path,
        record.query,
        record.user_agent,
        record.referer,
        record.route.as_bytes(),
        record.upstream.as_bytes(),
        record.endpoint.as_bytes(),
        tls.version.as_bytes(),
        tls.suite.as_bytes(),
        tls.server_name.as_bytes(),
        tls.client_subject.as_bytes(),
        tls.client_fingerprint.as_bytes(),
        trace_state,
    ]
}

fn without_texts(record: &AccessRecord<'_>) -> AccessRecord<'static> {
    AccessRecord {
        time_us: record.time_us,
        client: record.client,
        worker: record.worker,
        generation: record.generation,
        method: record.method,
        version: record.version,
        tls: record.tls.map(|tls| crate::TlsRecord { resumed: tls.resumed, ..crate::TlsRecord::default() }),
        attempts: record.attempts,
        reused: record.reused,
        status: record.status,
        upstream_status: record.upstream_status,
        request_bytes: record.request_bytes,
        response_bytes: record.response_bytes,
        duration_us: record.duration_us,
        first_byte_us: record.first_byte_us,
        connect_us: record.connect_us,
        trace: record.trace,
        end: record.end,
        ..AccessRecord::default()
    }
}

fn with_texts<'a>(record: AccessRecord<'static>, texts: [&'a [u8]; TEXTS]) -> (AccessRecord<'a>, &'a str) {
    let [request_id, listener, host, path, query, user_agent, referer, route, upstream, endpoint, rest @ ..] = texts;
    let [version, suite, server_name, client_subject, client_fingerprint, trace_state] = rest;
    let tls = record.tls.map(|tls| crate::TlsRecord {
        version: text(version),
        suite: text(suite),
        server_name: text(server_name),
        client_subject: text(client_subject),
        client_fingerprint: text(client_fingerprint),
        resumed: tls.resumed,
    });
    let record = AccessRecord {
        request_id: text(request_id),
        listener: text(listener),
        host,
        path,
        query,
        user_agent,
        referer,
        route: text(route),
        upstream: text(upstream),
        endpoint: text(endpoint),
        tls,
        ..record
    };
    (record, text(trace_state))
}

/// A text that was cut inside a character ends before it.
fn text(octets: &[u8]) -> &str {
    std::str::from_utf8(octets).unwrap_or_else(|error| {
        octets.get(..error.valid_up_to()).and_then(|octets| std::str::from_utf8(octets).ok()).unwrap_or_default()
    })
}

/// Whether somebody looks at every exchange now. A worker asks once an exchange; it costs a load.
#[derive(Clone, Debug, Default)]
pub struct Watched(Arc<AtomicBool>);

impl Watched {
    /// Whether somebody does.
    #[inline]
    pub fn is_on(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    /// Says whether somebody does from now on.
    pub fn set(&self, is_on: bool) {
        self.0.store(is_on, Ordering::Relaxed);
    }
}

/// Where a worker hands batches of exchanges to. Never waits: what cannot be taken is dropped and counted.
pub trait SightSink: Send {
    /// Whether every exchange is wanted now.
    fn watched(&self) -> Watched;

    /// Takes a batch. `false` when it was dropped.
    fn submit(&mut self, sights: Sights) -> bool;
}

#[cfg(test)]
mod tests {
    use super::{AttemptRecord, Sights, TEXT_BYTES_MAX, TraceRecord, Wanted};
    use crate::{AccessRecord, End, TlsRecord};
    use strait_message::{Fault, Kind, Phase, Status};

    fn attempt(status: u16) -> AttemptRecord {
        AttemptRecord {
            span_id: [3; 8],
            began_us: 1,
            ended_us: 9,
            connect_us: 2,
            reused: false,
            status: Status::new(status),
            fault: None,
        }
    }

    #[test]
    fn what_comes_out_is_what_went_in() {
        let record = AccessRecord {
            request_id: "id",
            listener: "web",
            host: b"a.example",
            path: b"/\xff",
            query: b"q",
            user_agent: b"agent",
            referer: b"from",
            route: "/*",
            upstream: "app",
            endpoint: "one:1",
            tls: Some(TlsRecord {
                version: "TLSv1.3",
                suite: "S",
                server_name: "n",
                resumed: true,
                ..Default::default()
            }),
            trace: Some(TraceRecord { trace_id: [1; 16], span_id: [2; 8], parent_id: None, sampled: true }),
            status: Status::new(200),
            duration_us: 7,
            end: End::Fault(Fault::upstream(Phase::Connect, Kind::Refused)),
            ..AccessRecord::default()
        };
        let mut sights = Sights::default();
        let wanted = Wanted { trace: true, log: false };
        sights.push(&AccessRecord::default(), b"", Wanted::default(), std::iter::empty());
        sights.push(&record, b"a=1", wanted, [(attempt(502), "one:1"), (attempt(200), "two:2")].into_iter());
        sights.push(&record, b"", wanted, [(attempt(200), "three:3")].into_iter());
        let all: Vec<_> = sights.iter().collect();
        assert_eq!(format!("{:?}", all[1].record), format!("{record:?}"));
        assert_eq!((all[1].trace_state, all[1].wanted), ("a=1", wanted));
        let names = |place: usize| all[place].attempts.iter().map(|(_, name)| *name).collect::<Vec<_>>();
        assert_eq!((names(0), names(1), names(2)), (vec![], vec!["one:1", "two:2"], vec!["three:3"]));
        assert!(all[1].has_failed() && !all[0].has_failed());
        sights.clear();
        assert!(sights.is_empty());
    }

    #[test]
    fn a_text_is_cut_where_it_becomes_long() {
        let path = vec![b'a'; TEXT_BYTES_MAX + 1];
        let mut sights = Sights::default();
        sights.push(
            &AccessRecord { path: &path, ..AccessRecord::default() },
            b"",
            Wanted::default(),
            std::iter::empty(),
        );
        assert_eq!(sights.iter().next().unwrap().record.path.len(), TEXT_BYTES_MAX);
    }
}
