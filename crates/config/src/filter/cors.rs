use crate::codes;
use crate::decode::{Decoder, OneOrMany};
use crate::diagnose::Diagnostic;
use crate::syntax::Node;
use crate::value::{Duration, HeaderName, WebOrigin};
use strait_config_derive::Spec;

/// Lets pages of other origins use what a route serves (CORS): preflights are answered here, and responses say who may read them in place of what the origin says. A list stands for `origins`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(noun = "`cors`", short = "origins", check = no_credentials_for_all, peers(allow_origins = "origins", allowed_origins = "origins", accessControlAllowOriginList = "origins", allow_methods = "methods", allow_headers = "headers", allow_credentials = "credentials", expose_headers = "expose", exposed_headers = "expose", maxAge = "max_age", allow_origin_string_match = "origins"))]
pub struct Cors {
    /// Origins whose pages may: `https://example.com`, `https://*.example.com` for every host below, `*` for all.
    #[spec(example = "[https://shop.example.com]")]
    pub origins: OneOrMany<WebOrigin>,
    /// Methods they may use.
    #[spec(default = vec!["GET".to_owned(), "HEAD".to_owned(), "POST".to_owned(), "PUT".to_owned(), "PATCH".to_owned(), "DELETE".to_owned()])]
    pub methods: Vec<String>,
    /// Headers they may send; without the key, whatever they ask for.
    #[spec(example = "[Content-Type, Authorization]")]
    pub headers: Option<Vec<HeaderName>>,
    /// Headers of responses they may read, beyond those that are always readable.
    pub expose: Vec<HeaderName>,
    /// Whether they may send cookies and credentials.
    #[spec(default = false)]
    pub credentials: bool,
    /// How long a browser may remember the answer to a preflight. Chromium keeps to 2h at most, Firefox to 24h.
    #[spec(default = Duration::secs(7200), max = Duration::secs(86_400))]
    pub max_age: Duration,
    /// Whether pages of public networks may reach this one in a private network.
    #[spec(default = false)]
    pub private_network: bool,
}

/// With `*` and credentials, every page of the world could act with a user's cookies.
fn no_credentials_for_all(cors: &Cors, node: &Node, decoder: &mut Decoder) {
    if cors.credentials && cors.origins.iter().any(|origin| origin.as_str() == "*") {
        let span = node.value("credentials").map_or(node.span, |value| value.span);
        decoder.report(
            Diagnostic::error(codes::CONFLICTING_KEYS, span, "`credentials` with origins `*` would let every page act for your users")
                .label("with every origin")
                .replace("write `credentials: false`, or name the origins", span, "false"),
        );
    }
}
