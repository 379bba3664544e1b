//! The worker's end of the access log: records are collected and handed on in batches, without ever blocking.

use std::cell::RefCell;
use strait_plan::{AccessLog, LogEvidence};
use strait_record::{AccessRecord, Format, RecordSink, WorkerMeter};

/// Octets after which a batch is handed on before its time.
const BATCH_BYTES: usize = 32 * 1024;

/// Records not yet handed on.
pub(crate) struct Log {
    batch: RefCell<Batch>,
}

struct Batch {
    lines: Vec<u8>,
    records: u64,
    /// Where values of templates are written before they are escaped.
    scratch: Vec<u8>,
    sink: Box<dyn RecordSink>,
}

impl Log {
    pub(crate) fn new(sink: Box<dyn RecordSink>) -> Self {
        Self { batch: RefCell::new(Batch { lines: Vec::new(), records: 0, scratch: Vec::new(), sink }) }
    }

    /// Writes a record down.
    pub(crate) fn write(&self, record: &AccessRecord<'_>, format: Format, meter: &WorkerMeter) {
        let mut batch = self.batch.borrow_mut();
        if format == Format::Off {
            return;
        }
        record.write(format, &mut batch.lines);
        batch.added(meter);
    }

    /// Writes a record down in the operator's own form, if it is not left out. `true` when it is to be sent as OTLP
    /// instead.
    pub(crate) fn write_by(&self, log: &AccessLog, evidence: &LogEvidence<'_>, meter: &WorkerMeter) -> bool {
        if !log.keeps(evidence) {
            meter.records_sampled_out.add(1);
            return false;
        }
        if log.is_otlp {
            return true;
        }
        let mut batch = self.batch.borrow_mut();
        let Batch { lines, scratch, .. } = &mut *batch;
        log.write(evidence, scratch, lines);
        batch.added(meter);
        false
    }

    /// Hands on what has been collected.
    pub(crate) fn flush(&self, meter: &WorkerMeter) {
        let mut batch = self.batch.borrow_mut();
        if batch.records > 0 {
            batch.hand_on(meter);
        }
    }
}

impl Batch {
    fn added(&mut self, meter: &WorkerMeter) {
        self.records += 1;
        if self.lines.len() >= BATCH_BYTES {
            self.hand_on(meter);
        }
    }

    fn hand_on(&mut self, meter: &WorkerMeter) {
        let fresh = self.sink.recycle().unwrap_or_default();
        let lines = std::mem::replace(&mut self.lines, fresh);
        let records = std::mem::take(&mut self.records);
        if !self.sink.submit(lines, records) {
            meter.records_lost.add(records);
        }
    }
}
