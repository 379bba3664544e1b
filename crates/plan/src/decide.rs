use crate::{Action, Redirect, Route, RouteSet};
use strait_message::Method;
use strait_route::{Captures, Found, Miss};

/// What a decision about a request depends on.
#[derive(Clone, Copy, Debug)]
pub struct Facts<'a> {
    /// The method.
    pub method: &'a Method,
    /// The host in lower case, without port or trailing dot; empty when the request named none.
    pub host: &'a [u8],
    /// The canonical path.
    pub path: &'a [u8],
}

/// Where a request goes.
#[derive(Debug)]
pub enum Verdict<'p> {
    /// To this route, with what its pattern captured.
    Route(&'p Route, Captures),
    /// Patterns match the host and path, but none the method; the text is for the Allow field.
    MethodNotAllowed(String),
    /// No pattern matches.
    NoRoute,
}

impl RouteSet {
    /// Finds the route of a request. A pure function: the same code serves traffic and answers `explain`.
    #[inline]
    pub fn decide(&self, facts: &Facts<'_>) -> Verdict<'_> {
        match self.table.find(facts.method.as_str().as_bytes(), facts.host, facts.path) {
            Ok(Found { route, captures, .. }) => match self.routes.get(route.0 as usize) {
                Some(route) => Verdict::Route(route, captures),
                None => Verdict::NoRoute,
            },
            Err(Miss::MethodNotAllowed(allow)) => Verdict::MethodNotAllowed(allow.to_string()),
            Err(Miss::NotFound) => Verdict::NoRoute,
        }
    }
}

impl Route {
    /// Which of the plan's upstreams takes the request that drew `counter`, by weight.
    #[inline]
    pub fn upstream(&self, counter: u64) -> Option<usize> {
        match &self.action {
            Action::Forward { upstreams, weights } => match &**upstreams {
                [only] => Some(*only),
                several => strait_route::pick(weights, counter).and_then(|i| several.get(i)).copied(),
            },
            Action::Redirect(_) | Action::Respond(_) => None,
        }
    }
}

impl Redirect {
    /// The value of Location for a request with this path and query.
    pub fn location(&self, path: &[u8], query: Option<&[u8]>) -> Vec<u8> {
        let mut location = self.location.as_bytes().to_vec();
        if self.keep_path {
            location.extend_from_slice(path);
            if let Some(query) = query {
                location.push(b'?');
                location.extend_from_slice(query);
            }
        }
        location
    }
}
