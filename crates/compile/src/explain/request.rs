//! A request from the words of a question, by the rules that hold for requests from the network.

use super::{Question, Refusal};
use strait_route::{Authority, Host, PathRules, canonical_by};

/// What a request's target and Host come to.
pub(super) struct Parsed {
    pub(super) host: String,
    pub(super) port: Option<u16>,
    /// As written, until it is made canonical.
    pub(super) path: String,
    pub(super) query: Option<String>,
}

impl Parsed {
    pub(super) fn of(question: &Question<'_>) -> Result<Self, Refusal> {
        let (authority, path, query) = split(question.url);
        let field = question.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("host"));
        let named = field.map_or(authority, |(_, value)| value.trim());
        let (host, port) = host_and_port(named)?;
        Ok(Self { host, port, path: path.to_owned(), query: query.map(str::to_owned) })
    }

    /// The same with its path canonical by a listener's rules.
    pub(super) fn canonical(self, rules: PathRules) -> Result<Self, Refusal> {
        let mut scratch = Vec::new();
        let path = canonical_by(rules, self.path.as_bytes(), &mut scratch);
        let path = path.map_err(|error| Refusal::Malformed(error.to_string()))?;
        Ok(Self { path: String::from_utf8_lossy(path).into_owned(), ..self })
    }
}

/// Authority, path and query of a URL, with or without its scheme.
fn split(url: &str) -> (&str, &str, Option<&str>) {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
    let slash = rest.find('/').unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(slash).unwrap_or((rest, ""));
    (authority, if path.is_empty() { "/" } else { path }, query)
}

/// The host as it is matched, and the port; both absent for a request without a host.
fn host_and_port(named: &str) -> Result<(String, Option<u16>), Refusal> {
    if named.is_empty() {
        return Ok((String::new(), None));
    }
    let authority = Authority::parse(named.as_bytes());
    let authority = authority.map_err(|error| Refusal::Malformed(format!("`{named}`: {error}")))?;
    let host: Host<'_> = authority.host;
    Ok((host.to_string(), authority.port))
}
