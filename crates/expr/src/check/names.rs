//! Names: what they stand for, and what was meant by those that stand for nothing.

use super::{Checker, TEXT_COST, Typed};
use crate::ast::{Ast, Tree};
use crate::check::canonical_key;
use crate::environment::Meaning;
use crate::error::{Error, Span};
use crate::node::Op;
use crate::value::Kind;
use crate::words;

/// Names of other products with ours.
const PEERS: &[(&str, &str)] = &[
    ("source.address", "client.ip"),
    ("source.ip", "client.ip"),
    ("source.port", "client.port"),
    ("remote_addr", "client.ip"),
    ("remote_ip", "client.ip"),
    ("client_ip", "client.ip"),
    ("client.address", "client.ip"),
    ("ip.src", "client.ip"),
    ("src", "client.ip"),
    ("request.url_path", "request.path"),
    ("request.url", "request.uri"),
    ("uri", "request.uri"),
    ("url", "request.uri"),
    ("request.protocol", "protocol"),
    ("request.authority", "request.host"),
    ("http.host", "request.host"),
    ("http.request.method", "request.method"),
    ("http.request.uri.path", "request.path"),
    ("request.user_agent", "request.headers['user-agent']"),
    ("http.user_agent", "request.headers['user-agent']"),
    ("user_agent", "request.headers['user-agent']"),
    ("request.useragent", "request.headers['user-agent']"),
    ("request.referer", "request.headers['referer']"),
    ("request.params", "request.query"),
    ("method", "request.method"),
    ("host", "request.host"),
    ("path", "request.path"),
    ("scheme", "request.scheme"),
    ("headers", "request.headers"),
    ("cookies", "request.cookies"),
    ("query", "request.query"),
    ("response.code", "response.status"),
    ("connection.requested_server_name", "tls.sni"),
    ("connection.tls_version", "tls.version"),
    ("connection.subject_peer_certificate", "tls.client.subject"),
    ("connection.uri_san_peer_certificate", "tls.client.san"),
    ("sni", "tls.sni"),
];

/// `a.b.c` of an expression that is nothing but names.
fn dotted(ast: &Ast) -> Option<String> {
    match &ast.tree {
        Tree::Name(name) => Some(name.clone()),
        Tree::Select(of, member, _) => Some(format!("{}.{member}", dotted(of)?)),
        _ => None,
    }
}

impl Checker<'_> {
    /// What an expression that is nothing but names stands for.
    pub(super) fn meaning(&self, ast: &Ast) -> Option<Meaning> {
        let name = dotted(ast)?;
        let root = name.split('.').next().unwrap_or_default();
        if self.locals.iter().any(|(local, _)| local == root) {
            return None;
        }
        self.environment.meaning(&name)
    }

    pub(super) fn name(&self, ast: &Ast, name: &str) -> Result<Typed, Error> {
        if let Some(at) = self.locals.iter().rposition(|(local, _)| local == name) {
            let kind = self.locals.get(at).map_or(Kind::Any, |(_, kind)| kind.clone());
            return Ok(Typed::new(ast.span, Op::Local(at), kind, 0));
        }
        match self.environment.meaning(name) {
            Some(meaning) => self.meant(ast.span, name, meaning),
            None => Err(self.unknown(ast.span, name)),
        }
    }

    pub(super) fn select(&mut self, ast: &Ast, of: &Ast, member: &str, member_span: Span) -> Result<Typed, Error> {
        if let Some(meaning) = self.meaning(ast) {
            return self.meant(ast.span, &dotted(ast).unwrap_or_default(), meaning);
        }
        match self.meaning(of) {
            Some(Meaning::Map(map)) => {
                let op = Op::Entry(map, canonical_key(map, member.as_bytes()));
                return Ok(Typed::new(ast.span, op, Kind::Text, TEXT_COST));
            }
            Some(_) => {}
            None => {
                if let Some(name) = dotted(ast).filter(|name| !self.has_root(name)) {
                    return Err(self.unknown(ast.span, &name));
                }
            }
        }
        let of = self.lower(of)?;
        if of.kind != Kind::Any {
            let error = Error::new(member_span, format!("{} has no member `{member}`", of.kind.words()));
            return Err(if crate::functions::signature(member).is_some() {
                error.replace(member_span, format!("{member}()"))
            } else {
                error
            });
        }
        Ok(Typed::new(ast.span, Op::Select(Box::new(of.node), member.into()), Kind::Any, of.cost))
    }

    /// Whether the beginning of a dotted name is known by itself.
    fn has_root(&self, name: &str) -> bool {
        let prefixes = name.match_indices('.').filter_map(|(at, _)| name.get(..at));
        let is_local = |name: &str| self.locals.iter().any(|(local, _)| local == name);
        prefixes.chain([name]).any(|prefix| is_local(prefix) || self.environment.meaning(prefix).is_some())
    }

    fn meant(&self, span: Span, name: &str, meaning: Meaning) -> Result<Typed, Error> {
        Ok(match meaning {
            Meaning::Fact(fact, kind) => Typed::new(span, Op::Fact(fact), kind, TEXT_COST),
            Meaning::Capture(place) => Typed::new(span, Op::Capture(place), Kind::Text, TEXT_COST),
            Meaning::Added(kind) => Typed::new(span, Op::Added(name.into()), kind, TEXT_COST),
            Meaning::Map(_) => {
                let error = Error::new(span, format!("`{name}` holds many values")).label("which one?");
                return Err(error.hint(format!("write {name}['name']")));
            }
        })
    }

    /// A name that stands for nothing here.
    fn unknown(&self, span: Span, name: &str) -> Error {
        if self.environment.is_too_early(name) {
            let error = Error::new(span, format!("`{name}` is not known yet when this is asked"));
            return error.label("there is no response yet");
        }
        let error = Error::new(span, format!("there is no value called `{name}`")).label("not known here");
        if let Some((_, ours)) = PEERS.iter().find(|(theirs, _)| theirs.eq_ignore_ascii_case(name)) {
            return error.replace(span, *ours);
        }
        let names = self.environment.names();
        if let Some(capture) = name.strip_prefix("path.") {
            return self.unknown_capture(error, span, capture, &names);
        }
        if let Some(near) = words::closest(name, names.iter().map(String::as_str)) {
            return error.replace(span, near);
        }
        let root = name.split('.').next().unwrap_or(name);
        let below: Vec<&str> = names
            .iter()
            .map(String::as_str)
            .filter(|known| known.strip_prefix(root).is_some_and(|rest| rest.starts_with('.')))
            .collect();
        if below.is_empty() {
            if !name.contains('.') {
                return error.replace_saying(format!("if it is text, write '{name}'"), span, format!("'{name}'"));
            }
            let mut roots: Vec<&str> = names.iter().filter_map(|known| known.split('.').next()).collect();
            roots.dedup();
            return error.hint(format!("names begin with: {}", roots.join(", ")));
        }
        error.hint(format!("there are: {}", below.join(", ")))
    }

    fn unknown_capture(&self, error: Error, span: Span, capture: &str, names: &[String]) -> Error {
        let captures: Vec<&str> = names.iter().filter_map(|name| name.strip_prefix("path.")).collect();
        let error = Error { message: format!("the pattern of the route has no `{{{capture}}}`"), ..error };
        match (words::closest(capture, captures.iter().copied()), captures.as_slice()) {
            (Some(near), _) => error.replace(span, format!("path.{near}")),
            (None, [only]) => error.replace(span, format!("path.{only}")),
            (None, []) => error.hint(format!("write `{{{capture}}}` in place of a segment of the pattern")),
            (None, several) => error.hint(format!("it has: {}", several.join(", "))),
        }
    }
}
