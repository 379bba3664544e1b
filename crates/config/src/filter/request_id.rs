use crate::value::HeaderName;
use strait_config_derive::Spec;

/// Carries the request's id, which every request has, in a header of your choice, and keeps one that comes. Without this filter the id is new and stands in `X-Request-Id`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(noun = "`request_id`", short = "header", empty_ok, peers(name = "header", trust = "accept", preserve = "accept"))]
pub struct RequestId {
    /// The header, in the request and in the response.
    #[spec(default = HeaderName::request_id())]
    pub header: HeaderName,
    /// Whether an id that comes in this header is kept, if it is a UUID. Only where everybody who can send one is trusted: it becomes the id in logs.
    #[spec(default = true)]
    pub accept: bool,
}
