//! The compiled form: names are places, patterns are built, types are known.

use crate::ast::Binary;
use crate::environment::{Fact, MapFact};
use crate::error::Span;
use crate::value::Value;
use ipnet::IpNet;
use regex::bytes::Regex;

#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) span: Span,
    pub(crate) op: Op,
}

type Two = Box<(Node, Node)>;

#[derive(Clone, Debug)]
pub(crate) enum Op {
    Constant(Value<'static>),
    Fact(Fact),
    /// The entry of a map whose name is known.
    Entry(MapFact, Box<[u8]>),
    EntryOf(MapFact, Box<Node>),
    Capture(usize),
    Added(Box<str>),
    Local(usize),
    /// A member of a document.
    Select(Box<Node>, Box<str>),
    Index(Two),
    /// Whether the value is there.
    Has(Box<Node>),
    Not(Box<Node>),
    Negate(Box<Node>),
    All(Box<[Node]>),
    Any(Box<[Node]>),
    Conditional(Box<[Node; 3]>),
    Equal(Two),
    Unequal(Two),
    /// `<`, `<=`, `>`, `>=`.
    Order(Binary, Two),
    Arithmetic(Binary, Two),
    In(Two),
    /// In a list of texts that are known, sorted.
    InTexts(Box<Node>, Box<[Box<[u8]>]>),
    /// An address in one of these networks.
    InNetworks(Box<Node>, Box<[IpNet]>),
    Matches(Box<Node>, Box<Regex>),
    Call(Function, Box<[Node]>),
    List(Box<[Node]>),
    Fold(Box<Fold>),
}

/// A function over each item of a list.
#[derive(Clone, Debug)]
pub(crate) struct Fold {
    pub(crate) kind: FoldKind,
    pub(crate) over: Node,
    /// The place of the item among the local names.
    pub(crate) local: usize,
    pub(crate) body: Node,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FoldKind {
    All,
    Exists,
    ExistsOne,
    Filter,
    Map,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    StartsWith,
    EndsWith,
    Contains,
    ContainsAddress,
    Size,
    LowerAscii,
    UpperAscii,
    Trim,
    Split,
    Replace,
    Substring,
    ToText,
    ToInt,
    ToUint,
    ToDouble,
    ToDuration,
    ToAddress,
    ToNetwork,
}

impl Op {
    /// Whether the value depends on nothing but constants.
    pub(crate) fn is_foldable(&self) -> bool {
        let constant = |node: &Node| matches!(node.op, Op::Constant(_));
        match self {
            Self::Not(of)
            | Self::Negate(of)
            | Self::InTexts(of, _)
            | Self::InNetworks(of, _)
            | Self::Matches(of, _) => constant(of),
            Self::Equal(two) | Self::Unequal(two) | Self::Order(_, two) | Self::Arithmetic(_, two) | Self::In(two) => {
                constant(&two.0) && constant(&two.1)
            }
            Self::Index(two) => constant(&two.0) && constant(&two.1),
            Self::Call(_, items) | Self::List(items) => items.iter().all(constant),
            _ => false,
        }
    }
}
