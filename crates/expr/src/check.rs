//! From what is written to what is evaluated: names are found, types compared, patterns built, the cost estimated.

mod call;
mod compare;
mod names;

pub use call::{RegexFlaw, regex};

use crate::ast::{Ast, Binary, Tree};
use crate::environment::{Environment, MapFact, Meaning};
use crate::error::{Error, Failure, FailureKind, Span};
use crate::evaluate::{self, Nothing};
use crate::limits::COST_MAX;
use crate::node::{Node, Op};
use crate::value::{Kind, List, Value};

/// A node with its type and the steps it may take.
#[derive(Debug)]
pub(crate) struct Typed {
    pub(crate) node: Node,
    pub(crate) kind: Kind,
    pub(crate) cost: u64,
}

/// Names, types and patterns of an expression.
pub(crate) struct Checker<'e> {
    text: &'e str,
    environment: &'e Environment,
    /// Names that `exists(x, …)` and its like bind.
    locals: Vec<(String, Kind)>,
}

/// Steps that looking at a text of a request is estimated to take.
const TEXT_COST: u64 = 4;

/// Checks an expression and compiles it.
pub(crate) fn check(text: &str, ast: &Ast, environment: &Environment) -> Result<Typed, Error> {
    let typed = Checker { text, environment, locals: Vec::new() }.lower(ast)?;
    if typed.cost > COST_MAX {
        let message = format!("this may take {} steps for a request, and {COST_MAX} are allowed", typed.cost);
        return Err(Error::new(ast.span, message).hint("lists within lists multiply: nest fewer"));
    }
    Ok(typed)
}

impl Typed {
    fn new(span: Span, op: Op, kind: Kind, cost: u64) -> Self {
        Self { node: Node { span, op }, kind, cost: cost.saturating_add(1) }
    }

    /// The text, if it is one that is known.
    fn constant_text(&self) -> Option<&[u8]> {
        match &self.node.op {
            Op::Constant(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// The items of a list that is known.
    fn constant_items(&self) -> Option<&[Value<'static>]> {
        match &self.node.op {
            Op::Constant(Value::List(List::Owned(items))) => Some(items),
            _ => None,
        }
    }
}

impl Checker<'_> {
    fn lower(&mut self, ast: &Ast) -> Result<Typed, Error> {
        let span = ast.span;
        let typed = match &ast.tree {
            Tree::Constant(value) => Typed::new(span, Op::Constant(value.clone()), kind_of(value), 0),
            Tree::Name(name) => self.name(ast, name)?,
            Tree::Select(of, member, member_span) => self.select(ast, of, member, *member_span)?,
            Tree::Index(of, index) => self.index(span, of, index)?,
            Tree::Call(call) => self.call(span, call)?,
            Tree::Not(of) => {
                let of = self.truth(of, "`!`")?;
                Typed::new(span, Op::Not(Box::new(of.node)), Kind::Bool, of.cost)
            }
            Tree::Negate(of) => self.negate(span, of)?,
            Tree::All(items) => self.several(span, items, "`&&`", Op::All)?,
            Tree::Any(items) => self.several(span, items, "`||`", Op::Any)?,
            Tree::Binary(binary, a, b) => self.binary(span, *binary, a, b)?,
            Tree::Conditional(parts) => self.conditional(span, parts)?,
            Tree::List(items) => self.list(span, items)?,
        };
        folded(typed)
    }

    /// An operand that must be true or false.
    fn truth(&mut self, ast: &Ast, whose: &str) -> Result<Typed, Error> {
        let typed = self.lower(ast)?;
        match typed.kind {
            Kind::Bool | Kind::Any => Ok(typed),
            kind => {
                let message = format!("{whose} needs true or false, and this is {}", kind.words());
                Err(not_a_condition(self.text, ast.span, &kind, Error::new(ast.span, message)))
            }
        }
    }

    fn several(&mut self, span: Span, items: &[Ast], whose: &str, op: fn(Box<[Node]>) -> Op) -> Result<Typed, Error> {
        let (mut nodes, mut cost) = (Vec::with_capacity(items.len()), 0_u64);
        for item in items {
            let item = self.truth(item, whose)?;
            cost = cost.saturating_add(item.cost);
            nodes.push(item.node);
        }
        Ok(Typed::new(span, op(nodes.into()), Kind::Bool, cost))
    }

    fn negate(&mut self, span: Span, of: &Ast) -> Result<Typed, Error> {
        let of = self.lower(of)?;
        match of.kind {
            Kind::Int | Kind::Double | Kind::Duration | Kind::Any => {
                Ok(Typed::new(span, Op::Negate(Box::new(of.node)), of.kind, of.cost))
            }
            kind => Err(Error::new(of.node.span, format!("`-` needs a number, and this is {}", kind.words()))),
        }
    }

    fn conditional(&mut self, span: Span, parts: &[Ast; 3]) -> Result<Typed, Error> {
        let [condition, then, otherwise] = parts;
        let condition = self.truth(condition, "`?`")?;
        let (a, b) = (self.lower(then)?, self.lower(otherwise)?);
        let kind = match (a.kind, b.kind) {
            (a, b) if a == b => a,
            (Kind::Any, _) | (_, Kind::Any) => Kind::Any,
            (a, b) => {
                let message = format!("one branch is {}, the other {}", a.words(), b.words());
                return Err(Error::new(otherwise.span, message).label("another type than before `:`"));
            }
        };
        let cost = condition.cost.saturating_add(a.cost.max(b.cost));
        let nodes = Box::new([condition.node, a.node, b.node]);
        Ok(Typed::new(span, Op::Conditional(nodes), kind, cost))
    }

    fn list(&mut self, span: Span, items: &[Ast]) -> Result<Typed, Error> {
        let (mut nodes, mut cost, mut kind) = (Vec::with_capacity(items.len()), 0_u64, None);
        for item in items {
            let typed = self.lower(item)?;
            cost = cost.saturating_add(typed.cost);
            kind = match kind {
                None => Some(typed.kind),
                Some(kind) if kind == typed.kind => Some(kind),
                Some(kind) if kind.meets(&typed.kind) => Some(Kind::Any),
                Some(kind) => {
                    let message =
                        format!("a list has items of one type: this is {}, not {}", typed.kind.words(), kind.words());
                    return Err(Error::new(item.span, message));
                }
            };
            nodes.push(typed.node);
        }
        let kind = Kind::List(Box::new(kind.unwrap_or(Kind::Any)));
        Ok(Typed::new(span, Op::List(nodes.into()), kind, cost))
    }

    fn index(&mut self, span: Span, of: &Ast, index: &Ast) -> Result<Typed, Error> {
        if let Some(Meaning::Map(map)) = self.meaning(of) {
            let key = self.lower(index)?;
            return self.entry(span, map, key);
        }
        let (of, key) = (self.lower(of)?, self.lower(index)?);
        let kind = match (&of.kind, &key.kind) {
            (Kind::List(item), Kind::Int | Kind::Any) => (**item).clone(),
            (Kind::Any, Kind::Int | Kind::Text | Kind::Any) => Kind::Any,
            (Kind::List(_), other) => {
                return Err(Error::new(index.span, format!("a list is asked by number, not by {}", other.words())));
            }
            (other, _) => return Err(Error::new(span, format!("{} has no parts", other.words()))),
        };
        let cost = of.cost.saturating_add(key.cost);
        Ok(Typed::new(span, Op::Index(Box::new((of.node, key.node))), kind, cost))
    }

    /// An entry of a map: headers, cookies, parameters of the query.
    fn entry(&self, span: Span, map: MapFact, key: Typed) -> Result<Typed, Error> {
        if !matches!(key.kind, Kind::Text | Kind::Any) {
            let error = Error::new(key.node.span, format!("a name is text, and this is {}", key.kind.words()));
            let written = self.text.get(key.node.span.range()).unwrap_or_default();
            return Err(error.replace(key.node.span, format!("'{written}'")));
        }
        let op = match key.constant_text() {
            Some(name) => Op::Entry(map, canonical_key(map, name)),
            None => Op::EntryOf(map, Box::new(key.node)),
        };
        Ok(Typed::new(span, op, Kind::Text, key.cost.saturating_add(TEXT_COST)))
    }

    fn binary(&mut self, span: Span, binary: Binary, a: &Ast, b: &Ast) -> Result<Typed, Error> {
        match binary {
            Binary::In => self.within(span, a, b),
            Binary::Equal | Binary::Unequal => self.equality(span, binary, a, b),
            Binary::Less | Binary::LessOrEqual | Binary::Greater | Binary::GreaterOrEqual => {
                self.order(span, binary, a, b)
            }
            _ => self.arithmetic(span, binary, a, b),
        }
    }
}

/// Names of headers are alike in any case (RFC 9110 §5.1).
pub(crate) fn canonical_key(map: MapFact, name: &[u8]) -> Box<[u8]> {
    match map {
        MapFact::RequestHeaders | MapFact::ResponseHeaders => name.to_ascii_lowercase().into(),
        MapFact::RequestCookies | MapFact::RequestQuery => name.into(),
    }
}

pub(crate) fn kind_of(value: &Value<'_>) -> Kind {
    match value {
        Value::Null => Kind::Null,
        Value::Bool(_) => Kind::Bool,
        Value::Int(_) => Kind::Int,
        Value::Uint(_) => Kind::Uint,
        Value::Double(_) => Kind::Double,
        Value::Text(_) => Kind::Text,
        Value::Bytes(_) => Kind::Bytes,
        Value::Duration(_) => Kind::Duration,
        Value::Address(_) => Kind::Address,
        Value::Network(_) => Kind::Network,
        Value::List(list) => Kind::List(Box::new(list.items().first().map_or(Kind::Any, kind_of))),
        Value::Json(_) => Kind::Any,
    }
}

/// An error for a condition that is no truth value, with the comparison that was probably meant.
pub(crate) fn not_a_condition(text: &str, span: Span, kind: &Kind, error: Error) -> Error {
    let written = text.get(span.range()).unwrap_or_default();
    match kind {
        Kind::Text if !written.starts_with(['\'', '"']) => {
            error.replace_saying(format!("compare it: `{written} != ''`"), span, format!("{written} != ''"))
        }
        Kind::Int | Kind::Uint | Kind::Double => {
            error.replace_saying(format!("compare it: `{written} != 0`"), span, format!("{written} != 0"))
        }
        _ => error.hint("compare it with something"),
    }
}

/// Computes what depends on constants only.
fn folded(typed: Typed) -> Result<Typed, Error> {
    if !typed.node.op.is_foldable() {
        return Ok(typed);
    }
    let span = typed.node.span;
    let value = match evaluate::evaluate(&typed.node, &Nothing) {
        Ok(value) => value.into_owned(),
        Err(Failure { kind: FailureKind::Kind, .. }) => None,
        Err(Failure { kind, at }) => return Err(Error::new(at, format!("this {}", kind.words()))),
    };
    Ok(match value {
        Some(value) => Typed { node: Node { span, op: Op::Constant(value) }, kind: typed.kind, cost: 1 },
        None => typed,
    })
}
