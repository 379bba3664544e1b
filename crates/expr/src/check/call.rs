//! Calls: functions by their signature, `has`, `size`, `matches`, and functions over lists.

use super::compare::items_estimated;
use super::{Checker, TEXT_COST, Typed};
use crate::ast::{Ast, Call, Tree};
use crate::error::{Error, Span};
use crate::functions::{self, FUNCTIONS, Signature};
use crate::limits::{REGEX_BYTES_MAX, REGEX_TEXT_BYTES_MAX};
use crate::node::{Fold, FoldKind, Function, Node, Op};
use crate::value::Kind;
use crate::words;
use regex::bytes::{Regex, RegexBuilder};

/// Steps that a search with a regular expression is estimated to take.
const REGEX_COST: u64 = 16;

impl Checker<'_> {
    pub(super) fn call(&mut self, span: Span, call: &Call) -> Result<Typed, Error> {
        let arguments: Vec<&Ast> = call.receiver.as_deref().into_iter().chain(&call.arguments).collect();
        match (call.name.as_str(), arguments.as_slice()) {
            ("has", [of]) => self.has(span, of),
            ("size", [of]) => self.size(span, of),
            ("matches", [of, pattern]) => self.matches(span, of, pattern),
            (name, [over, variable, body]) if functions::fold(name).is_some() && call.receiver.is_some() => {
                let kind = functions::fold(name).unwrap_or(FoldKind::All);
                self.fold(span, kind, over, variable, body)
            }
            (name, arguments) => match functions::signature(name) {
                Some(signature) => self.by_signature(span, call, &signature, arguments),
                None => Err(unknown(call)),
            },
        }
    }

    fn by_signature(
        &mut self,
        span: Span,
        call: &Call,
        signature: &Signature,
        arguments: &[&Ast],
    ) -> Result<Typed, Error> {
        let most = signature.arguments.len();
        if !(most - signature.optional..=most).contains(&arguments.len()) {
            return Err(wrong_form(span, &call.name));
        }
        let (mut nodes, mut cost) = (Vec::with_capacity(arguments.len()), 0_u64);
        for (at, (argument, wanted)) in arguments.iter().zip(signature.arguments).enumerate() {
            let typed = self.lower(argument)?;
            if typed.kind != Kind::Any && !wanted.contains(&typed.kind) {
                let what = if at == 0 && call.receiver.is_some() { "is asked of" } else { "wants" };
                return Err(self.wrong_argument(&call.name, what, wanted, &typed));
            }
            cost = cost.saturating_add(typed.cost);
            nodes.push(typed.node);
        }
        let op = Op::Call(signature.function, nodes.into());
        Ok(Typed::new(span, op, signature.result.clone(), cost.saturating_add(TEXT_COST)))
    }

    fn wrong_argument(&self, name: &str, what: &str, wanted: &[Kind], got: &Typed) -> Error {
        let span = got.node.span;
        let words = wanted.first().map_or_else(String::new, Kind::words);
        let error = Error::new(span, format!("`{name}` {what} {words}, and this is {}", got.kind.words()));
        let written = self.text.get(span.range()).unwrap_or_default();
        match got.kind {
            Kind::Address if name == "startsWith" => error.hint("networks are asked so: `client.ip in ['10.0.0.0/8']`"),
            Kind::Int | Kind::Uint | Kind::Double if matches!(got.node.op, Op::Constant(_)) => {
                error.replace(span, format!("'{written}'"))
            }
            Kind::Int | Kind::Uint | Kind::Double | Kind::Duration | Kind::Bool | Kind::Address
                if wanted.contains(&Kind::Text) =>
            {
                error.replace(span, format!("string({written})"))
            }
            _ => error,
        }
    }

    fn has(&mut self, span: Span, of: &Ast) -> Result<Typed, Error> {
        let typed = self.lower(of)?;
        let may_be_absent = matches!(
            typed.node.op,
            Op::Fact(_) | Op::Entry(..) | Op::EntryOf(..) | Op::Added(_) | Op::Select(..) | Op::Index(_)
        );
        if !may_be_absent {
            let error = Error::new(of.span, "`has` asks for a name that may be absent");
            return Err(error.hint("such as `has(request.headers['x-user'])`"));
        }
        Ok(Typed::new(span, Op::Has(Box::new(typed.node)), Kind::Bool, typed.cost))
    }

    fn size(&mut self, span: Span, of: &Ast) -> Result<Typed, Error> {
        let of = self.lower(of)?;
        if !matches!(of.kind, Kind::Text | Kind::Bytes | Kind::List(_) | Kind::Any) {
            let message = format!("`size` wants text or a list, and this is {}", of.kind.words());
            return Err(Error::new(of.node.span, message));
        }
        let op = Op::Call(Function::Size, Box::new([of.node]));
        Ok(Typed::new(span, op, Kind::Int, of.cost.saturating_add(TEXT_COST)))
    }

    /// The pattern is built here, once.
    fn matches(&mut self, span: Span, of: &Ast, pattern: &Ast) -> Result<Typed, Error> {
        let (of, built) = (self.lower(of)?, self.lower(pattern)?);
        if !matches!(of.kind, Kind::Text | Kind::Any) {
            let wanted = [Kind::Text];
            return Err(self.wrong_argument("matches", "is asked of", &wanted, &of));
        }
        let Some(text) = built.constant_text() else {
            let error = Error::new(pattern.span, "a pattern must be known when the file is loaded");
            return Err(error.hint("write it in quotes: `matches('^/v[0-9]+/')`"));
        };
        let text = String::from_utf8_lossy(text).into_owned();
        let regex = self.regex(pattern.span, &text)?;
        let op = Op::Matches(Box::new(of.node), Box::new(regex));
        Ok(Typed::new(span, op, Kind::Bool, of.cost.saturating_add(REGEX_COST)))
    }

    fn regex(&self, span: Span, text: &str) -> Result<Regex, Error> {
        regex(text).map_err(|flaw| {
            // In a text without escapes, what follows the quote is the pattern as it stands.
            let written = self.text.get(span.range()).unwrap_or_default();
            let lead = written.find(text).filter(|_| !text.is_empty());
            let within = flaw.span.clone().and_then(|range| {
                let start = span.start as usize + lead?;
                Some(Span::new(start + range.start, start + range.end))
            });
            Error::new(within.unwrap_or(span), format!("this is no regular expression: {}", flaw.message))
        })
    }

    fn fold(&mut self, span: Span, kind: FoldKind, over: &Ast, variable: &Ast, body: &Ast) -> Result<Typed, Error> {
        let over = self.lower(over)?;
        let item = match &over.kind {
            Kind::List(item) => (**item).clone(),
            Kind::Any => Kind::Any,
            other => {
                return Err(Error::new(over.node.span, format!("this asks a list, and {} is none", other.words())));
            }
        };
        let Tree::Name(name) = &variable.tree else {
            let error = Error::new(variable.span, "a name for each item is missing");
            return Err(error.hint("write `list.exists(item, item == 'a')`"));
        };
        let local = self.locals.len();
        self.locals.push((name.clone(), item));
        let body = if kind == FoldKind::Map { self.lower(body) } else { self.truth(body, "each item's condition") };
        let item = self.locals.pop();
        let body = body?;
        let result = match kind {
            FoldKind::All | FoldKind::Exists | FoldKind::ExistsOne => Kind::Bool,
            FoldKind::Filter => Kind::List(Box::new(item.map_or(Kind::Any, |(_, kind)| kind))),
            FoldKind::Map => Kind::List(Box::new(body.kind)),
        };
        let rounds = items_estimated(&over).saturating_mul(body.cost.saturating_add(1));
        let cost = over.cost.saturating_add(rounds);
        let fold = Fold { kind, over: over.node, local, body: body.node };
        Ok(Typed::new(span, Op::Fold(Box::new(fold)), result, cost))
    }
}

/// What is wrong with a regular expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegexFlaw {
    /// In words.
    pub message: String,
    /// Where in its text, in bytes.
    pub span: Option<std::ops::Range<usize>>,
}

/// Builds a regular expression for text that need not be UTF-8: linear in what it searches, bounded in memory.
///
/// # Errors
/// A [`RegexFlaw`] for one that cannot be read, or that needs more than [`REGEX_BYTES_MAX`].
pub fn regex(text: &str) -> Result<Regex, RegexFlaw> {
    let flaw = |message: String, span| RegexFlaw { message, span };
    if text.len() > REGEX_TEXT_BYTES_MAX {
        return Err(flaw(format!("it is longer than {REGEX_TEXT_BYTES_MAX} bytes"), None));
    }
    let parsed = regex_syntax::ParserBuilder::new().utf8(false).nest_limit(50).build().parse(text);
    if let Err(error) = parsed {
        let (message, span) = match &error {
            regex_syntax::Error::Parse(error) => (error.kind().to_string(), Some(error.span())),
            regex_syntax::Error::Translate(error) => (error.kind().to_string(), Some(error.span())),
            _ => (error.to_string(), None),
        };
        return Err(flaw(message, span.map(|span| span.start.offset..span.end.offset.max(span.start.offset + 1))));
    }
    let mut builder = RegexBuilder::new(text);
    builder.size_limit(REGEX_BYTES_MAX).dfa_size_limit(REGEX_BYTES_MAX).nest_limit(50);
    builder.build().map_err(|error| match error {
        regex::Error::CompiledTooBig(_) => flaw("it needs more than 1 MiB of memory".to_owned(), None),
        other => flaw(other.to_string(), None),
    })
}

fn unknown(call: &Call) -> Error {
    let name = call.name.as_str();
    let known = || FUNCTIONS.iter().map(|function| function.name);
    if known().any(|known| known == name) {
        return wrong_form(call.name_span, name);
    }
    let error = Error::new(call.name_span, format!("there is no function `{name}`")).label("not a function");
    let peer = functions::PEERS.iter().find(|(theirs, _)| *theirs == name).map(|(_, ours)| *ours);
    match peer.or_else(|| words::closest(name, known())) {
        Some(near) => error.replace(call.name_span, near),
        None => error.hint(format!("functions: {}", known().collect::<Vec<_>>().join(", "))),
    }
}

/// A function that was not given what it needs.
fn wrong_form(span: Span, name: &str) -> Error {
    let form = FUNCTIONS.iter().find(|function| function.name == name).map_or("", |function| function.form);
    Error::new(span, format!("`{name}` is not written so")).hint(format!("write {form}"))
}

/// Keeps the tree's leaves small.
const _: () = assert!(std::mem::size_of::<Node>() <= 64);
