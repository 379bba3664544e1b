//! Values of a draft, and their text.

use std::fmt::Write as _;

/// Longest line on which a map or list stays together.
const LINE_MAX: usize = 90;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    Text(String),
    List(Vec<Node>),
    Map(Map),
}

/// Keys with values, in order; each may say which line it comes from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Map(Vec<Entry>);

#[derive(Clone, Debug)]
struct Entry {
    key: String,
    value: Node,
    origin: Option<String>,
}

/// Where something comes from is no part of what it says.
impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key && self.value == other.value
    }
}

impl Eq for Entry {}

impl From<&str> for Node {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Node {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<Map> for Node {
    fn from(map: Map) -> Self {
        Self::Map(map)
    }
}

impl<T: Into<Node>> From<Vec<T>> for Node {
    fn from(list: Vec<T>) -> Self {
        Self::List(list.into_iter().map(Into::into).collect())
    }
}

impl Map {
    /// A map of one key.
    pub(crate) fn of(key: &str, value: impl Into<Node>) -> Self {
        Self::default().with(key, value)
    }

    pub(crate) fn with(mut self, key: &str, value: impl Into<Node>) -> Self {
        self.set(key, value);
        self
    }

    /// Puts a value, in place of one that is there.
    pub(crate) fn set(&mut self, key: &str, value: impl Into<Node>) {
        self.put(key, value, None);
    }

    /// The same, with the line it comes from.
    pub(crate) fn put(&mut self, key: &str, value: impl Into<Node>, origin: Option<String>) {
        let value = value.into();
        match self.0.iter_mut().find(|entry| entry.key == key) {
            Some(entry) => entry.value = value,
            None => self.0.push(Entry { key: key.to_owned(), value, origin }),
        }
    }

    pub(crate) fn value(&self, key: &str) -> Option<&Node> {
        self.0.iter().find(|entry| entry.key == key).map(|entry| &entry.value)
    }

    pub(crate) fn remove(&mut self, key: &str) -> Option<Node> {
        let place = self.0.iter().position(|entry| entry.key == key)?;
        Some(self.0.remove(place).value)
    }

    /// The map under a key, made if it is not there.
    pub(crate) fn map(&mut self, key: &str) -> &mut Self {
        let place = match self.0.iter().position(|entry| entry.key == key) {
            Some(place) => place,
            None => {
                self.set(key, Self::default());
                self.0.len().saturating_sub(1)
            }
        };
        // The place was just found or made.
        #[allow(clippy::indexing_slicing)]
        self.0[place].value.as_map()
    }

    /// Appends to the list under a key.
    pub(crate) fn push(&mut self, key: &str, item: impl Into<Node>) {
        match self.0.iter_mut().find(|entry| entry.key == key) {
            Some(Entry { value: Node::List(list), .. }) => list.push(item.into()),
            _ => self.set(key, Node::List(vec![item.into()])),
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|entry| &*entry.key)
    }

    /// The map as the text of a file.
    pub(crate) fn to_yaml(&self) -> String {
        let mut out = String::new();
        self.block(0, &mut out);
        out
    }

    fn block(&self, depth: usize, out: &mut String) {
        for Entry { key, value, origin } in &self.0 {
            let indent = "  ".repeat(depth);
            if let Some(origin) = origin {
                let _ = writeln!(out, "{indent}# {origin}");
            }
            let _ = write!(out, "{indent}{}:", quoted(key));
            value.behind(depth, indent.len() + key.len(), out);
        }
    }
}

impl Node {
    /// The map that this is, or that it becomes.
    fn as_map(&mut self) -> &mut Map {
        match self {
            Self::Map(map) => map,
            other => {
                *other = Self::Map(Map::default());
                other.as_map()
            }
        }
    }

    /// The value behind `key:`, with what ends the line.
    fn behind(&self, depth: usize, used: usize, out: &mut String) {
        let flow = self.flow();
        let stays = used + flow.len() < LINE_MAX && depth > 0 && !self.has_origins();
        match self {
            Self::Map(map) if !stays && !map.is_empty() => {
                out.push('\n');
                map.block(depth + 1, out);
            }
            Self::List(list) if !stays && !list.is_empty() => {
                out.push('\n');
                for item in list {
                    let _ = writeln!(out, "{}- {}", "  ".repeat(depth + 1), item.flow());
                }
            }
            _ => {
                let _ = writeln!(out, " {flow}");
            }
        }
    }

    fn has_origins(&self) -> bool {
        match self {
            Self::Text(_) => false,
            Self::List(list) => list.iter().any(Self::has_origins),
            Self::Map(map) => map.0.iter().any(|entry| entry.origin.is_some() || entry.value.has_origins()),
        }
    }

    fn flow(&self) -> String {
        match self {
            Self::Text(text) => quoted(text),
            Self::List(list) => format!("[{}]", list.iter().map(Self::flow).collect::<Vec<_>>().join(", ")),
            Self::Map(map) => {
                let entries: Vec<String> =
                    map.0.iter().map(|entry| format!("{}: {}", quoted(&entry.key), entry.value.flow())).collect();
                format!("{{{}}}", entries.join(", "))
            }
        }
    }
}

/// The text in quotes; the formatter takes off those that are not needed. Numbers and truth values have none.
fn quoted(text: &str) -> String {
    let number = text.len() < 10 && text.parse::<u32>().is_ok_and(|number| number.to_string() == text);
    if number || matches!(text, "true" | "false") {
        return text.to_owned();
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}') => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
