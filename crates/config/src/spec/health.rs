//! Health: checks that the proxy makes, and what answers show.

use crate::codes;
use crate::decode::{Decoder, OneOrMany, quoted_if_needed, removal};
use crate::diagnose::Diagnostic;
use crate::source::Spanned;
use crate::syntax::Node;
use crate::value::{Duration, Headers, Hex, Limit, Percent, StatusRange};
use strait_config_derive::Spec;

/// Questions that the proxy asks each endpoint by itself, to learn whether it works before a client does. A text stands for `path`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`health_check`",
    short = "path",
    check = sound_check,
    peers(
        uri = "path",
        url = "path",
        http_path = "path",
        health_uri = "path",
        inter = "interval",
        health_interval = "interval",
        health_timeout = "timeout",
        fastinter = "recheck",
        rise = "healthy_after",
        passes = "healthy_after",
        healthy_threshold = "healthy_after",
        fall = "unhealthy_after",
        fails = "unhealthy_after",
        unhealthy_threshold = "unhealthy_after",
        expected_statuses = "statuses",
        status = "statuses",
        expect_status = "statuses",
        health_status = "statuses",
        expect_body = "body",
        string = "body",
        http_health_check = "path",
        tcp_health_check = "protocol",
        type = "protocol",
        scheme = "protocol",
        hostname = "host",
        mandatory = "start",
        initial_state = "start",
        send = "`send` is a step of `script`",
        expect = "`expect` is a step of `script`",
        jitter = "checks have a jitter of a tenth of `interval` by themselves",
        service_name = "service",
        grpc = "`protocol: grpc`",
        grpc_health_check = "`protocol: grpc`",
        grpc_service = "service",
        authority = "host",
        initial_metadata = "headers",
        ssl = "tls",
        "check-ssl" = "tls",
        transport_socket = "tls",
    )
)]
pub struct HealthCheck {
    /// How an endpoint is asked.
    #[spec(default = CheckProtocol::Http)]
    pub protocol: CheckProtocol,
    /// Whether the check speaks TLS where requests do, under the upstream's `tls`. `false` is for a `port` without it.
    #[spec(default = Spanned::unwritten(true))]
    pub tls: Spanned<bool>,
    /// The path that is asked for, with its query.
    #[spec(example = "/healthz")]
    pub path: Option<Spanned<String>>,
    /// The method.
    #[spec(default = CheckMethod::Get)]
    pub method: CheckMethod,
    /// The `Host` (over gRPC the authority) that is sent. Without it the endpoint's own host and port.
    #[spec(example = "app.internal")]
    pub host: Option<String>,
    /// More headers of the request; over gRPC they are its metadata.
    #[spec(example = "{X-Check: strait}")]
    pub headers: Headers,
    /// Answers that are good: statuses (`204`), classes (`2xx`) and ranges (`200-399`).
    #[spec(default = OneOrMany(vec![StatusRange::class(2)]))]
    pub statuses: OneOrMany<StatusRange>,
    /// A text that the first 64 KiB of the answer's body must contain.
    #[spec(example = "ok")]
    pub body: Option<Spanned<String>>,
    /// The service that `protocol: grpc` asks about. Without it the server as a whole.
    #[spec(example = "shop.v2.Cart")]
    pub service: Option<Spanned<String>>,
    /// What is sent and awaited on a connection, in order, for protocols other than HTTP. Stands for `protocol: tcp`.
    #[spec(example = "[{send: \"PING\\r\\n\"}, {expect: \"+PONG\"}]")]
    pub script: Vec<CheckStep>,
    /// The port that is asked, where it is another one than requests go to.
    #[spec(min = 1_u16, example = "9000")]
    pub port: Option<u16>,
    /// Time from the end of one check to the next, give or take a tenth.
    #[spec(default = Duration::secs(5), min = Duration::millis(100), max = Duration::secs(86_400))]
    pub interval: Duration,
    /// Time for a whole check, connecting included. Without it 2s, or `interval` where that is less.
    #[spec(min = Duration::millis(1), max = Duration::secs(3600), example = "1s")]
    pub timeout: Option<Duration>,
    /// Time to the next check while results contradict what is believed, where that is less than `interval`.
    #[spec(default = Duration::millis(500), min = Duration::millis(10), max = Duration::secs(86_400))]
    pub recheck: Duration,
    /// Good answers in a row that make an unhealthy endpoint healthy.
    #[spec(default = 2, min = 1_u32, max = 1000_u32)]
    pub healthy_after: u32,
    /// Bad answers in a row that make a healthy endpoint unhealthy.
    #[spec(default = 3, min = 1_u32, max = 1000_u32)]
    pub unhealthy_after: u32,
    /// What a new endpoint is taken for until its first check, which begins at once, has ended. That first check decides by itself.
    #[spec(default = CheckStart::Healthy)]
    pub start: CheckStart,
}

/// How an endpoint is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Spec)]
#[spec(
    noun = "a protocol of checks",
    peers(
        http1 = "http",
        HTTP = "http",
        TCP = "tcp",
        connect = "tcp",
        GRPC = "grpc",
        https = "http",
        tls = "tcp",
        ssl = "tcp",
        grpcs = "grpc",
    ),
    unbuilt(h2c = "checks over HTTP/2")
)]
pub enum CheckProtocol {
    /// A request over HTTP/1.1.
    Http,
    /// A connection that opens, with its handshake where TLS is spoken, and the `script` on it if there is one.
    Tcp,
    /// The health service of gRPC (`grpc.health.v1.Health/Check`), which must answer `SERVING`.
    Grpc,
}

/// The method of a check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Spec)]
#[spec(noun = "the method of a check", peers(get = "GET", head = "HEAD", options = "OPTIONS"))]
pub enum CheckMethod {
    /// GET.
    #[spec(name = "GET")]
    Get,
    /// HEAD: the same without a body.
    #[spec(name = "HEAD")]
    Head,
    /// OPTIONS.
    #[spec(name = "OPTIONS")]
    Options,
}

/// What an endpoint is taken for that was never checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Spec)]
#[spec(noun = "what a new endpoint is taken for", peers(up = "healthy", down = "unhealthy"))]
pub enum CheckStart {
    /// It gets requests.
    Healthy,
    /// It gets none.
    Unhealthy,
}

/// A step of a scripted check: exactly one of its keys. A text stands for `expect`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(noun = "a step of a check", short = "expect", check = one_step, peers(string = "expect", text = "send", binary = "send_hex", rstring = "expect"))]
pub struct CheckStep {
    /// Text to send. In double quotes `\r\n` is a line end.
    #[spec(example = "\"PING\\r\\n\"")]
    pub send: Option<String>,
    /// Octets to send, in hexadecimal.
    #[spec(example = "\"00 01 0a\"")]
    pub send_hex: Option<Hex>,
    /// Text that must arrive, whatever stands before it; what follows it is left for the next step.
    #[spec(example = "+PONG")]
    pub expect: Option<String>,
    /// Octets that must arrive, in hexadecimal.
    #[spec(example = "\"52\"")]
    pub expect_hex: Option<Hex>,
}

/// The kind of a check, as messages say it, and the keys that mean nothing in it.
fn kind(check: &HealthCheck) -> (&'static str, &'static [&'static str]) {
    match (check.protocol, check.script.is_empty()) {
        (CheckProtocol::Http, true) => ("`protocol: http`", &["service"]),
        (CheckProtocol::Grpc, _) => ("`protocol: grpc`", &["path", "method", "statuses", "body", "script"]),
        (CheckProtocol::Tcp, true) => {
            ("`protocol: tcp`", &["path", "method", "host", "headers", "statuses", "body", "service"])
        }
        (_, false) => ("`script`", &["path", "method", "host", "headers", "statuses", "body", "service"]),
    }
}

/// Keys that say nothing for the kind of check that it is.
fn sound_check(check: &HealthCheck, node: &Node, decoder: &mut Decoder) {
    let written = |key: &str| node.entries().iter().find(|entry| entry.key.value == key).map(|entry| entry.key.span);
    let (what, foreign) = kind(check);
    for key in foreign {
        let Some(span) = written(key) else { continue };
        let finding =
            Diagnostic::error(codes::CONFLICTING_KEYS, span, format!("`{key}` says nothing in a check with {what}"));
        let finding = match *key {
            "service" => finding.label("for checks by gRPC: `protocol: grpc`"),
            "script" => finding.label("for checks of other protocols: `protocol: tcp`"),
            _ => finding.label("for checks over HTTP"),
        };
        let other = if check.script.is_empty() || *key == "script" { None } else { written("script") };
        let finding = match other.or_else(|| written("protocol")) {
            Some(other) if check.protocol == CheckProtocol::Grpc => finding.second(other, "this check speaks gRPC"),
            Some(other) => finding.second(other, "this check speaks no HTTP"),
            None => finding,
        };
        decoder.report(finding.edits("remove it", removal(node.entries(), key).into_iter().collect()));
    }
    if let Some(path) = check.path.as_ref().filter(|path| !path.starts_with('/') || path.contains([' ', '\r', '\n'])) {
        let better = format!("/{}", path.trim().trim_start_matches('/'));
        decoder.report(
            Diagnostic::error(codes::PATH, path.span, "the path of a check begins with `/` and holds no spaces")
                .replace(format!("write `{better}`"), path.span, better),
        );
    }
    if let Some(service) = check.service.as_ref().filter(|service| service.contains(['/', ' '])) {
        let name = service.trim_matches(['/', ' ']).to_owned();
        decoder.report(
            Diagnostic::error(
                codes::CONFLICTING_KEYS,
                service.span,
                "a service of gRPC has neither `/` nor spaces in its name",
            )
            .label("package and service, without a method")
            .replace(format!("write `{name}`"), service.span, name),
        );
    }
    if let Some(body) = check.body.as_ref().filter(|_| check.method == CheckMethod::Head) {
        decoder.report(
            Diagnostic::error(codes::CONFLICTING_KEYS, body.span, "an answer to HEAD has no body")
                .label("cannot be found")
                .edits("remove it, or write `method: GET`", removal(node.entries(), "body").into_iter().collect()),
        );
    }
}

/// Nothing and everything at once is no step.
fn one_step(step: &CheckStep, node: &Node, decoder: &mut Decoder) {
    let keys = [step.send.is_some(), step.send_hex.is_some(), step.expect.is_some(), step.expect_hex.is_some()];
    if keys.into_iter().filter(|is_there| *is_there).count() == 1 {
        return;
    }
    let finding = Diagnostic::error(codes::CONFLICTING_KEYS, node.span, "a step either sends or expects")
        .label("not exactly one of `send`, `send_hex`, `expect`, `expect_hex`");
    decoder.report(match (&step.send, &step.expect) {
        (Some(send), Some(expect)) => {
            let steps = format!("{{send: {}}}, {{expect: {}}}", quoted_if_needed(send), quoted_if_needed(expect));
            finding.replace("write two steps", node.span, steps)
        }
        _ => finding.hint("write two steps: `[{send: ...}, {expect: ...}]`"),
    });
}

/// Takes endpoints out for a while whose answers show that they are ill.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`outlier_detection`",
    short = "consecutive_errors",
    peers(
        consecutive_5xx = "consecutive_errors",
        consecutive_gateway_failure = "consecutive_errors",
        consecutive_gateway_errors = "consecutive_errors",
        max_fails = "consecutive_errors",
        error_limit = "consecutive_errors",
        consecutive_local_origin_failure = "consecutive_local_errors",
        base_ejection_time = "eject_for",
        fail_timeout = "eject_for",
        fail_duration = "eject_for",
        max_ejection_time = "eject_for_max",
        max_ejection_percent = "max_ejected",
        success_rate_stdev_factor = "success_rate",
        success_rate_minimum_hosts = "success_rate",
        observe = "consecutive_errors",
    )
)]
pub struct OutlierDetection {
    /// Errors in a row that eject an endpoint, or `none`: answers of the class 5xx, and attempts without an answer.
    #[spec(default = Limit::Max(5), min = 1_u32, max = 100_000_u32)]
    pub consecutive_errors: Limit<u32>,
    /// Attempts in a row without an answer that eject an endpoint, or `none`: the connection failed, broke or took too long. For when these shall weigh more than an error that the endpoint answers with.
    #[spec(default = Limit::None, min = 1_u32, max = 100_000_u32)]
    pub consecutive_local_errors: Limit<u32>,
    /// Ejects an endpoint of whose requests fewer succeed than of the others'.
    #[spec(default = true)]
    pub success_rate: bool,
    /// Ejects an endpoint that is much slower than the others.
    #[spec(default = false)]
    pub latency: bool,
    /// How far from the median, in standard deviations (by the median deviation), is too far for `success_rate` and `latency`.
    #[spec(default = Percent::whole(350), min = Percent::whole(100), max = Percent::whole(10_000))]
    pub deviation: Percent,
    /// How often `success_rate` and `latency` are compared.
    #[spec(default = Duration::secs(10), min = Duration::millis(100), max = Duration::secs(3600))]
    pub interval: Duration,
    /// Requests that an endpoint must have had within an interval to be compared. At least three endpoints must have had them.
    #[spec(default = 50, min = 1_u32)]
    pub min_requests: u32,
    /// How long the first ejection lasts; each that follows soon is twice as long.
    #[spec(default = Duration::secs(30), min = Duration::millis(10), max = Duration::secs(86_400))]
    pub eject_for: Duration,
    /// The longest ejection.
    #[spec(default = Duration::secs(300), min = Duration::millis(10), max = Duration::secs(86_400))]
    pub eject_for_max: Duration,
    /// Most endpoints that are ejected at the same time; one of several may be in any case, unless this is `0%`.
    #[spec(default = Percent::whole(50), max = Percent::whole(100))]
    pub max_ejected: Percent,
    /// Whether endpoints are ejected, or it is only said which would be.
    #[spec(default = OutlierMode::Eject)]
    pub mode: OutlierMode,
}

/// What is done with an outlier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Spec)]
#[spec(noun = "what is done with outliers", peers(log = "log_only", dry_run = "log_only", monitor = "log_only"))]
pub enum OutlierMode {
    /// It gets no requests for a while.
    Eject,
    /// It is named and counted, and gets its requests.
    LogOnly,
}
