//! A configuration as things with names.

use serde_json::Value;
use std::collections::BTreeMap;
use strait_config::join;
use strait_route::{Pattern, RouteId, Table};

/// What identifies a thing. Their order is the order in which differences are told.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Id {
    rank: u8,
    pub(super) kind: &'static str,
    pub(super) listener: Option<String>,
    pub(super) name: String,
}

/// One of the two configurations.
pub(super) struct Side<'v> {
    pub(super) things: BTreeMap<Id, &'v Value>,
    sources: Option<&'v Value>,
}

/// Tables of named things with what one of them is called.
const TABLES: [(&str, &str); 5] = [
    ("listeners", "listener"),
    ("upstreams", "upstream"),
    ("policies", "policy"),
    ("auth", "auth"),
    ("routes", "route"),
];

impl<'v> Side<'v> {
    pub(super) fn of(effective: &'v Value) -> Self {
        let mut things = BTreeMap::new();
        let config = effective.get("config").and_then(Value::as_object);
        for (key, value) in config.into_iter().flatten() {
            match TABLES.iter().position(|(table, _)| table == key) {
                Some(at) => table(at, None, value, &mut things),
                None => {
                    let id = Id { rank: 0, kind: "setting", listener: None, name: key.clone() };
                    things.insert(id, value);
                }
            }
        }
        Self { things, sources: effective.get("sources") }
    }

    /// Whether a value of a thing holds by default.
    pub(super) fn is_default(&self, id: &Id, path: &str) -> bool {
        let Some((table, _)) = TABLES.iter().find(|(_, kind)| *kind == id.kind) else { return false };
        let base = match &id.listener {
            Some(listener) => join(&join("listeners", listener), table),
            None => (*table).to_owned(),
        };
        let path = if path.is_empty() { join(&base, &id.name) } else { format!("{}.{path}", join(&base, &id.name)) };
        let is_default = |path: &str| self.sources.and_then(|all| all.get(path)).is_some_and(|from| from == "default");
        // A list has the origin of its items.
        is_default(&path) || is_default(&join(&path, "0"))
    }

    /// The routes of a table: of one listener, or those at the top.
    pub(super) fn routes<'s>(&'s self, listener: Option<&'s str>) -> impl Iterator<Item = (&'s Id, &'v Value)> {
        let all = self.things.iter().map(|(id, value)| (id, *value));
        all.filter(move |(id, _)| id.kind == "route" && id.listener.as_deref() == listener)
    }

    /// All routes.
    pub(super) fn all_routes(&self) -> impl Iterator<Item = (&Id, &'v Value)> {
        self.things.iter().map(|(id, value)| (id, *value)).filter(|(id, _)| id.kind == "route")
    }

    /// The pattern that a request meets in a table of routes.
    pub(super) fn winner(&self, listener: Option<&str>, method: &str, host: &str, path: &str) -> Option<String> {
        let patterns: Vec<(Pattern, &str)> = self
            .routes(listener)
            .filter_map(|(id, _)| Some((Pattern::parse(&id.name).ok()?, id.name.as_str())))
            .collect();
        let numbered = patterns.iter().zip(0..).map(|((pattern, _), at)| (pattern.clone(), RouteId(at)));
        let table = Table::build(numbered, 0).ok()?;
        let found = table.find(method.as_bytes(), host.as_bytes(), path.as_bytes()).ok()?;
        patterns.get(found.route.0 as usize).map(|(_, name)| (*name).to_owned())
    }
}

fn table<'v>(at: usize, listener: Option<&str>, value: &'v Value, things: &mut BTreeMap<Id, &'v Value>) {
    let Some((_, kind)) = TABLES.get(at) else { return };
    for (name, value) in value.as_object().into_iter().flatten() {
        let rank = u8::try_from(at + 1).unwrap_or(u8::MAX);
        let id = Id { rank, kind, listener: listener.map(str::to_owned), name: name.clone() };
        if *kind == "listener"
            && let Some(routes) = value.get("routes")
        {
            table(TABLES.len() - 1, Some(name), routes, things);
        }
        things.insert(id, value);
    }
}
