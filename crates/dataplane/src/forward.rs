//! The request head on its way up and the response head on its way down: what is taken off, and what is put on.

use crate::exchange::Exchange;
use crate::known::Known;
use crate::request_id::RequestId;
use crate::scratch::{Asked, Scratch};
use crate::worker::Worker;
use std::io::Write;
use std::net::{IpAddr, SocketAddr};
use strait_message::{Headers, Name, NameSet, RequestHead, ResponseHead};
use strait_plan::{ClientView, IDENTITY_FAMILIES, OwnField, RESPONSE_REPLACED, Route};

/// Takes off what a client says about itself in names that are not those of the standard fields: `X_Forwarded_For`
/// is read as `X-Forwarded-For` by many origins, and some believe whole families of fields.
pub(crate) fn remove_disguised_identity(headers: &mut Headers, trusted: bool) {
    let aliases = headers.has_alias_spelling();
    let disguised = |name: &[u8]| (aliases && is_alias_of_identity(name)) || (!trusted && is_identity_family(name));
    if headers.iter().any(|field| field.known == Name::Other && disguised(field.name)) {
        headers.retain(|field| field.known != Name::Other || !disguised(field.name));
    }
}

fn is_alias_of_identity(name: &[u8]) -> bool {
    let plain: Vec<u8> = name.iter().map(|&b| if matches!(b, b'_' | b'.') { b'-' } else { b }).collect();
    let protected = NameSet::CLIENT_IDENTITY.union(NameSet::FRAMING).with(Name::Host).with(Name::XRequestId);
    name.iter().any(|b| matches!(b, b'_' | b'.'))
        && (protected.contains(Name::from_bytes(&plain)) || is_identity_family(&plain))
}

/// Families of fields by which proxies tell origins who a client is.
fn is_identity_family(name: &[u8]) -> bool {
    let starts_with =
        |prefix: &&str| name.get(..prefix.len()).is_some_and(|start| start.eq_ignore_ascii_case(prefix.as_bytes()));
    matches!(name.first(), Some(b'x' | b'X' | b's' | b'S' | b'c' | b'C')) && IDENTITY_FAMILIES.iter().any(starts_with)
}

/// Readies a request head for its way up, once for all attempts.
pub(crate) fn prepare(exchange: &mut Exchange<'_>, route: &Route) {
    let view = exchange.view;
    let values = route.request_headers.values(&Known::of(exchange).evidence());
    let Scratch { asked: Asked { request, .. }, extra, passage, course, .. } = &mut *exchange.scratch;
    let forced = &passage.notes.forced;
    extra.clear();
    append_request_fields(request, exchange.client.peer, &view, &exchange.id, forced, extra);
    if route.filters.is_none() {
        remove_disguised_identity(&mut request.headers, view.from_trusted_proxy);
    }
    force(forced, &mut request.headers, extra);
    if let Some(tracing) = &exchange.adopted.plan.tracing {
        course.put_on(tracing, exchange.worker, &mut request.headers, extra);
    }
    route.request_headers.apply(&mut request.headers, &values);
}

/// Appends the fields that tell an origin about the client and the way here.
fn append_request_fields(
    head: &RequestHead,
    peer: SocketAddr,
    view: &ClientView,
    id: &RequestId,
    forced: &Headers,
    out: &mut Vec<u8>,
) {
    let headers = &head.headers;
    let trusted = view.from_trusted_proxy;
    let wanted = |field: &OwnField| field.is_put_on(headers, trusted) && !forced.contains(field.name());
    for field in OwnField::ON_REQUEST.into_iter().filter(wanted) {
        match field {
            OwnField::ForwardedFor => append_forwarded_for(headers, peer, trusted, out),
            OwnField::ForwardedProto => append(out, field.name(), if view.secure { b"https" } else { b"http" }),
            OwnField::ForwardedHost => append(out, field.name(), headers.get(Name::Host).unwrap_or_default()),
            OwnField::RequestId => append(out, field.name(), id),
            OwnField::Via => append_via(headers, head.version.as_str(), out),
            OwnField::Date => {}
        }
    }
}

/// Puts what filters say about a client in place of what anybody else says.
fn force(forced: &Headers, headers: &mut Headers, out: &mut Vec<u8>) {
    for field in forced.iter() {
        headers.remove(field.known);
        append(out, field.known, field.value);
    }
}

/// The chain of clients; a trusted proxy's chain is continued.
fn append_forwarded_for(headers: &Headers, peer: SocketAddr, trusted: bool, out: &mut Vec<u8>) {
    out.extend_from_slice(b"X-Forwarded-For: ");
    if trusted {
        for hop in headers.list(Name::XForwardedFor) {
            out.extend_from_slice(hop);
            out.extend_from_slice(b", ");
        }
    }
    append_address(peer.ip(), out);
    out.extend_from_slice(b"\r\n");
}

/// RFC 9110 §7.6.3: earlier entries are kept, ours is added.
fn append_via(headers: &Headers, version: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(b"Via: ");
    if headers.contains(Name::Via) {
        for hop in headers.list(Name::Via) {
            out.extend_from_slice(hop);
            out.extend_from_slice(b", ");
        }
    }
    out.extend_from_slice(version.as_bytes());
    out.extend_from_slice(b" strait\r\n");
}

fn append(out: &mut Vec<u8>, name: Name, value: &[u8]) {
    out.extend_from_slice(name.as_str().as_bytes());
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

/// The address in its shortest form; an IPv4 address in an IPv6 one as IPv4.
pub(crate) fn append_address(address: IpAddr, out: &mut Vec<u8>) {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            for (i, octet) in v4.octets().into_iter().enumerate() {
                if i > 0 {
                    out.push(b'.');
                }
                append_octet(octet, out);
            }
        }
        IpAddr::V6(v6) => {
            let _ = write!(out, "{v6}");
        }
    }
}

fn append_octet(octet: u8, out: &mut Vec<u8>) {
    if octet >= 100 {
        out.push(b'0' + octet / 100);
    }
    if octet >= 10 {
        out.push(b'0' + octet / 10 % 10);
    }
    out.push(b'0' + octet % 10);
}

/// Readies a response head for its way down. `extra` gets the fields that Strait adds.
pub(crate) fn prepare_response(
    worker: &Worker,
    head: &mut ResponseHead,
    route: &Route,
    known: &Known<'_>,
    extra: &mut Vec<u8>,
) {
    let headers = &mut head.headers;
    extra.clear();
    for field in OwnField::ON_RESPONSE {
        match field {
            OwnField::Via => append_via(headers, head.version.as_str(), extra),
            OwnField::Date if headers.contains(Name::Date) => {}
            field => append_own(worker, known.id, field, extra),
        }
    }
    if headers.may_contain_any(RESPONSE_REPLACED) {
        headers.retain(|field| !RESPONSE_REPLACED.contains(field.known));
    }
    known.edit_response(head, &route.response_headers);
}

/// Appends the fields of a response that Strait makes itself.
pub(crate) fn append_own_fields(worker: &Worker, id: &RequestId, out: &mut Vec<u8>) {
    OwnField::ON_REPLY.into_iter().for_each(|field| append_own(worker, id, field, out));
}

fn append_own(worker: &Worker, id: &RequestId, field: OwnField, out: &mut Vec<u8>) {
    match field {
        OwnField::Date => worker.append_date(out),
        _ => append(out, field.name(), id),
    }
}
