//! The filters of the language. None is built yet: each is known, so that it is refused by name.

use crate::codes;
use crate::decode::{Decoder, Spec, not_built};
use crate::diagnose::Diagnostic;
use crate::schema::{Kind, Schema};
use crate::source::Spanned;
use crate::syntax::{Node, NodeKind};
use crate::words;

/// A step on the exchange. There is none yet, so no value of this type exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {}

/// Each filter with what it does.
pub const FILTERS: [(&str, &str); 37] = [
    ("use", "named policies"),
    ("request_id", "request identifiers of your own form"),
    ("compress", "compression"),
    ("cache", "caching"),
    ("rate_limit", "rate limits"),
    ("concurrency_limit", "concurrency limits"),
    ("auth", "authentication"),
    ("jwt", "JSON Web Tokens"),
    ("oidc", "OpenID Connect"),
    ("basic_auth", "basic authentication"),
    ("api_key", "API keys"),
    ("ext_auth", "external authorization"),
    ("cors", "cross-origin requests"),
    ("csrf", "protection against forged requests"),
    ("waf", "the web application firewall"),
    ("bot", "bot detection"),
    ("ip_allow", "lists of allowed addresses"),
    ("ip_deny", "lists of denied addresses"),
    ("geo", "country of the client"),
    ("set_headers", "headers set by a filter"),
    ("remove_headers", "headers removed by a filter"),
    ("strip_prefix", "rewriting of paths"),
    ("add_prefix", "rewriting of paths"),
    ("rewrite", "rewriting of paths"),
    ("redirect", "redirects by a filter"),
    ("body_limit", "body limits by a filter"),
    ("buffer", "buffering of bodies"),
    ("decompress", "decompression"),
    ("transform_json", "JSON transformation"),
    ("grpc_web", "gRPC-Web"),
    ("grpc_transcode", "transcoding to gRPC"),
    ("validate_schema", "validation by schema"),
    ("mirror", "mirroring"),
    ("fault", "fault injection"),
    ("wasm", "WebAssembly filters"),
    ("ext_proc", "external processing"),
    ("log", "log fields by a filter"),
];

/// Words of other products for filters.
const PEERS: [(&str, &str); 16] = [
    ("stripPrefix", "strip_prefix"),
    ("strip_path", "strip_prefix"),
    ("addPrefix", "add_prefix"),
    ("limit_req", "rate_limit"),
    ("rateLimit", "rate_limit"),
    ("rate-limiting", "rate_limit"),
    ("limit_conn", "concurrency_limit"),
    ("inFlightReq", "concurrency_limit"),
    ("gzip", "compress"),
    ("encode", "compress"),
    ("proxy_cache", "cache"),
    ("auth_basic", "basic_auth"),
    ("basicauth", "basic_auth"),
    ("forwardAuth", "ext_auth"),
    ("forward_auth", "ext_auth"),
    ("ipAllowList", "ip_allow"),
];

impl Spec for Filter {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        let name = match &node.kind {
            NodeKind::Scalar { .. } => Spanned::new(node.shown().unwrap_or_default().to_owned(), node.span),
            NodeKind::Map(entries) if entries.len() == 1 => entries.first().map(|entry| entry.key.clone())?,
            NodeKind::Map(entries) => {
                several(entries.get(1).map(|entry| &entry.key), node, decoder);
                return None;
            }
            NodeKind::List(_) => {
                decoder.wrong_form(node, "a filter", &["scalar", "map"]);
                return None;
            }
        };
        decoder.report(refuse(&name));
        None
    }

    fn schema() -> Schema {
        Schema { name: "", doc: "", kind: Kind::Text { what: "a filter", pattern: None, examples: &[] } }
    }
}

fn several(second: Option<&Spanned<String>>, node: &Node, decoder: &mut Decoder) {
    let span = second.map_or(node.span, |key| key.span);
    decoder.report(
        Diagnostic::error(codes::WRONG_FORM, span, "each filter is a list item of its own")
            .label("a second filter in one item")
            .hint("begin a new item with `- `"),
    );
}

fn refuse(name: &Spanned<String>) -> Diagnostic {
    if let Some(feature) = words::lookup(&FILTERS, &name.value) {
        return not_built(name.span, &name.value, feature);
    }
    let diagnostic = Diagnostic::error(codes::UNKNOWN_KEY, name.span, format!("unknown filter `{}`", name.value))
        .label("not a filter");
    let peers = words::lookup(&PEERS, &name.value).and_then(|ours| Some((ours, words::lookup(&FILTERS, ours)?)));
    if let Some((ours, feature)) = peers {
        return not_built(name.span, ours, feature).label(format!("called `{ours}` here, and not built yet"));
    }
    match words::closest(&name.value, FILTERS.iter().map(|(word, _)| *word)) {
        Some(ours) => diagnostic.replace(format!("did you mean `{ours}`?"), name.span, ours),
        None => diagnostic.hint("the manual lists the filters"),
    }
}
