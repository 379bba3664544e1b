//! A request to the admin API, read: what an operation is given, and what it answers with.

use axum::Json;
use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response as Answered};
use serde_json::{Value, json};

/// An answer.
pub(super) type Response = Answered<Body>;

/// A request whose path, query and body were held against the table.
#[derive(Debug, Default)]
pub(super) struct Call {
    /// The parts of the path that the operation leaves open, decoded, in the order of the path. The last may be many.
    pub(super) parts: Vec<String>,
    /// What the query says.
    pub(super) query: Vec<(String, String)>,
    /// The fields.
    pub(super) headers: HeaderMap,
    /// The body, if the operation takes one and there is one.
    pub(super) body: Option<Value>,
    /// Whether the body is a JSON patch (RFC 6902).
    pub(super) is_json_patch: bool,
}

impl Call {
    /// The n-th open part of the path.
    pub(super) fn part(&self, at: usize) -> &str {
        self.parts.get(at).map_or("", String::as_str)
    }

    /// The last value that the query gives this key.
    pub(super) fn asked(&self, key: &str) -> Option<&str> {
        self.query.iter().rev().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
    }

    /// Whether a flag is up: `?dry_run` or `?dry_run=true`.
    pub(super) fn flag(&self, key: &str) -> bool {
        self.asked(key).is_some_and(|value| value != "false")
    }

    /// The tags of `If-Match`; `None` when any will do (RFC 9110 §13.1.1).
    pub(super) fn if_match(&self) -> Option<Vec<String>> {
        let tags = tags(&self.headers, header::IF_MATCH.as_str());
        tags.filter(|tags| !tags.iter().any(|tag| tag == "*"))
    }

    /// Whether the caller has what bears this tag already (RFC 9110 §13.1.2).
    pub(super) fn has(&self, tag: &str) -> bool {
        let tags = tags(&self.headers, header::IF_NONE_MATCH.as_str());
        tags.is_some_and(|tags| tags.iter().any(|known| known == "*" || known.trim_start_matches("W/") == tag))
    }
}

fn tags(headers: &HeaderMap, name: &str) -> Option<Vec<String>> {
    let lines: Vec<&str> = headers.get_all(name).iter().filter_map(|line| line.to_str().ok()).collect();
    (!lines.is_empty())
        .then(|| lines.iter().flat_map(|line| line.split(',')).map(|tag| tag.trim().to_owned()).collect())
}

/// A tag for something that prints like this.
pub fn tag_of(printed: &str) -> String {
    // FNV-1a: it tells states of one configuration apart, and nobody gains by finding two with one tag.
    let hash = printed
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, octet| (hash ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3));
    format!("\"{hash:016x}\"")
}

/// A JSON document.
pub(super) fn answer(status: StatusCode, body: &Value) -> Response {
    (status, Json(body)).into_response()
}

/// The document, that what was asked for is there.
pub(super) fn found(body: &Value) -> Response {
    answer(StatusCode::OK, body)
}

/// The media type of what says why not.
pub(super) const PROBLEM: &str = "application/problem+json";

/// Why not (RFC 9457 §3; without a `type` the status says what kind it is).
pub(super) fn refused(status: StatusCode, reason: &str) -> Response {
    problem(status, json!({ "detail": reason }))
}

/// Why not, with more than a reason.
pub(super) fn problem(status: StatusCode, mut body: Value) -> Response {
    if let Some(body) = body.as_object_mut() {
        body.insert("title".to_owned(), json!(status.canonical_reason()));
        body.insert("status".to_owned(), json!(status.as_u16()));
    }
    let mut response = answer(status, &body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(PROBLEM));
    response
}

/// The answer with a tag.
pub(super) fn tagged(mut response: Response, tag: &str) -> Response {
    if let Ok(tag) = HeaderValue::from_str(tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// That the caller has it already.
pub(super) fn unchanged(tag: &str) -> Response {
    tagged(StatusCode::NOT_MODIFIED.into_response(), tag)
}

#[cfg(test)]
mod tests {
    use super::{Call, tag_of};

    #[test]
    fn conditions_are_lists_of_tags() {
        let mut call = Call::default();
        assert_eq!((call.if_match(), call.has("\"a\"")), (None, false));
        call.headers.append("if-match", "\"a\", \"b\"".parse().unwrap());
        call.headers.append("if-match", "\"c\"".parse().unwrap());
        call.headers.append("if-none-match", "W/\"d\"".parse().unwrap());
        assert_eq!(call.if_match().unwrap(), ["\"a\"", "\"b\"", "\"c\""]);
        assert!(call.has("\"d\"") && !call.has("\"e\""));
        call.headers.append("if-match", "*".parse().unwrap());
        assert_eq!(call.if_match(), None);
    }

    #[test]
    fn tags_tell_documents_apart() {
        assert_ne!(tag_of("a"), tag_of("b"));
        assert_eq!(tag_of("a").len(), 18);
    }
}
