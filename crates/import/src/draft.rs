//! A configuration of ours in the making, whatever it is made from.

use crate::ledger::{Left, Why};
use crate::yaml::{Map, Node};
use crate::{Mistake, Probe};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Most requests that are made up for one configuration.
const PROBES_MAX: usize = 400;

/// Listeners, routes and upstreams.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) listeners: Vec<Listener>,
    pub(crate) upstreams: Map,
    pub(crate) top: Map,
}

/// A host, a path, and more fields.
type Way = (String, String, Vec<(String, String)>);

/// A listener with its own routes.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) address: String,
    pub(crate) tls: bool,
    pub(crate) body: Map,
    pub(crate) routes: Map,
    pub(crate) origin: String,
    probes: BTreeSet<Way>,
    /// Prefixes of which the product takes what merely begins so, and Strait does not.
    pub(crate) loose: BTreeSet<String>,
}

impl Listener {
    pub(crate) fn new(address: &str, origin: String) -> Self {
        Self {
            address: address.to_owned(),
            tls: false,
            body: Map::default(),
            routes: Map::default(),
            origin,
            probes: BTreeSet::new(),
            loose: BTreeSet::new(),
        }
    }

    /// The part of the address behind the last colon.
    fn port(&self) -> &str {
        self.address.rsplit(':').next().unwrap_or("")
    }

    fn name(&self) -> String {
        match self.port() {
            "80" => "http".to_owned(),
            "443" => "https".to_owned(),
            port if port.parse::<u16>().is_ok() => format!("port-{port}"),
            _ => "socket".to_owned(),
        }
    }

    /// Adds a route, unless the pattern is taken: then the first counts, as everywhere.
    pub(crate) fn route(&mut self, pattern: &str, body: Map, origin: &str) -> bool {
        if self.routes.value(pattern).is_some() {
            return false;
        }
        self.probe(pattern, &body);
        self.routes.put(pattern, shortest(body), Some(origin.to_owned()));
        true
    }

    /// Makes up requests for a pattern and what its branches ask for.
    fn probe(&mut self, pattern: &str, body: &Map) {
        let rest = pattern.rsplit(' ').next().unwrap_or(pattern);
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let host = match host {
            "" | "*" => "other.example".to_owned(),
            host => host.replace('*', "wild"),
        };
        let stem = path.trim_end_matches("/*").replace("{$}", "").trim_end_matches('/').to_owned();
        let mut paths = vec![format!("{stem}/below/x.html?a=1"), format!("{stem}/x.php"), format!("{stem}beside")];
        paths.extend([format!("{stem}/"), stem]);
        let mut fields = vec![Vec::new()];
        if let Some(Node::List(branches)) = body.value("when") {
            for branch in branches {
                fields.extend(asked(branch));
            }
        }
        for path in paths.into_iter().filter(|path| path.starts_with('/')) {
            for more in &fields {
                self.probes.insert((host.clone(), path.clone(), more.clone()));
            }
        }
    }
}

/// Fields that a branch asks for by their exact value.
fn asked(branch: &Node) -> Option<Vec<(String, String)>> {
    let Node::Map(branch) = branch else { return None };
    let mut fields = Vec::new();
    for (kind, cookie) in [("headers", false), ("cookies", true)] {
        let Some(Node::Map(named)) = branch.value(kind) else { continue };
        for name in named.keys() {
            let Some(Node::Text(value)) = named.value(name) else { continue };
            let field = if cookie {
                ("Cookie".to_owned(), format!("{name}={value}"))
            } else {
                (name.to_owned(), value.clone())
            };
            fields.push(field);
        }
    }
    (!fields.is_empty()).then_some(fields)
}

/// A route that says nothing but its target is the target.
fn shortest(mut body: Map) -> Node {
    let mut keys = body.keys();
    if keys.next() == Some("to") && keys.next().is_none() {
        drop(keys);
        return body.remove("to").unwrap_or_else(|| Node::Map(Map::default()));
    }
    drop(keys);
    Node::Map(body)
}

impl Draft {
    /// The listener of an address, made if it is new.
    pub(crate) fn listener(&mut self, address: &str, origin: &str) -> &mut Listener {
        let place = match self.listeners.iter().position(|listener| listener.address == address) {
            Some(place) => place,
            None => {
                self.listeners.push(Listener::new(address, origin.to_owned()));
                self.listeners.len().saturating_sub(1)
            }
        };
        // The place was just found or made.
        #[allow(clippy::indexing_slicing)]
        &mut self.listeners[place]
    }

    /// The requests that take every way through the listeners.
    pub(crate) fn probes(&self) -> Vec<Probe> {
        let all = self.listeners.iter().flat_map(|listener| {
            listener.probes.iter().flat_map(|(host, path, fields)| {
                let methods: &[&str] = if fields.is_empty() { &["GET", "POST"] } else { &["GET"] };
                methods.iter().map(|method| Probe {
                    listen: listener.address.clone(),
                    method: (*method).to_owned(),
                    host: host.clone(),
                    path: path.clone(),
                    fields: fields.clone(),
                    known: path.strip_suffix("beside").is_some_and(|stem| listener.loose.contains(stem)),
                })
            })
        });
        all.take(PROBES_MAX).collect()
    }

    /// The text of the file: what was left stands at its end.
    ///
    /// # Errors
    /// A defect of an importer: what it wrote is no YAML.
    pub(crate) fn to_yaml(&self, head: &str, left: &[Left]) -> Result<String, Mistake> {
        let mut text = format!("# {head}\n{}", self.whole().to_yaml());
        let matters: Vec<&Left> = left.iter().filter(|left| left.why != Why::Needless).collect();
        if !matters.is_empty() {
            text.push_str("\n# Not carried over as it was:\n");
        }
        for Left { file, line, text: statement, why, reason } in matters {
            let _ = writeln!(text, "# {file}:{line}: {}: {}: {reason}", why.word(), one_line(statement));
        }
        strait_config::format_text("imported", &text).map_err(|defect| Mistake {
            file: "imported".to_owned(),
            line: 1,
            what: format!("a defect of the importer: {}", defect.render(strait_config::Format::Text { colour: false })),
        })
    }

    fn whole(&self) -> Map {
        let mut whole = self.top.clone();
        let shared = self.listeners.iter().all(|listener| Some(&listener.routes) == self.first_routes());
        let tls = self.listeners.iter().any(|listener| listener.tls);
        let mut names = BTreeSet::new();
        for listener in &self.listeners {
            let mut body = Map::of("address", listener.address.as_str());
            match (listener.tls, listener.port()) {
                (true, _) if listener.body.value("tls").is_some() => {}
                (true, "443" | "8443") => {}
                (true, _) => body.set("tls", Map::default()),
                (false, "443" | "8443") => body.set("tls", "off"),
                (false, "80" | "8080") if tls && shared => body.set("redirect_to_https", "false"),
                (false, _) => {}
            }
            for key in listener.body.keys() {
                if let Some(value) = listener.body.value(key) {
                    body.set(key, value.clone());
                }
            }
            if !shared && !listener.routes.is_empty() {
                body.set("routes", listener.routes.clone());
            }
            let mut name = listener.name();
            while !names.insert(name.clone()) {
                name.push_str("-too");
            }
            whole.map("listeners").put(&name, body, Some(listener.origin.clone()));
        }
        if let Some(routes) = self.first_routes().filter(|routes| shared && !routes.is_empty()) {
            whole.set("routes", routes.clone());
        }
        if !self.upstreams.is_empty() {
            whole.set("upstreams", self.upstreams.clone());
        }
        whole
    }

    fn first_routes(&self) -> Option<&Map> {
        self.listeners.first().map(|listener| &listener.routes)
    }
}

/// A statement on one line, and not without end.
fn one_line(text: &str) -> String {
    let text: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let short: String = text.chars().filter(|c| !c.is_control()).take(100).collect();
    if short.len() < text.len() { format!("{short}…") } else { short }
}

/// Whether Strait speaks a piece of configuration: features are built one after the other.
pub(crate) fn speaks(yaml: &str) -> bool {
    strait_config::load_str("piece", yaml).is_ok()
}
