//! Who may ask what. A browser on this machine can be made to call any local port by any page, and by a name that was
//! pointed at 127.0.0.1: so the Host must be one that only this machine has, and what changes state must not come from
//! another origin.

use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, Response, StatusCode, header};
use axum::response::IntoResponse;
use serde_json::json;
use std::net::IpAddr;

/// Through which door a request came.
#[derive(Clone, Copy, Debug)]
pub(super) enum Caller {
    /// The Unix socket: who may open it is decided by its mode.
    Unix,
    /// The address.
    Tcp {
        /// Whether the peer is on this machine.
        peer_is_loopback: bool,
        /// Whether the address can only be reached from this machine.
        bound_to_loopback: bool,
    },
}

/// The answer to a request that is not permitted.
pub(super) fn refusal<B>(request: &Request<B>, caller: Caller) -> Option<Response<Body>> {
    // A configuration may hold what is nobody else's business, though no `${…}` is replaced in it.
    let is_private = request.uri().path() == "/config";
    let changes = is_private || !matches!(*request.method(), Method::GET | Method::HEAD);
    let reason = objection(request.headers(), changes, caller)?;
    Some((StatusCode::FORBIDDEN, axum::Json(json!({ "error": reason }))).into_response())
}

fn objection(headers: &HeaderMap, changes: bool, caller: Caller) -> Option<&'static str> {
    let Caller::Tcp { peer_is_loopback, bound_to_loopback } = caller else { return None };
    if changes && !peer_is_loopback {
        return Some(
            "state is changed and the configuration read from this machine only: use the admin socket or the loopback address",
        );
    }
    // An address that others reach is asked by names of its operator's choice; reading is open there.
    if (bound_to_loopback || changes) && !host_is_loopback(headers) {
        return Some("the Host must be localhost or a loopback address");
    }
    (changes && is_foreign(headers)).then_some("the request comes from another origin")
}

fn host_is_loopback(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else { return false };
    host.to_str().is_ok_and(|host| is_loopback(without_port(host)))
}

fn is_loopback(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    host.eq_ignore_ascii_case("localhost") || bare.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|octet| octet.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Whether a browser says that a page of another origin asks. Programs say nothing.
fn is_foreign(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("");
    let is_own = |origin: &str| origin.split_once("://").is_some_and(|(_, authority)| authority == host);
    let origins = headers.get_all(header::ORIGIN).iter();
    let sites = headers.get_all("sec-fetch-site").iter();
    origins.map(|origin| origin.to_str()).any(|origin| !origin.is_ok_and(is_own))
        || sites.map(|site| site.to_str()).any(|site| !matches!(site, Ok("same-origin" | "none")))
}

#[cfg(test)]
mod tests {
    use super::{Caller, objection};
    use axum::http::HeaderMap;

    const LOCAL: Caller = Caller::Tcp { peer_is_loopback: true, bound_to_loopback: true };
    const OPEN_LOCAL: Caller = Caller::Tcp { peer_is_loopback: true, bound_to_loopback: false };
    const OPEN_REMOTE: Caller = Caller::Tcp { peer_is_loopback: false, bound_to_loopback: false };

    #[track_caller]
    fn check(caller: Caller, fields: &[(&'static str, &str)], may_read: bool, may_change: bool) {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, value.parse().unwrap());
        }
        let permitted = |changes| objection(&headers, changes, caller).is_none();
        assert_eq!((permitted(false), permitted(true)), (may_read, may_change));
    }

    #[test]
    fn only_this_machine_and_its_own_pages_change_state() {
        for host in ["localhost", "LocalHost:9900", "127.0.0.1:9900", "[::1]:9900", "[::1]", "127.9.9.9"] {
            check(LOCAL, &[("host", host)], true, true);
        }
        for host in ["evil.example", "localhost.evil.example:9900", "192.0.2.1:9900", "127.0.0.1.nip.io", "", "::1"] {
            check(LOCAL, &[("host", host)], false, false);
        }
        check(LOCAL, &[], false, false);
        check(LOCAL, &[("host", "localhost"), ("host", "localhost")], false, false);
        check(LOCAL, &[("host", "localhost:9900"), ("origin", "http://localhost:9900")], true, true);
        for origin in ["http://localhost:3000", "https://evil.example", "null", "", "localhost:9900"] {
            check(LOCAL, &[("host", "localhost:9900"), ("origin", origin)], true, false);
        }
        check(LOCAL, &[("host", "localhost"), ("sec-fetch-site", "cross-site")], true, false);
        check(LOCAL, &[("host", "localhost"), ("sec-fetch-site", "same-origin")], true, true);
    }

    #[test]
    fn an_open_address_is_for_reading() {
        check(OPEN_REMOTE, &[("host", "strait.internal:9900")], true, false);
        check(OPEN_REMOTE, &[("host", "localhost")], true, false);
        check(OPEN_LOCAL, &[("host", "strait.internal:9900")], true, false);
        check(OPEN_LOCAL, &[("host", "localhost:9900")], true, true);
    }

    #[test]
    fn the_socket_is_guarded_by_its_mode() {
        check(Caller::Unix, &[], true, true);
    }
}
