//! Where OpenTelemetry data is sent.

use super::{Flaw, Value};
use crate::codes;
use std::fmt;

/// The port of OTLP over HTTP.
const HTTP_PORT: u16 = 4318;
/// The port of OTLP over gRPC.
const GRPC_PORT: u16 = 4317;

/// A collector that takes OTLP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtlpUrl {
    /// Host and port.
    pub authority: String,
    /// What stands before `/v1/traces` and its like; empty, or with a slash in front and none behind.
    pub prefix: String,
    /// Whether it is spoken to by gRPC; else by plain HTTP.
    pub is_grpc: bool,
}

impl fmt::Display for OtlpUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_grpc && !self.authority.ends_with(":4317") { "grpc" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority, self.prefix)
    }
}

impl Value for OtlpUrl {
    const WHAT: &'static str = "the URL of a collector";
    const EXAMPLES: &'static [&'static str] =
        &["http://127.0.0.1:4318", "http://127.0.0.1:4317", "http://collector.internal:4318/otlp"];

    fn parse(text: &str) -> Result<Self, Flaw> {
        let flaw = |message: String| Flaw::new(codes::ADDRESS, message);
        if text.starts_with("https://") {
            return Err(flaw(format!("`{text}`: TLS to a collector is not built yet"))
                .hint("send to one on this machine, which sends on by TLS: `http://127.0.0.1:4318`"));
        }
        let by_scheme = text.starts_with("grpc://");
        let Some(rest) = text.strip_prefix("http://").or_else(|| text.strip_prefix("grpc://")) else {
            let bare = text.split_once("://").map_or(text, |(_, rest)| rest);
            return Err(
                flaw(format!("`{text}` is no URL that begins with `http://`")).replace(format!("http://{bare}"))
            );
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let path = path.trim_end_matches('/');
        if let Some(prefix) = path.strip_suffix("v1/traces").or_else(|| path.strip_suffix("v1/logs")) {
            let prefix = prefix.trim_end_matches('/');
            let slash = if prefix.is_empty() { "" } else { "/" };
            return Err(flaw(format!("`{text}` names one signal; the path of each is added"))
                .replace(format!("http://{authority}{slash}{prefix}")));
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.contains(']') => (host, Some(port)),
            _ => (authority, None),
        };
        let usable = !host.is_empty() && !rest.contains(['@', '?', '#', ' ']) && rest.is_ascii();
        let port = port.map_or(Some(if by_scheme { GRPC_PORT } else { HTTP_PORT }), |port| {
            port.parse::<u16>().ok().filter(|port| *port > 0)
        });
        let Some(port) = port.filter(|_| usable) else {
            return Err(flaw(format!("`{text}` names no host and port")).label("`http://host:4318`"));
        };
        let is_grpc = by_scheme || port == GRPC_PORT;
        if is_grpc && !path.is_empty() {
            let flaw = flaw(format!("`{text}`: OTLP over gRPC has no path"));
            return Err(
                flaw.replace(text.trim_end_matches('/').trim_end_matches(path).trim_end_matches('/').to_owned())
            );
        }
        let prefix = if path.is_empty() { String::new() } else { format!("/{path}") };
        Ok(Self { authority: format!("{host}:{port}"), prefix, is_grpc })
    }

    fn written(&self) -> String {
        crate::decode::quoted_if_needed(&self.to_string())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::{OtlpUrl, Value};

    #[test]
    fn urls_are_read() {
        let read = |text: &str| OtlpUrl::parse(text).map(|url| url.to_string()).map_err(|flaw| flaw.replacement);
        assert_eq!(read("http://a:1/b/"), Ok("http://a:1/b".to_owned()));
        assert_eq!(read("http://a"), Ok("http://a:4318".to_owned()));
        assert_eq!(read("http://[::1]"), Ok("http://[::1]:4318".to_owned()));
        assert_eq!(read("a:4318"), Err(Some("http://a:4318".to_owned())));
        assert_eq!(read("http://a:4317"), Ok("http://a:4317".to_owned()));
        assert_eq!(read("grpc://a:1"), Ok("grpc://a:1".to_owned()));
        assert_eq!(read("grpc://a"), Ok("http://a:4317".to_owned()));
        assert_eq!(read("http://a:4317/x"), Err(Some("http://a:4317".to_owned())));
        assert_eq!(read("http://a:4318/x/v1/traces"), Err(Some("http://a:4318/x".to_owned())));
        for wrong in ["http://", "http://:1", "http://a:b", "http://u@a:1", "http://a:0", "https://a"] {
            assert_eq!(read(wrong), Err(None), "{wrong}");
        }
    }
}
