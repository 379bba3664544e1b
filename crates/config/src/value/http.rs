//! Parts of HTTP messages.

use super::{Flaw, Value};
use crate::codes;
use crate::decode::{Decoder, Spec, removal};
use crate::schema::Schema;
use crate::source::Spanned;
use crate::syntax::{Node, NodeKind};
use std::fmt;

/// A header name; keeps its spelling, compares without regard to case.
#[derive(Debug, Clone)]
pub struct HeaderName(String);

impl HeaderName {
    /// The header that carries the request's id unless a file says otherwise.
    pub(crate) fn request_id() -> Self {
        Self("X-Request-Id".to_owned())
    }

    /// The name as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl PartialEq for HeaderName {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for HeaderName {}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What is wrong with the name of a header that is only looked for.
pub(super) fn name_finding(name: &Spanned<String>) -> Option<crate::Diagnostic> {
    let flaw = HeaderName::parse(&name.value).err()?;
    if FRAMING.contains(&name.value.to_ascii_lowercase().as_str()) {
        return None;
    }
    let finding = crate::Diagnostic::error(flaw.code, name.span, flaw.message);
    Some(match flaw.replacement {
        Some(better) => finding.replace(format!("did you mean `{better}`?"), name.span, better),
        None => finding.hint("letters, digits and `-`"),
    })
}

/// Headers that frame the message or steer the connection: written by the engine, never by a file.
const FRAMING: [&str; 8] =
    ["connection", "content-length", "host", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade"];

impl Value for HeaderName {
    const WHAT: &'static str = "a header name";
    const EXAMPLES: &'static [&'static str] = &["X-Frame-Options"];

    fn parse(text: &str) -> Result<Self, Flaw> {
        // RFC 9110 section 5.1: field-name = token.
        let token = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
        if text.is_empty() || !text.chars().all(token) {
            let flaw = Flaw::new(codes::HEADER, format!("`{text}` is not a header name"));
            let better: String = text.trim().trim_end_matches(':').replace(' ', "-");
            return Err(match !better.is_empty() && better.chars().all(token) {
                true => flaw.replace(better),
                false => flaw.hint("letters, digits and `-`"),
            });
        }
        if FRAMING.contains(&text.to_ascii_lowercase().as_str()) {
            return Err(Flaw::new(codes::HEADER, format!("the header `{text}` cannot be set or removed"))
                .label("it frames the message and is written by the proxy itself")
                .hint("remove it"));
        }
        Ok(Self(text.to_owned()))
    }

    fn written(&self) -> String {
        self.0.clone()
    }
}

/// A header value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeaderValue(String);

impl HeaderValue {
    /// The value.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Value for HeaderValue {
    const WHAT: &'static str = "a header value";
    const EXAMPLES: &'static [&'static str] = &["DENY"];

    fn parse(text: &str) -> Result<Self, Flaw> {
        // RFC 9110 section 5.5: no CR, LF, NUL; other controls are "not recommended" and refused.
        if text.chars().any(|c| c.is_control() && c != '\t') {
            let better: String = text.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
            return Err(
                Flaw::new(codes::HEADER, "a header value holds no line ends or control characters").replace(better)
            );
        }
        Ok(Self(text.trim().to_owned()))
    }

    fn mended(shown: &str) -> Option<String> {
        let plain: String = shown.trim().chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        (plain != shown).then_some(plain)
    }

    fn written(&self) -> String {
        crate::decode::quoted_if_needed(&self.0)
    }
}

/// The status of an answer: 200 to 599.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Status(u16);

impl Status {
    /// 200 OK.
    pub const OK: Self = Self(200);
    /// 429 Too Many Requests.
    pub const TOO_MANY_REQUESTS: Self = Self(429);
    /// 503 Service Unavailable.
    pub const UNAVAILABLE: Self = Self(503);

    /// The number.
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Value for Status {
    const WHAT: &'static str = "a status code";
    const PATTERN: Option<&'static str> = Some("^[2-5][0-9][0-9]$");
    const EXAMPLES: &'static [&'static str] = &["200", "404", "503"];

    fn parse(text: &str) -> Result<Self, Flaw> {
        let number = text.parse::<u16>().ok().filter(|number| (200..=599).contains(number) && text.len() == 3);
        number.map(Self).ok_or_else(|| {
            let first = text.split(' ').next().unwrap_or_default();
            let flaw = Flaw::new(codes::STATUS, format!("`{text}` is not a status code")).label("200 to 599");
            match first != text && Self::parse(first).is_ok() {
                true => flaw.replace(first),
                false => flaw.replace("404").hint("write a status code such as 404"),
            }
        })
    }

    fn written(&self) -> String {
        self.0.to_string()
    }
}

/// Statuses from one to another: `204`, `2xx`, `200-399`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StatusRange {
    first: u16,
    last: u16,
}

impl StatusRange {
    /// All statuses of a class, one to five.
    pub const fn class(class: u16) -> Self {
        Self { first: class * 100, last: class * 100 + 99 }
    }

    /// The first and the last.
    pub const fn ends(&self) -> (u16, u16) {
        (self.first, self.last)
    }
}

impl fmt::Display for StatusRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.first, self.last) {
            (first, last) if first == last => write!(f, "{first}"),
            (first, last) if first % 100 == 0 && last == first + 99 => write!(f, "{}xx", first / 100),
            (first, last) => write!(f, "{first}-{last}"),
        }
    }
}

impl Value for StatusRange {
    const WHAT: &'static str = "a status code or a range of them";
    const PATTERN: Option<&'static str> = Some("^([1-5]xx|[1-5][0-9][0-9](-[1-5][0-9][0-9])?)$");
    const EXAMPLES: &'static [&'static str] = &["2xx", "204", "200-399"];

    fn parse(text: &str) -> Result<Self, Flaw> {
        let code = |text: &str| text.parse::<u16>().ok().filter(|code| (100..600).contains(code) && text.len() == 3);
        let class = text.strip_suffix("xx").and_then(|class| class.parse().ok()).filter(|class| (1..6).contains(class));
        let range = text.split_once('-').unwrap_or((text, text));
        let range = code(range.0).zip(code(range.1)).filter(|(first, last)| first <= last);
        let parsed = class.map(Self::class).or(range.map(|(first, last)| Self { first, last }));
        parsed.ok_or_else(|| {
            Flaw::new(codes::STATUS, format!("`{text}` is not a status code or a range of them"))
                .label("write 204, 2xx or 200-399")
                .replace("2xx")
        })
    }

    fn written(&self) -> String {
        self.to_string()
    }
}

/// Octets in hexadecimal, with or without spaces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hex(Vec<u8>);

impl Hex {
    /// The octets.
    pub fn octets(&self) -> &[u8] {
        &self.0
    }
}

impl Value for Hex {
    const WHAT: &'static str = "octets in hexadecimal";
    const PATTERN: Option<&'static str> = Some("^([0-9a-fA-F]{2} *)+$");
    const EXAMPLES: &'static [&'static str] = &["00 01 0a", "50494e47"];

    fn parse(text: &str) -> Result<Self, Flaw> {
        let digits: Vec<u8> = text.bytes().filter(|octet| *octet != b' ').collect();
        let digit = |octet: u8| char::from(octet).to_digit(16);
        let octets = digits.chunks(2).map(|pair| match pair {
            [high, low] => u8::try_from(digit(*high)? * 16 + digit(*low)?).ok(),
            _ => None,
        });
        let octets: Option<Vec<u8>> = octets.collect();
        octets.filter(|octets| !octets.is_empty()).map(Self).ok_or_else(|| {
            Flaw::new(codes::NUMBER, format!("`{text}` is not octets in hexadecimal"))
                .label("two digits an octet")
                .hint("write octets such as \"00 01 0a\"")
        })
    }

    fn written(&self) -> String {
        let octets: Vec<String> = self.0.iter().map(|octet| format!("{octet:02x}")).collect();
        crate::decode::quoted_if_needed(&octets.join(" "))
    }
}

/// Where a redirect leads: a URL with scheme and host, or a path of the same site.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location(String);

impl Location {
    /// The text as it goes into the `Location` header.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it names something below its host: else a redirect can keep the request's path.
    pub fn has_path(&self) -> bool {
        let rest = self.0.split_once("://").map_or(self.0.as_str(), |(_, rest)| rest);
        rest.split_once('/').is_some_and(|(_, path)| !path.is_empty()) || rest.contains('?')
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What may not stand in a URI, as %XX (RFC 3986 section 2.1).
fn encoded(text: &str) -> String {
    let mut written = String::new();
    for byte in text.trim().bytes() {
        if byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte) {
            written.push(char::from(byte));
        } else {
            written.push_str(&format!("%{byte:02X}"));
        }
    }
    written
}

impl Value for Location {
    const WHAT: &'static str = "where a redirect leads";
    const EXAMPLES: &'static [&'static str] = &["https://example.com", "/new"];

    fn parse(text: &str) -> Result<Self, Flaw> {
        let flaw = || Flaw::new(codes::REDIRECT, format!("`{text}` is not a URL or path to redirect to"));
        // RFC 3986 section 2: only these may stand in a URI; a blank or quote would break the header.
        let allowed = |c: char| c.is_ascii_graphic() && !"\"<>\\^`{|}".contains(c);
        if !text.chars().all(allowed) {
            return Err(flaw()
                .label("only printable ASCII without quotes")
                .replace(encoded(text))
                .hint("encode them as %XX"));
        }
        let is_url = ["https://", "http://"].iter().any(|scheme| {
            text.strip_prefix(scheme)
                .is_some_and(|rest| rest.chars().next().is_some_and(|c| c.is_ascii_alphanumeric() || c == '['))
        });
        // `//host` would be another site.
        let is_path = text.starts_with('/') && !text.starts_with("//");
        if is_url || is_path {
            return Ok(Self(text.to_owned()));
        }
        let host = text.trim_start_matches('/');
        Err(match host.chars().next().is_some_and(|c| c.is_ascii_alphanumeric()) && !host.contains("://") {
            true => flaw().label("a scheme is missing").replace(format!("https://{host}")),
            false => flaw().hint("write a URL such as https://example.com"),
        })
    }

    /// A path of the same site, wherever the value leads.
    fn mended(shown: &str) -> Option<String> {
        shown.starts_with("${").then(|| format!("/{shown}"))
    }

    fn written(&self) -> String {
        self.0.clone()
    }
}

/// A redirect's [`Location`] with values of the request in it. What stands around them must make it one of the forms of a
/// location by itself, so that no request chooses the host of a path, or the scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocationTemplate {
    /// With a letter in place of each value.
    pub outline: Location,
    /// The text.
    pub template: super::TemplateText,
}

impl Spec for LocationTemplate {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        let (outline, template) = decoder.template::<Location>(node)?;
        if let Some(lead) = template.open_host() {
            decoder.report(open_host(node, &template, &lead));
            return None;
        }
        Some(Self { outline, template })
    }

    fn schema() -> Schema {
        Location::schema()
    }

    fn text(&self) -> Option<String> {
        self.template.text()
    }
}

/// `https://example.com${x}` leads to another host when the value is `.example.net`.
fn open_host(node: &Node, template: &super::TemplateText, lead: &str) -> crate::Diagnostic {
    let message = format!("a request chooses the host behind `{lead}`");
    let finding =
        crate::Diagnostic::error(codes::REDIRECT, node.span, message).label("the value may go on with the host");
    let host = if lead.ends_with("://") { "example.com" } else { "" };
    let better = template.shown().replacen(lead, &format!("{lead}{host}/"), 1);
    finding.replace("end the host with a slash", node.span, crate::decode::quoted_if_needed(&better))
}

/// Headers to set, in the order written.
#[derive(Debug, Clone, PartialEq)]
pub struct Headers<V = HeaderValue>(pub Vec<(Spanned<HeaderName>, Spanned<V>)>);

impl<V> Default for Headers<V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<V> std::ops::Deref for Headers<V> {
    type Target = [(Spanned<HeaderName>, Spanned<V>)];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl<V: Spec> Spec for Headers<V> {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        let NodeKind::Map(entries) = &node.kind else {
            decoder.wrong_form(node, "a set of headers", &["map"]);
            return None;
        };
        let mut headers: Vec<(Spanned<HeaderName>, Spanned<V>)> = Vec::new();
        for entry in entries {
            let key = Node::text_at(&entry.key.value, entry.key.span);
            let name = Spanned::<HeaderName>::decode(&key, decoder);
            let value = Spanned::<V>::decode(&entry.value, decoder);
            let (Some(name), Some(value)) = (name, value) else { continue };
            if let Some((first, _)) = headers.iter().find(|(other, _)| other.value == name.value) {
                let message = format!("the header `{}` is written twice", name.value);
                decoder.report(
                    crate::Diagnostic::error(codes::DUPLICATE_KEY, name.span, message)
                        .label("names of headers are equal without regard to case")
                        .second(first.span, "first here")
                        .edits("remove one of them", removal(entries, &entry.key.value).into_iter().collect()),
                );
            }
            headers.push((name, value));
        }
        Some(Self(headers))
    }

    fn schema() -> Schema {
        Schema::table(V::schema())
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}
