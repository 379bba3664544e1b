//! The rules a request head must keep, and what follows from it (RFC 9112 §3, §6, §9).

use crate::Misdeed;
use crate::connection::ConnectionOptions;
use strait_message::syntax::{decimal, is_host, is_host_and_port, is_target, is_token};
use strait_message::{BodyLength, Headers, Method, Name, NameSet, RequestHead, Version};

/// What a request head means for its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RequestFacts {
    pub(crate) length: BodyLength,
    pub(crate) keep_alive: bool,
    /// The client sends nothing after this request.
    pub(crate) is_last: bool,
    pub(crate) expects_continue: bool,
    pub(crate) wants_websocket: bool,
    pub(crate) is_http10: bool,
}

/// Reads `method SP target SP version` (RFC 9112 §3).
pub(crate) fn request_line(line: &[u8], target_bytes_max: u32, head: &mut RequestHead) -> Result<(), Misdeed> {
    let (method, target, version) = three_parts(line).ok_or(Misdeed::BadRequestLine)?;
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

/// What stands between exactly two spaces.
fn three_parts(line: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let first = line.iter().position(|&b| b == b' ')?;
    let last = line.iter().rposition(|&b| b == b' ').filter(|&last| last > first)?;
    let target = line.get(first + 1..last)?;
    memchr::memchr(b' ', target).is_none().then_some((line.get(..first)?, target, line.get(last + 1..)?))
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
        (Method::Connect, authority) => is_host_and_port(authority),
        (_, [b'/', ..]) => true,
        (Method::Options, b"*") => true,
        (_, absolute) => absolute_authority(absolute).is_some_and(|(authority, _)| is_host(authority)),
    }
}

/// The authority of a target in absolute form with an HTTP scheme, and the scheme's default port with its colon.
fn absolute_authority(target: &[u8]) -> Option<(&[u8], &'static [u8])> {
    let strip = |scheme: &[u8], port: &'static [u8]| {
        let (head, rest) = target.split_at_checked(scheme.len())?;
        head.eq_ignore_ascii_case(scheme).then_some((rest, port))
    };
    let (rest, port) = strip(b"http://", b":80").or_else(|| strip(b"https://", b":443"))?;
    Some((rest.split(|b| matches!(b, b'/' | b'?')).next()?, port))
}

/// Judges a complete head.
pub(crate) fn facts(head: &mut RequestHead) -> Result<RequestFacts, Misdeed> {
    check_host(head)?;
    let options = ConnectionOptions::take(&mut head.headers)?;
    let headers = &head.headers;
    let is_http10 = head.version == Version::Http10;
    let length = framing(headers, is_http10)?.unwrap_or(BodyLength::None);
    Ok(RequestFacts {
        length,
        // Behind a CONNECT that is refused there may stand octets meant for the tunnel: they must not become requests.
        keep_alive: options.keeps_alive(is_http10) && head.method != Method::Connect,
        is_last: !options.keeps_alive(is_http10) && head.method != Method::Connect,
        // RFC 9110 §10.1.1: ignored from HTTP/1.0, and without a body there is nothing to wait for.
        expects_continue: expectation(headers)? && !is_http10 && !length.is_none(),
        wants_websocket: !is_http10 && options.upgrade && wants_websocket(head, length),
        is_http10,
    })
}

/// RFC 9112 §3.2: exactly one valid Host in HTTP/1.1, none or one in HTTP/1.0, equal to the authority of the target.
/// A default port may stand in one and not in the other: both name the same authority (RFC 9110 §4.2.3).
fn check_host(head: &RequestHead) -> Result<(), Misdeed> {
    let mut hosts = head.headers.get_all(Name::Host);
    let host = match (hosts.next(), hosts.next()) {
        (Some(_), Some(_)) => return Err(Misdeed::DuplicateHost),
        (Some(host), None) if is_host(host) => host,
        (Some(_), None) => return Err(Misdeed::BadHost),
        (None, _) if head.version == Version::Http10 => return Ok(()),
        (None, _) => return Err(Misdeed::MissingHost),
    };
    let (authority, port) = match head.target() {
        [b'/', ..] | b"*" => return Ok(()),
        target if head.method == Method::Connect => (target, b":443".as_slice()),
        target => absolute_authority(target).unwrap_or_default(),
    };
    let bare = |authority| <[u8]>::strip_suffix(authority, port).unwrap_or(authority);
    if bare(authority).eq_ignore_ascii_case(bare(host)) { Ok(()) } else { Err(Misdeed::HostMismatch) }
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
        other if ends_chunked(other) => Err(Misdeed::UnknownCoding),
        _ => Err(Misdeed::BadCoding),
    }
}

/// Whether a list of codings names `chunked` once, and last: then the message has a length, only not one for us.
/// Otherwise it has none at all (RFC 9112 §6.3 rule 4).
fn ends_chunked(codings: &[u8]) -> bool {
    let is_chunked = |coding: &[u8]| coding.eq_ignore_ascii_case(b"chunked");
    let mut codings = codings.rsplit(|&b| b == b',').map(<[u8]>::trim_ascii);
    codings.next().is_some_and(is_chunked)
        && codings.all(|coding| {
            let name = coding.split(|&b| b == b';').next().unwrap_or_default().trim_ascii();
            is_token(name) && !is_chunked(name)
        })
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
    head.method == Method::Get && length.is_none() && head.headers.list_contains(Name::Upgrade, b"websocket")
}
