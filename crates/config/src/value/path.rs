//! Paths of URLs, and expressions over them.

use super::{Flaw, Value};
use crate::codes;
use strait_filters::rewrite::build_regex;
use strait_filters::target::canonical_path;

/// A path of a URL, canonical, without a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlPath(String);

impl UrlPath {
    /// The path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Value for UrlPath {
    const WHAT: &'static str = "a path of a URL";
    const PATTERN: Option<&'static str> = Some("^/[^?#]*$");
    const EXAMPLES: &'static [&'static str] = &["/api"];

    fn parse(text: &str) -> Result<Self, Flaw> {
        let flaw = || Flaw::new(codes::URL_PATH, format!("`{text}` is not a path of a URL"));
        if let Some(path) = text.strip_suffix("/*") {
            return Err(flaw().label("a prefix has no `*`").replace(if path.is_empty() { "/" } else { path }));
        }
        match canonical_path(text) {
            Ok(path) if text.starts_with('/') => Ok(Self(path)),
            Ok(_) => Err(flaw().label("it begins with `/`").replace("/")),
            Err(_) if !text.starts_with('/') => {
                Err(flaw().label("it begins with `/`").replace(format!("/{}", text.trim())))
            }
            Err(why) => Err(flaw().label(why).replace("/api").hint("write a path such as /api")),
        }
    }

    fn written(&self) -> String {
        crate::decode::quoted_if_needed(&self.0)
    }
}

/// A regular expression over paths, linear in time.
#[derive(Debug, Clone)]
pub struct PathRegex(strait_filters::rewrite::Regex);

impl PathRegex {
    /// The expression, built.
    pub fn get(&self) -> &strait_filters::rewrite::Regex {
        &self.0
    }
}

impl PartialEq for PathRegex {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Value for PathRegex {
    const WHAT: &'static str = "a regular expression";
    const EXAMPLES: &'static [&'static str] = &["^/v1/(.*)$"];

    fn parse(text: &str) -> Result<Self, Flaw> {
        build_regex(text).map(Self).map_err(|why| {
            let flaw = Flaw::new(codes::REGEX, "invalid regular expression");
            // The crate shows the expression again, with a mark; its last line says what is wrong.
            let last = why.lines().last().unwrap_or_default();
            flaw.label(last.trim_start_matches("error: ").to_owned())
                .replace(strait_filters::rewrite::literal(text))
                .hint("mend it; escaped like this it matches this very text")
        })
    }

    fn written(&self) -> String {
        crate::decode::quoted_if_needed(self.0.as_str())
    }
}

/// An origin of the web (RFC 6454): scheme, host, and port where it is not the usual one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WebOrigin(String);

impl WebOrigin {
    /// The origin as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Value for WebOrigin {
    const WHAT: &'static str = "a web origin";
    const EXAMPLES: &'static [&'static str] = &["https://example.com", "https://*.example.com", "*"];

    fn parse(text: &str) -> Result<Self, Flaw> {
        if text == "*" {
            return Ok(Self(text.to_owned()));
        }
        let flaw = || Flaw::new(codes::WEB_ORIGIN, format!("`{text}` is not a web origin"));
        let Some((scheme, rest)) = text.split_once("://") else {
            return Err(flaw().label("a scheme is missing").replace(format!("https://{}", text.trim_matches('/'))));
        };
        let host = rest.strip_prefix("*.").unwrap_or(rest);
        let plain = |c: char| c.is_ascii_alphanumeric() || "-.:[]".contains(c);
        if let Some(at) = host.find('/') {
            let bare = rest.get(..rest.len() - host.len() + at).unwrap_or_default();
            return Err(flaw().label("an origin has no path").replace(format!("{scheme}://{bare}")));
        }
        if host.is_empty() || !host.chars().all(plain) || scheme.is_empty() {
            return Err(flaw().label("a scheme and a host").replace("https://example.com"));
        }
        Ok(Self(text.to_ascii_lowercase()))
    }

    fn written(&self) -> String {
        crate::decode::quoted_if_needed(&self.0)
    }
}

/// The name of a file below a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileName(String);

impl FileName {
    /// A name that is known to be one.
    pub(crate) fn of(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Value for FileName {
    const WHAT: &'static str = "the name of a file below the folder";
    const PATTERN: Option<&'static str> = Some("^[^/]");
    const EXAMPLES: &'static [&'static str] = &["index.html"];

    fn parse(text: &str) -> Result<Self, Flaw> {
        let flaw = || Flaw::new(codes::FILE_NAME, format!("`{text}` is not the name of a file below the folder"));
        let inside = text.trim_start_matches("./").trim_start_matches('/');
        if inside.is_empty() || text.ends_with('/') || text.contains('\0') {
            return Err(flaw().label("a file is named, no folder").replace("index.html"));
        }
        if inside.split('/').any(|part| matches!(part, "" | "." | "..")) {
            return Err(flaw().label("it may not lead out of the folder").replace("index.html"));
        }
        match inside == text {
            true => Ok(Self(text.to_owned())),
            false => Err(flaw().label("it begins below the folder").replace(inside)),
        }
    }

    fn written(&self) -> String {
        crate::decode::quoted_if_needed(&self.0)
    }
}
