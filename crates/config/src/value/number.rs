//! Whole numbers, truth values, texts, paths, and bounds that can be lifted.

use super::{Flaw, Value};
use crate::codes;
use crate::decode::{Decoder, Spec, Within};
use crate::schema::{Kind, Schema};
use crate::syntax::Node;
use std::path::PathBuf;

macro_rules! numbers {
    ($($name:ty),*) => {$(
        impl Value for $name {
            const WHAT: &'static str = "a whole number";
            const EXAMPLES: &'static [&'static str] = &[];

            fn parse(text: &str) -> Result<Self, Flaw> {
                text.parse::<$name>().map_err(|_| not_number(text, &<$name>::MAX.to_string()))
            }

            fn written(&self) -> String {
                self.to_string()
            }
        }

        impl Spec for $name {
            fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
                decoder.value(node)
            }

            fn schema() -> Schema {
                Schema { name: "", doc: "", kind: Kind::Integer }
            }

            fn text(&self) -> Option<String> {
                Some(self.to_string())
            }
        }
    )*};
}

numbers!(u16, u32, u64, usize);

fn not_number(text: &str, max: &str) -> Flaw {
    let all_digits = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
    if all_digits {
        return Flaw::new(codes::NUMBER, format!("`{text}` is too large")).label(format!("at most {max}")).replace(max);
    }
    let flaw = Flaw::new(codes::NUMBER, format!("`{text}` is not a whole number")).label("digits only");
    let digits: String = text.chars().filter(|c| !matches!(c, '_' | ',' | ' ' | '\'')).collect();
    let multiplied = ["k", "K", "m", "M"].iter().find_map(|suffix| {
        let zeros = if suffix.eq_ignore_ascii_case("k") { "000" } else { "000000" };
        Some(format!("{}{zeros}", digits.strip_suffix(suffix)?))
    });
    let better = multiplied.unwrap_or(digits);
    if better.is_empty() || better.len() > 9 || !better.chars().all(|c| c.is_ascii_digit()) {
        return flaw.hint("write digits only, such as 100");
    }
    flaw.replace(better)
}

impl Spec for bool {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        decoder.value(node)
    }

    fn schema() -> Schema {
        Schema { name: "", doc: "", kind: Kind::Boolean }
    }

    fn text(&self) -> Option<String> {
        Some(self.to_string())
    }
}

impl Value for bool {
    const WHAT: &'static str = "true or false";
    const EXAMPLES: &'static [&'static str] = &["true", "false"];

    fn parse(text: &str) -> Result<Self, Flaw> {
        match text {
            "true" => return Ok(true),
            "false" => return Ok(false),
            _ => {}
        }
        let flaw = Flaw::new(codes::BOOLEAN, format!("`{text}` is not true or false"));
        Err(match text.to_ascii_lowercase().as_str() {
            "yes" | "y" | "on" | "1" | "true" | "enabled" | "enable" => {
                flaw.label("tools disagree about this word").replace("true")
            }
            "no" | "n" | "off" | "0" | "false" | "disabled" | "disable" => {
                flaw.label("tools disagree about this word").replace("false")
            }
            _ => flaw.hint("write true or false"),
        })
    }

    fn written(&self) -> String {
        self.to_string()
    }
}

impl Value for String {
    const WHAT: &'static str = "a text";
    const EXAMPLES: &'static [&'static str] = &[];

    fn parse(text: &str) -> Result<Self, Flaw> {
        Ok(text.to_owned())
    }

    fn written(&self) -> String {
        crate::decode::quoted_if_needed(self)
    }
}

impl Value for PathBuf {
    const WHAT: &'static str = "a path";
    const EXAMPLES: &'static [&'static str] = &["/var/log/strait/access.log"];

    fn parse(text: &str) -> Result<Self, Flaw> {
        if text.is_empty() || text.contains('\0') {
            return Err(Flaw::new(codes::PATH, "{key} needs a path").label("empty or with a NUL"));
        }
        Ok(Self::from(text))
    }

    fn written(&self) -> String {
        crate::decode::quoted_if_needed(&self.to_string_lossy())
    }
}

/// A bound, or the word `none`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit<T> {
    /// No bound.
    None,
    /// This bound.
    Max(T),
}

impl<T> Limit<T> {
    /// The bound, if there is one.
    pub fn get(self) -> Option<T> {
        match self {
            Self::None => None,
            Self::Max(bound) => Some(bound),
        }
    }
}

impl<T: PartialOrd> Within<T> for Limit<T> {
    fn below(&self, bound: &T) -> bool {
        matches!(self, Self::Max(value) if value < bound)
    }

    fn above(&self, bound: &T) -> bool {
        matches!(self, Self::Max(value) if value > bound)
    }
}

impl<T: PartialOrd> Within<T> for Option<Limit<T>> {
    fn below(&self, bound: &T) -> bool {
        self.as_ref().is_some_and(|limit| limit.below(bound))
    }

    fn above(&self, bound: &T) -> bool {
        self.as_ref().is_some_and(|limit| limit.above(bound))
    }
}

impl<T: Spec> Spec for Limit<T> {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        match node.text() {
            Some("none") => Some(Self::None),
            Some(word @ ("unlimited" | "off" | "no" | "infinity" | "0" | "-1")) => {
                let message = format!("`{word}` is not how a bound is lifted");
                decoder.report(
                    crate::Diagnostic::error(codes::UNKNOWN_WORD, node.span, message)
                        .label("the word is `none`")
                        .replace("write `none`", node.span, "none"),
                );
                None
            }
            _ => T::decode(node, decoder).map(Self::Max),
        }
    }

    fn schema() -> Schema {
        let none = Kind::Text { what: "`none`", pattern: Some("^none$"), examples: &["none"] };
        Schema::forms("", "", vec![T::schema(), Schema { name: "", doc: "", kind: none }])
    }

    fn text(&self) -> Option<String> {
        match self {
            Self::None => Some("none".to_owned()),
            Self::Max(bound) => bound.text(),
        }
    }
}

/// A value, or the word `off`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrOff<T> {
    /// Switched off.
    Off,
    /// This value.
    On(T),
}

impl<T> OrOff<T> {
    /// The value, unless it is off.
    pub fn get(&self) -> Option<&T> {
        match self {
            Self::Off => None,
            Self::On(value) => Some(value),
        }
    }
}

impl<T: Spec> Spec for OrOff<T> {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        match node.text() {
            Some("off") => Some(Self::Off),
            Some(word @ ("none" | "false" | "no" | "disabled")) => {
                let message = format!("`{word}` is not how this is switched off");
                decoder.report(
                    crate::Diagnostic::error(codes::UNKNOWN_WORD, node.span, message)
                        .label("the word is `off`")
                        .replace("write `off`", node.span, "off"),
                );
                None
            }
            _ => T::decode(node, decoder).map(Self::On),
        }
    }

    fn schema() -> Schema {
        let off = Kind::Text { what: "`off`", pattern: Some("^off$"), examples: &["off"] };
        Schema::forms("", "", vec![T::schema(), Schema { name: "", doc: "", kind: off }])
    }

    fn text(&self) -> Option<String> {
        match self {
            Self::Off => Some("off".to_owned()),
            Self::On(value) => value.text(),
        }
    }
}
