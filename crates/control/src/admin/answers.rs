//! The answers of the admin API.

use super::{Desk, metrics, status};
use axum::extract::{Query, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;
use std::collections::HashMap;
use std::sync::Arc;
use strait_telemetry::prometheus::Exposition;

/// Every path of the API.
pub(super) fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/status", get(status))
        .route("/explain", get(explain))
        .route("/stop", post(stop))
        .route("/log/reopen", post(reopen))
        .fallback(nothing)
        .with_state(desk)
}

/// The process is there and this thread runs.
async fn livez() -> Response {
    Json(json!({ "live": true })).into_response()
}

/// Whether new traffic should be sent here.
async fn readyz(State(desk): State<Arc<Desk>>) -> Response {
    let plan = desk.workers.plan();
    let reason = if desk.workers.is_draining() {
        Some("draining: no new connections are accepted")
    } else if plan.listeners.is_empty() {
        Some("no plan with a listener has been published")
    } else {
        None
    };
    let status = if reason.is_none() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = json!({ "ready": reason.is_none(), "reason": reason, "generation": plan.generation });
    (status, Json(body)).into_response()
}

async fn metrics(State(desk): State<Arc<Desk>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let accept = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok()).unwrap_or("");
    let exposition = Exposition::preferred(accept);
    let every_route = query.is_some_and(|query| query.split('&').any(|part| part == "all" || part.starts_with("all=")));
    let page = computed(move || metrics::page(&desk, exposition, every_route)).await;
    page.map(|page| ([(header::CONTENT_TYPE, exposition.content_type())], page)).into_response()
}

async fn status(State(desk): State<Arc<Desk>>) -> Response {
    computed(move || status::report(&desk)).await.map(Json).into_response()
}

async fn explain(State(desk): State<Arc<Desk>>, Query(asked): Query<HashMap<String, String>>) -> Response {
    let method = asked.get("method").map_or("GET", String::as_str).to_owned();
    let Some(url) = asked.get("url").cloned() else {
        return refused(StatusCode::BAD_REQUEST, "name the URL: /explain?method=GET&url=http://host/path");
    };
    match computed(move || (desk.hooks.explain)(&method, &url)).await {
        Ok(Ok(text)) => text.into_response(),
        Ok(Err(reason)) => refused(StatusCode::BAD_REQUEST, &reason),
        Err(response) => response,
    }
}

async fn stop(State(desk): State<Arc<Desk>>) -> Response {
    (desk.hooks.stop)();
    (StatusCode::ACCEPTED, Json(json!({ "draining": true }))).into_response()
}

async fn reopen(State(desk): State<Arc<Desk>>) -> Response {
    (desk.hooks.reopen)();
    Json(json!({ "reopened": true })).into_response()
}

async fn nothing() -> Response {
    refused(StatusCode::NOT_FOUND, "there is /livez, /readyz, /metrics, /status, /explain, /stop and /log/reopen")
}

fn refused(status: StatusCode, reason: &str) -> Response {
    (status, Json(json!({ "error": reason }))).into_response()
}

/// Computes an answer beside the thread that accepts and answers, which stays free. A panic becomes a 500.
async fn computed<T: Send + 'static>(compute: impl FnOnce() -> T + Send + 'static) -> Result<T, Response> {
    let answer = tokio::task::spawn_blocking(compute).await;
    answer.map_err(|_| refused(StatusCode::INTERNAL_SERVER_ERROR, "a defect: computing the answer panicked"))
}
