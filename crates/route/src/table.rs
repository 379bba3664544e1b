//! Patterns compiled for lookup.
//!
//! The order in which patterns were written never matters: among those that match a request, the one with the most
//! specific host wins, then with the most specific path, then with the best fitting methods. In full:
//! 1. exact host, then the longest wildcard, then no host;
//! 2. the longest path; then, from the left, a literal before a `{capture}`; then the path itself before `/*`
//!    (so a path without any wildcard always comes first);
//! 3. the method named, then HEAD through GET, then no method named.
//!
//! The choice is among patterns that match the *whole* request. A more specific host or path whose pattern does not
//! match falls back to a less specific one, as in Go's ServeMux: with `a.example/x` and `/`, a request for `a.example/y`
//! goes to `/`. Only when nothing matches, and something would with another method, is the answer
//! [`Miss::MethodNotAllowed`].
//!
//! Inside is one trie of segments for each host pattern, all in one hash table, so that a lookup costs a probe for the
//! host and one for each segment, whatever the number of patterns. Where a literal and a capture both fit, both are
//! followed; a path can be in at most as many nodes of one depth as there are placements of captures at that depth,
//! which [`PLACEMENTS_MAX`] bounds. Lookup is thus linear in the path and in the depth of the patterns, and allocates
//! nothing unless it ends in `MethodNotAllowed`.

mod build;
mod edges;
mod reach;

use std::fmt;
use std::ops::Range;

use crate::method::{MethodFit, MethodKey, MethodSet};
use crate::pattern::{CAPTURES_MAX, Pattern, next_segment};
use crate::rank::{capture_bit, labels};
use edges::{EXACT_HOST, Edges, HOST_BELOW};

/// Most ways in which the patterns of one host may place captures among the first n segments, for each n.
pub const PLACEMENTS_MAX: usize = 64;
/// Most patterns of one table.
pub const PATTERNS_MAX: usize = 1_000_000;

/// No node.
const NONE: u32 = u32::MAX;

/// A route, by a number that means something to whoever builds the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteId(pub u32);

/// A pattern, by its place in what the table was built from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PatternIndex(pub u32);

/// The compiled patterns. Immutable.
#[derive(Debug)]
pub struct Table {
    patterns: Box<[(Pattern, RouteId)]>,
    edges: Edges,
    nodes: Box<[Node]>,
    entries: Box<[Entry]>,
    /// Root of the patterns without a host, or `NONE`.
    any_host: u32,
    /// Bit n is set if some wildcard host has n labels behind its `*.`.
    wildcard_labels: u128,
    /// Bytes of the longest literal, host or method.
    longest: usize,
}

/// What the path up to here leads to.
#[derive(Clone, Copy, Debug)]
struct Node {
    /// The child behind a capture, or `NONE`.
    capture: u32,
    /// Whether there are children behind literals.
    literals: bool,
    /// Patterns that end here.
    exact: Leaf,
    /// Patterns that end here with `/*`.
    below: Leaf,
}

/// A run of entries.
#[derive(Clone, Copy, Debug, Default)]
struct Leaf {
    start: u32,
    len: u32,
}

/// A pattern, as far as the lookup needs it.
#[derive(Debug)]
struct Entry {
    methods: MethodSet,
    pattern: PatternIndex,
    route: RouteId,
    /// See [`capture_bit`].
    captures: u64,
}

/// The outcome of a lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Found {
    /// The route of the winning pattern.
    pub route: RouteId,
    /// The winning pattern.
    pub pattern: PatternIndex,
    /// What its captures hold.
    pub captures: Captures,
}

/// No pattern matches the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Miss {
    /// None would with another method either: 404.
    NotFound,
    /// Some would with one of these methods, the value of `Allow`: 405.
    MethodNotAllowed(MethodSet),
}

/// Where the captures of the winning pattern lie in the path, from left to right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Captures {
    ranges: [(u32, u32); CAPTURES_MAX],
    len: u8,
}

/// Why patterns make no table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TableError {
    /// Two patterns are equally specific and match the same request.
    Conflict(Conflict),
    /// This pattern is one more than [`PLACEMENTS_MAX`] allows.
    Placements(PatternIndex),
    /// This pattern is one more than [`PATTERNS_MAX`] allows.
    Patterns(PatternIndex),
}

/// Two patterns of equal rank that overlap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// The one that came first.
    pub a: PatternIndex,
    /// The one that came later.
    pub b: PatternIndex,
    /// A request that both match.
    pub example: Example,
}

/// A request, shown as `GET http://host/path`, or `GET /path` if the host is of no matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Example {
    /// The method.
    pub method: String,
    /// The host, if one is needed.
    pub host: Option<String>,
    /// The path.
    pub path: String,
}

impl fmt::Display for Example {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Some(host) => write!(f, "{} http://{host}{}", self.method, self.path),
            None => write!(f, "{} {}", self.method, self.path),
        }
    }
}

impl Entry {
    fn found(&self, path: &[u8]) -> Found {
        Found { route: self.route, pattern: self.pattern, captures: Captures::of(path, self.captures) }
    }
}

impl Captures {
    fn of(path: &[u8], placement: u64) -> Self {
        let mut captures = Self::default();
        let (mut rest, mut left) = (path, placement);
        for depth in 0.. {
            if left == 0 {
                break;
            }
            let Some((segment, behind)) = next_segment(rest) else { break };
            if left & capture_bit(depth) != 0 {
                left &= !capture_bit(depth);
                let end = path.len() - behind.len();
                captures.push(end - segment.len(), end);
            }
            rest = behind;
        }
        captures
    }

    fn push(&mut self, start: usize, end: usize) {
        if let (Some(range), Ok(start), Ok(end)) =
            (self.ranges.get_mut(usize::from(self.len)), u32::try_from(start), u32::try_from(end))
        {
            *range = (start, end);
            self.len += 1;
        }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The byte range in the path of the capture at this place, counted from the left.
    pub fn get(&self, place: usize) -> Option<Range<usize>> {
        self.iter().nth(place)
    }

    /// The byte ranges in the path.
    pub fn iter(&self) -> impl Iterator<Item = Range<usize>> {
        self.ranges.iter().take(self.len()).map(|(start, end)| *start as usize..*end as usize)
    }
}

impl Table {
    /// Compiles patterns; see [`PatternIndex`] for how they are named afterwards.
    ///
    /// `seed` keys the hash table and should be random in each process, since hosts and paths come from outsiders.
    /// It has no influence on what is found. All errors are reported, at most one for each pattern.
    pub fn build(patterns: impl IntoIterator<Item = (Pattern, RouteId)>, seed: u64) -> Result<Self, Vec<TableError>> {
        build::build(patterns.into_iter().collect(), seed)
    }

    /// How many patterns there are.
    pub fn len(&self) -> usize {
        self.patterns.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// A pattern and its route.
    pub fn get(&self, index: PatternIndex) -> Option<(&Pattern, RouteId)> {
        self.patterns.get(index.0 as usize).map(|(pattern, route)| (pattern, *route))
    }

    /// All patterns and their routes.
    pub fn iter(&self) -> impl Iterator<Item = (PatternIndex, &Pattern, RouteId)> {
        (0..).zip(&self.patterns).map(|(index, (pattern, route))| (PatternIndex(index), pattern, *route))
    }

    /// The route of a request.
    ///
    /// `host` is canonical ([`crate::Host::canonical`]), empty if the request has none. `path` is canonical
    /// ([`crate::canonical`]); one that does not begin with `/` (`OPTIONS *`, or the empty path of CONNECT) is matched
    /// only by patterns for every path of a host.
    pub fn find(&self, method: &[u8], host: &[u8], path: &[u8]) -> Result<Found, Miss> {
        self.look(method, host, path, &mut |_| true).ok_or_else(|| self.miss(host, path))
    }

    /// The same among the patterns that are admitted: one that is refused is passed over as if it did not match. With
    /// any refused, nothing found is [`Miss::NotFound`].
    pub fn find_where(
        &self,
        method: &[u8],
        host: &[u8],
        path: &[u8],
        mut admits: impl FnMut(&Found) -> bool,
    ) -> Result<Found, Miss> {
        let mut refused = false;
        let found = self.look(method, host, path, &mut |entry| {
            let admitted = admits(&entry.found(path));
            refused |= !admitted;
            admitted
        });
        found.ok_or_else(|| if refused { Miss::NotFound } else { self.miss(host, path) })
    }

    #[inline]
    fn look(&self, method: &[u8], host: &[u8], path: &[u8], admits: &mut impl FnMut(&Entry) -> bool) -> Option<Found> {
        let key = MethodKey::of(method);
        let entry = self.by_host(host, |root| self.best(root, key, path, admits))?;
        Some(entry.found(path))
    }

    /// Visits the tries of the host patterns that match, the most specific first, until something is found.
    #[inline]
    fn by_host<T>(&self, host: &[u8], mut visit: impl FnMut(u32) -> Option<T>) -> Option<T> {
        if let Some(found) = self.edges.child(EXACT_HOST, host).and_then(&mut visit) {
            return Some(found);
        }
        if self.wildcard_labels != 0
            && let Some(found) = self.by_wildcard(host, &mut visit)
        {
            return Some(found);
        }
        visit(self.any_host)
    }

    fn by_wildcard<T>(&self, host: &[u8], visit: &mut impl FnMut(u32) -> Option<T>) -> Option<T> {
        let mut left = labels(host);
        for dot in memchr::memchr_iter(b'.', host) {
            left -= 1;
            let used = u32::try_from(left).ok().and_then(|left| self.wildcard_labels.checked_shr(left));
            if used.unwrap_or(0) & 1 == 0 || dot == 0 {
                continue;
            }
            let suffix = host.get(dot + 1..).unwrap_or_default();
            if let Some(found) = self.edges.child(HOST_BELOW, suffix).and_then(&mut *visit) {
                return Some(found);
            }
        }
        None
    }

    /// The best entry of one trie: the deepest, and of those the first, since literals are followed first.
    #[inline]
    fn best(
        &self,
        root: u32,
        method: MethodKey<'_>,
        path: &[u8],
        admits: &mut impl FnMut(&Entry) -> bool,
    ) -> Option<&Entry> {
        let mut best = None;
        let mut depth_min = 0;
        self.walk(root, 0, path, &mut |node, depth, at_end| {
            if best.is_some() && depth < depth_min {
                return false;
            }
            let exact = if at_end { self.choose(node.exact, method, admits) } else { None };
            if let Some(entry) = exact.or_else(|| self.choose(node.below, method, admits)) {
                best = Some(entry);
                depth_min = depth + 1;
                return at_end;
            }
            false
        });
        best
    }

    /// Visits the nodes that a path leads through, literals before captures, until a visit returns `true`. A visit
    /// sees the node, its depth, and whether the path ends there.
    #[inline]
    fn walk(&self, root: u32, depth: usize, path: &[u8], visit: &mut impl FnMut(&Node, usize, bool) -> bool) -> bool {
        let (mut id, mut depth, mut rest) = (root, depth, path);
        while let Some(node) = self.nodes.get(id as usize) {
            if visit(node, depth, rest.is_empty()) {
                return true;
            }
            let Some((segment, behind)) = next_segment(rest) else { return false };
            let literal = if node.literals { self.edges.child(id, segment) } else { None };
            let capture = if segment.is_empty() { NONE } else { node.capture };
            (depth, rest) = (depth + 1, behind);
            id = match literal {
                Some(literal) if capture == NONE => literal,
                Some(literal) if self.fork(literal, depth, rest, visit) => return true,
                _ => capture,
            };
        }
        false
    }

    /// Follows the literal where a capture fits too. At most as deep as patterns have segments.
    #[inline(never)]
    fn fork(&self, id: u32, depth: usize, rest: &[u8], visit: &mut impl FnMut(&Node, usize, bool) -> bool) -> bool {
        self.walk(id, depth, rest, visit)
    }

    fn entries(&self, leaf: Leaf) -> &[Entry] {
        let start = leaf.start as usize;
        self.entries.get(start..start + leaf.len as usize).unwrap_or_default()
    }

    /// The entry of a leaf that fits the method best. Most leaves are empty or hold one pattern for any method.
    #[inline]
    fn choose(&self, leaf: Leaf, method: MethodKey<'_>, admits: &mut impl FnMut(&Entry) -> bool) -> Option<&Entry> {
        if leaf.len == 0 {
            return None;
        }
        let mut best = None;
        for entry in self.entries(leaf) {
            let Some(fit) = entry.methods.fit_key(method) else { continue };
            if best.is_some_and(|(other, _)| other <= fit) || !admits(entry) {
                continue;
            }
            if fit == MethodFit::Named {
                return Some(entry);
            }
            best = Some((fit, entry));
        }
        best.map(|(_, entry)| entry)
    }

    /// Why nothing was found.
    #[cold]
    fn miss(&self, host: &[u8], path: &[u8]) -> Miss {
        let mut allow = MethodSet::new();
        self.by_host(host, |root| -> Option<()> {
            self.walk(root, 0, path, &mut |node, _, at_end| {
                let exact = if at_end { self.entries(node.exact) } else { &[] };
                exact.iter().chain(self.entries(node.below)).for_each(|entry| allow.add_answered(&entry.methods));
                false
            });
            None
        });
        if allow.is_empty() { Miss::NotFound } else { Miss::MethodNotAllowed(allow) }
    }
}

#[cfg(test)]
mod tests;
