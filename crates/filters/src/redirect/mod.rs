//! `redirect`: sends clients elsewhere, by a list of paths, an expression, or for lack of TLS.

mod run;
#[cfg(test)]
mod tests;

use regex::bytes::Regex;
use std::collections::HashMap;
use std::sync::Arc;
use strait_message::Status;

/// Redirects some requests, and lets the others go on.
#[derive(Clone, Debug)]
pub struct FilterRedirect {
    /// Which, and where to.
    pub rule: Rule,
    /// 301, 302, 303, 307 or 308, where the list names none of its own.
    pub status: Status,
}

/// Which requests are redirected, and where to.
#[derive(Clone, Debug)]
pub enum Rule {
    /// Every request.
    All(Box<str>),
    /// Those whose path matches; `$1` and `$name` are groups.
    Regex(Regex, Box<str>),
    /// Those whose path is in a list.
    List(Arc<RedirectList>),
    /// Those that came without TLS, to the same URL with it.
    Https,
}

/// Canonical paths, each with where it leads and the status if it has one of its own.
pub type RedirectList = HashMap<Box<[u8]>, (Box<str>, Option<Status>)>;
