//! Who may ask what. A browser on this machine can be made to call any local port by any page, and by a name that was
//! pointed at 127.0.0.1: so the Host must be one that only this machine has, and what changes state must not come from
//! another origin. Other users of this machine reach a port as well: so what changes state, and what shows the
//! configuration or what clients do, is asked for with a token, or on the socket, whose mode says who may.

use super::call::{Response, refused};
use super::table::Access;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

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

/// What lets callers in.
#[derive(Debug, Default)]
pub(crate) struct Entrance {
    /// What those of the address must bear.
    pub(crate) token: Option<Token>,
    /// Where the others come in.
    pub(crate) socket: Option<PathBuf>,
}

/// The answer to a request that is not permitted.
pub(super) fn refusal(headers: &HeaderMap, access: Access, caller: Caller, entrance: &Entrance) -> Option<Response> {
    let is_private = matches!(access, Access::Private | Access::Change);
    if let Some(reason) = objection(headers, is_private, caller) {
        return Some(refused(StatusCode::FORBIDDEN, reason));
    }
    let Caller::Tcp { .. } = caller else { return None };
    match &entrance.token {
        _ if access == Access::Open => None,
        Some(token) if token.is_borne(headers) => None,
        Some(_) => Some(unauthorized()),
        None if is_private => Some(refused(StatusCode::FORBIDDEN, &way_in(entrance.socket.as_deref()))),
        None => None,
    }
}

fn unauthorized() -> Response {
    let mut refusal = refused(StatusCode::UNAUTHORIZED, "this address asks for a token: `Authorization: Bearer …`");
    refusal.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    refusal
}

/// What to do where there is no token.
fn way_in(socket: Option<&Path>) -> String {
    let why =
        "every user of this machine reaches this address, which therefore shows and changes this with a token only";
    match socket {
        Some(socket) => format!("{why}: ask on the socket unix:{}, or set `admin.token`", socket.display()),
        None => format!("{why}: set `admin.token`, or `admin.socket` and ask there"),
    }
}

/// What a caller of the address must bear (RFC 6750 §2.1).
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// A token.
    pub fn new(token: impl Into<String>) -> Self {
        Self(token.into())
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    fn is_borne(&self, headers: &HeaderMap) -> bool {
        let mut lines = headers.get_all(header::AUTHORIZATION).iter();
        let (Some(line), None) = (lines.next(), lines.next()) else { return false };
        let Some((scheme, borne)) = line.to_str().ok().and_then(|line| line.split_once(' ')) else { return false };
        scheme.eq_ignore_ascii_case("bearer") && is_same(borne.trim().as_bytes(), self.0.as_bytes())
    }
}

/// Without what it says.
impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a token")
    }
}

/// Compares in a time that tells only the length.
fn is_same(one: &[u8], other: &[u8]) -> bool {
    let difference = one.iter().zip(other).fold(0, |difference, (a, b)| difference | (a ^ b));
    one.len() == other.len() && std::hint::black_box(difference) == 0
}

fn objection(headers: &HeaderMap, is_private: bool, caller: Caller) -> Option<&'static str> {
    let Caller::Tcp { peer_is_loopback, bound_to_loopback } = caller else { return None };
    if is_private && !peer_is_loopback {
        return Some(
            "state is changed and the configuration read from this machine only: use the admin socket or the loopback address",
        );
    }
    // An address that others reach is asked by names of its operator's choice; reading is open there.
    if (bound_to_loopback || is_private) && !host_is_loopback(headers) {
        return Some("the Host must be localhost or a loopback address");
    }
    (is_private && is_foreign(headers)).then_some("the request comes from another origin")
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
    use super::super::table::Access;
    use super::{Caller, Entrance, Token, objection, refusal};
    use axum::http::{HeaderMap, StatusCode};

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
    fn without_a_token_the_address_shows_only_what_is_plain() {
        let mut headers = HeaderMap::new();
        headers.append("host", "localhost".parse().unwrap());
        headers.append("authorization", "Bearer ".parse().unwrap());
        let entrance = Entrance { token: None, socket: Some("/run/a.sock".into()) };
        let status = |access, caller| refusal(&headers, access, caller, &entrance).map(|refusal| refusal.status());
        for access in [Access::Private, Access::Change] {
            assert_eq!(status(access, LOCAL), Some(StatusCode::FORBIDDEN));
            assert_eq!(status(access, OPEN_LOCAL), Some(StatusCode::FORBIDDEN));
            assert_eq!(status(access, Caller::Unix), None);
        }
        assert_eq!((status(Access::Open, LOCAL), status(Access::Read, LOCAL)), (None, None));
    }

    #[test]
    fn a_token_is_asked_for_where_there_is_one() {
        let entrance = Entrance { token: Some(Token::new("secret")), socket: None };
        let status = |access, caller, fields: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            headers.append("host", "localhost".parse().unwrap());
            for (name, value) in fields {
                headers.append(*name, value.parse().unwrap());
            }
            refusal(&headers, access, caller, &entrance).map(|refusal| refusal.status().as_u16())
        };
        let right = [("authorization", "Bearer secret")];
        assert_eq!(status(Access::Read, LOCAL, &right), None);
        assert_eq!(status(Access::Change, LOCAL, &[("authorization", "bearer  secret")]), None);
        assert_eq!(status(Access::Open, LOCAL, &[]), None);
        assert_eq!(status(Access::Change, Caller::Unix, &[]), None, "the socket has its mode");
        for wrong in ["Bearer secre", "Bearer secret2", "Basic secret", "secret", ""] {
            assert_eq!(status(Access::Read, LOCAL, &[("authorization", wrong)]), Some(401), "{wrong}");
        }
        assert_eq!(status(Access::Read, LOCAL, &[right[0], right[0]]), Some(401));
        assert_eq!(status(Access::Change, OPEN_REMOTE, &right), Some(403), "a token crosses no network in plain");
    }

    #[test]
    fn the_socket_is_guarded_by_its_mode() {
        check(Caller::Unix, &[], true, true);
    }
}
