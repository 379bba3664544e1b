//! The rules a request head must keep, and what follows from it (RFC 9112 §3, §6, §9).

use crate::Misdeed;
use crate::syntax::{decimal, is_host, is_target, is_token};
use strait_message::{BodyLength, Headers, Method, Name, NameSet, RequestHead, Version};

/// What a request head means for its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RequestFacts {
    pub(crate) length: BodyLength,
    pub(crate) keep_alive: bool,
    pub(crate) expects_continue: bool,
    pub(crate) wants_websocket: bool,
    pub(crate) is_head: bool,
    pub(crate) is_http10: bool,
}

/// Reads `method SP target SP version` (RFC 9112 §3).
pub(crate) fn request_line(line: &[u8], target_bytes_max: u32, head: &mut RequestHead) -> Result<(), Misdeed> {
    let mut parts = line.split(|&b| b == b' ');
    let (Some(method), Some(target)) = (parts.next(), parts.next()) else { return Err(Misdeed::BadRequestLine) };
    let version = parts.next().ok_or(Misdeed::BadRequestLine)?;
    if parts.next().is_some() {
        return Err(Misdeed::BadRequestLine);
    }
    if !is_token(method) {
        return Err(Misdeed::BadMethod);
    }
    head.method = Method::from_token(method).ok_or(Misdeed::MethodTooLong)?;
    head.version = self::version(version)?;
    if target.len() > target_bytes_max as usize {
        return Err(Misdeed::TargetTooLong);
    }
    if !is_target(target) || !form_fits(head.method, target) {
        return Err(Misdeed::BadTarget);
    }
    head.set_target(target);
    Ok(())
}

/// Reads `HTTP/` DIGIT `.` DIGIT (RFC 9112 §2.3).
pub(crate) fn version(text: &[u8]) -> Result<Version, Misdeed> {
    match text {
        b"HTTP/1.1" => Ok(Version::Http11),
        b"HTTP/1.0" => Ok(Version::Http10),
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor] if major.is_ascii_digit() && minor.is_ascii_digit() => {
            Err(Misdeed::VersionNotSupported)
        }
        _ => Err(Misdeed::BadVersion),
    }
}

/// Each method with the forms of target it may have (RFC 9112 §3.2).
fn form_fits(method: Method, target: &[u8]) -> bool {
    match (method, target) {
        (Method::Connect, authority) => authority.contains(&b':') && is_host(authority),
        (_, [b'/', ..]) => true,
        (Method::Options, b"*") => true,
        (_, absolute) => absolute_authority(absolute).is_some_and(is_host),
    }
}

/// The authority of a target in absolute form with an HTTP scheme.
fn absolute_authority(target: &[u8]) -> Option<&[u8]> {
    let strip = |scheme: &[u8]| {
        let (head, rest) = target.split_at_checked(scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then_some(rest)
    };
    let rest = strip(b"http://").or_else(|| strip(b"https://"))?;
    rest.split(|b| matches!(b, b'/' | b'?')).next()
}

/// Judges a complete head.
pub(crate) fn facts(head: &RequestHead) -> Result<RequestFacts, Misdeed> {
    check_host(head)?;
    let headers = &head.headers;
    let is_http10 = head.version == Version::Http10;
    let length = match framing(headers, is_http10)? {
        Some(length) => length,
        None => BodyLength::None,
    };
    Ok(RequestFacts {
        length,
        keep_alive: keeps_alive(headers, is_http10),
        expects_continue: expectation(headers)? && !is_http10,
        wants_websocket: !is_http10 && wants_websocket(head, length),
        is_head: head.method == Method::Head,
        is_http10,
    })
}

/// RFC 9112 §3.2: exactly one valid Host in HTTP/1.1, none or one in HTTP/1.0, equal to the authority of the target.
fn check_host(head: &RequestHead) -> Result<(), Misdeed> {
    let mut hosts = head.headers.get_all(Name::Host);
    let host = match (hosts.next(), hosts.next()) {
        (Some(_), Some(_)) => return Err(Misdeed::DuplicateHost),
        (Some(host), None) if is_host(host) => host,
        (Some(_), None) => return Err(Misdeed::BadHost),
        (None, _) if head.version == Version::Http10 => return Ok(()),
        (None, _) => return Err(Misdeed::MissingHost),
    };
    let authority = match head.target() {
        [b'/', ..] | b"*" => return Ok(()),
        target if head.method == Method::Connect => target,
        target => absolute_authority(target).unwrap_or_default(),
    };
    if authority.eq_ignore_ascii_case(host) { Ok(()) } else { Err(Misdeed::HostMismatch) }
}

/// The framing that Content-Length and Transfer-Encoding state (RFC 9112 §6.1 to §6.3); `None` when neither is there.
pub(crate) fn framing(headers: &Headers, is_http10: bool) -> Result<Option<BodyLength>, Misdeed> {
    const FRAMING: NameSet = NameSet::of(&[Name::TransferEncoding, Name::ContentLength]);
    if !headers.may_contain_any(FRAMING) {
        return Ok(None);
    }
    let coded = transfer_coding(headers, is_http10)?;
    let mut lengths = headers.get_all(Name::ContentLength);
    match (coded, lengths.next(), lengths.next()) {
        (true, Some(_), _) => Err(Misdeed::LengthAndCoding),
        (true, None, _) => Ok(Some(BodyLength::Unknown)),
        (false, None, _) => Ok(None),
        (false, Some(_), Some(_)) => Err(Misdeed::DuplicateLength),
        (false, Some(digits), None) => decimal(digits).map(|n| Some(BodyLength::Fixed(n))).ok_or(Misdeed::BadLength),
    }
}

/// Whether the message has the chunked coding, and no other (RFC 9112 §6.1).
fn transfer_coding(headers: &Headers, is_http10: bool) -> Result<bool, Misdeed> {
    let mut codings = headers.get_all(Name::TransferEncoding);
    let Some(coding) = codings.next() else { return Ok(false) };
    if is_http10 {
        return Err(Misdeed::CodingInHttp10);
    }
    if codings.next().is_some() {
        return Err(Misdeed::BadCoding);
    }
    match coding {
        chunked if chunked.eq_ignore_ascii_case(b"chunked") => Ok(true),
        other if other.split(|&b| b == b',').all(|part| is_coding(part.trim_ascii())) => Err(Misdeed::UnknownCoding),
        _ => Err(Misdeed::BadCoding),
    }
}

/// `chunked` in a list is repeated or not last: malformed rather than merely unknown.
fn is_coding(part: &[u8]) -> bool {
    is_token(part.split(|&b| b == b';').next().unwrap_or_default().trim_ascii())
        && !part.eq_ignore_ascii_case(b"chunked")
}

/// RFC 9112 §9.3.
pub(crate) fn keeps_alive(headers: &Headers, is_http10: bool) -> bool {
    if is_http10 {
        headers.list_contains(Name::Connection, b"keep-alive") && !headers.list_contains(Name::Connection, b"close")
    } else {
        !headers.list_contains(Name::Connection, b"close")
    }
}

/// RFC 9110 §10.1.1.
fn expectation(headers: &Headers) -> Result<bool, Misdeed> {
    let mut expectations = headers.list(Name::Expect);
    match (expectations.next(), expectations.next()) {
        (None, _) => Ok(false),
        (Some(only), None) if only.eq_ignore_ascii_case(b"100-continue") => Ok(true),
        _ => Err(Misdeed::UnknownExpectation),
    }
}

/// Whether the client asks to become a WebSocket (RFC 6455 §4.1). Other upgrades are never passed on (h2c above all).
fn wants_websocket(head: &RequestHead, length: BodyLength) -> bool {
    head.method == Method::Get
        && length.is_none()
        && head.headers.list_contains(Name::Upgrade, b"websocket")
        && head.headers.list_contains(Name::Connection, b"upgrade")
}
