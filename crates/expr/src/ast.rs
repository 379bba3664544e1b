//! What a text says, before its names and types are known.

use crate::error::{Error, Span};
use crate::limits::DEPTH_MAX;
use crate::value::Value;

#[derive(Clone, Debug)]
pub(crate) struct Ast {
    pub(crate) span: Span,
    pub(crate) tree: Tree,
    depth: u16,
}

#[derive(Clone, Debug)]
pub(crate) enum Tree {
    Constant(Value<'static>),
    Name(String),
    /// A member, with where its name stands.
    Select(Box<Ast>, String, Span),
    Index(Box<Ast>, Box<Ast>),
    Call(Call),
    Not(Box<Ast>),
    Negate(Box<Ast>),
    All(Vec<Ast>),
    Any(Vec<Ast>),
    Binary(Binary, Box<Ast>, Box<Ast>),
    Conditional(Box<[Ast; 3]>),
    List(Vec<Ast>),
}

#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) name: String,
    pub(crate) name_span: Span,
    pub(crate) receiver: Option<Box<Ast>>,
    pub(crate) arguments: Vec<Ast>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Equal,
    Unequal,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
}

impl Binary {
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::Equal => "==",
            Self::Unequal => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
            Self::In => "in",
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
            Self::Remainder => "%",
        }
    }
}

impl Ast {
    /// A node above others.
    ///
    /// # Errors
    /// When it would be nested deeper than [`DEPTH_MAX`]: evaluation recurses.
    pub(crate) fn new(span: Span, tree: Tree) -> Result<Self, Error> {
        let depth = 1 + tree.children().map(|child| child.depth).max().unwrap_or(0);
        if depth > DEPTH_MAX {
            let error = Error::new(span, format!("nested more than {DEPTH_MAX} levels deep"));
            return Err(error.hint("split it over several conditions"));
        }
        Ok(Self { span, tree, depth })
    }

    /// The same at another place: with its brackets.
    pub(crate) fn at(self, span: Span) -> Self {
        Self { span, ..self }
    }
}

impl Tree {
    fn children(&self) -> Box<dyn Iterator<Item = &Ast> + '_> {
        match self {
            Self::Constant(_) | Self::Name(_) => Box::new(std::iter::empty()),
            Self::Select(of, ..) | Self::Not(of) | Self::Negate(of) => Box::new(std::iter::once(&**of)),
            Self::Index(a, b) | Self::Binary(_, a, b) => Box::new([&**a, &**b].into_iter()),
            Self::Call(call) => Box::new(call.receiver.as_deref().into_iter().chain(&call.arguments)),
            Self::All(items) | Self::Any(items) | Self::List(items) => Box::new(items.iter()),
            Self::Conditional(parts) => Box::new(parts.iter()),
        }
    }
}
