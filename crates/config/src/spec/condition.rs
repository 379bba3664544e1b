//! What a pattern cannot say: conditions on headers, query, cookies, addresses, and expressions.

use super::{Files, QueuePriority, Redirect, Respond, To};
use crate::codes;
use crate::decode::{Decoder, OneOrMany, removal};
use crate::diagnose::Diagnostic;
use crate::filter::Filter;
use crate::source::Spanned;
use crate::syntax::Node;
use crate::value::{Cidr, ExpressionText, HeaderMatches, HeaderTemplate, Headers, Matches, MethodName, Percent};
use strait_config_derive::Spec;

/// One entry of a route's `when`: conditions, which must all hold, and what then takes the place of what the route says. The first entry that holds decides.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "an entry of `when`",
    check = sound,
    peers(
        header = "headers", http_headers = "headers", queryParams = "query", query_parameters = "query", query_params = "query", params = "query", cookie = "cookies", source = "from", client = "from", ip = "from", src = "from", remote_ip = "from", cidr = "from",
        method = "methods", weight = "percent", fraction = "percent", runtime_fraction = "percent", condition = "if", expression = "if", cel = "if", match = "if", hash = "key", upstream = "to", target = "to", path = "the path is part of the route's pattern", host = "the host is part of the route's pattern",
    )
)]
pub struct Branch {
    /// Headers of the request: a text for the exact value, or `{prefix: …}`, `{suffix: …}`, `{contains: …}`, `{regex: …}`, `{present: true}`.
    #[spec(example = "{X-Canary: \"1\"}")]
    pub headers: HeaderMatches,
    /// Parameters of the query, in the same forms. The first of a name counts.
    #[spec(example = "{version: \"2\"}")]
    pub query: Matches,
    /// Cookies, in the same forms.
    #[spec(example = "{beta: \"1\"}")]
    pub cookies: Matches,
    /// Networks of the client, trusted proxies heard.
    #[spec(example = "[10.0.0.0/8]")]
    pub from: Option<OneOrMany<Spanned<Cidr>>>,
    /// Methods.
    #[spec(example = "[POST, PUT]")]
    pub methods: Option<OneOrMany<Spanned<MethodName>>>,
    /// A share of all requests. Which ones follows from `key` alone, so that a client stays on its side, on every node and after every reload.
    #[spec(max = Percent::whole(100), example = "5%")]
    pub percent: Option<Percent>,
    /// What `percent` goes by; a request for which it has no value is not in the share.
    #[spec(example = "request.cookies['id']")]
    pub key: Option<Spanned<ExpressionText>>,
    /// A condition in CEL.
    #[spec(name = "if", example = "request.host == 'example.com'")]
    pub condition: Option<Spanned<ExpressionText>>,
    /// Where requests go.
    #[spec(example = "canary")]
    pub to: Option<To>,
    /// Serve files of a folder.
    #[spec(example = "./public")]
    pub files: Option<Files>,
    /// Answer with a redirect.
    #[spec(example = "https://example.com")]
    pub redirect: Option<Redirect>,
    /// Answer with a fixed text.
    #[spec(example = "OK")]
    pub respond: Option<Respond>,
    /// Headers set on the request, besides those of the route.
    #[spec(example = "{X-Variant: canary}")]
    pub request_headers: Headers<HeaderTemplate>,
    /// Headers set on the response, besides those of the route.
    #[spec(example = "{X-Variant: canary}")]
    pub response_headers: Headers<HeaderTemplate>,
    /// Who goes first in the queue of an endpoint, in place of what the route says.
    #[spec(example = "high")]
    pub queue_priority: Option<QueuePriority>,
    /// Steps on the way of request and response, after those of the route.
    pub filters: Vec<Filter>,
}

/// An entry needs a condition, at most one action, and `key` only beside `percent`.
fn sound(branch: &Branch, node: &Node, decoder: &mut Decoder) {
    let key = |name: &str| node.entries().iter().find(|entry| entry.key.value == name).map(|entry| entry.key.span);
    let conditions = ["headers", "query", "cookies", "from", "methods", "percent", "if"];
    // A key that was meant for another has filled its place.
    let filled = !branch.headers.is_empty() || !branch.query.is_empty() || !branch.cookies.is_empty();
    if !filled && branch.condition.is_none() && conditions.iter().all(|name| key(name).is_none()) {
        decoder.missing_key(node, "headers", "{X-Canary: \"1\"}", "an entry of `when` needs a condition");
    }
    super::route::at_most_one_action(node, decoder, "an entry of `when`");
    if let Some(span) = key("key").filter(|_| branch.percent.is_none() && key("percent").is_none()) {
        let finding = Diagnostic::error(codes::CONFLICTING_KEYS, span, "`key` says what `percent` goes by");
        let edits = removal(node.entries(), "key").into_iter().collect();
        decoder.report(finding.label("there is no `percent`").edits("remove it", edits));
    }
}
