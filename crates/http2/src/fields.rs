//! What a field section may hold and what follows from it (RFC 9113 §8.2, §8.3; RFC 8441 §4).

use crate::{Limits, Misdeed, Priority};
use strait_message::syntax::{decimal, is_field_value, is_host, is_target, is_token};
use strait_message::{BodyLength, Headers, Method, Name, NameSet, RequestHead, ResponseHead, Status, Version};

/// What each field counts beside its octets (RFC 9113 §6.5.2).
const FIELD_OVERHEAD: usize = 32;

/// Fields that concern a connection of HTTP/1 and make a message malformed (RFC 9113 §8.2.2).
const CONNECTION: NameSet = NameSet::of(&[
    Name::Connection,
    Name::ProxyConnection,
    Name::KeepAlive,
    Name::TransferEncoding,
    Name::Upgrade,
    Name::Http2Settings,
]);

/// What a complete request head means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestFacts {
    /// The length of its body.
    pub length: BodyLength,
    /// Whether the client waits for `100 Continue`.
    pub expects_continue: bool,
    /// Whether it asks to become a WebSocket (RFC 8441).
    pub wants_websocket: bool,
    /// When its response is wanted.
    pub priority: Priority,
}

/// What a complete final response head means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseFacts {
    /// What the head announces; for a response to HEAD, and for 304, what it would have been.
    pub length: BodyLength,
    /// Whether it came with the end of its stream.
    pub is_whole: bool,
}

/// Counts what a section costs, and judges its fields one by one.
struct Section<'l> {
    octets_left: usize,
    fields_left: u16,
    over: Misdeed,
    limits: &'l Limits,
    regular_seen: bool,
    length: Option<u64>,
    misdeed: Option<Misdeed>,
}

impl<'l> Section<'l> {
    fn new(octets_max: u32, limits: &'l Limits) -> Self {
        Self {
            octets_left: octets_max as usize,
            fields_left: limits.fields_max,
            over: Misdeed::HeadTooLarge,
            limits,
            regular_seen: false,
            length: None,
            misdeed: None,
        }
    }

    /// Counts a field. Whether it is within the limits.
    fn count(&mut self, name: &[u8], value: &[u8]) -> Result<(), Misdeed> {
        let octets = name.len() + value.len() + FIELD_OVERHEAD;
        self.octets_left = self.octets_left.checked_sub(octets).ok_or(self.over)?;
        self.fields_left = self.fields_left.checked_sub(1).ok_or(Misdeed::TooManyFields)?;
        Ok(())
    }

    /// Judges a field that is no pseudo-header field.
    fn regular(&mut self, known: Name, name: &[u8], value: &[u8]) -> Result<(), Misdeed> {
        self.regular_seen = true;
        if (known == Name::Other && !is_token(name)) || name.iter().any(u8::is_ascii_uppercase) {
            return Err(Misdeed::BadFieldName);
        }
        let blank = |octet: Option<&u8>| octet.is_some_and(|b| matches!(b, b' ' | b'\t'));
        if !is_field_value(value) || blank(value.first()) || blank(value.last()) {
            return Err(Misdeed::BadFieldValue);
        }
        if CONNECTION.contains(known) || (known == Name::Te && !value.eq_ignore_ascii_case(b"trailers")) {
            return Err(Misdeed::ConnectionField);
        }
        if known == Name::ContentLength {
            let length = decimal(value).filter(|_| self.length.is_none()).ok_or(Misdeed::BadLength)?;
            self.length = Some(length);
        }
        Ok(())
    }
}

/// Collects a request head.
pub(crate) struct RequestReader<'a, 'l> {
    section: Section<'l>,
    head: &'a mut RequestHead,
    cookie: &'a mut Vec<u8>,
    method: Option<Method>,
    scheme: bool,
    path: bool,
    authority: bool,
    protocol: Option<bool>,
    expects_continue: bool,
    priority: Priority,
}

impl<'a, 'l> RequestReader<'a, 'l> {
    pub(crate) fn new(head: &'a mut RequestHead, cookie: &'a mut Vec<u8>, limits: &'l Limits) -> Self {
        head.clear();
        head.version = Version::Http2;
        cookie.clear();
        Self {
            section: Section::new(limits.head_bytes_max, limits),
            head,
            cookie,
            method: None,
            scheme: false,
            path: false,
            authority: false,
            protocol: None,
            expects_continue: false,
            priority: Priority::default(),
        }
    }

    /// Takes a field. Whether more are wanted.
    pub(crate) fn field(&mut self, known: Name, name: &[u8], value: &[u8]) -> bool {
        let taken = self.section.count(name, value).and_then(|()| match name.first() {
            Some(b':') => self.pseudo(name, value),
            _ => self.regular(known, name, value),
        });
        self.section.misdeed = taken.err();
        self.section.misdeed.is_none()
    }

    fn pseudo(&mut self, name: &[u8], value: &[u8]) -> Result<(), Misdeed> {
        let seen = match name {
            _ if self.section.regular_seen => return Err(Misdeed::BadPseudoField),
            b":method" => self.method.replace(method(value).ok_or(Misdeed::BadMethod)?).is_some(),
            b":scheme" if !matches!(value, b"http" | b"https") => return Err(Misdeed::BadScheme),
            b":scheme" => std::mem::replace(&mut self.scheme, true),
            b":path" => self.take_path(value)?,
            b":authority" if !is_host(value) => return Err(Misdeed::BadAuthority),
            b":authority" => {
                self.head.headers.push_name(Name::Host, value);
                std::mem::replace(&mut self.authority, true)
            }
            b":protocol" => self.protocol.replace(value == b"websocket").is_some(),
            _ => return Err(Misdeed::BadPseudoField),
        };
        if seen { Err(Misdeed::BadPseudoField) } else { Ok(()) }
    }

    fn take_path(&mut self, value: &[u8]) -> Result<bool, Misdeed> {
        if value.len() > self.section.limits.path_bytes_max as usize {
            return Err(Misdeed::PathTooLong);
        }
        if !is_target(value) || (value.first() != Some(&b'/') && value != b"*") {
            return Err(Misdeed::BadPath);
        }
        self.head.set_target(value);
        Ok(std::mem::replace(&mut self.path, true))
    }

    fn regular(&mut self, known: Name, name: &[u8], value: &[u8]) -> Result<(), Misdeed> {
        self.section.regular(known, name, value)?;
        match known {
            // The length is stated by framing from here on; what was announced is enforced.
            Name::Host if self.head.headers.contains(Name::Host) => {
                let same = self.head.headers.get(Name::Host).is_some_and(|host| host.eq_ignore_ascii_case(value));
                return if same { Ok(()) } else { Err(Misdeed::BadAuthority) };
            }
            Name::Host if !is_host(value) => return Err(Misdeed::BadAuthority),
            Name::Cookie => {
                // Crumbs are joined for whoever speaks HTTP/1 behind us (RFC 9113 §8.2.3).
                if !self.cookie.is_empty() {
                    self.cookie.extend_from_slice(b"; ");
                }
                self.cookie.extend_from_slice(value);
                return Ok(());
            }
            Name::Expect => self.expects_continue = value.eq_ignore_ascii_case(b"100-continue"),
            Name::Other if name == b"priority" => self.priority = Priority::parse(value),
            _ => {}
        }
        if known == Name::Other {
            self.head.headers.push(name, value);
        } else {
            self.head.headers.push_name(known, value);
        }
        Ok(())
    }

    /// Judges the whole head, which came with the end of its stream or without.
    pub(crate) fn finish(self, ends: bool, connect_protocol: bool) -> Result<RequestFacts, Misdeed> {
        if let Some(misdeed) = self.section.misdeed {
            return Err(misdeed);
        }
        let Self { section, head, cookie, method, scheme, path, authority, protocol, expects_continue, priority } =
            self;
        head.method = method.ok_or(Misdeed::BadPseudoField)?;
        if !cookie.is_empty() {
            head.headers.push_name(Name::Cookie, cookie);
        }
        let extended = protocol.is_some();
        if extended && (head.method != Method::Connect || !connect_protocol) {
            return Err(Misdeed::BadProtocol);
        }
        // RFC 9113 §8.5: an ordinary CONNECT has neither scheme nor path; everything else has both.
        let ordinary_connect = head.method == Method::Connect && !extended;
        if (scheme, path) != (!ordinary_connect, !ordinary_connect) || (ordinary_connect && !authority) {
            return Err(Misdeed::BadPseudoField);
        }
        if !head.headers.contains(Name::Host) {
            return Err(Misdeed::BadAuthority);
        }
        if head.target() == b"*" && head.method != Method::Options {
            return Err(Misdeed::BadPath);
        }
        if ordinary_connect {
            let authority = head.headers.get(Name::Host).map(<[u8]>::to_vec).unwrap_or_default();
            head.set_target(&authority);
        }
        let length = length(section.length, ends)?;
        Ok(RequestFacts {
            length,
            expects_continue: expects_continue && !length.is_none(),
            wants_websocket: protocol == Some(true),
            priority,
        })
    }
}

fn method(value: &[u8]) -> Option<Method> {
    if is_token(value) { Method::from_token(value) } else { None }
}

/// The length of a body whose head announced `announced`, and came with the end of its stream or without.
fn length(announced: Option<u64>, ends: bool) -> Result<BodyLength, Misdeed> {
    match (announced, ends) {
        (None, true) => Ok(BodyLength::None),
        (Some(0), _) => Ok(BodyLength::Fixed(0)),
        (Some(_), true) => Err(Misdeed::BodyTooShort),
        (Some(octets), false) => Ok(BodyLength::Fixed(octets)),
        (None, false) => Ok(BodyLength::Unknown),
    }
}

/// Collects a response head.
pub(crate) struct ResponseReader<'a, 'l> {
    section: Section<'l>,
    head: &'a mut ResponseHead,
    status: Option<Status>,
}

impl<'a, 'l> ResponseReader<'a, 'l> {
    pub(crate) fn new(head: &'a mut ResponseHead, limits: &'l Limits) -> Self {
        head.clear();
        head.version = Version::Http2;
        Self { section: Section::new(limits.head_bytes_max, limits), head, status: None }
    }

    /// Takes a field. Whether more are wanted.
    pub(crate) fn field(&mut self, known: Name, name: &[u8], value: &[u8]) -> bool {
        let taken = self.section.count(name, value).and_then(|()| match name {
            b":status" if !self.section.regular_seen && self.status.is_none() => {
                self.status = Some(status(value)?);
                Ok(())
            }
            [b':', ..] => Err(Misdeed::BadPseudoField),
            _ => push(&mut self.section, &mut self.head.headers, known, name, value),
        });
        self.section.misdeed = taken.err();
        self.section.misdeed.is_none()
    }

    /// Judges the whole head. For an interim one the facts mean nothing.
    pub(crate) fn finish(self, ends: bool, to_head: bool) -> Result<ResponseFacts, Misdeed> {
        if let Some(misdeed) = self.section.misdeed {
            return Err(misdeed);
        }
        self.head.status = self.status.ok_or(Misdeed::BadPseudoField)?;
        // RFC 9113 §8.6: there is no 101; §8.1: an interim response does not end its stream.
        if self.head.status == Status::SWITCHING_PROTOCOLS {
            return Err(Misdeed::BadStatus);
        }
        if self.head.status.is_interim() && ends {
            return Err(Misdeed::BadInterim);
        }
        let bodiless = to_head || self.head.status.forbids_body();
        let length = match self.section.length {
            Some(octets) if bodiless => BodyLength::Fixed(octets),
            None if bodiless => BodyLength::None,
            announced => length(announced, ends)?,
        };
        Ok(ResponseFacts { length, is_whole: ends })
    }
}

/// Three digits (RFC 9110 §15).
fn status(value: &[u8]) -> Result<Status, Misdeed> {
    let digits = value.len() == 3 && value.iter().all(u8::is_ascii_digit);
    let code = value.iter().fold(0, |code, digit| code * 10 + u16::from(digit.wrapping_sub(b'0')));
    Status::new(code).filter(|_| digits).ok_or(Misdeed::BadStatus)
}

/// Collects a trailer section.
pub(crate) struct TrailerReader<'a, 'l> {
    section: Section<'l>,
    trailers: &'a mut Headers,
}

impl<'a, 'l> TrailerReader<'a, 'l> {
    pub(crate) fn new(trailers: &'a mut Headers, limits: &'l Limits) -> Self {
        trailers.clear();
        Self { section: Section::new(limits.trailer_bytes_max, limits), trailers }
    }

    /// Takes a field. Whether more are wanted.
    pub(crate) fn field(&mut self, known: Name, name: &[u8], value: &[u8]) -> bool {
        let taken = self.section.count(name, value).and_then(|()| match name.first() {
            Some(b':') => Err(Misdeed::BadTrailers),
            _ => push(&mut self.section, self.trailers, known, name, value),
        });
        self.section.misdeed = taken.err();
        self.section.misdeed.is_none()
    }

    pub(crate) fn finish(self) -> Result<(), Misdeed> {
        self.section.misdeed.map_or(Ok(()), Err)
    }
}

fn push(
    section: &mut Section<'_>,
    headers: &mut Headers,
    known: Name,
    name: &[u8],
    value: &[u8],
) -> Result<(), Misdeed> {
    section.regular(known, name, value)?;
    if known == Name::Other {
        headers.push(name, value);
    } else {
        headers.push_name(known, value);
    }
    Ok(())
}
