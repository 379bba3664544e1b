//! An explanation as text for people and as JSON for tools.

use super::{BranchStep, Edits, Explanation, Loser, Outcome, Share};
use serde_json::{Map, Value, json};
use std::fmt;
use std::time::Duration;

/// Losers that are worth a line to a person; the JSON has them all.
const LOSERS_SHOWN: usize = 8;

/// `1h`, `90s`, `250ms`: the largest unit that fits without rest.
pub(super) fn duration(duration: Duration) -> String {
    strait_config::value::Duration::millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)).to_string()
}

/// `32KiB`.
pub(super) fn size(bytes: u64) -> String {
    strait_config::value::Size::bytes(bytes).to_string()
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let query = self.query.as_ref().map_or_else(String::new, |query| format!("?{query}"));
        let host = if self.host.is_empty() {
            String::new()
        } else {
            format!("{}://{}", if self.tls.is_some() { "https" } else { "http" }, self.host)
        };
        writeln!(f, "{} {host}{}{query}", self.method, self.path)?;
        line(f, "listener", &format!("{} ({})", self.listener, self.address))?;
        if let Some(client) = &self.client {
            line(f, "client", client)?;
        }
        if let Some(tls) = &self.tls {
            tls.lines().into_iter().try_for_each(|(title, text)| line(f, title, &text))?;
        }
        self.routes(f)?;
        for (at, filter) in self.filters.iter().enumerate() {
            line(f, if at == 0 { "filters" } else { "" }, &filter.to_string())?;
        }
        self.outcome(f)?;
        line(f, "timeouts", &named(&self.timeouts))?;
        line(f, "retries", &named(&self.retries))?;
        line(f, "health", &named(&self.health))?;
        line(f, "limits", &named(&self.limits))?;
        edits(f, "request", &self.request_fields)?;
        edits(f, "response", &self.response_fields)
    }
}

impl Explanation {
    fn routes(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = || self.losers.iter().take(LOSERS_SHOWN);
        let patterns = shown().map(|loser| &*loser.pattern).chain(self.winner.iter().map(|winner| &*winner.pattern));
        let width = patterns.map(|pattern| pattern.chars().count()).max().unwrap_or(0);
        if let Some(winner) = &self.winner {
            line(f, "route", &format!("{:width$}  {}", winner.pattern, winner.source))?;
            for (name, value) in &winner.captures {
                line(f, "", &format!("{{{name}}} is {value}"))?;
            }
        }
        for (at, step) in self.branches.iter().enumerate() {
            line(f, if at == 0 { "when" } else { "" }, &format!("{:width$}  {}: {}", "", step.source, held(step)))?;
        }
        for (at, loser) in shown().enumerate() {
            let title = if at == 0 { "lost" } else { "" };
            line(f, title, &format!("{:width$}  {}: {}", loser.pattern, loser.source, because(loser)))?;
        }
        let more = self.losers_omitted + self.losers.len().saturating_sub(LOSERS_SHOWN);
        if more > 0 { line(f, "", &format!("… and {more} more")) } else { Ok(()) }
    }

    fn outcome(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.outcome {
            Outcome::Forward { shares, choices, preserve_host } => {
                shares.iter().try_for_each(|share| upstream(f, share, shares.len() > 1))?;
                if !choices.is_empty() {
                    line(f, "choices", &format!("{}, …", choices.join(", ")))?;
                }
                line(f, "host", if *preserve_host { "the client's, unchanged" } else { "the endpoint's own" })
            }
            Outcome::Files { path, may_exist: true } => line(f, "file", path),
            Outcome::Files { path, may_exist: false } => {
                line(f, "file", &format!("404: no name below {path} that may be served"))
            }
            Outcome::Redirect { status, location } => line(f, "redirect", &format!("{status} to {location}")),
            Outcome::Respond { status, body_bytes, content_type } => {
                let kind = if content_type.is_empty() { String::new() } else { format!(" of {content_type}") };
                line(f, "respond", &format!("{status} with {body_bytes} bytes{kind}"))
            }
            Outcome::Filter { name, status } => line(f, "answer", &format!("{status} by the filter {name}")),
            Outcome::MethodNotAllowed(allow) => line(f, "answer", &format!("405: only {allow} match a route")),
            Outcome::NoRoute => line(f, "answer", "404: no route matches"),
        }
    }

    /// The same for tools.
    pub fn to_json(&self) -> Value {
        let losers = self
            .losers
            .iter()
            .map(|loser| json!({"pattern": *loser.pattern, "source": *loser.source, "because": because(loser)}));
        let winner = self.winner.as_ref().map(
            |winner| json!({"pattern": *winner.pattern, "source": *winner.source, "captures": map(&winner.captures)}),
        );
        json!({
            "request": {"method": self.method, "host": self.host, "path": self.path, "query": self.query},
            "listener": {"name": *self.listener, "address": self.address},
            "tls": self.tls.as_ref().map(super::TlsAnswer::to_json),
            "client": self.client,
            "route": winner,
            "when": self.branches.iter().map(branch).collect::<Vec<_>>(),
            "filters": self.filters.iter().map(super::FilterStep::to_json).collect::<Vec<_>>(),
            "outcome": outcome(&self.outcome),
            "lost": losers.collect::<Vec<_>>(),
            "lost_omitted": self.losers_omitted,
            "timeouts": words(&self.timeouts),
            "retries": words(&self.retries),
            "health": words(&self.health),
            "limits": words(&self.limits),
            "request_headers": fields(&self.request_fields),
            "response_headers": fields(&self.response_fields),
        })
    }
}

/// Whether an entry of `when` decides, and if not why.
fn held(step: &BranchStep) -> String {
    step.unmet.as_ref().map_or_else(|| "holds".to_owned(), |why| format!("does not hold: {why}"))
}

fn branch(step: &BranchStep) -> Value {
    json!({"source": *step.source, "holds": step.unmet.is_none(), "because": step.unmet})
}

fn because(loser: &Loser) -> String {
    let why = loser.why.message();
    loser.detail.as_ref().map_or_else(|| why.to_owned(), |detail| format!("{why}: {detail}"))
}

fn line(f: &mut fmt::Formatter<'_>, title: &str, text: &str) -> fmt::Result {
    if text.is_empty() { Ok(()) } else { writeln!(f, "  {title:<10} {}", text.trim_end()) }
}

fn named(values: &[(&'static str, String)]) -> String {
    values.iter().map(|(name, value)| format!("{name} {value}")).collect::<Vec<_>>().join(", ")
}

fn upstream(f: &mut fmt::Formatter<'_>, share: &Share, is_split: bool) -> fmt::Result {
    let weight = if is_split { format!("  weight {}", share.weight) } else { String::new() };
    line(f, "upstream", &format!("{}{weight}", share.upstream))?;
    if share.balance != "round_robin" {
        line(f, "balance", &share.balance)?;
    }
    line(f, "sticky", share.sticks.as_deref().unwrap_or_default())?;
    let weighted = share.endpoints.iter().any(|member| member.weight != 1);
    for (at, member) in share.endpoints.iter().enumerate() {
        let weight = weighted.then(|| format!("weight {}", member.weight));
        let notes: Vec<&str> = weight.iter().chain(&member.notes).map(String::as_str).collect();
        let notes = if notes.is_empty() { String::new() } else { format!("  {}", notes.join(", ")) };
        line(f, if at == 0 { "endpoints" } else { "" }, &format!("{}{notes}", member.name))?;
    }
    match share.order.as_slice() {
        [chosen, next @ ..] if share.chosen_by_key => {
            let after = if next.is_empty() { String::new() } else { format!("; without it {}", next.join(", then ")) };
            line(f, "chosen", &format!("{chosen}{after}"))
        }
        order if share.endpoints.len() > 1 && !order.is_empty() => {
            line(f, "order", &format!("{}, …", order.join(", ")))
        }
        _ => Ok(()),
    }
}

fn edits(f: &mut fmt::Formatter<'_>, title: &str, edits: &Edits) -> fmt::Result {
    let set = edits.set.iter().map(|(name, value)| format!("+ {name}: {value}"));
    let removed = Some(format!("- {}", edits.removed.join(", "))).filter(|_| !edits.removed.is_empty());
    let lines = set.chain(removed);
    for (at, text) in lines.enumerate() {
        line(f, if at == 0 { title } else { "" }, &text)?;
    }
    Ok(())
}

fn outcome(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Forward { shares, choices, preserve_host } => json!({
            "kind": "forward",
            "upstreams": shares.iter().map(share).collect::<Vec<_>>(),
            "choices": choices.iter().map(|name| &**name).collect::<Vec<_>>(),
            "preserve_host": preserve_host,
        }),
        Outcome::Files { path, may_exist } => json!({"kind": "files", "path": path, "may_exist": may_exist}),
        Outcome::Redirect { status, location } => json!({"kind": "redirect", "status": status, "location": location}),
        Outcome::Respond { status, body_bytes, content_type } => {
            json!({"kind": "respond", "status": status, "body_bytes": body_bytes, "content_type": content_type})
        }
        Outcome::Filter { name, status } => json!({"kind": "filter", "filter": name, "status": status}),
        Outcome::MethodNotAllowed(allow) => json!({"kind": "method_not_allowed", "status": 405, "allow": allow}),
        Outcome::NoRoute => json!({"kind": "no_route", "status": 404}),
    }
}

fn share(share: &Share) -> Value {
    let endpoints = share.endpoints.iter();
    let endpoints = endpoints
        .map(|member| json!({"name": *member.name, "weight": member.weight, "notes": member.notes}))
        .collect::<Vec<_>>();
    json!({
        "name": *share.upstream,
        "weight": share.weight,
        "balance": share.balance,
        "sticky": share.sticks,
        "endpoints": endpoints,
        "order": share.order.iter().map(|name| &**name).collect::<Vec<_>>(),
    })
}

fn fields(edits: &Edits) -> Value {
    json!({"set": map(&edits.set), "removed": edits.removed})
}

fn map(pairs: &[(String, String)]) -> Value {
    Value::Object(pairs.iter().map(|(name, value)| (name.clone(), json!(value))).collect::<Map<_, _>>())
}

fn words(pairs: &[(&'static str, String)]) -> Value {
    let key = |name: &str| name.replace(' ', "_");
    Value::Object(pairs.iter().map(|(name, value)| (key(name), json!(value))).collect::<Map<_, _>>())
}
