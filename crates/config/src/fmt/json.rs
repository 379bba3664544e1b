//! JSON files stay JSON.

use crate::syntax::{Node, NodeKind, Style};
use serde_json::Value;

/// Widest object or list on one line, in characters.
const INLINE_MAX: usize = 80;

/// A tree as JSON, two spaces a level, with a line end.
pub(super) fn pretty(node: &Node) -> String {
    let mut out = String::new();
    write(&mut out, node, 0);
    out.push('\n');
    out
}

fn write(out: &mut String, node: &Node, depth: usize) {
    let line = one_line(node);
    let is_scalar = matches!(node.kind, NodeKind::Scalar { .. });
    if is_scalar || line.chars().count() + 2 * depth <= INLINE_MAX && depth > 0 {
        return out.push_str(&line);
    }
    let indent = "  ".repeat(depth + 1);
    let (open, close) = if matches!(node.kind, NodeKind::List(_)) { ('[', ']') } else { ('{', '}') };
    out.push(open);
    for (at, (key, value)) in children(node).into_iter().enumerate() {
        out.push_str(if at == 0 { "\n" } else { ",\n" });
        out.push_str(&indent);
        if let Some(key) = key {
            out.push_str(&format!("{}: ", Value::from(key)));
        }
        write(out, value, depth + 1);
    }
    out.push('\n');
    out.push_str(&"  ".repeat(depth));
    out.push(close);
}

fn children(node: &Node) -> Vec<(Option<&str>, &Node)> {
    match &node.kind {
        NodeKind::Scalar { .. } => Vec::new(),
        NodeKind::List(items) => items.iter().map(|item| (None, item)).collect(),
        NodeKind::Map(entries) => entries.iter().map(|entry| (Some(entry.key.value.as_str()), &entry.value)).collect(),
    }
}

fn one_line(node: &Node) -> String {
    let parts: Vec<String> = children(node)
        .into_iter()
        .map(|(key, value)| match key {
            Some(key) => format!("{}: {}", Value::from(key), one_line(value)),
            None => one_line(value),
        })
        .collect();
    match &node.kind {
        NodeKind::Scalar { text, style, .. } => scalar(text, *style),
        NodeKind::List(_) => format!("[{}]", parts.join(", ")),
        NodeKind::Map(_) => format!("{{{}}}", parts.join(", ")),
    }
}

/// Numbers and truth values without quotes stay so; JSON has no other plain scalars, and no absent ones.
fn scalar(text: &str, style: Style) -> String {
    let is_literal = || serde_json::from_str::<Value>(text).is_ok_and(|value| !value.is_string());
    match style {
        Style::Plain if is_literal() => text.to_owned(),
        Style::Absent => "null".to_owned(),
        _ => Value::from(text).to_string(),
    }
}
