//! Logs, traces and metrics.

use super::traces::{Metrics, Otlp, Traces};
use crate::codes;
use crate::decode::{Decoder, Table, removal};
use crate::diagnose::Diagnostic;
use crate::source::Spanned;
use crate::syntax::Node;
use crate::value::{Duration, ExpressionText, LogPath, Percent, Size, TemplateText};
use strait_config_derive::Spec;

/// Logs, traces and metrics.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`telemetry`",
    empty_ok,
    check = otlp_has_a_collector,
    peers(
        log = "access_log",
        logs = "access_log",
        accessLog = "access_log",
        tracing = "traces",
        opentelemetry = "otlp",
        otel = "otlp",
        collector = "otlp"
    )
)]
pub struct Telemetry {
    /// A record of every request.
    pub access_log: AccessLog,
    /// Traces of requests.
    pub traces: Option<Traces>,
    /// The collector that spans, and records of `access_log: {path: otlp}`, are sent to. Records go to that of `traces` if there is no other.
    pub otlp: Option<Otlp>,
    /// Whether clients are told where the time went, and the id of the trace (`Server-Timing`).
    #[spec(default = false)]
    pub server_timing: bool,
    /// Metrics.
    pub metrics: Metrics,
}

/// A record of every request. A text stands for `format`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`access_log`",
    short = "format",
    empty_ok,
    check = one_destination,
    peers(
        output = "path",
        file = "path",
        filePath = "path",
        to = "path",
        log_format = "template",
        text_format = "template",
        roll_size = "rotate",
        sampling = "sample",
        ratio = "sample"
    ),
    unbuilt(filters = "sampling of logs")
)]
pub struct AccessLog {
    /// How records are written.
    #[spec(default = LogFormat::Auto)]
    pub format: LogFormat,
    /// A line of your own in place of a `format`, with values of the exchange as `${status}`. In values quotes, backslashes and controls become `\\xNN`, so that each stays in its quotes and its line. The page `logs` of the manual lists the names.
    #[spec(example = "${client.ip} \"${request.method} ${request.uri}\" ${status} ${duration}")]
    pub template: Option<Spanned<TemplateText>>,
    /// Which names and values the forms `json` and `logfmt` have.
    #[spec(name = "fields")]
    pub chosen: Option<LogFields>,
    /// Where they go: `stdout`, `stderr`, the path of a file, which is appended to, `syslog` for the local daemon, `syslog:unix:/path`, or `syslog:host:port` for one over UDP, or `otlp` for the collector of `telemetry.otlp`.
    #[spec(default = LogPath::Stdout)]
    pub path: LogPath,
    /// When a file is moved aside and begun anew. Without it that is left to others, who then send USR1 or run `POST /log/reopen`.
    pub rotate: Option<Rotate>,
    /// How messages to a syslog daemon are marked.
    pub syslog: Option<Syslog>,
    /// Of how many exchanges a record is written, by their request id. Those that a fault ended are written in any case, and those that `always` names.
    #[spec(default = Percent::whole(100), example = "10%")]
    pub sample: Percent,
    /// What is written whatever `sample` says; `status >= 500 || duration > 1s` if nothing else is written here.
    #[spec(example = "status >= 400 || duration > 500ms")]
    pub always: Option<Spanned<ExpressionText>>,
}

/// Which names and values records have, in the forms `json` and `logfmt`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`fields`",
    peers(
        include = "only",
        names = "only",
        keep = "only",
        exclude = "without",
        drop = "without",
        remove = "without",
        delete = "without",
        set = "add",
        extra = "add",
        custom = "add"
    )
)]
pub struct LogFields {
    /// Only these names of the `json` form.
    #[spec(example = "[timestamp, url.path, http.response.status_code]")]
    pub only: Vec<Spanned<String>>,
    /// All but these.
    #[spec(example = "[user_agent.original]")]
    pub without: Vec<Spanned<String>>,
    /// Further names, with what is written there; left out where that is empty.
    #[spec(example = "{tenant: \"${request.headers['x-tenant']}\"}")]
    pub add: Table<Spanned<TemplateText>>,
}

/// When a log file is moved aside and begun anew. A size stands for `size`.
#[derive(Debug, Clone, Copy, PartialEq, Spec)]
#[spec(
    noun = "`rotate`",
    short = "size",
    empty_ok,
    peers(
        max_size = "size",
        roll_size = "size",
        max_age = "age",
        interval = "age",
        daily = "age",
        rotate = "keep",
        backups = "keep",
        roll_keep = "keep",
        maxBackups = "keep"
    )
)]
pub struct Rotate {
    /// Once it is this large. It then ends with a whole record, and becomes `NAME.1`, what was that `NAME.2`, and so on.
    #[spec(default = Size::mib(100), min = Size::kib(1))]
    pub size: Size,
    /// Once it is this old, with the next record.
    #[spec(min = Duration::secs(1), example = "1d")]
    pub age: Option<Duration>,
    /// How many are kept beside the one that is written; older ones are deleted.
    #[spec(default = 7, min = 1_u32, max = 1000_u32)]
    pub keep: u32,
}

/// How messages to a syslog daemon (RFC 5424) are marked.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(noun = "`syslog`", short = "facility", empty_ok, peers(tag = "app_name", ident = "app_name"))]
pub struct Syslog {
    /// The facility.
    #[spec(default = Facility::Local7)]
    pub facility: Facility,
    /// The name of the program in the messages.
    #[spec(default = "strait".to_owned())]
    pub app_name: String,
}

/// A facility of syslog, with its number in RFC 5424.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Spec)]
#[spec(noun = "a facility of syslog")]
pub enum Facility {
    /// Messages of users' programs: 1.
    User,
    /// System daemons: 3.
    Daemon,
    /// For local use: 16.
    Local0,
    /// For local use: 17.
    Local1,
    /// For local use: 18.
    Local2,
    /// For local use: 19.
    Local3,
    /// For local use: 20.
    Local4,
    /// For local use: 21.
    Local5,
    /// For local use: 22.
    Local6,
    /// For local use: 23.
    Local7,
}

impl Facility {
    /// Its number in RFC 5424.
    pub fn number(self) -> u8 {
        match self {
            Self::User => 1,
            Self::Daemon => 3,
            Self::Local0 => 16,
            Self::Local1 => 17,
            Self::Local2 => 18,
            Self::Local3 => 19,
            Self::Local4 => 20,
            Self::Local5 => 21,
            Self::Local6 => 22,
            Self::Local7 => 23,
        }
    }
}

/// How records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Spec)]
#[spec(noun = "a log format", peers(none = "off", "false" = "off", disabled = "off", console = "text", plain = "text", clf = "common", main = "combined", httplog = "text"))]
pub enum LogFormat {
    /// Coloured text on a terminal, JSON elsewhere.
    Auto,
    /// One JSON object a line, with the names of OpenTelemetry.
    Json,
    /// One JSON object a line, with the names of the Elastic Common Schema.
    Ecs,
    /// `key=value` pairs with the keys of `json`.
    Logfmt,
    /// The Common Log Format.
    Common,
    /// What nginx and Apache httpd write by default: `common` with Referer and User-Agent.
    Combined,
    /// One line of text a request, for people.
    Text,
    /// No records.
    Off,
}

impl Telemetry {
    /// Who gets spans.
    pub fn collector_of_spans(&self) -> Option<&Otlp> {
        self.traces.as_ref()?.otlp.as_ref().or(self.otlp.as_ref())
    }

    /// Who gets records of `path: otlp`.
    pub fn collector_of_logs(&self) -> Option<&Otlp> {
        self.otlp.as_ref().or_else(|| self.traces.as_ref()?.otlp.as_ref())
    }
}

/// What is to be sent needs somebody to send it to.
fn otlp_has_a_collector(telemetry: &Telemetry, node: &Node, decoder: &mut Decoder) {
    let log = node.value("access_log").and_then(|log| log.value("path"));
    if let (LogPath::Otlp, None, Some(path)) = (&telemetry.access_log.path, telemetry.collector_of_logs(), log) {
        decoder.report(
            Diagnostic::error(codes::CONFLICTING_KEYS, path.span, "no collector is named that takes the records")
                .label("they would go to `telemetry.otlp`")
                .replace("add `otlp: http://127.0.0.1:4318` to `telemetry`, or write `stdout`", path.span, "stdout"),
        );
    }
    let takes_spans = telemetry.traces.as_ref().is_some_and(|traces| traces.otlp.is_none());
    let unused = !takes_spans && telemetry.access_log.path != LogPath::Otlp;
    if let (true, Some(otlp)) = (unused, node.value("otlp")) {
        decoder.report(
            Diagnostic::warning(codes::CONFLICTING_KEYS, otlp.span, "nothing is sent to this collector")
                .label("neither traces nor the access log")
                .hint("add `traces: {sample: 10%}` to `telemetry`"),
        );
    }
}

/// Only two forms have names that can be chosen.
fn fields_have_a_form(log: &AccessLog, node: &Node, decoder: &mut Decoder) {
    let Some(fields) = node.value("fields") else { return };
    let by_name = matches!(log.format, LogFormat::Auto | LogFormat::Json | LogFormat::Logfmt);
    if !by_name || log.template.is_some() || log.path == LogPath::Otlp {
        decoder.report(
            Diagnostic::error(codes::CONFLICTING_KEYS, fields.span, "names are chosen in `json` and `logfmt` only")
                .label("records are written in another form")
                .edits(
                    "remove it, or write `format: json` and leave `template` and `path: otlp` out",
                    removal(node.entries(), "fields").into_iter().collect(),
                ),
        );
    }
    let both = log.chosen.as_ref().filter(|fields| !fields.only.is_empty() && !fields.without.is_empty());
    if let Some(first) = both.and_then(|fields| fields.without.first()) {
        decoder.report(
            Diagnostic::error(codes::CONFLICTING_KEYS, first.span, "`only` says already which names there are")
                .label("no need to leave this out")
                .edits("remove `without`", removal(fields.entries(), "without").into_iter().collect()),
        );
    }
}

/// Keys that would do nothing are mistakes.
fn one_destination(log: &AccessLog, node: &Node, decoder: &mut Decoder) {
    let format = node.value("format").filter(|_| log.format != LogFormat::Auto);
    if let (Some(template), Some(format)) = (&log.template, format) {
        decoder.report(
            Diagnostic::error(codes::CONFLICTING_KEYS, template.span, "`template` is a format of its own")
                .label("this says how records are written")
                .second(format.span, "so does this")
                .edits("remove one of them", removal(node.entries(), "format").into_iter().collect()),
        );
    }
    fields_have_a_form(log, node, decoder);
    if let (LogPath::Otlp, Some(template)) = (&log.path, &log.template) {
        decoder.report(
            Diagnostic::error(codes::CONFLICTING_KEYS, template.span, "records sent as OTLP have no lines")
                .label("a collector gets names and values")
                .edits("remove it", removal(node.entries(), "template").into_iter().collect()),
        );
    }
    if let Some(rotate) = node.value("rotate").filter(|_| !matches!(log.path, LogPath::File(_))) {
        decoder.report(
            Diagnostic::error(codes::CONFLICTING_KEYS, rotate.span, "only a file can be rotated")
                .label(format!("records go to {}", log.path))
                .hint("name a file: `path: /var/log/strait/access.log`"),
        );
    }
    if let Some(syslog) = node.value("syslog").filter(|_| !log.path.is_syslog()) {
        decoder.report(
            Diagnostic::error(codes::CONFLICTING_KEYS, syslog.span, "no message goes to a syslog daemon")
                .label(format!("records go to {}", log.path))
                .hint("write `path: syslog`"),
        );
    }
    if let (Some(always), true) = (&log.always, log.sample == Percent::whole(100)) {
        decoder.report(
            Diagnostic::warning(codes::CONFLICTING_KEYS, always.span, "`always` does nothing without `sample`")
                .label("every exchange is written down")
                .hint("add `sample: 10%`, or remove this"),
        );
    }
}
