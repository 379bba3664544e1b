//! The list of all operations: requests are matched by it, refused by it, and the OpenAPI document is printed from it.

use super::call::{Call, Response, refused};
use super::{Desk, answers, configuration, endpoints, inventory, observe, openapi};
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use serde_json::Value;
use std::sync::Arc;

/// Octets of a request body.
pub(super) const BODY_BYTES_MAX: usize = 1 << 20;

/// Who may ask for an operation through the address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// Everyone who reaches it, with or without a token.
    Open,
    /// Who has the token, where there is one.
    Read,
    /// Who has the token, from this machine only, and nobody where there is none: it may hold what is nobody else's
    /// business.
    Private,
    /// As `Private`: it changes something.
    Change,
}

/// Where an operation is computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// At once, on the thread that answers.
    Now,
    /// On a thread for answers.
    Aside,
    /// There too, one after the other.
    InTurn,
}

/// What an operation takes in its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    Nothing,
    /// A patch of either kind.
    Patch,
    /// Any JSON value.
    Value,
    /// What can be set of an endpoint; it may also stand in the query.
    Orders,
}

/// A key of the query.
pub(super) struct Parameter {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    /// Its type in words of JSON Schema.
    pub(super) form: Form,
    pub(super) required: bool,
}

/// What a key of the query may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    /// Nothing, `true` or `false`.
    Flag,
    /// A text, many times.
    Texts,
    /// One of these.
    Words(&'static [&'static str]),
    /// An IP address.
    Address,
    /// A weight, or `null`.
    Weight,
    /// The number of an exchange.
    Number,
}

impl Form {
    /// What is wrong with a value, as far as its form says.
    fn objection(self, value: &str) -> Option<String> {
        let words = match self {
            Self::Flag => &["", "true", "false"],
            Self::Words(words) => words,
            _ => return None,
        };
        let is_known = words.contains(&value);
        (!is_known).then(|| words.iter().filter(|word| !word.is_empty()).copied().collect::<Vec<_>>().join(" or "))
    }
}

/// What an endpoint's health may be said to be.
pub(super) const HEALTHS: Form = Form::Words(&["healthy", "unhealthy", "unknown"]);

/// One operation.
pub(super) struct Operation {
    pub(super) method: &'static str,
    /// Its path; `{name}` is one segment, `{name...}` all that follow.
    pub(super) path: &'static str,
    /// Its name in the OpenAPI document.
    pub(super) id: &'static str,
    pub(super) about: &'static str,
    pub(super) access: Access,
    pub(super) pace: Pace,
    pub(super) query: &'static [Parameter],
    pub(super) takes: Takes,
    /// Whether `If-Match` is heeded.
    pub(super) conditional: bool,
    /// Statuses with the name of the schema of their body; what every operation may answer is not repeated.
    pub(super) answers: &'static [(u16, &'static str)],
    pub(super) answer: fn(&Desk, &Call) -> Response,
}

const DRY_RUN: Parameter = Parameter {
    name: "dry_run",
    about: "Say what would change, and change nothing.",
    form: Form::Flag,
    required: false,
};

const fn parameter(name: &'static str, form: Form, about: &'static str) -> Parameter {
    Parameter { name, about, form, required: false }
}

const fn read(
    path: &'static str,
    id: &'static str,
    about: &'static str,
    schema: &'static [(u16, &'static str)],
) -> Operation {
    Operation {
        method: "GET",
        path,
        id,
        about,
        access: Access::Read,
        pace: Pace::Aside,
        query: &[],
        takes: Takes::Nothing,
        conditional: false,
        answers: schema,
        answer: nothing,
    }
}

const fn change(method: &'static str, path: &'static str, id: &'static str, about: &'static str) -> Operation {
    Operation {
        method,
        access: Access::Change,
        pace: Pace::InTurn,
        query: &[DRY_RUN],
        conditional: true,
        answers: &[(200, "Changed"), (409, "Error"), (412, "Error"), (422, "Refusal")],
        ..read(path, id, about, &[])
    }
}

/// All of them.
pub(super) const OPERATIONS: &[Operation] = &[
    Operation {
        access: Access::Open,
        pace: Pace::Now,
        answer: answers::livez,
        ..read("/livez", "livez", "Whether the process is there.", &[(200, "Live")])
    },
    Operation {
        access: Access::Open,
        pace: Pace::Now,
        answer: answers::readyz,
        ..read("/readyz", "readyz", "Whether new traffic should be sent here.", &[(200, "Ready"), (503, "Ready")])
    },
    Operation {
        query: &[parameter("all", Form::Flag, "Series of routes that have seen nothing, too.")],
        answer: answers::metrics,
        ..read("/metrics", "metrics", "Metrics for Prometheus, in its text format or OpenMetrics.", &[(200, "text")])
    },
    Operation { answer: answers::status, ..read("/status", "status", "What it does now.", &[(200, "Status")]) },
    Operation {
        // What a route does to a request is its configuration.
        access: Access::Private,
        query: &[
            Parameter { required: true, ..parameter("url", Form::Text, "The URL that is asked about.") },
            parameter("method", Form::Text, "The method; GET without it."),
            parameter("header", Form::Texts, "`Name: value`; there may be many."),
            parameter("listener", Form::Text, "The listener it comes to."),
            parameter("from", Form::Address, "The client's address."),
            parameter("format", Form::Words(&["text", "json"]), "`json` for tools."),
        ],
        answer: answers::explain,
        ..read("/explain", "explain", "What would become of a request.", &[(200, "any"), (400, "Error")])
    },
    Operation {
        access: Access::Private,
        query: &[parameter(
            "by",
            Form::Words(&["route", "upstream", "endpoint", "client"]),
            "What is listed; routes without it.",
        )],
        answer: observe::top,
        ..read(
            "/top",
            "top",
            "What was counted by route, upstream, endpoint or client.",
            &[(200, "any"), (400, "Error")],
        )
    },
    Operation {
        access: Access::Private,
        query: &[
            parameter("since", Form::Number, "The number that the answer before gave as `next`."),
            parameter("filter", Form::Text, "A condition on records."),
            parameter(
                "format",
                Form::Words(&["json", "text", "logfmt", "ecs", "combined"]),
                "How lines are written; `json` without it.",
            ),
        ],
        answer: observe::tail,
        ..read(
            "/tail",
            "tail",
            "Exchanges that ended since the answer before; every exchange is wanted for ten seconds from now.",
            &[(200, "any"), (400, "Error"), (404, "Error")],
        )
    },
    Operation {
        access: Access::Private,
        query: &[parameter("id", Form::Text, "A request id; without it the latest failures are listed.")],
        answer: observe::why,
        ..read("/why", "why", "What became of a request that failed.", &[(200, "any"), (404, "Error")])
    },
    Operation {
        answer: inventory::connections,
        ..read(
            "/connections",
            "connections",
            "Connections by listener, worker and endpoint, with their limits.",
            &[(200, "Connections")],
        )
    },
    Operation {
        answer: inventory::certificates,
        ..read(
            "/certificates",
            "certificates",
            "The certificates that clients are shown, and when they expire.",
            &[(200, "Certificates")],
        )
    },
    Operation {
        answer: endpoints::list,
        ..read("/upstreams", "upstreams", "Upstreams and their endpoints.", &[(200, "Upstreams")])
    },
    Operation {
        answer: endpoints::show,
        ..read(
            "/upstreams/{upstream}/endpoints/{endpoint...}",
            "endpoint",
            "One endpoint.",
            &[(200, "Endpoint"), (404, "Error")],
        )
    },
    Operation { answer: endpoints::set, ..ENDPOINT_ORDER },
    Operation { method: "POST", id: "orderEndpoint", answer: endpoints::set, ..ENDPOINT_ORDER },
    Operation {
        access: Access::Private,
        answer: configuration::whole,
        ..read(
            "/config",
            "config",
            "The configuration that serves, where each value comes from, and what is patched in it.",
            &[(200, "Config"), (304, "")],
        )
    },
    Operation {
        takes: Takes::Patch,
        answers: &[(200, "Changed"), (404, "Error"), (409, "Error"), (412, "Error"), (422, "Refusal")],
        answer: configuration::patch,
        ..change(
            "PATCH",
            "/config",
            "patchConfig",
            "Patches the configuration, and keeps the patch over reloads and restarts.",
        )
    },
    Operation {
        access: Access::Private,
        answer: configuration::value,
        ..read(
            "/config/{key...}",
            "configValue",
            "One value of the configuration.",
            &[(200, "any"), (304, ""), (404, "Error")],
        )
    },
    Operation {
        takes: Takes::Patch,
        answers: &[(200, "Changed"), (404, "Error"), (409, "Error"), (412, "Error"), (422, "Refusal")],
        answer: configuration::patch,
        ..change("PATCH", "/config/{key...}", "patchConfigValue", "Patches one value of the configuration.")
    },
    Operation {
        takes: Takes::Value,
        answers: &[(200, "Changed"), (404, "Error"), (409, "Error"), (412, "Error"), (422, "Refusal")],
        answer: configuration::put,
        ..change("PUT", "/config/{key...}", "putConfigValue", "Puts a value in the place of another.")
    },
    Operation {
        answers: &[(200, "Changed"), (404, "Error"), (409, "Error"), (412, "Error"), (422, "Refusal")],
        answer: configuration::remove,
        ..change("DELETE", "/config/{key...}", "removeConfigValue", "Removes a value of the configuration.")
    },
    Operation {
        access: Access::Private,
        answer: configuration::kept,
        ..read(
            "/patch",
            "patch",
            "What is patched in the configuration, and where that is kept.",
            &[(200, "Patch"), (304, "")],
        )
    },
    Operation {
        answer: configuration::take_back,
        ..change("DELETE", "/patch", "removePatch", "Takes all patches back: the files alone hold again.")
    },
    Operation {
        query: &[
            DRY_RUN,
            parameter(
                "prefer",
                Form::Words(&["file", "api"]),
                "Whose word holds where the files and the patch both changed a value.",
            ),
        ],
        answer: configuration::reload,
        ..change("POST", "/reload", "reload", "Reads the configuration anew and serves it.")
    },
    Operation {
        pace: Pace::Now,
        query: &[],
        conditional: false,
        answers: &[(202, "Draining")],
        answer: answers::stop,
        ..change("POST", "/stop", "stop", "Finishes running exchanges and ends.")
    },
    Operation {
        query: &[],
        conditional: false,
        answers: &[(200, "Reopened")],
        answer: answers::reopen,
        ..change("POST", "/log/reopen", "reopenLog", "Opens the access log anew, after its file was moved.")
    },
    Operation {
        access: Access::Open,
        answer: openapi::document,
        ..read("/openapi.json", "openapi", "This document.", &[(200, "any")])
    },
];

const ENDPOINT_ORDER: Operation = Operation {
    pace: Pace::Aside,
    query: &[
        parameter("weight", Form::Weight, "A weight in place of the configuration's, or null for that."),
        parameter("drain", Form::Flag, "Whether it takes no new clients."),
        parameter("health", HEALTHS, "Its health, until a check comes to another verdict."),
        DRY_RUN,
    ],
    takes: Takes::Orders,
    answers: &[(200, "Endpoint"), (404, "Error"), (412, "Error")],
    ..change(
        "PATCH",
        "/upstreams/{upstream}/endpoints/{endpoint...}",
        "patchEndpoint",
        "Drains an endpoint, weighs it, or says how healthy it is.",
    )
};

fn nothing(_: &Desk, _: &Call) -> Response {
    refused(StatusCode::NOT_FOUND, "there is no such thing")
}

/// What a request is held to be.
pub(super) enum Match {
    Found(&'static Operation, Vec<String>),
    /// There is something, and these are its methods.
    OtherMethods(String),
    Nothing,
}

/// Finds the operation of a method and a path as it was sent.
pub(super) fn find(method: &Method, path: &str) -> Match {
    let of_path = || OPERATIONS.iter().filter_map(|operation| Some((operation, parts(operation.path, path)?)));
    let asked = if *method == Method::HEAD { "GET" } else { method.as_str() };
    if let Some((operation, parts)) = of_path().find(|(operation, _)| operation.method == asked) {
        return Match::Found(operation, parts);
    }
    let mut methods: Vec<_> = of_path().map(|(operation, _)| operation.method).collect();
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    if methods.is_empty() { Match::Nothing } else { Match::OtherMethods(methods.join(", ")) }
}

/// The open parts of a path, if it is one of this form.
fn parts(form: &str, path: &str) -> Option<Vec<String>> {
    let (mut forms, mut segments) = (form.split('/'), path.split('/'));
    let mut parts = Vec::new();
    loop {
        match (forms.next(), segments.next()) {
            (None, None) => return Some(parts),
            (Some(open), Some(segment)) if open.ends_with("...}") => {
                for segment in std::iter::once(segment).chain(segments.by_ref()) {
                    parts.push(decoded(segment)?);
                }
                // A path that ends with a slash says nothing more.
                return (parts.last().is_some_and(|last| !last.is_empty())).then_some(parts);
            }
            (Some(open), Some(segment)) if open.starts_with('{') => {
                parts.push(decoded(segment).filter(|segment| !segment.is_empty())?);
            }
            (Some(form), Some(segment)) if form == segment => {}
            _ => return None,
        }
    }
}

/// A segment or a value without its percent escapes (RFC 3986 §2.1).
fn decoded(text: &str) -> Option<String> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        if octet == b'%' {
            let digit = |octet: Option<u8>| char::from(octet?).to_digit(16);
            let (high, low) = (digit(rest.next())?, digit(rest.next())?);
            octets.push(u8::try_from(high * 16 + low).ok()?);
        } else {
            octets.push(octet);
        }
    }
    String::from_utf8(octets).ok()
}

/// Reads what an operation needs, and has it answered.
pub(super) async fn answered(
    desk: Arc<Desk>,
    operation: &'static Operation,
    parts: Vec<String>,
    request: Request<Body>,
) -> Response {
    let (head, body) = request.into_parts();
    let query = match query(operation, head.uri.query().unwrap_or("")) {
        Ok(query) => query,
        Err(reason) => return refused(StatusCode::BAD_REQUEST, &reason),
    };
    let mut call = Call { parts, query, headers: head.headers, body: None, is_json_patch: false };
    if operation.takes != Takes::Nothing
        && let Err((status, reason)) = read_body(operation, &mut call, body).await
    {
        return refused(status, &reason);
    }
    let run = move |desk: &Desk| (operation.answer)(desk, &call);
    match operation.pace {
        Pace::Now => run(&desk),
        Pace::Aside => aside(move || run(&desk)).await,
        Pace::InTurn => {
            let turn = desk.turn.clone().lock_owned().await;
            aside(move || {
                let _turn = turn;
                run(&desk)
            })
            .await
        }
    }
}

/// Computes an answer beside the thread that accepts and answers, which stays free. A panic becomes a 500.
async fn aside(compute: impl FnOnce() -> Response + Send + 'static) -> Response {
    let answer = tokio::task::spawn_blocking(compute).await;
    answer.unwrap_or_else(|_| refused(StatusCode::INTERNAL_SERVER_ERROR, "a defect: computing the answer panicked"))
}

/// The pairs of the query, each of which the operation knows.
fn query(operation: &Operation, text: &str) -> Result<Vec<(String, String)>, String> {
    let malformed = || "the query is not percent-encoded UTF-8".to_owned();
    let mut pairs = Vec::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let plain = |text: &str| decoded(&text.replace('+', " ")).ok_or_else(malformed);
        let (key, value) = (plain(key)?, plain(value)?);
        let Some(parameter) = operation.query.iter().find(|known| known.name == key) else {
            let known: Vec<_> = operation.query.iter().map(|known| known.name).collect();
            let known = if known.is_empty() { "nothing".to_owned() } else { known.join(", ") };
            return Err(format!("`{key}` is not asked for here: {known}"));
        };
        if let Some(words) = parameter.form.objection(&value) {
            return Err(format!("`{key}` is {words}"));
        }
        pairs.push((key, value));
    }
    for parameter in operation.query.iter().filter(|parameter| parameter.required) {
        if !pairs.iter().any(|(key, _)| key == parameter.name) {
            return Err(format!("`{}` is missing: {}", parameter.name, parameter.about));
        }
    }
    Ok(pairs)
}

async fn read_body(operation: &Operation, call: &mut Call, body: Body) -> Result<(), (StatusCode, String)> {
    let kind = media_type(&call.headers);
    let json_patch = operation.takes == Takes::Patch && kind == "application/json-patch+json";
    let merge_patch = matches!(operation.takes, Takes::Patch | Takes::Orders) && kind == "application/merge-patch+json";
    // What curl says when it is not told otherwise.
    let untold = ["", "application/x-www-form-urlencoded", "application/json"].contains(&kind.as_str());
    if !json_patch && !merge_patch && !untold {
        let reason = format!(
            "`{kind}` is not taken here: application/json is, and for patches application/merge-patch+json and application/json-patch+json"
        );
        return Err((StatusCode::UNSUPPORTED_MEDIA_TYPE, reason));
    }
    let octets = to_bytes(body, BODY_BYTES_MAX).await.map_err(|_| {
        (StatusCode::PAYLOAD_TOO_LARGE, format!("a body has {BODY_BYTES_MAX} octets at most, and comes whole"))
    })?;
    if octets.trim_ascii().is_empty() {
        return if operation.takes == Takes::Orders {
            Ok(())
        } else {
            Err((StatusCode::BAD_REQUEST, "a body is missing: JSON".to_owned()))
        };
    }
    let body: Value = serde_json::from_slice(&octets)
        .map_err(|error| (StatusCode::BAD_REQUEST, format!("the body is not JSON: {error}")))?;
    if operation.takes == Takes::Patch && if json_patch { !body.is_array() } else { !body.is_object() } {
        let reason = "a merge patch is an object, and a JSON patch (application/json-patch+json) a list of operations";
        return Err((StatusCode::BAD_REQUEST, reason.to_owned()));
    }
    (call.body, call.is_json_patch) = (Some(body), json_patch);
    Ok(())
}

fn media_type(headers: &HeaderMap) -> String {
    let written = headers.get(header::CONTENT_TYPE).map(HeaderValue::to_str);
    let written = written.map_or(Ok(""), |written| written).unwrap_or("?");
    written.split(';').next().unwrap_or("").trim().to_ascii_lowercase()
}

#[cfg(test)]
mod tests {
    use super::{Match, OPERATIONS, find, query};
    use axum::http::Method;

    #[track_caller]
    fn found(method: Method, path: &str) -> (&'static str, Vec<String>) {
        match find(&method, path) {
            Match::Found(operation, parts) => (operation.id, parts),
            Match::OtherMethods(methods) => panic!("only {methods}"),
            Match::Nothing => ("", Vec::new()),
        }
    }

    #[test]
    fn paths_lead_to_operations() {
        assert_eq!(found(Method::GET, "/livez").0, "livez");
        assert_eq!(found(Method::HEAD, "/status").0, "status");
        let named = found(Method::PATCH, "/upstreams/a%2Fb/endpoints/unix:%2Frun%2Fa%20b.sock");
        assert_eq!(named, ("patchEndpoint", vec!["a/b".to_owned(), "unix:/run/a b.sock".to_owned()]));
        let deep = found(Method::PUT, "/config/routes/%2F/to");
        assert_eq!(deep, ("putConfigValue", ["routes", "/", "to"].map(str::to_owned).to_vec()));
        for nowhere in ["/", "", "/config/", "/livez/", "/upstreams//endpoints/a", "/config/%zz", "/config/%ff"] {
            assert_eq!(found(Method::GET, nowhere).0, "", "{nowhere}");
        }
        assert!(matches!(find(&Method::GET, "/stop"), Match::OtherMethods(methods) if methods == "POST"));
        assert!(
            matches!(find(&Method::POST, "/config"), Match::OtherMethods(methods) if methods == "GET, PATCH, HEAD")
        );
    }

    #[test]
    fn names_and_places_are_told_apart() {
        for (at, operation) in OPERATIONS.iter().enumerate() {
            let before = OPERATIONS.iter().take(at);
            assert!(before.clone().all(|other| other.id != operation.id), "{}", operation.id);
            assert!(before.clone().all(|other| (other.path, other.method) != (operation.path, operation.method)));
        }
    }

    #[test]
    fn queries_hold_what_the_table_knows() {
        let explain = OPERATIONS.iter().find(|operation| operation.id == "explain").unwrap();
        assert_eq!(query(explain, "url=http%3A%2F%2Fa&header=A:+b").unwrap()[1].1, "A: b");
        assert!(query(explain, "").unwrap_err().starts_with("`url` is missing"));
        assert!(query(explain, "url=/&nonsense=1").unwrap_err().contains("is not asked for here: url, method"));
        let reload = OPERATIONS.iter().find(|operation| operation.id == "reload").unwrap();
        assert_eq!(query(reload, "dry_run").unwrap().len(), 1);
        assert_eq!(query(reload, "dry_run=1").unwrap_err(), "`dry_run` is true or false");
        assert_eq!(query(reload, "prefer=me").unwrap_err(), "`prefer` is file or api");
    }
}
