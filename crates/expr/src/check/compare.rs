//! Operators between two values: equality, order, membership, arithmetic.

use super::{Checker, Typed};
use crate::ast::{Ast, Binary};
use crate::environment::Meaning;
use crate::error::{Error, Span};
use crate::node::{Node, Op};
use crate::value::{Kind, Value};
use ipnet::IpNet;
use std::net::IpAddr;

impl Checker<'_> {
    pub(super) fn equality(&mut self, span: Span, binary: Binary, a: &Ast, b: &Ast) -> Result<Typed, Error> {
        let (a, b) = (self.lower(a)?, self.lower(b)?);
        let (a, b) = as_addresses(a, b)?;
        if !a.kind.meets(&b.kind) {
            return Err(self.mismatch(span, binary, &a, &b));
        }
        let cost = a.cost.saturating_add(b.cost);
        let two = Box::new((a.node, b.node));
        let op = if binary == Binary::Equal { Op::Equal(two) } else { Op::Unequal(two) };
        Ok(Typed::new(span, op, Kind::Bool, cost))
    }

    pub(super) fn order(&mut self, span: Span, binary: Binary, a: &Ast, b: &Ast) -> Result<Typed, Error> {
        let (a, b) = (self.lower(a)?, self.lower(b)?);
        let ordered =
            |kind: &Kind| kind.is_number() || matches!(kind, Kind::Text | Kind::Bytes | Kind::Duration | Kind::Bool);
        if !a.kind.meets(&b.kind) {
            return Err(self.mismatch(span, binary, &a, &b));
        }
        if let Some(other) = [&a, &b].into_iter().find(|side| !ordered(&side.kind)) {
            let message = format!("{} has no order, so `{}` says nothing", other.kind.words(), binary.sign());
            return Err(Error::new(other.node.span, message));
        }
        let cost = a.cost.saturating_add(b.cost);
        Ok(Typed::new(span, Op::Order(binary, Box::new((a.node, b.node))), Kind::Bool, cost))
    }

    /// Two types that never meet; a constant on one side is written in the type of the other.
    fn mismatch(&self, span: Span, binary: Binary, a: &Typed, b: &Typed) -> Error {
        let message = format!("{} and {} cannot be compared by `{}`", a.kind.words(), b.kind.words(), binary.sign());
        let error = Error::new(span, message);
        let written = |side: &Typed| self.text.get(side.node.span.range()).unwrap_or_default().to_owned();
        for (constant, other) in [(a, b), (b, a)] {
            let Op::Constant(value) = &constant.node.op else { continue };
            let better = match (value, &other.kind) {
                (Value::Int(_) | Value::Uint(_) | Value::Double(_) | Value::Bool(_), Kind::Text) => {
                    Some(format!("'{}'", written(constant)))
                }
                (Value::Text(text), kind) => unquoted(text, kind),
                (Value::Int(number), Kind::Duration) => Some(format!("{number}s")),
                _ => None,
            };
            if let Some(better) = better {
                return error.replace(constant.node.span, better);
            }
        }
        error
    }

    pub(super) fn within(&mut self, span: Span, a: &Ast, b: &Ast) -> Result<Typed, Error> {
        if let Some(Meaning::Map(map)) = self.meaning(b) {
            let key = self.lower(a)?;
            let entry = self.entry(b.span, map, key)?;
            return Ok(Typed::new(span, Op::Has(Box::new(entry.node)), Kind::Bool, entry.cost));
        }
        let (a, b) = (self.lower(a)?, self.lower(b)?);
        if a.kind == Kind::Address
            && let Some(networks) = networks(&b)?
        {
            let cost = a.cost.saturating_add(networks.len() as u64);
            return Ok(Typed::new(span, Op::InNetworks(Box::new(a.node), networks), Kind::Bool, cost));
        }
        match &b.kind {
            Kind::List(item) if item.meets(&a.kind) => {}
            Kind::Any => {}
            Kind::List(item) => {
                let message = format!("{} is never in a list of {}", a.kind.words(), item.words());
                return Err(Error::new(span, message));
            }
            Kind::Text => {
                let text = |side: &Typed| self.text.get(side.node.span.range()).unwrap_or_default().to_owned();
                let better = format!("{}.contains({})", text(&b), text(&a));
                return Err(Error::new(span, "`in` asks lists and names, not text").replace(span, better));
            }
            other => return Err(Error::new(b.node.span, format!("`in` needs a list, and this is {}", other.words()))),
        }
        let cost = a.cost.saturating_add(b.cost).saturating_add(items_estimated(&b));
        if a.kind == Kind::Text
            && let Some(texts) = sorted_texts(&b)
        {
            return Ok(Typed::new(span, Op::InTexts(Box::new(a.node), texts), Kind::Bool, cost));
        }
        Ok(Typed::new(span, Op::In(Box::new((a.node, b.node))), Kind::Bool, cost))
    }

    pub(super) fn arithmetic(&mut self, span: Span, binary: Binary, a: &Ast, b: &Ast) -> Result<Typed, Error> {
        let (a, b) = (self.lower(a)?, self.lower(b)?);
        let additive = matches!(binary, Binary::Add | Binary::Subtract);
        let kind = match (&a.kind, &b.kind) {
            (Kind::Any, other) | (other, Kind::Any) => other.clone(),
            (x, y) if x != y => return Err(self.unlike(span, binary, &a, &b)),
            (Kind::Int | Kind::Uint, _) => a.kind.clone(),
            (Kind::Double, _) if binary != Binary::Remainder => Kind::Double,
            (Kind::Duration, _) if additive => Kind::Duration,
            (Kind::Text | Kind::Bytes | Kind::List(_), _) if binary == Binary::Add => a.kind.clone(),
            (other, _) => {
                let message = format!("`{}` cannot be applied to {}", binary.sign(), other.words());
                return Err(Error::new(span, message));
            }
        };
        let cost = a.cost.saturating_add(b.cost);
        Ok(Typed::new(span, Op::Arithmetic(binary, Box::new((a.node, b.node))), kind, cost))
    }

    fn unlike(&self, span: Span, binary: Binary, a: &Typed, b: &Typed) -> Error {
        let message = format!("`{}` needs two of one type: {} and {}", binary.sign(), a.kind.words(), b.kind.words());
        let written = |side: &Typed| self.text.get(side.node.span.range()).unwrap_or_default().to_owned();
        let error = Error::new(span, message);
        let (text, other) = if a.kind == Kind::Text { (a, b) } else { (b, a) };
        if text.kind == Kind::Text && binary == Binary::Add {
            return error.replace(other.node.span, format!("string({})", written(other)));
        }
        if a.kind.is_number() && b.kind.is_number() {
            let whole = if a.kind == Kind::Double { b } else { a };
            return error.replace(whole.node.span, format!("double({})", written(whole)));
        }
        error
    }
}

/// A text that is known as a constant of another type, as it is written there.
fn unquoted(text: &[u8], kind: &Kind) -> Option<String> {
    let text = std::str::from_utf8(text).ok()?;
    match kind {
        Kind::Int => text.parse::<i64>().ok().map(|number| number.to_string()),
        Kind::Double => text.parse::<f64>().ok().map(|_| text.to_owned()),
        Kind::Bool => matches!(text, "true" | "false").then(|| text.to_owned()),
        Kind::Duration => crate::evaluate::parse_duration(text).map(|_| format!("duration('{text}')")),
        _ => None,
    }
}

/// Items that a list has or is taken to have.
pub(super) fn items_estimated(list: &Typed) -> u64 {
    match &list.node.op {
        Op::List(items) => items.len() as u64,
        _ => list.constant_items().map_or(crate::limits::LIST_ITEMS_ESTIMATED, |items| items.len() as u64),
    }
}

/// A known text beside an address is read as one.
fn as_addresses(a: Typed, b: Typed) -> Result<(Typed, Typed), Error> {
    match (&a.kind, &b.kind) {
        (Kind::Address, Kind::Text) => {
            let b = as_address(b)?;
            Ok((a, b))
        }
        (Kind::Text, Kind::Address) => {
            let a = as_address(a)?;
            Ok((a, b))
        }
        _ => Ok((a, b)),
    }
}

fn as_address(side: Typed) -> Result<Typed, Error> {
    let span = side.node.span;
    let Some(text) = side.constant_text() else { return Ok(side) };
    let text = String::from_utf8_lossy(text);
    let address = text.parse::<IpAddr>().map_err(|_| {
        let error = Error::new(span, format!("`{text}` is no IP address"));
        match text.parse::<IpNet>() {
            Ok(_) => error.hint("for a network write `client.ip in ['10.0.0.0/8']`"),
            Err(_) => error.hint("such as '192.0.2.1' or '2001:db8::1'"),
        }
    })?;
    Ok(Typed { node: Node { span, op: Op::Constant(Value::Address(address)) }, kind: Kind::Address, cost: 1 })
}

/// The networks of a list of texts, or of one network.
fn networks(list: &Typed) -> Result<Option<Box<[IpNet]>>, Error> {
    if let Op::Constant(Value::Network(network)) = &list.node.op {
        return Ok(Some(Box::new([*network])));
    }
    let Some(items) = list.constant_items() else { return Ok(None) };
    let network = |item: &Value<'_>| match item {
        Value::Text(text) => {
            let text = String::from_utf8_lossy(text);
            crate::evaluate::parse_network(&text).ok_or_else(|| {
                let error = Error::new(list.node.span, format!("`{text}` is no network"));
                error.hint("such as '10.0.0.0/8', '2001:db8::/32' or '192.0.2.1'")
            })
        }
        Value::Network(network) => Ok(*network),
        Value::Address(address) => Ok(IpNet::from(*address)),
        other => Err(Error::new(list.node.span, format!("{} is no network", super::kind_of(other).words()))),
    };
    items.iter().map(network).collect::<Result<_, _>>().map(Some)
}

fn sorted_texts(list: &Typed) -> Option<Box<[Box<[u8]>]>> {
    let text = |item: &Value<'_>| match item {
        Value::Text(text) => Some(Box::<[u8]>::from(&**text)),
        _ => None,
    };
    let mut texts: Vec<_> = list.constant_items()?.iter().map(text).collect::<Option<_>>()?;
    texts.sort_unstable();
    texts.dedup();
    Some(texts.into())
}
