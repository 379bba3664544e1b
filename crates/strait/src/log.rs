//! The access log as several parts of the process share it.

use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use strait_config::Snapshot;
use strait_config::spec::Facility;
use strait_config::value::LogPath;
use strait_record::RecordSink;
use strait_telemetry::access_log::{AccessLog, AccessLogMeter, Prepared};
use strait_telemetry::destination::{Destination, Rotation, SyslogDaemon, SyslogMark};

/// The running access log. It runs when nothing is to be written too, so that a reload can change that.
#[derive(Clone)]
pub(crate) struct Log(Arc<Mutex<State>>);

struct State {
    log: Option<AccessLog>,
    destination: Destination,
}

impl Log {
    /// Opens where the records go.
    ///
    /// # Errors
    /// What the system says, with the destination.
    pub(crate) fn start(snapshot: &Snapshot, is_off: bool) -> io::Result<Self> {
        let destination = destination(snapshot, is_off);
        let log = AccessLog::start(destination.clone()).map_err(|error| named(&error, &destination))?;
        Ok(Self(Arc::new(Mutex::new(State { log: Some(log), destination }))))
    }

    /// Opens where a new configuration sends them; `None` when that is where they go already.
    ///
    /// # Errors
    /// What the system says, with the destination.
    pub(crate) fn prepare(&self, snapshot: &Snapshot, is_off: bool) -> io::Result<Option<(Prepared, Destination)>> {
        let to = destination(snapshot, is_off);
        if self.lock().destination == to {
            return Ok(None);
        }
        let prepared = AccessLog::prepare(to.clone()).map_err(|error| named(&error, &to))?;
        Ok(Some((prepared, to)))
    }

    /// Sends them there from now on.
    pub(crate) fn switch(&self, (prepared, destination): (Prepared, Destination)) {
        let mut state = self.lock();
        if let Some(log) = &state.log {
            log.switch(prepared);
        }
        state.destination = destination;
    }

    /// A way into the log for each worker.
    pub(crate) fn sinks(&self, workers: usize) -> Vec<Box<dyn RecordSink>> {
        let state = self.lock();
        let sink = |log: &AccessLog| Box::new(log.producer()) as Box<dyn RecordSink>;
        state.log.iter().flat_map(|log| (0..workers).map(move |_| sink(log))).collect()
    }

    /// What it counts.
    pub(crate) fn meter(&self) -> Option<Arc<AccessLogMeter>> {
        self.lock().log.as_ref().map(AccessLog::meter)
    }

    /// Opens its file anew.
    pub(crate) fn reopen(&self) {
        self.lock().log.iter().for_each(AccessLog::reopen);
    }

    /// Writes what is queued, within `limit`; `false` when that was not enough.
    pub(crate) fn stop(&self, limit: Duration) -> bool {
        let log = self.lock().log.take();
        log.is_none_or(|log| log.stop(limit))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn named(error: &io::Error, destination: &Destination) -> io::Error {
    io::Error::new(error.kind(), format!("access log: {destination}: {error}"))
}

fn destination(snapshot: &Snapshot, is_off: bool) -> Destination {
    let spec = &snapshot.spec.telemetry.access_log;
    let mark = || match &spec.syslog {
        Some(syslog) => SyslogMark { facility: syslog.facility.number(), app_name: syslog.app_name.clone() },
        None => SyslogMark { facility: Facility::Local7.number(), app_name: "strait".to_owned() },
    };
    let rotation = spec.rotate.map(|rotate| Rotation {
        size: rotate.size.get(),
        age: rotate.age.map(Into::into),
        keep: rotate.keep,
    });
    match &spec.path {
        // Records are sent by another road.
        LogPath::Otlp => Destination::Nowhere,
        _ if is_off => Destination::Nowhere,
        LogPath::Stdout => Destination::Stdout,
        LogPath::Stderr => Destination::Stderr,
        LogPath::File(path) => Destination::File(path.clone(), rotation),
        LogPath::SyslogUnix(path) => Destination::Syslog(SyslogDaemon::Unix(path.clone()), mark()),
        LogPath::SyslogUdp(daemon) => Destination::Syslog(SyslogDaemon::Udp(daemon.clone()), mark()),
    }
}
