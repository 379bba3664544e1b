//! The arrows between crates: who may know whom, and which outside crates the pure rooms never reach.

use crate::shell;
use crate::verdict::Verdict;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// What a room may know.
enum Knows {
    /// These rooms and no other.
    Only(&'static [&'static str]),
    /// Every room but the development ones.
    TheProduct,
    /// Every room: a development crate, never part of the product.
    Everything,
}

use Knows::{Everything, Only, TheProduct};

/// A crate of the workspace with what it may know and why.
struct Room {
    name: &'static str,
    knows: Knows,
    why: &'static str,
}

/// The whole table. A new crate is a new line here, in the commit that adds it.
const ROOMS: &[Room] = &[
    room("message", Only(&[]), "the vocabulary knows nothing"),
    room("http1", Only(&["message"]), "an engine knows only the vocabulary"),
    room("http2", Only(&["message"]), "an engine knows only the vocabulary"),
    room("route", Only(&["message"]), "an engine knows only the vocabulary"),
    room("traffic", Only(&["message"]), "an engine knows only the vocabulary"),
    room("tls", Only(&["message"]), "an engine knows only the vocabulary"),
    room("files", Only(&["message"]), "what is decided about files knows only the vocabulary"),
    room("record", Only(&["message"]), "an engine knows only the vocabulary"),
    room("expr", Only(&[]), "expressions ask for facts by name, whoever has them"),
    room(
        "filters",
        Only(&["expr", "message", "record", "route"]),
        "filters know the engines they use and the vocabulary; neither the language nor the plan",
    ),
    room("config-derive", Only(&[]), "the derive writes code and knows none"),
    room(
        "config",
        Only(&["config-derive", "expr", "filters"]),
        "the language knows expressions and the list of filters, not what it is compiled to",
    ),
    room(
        "plan",
        Only(&["expr", "filters", "http1", "http2", "message", "record", "route", "tls", "traffic"]),
        "the plan is made of the engines' limits and tables",
    ),
    room(
        "compile",
        Only(&[
            "config", "expr", "files", "filters", "http1", "http2", "message", "plan", "record", "route", "tls",
            "traffic",
        ]),
        "the one place that knows both the language and the plan; neither sockets nor workers",
    ),
    room("import", Only(&["config"]), "front ends of other products' languages write ours and know nothing behind it"),
    room(
        "dataplane",
        Only(&["expr", "files", "filters", "http1", "http2", "message", "plan", "record", "route", "tls", "traffic"]),
        "workers read the plan, never the configuration",
    ),
    room(
        "telemetry",
        Only(&["http2", "message", "record"]),
        "writers know records, not who made them; collectors are spoken to by gRPC",
    ),
    room(
        "control",
        Only(&[
            "compile",
            "config",
            "filters",
            "http1",
            "http2",
            "message",
            "plan",
            "record",
            "telemetry",
            "tls",
            "traffic",
        ]),
        "the control plane meets workers only at the plan and the mailbox",
    ),
    room("strait", TheProduct, "the product knows all of itself and none of its tests"),
    room("sim", Everything, "development"),
    room("conformance", Everything, "development"),
    room("e2e", Everything, "development"),
    room("bench", Everything, "development"),
    room("xtask", Everything, "development"),
];

const fn room(name: &'static str, knows: Knows, why: &'static str) -> Room {
    Room { name, knows, why }
}

/// Rooms without sockets, clocks and system calls: nothing they depend on, however far, may bring these crates in.
const PURE: &[&str] = &[
    "message",
    "http1",
    "http2",
    "route",
    "tls",
    "traffic",
    "record",
    "expr",
    "filters",
    "plan",
    "config",
    "config-derive",
    "compile",
];
const IMPURE: &[&str] = &["tokio", "socket2", "rustix", "mio", "hyper", "async-std", "smol"];

/// Whether this room is never part of the product.
pub(crate) fn is_development(name: &str) -> bool {
    let listed = ROOMS.iter().find(|room| room.name == name);
    // Code outside `crates/` (fuzz targets) is for development too.
    listed.is_none_or(|room| matches!(room.knows, Everything))
}

/// Compares what cargo knows of the workspace with the table.
pub(crate) fn check(root: &Path) -> Verdict {
    match metadata(root) {
        Ok(metadata) => {
            let graph = Graph::read(&metadata);
            let mut found = graph.arrow_findings();
            found.extend(graph.purity_findings());
            Verdict::of(found, format!("{} crates, {} arrows", graph.members.len(), graph.arrows()))
        }
        Err(reason) => Verdict::Failed(vec![reason]),
    }
}

fn metadata(root: &Path) -> Result<Value, String> {
    let arguments = ["metadata", "--format-version", "1"];
    let output = shell::capture(shell::cargo(root).args(arguments))?;
    serde_json::from_str(&output).map_err(|error| format!("cargo metadata: {error}"))
}

/// What depends on what, by package id.
struct Graph {
    /// Members of the workspace: id to room.
    members: BTreeMap<String, String>,
    names: BTreeMap<String, String>,
    /// Dependencies that are built into the package or its build script.
    built_in: BTreeMap<String, BTreeSet<String>>,
    /// Dependencies of its tests only.
    of_tests: BTreeMap<String, BTreeSet<String>>,
}

impl Graph {
    fn read(metadata: &Value) -> Graph {
        let packages = list(&metadata["packages"]);
        let names: BTreeMap<String, String> = packages.iter().map(|p| (text(&p["id"]), text(&p["name"]))).collect();
        let ids = list(&metadata["workspace_members"]).iter().map(text);
        let members = ids.map(|id| (id.clone(), room_of(names.get(&id).map_or("", String::as_str)))).collect();
        let mut graph = Graph { members, names, built_in: BTreeMap::new(), of_tests: BTreeMap::new() };
        for node in list(&metadata["resolve"]["nodes"]) {
            for dependency in list(&node["deps"]) {
                graph.add(text(&node["id"]), dependency);
            }
        }
        graph
    }

    fn add(&mut self, from: String, dependency: &Value) {
        let to = text(&dependency["pkg"]);
        for kind in list(&dependency["dep_kinds"]) {
            let is_test = kind["kind"].as_str() == Some("dev");
            let edges = if is_test { &mut self.of_tests } else { &mut self.built_in };
            edges.entry(from.clone()).or_default().insert(to.clone());
        }
    }

    fn arrows(&self) -> usize {
        self.members.keys().map(|id| self.rooms_below(id).len()).sum()
    }

    /// Rooms that a member depends on, tests included.
    fn rooms_below(&self, id: &str) -> BTreeSet<&str> {
        let edges = [&self.built_in, &self.of_tests].into_iter().filter_map(|edges| edges.get(id)).flatten();
        edges.filter_map(|to| self.members.get(to)).map(String::as_str).collect()
    }

    fn arrow_findings(&self) -> Vec<String> {
        let members = self.members.iter();
        members.flat_map(|(id, name)| findings_of(name, &self.rooms_below(id))).collect()
    }

    fn purity_findings(&self) -> Vec<String> {
        let pure = self.members.iter().filter(|(_, name)| PURE.contains(&name.as_str()));
        pure.flat_map(|(id, name)| self.impure_paths(id, name)).collect()
    }

    /// The ways by which a pure room reaches an outside crate that it must not, the first of each.
    fn impure_paths(&self, id: &str, name: &str) -> Vec<String> {
        let mut seen = BTreeSet::from([id]);
        let mut waiting = vec![(id, name.to_owned())];
        let mut found = Vec::new();
        while let Some((at, path)) = waiting.pop() {
            for next in self.built_in.get(at).into_iter().flatten() {
                let next_name = self.names.get(next).map_or("", String::as_str);
                if !seen.insert(next) {
                    continue;
                }
                if IMPURE.contains(&next_name) {
                    found.push(format!("{name} reaches {next_name} ({path} → {next_name}): {name} is pure"));
                } else {
                    waiting.push((next, format!("{path} → {next_name}")));
                }
            }
        }
        found
    }
}

fn findings_of(name: &str, below: &BTreeSet<&str>) -> Vec<String> {
    let Some(room) = ROOMS.iter().find(|room| room.name == name) else {
        return vec![format!("{name}: not in the table of crates/xtask/src/arrows.rs: say there what it may know")];
    };
    let allowed = |other: &str| match room.knows {
        Only(rooms) => rooms.contains(&other),
        TheProduct => !is_development(other),
        Everything => true,
    };
    let forbidden = below.iter().filter(|other| **other != name && !allowed(other));
    forbidden.map(|other| format!("{name} → {other} is not allowed: {}", room.why)).collect()
}

fn room_of(package: &str) -> String {
    package.strip_prefix("strait-").unwrap_or(package).to_owned()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or("").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check_findings(name: &str, below: &[&str], expected: &[&str]) {
        assert_eq!(findings_of(name, &below.iter().copied().collect()), expected);
    }

    #[test]
    fn a_forbidden_arrow_names_both_crates_and_the_rule() {
        let expected = "dataplane → config is not allowed: workers read the plan, never the configuration";
        check_findings("dataplane", &["config", "plan"], &[expected]);
        check_findings("http1", &["message", "http1"], &[]);
        check_findings("strait", &["dataplane", "config"], &[]);
        assert_eq!(findings_of("strait", &BTreeSet::from(["sim"])).len(), 1);
        assert_eq!(findings_of("unheard", &BTreeSet::new()).len(), 1);
    }

    #[test]
    fn the_table_points_downward_only() {
        for (index, room) in ROOMS.iter().enumerate() {
            let Only(known) = room.knows else { continue };
            for other in known {
                let below = ROOMS[..index].iter().any(|earlier| earlier.name == *other);
                assert!(below, "{} knows {other}, which the table lists later", room.name);
            }
        }
    }

    #[test]
    fn a_pure_room_is_followed_through_outside_crates() {
        let kinds = json!([{"kind": null}]);
        let metadata = json!({
            "packages": [
                {"id": "m", "name": "strait-message"}, {"id": "x", "name": "x"}, {"id": "t", "name": "tokio"}
            ],
            "workspace_members": ["m"],
            "resolve": {"nodes": [
                {"id": "m", "deps": [{"pkg": "x", "dep_kinds": kinds}]},
                {"id": "x", "deps": [{"pkg": "t", "dep_kinds": kinds}]}
            ]}
        });
        let expected = "message reaches tokio (message → x → tokio): message is pure";
        assert_eq!(Graph::read(&metadata).purity_findings(), [expected]);
    }
}
