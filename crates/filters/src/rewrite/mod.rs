//! `rewrite`: another path, by prefix, by regular expression, or whole.

mod run;
#[cfg(test)]
mod tests;

pub use regex::bytes::Regex;
use regex::bytes::RegexBuilder;
use strait_expr::Template;

/// Octets a compiled expression may take. Matching is linear in the path whatever the expression; this bounds what
/// building it and one octet of matching cost.
pub const REGEX_BYTES_MAX: usize = 1024 * 1024;

/// Replaces the path.
#[derive(Clone, Debug)]
pub enum Rewrite {
    /// The whole of it, filled in with values of the request. What has no canonical form is answered with 400.
    Template(Template),
    /// The whole of it. A query in the replacement takes the place of the request's.
    Whole {
        /// The new path.
        path: Box<[u8]>,
        /// The new query.
        query: Option<Box<[u8]>>,
    },
    /// A prefix of it, by whole segments.
    Prefix {
        /// What it must begin with, without a slash at its end.
        prefix: Box<[u8]>,
        /// What comes in its place, without a slash at its end.
        with: Box<[u8]>,
    },
    /// Whatever an expression matches.
    Regex {
        /// The expression.
        regex: Regex,
        /// What comes in place of each match; `$1` and `$name` are its groups.
        with: Box<[u8]>,
    },
}

impl Rewrite {
    /// Replaces the whole path, and the query if `target` has one.
    pub fn whole(target: &str) -> Self {
        match target.split_once('?') {
            Some((path, query)) => Self::Whole { path: path.as_bytes().into(), query: Some(query.as_bytes().into()) },
            None => Self::Whole { path: target.as_bytes().into(), query: None },
        }
    }

    /// Replaces a prefix of whole segments.
    pub fn prefix(prefix: &str, with: &str) -> Self {
        let bare = |text: &str| text.trim_end_matches('/').as_bytes().into();
        Self::Prefix { prefix: bare(prefix), with: bare(with) }
    }

    /// Replaces every match of an expression.
    pub fn regex(regex: Regex, with: &str) -> Self {
        Self::Regex { regex, with: with.as_bytes().into() }
    }
}

/// An expression that matches this text and nothing else.
pub fn literal(text: &str) -> String {
    regex::escape(text)
}

/// Builds an expression over paths, in linear time and bounded memory.
///
/// # Errors
/// What is wrong with it, in the words of the regex crate.
pub fn build_regex(text: &str) -> Result<Regex, String> {
    let mut builder = RegexBuilder::new(text);
    // Paths are octets, nearly always ASCII: Unicode classes would make the expression ten times larger for nothing.
    builder.unicode(false).size_limit(REGEX_BYTES_MAX).dfa_size_limit(REGEX_BYTES_MAX);
    builder.build().map_err(|error| error.to_string())
}
