//! What limits count by.

use super::{Flaw, Value};
use crate::codes;

/// A part of what requests are counted by, in the words of expressions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyPart {
    /// The client's address.
    Client,
    /// A header of the request.
    Header(String),
    /// A cookie of the request.
    Cookie(String),
    /// The route's pattern.
    Route,
    /// The host.
    Host,
    /// The path.
    Path,
    /// The method.
    Method,
}

impl Value for KeyPart {
    const WHAT: &'static str = "something to count by";
    const EXAMPLES: &'static [&'static str] = &["client.ip", "request.headers['x-api-key']", "route"];

    fn parse(text: &str) -> Result<Self, Flaw> {
        let within = |map: &str| {
            let name = text.strip_prefix(map)?.strip_prefix('[')?.strip_suffix(']')?;
            let name = name.strip_prefix('\'').and_then(|name| name.strip_suffix('\''));
            name.filter(|name| !name.is_empty() && name.chars().all(|c| c.is_ascii_graphic() && c != '\''))
                .map(str::to_owned)
        };
        Ok(match text {
            "client.ip" => Self::Client,
            "route" => Self::Route,
            "request.host" => Self::Host,
            "request.path" => Self::Path,
            "request.method" => Self::Method,
            _ => match (within("request.headers"), within("request.cookies")) {
                (Some(name), _) => Self::Header(name),
                (None, Some(name)) => Self::Cookie(name),
                (None, None) => return Err(no_part(text)),
            },
        })
    }

    fn written(&self) -> String {
        crate::decode::quoted_if_needed(&match self {
            Self::Client => "client.ip".to_owned(),
            Self::Header(name) => format!("request.headers['{name}']"),
            Self::Cookie(name) => format!("request.cookies['{name}']"),
            Self::Route => "route".to_owned(),
            Self::Host => "request.host".to_owned(),
            Self::Path => "request.path".to_owned(),
            Self::Method => "request.method".to_owned(),
        })
    }
}

fn no_part(text: &str) -> Flaw {
    let later =
        [("jwt.", "JSON Web Tokens"), ("api_key.", "API keys"), ("claims.", "JSON Web Tokens"), ("tls.", "TLS")];
    if let Some((_, feature)) = later.iter().find(|(start, _)| text.starts_with(start)) {
        let flaw = Flaw::new(codes::NOT_BUILT, format!("counting by `{text}` is not built yet: {feature}"));
        return flaw.label("not built yet").replace("client.ip").hint("count by the client's address");
    }
    let flaw = Flaw::new(codes::KEY, format!("`{text}` is nothing to count by"));
    let better = match text {
        "ip" | "remote_addr" | "$binary_remote_addr" | "src" | "client_ip" | "remote_address" | "address" => {
            "client.ip"
        }
        "host" => "request.host",
        "path" | "uri" => "request.path",
        "method" => "request.method",
        _ => return flaw.replace("client.ip").hint("write client.ip, route, request.host or request.headers['name']"),
    };
    flaw.replace(better)
}
