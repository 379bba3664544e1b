//! Patterns → table.

use std::collections::{BTreeMap, BTreeSet};

use super::edges::{EXACT_HOST, Edges, HOST_BELOW};
use super::{
    Conflict, Entry, Example, Leaf, NONE, Node, PATTERNS_MAX, PLACEMENTS_MAX, PatternIndex, RouteId, Table, TableError,
};
use crate::method::MethodSet;
use crate::pattern::{HostPattern, Pattern, Segment};
use crate::rank::{Rank, capture_bit, labels};

/// A table being built.
struct Draft<'p> {
    patterns: &'p [(Pattern, RouteId)],
    nodes: Vec<DraftNode>,
    edges: BTreeMap<(u32, &'p str), u32>,
    any_host: u32,
    wildcard_labels: u128,
    /// By root and number of segments: which of them are captures.
    placements: BTreeMap<(u32, usize), BTreeSet<u64>>,
    errors: Vec<TableError>,
}

/// Leaves hold places in `patterns`.
struct DraftNode {
    capture: u32,
    literals: bool,
    exact: Vec<u32>,
    below: Vec<u32>,
}

pub(super) fn build(patterns: Vec<(Pattern, RouteId)>, seed: u64) -> Result<Table, Vec<TableError>> {
    if patterns.len() > PATTERNS_MAX {
        return Err(vec![TableError::Patterns(PatternIndex(PATTERNS_MAX as u32))]);
    }
    let mut draft = Draft {
        patterns: &patterns,
        nodes: Vec::new(),
        edges: BTreeMap::new(),
        any_host: NONE,
        wildcard_labels: 0,
        placements: BTreeMap::new(),
        errors: Vec::new(),
    };
    for (index, (pattern, _)) in (0..).zip(&patterns) {
        draft.add(index, pattern);
    }
    if !draft.errors.is_empty() {
        return Err(draft.errors);
    }
    let (nodes, entries) = draft.freeze();
    let edges = Edges::build(draft.edges.iter().map(|((parent, text), child)| (*parent, *text, *child)), seed);
    let (any_host, wildcard_labels) = (draft.any_host, draft.wildcard_labels);
    let longest = patterns.iter().map(|(pattern, _)| longest(pattern)).max().unwrap_or(0);
    Ok(Table { patterns: patterns.into(), edges, nodes, entries, any_host, wildcard_labels, longest })
}

impl<'p> Draft<'p> {
    fn add(&mut self, index: u32, pattern: &'p Pattern) {
        let root = self.root(pattern.host());
        if !self.place(root, pattern) {
            self.errors.push(TableError::Placements(PatternIndex(index)));
            return;
        }
        let mut id = root;
        for segment in pattern.segments() {
            id = match segment {
                Segment::Literal(text) => self.literal(id, text),
                Segment::Capture(_) => self.capture(id),
            };
        }
        if let Some(conflict) = self.conflict(id, index, pattern) {
            self.errors.push(TableError::Conflict(conflict));
        } else if let Some(node) = self.nodes.get_mut(id as usize) {
            if pattern.matches_below() { node.below.push(index) } else { node.exact.push(index) }
        }
    }

    /// A new node. Patterns and their segments are few enough for u32, with room for the names in `edges`.
    fn node(&mut self) -> u32 {
        self.nodes.push(DraftNode { capture: NONE, literals: false, exact: Vec::new(), below: Vec::new() });
        (self.nodes.len() - 1) as u32
    }

    fn root(&mut self, host: &'p HostPattern) -> u32 {
        match host {
            HostPattern::Exact(name) => self.edge(EXACT_HOST, name),
            HostPattern::Below(suffix) => {
                let bit = u32::try_from(labels(suffix.as_bytes())).ok().and_then(|labels| 1_u128.checked_shl(labels));
                self.wildcard_labels |= bit.unwrap_or(0);
                self.edge(HOST_BELOW, suffix)
            }
            HostPattern::Any => {
                if self.any_host == NONE {
                    self.any_host = self.node();
                }
                self.any_host
            }
        }
    }

    fn edge(&mut self, parent: u32, text: &'p str) -> u32 {
        if let Some(child) = self.edges.get(&(parent, text)) {
            return *child;
        }
        let child = self.node();
        self.edges.insert((parent, text), child);
        child
    }

    fn literal(&mut self, parent: u32, text: &'p str) -> u32 {
        if let Some(node) = self.nodes.get_mut(parent as usize) {
            node.literals = true;
        }
        self.edge(parent, text)
    }

    fn capture(&mut self, parent: u32) -> u32 {
        if let Some(child) = self.nodes.get(parent as usize).map(|node| node.capture).filter(|child| *child != NONE) {
            return child;
        }
        let child = self.node();
        if let Some(node) = self.nodes.get_mut(parent as usize) {
            node.capture = child;
        }
        child
    }

    /// Notes where the pattern has its captures; `false` if that is one way too many.
    fn place(&mut self, root: u32, pattern: &Pattern) -> bool {
        let mut placement = 0;
        let mut fits = true;
        for (depth, segment) in pattern.segments().iter().enumerate() {
            if matches!(segment, Segment::Capture(_)) {
                placement |= capture_bit(depth);
            }
            let ways = self.placements.entry((root, depth)).or_default();
            fits &= ways.contains(&placement) || ways.len() < PLACEMENTS_MAX;
            if fits {
                ways.insert(placement);
            }
        }
        fits
    }

    /// Patterns in the same leaf have the same rank; they conflict if one method fits both equally.
    fn conflict(&self, id: u32, index: u32, pattern: &Pattern) -> Option<Conflict> {
        let node = self.nodes.get(id as usize)?;
        let leaf = if pattern.matches_below() { &node.below } else { &node.exact };
        leaf.iter().find_map(|before| {
            let (other, _) = self.patterns.get(*before as usize)?;
            debug_assert_eq!(Rank::of(other), Rank::of(pattern));
            let method = shared_method(other.methods(), pattern.methods())?;
            let example = example(pattern, method);
            Some(Conflict { a: PatternIndex(*before), b: PatternIndex(index), example })
        })
    }

    fn freeze(&self) -> (Box<[Node]>, Box<[Entry]>) {
        let mut entries = Vec::with_capacity(self.patterns.len());
        let nodes = self.nodes.iter().map(|node| Node {
            capture: node.capture,
            literals: node.literals,
            exact: self.leaf(&node.exact, &mut entries),
            below: self.leaf(&node.below, &mut entries),
        });
        (nodes.collect(), entries.into())
    }

    fn leaf(&self, indices: &[u32], entries: &mut Vec<Entry>) -> Leaf {
        let start = entries.len() as u32;
        entries.extend(indices.iter().filter_map(|index| {
            let (pattern, route) = self.patterns.get(*index as usize)?;
            Some(Entry {
                methods: pattern.methods().clone(),
                pattern: PatternIndex(*index),
                route: *route,
                captures: Rank::of(pattern).path.captures,
            })
        }));
        Leaf { start, len: entries.len() as u32 - start }
    }
}

/// A method that fits both sets in the same way.
fn shared_method<'m>(one: &'m MethodSet, two: &MethodSet) -> Option<&'m str> {
    if one.is_empty() && two.is_empty() {
        return Some("GET");
    }
    one.iter().find(|method| two.contains(method.as_bytes()))
}

fn example(pattern: &Pattern, method: &str) -> Example {
    let path: String = pattern
        .segments()
        .iter()
        .map(|segment| match segment {
            Segment::Literal(text) => format!("/{text}"),
            Segment::Capture(_) => "/1".to_owned(),
        })
        .collect();
    Example {
        method: method.to_owned(),
        host: match pattern.host() {
            HostPattern::Exact(name) => Some(name.clone()),
            HostPattern::Below(suffix) => Some(format!("a.{suffix}")),
            HostPattern::Any => None,
        },
        path: if path.is_empty() { "/".to_owned() } else { path },
    }
}

/// Bytes of the longest word in a pattern.
fn longest(pattern: &Pattern) -> usize {
    let host = match pattern.host() {
        HostPattern::Exact(name) | HostPattern::Below(name) => name.len(),
        HostPattern::Any => 0,
    };
    let segments = pattern.segments().iter().map(|segment| match segment {
        Segment::Literal(text) => text.len(),
        Segment::Capture(_) => 0,
    });
    let methods = pattern.methods().iter().map(str::len);
    segments.chain(methods).fold(host, usize::max)
}
