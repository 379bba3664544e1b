//! The OpenAPI document, printed from the table of operations.

use super::Desk;
use super::call::{Call, PROBLEM, Response, found};
use super::endpoints::WEIGHT_MAX;
use super::table::{Access, Form, HEALTHS, OPERATIONS, Operation, Pace, Parameter, Takes};
use serde_json::{Map, Value, json};

pub(super) fn document(desk: &Desk, _: &Call) -> Response {
    found(&of(desk.entrance.token.is_some()))
}

/// The document of an API with or without a token.
pub(super) fn of(has_token: bool) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for operation in OPERATIONS {
        let path = paths.entry(operation.path.replace("...}", "}")).or_insert_with(|| json!({}));
        if let Some(path) = path.as_object_mut() {
            path.insert(operation.method.to_ascii_lowercase(), described(operation, has_token));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "The admin API of Strait",
            "version": env!("CARGO_PKG_VERSION"),
            "license": { "name": "Apache-2.0" },
        },
        "paths": paths,
        "components": {
            "schemas": schemas(),
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
        },
    })
}

fn described(operation: &Operation, has_token: bool) -> Value {
    let mut parameters: Vec<Value> = operation.path.split('/').filter_map(open_part).collect();
    parameters.extend(operation.query.iter().map(parameter));
    if operation.conditional {
        parameters.push(condition("If-Match", "Do it only if this is still the tag."));
    }
    if operation.answers.iter().any(|(status, _)| *status == 304) {
        parameters.push(condition("If-None-Match", "Answer only if this is not the tag."));
    }
    let mut described = json!({
        "operationId": operation.id,
        "summary": operation.about,
        "parameters": parameters,
        "responses": responses(operation, has_token),
    });
    if let Some(map) = described.as_object_mut() {
        if let Some(body) = body(operation.takes) {
            map.insert("requestBody".to_owned(), body);
        }
        if has_token && operation.access != Access::Open {
            map.insert("security".to_owned(), json!([{ "token": [] }]));
        }
    }
    described
}

fn open_part(segment: &str) -> Option<Value> {
    let name = segment.strip_prefix('{')?.trim_end_matches('}').trim_end_matches("...");
    let about = match name {
        "key" => "Keys, with slashes between them; a slash in a key is %2F.",
        "endpoint" => "Its name as the status shows it.",
        _ => "Its name.",
    };
    Some(json!({
        "name": name, "in": "path", "required": true, "description": about,
        "schema": { "type": "string", "minLength": 1 },
    }))
}

fn parameter(parameter: &Parameter) -> Value {
    json!({
        "name": parameter.name, "in": "query", "required": parameter.required,
        "description": parameter.about, "schema": schema_of(parameter.form),
    })
}

fn schema_of(form: Form) -> Value {
    match form {
        Form::Text => json!({ "type": "string", "minLength": 1 }),
        Form::Flag => json!({ "enum": [true, false, ""] }),
        Form::Texts => json!({ "type": "array", "items": { "type": "string", "pattern": "^[^:]+:" } }),
        Form::Address => json!({ "type": "string", "anyOf": [{ "format": "ipv4" }, { "format": "ipv6" }] }),
        Form::Weight => weight(),
        Form::Words(words) => json!({ "enum": words }),
        Form::Number => json!({ "type": "integer", "minimum": 0 }),
    }
}

fn condition(name: &str, about: &str) -> Value {
    json!({ "name": name, "in": "header", "description": about, "schema": { "type": "string" } })
}

fn weight() -> Value {
    json!({ "anyOf": [{ "type": "integer", "minimum": 0, "maximum": WEIGHT_MAX }, { "type": "null" }] })
}

fn body(takes: Takes) -> Option<Value> {
    let patch = json!({ "schema": { "type": "object" } });
    let content = match takes {
        Takes::Nothing => return None,
        Takes::Patch => json!({
            "application/merge-patch+json": patch,
            "application/json-patch+json": { "schema": { "$ref": "#/components/schemas/JsonPatch" } },
            "application/json": patch,
        }),
        Takes::Value => json!({ "application/json": { "schema": {} } }),
        Takes::Orders => json!({
            "application/merge-patch+json": { "schema": { "$ref": "#/components/schemas/Orders" } },
            "application/json": { "schema": { "$ref": "#/components/schemas/Orders" } },
        }),
    };
    Some(json!({ "required": !matches!(takes, Takes::Orders), "content": content }))
}

fn responses(operation: &Operation, has_token: bool) -> Value {
    let mut responses = Map::new();
    for (status, schema) in operation.answers {
        responses.insert(status.to_string(), response(*status, schema));
    }
    let mut also = |status: u16| {
        responses.entry(status.to_string()).or_insert_with(|| response(status, "Error"));
    };
    also(403);
    if operation.path.contains('{') {
        also(404);
    }
    also(400);
    if operation.takes != Takes::Nothing {
        [413, 415].into_iter().for_each(&mut also);
    }
    if operation.pace != Pace::Now {
        also(500);
    }
    if has_token && operation.access != Access::Open {
        also(401);
    }
    Value::Object(responses)
}

fn response(status: u16, schema: &str) -> Value {
    let about = axum::http::StatusCode::from_u16(status).ok().and_then(|status| status.canonical_reason());
    let mut response = json!({ "description": about.unwrap_or("Done") });
    let content = match schema {
        "" => return response,
        "text" => json!({ "text/plain": {}, "application/openmetrics-text": {} }),
        "any" => json!({ "application/json": { "schema": {} }, "text/plain": { "schema": { "type": "string" } } }),
        named => {
            let form = if matches!(named, "Error" | "Refusal") { PROBLEM } else { "application/json" };
            json!({ form: { "schema": { "$ref": format!("#/components/schemas/{named}") } } })
        }
    };
    if let Some(map) = response.as_object_mut() {
        map.insert("content".to_owned(), content);
        if matches!(schema, "Config" | "Changed" | "Endpoint" | "Patch") {
            map.insert("headers".to_owned(), json!({ "ETag": { "schema": { "type": "string" } } }));
        }
    }
    response
}

/// An object with these members, all of which it has.
fn object(members: &[(&str, Value)]) -> Value {
    let names: Vec<_> = members.iter().map(|(name, _)| *name).collect();
    let members: Map<_, _> = members.iter().map(|(name, schema)| ((*name).to_owned(), schema.clone())).collect();
    json!({ "type": "object", "required": names, "properties": members })
}

fn list(item: &Value) -> Value {
    json!({ "type": "array", "items": item })
}

fn schemas() -> Value {
    let (text, count, flag) =
        (json!({ "type": "string" }), json!({ "type": "integer", "minimum": 0 }), json!({ "type": "boolean" }));
    let maybe_text = json!({ "type": ["string", "null"] });
    let any = json!({ "type": "object" });
    let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    let orders = json!({
        "type": "object", "minProperties": 1, "additionalProperties": false,
        "properties": { "weight": weight(), "drain": flag, "health": schema_of(HEALTHS) },
    });
    json!({
        "Error": object(&[("title", text.clone()), ("status", count.clone()), ("detail", text.clone())]),
        "Refusal": object(&[
            ("title", text.clone()), ("status", count.clone()), ("detail", text.clone()), ("error", text.clone()),
        ]),
        "Live": object(&[("live", flag.clone())]),
        "Ready": object(&[("ready", flag.clone()), ("reason", maybe_text.clone()), ("generation", count.clone())]),
        "Draining": object(&[("draining", flag.clone())]),
        "Reopened": object(&[("reopened", flag.clone())]),
        "Status": object(&[
            ("version", text.clone()), ("pid", count.clone()), ("generation", count.clone()), ("uptime_s", count.clone()),
            ("draining", flag.clone()), ("workers", list(&any)), ("listeners", list(&any)),
            ("upstreams", list(&reference("Upstream"))), ("faults", list(&any)),
        ]),
        "Connections": object(&[
            ("open", count.clone()), ("workers", list(&any)), ("listeners", list(&any)), ("upstreams", list(&any)),
        ]),
        "Certificates": object(&[("certificates", list(&object(&[
            ("names", list(&text)), ("subject", text.clone()), ("issuer", text.clone()),
            ("not_before", json!({ "type": "integer" })), ("not_after", json!({ "type": "integer" })),
            ("fingerprint", text.clone()), ("listeners", list(&text)),
        ])))]),
        "Upstreams": object(&[("upstreams", list(&reference("Upstream")))]),
        "Upstream": object(&[("name", text.clone()), ("balance", text.clone()), ("endpoints", list(&reference("Endpoint")))]),
        "Endpoint": object(&[
            ("name", text.clone()), ("addresses", list(&text)), ("health", any.clone()), ("weight", count.clone()),
            ("weight_configured", count.clone()), ("connections_open", count.clone()), ("attempts", count.clone()),
        ]),
        "Orders": orders,
        "Config": object(&[
            ("config", any.clone()), ("sources", json!({ "type": "object", "additionalProperties": text })),
            ("patch", any.clone()), ("generation", count.clone()),
        ]),
        "Patch": object(&[("patch", any), ("kept_in", maybe_text)]),
        "Changed": object(&[("generation", count), ("changes", list(&text)), ("waits_for_restart", list(&text)), ("dry_run", flag)]),
        "JsonPatch": list(&object(&[("op", json!({ "enum": ["add", "remove", "replace", "move", "copy", "test"] })), ("path", text)])),
    })
}

#[cfg(test)]
mod tests {
    use super::super::table::OPERATIONS;
    use super::of;

    #[test]
    fn every_operation_is_described_and_every_reference_leads_somewhere() {
        let document = of(true);
        for operation in OPERATIONS {
            let path = operation.path.replace("...}", "}");
            let described = &document["paths"][&path][operation.method.to_ascii_lowercase()];
            assert_eq!(described["operationId"], operation.id);
        }
        let printed = document.to_string();
        for reference in printed.split("#/components/schemas/").skip(1) {
            let name = reference.split('"').next().unwrap();
            assert!(document["components"]["schemas"][name].is_object(), "{name}");
        }
    }
}
