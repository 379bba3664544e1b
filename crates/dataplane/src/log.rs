//! The worker's end of the access log: records are collected and handed on in batches, without ever blocking.

use std::cell::RefCell;
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
    sink: Box<dyn RecordSink>,
}

impl Log {
    pub(crate) fn new(sink: Box<dyn RecordSink>) -> Self {
        Self { batch: RefCell::new(Batch { lines: Vec::new(), records: 0, sink }) }
    }

    /// Writes a record down.
    pub(crate) fn write(&self, record: &AccessRecord<'_>, format: Format, meter: &WorkerMeter) {
        let mut batch = self.batch.borrow_mut();
        record.write(format, &mut batch.lines);
        batch.records += 1;
        if batch.lines.len() >= BATCH_BYTES {
            batch.hand_on(meter);
        }
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
    fn hand_on(&mut self, meter: &WorkerMeter) {
        let fresh = self.sink.recycle().unwrap_or_default();
        let lines = std::mem::replace(&mut self.lines, fresh);
        let records = std::mem::take(&mut self.records);
        if !self.sink.submit(lines, records) {
            meter.records_lost.add(records);
        }
    }
}
