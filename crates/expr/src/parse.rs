//! From tokens to [`Ast`]: the grammar of CEL, less maps and messages, by recursive descent.

use crate::ast::{Ast, Binary, Call, Tree};
use crate::error::{Error, Span};
use crate::lex::{Lexer, Token};
use crate::limits::{DEPTH_MAX, NODES_MAX, TEXT_BYTES_MAX};
use crate::value::Value;
use std::borrow::Cow;

/// Words that CEL keeps for itself or that other languages use for operators.
const RESERVED: [&str; 15] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
];

/// Words of other languages with ours.
const OPERATOR_WORDS: [(&str, &str); 3] = [("and", "&&"), ("or", "||"), ("not", "!")];

pub(crate) fn parse(text: &str) -> Result<Ast, Error> {
    if text.len() > TEXT_BYTES_MAX {
        let span = Span::new(TEXT_BYTES_MAX, text.len());
        return Err(Error::new(span, format!("an expression has at most {TEXT_BYTES_MAX} bytes")));
    }
    let mut lexer = Lexer::new(text);
    let (token, span) = lexer.next()?;
    let mut parser = Parser { lexer, token, span, before: Span::default(), nodes: 0, nesting: 0 };
    if parser.token == Token::End {
        return Err(Error::new(Span::new(0, text.len()), "an expression is missing").hint("write `true`"));
    }
    let ast = parser.expression()?;
    match parser.token {
        Token::End => Ok(ast),
        _ => Err(parser.unexpected("the expression has ended here")),
    }
}

struct Parser<'t> {
    lexer: Lexer<'t>,
    token: Token,
    span: Span,
    /// Where the token before ended.
    before: Span,
    nodes: usize,
    nesting: u16,
}

impl Parser<'_> {
    fn advance(&mut self) -> Result<Token, Error> {
        let (token, span) = self.lexer.next()?;
        self.before = std::mem::replace(&mut self.span, span);
        Ok(std::mem::replace(&mut self.token, token))
    }

    fn is(&self, sign: &str) -> bool {
        matches!(&self.token, Token::Sign(found) if *found == sign)
    }

    /// Takes the sign if it is there.
    fn took(&mut self, sign: &str) -> Result<bool, Error> {
        let is = self.is(sign);
        if is {
            self.advance()?;
        }
        Ok(is)
    }

    fn expect_close(&mut self, sign: &'static str, opened: Span) -> Result<(), Error> {
        if self.took(sign)? {
            return Ok(());
        }
        if self.token == Token::End {
            let error = Error::new(opened, "a bracket is never closed").label("opened here");
            return Err(error.replace_saying(format!("add `{sign}` at the end"), self.span, sign));
        }
        Err(self.unexpected(&format!("`{sign}` or an operator is missing before this")))
    }

    fn unexpected(&self, label: &str) -> Error {
        if let Token::Name(word) = &self.token
            && let Some((_, ours)) = OPERATOR_WORDS.iter().find(|(theirs, _)| theirs.eq_ignore_ascii_case(word))
        {
            return Error::new(self.span, format!("`{word}` is no operator")).replace(self.span, *ours);
        }
        let message = match &self.token {
            Token::End => "the expression ends too early".to_owned(),
            Token::Sign(sign) => format!("`{sign}` is not expected here"),
            Token::Name(word) => format!("`{word}` is not expected here"),
            _ => "a value is not expected here".to_owned(),
        };
        Error::new(self.span, message).label(label)
    }

    fn node(&mut self, start: Span, tree: Tree) -> Result<Ast, Error> {
        self.nodes += 1;
        let span = start.to(self.before);
        if self.nodes > NODES_MAX {
            return Err(Error::new(span, format!("an expression has at most {NODES_MAX} parts")));
        }
        Ast::new(span, tree)
    }

    /// `a ? b : c`, right to left.
    fn expression(&mut self) -> Result<Ast, Error> {
        self.nesting += 1;
        if self.nesting > DEPTH_MAX {
            return Err(Error::new(self.span, format!("nested more than {DEPTH_MAX} levels deep")));
        }
        let start = self.span;
        let condition = self.any()?;
        let ast = if self.took("?")? {
            let then = self.any()?;
            if !self.took(":")? {
                return Err(self.unexpected("`:` is missing before this"));
            }
            let otherwise = self.expression()?;
            self.node(start, Tree::Conditional(Box::new([condition, then, otherwise])))?
        } else {
            condition
        };
        self.nesting -= 1;
        Ok(ast)
    }

    fn any(&mut self) -> Result<Ast, Error> {
        let start = self.span;
        let mut items = vec![self.all()?];
        while self.took("||")? {
            items.push(self.all()?);
        }
        self.several(start, items, Tree::Any)
    }

    fn all(&mut self) -> Result<Ast, Error> {
        let start = self.span;
        let mut items = vec![self.relation()?];
        while self.took("&&")? {
            items.push(self.relation()?);
        }
        self.several(start, items, Tree::All)
    }

    fn several(&mut self, start: Span, mut items: Vec<Ast>, tree: fn(Vec<Ast>) -> Tree) -> Result<Ast, Error> {
        match items.pop() {
            Some(only) if items.is_empty() => Ok(only),
            last => {
                items.extend(last);
                self.node(start, tree(items))
            }
        }
    }

    fn relation(&mut self) -> Result<Ast, Error> {
        let operator = |token: &Token| match token {
            Token::Sign("==") => Some(Binary::Equal),
            Token::Sign("!=") => Some(Binary::Unequal),
            Token::Sign("<") => Some(Binary::Less),
            Token::Sign("<=") => Some(Binary::LessOrEqual),
            Token::Sign(">") => Some(Binary::Greater),
            Token::Sign(">=") => Some(Binary::GreaterOrEqual),
            Token::Name(word) if word == "in" => Some(Binary::In),
            _ => None,
        };
        self.chain(operator, Self::sum)
    }

    fn sum(&mut self) -> Result<Ast, Error> {
        let operator = |token: &Token| match token {
            Token::Sign("+") => Some(Binary::Add),
            Token::Sign("-") => Some(Binary::Subtract),
            _ => None,
        };
        self.chain(operator, Self::product)
    }

    fn product(&mut self) -> Result<Ast, Error> {
        let operator = |token: &Token| match token {
            Token::Sign("*") => Some(Binary::Multiply),
            Token::Sign("/") => Some(Binary::Divide),
            Token::Sign("%") => Some(Binary::Remainder),
            _ => None,
        };
        self.chain(operator, Self::unary)
    }

    fn chain(
        &mut self,
        operator: impl Fn(&Token) -> Option<Binary>,
        operand: fn(&mut Self) -> Result<Ast, Error>,
    ) -> Result<Ast, Error> {
        let start = self.span;
        let mut left = operand(self)?;
        while let Some(binary) = operator(&self.token) {
            self.advance()?;
            let right = operand(self)?;
            left = self.node(start, Tree::Binary(binary, Box::new(left), Box::new(right)))?;
        }
        Ok(left)
    }

    /// `!!a`, `-a`: a loop, so that no run of signs deepens the stack.
    fn unary(&mut self) -> Result<Ast, Error> {
        let mut signs = Vec::new();
        while self.is("!") || self.is("-") {
            signs.push((self.is("!"), self.span));
            self.advance()?;
        }
        let mut ast = self.member()?;
        for (is_not, span) in signs.into_iter().rev() {
            let tree = if is_not { Tree::Not(Box::new(ast)) } else { Tree::Negate(Box::new(ast)) };
            ast = self.node(span, tree)?;
        }
        Ok(ast)
    }

    fn member(&mut self) -> Result<Ast, Error> {
        let start = self.span;
        let mut ast = self.primary()?;
        loop {
            if self.took(".")? {
                ast = self.selection(start, ast)?;
            } else if self.is("[") {
                let opened = self.span;
                self.advance()?;
                let index = self.expression()?;
                self.expect_close("]", opened)?;
                ast = self.node(start, Tree::Index(Box::new(ast), Box::new(index)))?;
            } else {
                return Ok(ast);
            }
        }
    }

    fn selection(&mut self, start: Span, of: Ast) -> Result<Ast, Error> {
        let name_span = self.span;
        let Token::Name(name) = self.token.clone() else {
            return Err(self.unexpected("a name is missing before this"));
        };
        self.advance()?;
        if self.is("(") {
            let arguments = self.arguments()?;
            return self.node(start, Tree::Call(Call { name, name_span, receiver: Some(Box::new(of)), arguments }));
        }
        self.node(start, Tree::Select(Box::new(of), name, name_span))
    }

    /// `(a, b)`
    fn arguments(&mut self) -> Result<Vec<Ast>, Error> {
        let opened = self.span;
        self.advance()?;
        self.items(")", opened)
    }

    fn items(&mut self, close: &'static str, opened: Span) -> Result<Vec<Ast>, Error> {
        let mut items = Vec::new();
        while !self.is(close) {
            items.push(self.expression()?);
            if !self.took(",")? {
                break;
            }
        }
        self.expect_close(close, opened)?;
        Ok(items)
    }

    fn primary(&mut self) -> Result<Ast, Error> {
        let start = self.span;
        match &self.token {
            Token::Sign("(") => {
                self.advance()?;
                let inner = self.expression()?;
                self.expect_close(")", start)?;
                Ok(inner.at(start.to(self.before)))
            }
            Token::Sign("[") => {
                self.advance()?;
                let items = self.items("]", start)?;
                self.node(start, Tree::List(items))
            }
            Token::Sign("{") => Err(Error::new(start, "maps cannot be written in an expression")
                .hint("list the cases: `a == 'x' ? 'one' : 'two'`")),
            Token::Sign(_) | Token::End => Err(self.unexpected("a value is missing here")),
            Token::Name(_) => self.name(),
            _ => self.literal(),
        }
    }

    fn literal(&mut self) -> Result<Ast, Error> {
        let start = self.span;
        let value = match self.advance()? {
            Token::Int(number) => match i64::try_from(number) {
                Ok(number) => Value::Int(number),
                Err(_) => return Err(Error::new(start, "a number is too large").hint("write `u` behind it")),
            },
            Token::Uint(number) => Value::Uint(number),
            Token::Double(number) => Value::Double(number),
            Token::Duration(nanoseconds) => Value::Duration(nanoseconds),
            Token::Text(text) => Value::Text(Cow::Owned(text)),
            Token::Bytes(bytes) => Value::Bytes(Cow::Owned(bytes)),
            Token::Name(_) | Token::Sign(_) | Token::End => Value::Null,
        };
        self.node(start, Tree::Constant(value))
    }

    fn name(&mut self) -> Result<Ast, Error> {
        let start = self.span;
        let Token::Name(name) = self.token.clone() else { return Err(self.unexpected("a name is missing here")) };
        let is_operator = OPERATOR_WORDS.iter().any(|(word, _)| word.eq_ignore_ascii_case(&name));
        if is_operator || name == "in" {
            return Err(self.unexpected("a value is missing before this"));
        }
        if RESERVED.contains(&name.as_str()) {
            let error = Error::new(start, format!("`{name}` is a word that CEL keeps for itself"));
            return Err(error.hint("a condition is written `a ? b : c`"));
        }
        self.advance()?;
        if self.is("(") {
            let arguments = self.arguments()?;
            return self.node(start, Tree::Call(Call { name, name_span: start, receiver: None, arguments }));
        }
        let tree = match name.as_str() {
            "true" => Tree::Constant(Value::Bool(true)),
            "false" => Tree::Constant(Value::Bool(false)),
            "null" => Tree::Constant(Value::Null),
            _ => Tree::Name(name),
        };
        self.node(start, tree)
    }
}
