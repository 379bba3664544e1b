use crate::decode::Shape;
use crate::syntax::{Node, NodeKind};
use crate::value::{HeaderTemplate, Headers};
use strait_config_derive::Spec;

/// Sets headers of the request and of the response; values may hold those of the request, such as `${client.ip}`, and behind `response` those of the response. A map of headers stands for `request`: `set_headers: {X-Site: main}`. What Strait itself tells the origin about a client (`X-Real-IP`, `X-Forwarded-Proto` and the like) can be set here too and replaces it.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(noun = "`set_headers`", short = "request", short_if = names_headers, peers(requestHeaders = "request", customRequestHeaders = "request", customResponseHeaders = "response", responseHeaders = "response", action = "mode"))]
pub struct SetHeaders {
    /// Headers of the request.
    #[spec(example = "{X-Site: main}")]
    pub request: Headers<HeaderTemplate>,
    /// Headers of the response.
    #[spec(example = "{X-Frame-Options: DENY}")]
    pub response: Headers<HeaderTemplate>,
    /// What is done where a header is there already.
    #[spec(default = HeaderMode::Set)]
    pub mode: HeaderMode,
}

/// What is done where a header is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Spec)]
#[spec(noun = "a way to set headers", peers(replace = "set", overwrite = "set", add = "append", default = "if_absent", "if-absent" = "if_absent", OVERWRITE_IF_EXISTS_OR_ADD = "set", APPEND_IF_EXISTS_OR_ADD = "append", ADD_IF_ABSENT = "if_absent"))]
pub enum HeaderMode {
    /// It is replaced, all lines of it.
    Set,
    /// It stays, and another line comes behind it.
    Append,
    /// It stays, and nothing is set.
    IfAbsent,
}

/// A map whose keys are none of ours is one of headers.
fn names_headers(node: &Node, shape: &Shape) -> bool {
    matches!(&node.kind, NodeKind::Map(entries) if !entries.is_empty()
        && entries.iter().all(|entry| !shape.knows(&entry.key.value) && entry.value.text().is_some()))
}
