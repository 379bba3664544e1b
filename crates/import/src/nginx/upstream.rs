//! `upstream` blocks.

use super::lex::Directive;
use super::{Work, values};
use crate::draft::speaks;
use crate::yaml::{Map, Node};

impl Work<'_> {
    /// An `upstream` block as one of ours.
    pub(super) fn upstream(&mut self, block: &Directive) {
        let mut body = Map::default();
        for kid in block.kids() {
            self.upstream_statement(kid, &mut body);
        }
        if body.value("endpoints").is_none() {
            return self.ledger.lose(block.id, "no server of it can be carried over");
        }
        self.ledger.carry(block.id);
        self.draft.upstreams.put(block.arg(0), body, Some(block.origin()));
    }

    fn upstream_statement(&mut self, kid: &Directive, body: &mut Map) {
        match kid.name.as_str() {
            "server" => return self.endpoint(kid, body),
            "keepalive" if kid.arg(0).parse::<u32>().is_ok() => body.map("keep_alive").set("max_idle", kid.arg(0)),
            "keepalive_timeout" => match values::time(kid.arg(0)) {
                Some(time) => body.map("keep_alive").set("idle_timeout", time),
                None => return,
            },
            "least_conn" => return self.balance(kid, "least_request", body),
            "random" => return self.balance(kid, "random", body),
            "ip_hash" => {
                return self.ledger.lose(kid.id, "Strait does not keep clients at an endpoint by their address here");
            }
            "hash" => return self.ledger.lose(kid.id, "hashing is not carried over: see `balance` of an upstream"),
            _ => return,
        }
        self.ledger.carry(kid.id);
    }

    fn balance(&mut self, kid: &Directive, word: &str, body: &mut Map) {
        if speaks(&format!("upstreams: {{a: {{endpoints: [localhost:1], balance: {word}}}}}")) {
            body.set("balance", word);
            self.ledger.carry(kid.id);
        } else {
            self.ledger.lose(kid.id, format!("`balance: {word}` is not built yet; requests go round robin"));
        }
    }

    fn endpoint(&mut self, kid: &Directive, body: &mut Map) {
        let address = with_port(kid.arg(0), "80");
        let mut endpoint = Map::of("address", address.as_str());
        self.ledger.carry(kid.id);
        for option in kid.args.iter().skip(1) {
            match option.split_once('=').unwrap_or((option, "")) {
                ("weight", weight) => endpoint.set("weight", weight),
                ("down", _) => endpoint.set("weight", "0"),
                ("max_conns", "0") => {}
                ("max_conns", most) => body.set("max_connections", most),
                ("max_fails", "0") => {}
                ("max_fails", fails) => body.map("outlier_detection").set("consecutive_errors", fails),
                ("fail_timeout", time) => {
                    if let Some(time) = values::time(time) {
                        body.map("outlier_detection").set("eject_for", time);
                    }
                }
                ("backup", _) => self.backup(kid, &mut endpoint),
                ("resolve", _) => {}
                _ => self.ledger.differ(kid.id, format!("`{option}` is left out")),
            }
        }
        let mut keys = endpoint.keys();
        keys.next();
        let is_plain = keys.next().is_none();
        drop(keys);
        body.push("endpoints", if is_plain { Node::Text(address) } else { Node::Map(endpoint) });
    }

    fn backup(&mut self, kid: &Directive, endpoint: &mut Map) {
        if speaks("upstreams: {a: {endpoints: [localhost:1, {address: localhost:2, backup: true}]}}") {
            endpoint.set("backup", "true");
        } else {
            endpoint.set("weight", "0");
            self.ledger.differ(kid.id, "backups are not built yet: it gets no requests (weight 0)");
        }
    }
}

/// An address with its port, as Strait writes it.
pub(super) fn with_port(address: &str, port: &str) -> String {
    if let Some(path) = address.strip_prefix("unix:") {
        return format!("unix:{}", path.trim_end_matches(':'));
    }
    let behind_brackets = address.rsplit(']').next().unwrap_or(address);
    if behind_brackets.contains(':') { address.to_owned() } else { format!("{address}:{port}") }
}
