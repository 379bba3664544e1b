//! Whatever is written, nothing panics, and what compiles evaluates within its bounds.

use super::{names, request};
use crate::*;
use proptest::prelude::*;

/// Pieces of the language, put together at random.
fn jumble() -> impl Strategy<Value = String> {
    let words = prop::sample::select(vec![
        "request.path",
        "request.headers",
        "['x-canary']",
        "client.ip",
        "client.port",
        "jwt",
        ".sub",
        ".groups",
        "path.id",
        "duration",
        "status",
        "true",
        "false",
        "null",
        "1",
        "-1",
        "2u",
        "0.5",
        "1s",
        "'a'",
        "'10.0.0.0/8'",
        "r'\\d'",
        "b'x'",
        "(",
        ")",
        "[",
        "]",
        ",",
        "==",
        "!=",
        "<",
        ">=",
        "&&",
        "||",
        "!",
        "+",
        "-",
        "*",
        "/",
        "%",
        "in",
        "?",
        ":",
        ".",
        ".size()",
        ".startsWith('a')",
        ".exists(x, ",
        "x",
        ".map(x, ",
        ".matches('a+')",
        "has(",
        "int(",
        "string(",
        "cidr(",
        ".substring(1)",
        ".split(',')",
        " ",
        "é",
        "\\",
        "'",
        "\"",
    ]);
    prop::collection::vec(words, 0..24).prop_map(|words| words.join(" "))
}

/// Expressions of the right form.
fn sound() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "request.headers['x-canary']",
        "request.headers['none']",
        "jwt.age",
        "jwt.groups",
        "jwt.none",
        "1",
        "'a'",
        "2.5",
        "client.port",
        "true",
        "jwt.org",
        "3u",
        "1s",
        "[1, 2]",
        "['a', jwt.sub]",
    ])
    .prop_map(str::to_owned);
    leaf.prop_recursive(5, 40, 3, |inner| {
        let two = prop::sample::select(vec!["==", "!=", "<", "+", "-", "*", "/", "%", "&&", "||", "in"]);
        prop_oneof![
            (inner.clone(), two, inner.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("({a} ? {b} : {c})")),
            inner.clone().prop_map(|a| format!("!({a})")),
            inner.clone().prop_map(|a| format!("string({a})")),
            inner.clone().prop_map(|a| format!("({a})[0]")),
            (inner.clone(), inner).prop_map(|(a, b)| format!("({a}).filter(x, {b} == x)")),
        ]
    })
}

fn compile_and_run(text: &str) {
    match Expression::compile(text, &names()) {
        Ok(expression) => {
            let request = request();
            let first = expression.evaluate(&request).map(|value| format!("{value:?}"));
            let again = expression.evaluate(&request).map(|value| format!("{value:?}"));
            assert_eq!(first, again);
        }
        Err(error) => {
            assert!(error.span.end <= text.len() && text.is_char_boundary(error.span.start), "{text}: {error:?}");
            if let Some((span, _)) = error.fix.and_then(|fix| fix.edit) {
                assert!(text.get(span).is_some(), "{text}");
            }
        }
    }
    let _ = Template::compile(text, &names()).map(|template| template.render(&request(), &mut Vec::new()));
}

proptest! {
    #[test]
    fn nothing_panics_on_jumbled_words(text in jumble()) {
        compile_and_run(&text);
    }

    #[test]
    fn nothing_panics_on_any_text(text in "\\PC{0,60}") {
        compile_and_run(&text);
    }

    #[test]
    fn nothing_panics_on_sound_expressions(text in sound()) {
        compile_and_run(&text);
    }
}
