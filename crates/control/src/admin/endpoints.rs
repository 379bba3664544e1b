//! Endpoints in operation: what they do now, and a weight or a drain in place of what the configuration says. What is
//! set here holds over reloads, as long as the endpoint stays in the configuration, and not over a restart.

use super::{Desk, status};
use axum::Json;
use axum::body::{Body, to_bytes};
use axum::extract::{Path, RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::Arc;
use strait_plan::{Endpoint, Plan, Upstream};

/// Octets of a request body.
const BODY_BYTES_MAX: usize = 4096;
/// The largest weight.
const WEIGHT_MAX: u64 = strait_plan::WEIGHT_MAX as u64;

/// What is asked for; what is not mentioned stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Orders {
    /// A weight, or `Some(None)` for the configuration's.
    weight: Option<Option<u32>>,
    drain: Option<bool>,
}

/// All upstreams with their endpoints.
pub(super) async fn list(State(desk): State<Arc<Desk>>) -> Response {
    let now_ms = desk.workers.now_ms();
    Json(json!({ "upstreams": status::upstreams(&desk.workers.plan(), now_ms) })).into_response()
}

/// One endpoint.
pub(super) async fn show(
    State(desk): State<Arc<Desk>>,
    Path((upstream, endpoint)): Path<(String, String)>,
) -> Response {
    let plan = desk.workers.plan();
    match find(&plan, &upstream, &endpoint) {
        Ok((_, endpoint)) => Json(status::endpoint(endpoint, desk.workers.now_ms())).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

/// Sets the weight or the drain of one endpoint, by `?weight=5&drain=true` or the same as JSON.
pub(super) async fn set(
    State(desk): State<Arc<Desk>>,
    Path((upstream, endpoint)): Path<(String, String)>,
    RawQuery(query): RawQuery,
    body: Body,
) -> Response {
    let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
        return Refusal(StatusCode::PAYLOAD_TOO_LARGE, format!("a body has {BODY_BYTES_MAX} octets at most"))
            .into_response();
    };
    let plan = desk.workers.plan();
    let outcome = orders(query.as_deref().unwrap_or(""), &body).and_then(|orders| {
        let (_, endpoint) = find(&plan, &upstream, &endpoint)?;
        Ok(obey(endpoint, orders, desk.workers.now_ms()))
    });
    match outcome {
        Ok(report) => Json(report).into_response(),
        Err(refusal) => refusal.into_response(),
    }
}

fn obey(endpoint: &Endpoint, orders: Orders, now_ms: u64) -> Value {
    let standing = &endpoint.state.standing;
    if let Some(weight) = orders.weight {
        standing.set_weight(weight);
    }
    if let Some(drain) = orders.drain {
        standing.set_draining(drain, now_ms);
    }
    status::endpoint(endpoint, now_ms)
}

/// Why nothing was done.
#[derive(Debug)]
struct Refusal(StatusCode, String);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        (self.0, Json(json!({ "error": self.1 }))).into_response()
    }
}

fn find<'p>(plan: &'p Plan, upstream: &str, endpoint: &str) -> Result<(&'p Upstream, &'p Endpoint), Refusal> {
    let unknown = |what: &str, name: &str, there_are: Vec<&str>| {
        Refusal(StatusCode::NOT_FOUND, format!("no {what} is called `{name}`; there are: {}", there_are.join("; ")))
    };
    let own = || plan.upstreams.iter().filter(|upstream| upstream.variant_of.is_none());
    let Some(found) = own().find(|known| *known.name == *upstream) else {
        return Err(unknown("upstream", upstream, own().map(|upstream| &*upstream.name).collect()));
    };
    let wanted = found.endpoints.iter().find(|known| *known.name == *endpoint);
    let names = || found.endpoints.iter().map(|endpoint| &*endpoint.name).collect();
    wanted.map(|endpoint| (found, endpoint)).ok_or_else(|| unknown("endpoint", endpoint, names()))
}

fn orders(query: &str, body: &[u8]) -> Result<Orders, Refusal> {
    let mut orders = Orders::default();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value));
        order(&mut orders, key, &value)?;
    }
    if !body.trim_ascii().is_empty() {
        let Ok(Value::Object(written)) = serde_json::from_slice(body) else {
            return Err(malformed("the body must be an object such as {\"weight\": 5, \"drain\": true}"));
        };
        written.iter().try_for_each(|(key, value)| order(&mut orders, key, value))?;
    }
    if orders == Orders::default() { Err(malformed("say `weight` or `drain`")) } else { Ok(orders) }
}

fn order(orders: &mut Orders, key: &str, value: &Value) -> Result<(), Refusal> {
    match (key, value, value.as_u64()) {
        ("drain", Value::Bool(drain), _) => orders.drain = Some(*drain),
        ("weight", Value::Null, _) => orders.weight = Some(None),
        ("weight", _, Some(weight)) if weight <= WEIGHT_MAX => orders.weight = Some(u32::try_from(weight).ok()),
        ("drain", ..) => return Err(malformed("`drain` is true or false")),
        ("weight", ..) => {
            return Err(malformed(&format!(
                "`weight` is a number up to {WEIGHT_MAX}, or null for the configuration's"
            )));
        }
        _ => return Err(malformed(&format!("`{key}` cannot be set; `weight` and `drain` can"))),
    }
    Ok(())
}

fn malformed(reason: &str) -> Refusal {
    Refusal(StatusCode::BAD_REQUEST, reason.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Orders, orders};

    #[test]
    fn orders_come_as_query_or_as_json() {
        let ordered = |weight, drain| Orders { weight, drain };
        for (query, body, expected) in [
            ("weight=5", "", ordered(Some(Some(5)), None)),
            ("drain=true&weight=0", "", ordered(Some(Some(0)), Some(true))),
            ("", "{\"weight\": null, \"drain\": false}", ordered(Some(None), Some(false))),
            ("weight=null", "", ordered(Some(None), None)),
        ] {
            assert_eq!(orders(query, body.as_bytes()).unwrap(), expected);
        }
        for (query, body) in [
            ("", ""),
            ("weight=-1", ""),
            ("weight=1000001", ""),
            ("weight=much", ""),
            ("drain=1", ""),
            ("color=red", ""),
            ("", "[]"),
            ("", "{"),
        ] {
            assert_eq!(orders(query, body.as_bytes()).unwrap_err().0, 400, "{query} {body}");
        }
    }
}
