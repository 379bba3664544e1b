//! Logs.

use crate::value::LogPath;
use strait_config_derive::Spec;

/// Logs.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`telemetry`",
    empty_ok,
    peers(log = "access_log", logs = "access_log", accessLog = "access_log", tracing = "traces"),
    unbuilt(metrics = "settings of metrics", traces = "traces")
)]
pub struct Telemetry {
    /// A record of every request.
    pub access_log: AccessLog,
}

/// A record of every request. A text stands for `format`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`access_log`",
    short = "format",
    empty_ok,
    peers(output = "path", file = "path", filePath = "path", to = "path", log_format = "format"),
    unbuilt(
        sample = "sampling of logs",
        always = "sampling of logs",
        fields = "choice of log fields",
        filters = "sampling of logs"
    )
)]
pub struct AccessLog {
    /// How records are written.
    #[spec(default = LogFormat::Auto)]
    pub format: LogFormat,
    /// Where they go: `stdout`, `stderr` or the path of a file, which is appended to.
    #[spec(default = LogPath::Stdout)]
    pub path: LogPath,
}

/// How records are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Spec)]
#[spec(noun = "a log format", peers(none = "off", "false" = "off", disabled = "off", console = "text", common = "text", combined = "text", plain = "text"))]
pub enum LogFormat {
    /// Coloured text on a terminal, JSON elsewhere.
    Auto,
    /// One JSON object a line.
    Json,
    /// One line of text a request.
    Text,
    /// No records.
    Off,
}
