//! The access records of a run.

use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use strait_record::RecordSink;

/// Where all workers of a run put their records.
#[derive(Clone, Debug, Default)]
pub(crate) struct Records(Arc<Mutex<Vec<u8>>>);

impl RecordSink for Records {
    fn submit(&mut self, lines: Vec<u8>, _records: u64) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(lines);
        true
    }

    fn recycle(&mut self) -> Option<Vec<u8>> {
        None
    }
}

/// One access record, as far as the checks look at it.
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) id: String,
    pub(crate) generation: u64,
    pub(crate) attempts: u64,
    pub(crate) status: u64,
    pub(crate) end: String,
}

impl Records {
    /// All records, with what cannot be read as one; and those of each case by its number.
    pub(crate) fn read(&self) -> Result<(Vec<Record>, BTreeMap<usize, Vec<Record>>), String> {
        let lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = Vec::new();
        let mut by_case: BTreeMap<usize, Vec<Record>> = BTreeMap::new();
        for line in lines.split_inclusive(|&octet| octet == b'\n') {
            let value: Value = serde_json::from_slice(line)
                .map_err(|error| format!("{error} in the record {}", String::from_utf8_lossy(line)))?;
            let record = record(&value).ok_or_else(|| format!("a field is missing in the record {value}"))?;
            if let Some(number) = case_number(&value) {
                by_case.entry(number).or_default().push(record.clone());
            }
            all.push(record);
        }
        Ok((all, by_case))
    }
}

fn record(value: &Value) -> Option<Record> {
    let text = |key: &str| value.get(key).and_then(Value::as_str).map(str::to_owned);
    let number = |key: &str| value.get(key).and_then(Value::as_u64);
    Some(Record {
        id: text("strait.request_id")?,
        generation: number("strait.generation")?,
        attempts: number("strait.attempts")?,
        status: number("http.response.status_code").unwrap_or(0),
        end: text("strait.end")?,
    })
}

/// The number at the end of the path. What is no case has none.
fn case_number(value: &Value) -> Option<usize> {
    value.get("url.path").and_then(Value::as_str)?.rsplit('/').next()?.parse().ok()
}
