//! The request target in its four forms (RFC 9112 §3.2), and authorities, parsed strictly.

use std::fmt;
use std::io::Write as _;
use std::net::{Ipv4Addr, Ipv6Addr};

/// Longest host name in bytes, without a trailing dot (RFC 1035 §2.3.4 as text).
pub const HOST_LEN_MAX: usize = 253;
const LABEL_LEN_MAX: usize = 63;

/// The scheme of an absolute-form target; only these two are proxied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// `http`, port 80.
    Http,
    /// `https`, port 443.
    Https,
}

impl Scheme {
    /// The port that an authority without one means.
    pub fn default_port(self) -> u16 {
        match self {
            Self::Http => 80,
            Self::Https => 443,
        }
    }

    /// The scheme's name in lower case.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Https => "https",
        }
    }
}

/// A request target. Paths are raw here: see [`crate::path`]. Queries are untouched, without their `?`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// `/path?query` (RFC 9112 §3.2.1).
    Origin {
        /// Begins with `/`.
        path: &'a [u8],
        /// What stands behind the first `?`.
        query: Option<&'a [u8]>,
    },
    /// `http://authority/path?query` (§3.2.2).
    Absolute {
        /// http or https.
        scheme: Scheme,
        /// Replaces the Host field, which must not differ.
        authority: Authority<'a>,
        /// Empty or beginning with `/`. Empty means `/`, for OPTIONS `*` (§3.2.4).
        path: &'a [u8],
        /// What stands behind the first `?`.
        query: Option<&'a [u8]>,
    },
    /// `host:port`, CONNECT only (§3.2.3). The port is always there.
    Authority(Authority<'a>),
    /// `*`, OPTIONS only (§3.2.4).
    Asterisk,
}

/// Why a request target is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TargetError {
    /// None of the four forms.
    Form,
    /// `*` with a method other than OPTIONS.
    AsteriskWithoutOptions,
    /// CONNECT with something else than `host:port`.
    ConnectForm,
    /// CONNECT without a port (RFC 9110 §9.3.6).
    ConnectWithoutPort,
    /// Absolute-form of a scheme other than http and https.
    Scheme,
    /// A raw `#`, a space or a control byte.
    Byte,
    /// Absolute-form or CONNECT with a bad authority.
    Authority(AuthorityError),
}

impl TargetError {
    /// The reason in plain words, for the log and the error page.
    pub fn message(self) -> &'static str {
        match self {
            Self::Form => "the request target has none of the forms of RFC 9112",
            Self::AsteriskWithoutOptions => "the request target `*` goes with OPTIONS only",
            Self::ConnectForm => "CONNECT asks for something else than host:port",
            Self::ConnectWithoutPort => "CONNECT names no port",
            Self::Scheme => "the request target has a scheme other than http and https",
            Self::Byte => "the request target has a `#`, a space or a control byte in it",
            Self::Authority(error) => error.message(),
        }
    }
}

impl fmt::Display for TargetError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for TargetError {}

impl From<AuthorityError> for TargetError {
    fn from(error: AuthorityError) -> Self {
        Self::Authority(error)
    }
}

impl<'a> Target<'a> {
    /// Parses a request target; which forms are allowed depends on the method.
    pub fn parse(method: &[u8], raw: &'a [u8]) -> Result<Self, TargetError> {
        match (method, raw) {
            (b"CONNECT", _) => Self::parse_connect(raw),
            (b"OPTIONS", b"*") => Ok(Self::Asterisk),
            (_, b"*") => Err(TargetError::AsteriskWithoutOptions),
            (_, [b'/', ..]) => split_query(raw).map(|(path, query)| Self::Origin { path, query }),
            _ => Self::parse_absolute(raw),
        }
    }

    fn parse_connect(raw: &'a [u8]) -> Result<Self, TargetError> {
        if raw.iter().any(|byte| matches!(byte, b'/' | b'?' | b'*')) {
            return Err(TargetError::ConnectForm);
        }
        let authority = Authority::parse(raw)?;
        authority.port.map(|_| Self::Authority(authority)).ok_or(TargetError::ConnectWithoutPort)
    }

    fn parse_absolute(raw: &'a [u8]) -> Result<Self, TargetError> {
        let colon = memchr::memmem::find(raw, b"://").ok_or(TargetError::Form)?;
        let (name, rest) = raw.split_at_checked(colon).ok_or(TargetError::Form)?;
        let rest = rest.get(3..).unwrap_or_default();
        let scheme = match name {
            name if name.eq_ignore_ascii_case(b"http") => Scheme::Http,
            name if name.eq_ignore_ascii_case(b"https") => Scheme::Https,
            [first, ..] if first.is_ascii_alphabetic() && name.iter().all(is_scheme_byte) => {
                return Err(TargetError::Scheme);
            }
            _ => return Err(TargetError::Form),
        };
        let end = memchr::memchr3(b'/', b'?', b'#', rest).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(end).unwrap_or((rest, b""));
        let (path, query) = split_query(rest)?;
        Ok(Self::Absolute { scheme, authority: Authority::parse(authority)?, path, query })
    }
}

/// RFC 3986 §3.1.
fn is_scheme_byte(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+-.".contains(byte)
}

/// Path and query; refuses bytes that end neither but that no URI may hold. Bytes above 0x7F are left to the path's
/// canonical form, and in the query to the origin.
fn split_query(raw: &[u8]) -> Result<(&[u8], Option<&[u8]>), TargetError> {
    if raw.iter().any(|byte| *byte <= b' ' || matches!(byte, b'#' | 0x7F)) {
        return Err(TargetError::Byte);
    }
    let Some(mark) = memchr::memchr(b'?', raw) else { return Ok((raw, None)) };
    let (path, query) = raw.split_at_checked(mark).unwrap_or((raw, b""));
    Ok((path, query.get(1..)))
}

/// A host and perhaps a port, as in Host, `:authority`, absolute-form and CONNECT. User information is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authority<'a> {
    /// The host.
    pub host: Host<'a>,
    /// The port, never 0; `None` if there is none or an empty one (`host:`, RFC 3986 §6.2.3).
    pub port: Option<u16>,
}

/// A host, told apart as RFC 3986 §3.2.2 does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Host<'a> {
    /// A registered name as it was written, without a trailing dot: letters of either case, digits, `-`, `_`, `.`.
    Name(&'a str),
    /// Four decimal numbers.
    V4(Ipv4Addr),
    /// An IPv6 address, which stood in brackets.
    V6(Ipv6Addr),
}

/// Why an authority is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthorityError {
    /// No host.
    Empty,
    /// `user@host` (RFC 9110 §4.2.4).
    UserInformation,
    /// A byte that no host name has; names outside ASCII come as `xn--…`.
    HostByte,
    /// An empty label (`a..b`), a label above 63 bytes, or a name above 253.
    HostLength,
    /// A name that ends in a number but is no IPv4 address in its only form (`127.1`, `0x7f.0.0.1`, `1.2.3.04`):
    /// some resolvers read it as one.
    NumericHost,
    /// Brackets without a valid IPv6 address in them, or with a zone.
    Ipv6,
    /// Not a number from 1 to 65535 without leading zeros.
    Port,
}

impl AuthorityError {
    /// The reason in plain words, for the log and the error page.
    pub fn message(self) -> &'static str {
        match self {
            Self::Empty => "the host is empty",
            Self::UserInformation => "the authority has user information in it",
            Self::HostByte => "the host has a byte in it that host names do not have",
            Self::HostLength => "the host has an empty label or is too long",
            Self::NumericHost => "the host looks like an IPv4 address but is none in its only valid form",
            Self::Ipv6 => "the host is no valid IPv6 address in brackets",
            Self::Port => "the port is no number from 1 to 65535",
        }
    }
}

impl fmt::Display for AuthorityError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for AuthorityError {}

impl<'a> Authority<'a> {
    /// Parses `host[:port]`.
    pub fn parse(raw: &'a [u8]) -> Result<Self, AuthorityError> {
        if raw.contains(&b'@') {
            return Err(AuthorityError::UserInformation);
        }
        if let [b'[', rest @ ..] = raw {
            return Self::parse_v6(rest);
        }
        let colon = memchr::memchr(b':', raw).unwrap_or(raw.len());
        let (host, port) = raw.split_at_checked(colon).unwrap_or((raw, b""));
        Ok(Self { host: Host::parse(host)?, port: parse_port(port)? })
    }

    fn parse_v6(rest: &'a [u8]) -> Result<Self, AuthorityError> {
        let end = memchr::memchr(b']', rest).ok_or(AuthorityError::Ipv6)?;
        let (address, port) = rest.split_at_checked(end).ok_or(AuthorityError::Ipv6)?;
        let address = std::str::from_utf8(address).ok().and_then(|text| text.parse().ok());
        let host = Host::V6(address.ok_or(AuthorityError::Ipv6)?);
        Ok(Self { host, port: parse_port(port.get(1..).unwrap_or_default())? })
    }

    /// The port, or the scheme's.
    pub fn port_or_default(&self, scheme: Scheme) -> u16 {
        self.port.unwrap_or(scheme.default_port())
    }

    /// Whether both name the same place: hosts in any case, a missing port being the scheme's.
    pub fn same_as(&self, other: &Authority<'_>, scheme: Scheme) -> bool {
        let hosts = match (self.host, other.host) {
            (Host::Name(one), Host::Name(two)) => one.eq_ignore_ascii_case(two),
            (Host::V4(one), Host::V4(two)) => one == two,
            (Host::V6(one), Host::V6(two)) => one == two,
            _ => false,
        };
        hosts && self.port_or_default(scheme) == other.port_or_default(scheme)
    }
}

/// The canonical host, and the port if there is one.
impl fmt::Display for Authority<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.host.fmt(f)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

impl<'a> Host<'a> {
    /// A host name or IPv4 address; one trailing dot is taken off.
    fn parse(raw: &'a [u8]) -> Result<Self, AuthorityError> {
        let raw = raw.strip_suffix(b".").unwrap_or(raw);
        if raw.is_empty() {
            return Err(AuthorityError::Empty);
        }
        check_name(raw)?;
        let name = std::str::from_utf8(raw).map_err(|_| AuthorityError::HostByte)?;
        if ends_in_number(raw) {
            return name.parse().map(Host::V4).map_err(|_| AuthorityError::NumericHost);
        }
        Ok(Host::Name(name))
    }

    /// The form in which hosts are matched, logged and compared: lower case, no trailing dot, no port, an IPv6 address
    /// as in RFC 5952 with brackets. Borrows a name that is in lower case already; else overwrites `scratch`.
    pub fn canonical<'b>(&self, scratch: &'b mut Vec<u8>) -> &'b [u8]
    where
        'a: 'b,
    {
        if let Host::Name(name) = *self
            && !name.bytes().any(|byte| byte.is_ascii_uppercase())
        {
            return name.as_bytes();
        }
        scratch.clear();
        match self {
            Self::V4(address) => append_v4(*address, scratch),
            // Writing to a Vec does not fail.
            _ => drop(write!(scratch, "{self}")),
        }
        scratch
    }
}

/// Appends four decimal numbers. Clients that ask for an address do it in every request, and `write!` costs twenty
/// times as much.
fn append_v4(address: Ipv4Addr, out: &mut Vec<u8>) {
    for (i, octet) in address.octets().into_iter().enumerate() {
        if i > 0 {
            out.push(b'.');
        }
        if octet >= 100 {
            out.push(b'0' + octet / 100);
        }
        if octet >= 10 {
            out.push(b'0' + octet / 10 % 10);
        }
        out.push(b'0' + octet % 10);
    }
}

/// The canonical form.
impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(name) => name.chars().try_for_each(|c| fmt::Write::write_char(f, c.to_ascii_lowercase())),
            Self::V4(address) => address.fmt(f),
            Self::V6(address) => write!(f, "[{address}]"),
        }
    }
}

fn check_name(raw: &[u8]) -> Result<(), AuthorityError> {
    let mut label = 0;
    for byte in raw {
        match byte {
            b'.' if label == 0 => return Err(AuthorityError::HostLength),
            b'.' => label = 0,
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => label += 1,
            _ => return Err(AuthorityError::HostByte),
        }
        if label > LABEL_LEN_MAX {
            return Err(AuthorityError::HostLength);
        }
    }
    let fits = label > 0 && raw.len() <= HOST_LEN_MAX;
    fits.then_some(()).ok_or(AuthorityError::HostLength)
}

/// Whether the last label is a number in some notation (WHATWG URL, "ends in a number").
fn ends_in_number(raw: &[u8]) -> bool {
    let label = raw.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
    match label {
        [b'0', b'x' | b'X', digits @ ..] => digits.iter().all(u8::is_ascii_hexdigit),
        _ => label.iter().all(u8::is_ascii_digit),
    }
}

/// `raw` is empty or begins with the colon.
fn parse_port(raw: &[u8]) -> Result<Option<u16>, AuthorityError> {
    match raw {
        [] | [b':'] => Ok(None),
        [b':', b'1'..=b'9', ..] if raw.len() <= 6 => {
            let digits = raw.get(1..).unwrap_or_default();
            let port = digits
                .iter()
                .try_fold(0_u32, |port, digit| digit.is_ascii_digit().then(|| port * 10 + u32::from(digit - b'0')));
            port.and_then(|port| u16::try_from(port).ok()).map(Some).ok_or(AuthorityError::Port)
        }
        _ => Err(AuthorityError::Port),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    /// Targets as text: scheme, authority, path and query behind one another, separated by spaces.
    fn shown(target: Target<'_>) -> String {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let query = |query: Option<&[u8]>| query.map_or("-".to_owned(), |query| format!("?{}", text(query)));
        match target {
            Target::Origin { path, query: q } => format!("origin {} {}", text(path), query(q)),
            Target::Absolute { scheme, authority, path, query: q } => {
                format!("{} {authority} {} {}", scheme.as_str(), text(path), query(q))
            }
            Target::Authority(authority) => format!("authority {authority}"),
            Target::Asterisk => "asterisk".to_owned(),
        }
    }

    #[track_caller]
    fn check(request: &str, expected: Result<&str, TargetError>) {
        let (method, target) = request.split_once(' ').unwrap();
        let got = Target::parse(method.as_bytes(), target.as_bytes()).map(shown);
        assert_eq!(got, expected.map(str::to_owned), "{request:?}");
    }

    #[test]
    fn targets() {
        use TargetError::*;
        check("GET /", Ok("origin / -"));
        check("GET /a?", Ok("origin /a ?"));
        check("GET /a?b?c=%zz/../", Ok("origin /a ?b?c=%zz/../"));
        check("GET //evil.com/x", Ok("origin //evil.com/x -"));
        check("OPTIONS *", Ok("asterisk"));
        check("GET *", Err(AsteriskWithoutOptions));
        check("GET http://Example.com", Ok("http example.com  -"));
        check("GET HTTPS://example.com:443/a?b", Ok("https example.com:443 /a ?b"));
        check("GET http://example.com?x", Ok("http example.com  ?x"));
        check("GET http://[::0001]:8080/", Ok("http [::1]:8080 / -"));
        check("GET ftp://example.com/", Err(Scheme));
        check("GET http:/example.com/", Err(Form));
        check("GET example.com:80", Err(Form));
        check("GET a/b", Err(Form));
        check("GET ", Err(Form));
        check("GET *a", Err(Form));
        check("GET 1a://b/", Err(Form));
        check("GET http:///a", Err(Authority(AuthorityError::Empty)));
        check("GET http://u:p@h/", Err(Authority(AuthorityError::UserInformation)));
        check("GET http://example.com#a", Err(Byte));
        check("GET /a#b", Err(Byte));
        check("GET /a?b#c", Err(Byte));
        check("GET /a b", Err(Byte));
        check("GET /a?\u{1}", Err(Byte));
        check("CONNECT example.com:443", Ok("authority example.com:443"));
        check("CONNECT [2001:db8::1]:22", Ok("authority [2001:db8::1]:22"));
        check("CONNECT example.com", Err(ConnectWithoutPort));
        check("CONNECT example.com:", Err(ConnectWithoutPort));
        check("CONNECT http://example.com:443/", Err(ConnectForm));
        check("CONNECT /", Err(ConnectForm));
        check("CONNECT *", Err(ConnectForm));
        check("CONNECT a@b:1", Err(Authority(AuthorityError::UserInformation)));
    }

    #[track_caller]
    fn check_authority(raw: &str, expected: Result<&str, AuthorityError>) {
        let got = Authority::parse(raw.as_bytes()).map(|authority| authority.to_string());
        assert_eq!(got, expected.map(str::to_owned), "{raw:?}");
    }

    #[test]
    fn authorities() {
        use AuthorityError::*;
        check_authority("Example.COM", Ok("example.com"));
        check_authority("example.com.", Ok("example.com"));
        check_authority("example.com.:80", Ok("example.com:80"));
        check_authority("my_host-1", Ok("my_host-1"));
        check_authority("example.com:", Ok("example.com"));
        check_authority("127.0.0.1:8080", Ok("127.0.0.1:8080"));
        check_authority("1.2.3.4.", Ok("1.2.3.4"));
        check_authority("[2001:DB8:0:0::1]", Ok("[2001:db8::1]"));
        check_authority("1.example", Ok("1.example"));
        check_authority("x.1a", Ok("x.1a"));
        check_authority("", Err(Empty));
        check_authority(".", Err(Empty));
        check_authority(":80", Err(Empty));
        check_authority("a..b", Err(HostLength));
        check_authority("a..", Err(HostLength));
        check_authority(".a", Err(HostLength));
        check_authority(&"a".repeat(64), Err(HostLength));
        check_authority(&"a.".repeat(127), Ok("a.".repeat(127).trim_end_matches('.')));
        check_authority(&"a.".repeat(128), Err(HostLength));
        check_authority("ä.example", Err(HostByte));
        check_authority("a%41", Err(HostByte));
        check_authority("a b", Err(HostByte));
        check_authority("a/b", Err(HostByte));
        check_authority("a,b", Err(HostByte));
        check_authority("*.example.com", Err(HostByte));
        check_authority("u@h", Err(UserInformation));
        check_authority("127.1", Err(NumericHost));
        check_authority("2130706433", Err(NumericHost));
        check_authority("0x7f.1", Err(NumericHost));
        check_authority("a.0x7F", Err(NumericHost));
        check_authority("127.0.0.01", Err(NumericHost));
        check_authority("256.0.0.1", Err(NumericHost));
        check_authority("[::1", Err(Ipv6));
        check_authority("[fe80::1%25eth0]", Err(Ipv6));
        check_authority("[v1.x]", Err(Ipv6));
        check_authority("[127.0.0.1]", Err(Ipv6));
        check_authority("[]", Err(Ipv6));
        check_authority("[::1]80", Err(Port));
        check_authority("::1", Err(Empty));
        check_authority("a:0", Err(Port));
        check_authority("a:080", Err(Port));
        check_authority("a:65535", Ok("a:65535"));
        check_authority("a:65536", Err(Port));
        check_authority("a:1000000000000", Err(Port));
        check_authority("a:+80", Err(Port));
        check_authority("a:80:80", Err(Port));
    }

    #[test]
    fn same_place() {
        let same = |one: &str, two: &str, scheme| {
            let parse = |text: &'static str| Authority::parse(text.as_bytes()).unwrap();
            parse(one.to_owned().leak()).same_as(&parse(two.to_owned().leak()), scheme)
        };
        assert!(same("Example.com", "example.com.:80", Scheme::Http));
        assert!(same("[::1]", "[0:0::1]:443", Scheme::Https));
        assert!(!same("example.com", "example.com:80", Scheme::Https));
        assert!(!same("example.com", "example.org", Scheme::Http));
        assert!(!same("127.0.0.1", "localhost", Scheme::Http));
    }

    #[test]
    fn a_lower_case_name_is_borrowed() {
        let mut scratch = Vec::new();
        let host = |text: &'static str| Authority::parse(text.as_bytes()).unwrap().host;
        assert_eq!(host("example.com:1").canonical(&mut scratch), b"example.com");
        assert!(scratch.is_empty());
        assert_eq!(host("Example.com:1").canonical(&mut scratch), b"example.com");
        assert_eq!(host("[::01]").canonical(&mut scratch), b"[::1]");
    }

    proptest! {
        #[test]
        fn any_bytes_are_survived(raw in prop::collection::vec(any::<u8>(), 0..64), method in "GET|OPTIONS|CONNECT") {
            let _ = Target::parse(method.as_bytes(), &raw);
        }

        #[test]
        fn a_shown_authority_parses_to_itself(raw in "[a-cA-C0-9.:\\[\\]-]{1,12}") {
            if let Ok(authority) = Authority::parse(raw.as_bytes()) {
                let shown = authority.to_string();
                let again = Authority::parse(shown.as_bytes()).unwrap();
                prop_assert!(again.same_as(&authority, Scheme::Http));
                prop_assert_eq!(again.to_string(), shown);
            }
        }
    }
}
