//! How exchanges are traced, and whose names metrics are shown under.

use strait_config::Snapshot;
use strait_config::spec::{MetricNames, TraceForm, TraceParents};
use strait_plan::{Parents, TraceForms, Tracing};
use strait_record::Dialect;

pub(crate) fn tracing(snapshot: &Snapshot) -> Option<Tracing> {
    let traces = snapshot.spec.telemetry.traces.as_ref()?;
    let has = |form| traces.propagate.contains(&form);
    Some(Tracing {
        of_100_000: traces.sample.of_100_000(),
        parents: match traces.parents {
            TraceParents::Anyone => Parents::Anyone,
            TraceParents::Trusted => Parents::Trusted,
            TraceParents::Nobody => Parents::Nobody,
        },
        forms: TraceForms { w3c: has(TraceForm::W3c), b3: has(TraceForm::B3), b3_multi: has(TraceForm::B3Multi) },
    })
}

pub(crate) fn dialects(snapshot: &Snapshot) -> Vec<Dialect> {
    let dialect = |name: &MetricNames| match name {
        MetricNames::Nginx => Dialect::Nginx,
        MetricNames::Haproxy => Dialect::Haproxy,
        MetricNames::Envoy => Dialect::Envoy,
        MetricNames::Traefik => Dialect::Traefik,
        MetricNames::Caddy => Dialect::Caddy,
    };
    let mut dialects: Vec<Dialect> = snapshot.spec.telemetry.metrics.compat.iter().map(dialect).collect();
    dialects.sort_unstable();
    dialects.dedup();
    dialects
}
