//! A second HTTP/1 parser, written only to disagree with the first one.
//!
//! It is simple and slow on purpose: whole buffers, copies, no state between calls, one rule after the other in the
//! order of RFC 9112. What the RFC lets a recipient repair is refused here, except one empty line before a request
//! line (§2.2). It has no limits: compare it with an engine only on input below the engine's own.
//!
//! Deliberate choices where the RFC leaves one, so that a difference can be judged:
//! - a list of equal lengths in Content-Length, or two equal fields, is refused (§6.3 allows either);
//! - leading zeros in Content-Length and in chunk sizes are accepted (both are `1*DIGIT`, `1*HEXDIG`);
//! - a chunk extension is read and ignored, without the white space that its grammar tolerates (§7.1.1);
//! - a port, where a colon announces one, is a number from 1 to 65535; lengths and sizes are below 2⁶³;
//! - a request target may hold any visible ASCII but `#`; what a path may hold is the router's matter;
//! - the space before an empty reason phrase may be left out, as many origins do (§4 wants it);
//! - a minor version above 1 is [`Refusal::Version`], as every other version but 1.0 and 1.1.

/// Why bytes are not a message. `Framing` and the refusals of syntax mean 400.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// LF without CR before it (RFC 9112 §2.2).
    BareLf,
    /// CR without LF after it (RFC 9112 §2.2).
    BareCr,
    /// The request line or status line does not have its parts (RFC 9112 §3, §4).
    StartLine,
    /// The method is not a token (RFC 9110 §9.1).
    Method,
    /// The target is in none of the four forms, or in one that its method may not use (RFC 9112 §3.2).
    Target,
    /// A version other than HTTP/1.0 and HTTP/1.1 (RFC 9112 §2.3): 505.
    Version,
    /// A status code that is not three digits from 100 to 599 (RFC 9110 §15).
    Status,
    /// A field name that is not a token, or white space between name and colon (RFC 9112 §5.1).
    FieldName,
    /// A control character in a field value or reason phrase (RFC 9110 §5.5).
    FieldValue,
    /// A line that begins with white space: folding, or space before the first field (RFC 9112 §2.2, §5.2).
    Fold,
    /// Host missing, repeated, malformed or unlike the target's authority (RFC 9112 §3.2).
    Host,
    /// Lengths that contradict each other or are no numbers (RFC 9112 §6.3).
    Framing,
    /// A transfer coding other than chunked (RFC 9112 §6.1): 501.
    TransferCoding,
    /// A chunk whose size, extension or end is malformed (RFC 9112 §7.1).
    Chunk,
}

impl Refusal {
    /// The status a server answers with.
    pub fn status(self) -> u16 {
        match self {
            Self::Version => 505,
            Self::TransferCoding => 501,
            _ => 400,
        }
    }
}

/// What a parse came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict<T> {
    /// The bytes so far are the beginning of something that may become right.
    Incomplete,
    /// A whole message head or body stands at the beginning of the bytes.
    Complete(T),
}

/// How the body of a message ends (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// No body follows the head.
    None,
    /// As many octets as Content-Length said.
    Length(u64),
    /// Chunked coding.
    Chunked,
    /// Until the connection ends; responses only.
    Close,
    /// After 101, and after 2xx to CONNECT, the bytes are no longer HTTP.
    Tunnel,
}

/// One field line; the value without the white space around it.
pub type Field = (Vec<u8>, Vec<u8>);

/// A request head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// The method, as written.
    pub method: Vec<u8>,
    /// The target, as written.
    pub target: Vec<u8>,
    /// The minor version: 0 or 1.
    pub version: u8,
    /// The field lines in order.
    pub fields: Vec<Field>,
    /// How its body ends.
    pub framing: Framing,
    /// Octets of the head, with an empty line before it and the one after it.
    pub consumed: usize,
}

/// A response head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The minor version: 0 or 1.
    pub version: u8,
    /// The status code.
    pub status: u16,
    /// The reason phrase, as written.
    pub reason: Vec<u8>,
    /// The field lines in order.
    pub fields: Vec<Field>,
    /// How its body ends.
    pub framing: Framing,
    /// Octets of the head with the empty line after it.
    pub consumed: usize,
}

/// A body that was sent in chunks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunked {
    /// The octets of all chunks.
    pub body: Vec<u8>,
    /// The trailer fields in order, without those that may not be trailers (RFC 9110 §6.5.1).
    pub trailers: Vec<Field>,
    /// Octets from the first size to the empty line after the trailers.
    pub consumed: usize,
}

/// Reads a request head from the beginning of `bytes`.
///
/// # Errors
/// The first rule broken. A line is judged once it has ended.
pub fn request(bytes: &[u8]) -> Result<Verdict<Request>, Refusal> {
    let blank = if bytes.starts_with(b"\r\n") { 2 } else { 0 };
    let Some((start, fields, length)) = head(&bytes[blank..], request_line)? else {
        return Ok(Verdict::Incomplete);
    };
    let (method, target, version) = start;
    check_host(&target, version, &fields)?;
    let framing = match body_fields(version, &fields)? {
        Framing::Close => Framing::None,
        framing => framing,
    };
    Ok(Verdict::Complete(Request { method, target, version, fields, framing, consumed: blank + length }))
}

/// Reads a response head from the beginning of `bytes`; `method` is that of the request it answers.
///
/// # Errors
/// The first rule broken.
pub fn response(bytes: &[u8], method: &[u8]) -> Result<Verdict<Response>, Refusal> {
    let Some((start, fields, consumed)) = head(bytes, status_line)? else {
        return Ok(Verdict::Incomplete);
    };
    let (version, status, reason) = start;
    let framing = response_framing(version, status, method, &fields)?;
    Ok(Verdict::Complete(Response { version, status, reason, fields, framing, consumed }))
}

/// Reads a whole chunked body, trailers and all, from the beginning of `bytes`.
///
/// # Errors
/// The first rule broken.
pub fn chunked(bytes: &[u8]) -> Result<Verdict<Chunked>, Refusal> {
    let mut body = Vec::new();
    let mut at = 0;
    loop {
        let Some(end) = line_end(&bytes[at..])? else {
            return partial_size(&bytes[at..]);
        };
        let size = size_line(&bytes[at..at + end])?;
        at += end + 2;
        if size == 0 {
            return trailers(bytes, at, body);
        }
        let rest = &bytes[at..];
        match usize::try_from(size).ok().filter(|size| *size <= rest.len()) {
            None => return Ok(Verdict::Incomplete),
            Some(size) => {
                body.extend_from_slice(&rest[..size]);
                match &rest[size..] {
                    [b'\r', b'\n', ..] => at += size + 2,
                    [] | [b'\r'] => return Ok(Verdict::Incomplete),
                    _ => return Err(Refusal::Chunk),
                }
            }
        }
    }
}

/// A size line without its end: wrong already, or only short?
fn partial_size(line: &[u8]) -> Result<Verdict<Chunked>, Refusal> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    match line.get(digits) {
        None if digits == 0 => Ok(Verdict::Incomplete),
        Some(b'\r' | b';') | None => chunk_size(&line[..digits]).map(|_| Verdict::Incomplete),
        Some(_) => Err(Refusal::Chunk),
    }
}

/// `chunk-size [ chunk-ext ]`.
fn size_line(line: &[u8]) -> Result<u64, Refusal> {
    let digits = line.iter().position(|byte| *byte == b';').unwrap_or(line.len());
    let mut rest = &line[digits..];
    while let [b';', extension @ ..] = rest {
        rest = &extension[extension_length(extension).ok_or(Refusal::Chunk)?..];
    }
    if rest.is_empty() { chunk_size(&line[..digits]) } else { Err(Refusal::Chunk) }
}

/// How long the `name [ "=" ( token / quoted-string ) ]` is that `text` begins with.
fn extension_length(text: &[u8]) -> Option<usize> {
    let token = |from: usize| text[from..].iter().take_while(|byte| is_token(&[**byte])).count();
    let name = token(0);
    match text.get(name) {
        _ if name == 0 => None,
        Some(b'=') if text.get(name + 1) == Some(&b'"') => {
            quoted_length(&text[name + 1..]).map(|quoted| name + 1 + quoted)
        }
        Some(b'=') => Some(token(name + 1)).filter(|value| *value > 0).map(|value| name + 1 + value),
        _ => Some(name),
    }
}

/// How long the quoted-string is that `text` begins with (RFC 9110 §5.6.4).
fn quoted_length(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    loop {
        match text.get(at..)? {
            [b'"', ..] => return Some(at + 1),
            [b'\\', escaped, ..] if is_value_byte(*escaped) => at += 2,
            [b'\\', ..] | [] => return None,
            [byte, ..] if is_value_byte(*byte) => at += 1,
            _ => return None,
        }
    }
}

fn chunk_size(digits: &[u8]) -> Result<u64, Refusal> {
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(Refusal::Chunk);
    }
    let text = std::str::from_utf8(digits).map_err(|_| Refusal::Chunk)?;
    u64::from_str_radix(text, 16).ok().filter(|size| *size < 1 << 63).ok_or(Refusal::Chunk)
}

fn trailers(bytes: &[u8], at: usize, body: Vec<u8>) -> Result<Verdict<Chunked>, Refusal> {
    let Some((trailers, length)) = field_lines(&bytes[at..])? else {
        return Ok(Verdict::Incomplete);
    };
    let trailers = trailers.into_iter().filter(|(name, _)| !forbidden_trailer(name)).collect();
    Ok(Verdict::Complete(Chunked { body, trailers, consumed: at + length }))
}

/// Fields that frame or route a message and therefore may not come after it (RFC 9110 §6.5.1).
fn forbidden_trailer(name: &[u8]) -> bool {
    [&b"transfer-encoding"[..], b"content-length", b"host", b"trailer", b"connection", b"te", b"upgrade"]
        .iter()
        .any(|forbidden| name.eq_ignore_ascii_case(forbidden))
}

type Head<T> = (T, Vec<Field>, usize);

/// A start line that `parse` reads, and the field lines after it. `None`: not all there yet.
fn head<T>(bytes: &[u8], parse: fn(&[u8]) -> Result<T, Refusal>) -> Result<Option<Head<T>>, Refusal> {
    let Some(end) = line_end(bytes)? else {
        return Ok(None);
    };
    let start = parse(&bytes[..end])?;
    let rest = end + 2;
    Ok(field_lines(&bytes[rest..])?.map(|(fields, length)| (start, fields, rest + length)))
}

/// Where the first CRLF stands. A lone CR or LF before it is an error, a CR at the very end is not yet one.
fn line_end(bytes: &[u8]) -> Result<Option<usize>, Refusal> {
    for (at, byte) in bytes.iter().enumerate() {
        match (byte, bytes.get(at + 1)) {
            (b'\n', _) => return Err(Refusal::BareLf),
            (b'\r', Some(b'\n')) => return Ok(Some(at)),
            (b'\r', Some(_)) => return Err(Refusal::BareCr),
            _ => {}
        }
    }
    Ok(None)
}

type RequestLine = (Vec<u8>, Vec<u8>, u8);

fn request_line(line: &[u8]) -> Result<RequestLine, Refusal> {
    let parts: Vec<&[u8]> = line.split(|byte| *byte == b' ').collect();
    let [method, target, version] = parts[..] else {
        return Err(Refusal::StartLine);
    };
    if !is_token(method) {
        return Err(Refusal::Method);
    }
    check_target(method, target)?;
    Ok((method.to_vec(), target.to_vec(), http_version(version)?))
}

type StatusLine = (u8, u16, Vec<u8>);

fn status_line(line: &[u8]) -> Result<StatusLine, Refusal> {
    let (version, rest) = line.split_at_checked(8).ok_or(Refusal::StartLine)?;
    let version = http_version(version)?;
    let (a, b, c, reason) = match rest {
        [b' ', a, b, c, b' ', reason @ ..] => (a, b, c, reason),
        [b' ', a, b, c] => (a, b, c, &[][..]),
        _ => return Err(Refusal::StartLine),
    };
    if ![a, b, c].iter().all(|digit| digit.is_ascii_digit()) {
        return Err(Refusal::Status);
    }
    let status = [a, b, c].iter().fold(0, |sum, digit| sum * 10 + u16::from(**digit - b'0'));
    if !(100..600).contains(&status) {
        return Err(Refusal::Status);
    }
    if !reason.iter().all(|byte| is_value_byte(*byte)) {
        return Err(Refusal::FieldValue);
    }
    Ok((version, status, reason.to_vec()))
}

fn http_version(text: &[u8]) -> Result<u8, Refusal> {
    match text {
        b"HTTP/1.0" => Ok(0),
        b"HTTP/1.1" => Ok(1),
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor] if major.is_ascii_digit() && minor.is_ascii_digit() => {
            Err(Refusal::Version)
        }
        _ => Err(Refusal::StartLine),
    }
}

fn check_target(method: &[u8], target: &[u8]) -> Result<(), Refusal> {
    let clean = target.iter().all(|byte| (0x21..=0x7e).contains(byte) && *byte != b'#');
    let form = match (method, target) {
        (b"CONNECT", _) => authority_with_port(target),
        (_, [b'/', ..]) => true,
        (b"OPTIONS", b"*") => true,
        _ => absolute_authority(target).is_some_and(is_authority),
    };
    if clean && form { Ok(()) } else { Err(Refusal::Target) }
}

/// The authority of an absolute-form target.
fn absolute_authority(target: &[u8]) -> Option<&[u8]> {
    let lower = target.to_ascii_lowercase();
    let scheme = [&b"http://"[..], b"https://"].into_iter().find(|scheme| lower.starts_with(scheme))?;
    let rest = &target[scheme.len()..];
    let end = rest.iter().position(|byte| matches!(byte, b'/' | b'?')).unwrap_or(rest.len());
    Some(&rest[..end])
}

fn authority_with_port(authority: &[u8]) -> bool {
    is_authority(authority)
        && authority.iter().rposition(|byte| *byte == b':').is_some_and(|colon| {
            let port = &authority[colon + 1..];
            !port.is_empty() && port.iter().all(u8::is_ascii_digit)
        })
}

/// `uri-host [":" port]` without userinfo and not empty (RFC 9110 §4.2.1, §7.2).
fn is_authority(text: &[u8]) -> bool {
    let (host, port) = match text {
        [b'[', rest @ ..] => {
            let Some(close) = rest.iter().position(|byte| *byte == b']') else {
                return false;
            };
            let literal = &rest[..close];
            let address = std::str::from_utf8(literal).is_ok_and(|text| text.parse::<std::net::Ipv6Addr>().is_ok());
            if !address {
                return false;
            }
            (literal, &rest[close + 1..])
        }
        _ => text.split_at(text.iter().position(|byte| *byte == b':').unwrap_or(text.len())),
    };
    let name = text.starts_with(b"[") || host.iter().all(|byte| is_host_byte(*byte));
    let port = match port {
        [] => true,
        [b':', digits @ ..] => is_port(digits),
        _ => false,
    };
    name && port && !host.is_empty()
}

fn is_port(digits: &[u8]) -> bool {
    let number = std::str::from_utf8(digits).ok().filter(|_| digits.iter().all(u8::is_ascii_digit));
    digits.len() <= 5 && number.and_then(|text| text.parse::<u16>().ok()).is_some_and(|port| port > 0)
}

/// What a registered name is made of in practice: unreserved characters (RFC 3986 §3.2.2) without escapes.
fn is_host_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

fn check_host(target: &[u8], version: u8, fields: &[Field]) -> Result<(), Refusal> {
    let hosts = values(fields, b"host");
    let host = match hosts[..] {
        [host] => host,
        [] if version == 0 => return Ok(()),
        _ => return Err(Refusal::Host),
    };
    if !is_authority(host) {
        return Err(Refusal::Host);
    }
    let named = match target {
        [b'/', ..] | b"*" => return Ok(()),
        _ => absolute_authority(target).unwrap_or(target),
    };
    let port = match () {
        () if named.len() == target.len() || target[..6].eq_ignore_ascii_case(b"https:") => &b":443"[..],
        () => b":80",
    };
    let bare = |authority: &[u8]| authority.strip_suffix(port).unwrap_or(authority).to_ascii_lowercase();
    if bare(named) == bare(host) { Ok(()) } else { Err(Refusal::Host) }
}

/// The field lines up to and with the empty line. `None`: not all there yet.
fn field_lines(bytes: &[u8]) -> Result<Option<(Vec<Field>, usize)>, Refusal> {
    let mut fields = Vec::new();
    let mut at = 0;
    while let Some(end) = line_end(&bytes[at..])? {
        let line = &bytes[at..at + end];
        at += end + 2;
        if line.is_empty() {
            return Ok(Some((fields, at)));
        }
        fields.push(field_line(line)?);
    }
    Ok(None)
}

fn field_line(line: &[u8]) -> Result<Field, Refusal> {
    if matches!(line[0], b' ' | b'\t') {
        return Err(Refusal::Fold);
    }
    let colon = line.iter().position(|byte| *byte == b':').ok_or(Refusal::FieldName)?;
    let (name, value) = (&line[..colon], trim(&line[colon + 1..]));
    if !is_token(name) {
        return Err(Refusal::FieldName);
    }
    if !value.iter().all(|byte| is_value_byte(*byte)) {
        return Err(Refusal::FieldValue);
    }
    Ok((name.to_vec(), value.to_vec()))
}

fn trim(mut value: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = value {
        value = rest;
    }
    while let [rest @ .., b' ' | b'\t'] = value {
        value = rest;
    }
    value
}

/// The values of every field of that name, in order.
pub fn values<'a>(fields: &'a [Field], name: &[u8]) -> Vec<&'a [u8]> {
    fields.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_slice()).collect()
}

/// The rules that both directions share (RFC 9112 §6.3, items 3 to 6); `Close` when no field speaks of a body.
fn body_fields(version: u8, fields: &[Field]) -> Result<Framing, Refusal> {
    let codings = values(fields, b"transfer-encoding");
    let lengths = values(fields, b"content-length");
    match (&codings[..], &lengths[..]) {
        ([], []) => Ok(Framing::Close),
        ([], [length]) => content_length(length).map(Framing::Length),
        // RFC 9112 §6.1: in 1.0 the framing of such a message is faulty, whatever else it says.
        (_, []) if version == 1 => transfer_coding(&codings),
        _ => Err(Refusal::Framing),
    }
}

fn content_length(value: &[u8]) -> Result<u64, Refusal> {
    if value.is_empty() || !value.iter().all(u8::is_ascii_digit) {
        return Err(Refusal::Framing);
    }
    std::str::from_utf8(value)
        .ok()
        .and_then(|text| text.parse().ok())
        .filter(|length| *length < 1 << 63)
        .ok_or(Refusal::Framing)
}

fn transfer_coding(codings: &[&[u8]]) -> Result<Framing, Refusal> {
    match codings {
        [one] if one.eq_ignore_ascii_case(b"chunked") => Ok(Framing::Chunked),
        [one] if is_token(one) => Err(Refusal::TransferCoding),
        // A list, a parameter or a repetition: chunked may come once, and last; nothing else is known here.
        [one] if one.contains(&b',') && !repeats_chunked(one) => Err(Refusal::TransferCoding),
        _ => Err(Refusal::Framing),
    }
}

fn repeats_chunked(list: &[u8]) -> bool {
    let items = || list.split(|byte| *byte == b',').map(trim);
    items().any(|item| !is_token(item)) || items().filter(|item| item.eq_ignore_ascii_case(b"chunked")).count() != 1
}

fn response_framing(version: u8, status: u16, method: &[u8], fields: &[Field]) -> Result<Framing, Refusal> {
    let tunnel = status == 101 || (method == b"CONNECT" && (200..300).contains(&status));
    let bodiless = method == b"HEAD" || status < 200 || matches!(status, 204 | 304);
    let told = body_fields(version, fields)?;
    // RFC 9112 §6.3, items 1 and 2: whatever the fields say. They must still be well formed.
    Ok(match (tunnel, bodiless) {
        (true, _) => Framing::Tunnel,
        (_, true) => Framing::None,
        _ => told,
    })
}

fn is_token(text: &[u8]) -> bool {
    !text.is_empty() && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}

/// `field-content` and the space and tab between (RFC 9110 §5.5).
fn is_value_byte(byte: u8) -> bool {
    matches!(byte, b'\t' | 0x20..=0x7e | 0x80..=0xff)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wraps fields into a request and parses it.
    fn with_fields(fields: &str) -> Result<Framing, Refusal> {
        match request(format!("POST / HTTP/1.1\r\nHost: a\r\n{fields}\r\n").as_bytes())? {
            Verdict::Complete(request) => Ok(request.framing),
            Verdict::Incomplete => panic!("incomplete: {fields}"),
        }
    }

    fn start(line: &str) -> Option<Refusal> {
        request(format!("{line}\r\nHost: a\r\n\r\n").as_bytes()).err()
    }

    #[test]
    fn request_lines() {
        for (line, expected) in [
            ("GET / HTTP/1.1", None),
            ("\r\nGET / HTTP/1.1", None),
            ("GET http://A:80/x HTTP/1.1", None),
            ("OPTIONS * HTTP/1.1", None),
            ("GET  / HTTP/1.1", Some(Refusal::StartLine)),
            ("GET /", Some(Refusal::StartLine)),
            ("G(T / HTTP/1.1", Some(Refusal::Method)),
            ("GET * HTTP/1.1", Some(Refusal::Target)),
            ("GET /#x HTTP/1.1", Some(Refusal::Target)),
            ("GET http://b/ HTTP/1.1", Some(Refusal::Host)),
            ("CONNECT a HTTP/1.1", Some(Refusal::Target)),
            ("GET / HTTP/2.0", Some(Refusal::Version)),
            ("GET / http/1.1", Some(Refusal::StartLine)),
            ("GET /\n HTTP/1.1", Some(Refusal::BareLf)),
            ("GET /\r HTTP/1.1", Some(Refusal::BareCr)),
        ] {
            assert_eq!(start(line), expected, "{line:?}");
        }
    }

    #[test]
    fn framings() {
        for (fields, expected) in [
            ("", Ok(Framing::None)),
            ("Content-Length: 5\r\n", Ok(Framing::Length(5))),
            ("Content-Length: 005\r\n", Ok(Framing::Length(5))),
            ("content-LENGTH:\t5 \r\n", Ok(Framing::Length(5))),
            ("Transfer-Encoding: CHUNKED\r\n", Ok(Framing::Chunked)),
            ("Content-Length: 5, 5\r\n", Err(Refusal::Framing)),
            ("Content-Length: 5\r\nContent-Length: 5\r\n", Err(Refusal::Framing)),
            ("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", Err(Refusal::Framing)),
            ("Content-Length: 9223372036854775808\r\n", Err(Refusal::Framing)),
            ("Content-Length: +5\r\n", Err(Refusal::Framing)),
            ("Transfer-Encoding: gzip, chunked\r\n", Err(Refusal::TransferCoding)),
            ("Transfer-Encoding: chunked, chunked\r\n", Err(Refusal::Framing)),
            ("Transfer-Encoding: \x0bchunked\r\n", Err(Refusal::FieldValue)),
            ("Transfer-Encoding : chunked\r\n", Err(Refusal::FieldName)),
            ("X: 1\r\n folded\r\n", Err(Refusal::Fold)),
        ] {
            assert_eq!(with_fields(fields), expected, "{fields:?}");
        }
    }

    #[test]
    fn chunked_bodies() {
        let body = |text: &str| chunked(text.as_bytes()).map(|verdict| matches!(verdict, Verdict::Complete(_)));
        for (text, expected) in [
            ("5\r\nhello\r\n0\r\n\r\n", Ok(true)),
            ("5;a=\"x;\\\"\";b\r\nhello\r\n0;c\r\nX-T: 1\r\n\r\n", Ok(true)),
            ("5\r\nhello\r\n0\r\n", Ok(false)),
            ("5", Ok(false)),
            ("", Ok(false)),
            ("5 \r\nhello\r\n0\r\n\r\n", Err(Refusal::Chunk)),
            ("5;\r\nhello\r\n0\r\n\r\n", Err(Refusal::Chunk)),
            ("5\nhello\r\n0\r\n\r\n", Err(Refusal::BareLf)),
            ("3\r\nhello\r\n0\r\n\r\n", Err(Refusal::Chunk)),
            ("x", Err(Refusal::Chunk)),
            ("0\r\nContent-Length: 1\r\n\r\n", Ok(true)),
        ] {
            assert_eq!(body(text), expected, "{text:?}");
        }
    }

    #[test]
    fn responses() {
        let framing = |text: &str, method: &str| match response(text.as_bytes(), method.as_bytes()) {
            Ok(Verdict::Complete(response)) => Ok(response.framing),
            Ok(Verdict::Incomplete) => panic!("incomplete: {text:?}"),
            Err(refusal) => Err(refusal),
        };
        let length = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";
        assert_eq!(framing(length, "GET"), Ok(Framing::Length(5)));
        assert_eq!(framing(length, "HEAD"), Ok(Framing::None));
        assert_eq!(framing(length, "CONNECT"), Ok(Framing::Tunnel));
        assert_eq!(framing("HTTP/1.0 200 \r\n\r\n", "GET"), Ok(Framing::Close));
        assert_eq!(framing("HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "GET"), Ok(Framing::None));
        assert_eq!(framing("HTTP/1.1 101 Switching\r\n\r\n", "GET"), Ok(Framing::Tunnel));
        assert_eq!(framing("HTTP/1.1 200\r\n\r\n", "GET"), Ok(Framing::Close));
        assert_eq!(framing("HTTP/1.1 2000 OK\r\n\r\n", "GET"), Err(Refusal::StartLine));
        assert_eq!(framing("HTTP/1.1 099 OK\r\n\r\n", "GET"), Err(Refusal::Status));
    }
}
