//! Differences as text for people and as JSON for tools.

use super::{FieldStep, Step, Turn};
use serde_json::{Value, json};
use std::fmt::Write as _;

impl Turn {
    fn mark(self) -> char {
        match self {
            Self::Added => '+',
            Self::Removed => '-',
            Self::Changed => '~',
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Changed => "changed",
        }
    }
}

impl Step {
    /// For people: a line with a mark, the values below it, and who notices.
    pub fn to_text(&self) -> String {
        let of = self.listener.as_ref().map_or_else(String::new, |listener| format!(" of {listener}"));
        let kind = if self.kind == "setting" { String::new() } else { format!("{} ", self.kind) };
        let mut out = format!("{} {kind}{}{of}\n", self.turn.mark(), self.name);
        for field in &self.fields {
            let _ = writeln!(out, "    {}", field.to_text(self.turn));
        }
        if !self.affects.is_empty() {
            let _ = writeln!(out, "    affects {}", self.affects.join(", "));
        }
        out
    }

    /// For tools.
    pub fn to_json(&self) -> Value {
        let fields = self.fields.iter().map(|field| json!({"path": field.path, "old": field.old, "new": field.new}));
        json!({
            "change": self.turn.word(),
            "kind": self.kind,
            "name": self.name,
            "listener": self.listener,
            "fields": fields.collect::<Vec<_>>(),
            "affects": self.affects,
        })
    }
}

impl FieldStep {
    fn to_text(&self, turn: Turn) -> String {
        let path = if self.path.is_empty() { String::new() } else { format!("{}: ", self.path) };
        match (turn, &self.old, &self.new) {
            (Turn::Changed, Some(Value::Array(old)), Some(Value::Array(new))) => {
                format!("{path}{}", items(old, new))
            }
            (Turn::Changed, old, new) => format!("{path}{} → {}", shown(old.as_ref()), shown(new.as_ref())),
            (_, old, new) => format!("{path}{}", shown(old.as_ref().or(new.as_ref()))),
        }
    }
}

/// The items that came and went; the whole lists if only their order changed.
fn items(old: &[Value], new: &[Value]) -> String {
    let only = |list: &[Value], other: &[Value], mark: &str| -> Vec<String> {
        list.iter().filter(|item| !other.contains(item)).map(|item| format!("{mark}{}", shown(Some(item)))).collect()
    };
    let mut parts = only(old, new, "-");
    parts.extend(only(new, old, "+"));
    if parts.is_empty() {
        let list = |list: &[Value]| shown(Some(&Value::from(list.to_vec())));
        return format!("{} → {}", list(old), list(new));
    }
    parts.join(" ")
}

/// A value in the flow style of the language.
fn shown(value: Option<&Value>) -> String {
    match value {
        None => "nothing".to_owned(),
        Some(Value::String(text)) => strait_config::text_of(text).unwrap_or_default(),
        Some(Value::Array(items)) => {
            format!("[{}]", items.iter().map(|item| shown(Some(item))).collect::<Vec<_>>().join(", "))
        }
        Some(Value::Object(map)) => {
            let entry = |(key, value): (&String, &Value)| format!("{key}: {}", shown(Some(value)));
            format!("{{{}}}", map.iter().map(entry).collect::<Vec<_>>().join(", "))
        }
        Some(other) => other.to_string(),
    }
}
