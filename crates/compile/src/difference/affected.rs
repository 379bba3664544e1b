//! Who notices a difference.

use super::sides::{Id, Side};
use super::{Step, Turn};
use serde_json::Value;
use strait_route::{HostPattern, Pattern, Segment};

/// Names listed at most; a thousand routes may use one upstream.
const NAMES_MAX: usize = 10;

pub(super) fn affected(step: &Step, old: &Side<'_>, new: &Side<'_>) -> Vec<String> {
    let names = match step.kind.as_str() {
        "upstream" => users(new, old, |route| goes_to(route, &step.name)),
        "policy" | "auth" => users(new, old, |route| mentions(route.get("filters"), &step.name)),
        "listener" => return vec![listener(step)],
        "route" => return route(step, old, new),
        _ => return setting(step, new),
    };
    listed(names)
}

/// The routes, of either side, for which something holds.
fn users(new: &Side<'_>, old: &Side<'_>, holds: impl Fn(&Value) -> bool) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (id, value) in new.all_routes().chain(old.all_routes()) {
        let name = told(id);
        if holds(value) && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn told(id: &Id) -> String {
    match &id.listener {
        Some(listener) => format!("route {} of {listener}", id.name),
        None => format!("route {}", id.name),
    }
}

fn listed(mut names: Vec<String>) -> Vec<String> {
    let more = names.len().saturating_sub(NAMES_MAX);
    names.truncate(NAMES_MAX);
    if more > 0 {
        names.push(format!("{more} more"));
    }
    names
}

/// Whether a route goes to an upstream, wherever it says so.
fn goes_to(route: &Value, name: &str) -> bool {
    match route {
        Value::Object(map) => {
            map.iter().any(|(key, value)| (key == "to" && mentions(Some(value), name)) || goes_to(value, name))
        }
        Value::Array(items) => items.iter().any(|item| goes_to(item, name)),
        _ => false,
    }
}

/// Whether a name stands anywhere in a value, as key or as text.
fn mentions(value: Option<&Value>, name: &str) -> bool {
    match value {
        Some(Value::String(text)) => text == name,
        Some(Value::Array(items)) => items.iter().any(|item| mentions(Some(item), name)),
        Some(Value::Object(map)) => map.iter().any(|(key, value)| key == name || mentions(Some(value), name)),
        _ => false,
    }
}

fn listener(step: &Step) -> String {
    match step.turn {
        Turn::Added => "nobody yet: a new address".to_owned(),
        Turn::Removed => format!("everyone who connects to {}", step.name),
        Turn::Changed if step.fields.iter().any(|field| field.path == "address") => {
            format!("everyone who connects to {}: it moves", step.name)
        }
        Turn::Changed => format!("new connections of {}", step.name),
    }
}

/// Whose requests a route takes or leaves.
fn route(step: &Step, old: &Side<'_>, new: &Side<'_>) -> Vec<String> {
    let other = match step.turn {
        Turn::Added => old,
        Turn::Removed => new,
        Turn::Changed => return Vec::new(),
    };
    let Ok(pattern) = Pattern::parse(&step.name) else { return Vec::new() };
    let (host, path) = example(&pattern);
    let winner = other.winner(step.listener.as_deref(), "GET", &host, &path);
    let meets = match (step.turn, winner) {
        (Turn::Added, Some(winner)) => format!("went to route {winner}"),
        (Turn::Added, None) => "were answered with 404".to_owned(),
        (_, Some(winner)) => format!("go to route {winner} now"),
        (_, None) => "are answered with 404 now".to_owned(),
    };
    vec![format!("requests such as GET {host}{path}, which {meets}")]
}

/// Host and path of a request that a pattern matches.
fn example(pattern: &Pattern) -> (String, String) {
    let host = match pattern.host() {
        HostPattern::Exact(host) => host.clone(),
        HostPattern::Below(name) => format!("www.{name}"),
        HostPattern::Any => String::new(),
    };
    let segment = |segment: &Segment| match segment {
        Segment::Literal(text) => text.clone(),
        Segment::Capture(name) => name.clone(),
    };
    let path: Vec<String> = pattern.segments().iter().map(segment).collect();
    (host, format!("/{}", path.join("/")))
}

fn setting(step: &Step, new: &Side<'_>) -> Vec<String> {
    match step.name.as_str() {
        "defaults" => {
            let all = new.all_routes().count();
            let own = |path: &str| {
                let pointer = format!("/{}", path.replace('.', "/"));
                new.all_routes().filter(|(_, route)| route.pointer(&pointer).is_some()).count()
            };
            let least = step.fields.iter().map(|field| own(&field.path)).min().unwrap_or(0);
            vec![format!("{} of {all} routes: those without a value of their own", all - least.min(all))]
        }
        "trusted_proxies" => {
            vec!["whose X-Forwarded-For is believed, on every listener without a list of its own".to_owned()]
        }
        "admin" | "workers" => vec!["the process, when it is started again".to_owned()],
        "tests" | "version" => vec!["`strait check` only".to_owned()],
        _ => Vec::new(),
    }
}

/// Method and URL of a request that a pattern matches; `None` for what is no pattern.
pub fn example_request(pattern: &str) -> Option<(String, String)> {
    let pattern = Pattern::parse(pattern).ok()?;
    let (host, path) = example(&pattern);
    let method = pattern.methods().iter().next().unwrap_or("GET").to_owned();
    Some((method, format!("{host}{path}")))
}
