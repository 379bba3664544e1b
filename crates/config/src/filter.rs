//! The filters of the language: one spec type each, by the list of `strait_filters`.

mod named;

use crate::codes;
use crate::decode::{Decoder, Shape, Spec};
use crate::diagnose::{Diagnostic, Edit};
use crate::schema::{Field, Kind, Schema};
use crate::source::{Span, Spanned};
use crate::syntax::{Entry, Node, NodeKind};
use strait_filters::for_each_filter;

/// An item of a list of filters.
#[derive(Debug, Clone)]
pub struct Filter {
    /// Where its name is written.
    pub span: Span,
    /// What it is.
    pub step: Step,
}

/// Filters are equal when they say the same, wherever that is written.
impl PartialEq for Filter {
    fn eq(&self, other: &Self) -> bool {
        self.step == other.step
    }
}

macro_rules! spec_types {
    ($($variant:ident $module:ident;)*) => {
        $(mod $module;)*

        $(pub use $module::*;)*

        /// What an item of a list of filters says.
        #[derive(Debug, Clone, PartialEq)]
        #[allow(missing_docs, reason = "each is documented by its spec type")]
        pub enum Step {
            /// The filters of a policy, by its name.
            Use(Spanned<String>),
            $($variant($variant),)*
        }

        /// The filters that exist, and `use`.
        static SHAPE: Shape = Shape {
            noun: "a filter",
            keys: &["use", $(stringify!($module),)*],
            examples: &[],
            short: None,
            short_if: None,
            peers: PEERS,
            unbuilt: UNBUILT,
        };

        fn decode_step(name: &str, settings: Option<&Node>, node: &Node, decoder: &mut Decoder) -> Option<Step> {
            match name {
                "use" => settings_of("use", settings, node, decoder).map(Step::Use),
                $(stringify!($module) => settings_of(stringify!($module), settings, node, decoder).map(Step::$variant),)*
                _ => None,
            }
        }

        /// What may stand in an item: one of these.
        fn fields() -> Vec<Field> {
            vec![
                field("use", "The filters of the policy of this name, in place of this item.", String::schema()),
                $(field(stringify!($module), "", <$variant as Spec>::schema()),)*
            ]
        }
    };
}

for_each_filter!(spec_types);

/// The names of all filters, those that are not built yet among them.
pub fn names() -> impl Iterator<Item = &'static str> {
    SHAPE.keys.iter().copied().filter(|name| *name != "use").chain(SHAPE.unbuilt.iter().map(|(name, _)| *name))
}

fn field(key: &'static str, doc: &'static str, schema: Schema) -> Field {
    let doc = if doc.is_empty() { schema.doc } else { doc };
    Field { key, doc, schema, required: false, optional: true, default: None, min: None, max: None, example: None }
}

/// Filters of the language that are not built yet, with the name of the feature.
const UNBUILT: &[(&str, &str)] = named::UNBUILT;
/// Words of other products for filters.
const PEERS: &[(&str, &str)] = named::PEERS;

impl Step {
    /// The policy that stands in this item's place.
    pub fn policy(&self) -> Option<&Spanned<String>> {
        if let Self::Use(name) = self { Some(name) } else { None }
    }
}

impl Spec for Filter {
    fn decode(node: &Node, decoder: &mut Decoder) -> Option<Self> {
        let (name, settings) = match &node.kind {
            NodeKind::Scalar { .. } => (Spanned::new(node.shown().unwrap_or_default().to_owned(), node.span), None),
            NodeKind::Map(entries) => {
                only(entries, node, decoder).map(|entry| (entry.key.clone(), Some(&entry.value)))?
            }
            NodeKind::List(_) => {
                decoder.wrong_form(node, "a filter", &["scalar", "map"]);
                return None;
            }
        };
        if !SHAPE.keys.contains(&name.value.as_str()) {
            decoder.report(refuse(&name));
            return None;
        }
        let step = decode_step(&name.value, settings, node, decoder)?;
        Some(Self { span: name.span, step })
    }

    fn schema() -> Schema {
        let what = "the name of a filter";
        let name = Schema { name: "", doc: "", kind: Kind::Text { what, pattern: Some("^[a-z_]+$"), examples: &[] } };
        let doc = "A step on the way of request and response: one key, the filter's name, with its settings. A name alone is the filter with its defaults.";
        Schema::forms("", "", vec![Schema::record("Filter", doc, &SHAPE, fields()), name])
    }
}

fn only<'n>(entries: &'n [Entry], node: &Node, decoder: &mut Decoder) -> Option<&'n Entry> {
    if let [only] = entries {
        return Some(only);
    }
    let span = entries.get(1).map_or(node.span, |entry| entry.key.span);
    // In a block the second key stands where the first does, behind the dash and a space.
    let in_block = entries.first().is_some_and(|first| first.key.span.start == node.span.start);
    let before = Span { start: span.start.saturating_sub(2), end: span.start, ..span };
    let edits = if in_block { vec![Edit { span: before, replacement: "- ".to_owned() }] } else { Vec::new() };
    decoder.report(
        Diagnostic::error(codes::WRONG_FORM, span, "each filter is a list item of its own")
            .label("a second filter in one item")
            .edits("begin a new item with `- `", edits),
    );
    None
}

/// The settings of a filter; without any it has its defaults, if every one of its keys has one.
fn settings_of<T: Spec>(name: &'static str, settings: Option<&Node>, node: &Node, decoder: &mut Decoder) -> Option<T> {
    decoder.under(name);
    match settings.filter(|settings| !settings.is_absent()) {
        Some(settings) => T::decode(settings, decoder),
        None => T::absent().or_else(|| {
            let message = format!("`{name}` needs settings");
            let finding = Diagnostic::error(codes::MISSING_KEY, node.span, message).label("nothing says what it does");
            let written = format!("{name}: {}", example(&T::schema()));
            decoder.report(finding.replace(format!("write `{written}`"), node.span, written));
            None
        }),
    }
}

/// Settings to show: what must be written, with an example of each.
fn example(schema: &Schema) -> String {
    let Kind::Record { fields, .. } = &schema.kind else { return "…".to_owned() };
    let needed = fields.iter().filter(|field| field.required);
    let needed: Vec<_> = needed.map(|field| format!("{}: {}", field.key, field.example.unwrap_or("…"))).collect();
    format!("{{{}}}", needed.join(", "))
}

fn refuse(name: &Spanned<String>) -> Diagnostic {
    if let Some(refusal) = SHAPE.unbuilt_word(name.span, &name.value) {
        return refusal;
    }
    let diagnostic = Diagnostic::error(codes::UNKNOWN_KEY, name.span, format!("unknown filter `{}`", name.value))
        .label("not a filter");
    match SHAPE.meant(&name.value) {
        Some(ours) if SHAPE.keys.contains(&ours) => {
            diagnostic.replace(format!("did you mean `{ours}`?"), name.span, ours)
        }
        Some(advice) => diagnostic.hint(advice),
        None => diagnostic.hint("the manual lists the filters"),
    }
}
