//! Operators and functions on values.

use super::Evaluation;
use super::convert::{self, parse_network};
use crate::ast::Binary;
use crate::error::{Failure, FailureKind, Span};
use crate::limits::BUILT_BYTES_MAX;
use crate::node::{Function, Node};
use crate::value::{List, Value};
use std::borrow::Cow;
use std::cmp::Ordering;
use std::net::IpAddr;

impl<'v> Evaluation<'v> {
    pub(super) fn text(&mut self, node: &'v Node) -> Result<Cow<'v, [u8]>, Failure> {
        match self.value(node)? {
            Value::Text(text) => Ok(text),
            _ => Err(Failure::new(FailureKind::Kind, node.span)),
        }
    }

    /// An address, also from a text of a document.
    pub(super) fn address(&mut self, node: &'v Node) -> Result<IpAddr, Failure> {
        let form = Failure::new(FailureKind::Form, node.span);
        match self.value(node)? {
            Value::Address(address) => Ok(address.to_canonical()),
            Value::Text(text) => convert::parse_address(&text).ok_or(form),
            _ => Err(Failure::new(FailureKind::Kind, node.span)),
        }
    }

    pub(super) fn equal(&mut self, two: &'v (Node, Node), at: Span) -> Result<bool, Failure> {
        let (a, b) = (self.value(&two.0)?, self.value(&two.1)?);
        self.spend(a.items_count().unwrap_or(0), at)?;
        Ok(match (&a, &b) {
            // A text of a document beside an address.
            (Value::Address(address), Value::Text(text)) | (Value::Text(text), Value::Address(address)) => {
                convert::parse_address(text) == Some(address.to_canonical())
            }
            _ => a.equals(&b),
        })
    }

    pub(super) fn order(&mut self, binary: Binary, two: &'v (Node, Node), at: Span) -> Result<bool, Failure> {
        let (a, b) = (self.value(&two.0)?, self.value(&two.1)?);
        let is_nan = |value: &Value<'_>| matches!(value, Value::Double(number) if number.is_nan());
        if is_nan(&a) || is_nan(&b) {
            return Ok(false);
        }
        let order = a.compare(&b).ok_or(Failure::new(FailureKind::Kind, at))?;
        Ok(match binary {
            Binary::Less => order == Ordering::Less,
            Binary::LessOrEqual => order != Ordering::Greater,
            Binary::Greater => order == Ordering::Greater,
            _ => order != Ordering::Less,
        })
    }

    pub(super) fn within(&mut self, two: &'v (Node, Node), at: Span) -> Result<bool, Failure> {
        let (item, list) = (self.value(&two.0)?, self.value(&two.1)?);
        match (&item, &list) {
            (Value::Text(key), Value::Json(serde_json::Value::Object(map))) => {
                return Ok(std::str::from_utf8(key).is_ok_and(|key| map.contains_key(key)));
            }
            (Value::Address(address), Value::Network(network)) => return Ok(network.contains(&address.to_canonical())),
            _ => {}
        }
        let count = list.items_count().ok_or(Failure::new(FailureKind::Kind, at))?;
        self.spend(count, at)?;
        Ok((0..count).any(|place| list.item(place).is_some_and(|other| other.equals(&item))))
    }

    pub(super) fn negate(&mut self, of: &'v Node, at: Span) -> Result<Value<'v>, Failure> {
        let overflow = Failure::new(FailureKind::Overflow, at);
        match self.value(of)? {
            Value::Int(number) => number.checked_neg().map(Value::Int).ok_or(overflow),
            Value::Duration(number) => number.checked_neg().map(Value::Duration).ok_or(overflow),
            Value::Double(number) => Ok(Value::Double(-number)),
            _ => Err(Failure::new(FailureKind::Kind, at)),
        }
    }

    pub(super) fn arithmetic(&mut self, binary: Binary, two: &'v (Node, Node), at: Span) -> Result<Value<'v>, Failure> {
        match (self.value(&two.0)?, self.value(&two.1)?) {
            (Value::Int(a), Value::Int(b)) => whole(binary, a, b, at).map(Value::Int),
            (Value::Uint(a), Value::Uint(b)) => unsigned(binary, a, b, at).map(Value::Uint),
            (Value::Double(a), Value::Double(b)) => double(binary, a, b, at).map(Value::Double),
            (Value::Duration(a), Value::Duration(b)) if matches!(binary, Binary::Add | Binary::Subtract) => {
                whole(binary, a, b, at).map(Value::Duration)
            }
            (Value::Text(a), Value::Text(b)) if binary == Binary::Add => self.joined(a, &b, at).map(Value::Text),
            (Value::Bytes(a), Value::Bytes(b)) if binary == Binary::Add => self.joined(a, &b, at).map(Value::Bytes),
            (a @ (Value::List(_) | Value::Json(_)), b @ (Value::List(_) | Value::Json(_))) if binary == Binary::Add => {
                let mut items = self.items(a, at)?;
                items.extend(self.items(b, at)?);
                self.spend(items.len(), at)?;
                Ok(Value::List(List::Owned(items)))
            }
            _ => Err(Failure::new(FailureKind::Kind, at)),
        }
    }

    fn joined(&mut self, a: Cow<'v, [u8]>, b: &[u8], at: Span) -> Result<Cow<'v, [u8]>, Failure> {
        self.built(a.len() + b.len(), at)?;
        let mut joined = a.into_owned();
        joined.extend_from_slice(b);
        Ok(Cow::Owned(joined))
    }

    /// Pays for a text of this many bytes.
    fn built(&mut self, bytes: usize, at: Span) -> Result<(), Failure> {
        if bytes > BUILT_BYTES_MAX {
            return Err(Failure::new(FailureKind::Fuel, at));
        }
        self.look(bytes, at)
    }

    pub(super) fn call(&mut self, function: Function, arguments: &'v [Node], at: Span) -> Result<Value<'v>, Failure> {
        let [first, rest @ ..] = arguments else { return Err(Failure::new(FailureKind::Kind, at)) };
        match function {
            Function::Size => self.size(first, at),
            Function::ToText
            | Function::ToInt
            | Function::ToUint
            | Function::ToDouble
            | Function::ToDuration
            | Function::ToAddress
            | Function::ToNetwork => {
                let value = self.value(first)?;
                convert::convert(function, value).map_err(|kind| Failure::new(kind, at))
            }
            Function::ContainsAddress => self.contains_address(first, rest, at),
            _ => self.text_function(function, first, rest, at),
        }
    }

    fn contains_address(&mut self, first: &'v Node, rest: &'v [Node], at: Span) -> Result<Value<'v>, Failure> {
        let Some(second) = rest.first() else { return Err(Failure::new(FailureKind::Kind, at)) };
        let network = match self.value(first)? {
            Value::Network(network) => network,
            Value::Text(text) => std::str::from_utf8(&text)
                .ok()
                .and_then(parse_network)
                .ok_or(Failure::new(FailureKind::Form, first.span))?,
            _ => return Err(Failure::new(FailureKind::Kind, first.span)),
        };
        Ok(Value::Bool(network.contains(&self.address(second)?)))
    }

    fn size(&mut self, of: &'v Node, at: Span) -> Result<Value<'v>, Failure> {
        let count = match self.value(of)? {
            Value::Text(text) => {
                self.look(text.len(), at)?;
                // Characters, that is octets that do not continue one.
                text.iter().filter(|&&octet| octet & 0xC0 != 0x80).count()
            }
            Value::Bytes(bytes) => bytes.len(),
            Value::Json(serde_json::Value::Object(map)) => map.len(),
            list => list.items_count().ok_or(Failure::new(FailureKind::Kind, at))?,
        };
        Ok(Value::Int(i64::try_from(count).unwrap_or(i64::MAX)))
    }

    fn text_function(
        &mut self,
        function: Function,
        first: &'v Node,
        rest: &'v [Node],
        at: Span,
    ) -> Result<Value<'v>, Failure> {
        let text = self.text(first)?;
        self.look(text.len(), at)?;
        match (function, rest) {
            (Function::StartsWith, [part]) => Ok(Value::Bool(text.starts_with(&self.text(part)?))),
            (Function::EndsWith, [part]) => Ok(Value::Bool(text.ends_with(&self.text(part)?))),
            (Function::Contains, [part]) => Ok(Value::Bool(memchr::memmem::find(&text, &self.text(part)?).is_some())),
            (Function::LowerAscii, []) => Ok(Value::Text(Cow::Owned(text.to_ascii_lowercase()))),
            (Function::UpperAscii, []) => Ok(Value::Text(Cow::Owned(text.to_ascii_uppercase()))),
            (Function::Trim, []) => Ok(Value::Text(match text {
                Cow::Borrowed(text) => Cow::Borrowed(text.trim_ascii()),
                Cow::Owned(text) => Cow::Owned(text.trim_ascii().to_vec()),
            })),
            (Function::Split, [by]) => self.split(&text, by, at),
            (Function::Replace, [from, to]) => self.replace(&text, from, to, at),
            (Function::Substring, [from, rest @ ..]) => self.substring(&text, from, rest.first(), at),
            _ => Err(Failure::new(FailureKind::Kind, at)),
        }
    }

    fn split(&mut self, text: &[u8], by: &'v Node, at: Span) -> Result<Value<'v>, Failure> {
        let by = self.text(by)?;
        let mut items = Vec::new();
        let mut from = 0;
        let places = memchr::memmem::find_iter(text, &*by).filter(|_| !by.is_empty());
        for place in places.chain([text.len()]) {
            self.spend(1, at)?;
            items.push(Value::Text(Cow::Owned(text.get(from..place).unwrap_or_default().to_vec())));
            from = place + by.len();
        }
        Ok(Value::List(List::Owned(items)))
    }

    fn replace(&mut self, text: &[u8], from: &'v Node, to: &'v Node, at: Span) -> Result<Value<'v>, Failure> {
        let (old, new) = (self.text(from)?, self.text(to)?);
        let mut built = Vec::with_capacity(text.len());
        let mut from = 0;
        for place in memchr::memmem::find_iter(text, &*old).filter(|_| !old.is_empty()) {
            built.extend_from_slice(text.get(from..place).unwrap_or_default());
            built.extend_from_slice(&new);
            from = place + old.len();
            self.built(built.len(), at)?;
        }
        built.extend_from_slice(text.get(from..).unwrap_or_default());
        self.built(built.len(), at)?;
        Ok(Value::Text(Cow::Owned(built)))
    }

    /// Places count characters, as in CEL.
    fn substring(&mut self, text: &[u8], from: &'v Node, to: Option<&'v Node>, at: Span) -> Result<Value<'v>, Failure> {
        let beyond = Failure::new(FailureKind::Index, at);
        let starts = |octet: &u8| octet & 0xC0 != 0x80;
        let place = |count: usize| {
            let mut places = text.iter().enumerate().filter(|(_, octet)| starts(octet)).map(|(place, _)| place);
            places
                .nth(count)
                .or_else(|| (text.iter().filter(|octet| starts(octet)).count() == count).then_some(text.len()))
        };
        let start = place(self.place(from)?).ok_or(beyond)?;
        let end = match to {
            Some(to) => place(self.place(to)?).ok_or(beyond)?,
            None => text.len(),
        };
        text.get(start..end).map(|part| Value::Text(Cow::Owned(part.to_vec()))).ok_or(beyond)
    }

    fn place(&mut self, node: &'v Node) -> Result<usize, Failure> {
        match self.value(node)? {
            Value::Int(place) => usize::try_from(place).map_err(|_| Failure::new(FailureKind::Index, node.span)),
            _ => Err(Failure::new(FailureKind::Kind, node.span)),
        }
    }
}

/// Arithmetic of a whole-number type, where leaving its range and dividing by nothing are failures.
macro_rules! integral {
    ($name:ident, $type:ty) => {
        fn $name(binary: Binary, a: $type, b: $type, at: Span) -> Result<$type, Failure> {
            if b == 0 && matches!(binary, Binary::Divide | Binary::Remainder) {
                return Err(Failure::new(FailureKind::Zero, at));
            }
            let result = match binary {
                Binary::Add => a.checked_add(b),
                Binary::Subtract => a.checked_sub(b),
                Binary::Multiply => a.checked_mul(b),
                Binary::Divide => a.checked_div(b),
                _ => a.checked_rem(b),
            };
            result.ok_or(Failure::new(FailureKind::Overflow, at))
        }
    };
}

integral!(whole, i64);
integral!(unsigned, u64);

fn double(binary: Binary, a: f64, b: f64, at: Span) -> Result<f64, Failure> {
    match binary {
        Binary::Add => Ok(a + b),
        Binary::Subtract => Ok(a - b),
        Binary::Multiply => Ok(a * b),
        Binary::Divide => Ok(a / b),
        _ => Err(Failure::new(FailureKind::Kind, at)),
    }
}
