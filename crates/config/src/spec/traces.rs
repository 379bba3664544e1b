//! Traces, where they go, and metrics under the names of others.

use crate::decode::OneOrMany;
use crate::value::{Headers, OtlpUrl, Percent};
use strait_config_derive::Spec;

/// A collector that takes OTLP (OpenTelemetry). A text stands for `endpoint`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`otlp`",
    short = "endpoint",
    peers(
        url = "endpoint",
        address = "endpoint",
        collector = "endpoint",
        service_name = "service",
        serviceName = "service"
    )
)]
pub struct Otlp {
    /// Its URL: `http://host:4318` for OTLP over HTTP, to which `/v1/traces` and `/v1/logs` are added; `http://host:4317` or `grpc://host:port` for OTLP over gRPC.
    #[spec(example = "http://127.0.0.1:4318")]
    pub endpoint: OtlpUrl,
    /// Further headers, such as a token of its owner.
    #[spec(example = "{Authorization: \"${env:OTLP_TOKEN}\"}")]
    pub headers: Headers,
    /// The name of the service that spans and records are of.
    #[spec(default = "strait".to_owned())]
    pub service: String,
}

/// Traces of requests: context is read, sent on and logged, and spans go to a collector. A percentage stands for `sample`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`traces`",
    short = "sample",
    empty_ok,
    peers(
        sampling = "sample",
        ratio = "sample",
        sampleRate = "sample",
        random_sampling = "sample",
        endpoint = "otlp",
        collector = "otlp",
        exporter = "otlp",
        otel_trace_context = "parents",
        context = "parents",
        propagation = "propagate",
        propagators = "propagate"
    )
)]
pub struct Traces {
    /// How many of the traces that begin here are kept. Where whoever asks says whether its trace is kept, that is done.
    #[spec(default = Percent::whole(100), example = "10%")]
    pub sample: Percent,
    /// Whose traces are continued.
    #[spec(default = TraceParents::Anyone)]
    pub parents: TraceParents,
    /// The forms in which context is read, the first found, and sent on, all of them.
    #[spec(default = OneOrMany(vec![TraceForm::W3c]), example = "[w3c, b3]")]
    pub propagate: OneOrMany<TraceForm>,
    /// The collector that spans are sent to, where it is another than that of `telemetry.otlp`.
    pub otlp: Option<Otlp>,
}

/// Whose traces are continued.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Spec)]
#[spec(
    noun = "a choice of parents",
    peers(
        extract = "anyone",
        propagate = "anyone",
        all = "anyone",
        ignore = "nobody",
        none = "nobody",
        trusted_proxies = "trusted"
    )
)]
pub enum TraceParents {
    /// Anybody's.
    Anyone,
    /// Those of `trusted_proxies`; all others begin a trace here.
    Trusted,
    /// Nobody's: every request begins a trace.
    Nobody,
}

/// A form of trace context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Spec)]
#[spec(
    noun = "a form of trace context",
    peers(tracecontext = "w3c", traceparent = "w3c", b3single = "b3", zipkin = "b3multi")
)]
pub enum TraceForm {
    /// `traceparent` and `tracestate` (W3C Trace Context).
    W3c,
    /// The one header `b3`.
    B3,
    /// `X-B3-TraceId`, `X-B3-SpanId` and so on.
    #[spec(name = "b3multi")]
    B3Multi,
}

/// Metrics at `/metrics` of the admin address.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`metrics`",
    empty_ok,
    peers(compatibility = "compat", prometheus = "they are at /metrics of the admin address")
)]
pub struct Metrics {
    /// Whose names figures are shown under as well, so that boards made for them show data.
    #[spec(default = OneOrMany::default(), example = "[nginx, haproxy]")]
    pub compat: OneOrMany<MetricNames>,
}

/// Another proxy's names of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Spec)]
#[spec(noun = "a proxy", peers("ingress-nginx" = "nginx"))]
pub enum MetricNames {
    /// nginx-prometheus-exporter, and the ingress controller of Kubernetes.
    Nginx,
    /// HAProxy's own exporter.
    Haproxy,
    /// Envoy.
    Envoy,
    /// Traefik 3.
    Traefik,
    /// Caddy 2.
    Caddy,
}
