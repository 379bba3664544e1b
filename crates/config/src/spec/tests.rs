//! Requests with what must become of them.

use crate::source::Spanned;
use crate::value::{Cidr, Headers, Status, Target};
use strait_config_derive::Spec;

/// A request with what must become of it.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(noun = "a test", peers(url = "request", client = "from", expected = "expect"))]
pub struct RequestTest {
    /// Method and URL: `GET https://example.com/path`.
    #[spec(example = "GET http://example.com/")]
    pub request: Spanned<String>,
    /// Headers of the request.
    pub headers: Headers,
    /// Address of the client.
    #[spec(example = "203.0.113.9")]
    pub from: Option<Spanned<Cidr>>,
    /// What must become of it.
    pub expect: Spanned<Expectation>,
}

/// What must become of a test's request.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`expect`",
    peers(code = "status", upstream = "to", target = "to"),
    unbuilt(headers = "expectations about headers", body = "expectations about bodies")
)]
pub struct Expectation {
    /// The status of the answer, where the configuration alone decides it.
    pub status: Option<Status>,
    /// The target it goes to.
    pub to: Option<Spanned<Target>>,
    /// The pattern of the route that wins.
    pub route: Option<Spanned<String>>,
}
