//! What the process says about itself and what is asked about single requests.

use super::call::{Call, Response, answer, found, refused};
use super::{Asked, Desk, metrics as exposition, status as report};
use axum::http::{StatusCode, header};
use axum::response::IntoResponse as _;
use serde_json::json;
use strait_telemetry::prometheus::Exposition;

/// The process is there and this thread runs.
pub(super) fn livez(_: &Desk, _: &Call) -> Response {
    found(&json!({ "live": true }))
}

/// Whether new traffic should be sent here.
pub(super) fn readyz(desk: &Desk, _: &Call) -> Response {
    let plan = desk.workers.plan();
    let reason = if desk.workers.is_draining() {
        Some("draining: no new connections are accepted")
    } else if plan.listeners.is_empty() {
        Some("no plan with a listener has been published")
    } else {
        None
    };
    let status = if reason.is_none() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    answer(status, &json!({ "ready": reason.is_none(), "reason": reason, "generation": plan.generation }))
}

pub(super) fn metrics(desk: &Desk, call: &Call) -> Response {
    let accept = call.headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or("");
    let form = Exposition::preferred(accept);
    let page = exposition::page(desk, form, call.flag("all"));
    ([(header::CONTENT_TYPE, form.content_type())], page).into_response()
}

pub(super) fn status(desk: &Desk, _: &Call) -> Response {
    found(&report::report(desk))
}

pub(super) fn explain(desk: &Desk, call: &Call) -> Response {
    let asked = match asked(&call.query) {
        Ok(asked) => asked,
        Err(reason) => return refused(StatusCode::BAD_REQUEST, &reason),
    };
    match (desk.hooks.explain)(&asked) {
        Ok(text) if asked.json => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Ok(text) => text.into_response(),
        Err(reason) => refused(StatusCode::BAD_REQUEST, &reason),
    }
}

/// `?method=GET&url=…&header=Name: value&listener=…&from=…&format=json`; of `header` there may be many.
fn asked(pairs: &[(String, String)]) -> Result<Asked, String> {
    let mut asked = Asked { method: "GET".to_owned(), ..Asked::default() };
    for (key, value) in pairs {
        match key.as_str() {
            "method" => asked.method.clone_from(value),
            "url" => asked.url.clone_from(value),
            "listener" => asked.listener = Some(value.clone()),
            "from" => asked.client = Some(value.parse().map_err(|_| format!("`{value}` is not an address"))?),
            "format" => asked.json = value == "json",
            _ => {
                let split = value.split_once(':').ok_or_else(|| format!("`{value}` is not `Name: value`"))?;
                asked.headers.push((split.0.to_owned(), split.1.trim().to_owned()));
            }
        }
    }
    if asked.url.is_empty() {
        return Err("name the URL: /explain?method=GET&url=http://host/path".to_owned());
    }
    Ok(asked)
}

pub(super) fn stop(desk: &Desk, _: &Call) -> Response {
    (desk.hooks.stop)();
    answer(StatusCode::ACCEPTED, &json!({ "draining": true }))
}

pub(super) fn reopen(desk: &Desk, _: &Call) -> Response {
    (desk.hooks.reopen)();
    found(&json!({ "reopened": true }))
}
