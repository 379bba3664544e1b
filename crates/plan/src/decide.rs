use crate::condition::{Unmet, unmet_expression};
use crate::{Action, Branch, HeaderEdits, Redirect, Route, RouteSet};
use strait_expr::Template;
use strait_filters::evidence::{Evidence, Facts};
use strait_message::Headers;
use strait_route::{Captures, Explanation, Found, Miss};

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
    /// Finds the route of a request, and of its branches the first whose conditions hold. A pure function: the same
    /// code serves traffic and answers `explain`.
    #[inline]
    pub fn decide<'p>(&'p self, facts: &Facts<'_>) -> Verdict<'p> {
        match self.find(facts) {
            Ok(Found { route, captures, .. }) => match self.routes.get(route.0 as usize) {
                Some(route) => Verdict::Route(route.branched(facts, captures), captures),
                None => Verdict::NoRoute,
            },
            Err(Miss::MethodNotAllowed(allow)) => Verdict::MethodNotAllowed(allow.to_string()),
            Err(Miss::NotFound) => Verdict::NoRoute,
        }
    }

    /// The pattern that wins, those passed over whose `if` does not hold.
    #[inline]
    pub fn find(&self, facts: &Facts<'_>) -> Result<Found, Miss> {
        let method = facts.method.as_str().as_bytes();
        if !self.has_conditions {
            return self.table.find(method, facts.host, facts.path);
        }
        self.table.find_where(method, facts.host, facts.path, |found| self.admits(facts, found))
    }

    fn admits(&self, facts: &Facts<'_>, found: &Found) -> bool {
        let route = self.routes.get(found.route.0 as usize);
        route.is_some_and(|route| route.unmet(facts, found.captures).is_none())
    }

    /// The winner of [`RouteSet::find`], and for every other pattern why it lost.
    pub fn explain(&self, facts: &Facts<'_>) -> Explanation<'_> {
        let method = facts.method.as_str().as_bytes();
        self.table.explain_where(method, facts.host, facts.path, |found| self.admits(facts, found))
    }
}

impl Route {
    /// Why the route's `if` does not hold; `None` if it does, or there is none.
    pub fn unmet(&self, facts: &Facts<'_>, captures: Captures) -> Option<Unmet> {
        let condition = self.condition.as_deref()?;
        unmet_expression(condition, &Evidence::of(*facts, captures))
    }

    /// The first branch whose conditions hold, else the route itself.
    #[inline]
    fn branched(&self, facts: &Facts<'_>, captures: Captures) -> &Self {
        if self.branches.is_empty() {
            return self;
        }
        let evidence = Evidence::of(*facts, captures);
        let chosen = self.branches.iter().find(|branch| branch.condition.holds(&evidence));
        chosen.map_or(self, |Branch { route, .. }| route)
    }

    /// Which of the plan's upstreams takes the request that drew `counter`, by weight.
    #[inline]
    pub fn upstream(&self, counter: u64) -> Option<usize> {
        match &self.action {
            Action::Forward { upstreams, .. } => match &**upstreams {
                [only] => Some(*only),
                _ => self.side(self.draw_side(counter)?),
            },
            Action::Files(_) | Action::Redirect(_) | Action::Respond(_) => None,
        }
    }

    /// Which side of its split takes the request that drew `counter`, by weight.
    #[inline]
    pub fn draw_side(&self, counter: u64) -> Option<usize> {
        match &self.action {
            Action::Forward { weights, .. } => strait_route::pick(weights, counter),
            Action::Files(_) | Action::Redirect(_) | Action::Respond(_) => None,
        }
    }

    /// The upstream of a side of its split; `None` when that has no weight.
    #[inline]
    pub fn side(&self, side: usize) -> Option<usize> {
        match &self.action {
            Action::Forward { upstreams, weights } if weights.get(side).is_some_and(|&weight| weight > 0) => {
                upstreams.get(side).copied()
            }
            _ => None,
        }
    }
}

impl Redirect {
    /// The value of Location for a request.
    pub fn location(&self, evidence: &Evidence<'_>) -> Vec<u8> {
        let mut location = Vec::new();
        self.location.render_field(evidence, &mut location);
        if self.keep_path {
            location.extend_from_slice(evidence.facts.path);
            if let Some(query) = evidence.facts.query {
                location.push(b'?');
                location.extend_from_slice(query);
            }
        }
        // `//host` and `/\host` lead to another site (RFC 3986 §4.2; browsers take a backslash for a slash).
        let rest = location.iter().position(|octet| !matches!(octet, b'/' | b'\\')).unwrap_or(location.len());
        if rest > 1 && location.first() == Some(&b'/') {
            location.drain(1..rest);
        }
        location
    }
}

impl HeaderEdits {
    /// The values of the fields to set that depend on the request, in their order; empty when none does.
    pub fn values(&self, evidence: &Evidence<'_>) -> Vec<Vec<u8>> {
        if self.set.iter().all(|(_, value)| value.as_literal().is_some()) {
            return Vec::new();
        }
        let value = |(_, template): &(Box<str>, Template)| {
            let mut value = Vec::new();
            template.render_field(evidence, &mut value);
            value
        };
        self.set.iter().map(value).collect()
    }

    /// Removes and sets fields; `values` are what [`HeaderEdits::values`] gave.
    pub fn apply(&self, headers: &mut Headers, values: &[Vec<u8>]) {
        if self.remove.is_empty() && self.set.is_empty() {
            return;
        }
        let named = |name: &[u8]| {
            let names = self.remove.iter().chain(self.set.iter().map(|(name, _)| name));
            names.into_iter().any(|other| other.as_bytes().eq_ignore_ascii_case(name))
        };
        headers.retain(|field| !named(field.name));
        for (at, (name, value)) in self.set.iter().enumerate() {
            let value = values.get(at).map(Vec::as_slice).or(value.as_literal()).unwrap_or_default();
            headers.push(name.as_bytes(), value);
        }
    }
}
