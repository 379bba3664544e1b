use crate::check::{self, not_a_condition};
use crate::environment::{Environment, Facts};
use crate::error::{Error, Failure, Span};
use crate::evaluate;
use crate::node::{Node, Op};
use crate::parse;
use crate::value::{Kind, Value};
use std::fmt;

/// An expression that was read, type-checked and compiled.
#[derive(Clone, Debug)]
pub struct Expression {
    text: Box<str>,
    node: Node,
    kind: Kind,
    cost: u64,
}

impl Expression {
    /// Reads an expression and checks its names, types and cost.
    ///
    /// # Errors
    /// The first thing that is wrong, with where in the text.
    pub fn compile(text: &str, environment: &Environment) -> Result<Self, Error> {
        let ast = parse::parse(text)?;
        let typed = check::check(text, &ast, environment)?;
        Ok(Self { text: text.into(), node: typed.node, kind: typed.kind, cost: typed.cost })
    }

    /// The same for a condition: its type must be true or false.
    ///
    /// # Errors
    /// As [`Expression::compile`].
    pub fn condition(text: &str, environment: &Environment) -> Result<Self, Error> {
        let expression = Self::compile(text, environment)?;
        match &expression.kind {
            Kind::Bool | Kind::Any => Ok(expression),
            kind => {
                let span = Span::new(0, text.len());
                let error = Error::new(span, format!("a condition is true or false, and this is {}", kind.words()));
                Err(not_a_condition(text, span, kind, error))
            }
        }
    }

    /// Its type.
    pub fn kind(&self) -> &Kind {
        &self.kind
    }

    /// Steps that an evaluation may take, as estimated: at most [`crate::limits::COST_MAX`].
    pub fn cost(&self) -> u64 {
        self.cost
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether it is a condition that is true of every request.
    pub fn is_always_true(&self) -> bool {
        matches!(self.node.op, Op::Constant(Value::Bool(true)))
    }

    /// Whether it is a condition that is true of no request.
    pub fn is_never_true(&self) -> bool {
        matches!(self.node.op, Op::Constant(Value::Bool(false)))
    }

    /// Its value for a request. Pure, bounded by [`crate::limits::FUEL_MAX`] steps.
    ///
    /// # Errors
    /// [`Failure`] when it has none: a name is absent, a number too large …
    pub fn evaluate<'v>(&'v self, facts: &'v dyn Facts) -> Result<Value<'v>, Failure> {
        evaluate::evaluate(&self.node, facts)
    }

    /// Whether the condition holds. What has no value or is not a truth value does not hold, which a caller that
    /// *denies* by a condition must mind: it asks [`Expression::evaluate`] and denies on a failure too.
    pub fn holds(&self, facts: &dyn Facts) -> bool {
        matches!(self.evaluate(facts), Ok(Value::Bool(true)))
    }

    /// A failure in words: `` `request.headers['x']` is not there``.
    pub fn explain(&self, failure: Failure) -> String {
        let part = self.text.get(failure.at.range()).unwrap_or(&self.text);
        format!("`{part}` {}", failure.kind.words())
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl PartialEq for Expression {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text && self.kind == other.kind
    }
}
