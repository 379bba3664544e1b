use crate::value::Size;
use strait_config_derive::Spec;

/// Bounds bodies. A request body that is too large is answered with 413, or ended where it does not say its length; a response body that is too large becomes 502, or is cut. A size stands for `request`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(noun = "`body_limit`", short = "request", peers(max_size = "request", maxRequestBodyBytes = "request", maxResponseBodyBytes = "response"))]
pub struct BodyLimit {
    /// Largest request body.
    #[spec(example = "1MiB")]
    pub request: Option<Size>,
    /// Largest response body.
    #[spec(example = "100MiB")]
    pub response: Option<Size>,
}
