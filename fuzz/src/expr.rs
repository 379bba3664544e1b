//! Expressions and templates.

use std::borrow::Cow;
use strait_expr::{Environment, Error, Expression, Fact, Facts, Kind, MapFact, Template, Value};

/// A request that answers everything with the text that follows the expression.
struct Request<'a> {
    text: &'a [u8],
    document: serde_json::Value,
}

impl Facts for Request<'_> {
    fn fact(&self, fact: Fact) -> Option<Value<'_>> {
        Some(match fact {
            Fact::ClientIp => Value::Address([192, 0, 2, 7].into()),
            Fact::ClientPort | Fact::ResponseStatus => Value::Int(i64::MAX),
            Fact::Duration => Value::Duration(i64::MIN),
            Fact::TlsSni => return None,
            _ => Value::text(self.text),
        })
    }

    fn entry(&self, map: MapFact, _: &[u8]) -> Option<Cow<'_, [u8]>> {
        (map != MapFact::RequestCookies).then_some(Cow::Borrowed(self.text))
    }

    fn capture(&self, _: usize) -> Option<Cow<'_, [u8]>> {
        Some(Cow::Borrowed(self.text))
    }

    fn added(&self, _: &str) -> Option<Value<'_>> {
        Some(Value::json(&self.document))
    }
}

/// Splits an input at its first line end: the text, and what the request holds.
fn parts(input: &[u8]) -> Option<(&str, Request<'_>)> {
    let at = input.iter().position(|&b| b == b'\n').unwrap_or(input.len());
    let (text, rest) = input.split_at(at);
    let document =
        serde_json::json!({"a": [1, "b", null, {"c": 0.5}], "n": u64::MAX, "t": String::from_utf8_lossy(rest)});
    Some((std::str::from_utf8(text).ok()?, Request { text: rest, document }))
}

fn names() -> Environment {
    Environment::response().with_captures(["id"]).with("jwt", Kind::Any)
}

fn check_error(text: &str, error: &Error) {
    assert!(error.span.end <= text.len() && text.get(error.span.clone()).is_some(), "{error:?} of `{text}`");
    if let Some((part, _)) = error.fix.as_ref().and_then(|fix| fix.edit.as_ref()) {
        assert!(text.get(part.clone()).is_some(), "{error:?} of `{text}`");
    }
}

/// An expression is refused with a place in its text, or has the same value twice, within its bounds.
pub fn expr_expression(input: &[u8]) {
    let Some((text, request)) = parts(input) else { return };
    match Expression::compile(text, &names()) {
        Err(error) => check_error(text, &error),
        Ok(expression) => {
            let shown = |outcome| match outcome {
                Ok(value) => format!("{value:?}"),
                Err(failure) => expression.explain(failure),
            };
            assert_eq!(shown(expression.evaluate(&request)), shown(expression.evaluate(&request)));
        }
    }
}

/// A template is refused with a place in its text; what it renders for a header is one line and bounded.
pub fn expr_template(input: &[u8]) {
    let Some((text, request)) = parts(input) else { return };
    match Template::compile(text, &names()) {
        Err(error) => check_error(text, &error),
        Ok(template) => {
            let mut line = Vec::new();
            template.render_field(&request, &mut line);
            assert!(line.len() <= strait_expr::limits::RENDERED_BYTES_MAX);
            assert!(line.iter().all(|&b| b == b'\t' || (b >= b' ' && b != 127)), "{line:?}");
        }
    }
}
