//! Routes: what is done with the requests that a pattern matches.

use super::{Branch, Files, Sticky, Timeouts};
use crate::codes;
use crate::decode::{Decoder, removal};
use crate::diagnose::Diagnostic;
use crate::filter::Filter;
use crate::source::Spanned;
use crate::syntax::{Node, NodeKind, Style};
use crate::value::{
    Endpoint, ExpressionText, HeaderName, HeaderTemplate, Headers, Limit, LocationTemplate, Size, Status, Target,
    TemplateText, Value as _, Weights,
};
use strait_config_derive::Spec;

/// What is done with the requests that a pattern matches: exactly one of `to`, `files`, `redirect`, `respond`. A text, a list or a map of weights stands for `to`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "a route",
    short = "to",
    short_if = crate::value::looks_like_weights,
    check = one_action,
    peers(
        proxy_pass = "to", target = "to", targets = "to", upstream = "to", upstreams = "to", backend = "to", backends = "to", backendRefs = "to", service = "to",
        services = "to", cluster = "to", weighted_clusters = "to", use_backend = "to", reverse_proxy = "to", forwardTo = "to", server = "to", servers = "to", url = "to", host = "the host is part of the pattern: `example.com/path`",
        hosts = "the host is part of the pattern: `example.com/path`", path = "the path is part of the pattern: `example.com/path`", paths = "the path is part of the pattern: `example.com/path`", methods = "the method is part of the pattern: `GET /path`", method = "the method is part of the pattern: `GET /path`",
        middlewares = "filters", plugins = "filters", handlers = "filters", priority = "order never matters: the most specific pattern wins; who goes first in a queue is said by `queue_priority`", "set-priority-class" = "queue_priority", "return" = "respond", direct_response = "respond", static_response = "respond", redir = "redirect", add_header = "response_headers",
        proxy_set_header = "request_headers", headers = "`request_headers` or `response_headers`", request_headers_to_add = "request_headers", response_headers_to_add = "response_headers", root = "files", file_server = "files",
        timeouts = "timeout", proxy_read_timeout = "timeout", client_max_body_size = "body_size", max_body = "body_size", preserveHost = "preserve_host", passHostHeader = "preserve_host", strip_path = "filters", stripPrefix = "filters", retries = "`retry` belongs in an upstream", retry = "`retry` belongs in an upstream",
        balance = "`balance` belongs in an upstream", "match" = "when", conditions = "when", condition = "if", health_check = "`health_check` belongs in an upstream", weights = "to", split = "to",
    ),
    unbuilt(
        aggregate = "aggregation",
        rollout = "automatic rollouts", mirror = "mirroring", auth = "authentication", cache = "caching", limits = "limits of a route",
    )
)]
pub struct Route {
    /// Where requests go: the name of an upstream, an endpoint (`localhost:3000`), a list of endpoints that serve in turn, or a map from targets to weights (`{stable: 95, canary: 5}`).
    #[spec(example = "localhost:3000")]
    pub to: Option<To>,
    /// Keeps a client with the side of the split that it came to first. Where `to` is no split, with the endpoint.
    #[spec(example = "canary")]
    pub sticky: Option<Sticky>,
    /// Who goes first where requests wait for one of the `max_connections` of an endpoint.
    #[spec(default = QueuePriority::Normal)]
    pub queue_priority: QueuePriority,
    /// Serve files of a folder.
    #[spec(example = "./public")]
    pub files: Option<Files>,
    /// Answer with a redirect.
    #[spec(example = "https://example.com")]
    pub redirect: Option<Redirect>,
    /// Answer with a fixed text.
    #[spec(example = "OK")]
    pub respond: Option<Respond>,
    /// Timeouts of this route; what is not written comes from the upstream, then from `defaults`.
    pub timeout: Timeouts,
    /// Whether the origin sees the `Host` the client sent. With `false` it sees the endpoint's own host and port.
    #[spec(default = true)]
    pub preserve_host: bool,
    /// Largest request body, or `none`, in place of the listener's limit.
    #[spec(example = "10MiB")]
    pub body_size: Option<Limit<Size>>,
    /// Headers set on the request before it goes to the origin; each replaces all of its name.
    #[spec(example = "{X-Site: main}")]
    pub request_headers: Headers<HeaderTemplate>,
    /// Headers removed from the request before it goes to the origin.
    pub remove_request_headers: Vec<HeaderName>,
    /// Headers set on the response before it goes to the client; each replaces all of its name.
    #[spec(example = "{X-Frame-Options: DENY}")]
    pub response_headers: Headers<HeaderTemplate>,
    /// Headers removed from the response before it goes to the client.
    pub remove_response_headers: Vec<HeaderName>,
    /// Steps on the way of request and response, in order.
    pub filters: Vec<Filter>,
    /// A condition in CEL. A request for which it does not hold goes to the next less specific pattern, as if this one did not match.
    #[spec(name = "if", example = "client.ip in ['10.0.0.0/8']")]
    pub condition: Option<Spanned<ExpressionText>>,
    /// What a pattern cannot say: the first entry whose conditions hold says where the request goes instead.
    #[spec(example = "[{headers: {X-Canary: \"1\"}, to: canary}]")]
    pub when: Vec<Spanned<Branch>>,
}

/// A place in the queue for an endpoint's connections. Among equals those that came first go first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Spec)]
#[spec(
    noun = "a priority in the queue",
    peers(interactive = "high", batch = "low", background = "low", default = "normal")
)]
pub enum QueuePriority {
    /// Behind all others: what nobody looks at while it waits.
    Low,
    /// As most requests.
    Normal,
    /// Before all others.
    High,
}

/// Exactly one of `to`, `files`, `redirect` and `respond`.
fn one_action(route: &Route, node: &Node, decoder: &mut Decoder) {
    let key = |name: &str| node.entries().iter().any(|entry| entry.key.value == name);
    if at_most_one_action(node, decoder, "a route") {
        return;
    }
    if matches!(&route.to, Some(To::Any(targets)) if targets.is_empty()) {
        let list = node.value("to").unwrap_or(node);
        if matches!(&list.kind, NodeKind::List(items) if items.is_empty()) {
            decoder.report(empty_list(list, "`to` is an empty list", "[localhost:3000]"));
        }
        return;
    }
    let written = ["to", "files", "redirect", "respond", "aggregate", "rollout"].into_iter().any(key);
    if written || route.to.is_some() || route.files.is_some() || route.redirect.is_some() || route.respond.is_some() {
        return;
    }
    decoder.missing_key(node, "to", "localhost:3000", "a route needs `to`, `files`, `redirect` or `respond`");
}

/// Reports a second action; whether there was one.
pub(super) fn at_most_one_action(node: &Node, decoder: &mut Decoder, noun: &str) -> bool {
    let actions = ["to", "files", "redirect", "respond"];
    let mut written: Vec<_> = node.entries().iter().filter(|entry| actions.contains(&&*entry.key.value)).collect();
    written.sort_by_key(|entry| entry.key.span);
    let [first, second, ..] = written.as_slice() else { return false };
    let message = format!("{noun} has either `{}` or `{}`", first.key.value, second.key.value);
    decoder.report(
        Diagnostic::error(codes::CONFLICTING_KEYS, second.key.span, message)
            .label("one too many")
            .second(first.key.span, "the other one")
            .edits("remove one of them", removal(node.entries(), &second.key.value).into_iter().collect()),
    );
    true
}

pub(super) fn empty_list(node: &Node, message: &str, example: &str) -> Diagnostic {
    Diagnostic::error(codes::EMPTY_LIST, node.span, message).label("nothing in it").replace(
        format!("write {example}"),
        node.span,
        example,
    )
}

/// Where requests go.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(noun = "`to`")]
pub enum To {
    /// One target.
    #[spec(form = "scalar")]
    One(Spanned<Target>),
    /// Endpoints that serve in turn: an upstream without a name.
    #[spec(form = "list")]
    Any(Vec<Spanned<Endpoint>>),
    /// A split by weight.
    #[spec(form = "map")]
    Split(Weights),
}

/// A redirect. A text stands for `to`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "a redirect",
    short = "to",
    peers(
        url = "to",
        location = "to",
        target = "to",
        code = "status",
        status_code = "status",
        permanent = "status",
        statusCode = "status",
        preserve_path = "keep_path"
    )
)]
pub struct Redirect {
    /// A URL (`https://example.com`) or a path (`/new`).
    #[spec(example = "https://example.com")]
    pub to: Spanned<LocationTemplate>,
    /// The status. 302 by default, as in Caddy and the Gateway API: browsers remember 301 and 308 for good, so a mistaken one cannot be taken back.
    #[spec(default = RedirectStatus::Found)]
    pub status: RedirectStatus,
    /// Whether the path and query of the request are appended. By default they are if `to` is a URL without a path of its own.
    pub keep_path: Option<bool>,
}

impl Redirect {
    /// Whether the path and query of the request are appended.
    pub fn keeps_path(&self) -> bool {
        let has_path = self.to.outline.has_path() || self.to.template.has_path();
        self.keep_path.unwrap_or_else(|| self.to.outline.as_str().contains("://") && !has_path)
    }
}

/// The status of a redirect.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Spec)]
#[spec(noun = "the status of a redirect", peers(permanent = "308", temporary = "307", found = "302", "300" = "302", "304" = "302"))]
pub enum RedirectStatus {
    /// 301: for good; clients may turn POST into GET.
    #[spec(name = "301")]
    MovedPermanently,
    /// 302: for now; clients may turn POST into GET.
    #[spec(name = "302")]
    Found,
    /// 303: for now, and always with GET.
    #[spec(name = "303")]
    SeeOther,
    /// 307: for now, with the same method.
    #[spec(name = "307")]
    TemporaryRedirect,
    /// 308: for good, with the same method.
    #[spec(name = "308")]
    PermanentRedirect,
}

impl RedirectStatus {
    /// The number.
    pub fn get(self) -> u16 {
        match self {
            Self::MovedPermanently => 301,
            Self::Found => 302,
            Self::SeeOther => 303,
            Self::TemporaryRedirect => 307,
            Self::PermanentRedirect => 308,
        }
    }
}

/// A fixed answer. A text stands for `body`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(noun = "`respond`", short = "body", check = sound_answer, peers(code = "status", status_code = "status", text = "body", content = "body", type = "content_type", header = "headers"))]
pub struct Respond {
    /// The status.
    #[spec(default = Status::OK)]
    pub status: Status,
    /// The body.
    #[spec(default = Spanned::unwritten(TemplateText::literal("")), example = "OK")]
    pub body: Spanned<TemplateText>,
    /// The `Content-Type` of the body.
    #[spec(default = String::from("text/plain; charset=utf-8"))]
    pub content_type: String,
    /// More headers of the answer.
    pub headers: Headers<HeaderTemplate>,
}

/// `respond: 404` could mean the status or the text; Caddy takes it for the status, nginx asks for both.
/// A line end in the type would begin another header.
fn sound_answer(respond: &Respond, node: &Node, decoder: &mut Decoder) {
    if respond.content_type.chars().any(char::is_control) {
        let span = node.value("content_type").map_or(node.span, |value| value.span);
        decoder.report(
            Diagnostic::error(codes::HEADER, span, "a header value holds no line ends or control characters").replace(
                "write text/plain",
                span,
                "text/plain",
            ),
        );
    }
    let NodeKind::Scalar { text, style: Style::Plain, raw: None, .. } = &node.kind else { return };
    if respond.body.as_literal() == Some(text) && Status::parse(text).is_ok() {
        decoder.report(
            Diagnostic::error(codes::STATUS, node.span, format!("`{text}` could be the status or the text"))
                .label("ambiguous")
                .replace(format!("write {{status: {text}}}"), node.span, format!("{{status: {text}}}")),
        );
    }
}
