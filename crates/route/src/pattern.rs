//! Route patterns: `[METHOD[,METHOD] ][host][/path]`.
//!
//! | pattern | matches |
//! |---|---|
//! | `/`, `/*` or `*` | everything |
//! | `/{$}` | exactly the path `/` |
//! | `example.com` or `example.com/` | every path of that host |
//! | `*.example.com` | one or more labels in front of `example.com`, not `example.com` itself |
//! | `example.com/api/*` | `/api`, `/api/` and everything below |
//! | `example.com/api` | exactly that path; `/api/` is another |
//! | `/users/{id}/orders` | one segment that is not empty |
//! | `GET,HEAD example.com/x` | only these methods; GET answers HEAD too |
//!
//! Decisions where the language leaves room:
//! - A pattern names no port: which port a request came to is a matter of listeners, and hosts match on any.
//! - `*` is a wildcard only as the first label or the last segment. Braces hold one whole segment.
//! - A literal `*` or `{` at those places cannot be said; everywhere else patterns are canonical paths.

use std::fmt;
use std::ops::Range;

use crate::method::{MethodFit, MethodSet, is_method_name, is_standard};
use crate::path::{PathRules, canonical_by};
use crate::target::{Authority, AuthorityError, Host};

/// Most segments a pattern's path has.
pub const SEGMENTS_MAX: usize = 64;
/// Most `{captures}` a pattern has.
pub const CAPTURES_MAX: usize = 8;

/// A parsed pattern. Displays as its canonical text, which parses to the same pattern.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Pattern {
    methods: MethodSet,
    host: HostPattern,
    segments: Vec<Segment>,
    below: bool,
}

/// Which hosts a pattern matches. Names are canonical: lower case, no trailing dot.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum HostPattern {
    /// This host; an IPv6 address has its brackets.
    Exact(String),
    /// One or more labels in front of this name (`*.name`).
    Below(String),
    /// Every host, and requests without one.
    Any,
}

/// One segment of a pattern's path.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Segment {
    /// These bytes, in canonical form.
    Literal(String),
    /// Any segment that is not empty, under this name.
    Capture(String),
}

impl HostPattern {
    fn meet(&self, other: &Self) -> Option<Self> {
        let below = |suffix: &str, name: &str| name.strip_suffix(suffix).is_some_and(|rest| rest.ends_with('.'));
        match (self, other) {
            (Self::Any, host) | (host, Self::Any) => Some(host.clone()),
            (a, b) if a == b => Some(a.clone()),
            (Self::Exact(name), Self::Below(suffix)) | (Self::Below(suffix), Self::Exact(name)) => {
                below(suffix, name).then(|| Self::Exact(name.clone()))
            }
            (Self::Below(a), Self::Below(b)) if below(a, b) => Some(Self::Below(b.clone())),
            (Self::Below(a), Self::Below(b)) if below(b, a) => Some(Self::Below(a.clone())),
            _ => None,
        }
    }
}

impl Segment {
    fn meet(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::Literal(a), Self::Literal(b)) => (a == b).then(|| self.clone()),
            // A capture is not empty.
            (Self::Literal(text), Self::Capture(_)) | (Self::Capture(_), Self::Literal(text)) => {
                (!text.is_empty()).then(|| Self::Literal(text.clone()))
            }
            (Self::Capture(_), Self::Capture(_)) => Some(self.clone()),
        }
    }
}

/// What is wrong with a pattern's text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PatternError {
    /// Bytes of the text to underline.
    pub span: Range<usize>,
    /// One clause, without a full stop.
    pub message: String,
    /// The whole pattern as it was probably meant.
    pub fix: Option<String>,
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.fix.as_ref().map_or(Ok(()), |fix| write!(f, " (did you mean `{fix}`?)"))
    }
}

impl std::error::Error for PatternError {}

impl Pattern {
    /// Parses a pattern whose literal path must be canonical by the default [`PathRules`].
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        Self::parse_by(PathRules::default(), text)
    }

    /// Parses a pattern whose literal path must be canonical by these rules.
    pub fn parse_by(rules: PathRules, text: &str) -> Result<Self, PatternError> {
        Parser { rules, text, mends: true }.parse()
    }

    /// The methods named; empty for any.
    pub fn methods(&self) -> &MethodSet {
        &self.methods
    }

    /// The hosts matched.
    pub fn host(&self) -> &HostPattern {
        &self.host
    }

    /// The segments of the path. `/` is one empty literal, `/*` has none.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Whether the path ends in `/*`.
    pub fn matches_below(&self) -> bool {
        self.below
    }

    /// The names of the captures from left to right, in the order of [`crate::Captures`].
    pub fn capture_names(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Capture(name) => Some(&**name),
            Segment::Literal(_) => None,
        })
    }

    /// The pattern of the requests that both match; `None` if there are none. Names of captures are this one's.
    pub fn meet(&self, other: &Self) -> Option<Self> {
        let methods = match (self.methods.is_empty(), other.methods.is_empty()) {
            (true, _) => other.methods.clone(),
            (_, true) => self.methods.clone(),
            (false, false) => {
                let mut both = MethodSet::new();
                let named = self.methods.iter().filter(|name| other.methods.contains(name.as_bytes()));
                named.for_each(|name| {
                    both.insert(name);
                });
                Some(both).filter(|both| !both.is_empty())?
            }
        };
        let (long, short) = if self.segments.len() >= other.segments.len() { (self, other) } else { (other, self) };
        let mut segments = Vec::with_capacity(long.segments.len());
        for (at, segment) in long.segments.iter().enumerate() {
            segments.push(match short.segments.get(at) {
                Some(other) => segment.meet(other)?,
                None if short.below => segment.clone(),
                None => return None,
            });
        }
        Some(Self { methods, host: self.host.meet(&other.host)?, segments, below: self.below && other.below })
    }

    /// Whether a canonical host matches; the empty one if the request has none.
    pub fn matches_host(&self, host: &[u8]) -> bool {
        match &self.host {
            HostPattern::Exact(name) => name.as_bytes() == host,
            HostPattern::Below(suffix) => {
                let rest = host.strip_suffix(suffix.as_bytes());
                rest.is_some_and(|rest| rest.len() > 1 && rest.ends_with(b"."))
            }
            HostPattern::Any => true,
        }
    }

    /// Whether a canonical path matches.
    pub fn matches_path(&self, path: &[u8]) -> bool {
        let mut rest = path;
        for segment in &self.segments {
            let Some((first, behind)) = next_segment(rest) else { return false };
            let fits = match segment {
                Segment::Literal(literal) => literal.as_bytes() == first,
                Segment::Capture(_) => !first.is_empty(),
            };
            if !fits {
                return false;
            }
            rest = behind;
        }
        self.below || rest.is_empty()
    }

    /// How the methods fit; `None` if they do not.
    pub fn fit_method(&self, method: &[u8]) -> Option<MethodFit> {
        self.methods.fit(method)
    }
}

/// Takes `/segment` off a path; `None` at its end, or if it does not begin with a slash (`*`).
#[inline]
pub(crate) fn next_segment(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let (b'/', rest) = path.split_first()? else { return None };
    let end = rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len());
    rest.split_at_checked(end)
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, method) in self.methods.iter().enumerate() {
            write!(f, "{}{method}", if at == 0 { "" } else { "," })?;
        }
        f.write_str(if self.methods.is_empty() { "" } else { " " })?;
        match &self.host {
            HostPattern::Exact(name) => f.write_str(name)?,
            HostPattern::Below(suffix) => write!(f, "*.{suffix}")?,
            HostPattern::Any => {}
        }
        self.fmt_path(f)
    }
}

impl Pattern {
    fn fmt_path(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.segments[..], self.below, &self.host) {
            ([], _, HostPattern::Any) => return f.write_str("/"),
            ([], _, _) => return Ok(()),
            ([Segment::Literal(empty)], false, _) if empty.is_empty() => return f.write_str("/{$}"),
            _ => {}
        }
        for segment in &self.segments {
            match segment {
                Segment::Literal(text) => write!(f, "/{text}")?,
                Segment::Capture(name) => write!(f, "/{{{name}}}")?,
            }
        }
        f.write_str(if self.below { "/*" } else { "" })
    }
}

type Parsed<T> = Result<T, PatternError>;

struct Parser<'t> {
    rules: PathRules,
    text: &'t str,
    /// `false` while a fix is tried, which gets no fix of its own.
    mends: bool,
}

impl<'t> Parser<'t> {
    fn parse(&self) -> Parsed<Pattern> {
        self.refuse_foreign()?;
        let (methods, place) = match self.text.split_once(' ') {
            Some((methods, place)) => (self.methods(methods)?, place),
            None => (MethodSet::new(), self.text),
        };
        let slash = place.find('/').unwrap_or(place.len());
        let (host, path) = place.split_at_checked(slash).unwrap_or((place, ""));
        let host = self.host(host, path)?;
        let (segments, below) = self.path(path)?;
        Ok(Pattern { methods, host, segments, below })
    }

    fn fail<T>(&self, at: &str, message: impl Into<String>, fix: Option<String>) -> Parsed<T> {
        Err(PatternError { span: self.span(at), message: message.into(), fix })
    }

    /// Where a part of the text stands in it.
    fn span(&self, part: &str) -> Range<usize> {
        let start = (part.as_ptr().addr()).saturating_sub(self.text.as_ptr().addr()).min(self.text.len());
        start..(start + part.len()).min(self.text.len())
    }

    /// The text with `part` replaced, if that makes a pattern.
    fn replaced(&self, part: &str, by: &str) -> Option<String> {
        let span = self.span(part);
        self.if_valid([self.text.get(..span.start)?, by, self.text.get(span.end..)?].concat())
    }

    fn if_valid(&self, fix: String) -> Option<String> {
        let valid = self.mends && Parser { rules: self.rules, text: &fix, mends: false }.parse().is_ok();
        valid.then_some(fix)
    }

    /// Slips that concern the whole text: emptiness, spaces, other languages' forms.
    fn refuse_foreign(&self) -> Parsed<()> {
        let text = self.text;
        if text.is_empty() {
            return self.fail(text, "the pattern is empty", Some("/".to_owned()));
        }
        if text.split(' ').any(str::is_empty) || text.contains(|c: char| c.is_control()) {
            let words: Vec<_> = text.split_whitespace().collect();
            return self.fail(text, "stray spaces or control characters", self.replaced(text, &words.join(" ")));
        }
        if let Some(mark) = text.find("://") {
            let start = text.get(..mark).and_then(|head| head.rfind(' ')).map_or(0, |space| space + 1);
            let scheme = text.get(start..mark + 3).unwrap_or_default();
            let message = "a pattern has no scheme: which schemes are served is a matter of listeners";
            return self.fail(scheme, message, self.replaced(scheme, ""));
        }
        if let Some(mark) = text.find(['?', '#']) {
            let rest = text.get(mark..).unwrap_or_default();
            let message = "a pattern ends with the path: queries are matched in the route's `when:`";
            return self.fail(rest, message, self.replaced(rest, ""));
        }
        if is_standard(text) {
            let message = format!("`{text}` is a method, and no host or path follows");
            return self.fail(text, message, Some(format!("{text} /")));
        }
        Ok(())
    }

    fn methods(&self, text: &'t str) -> Parsed<MethodSet> {
        let mut methods = MethodSet::new();
        for name in text.split(',') {
            if !is_method_name(name) {
                let upper = name.to_ascii_uppercase();
                let known = is_method_name(&upper);
                let message = match (name.is_empty(), known) {
                    (true, _) => "a method is missing beside the comma",
                    (_, true) => "methods are written in upper case",
                    _ => "not a method",
                };
                let fix = if known { self.replaced(text, &text.to_ascii_uppercase()) } else { None };
                return self.fail(if name.is_empty() { text } else { name }, message, fix);
            }
            if !methods.insert(name) {
                let once = text.split(',').map(str::to_owned).fold(Vec::new(), |mut names, name| {
                    if !names.contains(&name) {
                        names.push(name);
                    }
                    names
                });
                return self.fail(name, format!("`{name}` stands there twice"), self.replaced(text, &once.join(",")));
            }
        }
        Ok(methods)
    }

    fn host(&self, host: &'t str, path: &str) -> Parsed<HostPattern> {
        match host {
            "" if path.is_empty() => self.fail(self.text, "no host and no path", self.replaced(host, "/")),
            "" | "*" => Ok(HostPattern::Any),
            _ if host.contains(' ') => {
                let fix = self
                    .text
                    .rsplit_once(' ')
                    .map(|(methods, place)| format!("{} {place}", methods.replace(", ", ",").replace(' ', ",")));
                let fix = fix.and_then(|fix| self.if_valid(fix));
                self.fail(host, "one space only, between methods and host", fix)
            }
            _ => self.named_host(host),
        }
    }

    fn named_host(&self, host: &'t str) -> Parsed<HostPattern> {
        if let Some(suffix) = host.strip_prefix('.') {
            return self.fail(host, "a host does not begin with a dot", self.replaced(host, &format!("*.{suffix}")));
        }
        let (wildcard, name) = match host.strip_prefix("*.") {
            Some(suffix) => (true, suffix),
            None => (false, host),
        };
        if name.contains('*') {
            let rest = name.rsplit_once("*.").map_or("", |(_, rest)| rest);
            let message = "`*` stands only for whole labels at the start of a host (`*.example.com`)";
            return self.fail(host, message, self.replaced(host, &format!("*.{rest}")));
        }
        let authority = match Authority::parse(name.as_bytes()) {
            Ok(authority) => authority,
            Err(error) => return self.bad_host(host, name, error),
        };
        if authority.port.is_some() || name.ends_with(':') {
            let bare = name.rsplit_once(':').map_or(name, |(bare, _)| bare);
            let port = name.get(bare.len()..).unwrap_or_default();
            let message = "a pattern names no port: hosts match on every port of the listeners";
            return self.fail(port, message, self.replaced(port, ""));
        }
        match (wildcard, authority.host) {
            (true, Host::Name(_)) => Ok(HostPattern::Below(authority.host.to_string())),
            (true, _) => self.fail(host, "an address has no labels in front of it", self.replaced(host, name)),
            (false, _) => Ok(HostPattern::Exact(authority.host.to_string())),
        }
    }

    fn bad_host(&self, host: &'t str, name: &'t str, error: AuthorityError) -> Parsed<HostPattern> {
        let fix = match error {
            // A path written without its slash, or `*.` with nothing behind.
            AuthorityError::Empty => self.replaced(host, "*"),
            AuthorityError::UserInformation => {
                let user = name.rsplit_once('@').map_or(name, |(user, _)| user);
                self.replaced(name.get(..=user.len()).unwrap_or(name), "")
            }
            AuthorityError::HostByte if host.contains(['{', '_', '%']) => self.replaced(host, &format!("/{host}")),
            AuthorityError::Port | AuthorityError::Ipv6 if name.parse::<std::net::Ipv6Addr>().is_ok() => {
                self.replaced(name, &format!("[{name}]"))
            }
            _ => None,
        };
        let message = match error {
            AuthorityError::HostByte if !name.is_ascii() => "a host name outside ASCII is written as `xn--…`",
            error => error.message(),
        };
        self.fail(host, message, fix)
    }

    fn path(&self, path: &'t str) -> Parsed<(Vec<Segment>, bool)> {
        if matches!(path, "" | "/" | "/*") {
            return Ok((Vec::new(), true));
        }
        if path == "/{$}" {
            return Ok((vec![Segment::Literal(String::new())], false));
        }
        let (literal, below) = match path.strip_suffix("/*") {
            Some(literal) => (literal, true),
            None => (path, false),
        };
        let mut segments = Vec::new();
        for text in literal.split('/').skip(1) {
            segments.push(self.segment(path, text, &segments)?);
        }
        self.refuse_uncanonical(path, literal)?;
        self.refuse_large(path, &segments)?;
        Ok((segments, below))
    }

    fn segment(&self, path: &'t str, text: &'t str, before: &[Segment]) -> Parsed<Segment> {
        if text.contains('*') {
            let message = "`*` stands only for everything below, as the last segment (`/*`)";
            let bare = text.replace('*', "");
            let last = path.ends_with(text) && !bare.contains(['{', '}']);
            let by = if bare.is_empty() { "*".to_owned() } else { format!("{bare}/*") };
            return self.fail(text, message, if last { self.replaced(text, &by) } else { None });
        }
        if !text.contains(['{', '}']) {
            return Ok(Segment::Literal(text.to_owned()));
        }
        let Some(name) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) else {
            return self.fail(text, "braces hold one whole segment (`/{name}/`)", None);
        };
        if name == "$" {
            let bare = path.strip_suffix("{$}").and_then(|bare| self.replaced(path, bare));
            return self.fail(text, "`{$}` stands only in `/{$}`: other paths are exact as they are", bare);
        }
        if name.ends_with("...") {
            let tail = self.replaced(text, "*");
            return self.fail(text, "everything below is written `/*`", tail);
        }
        self.capture(text, name, before)
    }

    fn capture(&self, text: &'t str, name: &'t str, before: &[Segment]) -> Parsed<Segment> {
        let valid = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        if !valid || name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
            let slug: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
            let fix = self.replaced(text, &format!("{{{slug}}}"));
            return self.fail(text, "a name in braces has letters, digits and `_`, and no digit first", fix);
        }
        let capture = Segment::Capture(name.to_owned());
        if before.contains(&capture) {
            let fix = self.replaced(text, &format!("{{{name}2}}"));
            return self.fail(text, format!("`{{{name}}}` stands there twice"), fix);
        }
        Ok(capture)
    }

    /// Captures are escaped meanwhile, so that their braces pass.
    fn refuse_uncanonical(&self, path: &'t str, literal: &'t str) -> Parsed<()> {
        let escaped = literal.replace("/{", "/%7B").replace('}', "%7D");
        let mut scratch = Vec::new();
        match canonical_by(self.rules, escaped.as_bytes(), &mut scratch) {
            Ok(canonical) if canonical == escaped.as_bytes() => Ok(()),
            Ok(canonical) => {
                let canonical = String::from_utf8_lossy(canonical).replace("/%7B", "/{").replace("%7D", "}");
                let fix = self
                    .replaced(literal, canonical.strip_suffix('/').filter(|_| literal != path).unwrap_or(&canonical));
                self.fail(literal, "the path is not in canonical form, so no request has it", fix)
            }
            Err(error) => self.fail(literal, format!("{}, so no request has it", error.flaw.message()), None),
        }
    }

    fn refuse_large(&self, path: &'t str, segments: &[Segment]) -> Parsed<()> {
        let captures = segments.iter().filter(|segment| matches!(segment, Segment::Capture(_))).count();
        if segments.len() > SEGMENTS_MAX {
            return self.fail(path, format!("more than {SEGMENTS_MAX} segments"), None);
        }
        if captures > CAPTURES_MAX {
            return self.fail(path, format!("more than {CAPTURES_MAX} segments in braces"), None);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::string_slice)]
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(text: &str, canonical: &str) {
        let pattern = Pattern::parse(text).unwrap();
        assert_eq!(pattern.to_string(), canonical);
        assert_eq!(Pattern::parse(canonical).unwrap(), pattern);
    }

    #[test]
    fn patterns() {
        check("/", "/");
        check("/*", "/");
        check("*", "/");
        check("*/api", "/api");
        check("/{$}", "/{$}");
        check("example.com", "example.com");
        check("example.com/", "example.com");
        check("example.com/*", "example.com");
        check("Example.COM./API", "example.com/API");
        check("*.example.com", "*.example.com");
        check("example.com/api/*", "example.com/api/*");
        check("example.com/api/", "example.com/api/");
        check("/users/{id}/orders", "/users/{id}/orders");
        check("/users/{id}/*", "/users/{id}/*");
        check("GET,HEAD example.com/x", "GET,HEAD example.com/x");
        check("POST,GET /", "GET,POST /");
        check("PURGE /", "PURGE /");
        check("GET example.com", "GET example.com");
        check("GET *", "GET /");
        check("localhost/", "localhost");
        check("127.0.0.1/a", "127.0.0.1/a");
        check("[0::1]/a", "[::1]/a");
        check("/a//b", "/a//b");
        check("/%20%C3%A4", "/%20%C3%A4");
        check("/a:b@c", "/a:b@c");
        check("example.com/{$}", "example.com/{$}");
    }

    /// `text` has the part to be underlined in `«»`.
    #[track_caller]
    fn check_error(text: &str, message: &str, fix: Option<&str>) {
        let start = text.find('«').unwrap();
        let end = text.find('»').unwrap() - '«'.len_utf8();
        let text = text.replace(['«', '»'], "");
        let error = Pattern::parse(&text).unwrap_err();
        assert!(error.message.contains(message), "{text:?}: {}", error.message);
        assert_eq!((error.span, error.fix.as_deref()), (start..end, fix), "{text:?}");
    }

    #[test]
    fn slips_are_underlined_and_mended() {
        check_error("«»", "empty", Some("/"));
        check_error("« /a»", "spaces", Some("/a"));
        check_error("«GET  /a»", "spaces", Some("GET /a"));
        check_error("«/a\tb»", "control", None);
        check_error("«https://»example.com/a", "no scheme", Some("example.com/a"));
        check_error("GET «http://»a.com", "no scheme", Some("GET a.com"));
        check_error("/a«?b=c»", "when:", Some("/a"));
        check_error("/a«#b»", "when:", Some("/a"));
        check_error("«GET»", "is a method", Some("GET /"));
        check_error("«get» /a", "upper case", Some("GET /a"));
        check_error("GET,«post» /a", "upper case", Some("GET,POST /a"));
        check_error("«GET,» /a", "missing", None);
        check_error("GET,POST,«GET» /a", "twice", Some("GET,POST /a"));
        check_error("GET «POST »/a", "one space", Some("GET,POST /a"));
        check_error("«G(T» /a", "not a method", None);
        check_error("example.com«:8080»/a", "no port", Some("example.com/a"));
        check_error("example.com«:»/a", "no port", Some("example.com/a"));
        check_error("[::1]«:80»", "no port", Some("[::1]"));
        check_error("«.example.com»", "dot", Some("*.example.com"));
        check_error("«a.*.example.com»", "whole labels", Some("*.example.com"));
        check_error("«*example.com»", "whole labels", None);
        check_error("«*.*.example.com»/a", "whole labels", Some("*.example.com/a"));
        check_error("«*.127.0.0.1»", "no labels", Some("127.0.0.1"));
        check_error("«user@example.com»", "user information", Some("example.com"));
        check_error("«bücher.example»", "xn--", None);
        check_error("«a..b»", "empty label", None);
        check_error("«127.1»", "IPv4", None);
        check_error("«*.»", "empty", Some("*"));
        check_error("«{id}»", "host names", Some("/{id}"));
    }

    #[test]
    fn slips_in_paths_are_underlined_and_mended() {
        check_error("/«a*»", "last segment", Some("/a/*"));
        check_error("/a/«**»", "last segment", Some("/a/*"));
        check_error("/«*»/b", "last segment", None);
        check_error("/«a{id}»/b", "whole segment", None);
        check_error("/a/«{id»", "whole segment", None);
        check_error("/a/«{rest...}»", "`/*`", Some("/a/*"));
        check_error("/a/«{$}»", "only in", Some("/a/"));
        check_error("/«{}»", "letters", None);
        check_error("/«{1}»", "letters", None);
        check_error("/«{user-id}»", "letters", Some("/{user_id}"));
        check_error("/{id}/«{id}»", "twice", Some("/{id}/{id2}"));
        check_error("«/a/../b»", "canonical", Some("/b"));
        check_error("x.com«/a/./{id}/%7e»/*", "canonical", Some("x.com/a/{id}/~/*"));
        check_error("«/a/..»/*", "canonical", Some("/*"));
        check_error("«/ä»", "canonical", Some("/%C3%A4"));
        check_error("«/a%2fb»", "encoded slash", None);
        check_error("«/a\\b»", "backslash", None);
        check_error(&format!("«{}»", "/a".repeat(65)), "64 segments", None);
        check_error("«/{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}»", "8 segments in braces", None);
    }

    #[test]
    fn encoded_slashes_where_they_are_kept() {
        let rules = PathRules { keep_encoded_slash: true, ..PathRules::default() };
        assert_eq!(Pattern::parse_by(rules, "/a%2Fb").unwrap().to_string(), "/a%2Fb");
        let rules = PathRules { merge_slashes: true, ..PathRules::default() };
        assert_eq!(Pattern::parse_by(rules, "/a//b").unwrap_err().fix.as_deref(), Some("/a/b"));
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in any::<String>()) {
            let _ = Pattern::parse(&text);
        }

        #[test]
        fn spans_lie_in_the_text_and_fixes_parse(text in "[GETPOSgetx, .:/*{}a$?#%2eFä@\\[\\]]{0,14}") {
            match Pattern::parse(&text) {
                Ok(pattern) => prop_assert_eq!(Pattern::parse(&pattern.to_string()), Ok(pattern)),
                Err(error) => {
                    prop_assert!(text.get(error.span).is_some());
                    if let Some(fix) = error.fix {
                        prop_assert!(Pattern::parse(&fix).is_ok(), "{} for {}", fix, text);
                    }
                }
            }
        }
    }
}
