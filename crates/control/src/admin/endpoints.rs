//! Endpoints in operation: what they do now, and a weight, a drain or a health in place of what the configuration and
//! checks say. What is set here holds over reloads, as long as the endpoint stays in the configuration, and not over a
//! restart.

use super::call::{Call, Response, found, refused, tag_of, tagged};
use super::{Desk, status};
use axum::http::StatusCode;
use serde_json::{Value, json};
use strait_plan::{Endpoint, Health, Plan};

/// The largest weight.
pub(super) const WEIGHT_MAX: u64 = strait_plan::WEIGHT_MAX as u64;

/// What is asked for; what is not mentioned stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Orders {
    /// A weight, or `Some(None)` for the configuration's.
    weight: Option<Option<u32>>,
    drain: Option<bool>,
    health: Option<Health>,
}

/// All upstreams with their endpoints.
pub(super) fn list(desk: &Desk, _: &Call) -> Response {
    let now_ms = desk.workers.now_ms();
    found(&json!({ "upstreams": status::upstreams(&desk.workers.plan(), now_ms) }))
}

/// One endpoint.
pub(super) fn show(desk: &Desk, call: &Call) -> Response {
    let plan = desk.workers.plan();
    match named(&plan, call) {
        Ok(endpoint) => report(desk, endpoint),
        Err(reason) => refused(StatusCode::NOT_FOUND, &reason),
    }
}

/// Sets the weight, the drain or the health of one endpoint, by `?weight=5&drain=true` or the same as JSON.
pub(super) fn set(desk: &Desk, call: &Call) -> Response {
    let plan = desk.workers.plan();
    let endpoint = match named(&plan, call) {
        Ok(endpoint) => endpoint,
        Err(reason) => return refused(StatusCode::NOT_FOUND, &reason),
    };
    if call.if_match().is_some_and(|tags| !tags.contains(&tag(endpoint))) {
        let reason = "the endpoint is set otherwise by now: read it again, and send the new tag";
        return tagged(refused(StatusCode::PRECONDITION_FAILED, reason), &tag(endpoint));
    }
    match orders(&call.query, call.body.as_ref()) {
        Ok(_) if call.flag("dry_run") => report(desk, endpoint),
        Ok(orders) => {
            obey(endpoint, orders, desk.workers.now_ms());
            report(desk, endpoint)
        }
        Err(reason) => refused(StatusCode::BAD_REQUEST, &reason),
    }
}

fn obey(endpoint: &Endpoint, orders: Orders, now_ms: u64) {
    let standing = &endpoint.state.standing;
    if let Some(weight) = orders.weight {
        standing.set_weight(weight);
    }
    if let Some(drain) = orders.drain {
        standing.set_draining(drain, now_ms);
    }
    if let Some(health) = orders.health {
        standing.set_health(health, now_ms);
        if health == Health::Healthy {
            standing.eject_until(0);
        }
    }
}

fn report(desk: &Desk, endpoint: &Endpoint) -> Response {
    tagged(found(&status::endpoint(endpoint, desk.workers.now_ms())), &tag(endpoint))
}

/// Stands for what can be set, not for the figures beside it.
fn tag(endpoint: &Endpoint) -> String {
    let standing = &endpoint.state.standing;
    tag_of(&format!("{:?} {} {:?}", standing.weight(), standing.is_draining(), standing.health()))
}

/// The endpoint that a path names. Slashes in its name may be written as they are.
fn named<'p>(plan: &'p Plan, call: &Call) -> Result<&'p Endpoint, String> {
    let name = call.parts.get(1..).unwrap_or_default().join("/");
    find(plan, call.part(0), &name)
}

fn find<'p>(plan: &'p Plan, upstream: &str, endpoint: &str) -> Result<&'p Endpoint, String> {
    let unknown = |what: &str, name: &str, there_are: Vec<&str>| {
        format!("no {what} is called `{name}`; there are: {}", there_are.join("; "))
    };
    let own = || plan.upstreams.iter().map(|upstream| &**upstream).filter(|upstream| upstream.variant_of.is_none());
    let Some(found) = own().find(|known| *known.name == *upstream) else {
        return Err(unknown("upstream", upstream, own().map(|upstream| &*upstream.name).collect()));
    };
    let wanted = found.endpoints.iter().find(|known| *known.name == *endpoint);
    let names = || found.endpoints.iter().map(|endpoint| &*endpoint.name).collect();
    wanted.ok_or_else(|| unknown("endpoint", endpoint, names()))
}

fn orders(query: &[(String, String)], body: Option<&Value>) -> Result<Orders, String> {
    let mut orders = Orders::default();
    for (key, value) in query.iter().filter(|(key, _)| key != "dry_run") {
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::from(value.as_str()));
        order(&mut orders, key, &value)?;
    }
    match body {
        None => {}
        Some(Value::Object(written)) => written.iter().try_for_each(|(key, value)| order(&mut orders, key, value))?,
        Some(_) => return Err("the body is an object such as {\"weight\": 5, \"drain\": true}".to_owned()),
    }
    if orders == Orders::default() {
        return Err("say `weight`, `drain` or `health`".to_owned());
    }
    Ok(orders)
}

fn order(orders: &mut Orders, key: &str, value: &Value) -> Result<(), String> {
    match (key, value, value.as_u64()) {
        ("drain", Value::Bool(drain), _) => orders.drain = Some(*drain),
        ("drain", ..) => return Err("`drain` is true or false".to_owned()),
        ("weight", Value::Null, _) => orders.weight = Some(None),
        ("weight", _, Some(weight)) if weight <= WEIGHT_MAX => orders.weight = Some(u32::try_from(weight).ok()),
        ("weight", ..) => {
            return Err(format!("`weight` is a number up to {WEIGHT_MAX}, or null for the configuration's"));
        }
        ("health", ..) => {
            orders.health = Some(match value.as_str() {
                Some("healthy") => Health::Healthy,
                Some("unhealthy") => Health::Unhealthy,
                Some("unknown") => Health::Unknown,
                _ => return Err("`health` is healthy, unhealthy or unknown".to_owned()),
            });
        }
        _ => return Err(format!("`{key}` cannot be set; `weight`, `drain` and `health` can")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Orders, orders};
    use serde_json::json;
    use strait_plan::Health;

    fn pairs(query: &[(&str, &str)]) -> Vec<(String, String)> {
        query.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn orders_come_as_query_or_as_json() {
        let ordered = |weight, drain, health| Orders { weight, drain, health };
        for (query, body, expected) in [
            (pairs(&[("weight", "5")]), None, ordered(Some(Some(5)), None, None)),
            (pairs(&[("drain", "true"), ("weight", "0")]), None, ordered(Some(Some(0)), Some(true), None)),
            (pairs(&[]), Some(json!({"weight": null, "drain": false})), ordered(Some(None), Some(false), None)),
            (pairs(&[("weight", "null"), ("dry_run", "")]), None, ordered(Some(None), None, None)),
            (pairs(&[("health", "unhealthy")]), None, ordered(None, None, Some(Health::Unhealthy))),
        ] {
            assert_eq!(orders(&query, body.as_ref()).unwrap(), expected);
        }
        let refused = [
            (pairs(&[]), None),
            (pairs(&[("weight", "-1")]), None),
            (pairs(&[("weight", "1000001")]), None),
            (pairs(&[("weight", "much")]), None),
            (pairs(&[("drain", "1")]), None),
            (pairs(&[("health", "ill")]), None),
            (pairs(&[]), Some(json!([]))),
            (pairs(&[]), Some(json!({"color": "red"}))),
        ];
        for (query, body) in refused {
            assert!(orders(&query, body.as_ref()).is_err(), "{query:?} {body:?}");
        }
    }
}
