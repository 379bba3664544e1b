//! The configuration: read, patched, taken back, read anew. A patch is kept over reloads and restarts.

use super::call::{Call, Response, found, problem, refused, tag_of, tagged, unchanged};
use super::{Change, Deed, Desk, Refused, Served};
use crate::patch::{With, find};
use axum::http::StatusCode;
use serde_json::{Value, json};

pub(super) fn whole(desk: &Desk, call: &Call) -> Response {
    let Served { effective, patch, tag, .. } = (desk.hooks.config)();
    if call.has(&tag) {
        return unchanged(&tag);
    }
    let mut body = effective;
    if let Some(map) = body.as_object_mut() {
        map.insert("generation".to_owned(), json!(desk.workers.plan().generation));
        map.insert("patch".to_owned(), patch);
    }
    tagged(found(&body), &tag)
}

pub(super) fn value(desk: &Desk, call: &Call) -> Response {
    let Served { effective, tag, .. } = (desk.hooks.config)();
    let config = effective.get("config").unwrap_or(&Value::Null);
    match find(config, &call.parts) {
        Some(_) if call.has(&tag) => unchanged(&tag),
        Some(value) => tagged(found(value), &tag),
        None => refused(StatusCode::NOT_FOUND, &format!("there is nothing at `/{}`", call.parts.join("/"))),
    }
}

pub(super) fn kept(desk: &Desk, call: &Call) -> Response {
    let Served { patch, state_file, .. } = (desk.hooks.config)();
    let tag = tag_of(&patch.to_string());
    if call.has(&tag) {
        return unchanged(&tag);
    }
    tagged(found(&json!({ "patch": patch, "kept_in": state_file })), &tag)
}

pub(super) fn patch(desk: &Desk, call: &Call) -> Response {
    let body = call.body.clone().unwrap_or_default();
    edit(desk, call, if call.is_json_patch { With::Operations(body) } else { With::Merge(body) })
}

pub(super) fn put(desk: &Desk, call: &Call) -> Response {
    let body = call.body.clone().unwrap_or_default();
    edit(desk, call, With::Replace(body))
}

pub(super) fn remove(desk: &Desk, call: &Call) -> Response {
    edit(desk, call, With::Remove)
}

fn edit(desk: &Desk, call: &Call, with: With) -> Response {
    change(desk, call, Deed::Edit { at: call.parts.clone(), with })
}

pub(super) fn take_back(desk: &Desk, call: &Call) -> Response {
    change(desk, call, Deed::TakeBack)
}

pub(super) fn reload(desk: &Desk, call: &Call) -> Response {
    change(desk, call, Deed::Reload)
}

fn change(desk: &Desk, call: &Call, deed: Deed) -> Response {
    let prefer = call.asked("prefer").map(str::to_owned);
    let asked = Change { deed, dry_run: call.flag("dry_run"), if_match: call.if_match(), prefer };
    match (desk.hooks.change)(asked) {
        Ok((report, tag)) => tagged(found(&report), &tag),
        Err(Refused::Stale(tag)) => {
            let reason = "the configuration is another one by now: read it again, and send the new tag";
            tagged(refused(StatusCode::PRECONDITION_FAILED, reason), &tag)
        }
        Err(Refused::Malformed(reason)) => refused(StatusCode::BAD_REQUEST, &reason),
        Err(Refused::Missing(reason)) => refused(StatusCode::NOT_FOUND, &reason),
        Err(Refused::Conflict(reason)) => refused(StatusCode::CONFLICT, &reason),
        Err(Refused::Configuration(error, text)) => {
            problem(StatusCode::UNPROCESSABLE_ENTITY, json!({ "error": error, "detail": text }))
        }
        Err(Refused::Failed(reason)) => refused(StatusCode::INTERNAL_SERVER_ERROR, &reason),
    }
}
