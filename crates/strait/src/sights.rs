//! Where spans and log records are sent, out of the configuration.

use std::io;
use std::sync::Arc;
use strait_config::Snapshot;
use strait_config::spec::Otlp;
use strait_config::value::LogPath;
use strait_record::SightSink;
use strait_telemetry::otlp::{Collector, ExportSettings, Signal};
use strait_telemetry::sights::Sightings;

/// Starts what takes that which workers see.
///
/// # Errors
/// What the system says when a thread cannot be started.
pub(crate) fn start(snapshot: &Snapshot) -> io::Result<Arc<Sightings>> {
    let sightings = Sightings::start()?;
    sightings.export(settings(snapshot))?;
    Ok(Arc::new(sightings))
}

/// A way in for each worker.
pub(crate) fn sinks(sightings: &Sightings, workers: usize) -> Vec<Box<dyn SightSink>> {
    (0..workers).map(|_| sightings.sink()).collect()
}

/// What is sent, and to whom; `None` when nothing is.
pub(crate) fn settings(snapshot: &Snapshot) -> Option<ExportSettings> {
    let telemetry = &snapshot.spec.telemetry;
    let spans = telemetry.collector_of_spans();
    let logs = telemetry.collector_of_logs().filter(|_| telemetry.access_log.path == LogPath::Otlp);
    let traces = spans.map(|otlp| collector(otlp, Signal::Traces));
    let logs = logs.map(|otlp| collector(otlp, Signal::Logs));
    (traces.is_some() || logs.is_some()).then_some(ExportSettings { traces, logs })
}

fn collector(otlp: &Otlp, signal: Signal) -> Collector {
    let headers = otlp.headers.iter().map(|(name, value)| (name.as_str().to_owned(), value.as_str().to_owned()));
    let endpoint = &otlp.endpoint;
    Collector {
        service: otlp.service.clone(),
        authority: endpoint.authority.clone(),
        path: if endpoint.is_grpc {
            signal.grpc_method().to_owned()
        } else {
            format!("{}{}", endpoint.prefix, signal.http_path())
        },
        headers: headers.collect(),
        is_grpc: endpoint.is_grpc,
    }
}
