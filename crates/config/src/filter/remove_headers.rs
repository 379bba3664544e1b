use crate::decode::OneOrMany;
use crate::value::HeaderName;
use strait_config_derive::Spec;

/// Removes headers of the request and of the response. A name that ends in `*` means every header that begins so: `X-Internal-*`. A name or list stands for `request`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(noun = "`remove_headers`", short = "request")]
pub struct RemoveHeaders {
    /// Headers of the request.
    #[spec(default = OneOrMany::default(), example = "[Cookie]")]
    pub request: OneOrMany<HeaderName>,
    /// Headers of the response.
    #[spec(default = OneOrMany::default(), example = "[X-Internal-*]")]
    pub response: OneOrMany<HeaderName>,
}
