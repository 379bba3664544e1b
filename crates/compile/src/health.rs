//! Health, from words to what the control plane asks and workers go by.

use std::sync::Arc;
use strait_config::spec::{self, CheckMethod, CheckProtocol, CheckStart, OutlierMode};
use strait_plan::{CheckKind, CheckStep, GrpcCheck, HealthCheck, HttpCheck, StatusSet};
use strait_traffic::{CheckRules, Comparison, OutlierRules};

/// Endpoints that must be comparable: of two nobody can say which is the ill one.
const COMPARED_MIN: usize = 3;

/// The check that is written.
pub(crate) fn check(spec: &spec::HealthCheck) -> Arc<HealthCheck> {
    let kind = match (spec.protocol, spec.script.is_empty()) {
        (CheckProtocol::Http, true) => CheckKind::Http(http(spec)),
        (CheckProtocol::Grpc, _) => CheckKind::Grpc(grpc(spec)),
        _ => CheckKind::Tcp(spec.script.iter().filter_map(step).collect()),
    };
    Arc::new(HealthCheck {
        kind,
        port: spec.port,
        tls: spec.tls.value,
        timeout: spec.timeout.unwrap_or(strait_config::value::Duration::secs(2).min(spec.interval)).into(),
        rules: CheckRules {
            interval_ms: ms(spec.interval),
            recheck_ms: ms(spec.recheck),
            healthy_after: spec.healthy_after,
            unhealthy_after: spec.unhealthy_after,
            starts_healthy: spec.start == CheckStart::Healthy,
        },
    })
}

fn http(spec: &spec::HealthCheck) -> HttpCheck {
    let ranges = spec.statuses.iter().map(|range| range.ends());
    HttpCheck {
        method: match spec.method {
            CheckMethod::Get => "GET",
            CheckMethod::Head => "HEAD",
            CheckMethod::Options => "OPTIONS",
        },
        path: spec.path.as_ref().map_or("/", |path| path.value.as_str()).into(),
        host: spec.host.as_deref().map(Into::into),
        headers: headers(spec),
        statuses: ranges.fold(StatusSet::EMPTY, |set, (first, last)| set.with(first, last)),
        body: spec.body.as_ref().map(|body| body.as_bytes().into()),
    }
}

fn grpc(spec: &spec::HealthCheck) -> GrpcCheck {
    GrpcCheck {
        service: spec.service.as_ref().map_or("", |service| service.value.as_str()).into(),
        host: spec.host.as_deref().map(Into::into),
        headers: headers(spec),
    }
}

fn headers(spec: &spec::HealthCheck) -> Vec<(Box<str>, Box<str>)> {
    spec.headers.iter().map(|(name, value)| (name.as_str().into(), value.as_str().into())).collect()
}

fn step(spec: &spec::CheckStep) -> Option<CheckStep> {
    let send = spec.send.as_ref().map(|text| text.as_bytes()).or(spec.send_hex.as_ref().map(|hex| hex.octets()));
    let expect = spec.expect.as_ref().map(|text| text.as_bytes()).or(spec.expect_hex.as_ref().map(|hex| hex.octets()));
    send.map(|octets| CheckStep::Send(octets.into())).or(expect.map(|octets| CheckStep::Expect(octets.into())))
}

/// The rules of outlier detection that are written.
pub(crate) fn outliers(spec: &spec::OutlierDetection) -> OutlierRules {
    let comparison = Comparison {
        requests_min: spec.min_requests.into(),
        endpoints_min: COMPARED_MIN,
        z_max: spec.deviation.factor(),
    };
    OutlierRules {
        consecutive_errors: spec.consecutive_errors.get(),
        consecutive_local_errors: spec.consecutive_local_errors.get(),
        success_rate: spec.success_rate.then_some(comparison),
        latency: spec.latency.then_some(comparison),
        interval_ms: ms(spec.interval),
        eject_ms: ms(spec.eject_for),
        eject_ms_max: ms(spec.eject_for_max.max(spec.eject_for)),
        ejected_percent_max: (spec.max_ejected.factor() * 100.0).round() as u32,
        log_only: spec.mode == OutlierMode::LogOnly,
    }
}

fn ms(duration: strait_config::value::Duration) -> u64 {
    u64::try_from(duration.get().as_millis()).unwrap_or(u64::MAX)
}
