//! Where logs go.

use super::{Flaw, Value};
use crate::codes;
use std::fmt;
use std::path::PathBuf;

/// Where a log is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogPath {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// A file, which is appended to.
    File(PathBuf),
    /// A syslog daemon on a Unix datagram socket.
    SyslogUnix(PathBuf),
    /// A syslog daemon over UDP, as `host:port`.
    SyslogUdp(String),
    /// The collector of `telemetry.otlp`.
    Otlp,
}

/// Where the local daemon listens.
const LOCAL_SYSLOG: &str = "/dev/log";

impl LogPath {
    /// Whether it is a syslog daemon.
    pub fn is_syslog(&self) -> bool {
        matches!(self, Self::SyslogUnix(_) | Self::SyslogUdp(_))
    }
}

impl fmt::Display for LogPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Stdout => f.write_str("stdout"),
            Self::Stderr => f.write_str("stderr"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::SyslogUnix(path) if path.as_os_str() == LOCAL_SYSLOG => f.write_str("syslog"),
            Self::SyslogUnix(path) => write!(f, "syslog:unix:{}", path.display()),
            Self::SyslogUdp(daemon) => write!(f, "syslog:{daemon}"),
            Self::Otlp => f.write_str("otlp"),
        }
    }
}

/// What stands behind `syslog:`: `unix:/path` or `host:port`.
fn syslog(text: &str) -> Result<LogPath, Flaw> {
    let daemon = text.strip_prefix("syslog:").unwrap_or_default().trim_start_matches('/');
    if let Some(path) = text.strip_prefix("syslog:unix:") {
        return PathBuf::parse(path).map(LogPath::SyslogUnix);
    }
    let port = daemon.rsplit_once(':').and_then(|(host, port)| (!host.is_empty()).then(|| port.parse::<u16>().ok())?);
    match port {
        Some(_) if text.starts_with("syslog://") => {
            let flaw = Flaw::new(codes::PATH, format!("`{text}` is written without slashes"));
            Err(flaw.replace(format!("syslog:{daemon}")))
        }
        Some(_) => Ok(LogPath::SyslogUdp(daemon.to_owned())),
        None => {
            let flaw = Flaw::new(codes::PATH, format!("`{text}` names no daemon")).label("`host:port` or `unix:/path`");
            Err(if daemon.is_empty() { flaw.replace("syslog") } else { flaw.replace(format!("syslog:{daemon}:514")) })
        }
    }
}

impl Value for LogPath {
    const WHAT: &'static str = "`stdout`, `stderr`, the path of a file, a syslog daemon, or `otlp`";
    const EXAMPLES: &'static [&'static str] =
        &["stdout", "stderr", "/var/log/strait/access.log", "syslog", "syslog:192.0.2.1:514", "otlp"];

    fn parse(text: &str) -> Result<Self, Flaw> {
        match text {
            "stdout" => Ok(Self::Stdout),
            "stderr" => Ok(Self::Stderr),
            "otlp" => Ok(Self::Otlp),
            "syslog" | "/dev/log" => Ok(Self::SyslogUnix(LOCAL_SYSLOG.into())),
            "/dev/stdout" | "-" => {
                Err(Flaw::new(codes::PATH, format!("`{text}` is written `stdout`")).replace("stdout"))
            }
            "/dev/stderr" => Err(Flaw::new(codes::PATH, format!("`{text}` is written `stderr`")).replace("stderr")),
            _ if text.starts_with("syslog:") => syslog(text),
            // A bare word is more likely a mistyped `stdout` than a file.
            _ if !text.contains(['/', '.']) => {
                let flaw =
                    Flaw::new(codes::PATH, format!("`{text}` is neither stdout, stderr, syslog, otlp nor a path"));
                Err(match crate::words::closest(text, ["stdout", "stderr", "syslog", "otlp"].into_iter()) {
                    Some(word) => flaw.replace(word),
                    None => flaw.label("a path contains a `/`").replace(format!("./{text}")),
                })
            }
            _ => PathBuf::parse(text).map(Self::File),
        }
    }

    fn written(&self) -> String {
        crate::decode::quoted_if_needed(&self.to_string())
    }
}
