//! The worker's end of what is seen beside the access log: exchanges are copied into batches, and made something of
//! elsewhere.

use crate::exchange::Exchange;
use crate::worker::Worker;
use std::cell::RefCell;
use strait_message::Fault;
use strait_record::{AccessRecord, SightSink, Sights, Wanted, Watched, WorkerMeter};

/// Octets after which a batch is handed on before its time.
const BATCH_BYTES: usize = 64 * 1024;

/// Exchanges not yet handed on.
pub(crate) struct SightLog {
    watched: Watched,
    batch: Option<RefCell<Batch>>,
}

struct Batch {
    sights: Sights,
    sink: Box<dyn SightSink>,
}

impl SightLog {
    /// Without a sink nothing is ever wanted.
    pub(crate) fn new(sink: Option<Box<dyn SightSink>>) -> Self {
        let watched = sink.as_ref().map(|sink| sink.watched()).unwrap_or_default();
        Self { watched, batch: sink.map(|sink| RefCell::new(Batch { sights: Sights::default(), sink })) }
    }

    /// Whether anybody wants the exchange that ended so: as one of a trace, as a failure, or as one of all.
    #[inline]
    pub(crate) fn wants(&self, exchange: &Exchange<'_>, outcome: &Result<(), Fault>) -> bool {
        let is_failure = || {
            let status = exchange.tally.status.get();
            outcome.is_err() || status.is_some_and(|status| status.class() == 5)
        };
        self.batch.is_some() && (self.watched.is_on() || exchange.scratch.course.is_sampled() || is_failure())
    }

    /// Copies an exchange.
    pub(crate) fn add(&self, exchange: &Exchange<'_>, record: &AccessRecord<'_>, logged: bool) {
        let Some(batch) = &self.batch else { return };
        let Batch { sights, .. } = &mut *batch.borrow_mut();
        let course = &exchange.scratch.course;
        let plan = &exchange.adopted.plan;
        let named = |(upstream, endpoint): (usize, usize)| {
            plan.upstreams.get(upstream)?.endpoints.get(endpoint).map(|endpoint| &*endpoint.name)
        };
        let attempts =
            course.attempts().iter().map(|attempt| (attempt.record, named(attempt.endpoint).unwrap_or_default()));
        let state = course.trace.and_then(|_| exchange.scratch.request.headers.get_by_text(b"tracestate"));
        let wanted = Wanted { trace: course.is_sampled(), log: logged };
        sights.push(record, state.unwrap_or_default(), wanted, attempts);
    }

    /// Hands on what has been collected, if it is much.
    pub(crate) fn flush_if_full(&self, worker: &Worker) {
        if self.batch.as_ref().is_some_and(|batch| batch.borrow().sights.octets() >= BATCH_BYTES) {
            self.flush(&worker.meter);
        }
    }

    /// Hands on what has been collected.
    pub(crate) fn flush(&self, meter: &WorkerMeter) {
        let Some(batch) = &self.batch else { return };
        let Batch { sights, sink } = &mut *batch.borrow_mut();
        if sights.is_empty() {
            return;
        }
        let full = std::mem::take(sights);
        let exchanges = full.len() as u64;
        if !sink.submit(full) {
            meter.sights_lost.add(exchanges);
        }
    }
}
