//! The access log as several parts of the process share it.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use strait_config::Snapshot;
use strait_config::value::LogPath;
use strait_record::{Format, RecordSink};
use strait_telemetry::access_log::{AccessLog, AccessLogMeter, Destination};

/// A running access log, or none when nothing is to be written.
#[derive(Clone)]
pub(crate) struct Log(Arc<Mutex<Option<AccessLog>>>);

impl Log {
    /// Opens where the records go.
    ///
    /// # Errors
    /// What the system says, with the destination.
    pub(crate) fn start(snapshot: &Snapshot, format: Format) -> io::Result<Self> {
        if format == Format::Off {
            return Ok(Self(Arc::default()));
        }
        let destination = match &snapshot.spec.telemetry.access_log.path {
            LogPath::Stdout => Destination::Stdout,
            LogPath::Stderr => Destination::Stderr,
            LogPath::File(path) => Destination::File(path.clone()),
        };
        let name = destination.to_string();
        let log = AccessLog::start(destination);
        let log = log.map_err(|error| io::Error::new(error.kind(), format!("access log: {name}: {error}")))?;
        Ok(Self(Arc::new(Mutex::new(Some(log)))))
    }

    /// A way into the log for each worker; none when there is no log.
    pub(crate) fn sinks(&self, workers: usize) -> Vec<Box<dyn RecordSink>> {
        let log = self.lock();
        let sink = |log: &AccessLog| Box::new(log.producer()) as Box<dyn RecordSink>;
        log.iter().flat_map(|log| (0..workers).map(move |_| sink(log))).collect()
    }

    /// What it counts.
    pub(crate) fn meter(&self) -> Option<Arc<AccessLogMeter>> {
        self.lock().as_ref().map(AccessLog::meter)
    }

    /// Opens its file anew.
    pub(crate) fn reopen(&self) {
        self.lock().iter().for_each(AccessLog::reopen);
    }

    /// Writes what is queued, within `limit`; `false` when that was not enough.
    pub(crate) fn stop(&self, limit: Duration) -> bool {
        let log = self.lock().take();
        log.is_none_or(|log| log.stop(limit))
    }

    fn lock(&self) -> MutexGuard<'_, Option<AccessLog>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
