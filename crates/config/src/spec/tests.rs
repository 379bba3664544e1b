//! Requests with what must become of them.

use crate::decode::Decoder;
use crate::source::Spanned;
use crate::syntax::{Node, NodeKind};
use crate::value::{Cidr, HeaderMatches, Headers, Status, Target};
use strait_config_derive::Spec;

/// A request with what must become of it.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(noun = "a test", peers(url = "request", client = "from", expected = "expect"))]
pub struct RequestTest {
    /// What it is about, for messages.
    #[spec(example = "a canary by header")]
    pub name: Option<String>,
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
    check = something,
    unbuilt(body = "expectations about bodies")
)]
pub struct Expectation {
    /// The status of the answer, where the configuration alone decides it.
    pub status: Option<Status>,
    /// The target it goes to.
    pub to: Option<Spanned<Target>>,
    /// The pattern of the route that wins.
    pub route: Option<Spanned<String>>,
    /// Headers of the answer, as far as the configuration alone decides them: a text for the exact value, or the forms of `when`.
    #[spec(example = "{Location: https://example.com/}")]
    pub headers: HeaderMatches,
}

/// An expectation of nothing is always met.
fn something(_: &Expectation, node: &Node, decoder: &mut Decoder) {
    if matches!(&node.kind, NodeKind::Map(entries) if entries.is_empty()) {
        decoder.missing_key(node, "status", "200", "`expect` needs `status`, `to`, `route` or `headers`");
    }
}
