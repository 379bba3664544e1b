//! Which requests a pattern of a table wins, if any: a request that shows it is looked for.

use super::{Example, PatternIndex, RouteId, Table};
use crate::pattern::{HostPattern, Pattern, Segment};

/// A word for whatever a pattern leaves open, in examples.
const PLAIN: &str = "any";

impl Table {
    /// Patterns that win no request, since others that are more specific take all that they match: with `/{$}`,
    /// `//*` and `/{x}/*` nothing is left for `/`. Only routes that always decide hide others; one under a condition
    /// does not.
    pub fn unreachable(&self, decides: impl Fn(RouteId) -> bool) -> Vec<PatternIndex> {
        let hidden =
            |&(index, pattern, _): &(PatternIndex, &Pattern, RouteId)| self.witness(index, pattern, &decides).is_none();
        self.iter().filter(hidden).map(|(index, ..)| index).collect()
    }

    /// A request that matches `within` and that the pattern at `index` wins, where only routes that always decide stand
    /// before it.
    pub fn witness(&self, index: PatternIndex, within: &Pattern, decides: impl Fn(RouteId) -> bool) -> Option<Example> {
        let (own, _) = self.get(index)?;
        let within = own.meet(within)?;
        let mut methods: Vec<_> = within.methods().iter().map(str::to_owned).collect();
        match methods.is_empty() {
            true => methods.extend(["GET".to_owned(), self.fresh("X")]),
            false => methods.push("HEAD".to_owned()),
        }
        // A fresh word stands for every word that no pattern has; a plain one is nicer to read.
        let words = [PLAIN.to_owned(), self.fresh("x")];
        words.iter().find_map(|word| {
            let host = host_of(&within, word);
            methods.iter().find_map(|method| {
                let search = Search {
                    table: self,
                    index,
                    below: within.matches_below(),
                    word,
                    method,
                    host: &host,
                    decides: &decides,
                };
                let path = search.path(path_of(&within, word))?;
                let host = Some(host.clone()).filter(|_| !matches!(within.host(), HostPattern::Any));
                Some(Example { method: method.clone(), host, path })
            })
        })
    }

    /// A word that no pattern has, since it is longer than all in them. It stands for all such words.
    fn fresh(&self, letter: &str) -> String {
        letter.repeat(self.longest + 1)
    }
}

fn host_of(pattern: &Pattern, word: &str) -> String {
    match pattern.host() {
        HostPattern::Exact(name) => name.clone(),
        HostPattern::Below(suffix) => format!("{word}.{suffix}"),
        HostPattern::Any => word.to_owned(),
    }
}

fn path_of(pattern: &Pattern, word: &str) -> String {
    let segments = pattern.segments().iter().map(|segment| match segment {
        Segment::Literal(text) => format!("/{text}"),
        Segment::Capture(_) => format!("/{word}"),
    });
    segments.collect()
}

/// Looks for a path that a pattern wins.
struct Search<'s, D> {
    table: &'s Table,
    index: PatternIndex,
    /// Whether paths below count.
    below: bool,
    word: &'s str,
    method: &'s str,
    host: &'s str,
    decides: &'s D,
}

impl<D: Fn(RouteId) -> bool> Search<'_, D> {
    /// This path or one below it. Each call but the outermost goes below a path that another pattern matches exactly, so
    /// there are few.
    fn path(&self, path: String) -> Option<String> {
        if !path.is_empty() {
            let (method, host) = (self.method.as_bytes(), self.host.as_bytes());
            let found = self.table.find_where(method, host, path.as_bytes(), |found| {
                found.pattern == self.index || (self.decides)(found.route)
            });
            let found = found.ok()?;
            if found.pattern == self.index {
                return Some(path);
            }
            if self.table.get(found.pattern).is_some_and(|(winner, _)| winner.matches_below()) {
                return None;
            }
        }
        let below = [String::new(), self.word.to_owned()];
        below.iter().filter(|_| self.below).find_map(|segment| self.path(format!("{path}/{segment}")))
    }
}
