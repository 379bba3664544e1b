//! Conditions on named texts: headers, parameters of the query, cookies.

use super::{Flaw, Value};
use crate::codes;
use crate::decode::{Decoder, Spec, quoted_if_needed, removal};
use crate::diagnose::Diagnostic;
use crate::schema::Schema;
use crate::source::Spanned;
use crate::syntax::{Node, NodeKind};
use strait_config_derive::Spec;

/// A condition on one text; exactly one key. A text stands for `exact`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "a condition on a text",
    short = "exact",
    check = one_form,
    peers(
        value = "exact", equals = "exact", eq = "exact", is = "exact", exact_match = "exact", string_match = "exact", prefix_match = "prefix", starts_with = "prefix", startsWith = "prefix", suffix_match = "suffix", ends_with = "suffix",
        contains_match = "contains", regexp = "regex", safe_regex = "regex", safe_regex_match = "regex", matches = "regex", RegularExpression = "regex", present_match = "present", exists = "present", not = "the opposite is said by an entry of `when` before, or by `if`",
    )
)]
pub struct TextMatch {
    /// It is this text.
    #[spec(example = "\"1\"")]
    pub exact: Option<String>,
    /// It begins with this text.
    #[spec(example = "Mozilla/")]
    pub prefix: Option<String>,
    /// It ends with this text.
    #[spec(example = ".example.com")]
    pub suffix: Option<String>,
    /// This text is somewhere in it.
    #[spec(example = "Firefox")]
    pub contains: Option<String>,
    /// This regular expression is found in it; `^` and `$` bind it to the ends. Linear in time.
    #[spec(example = "'^v[0-9]+$'")]
    pub regex: Option<RegexText>,
    /// Whether it is there at all, whatever it holds.
    #[spec(example = "true")]
    pub present: Option<bool>,
}

fn one_form(text: &TextMatch, node: &Node, decoder: &mut Decoder) {
    let NodeKind::Map(entries) = &node.kind else { return };
    let known = |key: &str| ["exact", "prefix", "suffix", "contains", "regex", "present"].contains(&key);
    let mut written = entries.iter().filter(|entry| known(&entry.key.value));
    match (written.next(), written.next()) {
        (Some(first), Some(second)) => {
            let message = format!("a text is compared by either `{}` or `{}`", first.key.value, second.key.value);
            let finding = Diagnostic::error(codes::CONFLICTING_KEYS, second.key.span, message);
            let edits = removal(entries, &second.key.value).into_iter().collect();
            let finding = finding.label("one too many").second(first.key.span, "the other one");
            decoder.report(finding.edits("remove one of them", edits));
        }
        (None, _) if is_said(text) => {}
        (None, _) => decoder.missing_key(node, "present", "true", "a condition on a text says which"),
        (Some(_), None) => {}
    }
}

/// A key that was meant for another has filled its place.
fn is_said(text: &TextMatch) -> bool {
    let TextMatch { exact, prefix, suffix, contains, regex, present } = text;
    [exact, prefix, suffix, contains].iter().any(|text| text.is_some()) || regex.is_some() || present.is_some()
}

/// A regular expression that was built once to see that it can be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegexText(String);

impl RegexText {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Value for RegexText {
    const WHAT: &'static str = "a regular expression";
    const EXAMPLES: &'static [&'static str] = &["^v[0-9]+$"];

    fn parse(text: &str) -> Result<Self, Flaw> {
        match strait_expr::regex(text) {
            Ok(_) => Ok(Self(text.to_owned())),
            Err(flaw) => {
                let part = flaw.span.and_then(|span| text.get(span)).unwrap_or_default();
                let label = if part.is_empty() { String::new() } else { format!("at `{part}`") };
                let literal: String = text.chars().flat_map(escaped).collect();
                Err(Flaw::new(codes::EXPRESSION, format!("this is no regular expression: {}", flaw.message))
                    .label(label)
                    .hint("to look for the text itself, escape it")
                    .replace(literal))
            }
        }
    }

    fn written(&self) -> String {
        quoted_if_needed(&self.0)
    }
}

/// A character that stands for itself.
fn escaped(c: char) -> impl Iterator<Item = char> {
    let special = r"\.+*?()|[]{}^$#&-~".contains(c);
    special.then_some('\\').into_iter().chain([c])
}

/// A request method.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MethodName(String);

impl MethodName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Value for MethodName {
    const WHAT: &'static str = "a method";
    const PATTERN: Option<&'static str> = Some("^[A-Z-]+$");
    const EXAMPLES: &'static [&'static str] = &["GET", "POST"];

    fn parse(text: &str) -> Result<Self, Flaw> {
        // Methods are compared with regard to case (RFC 9110 section 9.1); all registered ones are in capitals.
        if text.len() <= 32 && !text.is_empty() && text.chars().all(|c| c.is_ascii_uppercase() || c == '-') {
            return Ok(Self(text.to_owned()));
        }
        let better = text.trim().to_ascii_uppercase();
        let flaw = Flaw::new(codes::EXPRESSION, format!("`{text}` is not a method")).label("capitals, such as GET");
        Err(if better != text && Self::parse(&better).is_ok() { flaw.replace(better) } else { flaw.replace("GET") })
    }

    fn written(&self) -> String {
        self.0.clone()
    }
}

/// Names with a condition on the text of each.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Matches(pub Vec<(Spanned<String>, Spanned<TextMatch>)>);

impl std::ops::Deref for Matches {
    type Target = [(Spanned<String>, Spanned<TextMatch>)];

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

impl Spec for Matches {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        let NodeKind::Map(entries) = &node.kind else {
            decoder.wrong_form(node, "a set of conditions", &["map"]);
            return None;
        };
        let of = |entry: &crate::syntax::Entry| {
            let condition = Spanned::<TextMatch>::decode(&entry.value, decoder)?;
            Some((entry.key.clone(), condition))
        };
        Some(Self(entries.iter().filter_map(of).collect()))
    }

    fn schema() -> Schema {
        Schema::table(TextMatch::schema())
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}

/// The same for headers, whose names have a form.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HeaderMatches(pub Matches);

impl std::ops::Deref for HeaderMatches {
    type Target = [(Spanned<String>, Spanned<TextMatch>)];

    fn deref(&self) -> &Self::Target {
        &self.0.0
    }
}

impl Spec for HeaderMatches {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        let matches = Matches::decode(node, decoder)?;
        for (name, _) in matches.iter() {
            if let Some(finding) = super::http::name_finding(name) {
                decoder.report(finding);
            }
        }
        Some(Self(matches))
    }

    fn schema() -> Schema {
        Matches::schema()
    }

    fn absent() -> Option<Self> {
        Some(Self::default())
    }
}
