//! The value of a compiled expression: pure, bounded by fuel, never a panic.

mod convert;
mod operate;

use crate::environment::{Fact, Facts, MapFact};
use crate::error::{Failure, FailureKind, Span};
use crate::limits::FUEL_MAX;
use crate::node::{Fold, FoldKind, Node, Op};
use crate::value::{List, Value};
use std::borrow::Cow;

pub(crate) use convert::{parse_duration, parse_network};

/// No request at all: what constants are computed with.
pub(crate) struct Nothing;

impl Facts for Nothing {
    fn fact(&self, _: Fact) -> Option<Value<'_>> {
        None
    }

    fn entry(&self, _: MapFact, _: &[u8]) -> Option<Cow<'_, [u8]>> {
        None
    }

    fn capture(&self, _: usize) -> Option<Cow<'_, [u8]>> {
        None
    }
}

/// Evaluates a node.
pub(crate) fn evaluate<'v>(node: &'v Node, facts: &'v dyn Facts) -> Result<Value<'v>, Failure> {
    Evaluation { facts, fuel: FUEL_MAX, locals: Vec::new() }.value(node)
}

struct Evaluation<'v> {
    facts: &'v dyn Facts,
    fuel: u32,
    locals: Vec<Value<'v>>,
}

impl<'v> Evaluation<'v> {
    fn spend(&mut self, steps: usize, at: Span) -> Result<(), Failure> {
        let left = u32::try_from(steps).ok().and_then(|steps| self.fuel.checked_sub(steps));
        self.fuel = left.unwrap_or(0);
        left.map(|_| ()).ok_or(Failure::new(FailureKind::Fuel, at))
    }

    /// Pays for looking at this many bytes.
    fn look(&mut self, bytes: usize, at: Span) -> Result<(), Failure> {
        self.spend(bytes / 64, at)
    }

    fn value(&mut self, node: &'v Node) -> Result<Value<'v>, Failure> {
        let at = node.span;
        self.spend(1, at)?;
        let absent = Failure::new(FailureKind::Absent, at);
        match &node.op {
            Op::Constant(value) => Ok(value.borrowed()),
            Op::Fact(fact) => self.facts.fact(*fact).ok_or(absent),
            Op::Entry(map, key) => self.entry(*map, key, at),
            Op::EntryOf(map, key) => self.entry_of(*map, key, at),
            Op::Capture(place) => self.facts.capture(*place).map(Value::Text).ok_or(absent),
            Op::Added(name) => self.facts.added(name).ok_or(absent),
            Op::Local(place) => self.local(*place, at),
            Op::Select(of, member) => self.select(of, member, at),
            Op::Index(two) => self.index(two, at),
            Op::Has(of) => self.has(of).map(Value::Bool),
            Op::List(items) => self.list(items),
            Op::Conditional(parts) => {
                let [condition, then, otherwise] = &**parts;
                let chosen = if self.truth(condition)? { then } else { otherwise };
                self.value(chosen)
            }
            Op::Fold(fold) => self.fold(fold),
            Op::Negate(of) => self.negate(of, at),
            Op::Arithmetic(binary, two) => self.arithmetic(*binary, two, at),
            Op::Call(function, arguments) => self.call(*function, arguments, at),
            _ => self.condition(node).map(Value::Bool),
        }
    }

    /// Nodes whose value is true or false, without a [`Value`] around it.
    fn condition(&mut self, node: &'v Node) -> Result<bool, Failure> {
        match &node.op {
            Op::Not(of) => self.truth(of).map(|truth| !truth),
            Op::All(items) => self.all(items),
            Op::Any(items) => self.any(items),
            Op::Equal(two) => self.equal(two, node.span),
            Op::Unequal(two) => self.equal(two, node.span).map(|equal| !equal),
            Op::Order(binary, two) => self.order(*binary, two, node.span),
            Op::In(two) => self.within(two, node.span),
            Op::InTexts(of, texts) => {
                let text = self.text(of)?;
                Ok(texts.binary_search_by(|known| (**known).cmp(&*text)).is_ok())
            }
            Op::InNetworks(of, networks) => {
                let address = self.address(of)?;
                self.spend(networks.len() / 8, node.span)?;
                Ok(networks.iter().any(|network| network.contains(&address)))
            }
            Op::Matches(of, regex) => {
                let text = self.text(of)?;
                self.look(text.len(), node.span)?;
                Ok(regex.is_match(&text))
            }
            _ => Err(Failure::new(FailureKind::Kind, node.span)),
        }
    }

    fn truth(&mut self, node: &'v Node) -> Result<bool, Failure> {
        match self.value(node)? {
            Value::Bool(truth) => Ok(truth),
            _ => Err(Failure::new(FailureKind::Kind, node.span)),
        }
    }

    /// As in CEL, one `false` decides even where another operand has no value.
    fn all(&mut self, items: &'v [Node]) -> Result<bool, Failure> {
        let mut failure = None;
        for item in items {
            match self.truth(item) {
                Ok(true) => {}
                Ok(false) => return Ok(false),
                Err(exhausted) if exhausted.kind == FailureKind::Fuel => return Err(exhausted),
                Err(first) => failure = failure.or(Some(first)),
            }
        }
        failure.map_or(Ok(true), Err)
    }

    /// As in CEL, one `true` decides even where another operand has no value.
    fn any(&mut self, items: &'v [Node]) -> Result<bool, Failure> {
        let mut failure = None;
        for item in items {
            match self.truth(item) {
                Ok(false) => {}
                Ok(true) => return Ok(true),
                Err(exhausted) if exhausted.kind == FailureKind::Fuel => return Err(exhausted),
                Err(first) => failure = failure.or(Some(first)),
            }
        }
        failure.map_or(Ok(false), Err)
    }

    fn has(&mut self, of: &'v Node) -> Result<bool, Failure> {
        match self.value(of) {
            Ok(_) => Ok(true),
            Err(failure) if matches!(failure.kind, FailureKind::Absent | FailureKind::Index) => Ok(false),
            Err(failure) => Err(failure),
        }
    }

    fn entry_of(&mut self, map: MapFact, key: &'v Node, at: Span) -> Result<Value<'v>, Failure> {
        let key = self.text(key)?;
        let key = crate::check::canonical_key(map, &key);
        self.entry(map, &key, at)
    }

    fn entry(&mut self, map: MapFact, key: &[u8], at: Span) -> Result<Value<'v>, Failure> {
        let entry = self.facts.entry(map, key).ok_or(Failure::new(FailureKind::Absent, at))?;
        if let Cow::Owned(text) = &entry {
            // One that had to be put together or decoded.
            self.look(text.len(), at)?;
        }
        Ok(Value::Text(entry))
    }

    fn local(&mut self, place: usize, at: Span) -> Result<Value<'v>, Failure> {
        let value = self.locals.get(place).cloned().ok_or(Failure::new(FailureKind::Absent, at))?;
        // What is copied is paid for.
        match &value {
            Value::Text(Cow::Owned(text)) => self.look(text.len(), at)?,
            Value::List(List::Owned(items)) => self.spend(items.len(), at)?,
            _ => {}
        }
        Ok(value)
    }

    fn select(&mut self, of: &'v Node, member: &str, at: Span) -> Result<Value<'v>, Failure> {
        match self.value(of)? {
            Value::Json(serde_json::Value::Object(map)) => {
                map.get(member).map(Value::json).ok_or(Failure::new(FailureKind::Absent, at))
            }
            _ => Err(Failure::new(FailureKind::Kind, at)),
        }
    }

    fn index(&mut self, two: &'v (Node, Node), at: Span) -> Result<Value<'v>, Failure> {
        let (of, key) = (self.value(&two.0)?, self.value(&two.1)?);
        let beyond = Failure::new(FailureKind::Index, at);
        let absent = Failure::new(FailureKind::Absent, at);
        match (of, key) {
            (Value::Json(serde_json::Value::Object(map)), Value::Text(key)) => {
                std::str::from_utf8(&key).ok().and_then(|key| map.get(key)).map(Value::json).ok_or(absent)
            }
            (Value::Json(serde_json::Value::Array(items)), Value::Int(place)) => {
                usize::try_from(place).ok().and_then(|place| items.get(place)).map(Value::json).ok_or(beyond)
            }
            (Value::List(list), Value::Int(place)) => {
                let place = usize::try_from(place).map_err(|_| beyond)?;
                match list {
                    List::Borrowed(items) => items.get(place).map(Value::borrowed).ok_or(beyond),
                    List::Owned(items) => items.into_iter().nth(place).ok_or(beyond),
                }
            }
            _ => Err(Failure::new(FailureKind::Kind, at)),
        }
    }

    fn list(&mut self, items: &'v [Node]) -> Result<Value<'v>, Failure> {
        let items: Result<Vec<_>, _> = items.iter().map(|item| self.value(item)).collect();
        items.map(|items| Value::List(List::Owned(items)))
    }

    /// The items of a list, or the names of a document's map.
    fn items(&mut self, list: Value<'v>, at: Span) -> Result<Vec<Value<'v>>, Failure> {
        let items = match list {
            Value::List(List::Borrowed(items)) => items.iter().map(Value::borrowed).collect(),
            Value::List(List::Owned(items)) => items,
            Value::Json(serde_json::Value::Array(items)) => {
                self.spend(items.len(), at)?;
                items.iter().map(Value::json).collect()
            }
            Value::Json(serde_json::Value::Object(map)) => {
                self.spend(map.len(), at)?;
                map.keys().map(Value::text).collect()
            }
            _ => return Err(Failure::new(FailureKind::Kind, at)),
        };
        Ok(items)
    }

    fn fold(&mut self, fold: &'v Fold) -> Result<Value<'v>, Failure> {
        let over = self.value(&fold.over)?;
        let items = self.items(over, fold.over.span)?;
        let (mut kept, mut met, mut failure) = (Vec::new(), 0_usize, None);
        for item in items {
            self.locals.truncate(fold.local);
            self.locals.push(item);
            if fold.kind == FoldKind::Map {
                kept.push(self.value(&fold.body)?);
                continue;
            }
            let truth = self.truth(&fold.body);
            // What a list within left behind.
            self.locals.truncate(fold.local + 1);
            match (fold.kind, truth) {
                (FoldKind::All, Ok(false)) => return Ok(Value::Bool(false)),
                (FoldKind::Exists, Ok(true)) => return Ok(Value::Bool(true)),
                (FoldKind::Filter, Ok(true)) => kept.extend(self.locals.pop()),
                (_, Ok(truth)) => met += usize::from(truth),
                (FoldKind::All | FoldKind::Exists, Err(first)) if first.kind != FailureKind::Fuel => {
                    failure = failure.or(Some(first));
                }
                (_, Err(failure)) => return Err(failure),
            }
        }
        self.locals.truncate(fold.local);
        match (fold.kind, failure) {
            (_, Some(failure)) => Err(failure),
            (FoldKind::All, None) => Ok(Value::Bool(true)),
            (FoldKind::Exists, None) => Ok(Value::Bool(false)),
            (FoldKind::ExistsOne, None) => Ok(Value::Bool(met == 1)),
            (FoldKind::Filter | FoldKind::Map, None) => Ok(Value::List(List::Owned(kept))),
        }
    }
}
