//! The answers of the admin API.

use super::{Asked, Desk, endpoints, metrics, status};
use axum::extract::{Query, RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;
use std::sync::Arc;
use strait_telemetry::prometheus::Exposition;

/// Every path of the API.
pub(super) fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .route("/livez", get(livez))
        .route("/readyz", get(readyz))
        .route("/metrics", get(metrics))
        .route("/status", get(status))
        .route("/upstreams", get(endpoints::list))
        .route(
            "/upstreams/{upstream}/endpoints/{*endpoint}",
            get(endpoints::show).post(endpoints::set).patch(endpoints::set),
        )
        .route("/explain", get(explain))
        .route("/config", get(config))
        .route("/reload", post(reload))
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

async fn explain(State(desk): State<Arc<Desk>>, Query(pairs): Query<Vec<(String, String)>>) -> Response {
    let asked = match asked(pairs) {
        Ok(asked) => asked,
        Err(reason) => return refused(StatusCode::BAD_REQUEST, &reason),
    };
    let is_json = asked.json;
    match computed(move || (desk.hooks.explain)(&asked)).await {
        Ok(Ok(text)) if is_json => ([(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Ok(Ok(text)) => text.into_response(),
        Ok(Err(reason)) => refused(StatusCode::BAD_REQUEST, &reason),
        Err(response) => response,
    }
}

/// `?method=GET&url=…&header=Name: value&listener=…&from=…&format=json`; of `header` there may be many.
fn asked(pairs: Vec<(String, String)>) -> Result<Asked, String> {
    let mut asked = Asked { method: "GET".to_owned(), ..Asked::default() };
    for (key, value) in pairs {
        match key.as_str() {
            "method" => asked.method = value,
            "url" => asked.url = value,
            "listener" => asked.listener = Some(value),
            "from" => asked.client = Some(value.parse().map_err(|_| format!("`{value}` is not an address"))?),
            "format" => asked.json = value == "json",
            "header" => {
                let split = value.split_once(':').ok_or_else(|| format!("`{value}` is not `Name: value`"))?;
                asked.headers.push((split.0.to_owned(), split.1.trim().to_owned()));
            }
            _ => return Err(format!("`{key}` is not asked for here: method, url, header, listener, from, format")),
        }
    }
    if asked.url.is_empty() {
        return Err("name the URL: /explain?method=GET&url=http://host/path".to_owned());
    }
    Ok(asked)
}

async fn config(State(desk): State<Arc<Desk>>) -> Response {
    let generation = desk.workers.plan().generation;
    let answer = computed(move || (desk.hooks.config)()).await.map(|mut config| {
        if let Some(map) = config.as_object_mut() {
            map.insert("generation".to_owned(), json!(generation));
        }
        Json(config)
    });
    answer.into_response()
}

async fn reload(State(desk): State<Arc<Desk>>) -> Response {
    match computed(move || (desk.hooks.reload)()).await {
        Ok(Ok(changes)) => Json(changes).into_response(),
        Ok(Err(reason)) => (StatusCode::UNPROCESSABLE_ENTITY, Json(reason)).into_response(),
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
    refused(
        StatusCode::NOT_FOUND,
        "there is /livez, /readyz, /metrics, /status, /config, /explain, /reload, /stop and /log/reopen",
    )
}

fn refused(status: StatusCode, reason: &str) -> Response {
    (status, Json(json!({ "error": reason }))).into_response()
}

/// Computes an answer beside the thread that accepts and answers, which stays free. A panic becomes a 500.
async fn computed<T: Send + 'static>(compute: impl FnOnce() -> T + Send + 'static) -> Result<T, Response> {
    let answer = tokio::task::spawn_blocking(compute).await;
    answer.map_err(|_| refused(StatusCode::INTERNAL_SERVER_ERROR, "a defect: computing the answer panicked"))
}
