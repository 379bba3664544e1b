//! Where in the language a place of a text is. It looks at lines and brackets, not at a parsed tree: what is being
//! typed is rarely whole.

/// What stands, or is about to stand, at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cursor {
    /// The keys around it, from the top; `-` stands for an item of a list.
    pub(super) path: Vec<String>,
    /// Whether a key stands there; else it is a value, and the last of the path is its key.
    pub(super) is_key: bool,
    /// What stands there, without quotes.
    pub(super) word: String,
    /// Where that begins, in bytes, quotes included.
    pub(super) start: usize,
    /// And ends.
    pub(super) end: usize,
    /// Whether it stands inside of brackets or braces.
    pub(super) in_flow: bool,
}

/// The place at an offset: the word up to there, and what follows of it.
pub(super) fn cursor(text: &str, offset: usize) -> Cursor {
    let offset = offset.min(text.len());
    let line_start = text.get(..offset).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
    let line = text.get(line_start..).unwrap_or_default().lines().next().unwrap_or_default();
    let within = offset - line_start;
    let end = word_end(line, within);
    let before = line.get(..end).unwrap_or(line);
    let parts = Parts::of(before);
    let above = text.get(..line_start).unwrap_or_default();
    let mut path = around(above, parts.column(), parts.begins_with_dash());
    path.extend(parts.dashes.iter().map(|_| "-".to_owned()));
    let (value, value_at) = match parts.key {
        Some(key) => {
            path.push(key.to_owned());
            (parts.rest, parts.rest_at)
        }
        None => (parts.rest, parts.rest_at),
    };
    // Behind a dash, and on a line of its own, a word may become a key.
    let outer_is_key = parts.key.is_none();
    let mut flow = Flow { path, is_key: outer_is_key, start: value_at, opened: Vec::new() };
    flow.read(value, value_at);
    let in_flow = !flow.opened.is_empty();
    let word = before.get(flow.start..).unwrap_or_default();
    let blank = word.len() - word.trim_start().len();
    let word = word.trim();
    Cursor {
        path: flow.path,
        is_key: flow.is_key,
        word: word.trim_matches(['"', '\'']).to_owned(),
        start: line_start + flow.start + blank,
        end: line_start + flow.start + blank + word.len(),
        in_flow,
    }
}

/// Where the word around a place ends: before what separates words.
fn word_end(line: &str, within: usize) -> usize {
    let rest = line.get(within..).unwrap_or_default();
    let mut end = rest.len();
    for (at, c) in rest.char_indices() {
        let next = rest.get(at + c.len_utf8()..).unwrap_or_default();
        let stops = match c {
            ':' => next.is_empty() || next.starts_with(' '),
            // That of a `{capture}` belongs to the word.
            '}' => line.get(..within + at).is_none_or(|before| !is_capture(before)),
            ',' | ']' | '[' => true,
            '{' => line.get(..within + at).is_none_or(|before| !before.ends_with(['/', '$'])),
            ' ' => next.starts_with('#') || at == 0 || next.starts_with(['{', '[']),
            _ => false,
        };
        if stops {
            end = at;
            break;
        }
    }
    within + rest.get(..end).unwrap_or_default().trim_end().len()
}

/// Whether a text ends inside of the `{…}` of a pattern or a reference.
fn is_capture(before: &str) -> bool {
    before
        .rfind(['{', '}'])
        .and_then(|at| before.get(..at).filter(|_| before.get(at..).is_some_and(|b| b.starts_with('{'))))
        .is_some_and(|outside| outside.ends_with(['/', '$']))
}

/// A line of a block: dashes, then perhaps a key, then the rest.
struct Parts<'l> {
    /// Columns of the dashes.
    dashes: Vec<usize>,
    key: Option<&'l str>,
    key_at: usize,
    rest: &'l str,
    rest_at: usize,
}

impl<'l> Parts<'l> {
    fn of(line: &'l str) -> Self {
        let mut at = line.len() - line.trim_start_matches(' ').len();
        let mut dashes = Vec::new();
        while let Some(rest) = line.get(at..).filter(|rest| rest.starts_with("- ") || *rest == "-") {
            dashes.push(at);
            let inner = rest.trim_start_matches('-').trim_start_matches(' ');
            at += rest.len() - inner.len();
        }
        let rest = line.get(at..).unwrap_or_default();
        match key_of(rest) {
            Some((key, length)) => {
                let value = rest.get(length..).unwrap_or_default();
                Self { dashes, key: Some(key), key_at: at, rest: value, rest_at: at + length }
            }
            None => Self { dashes, key: None, key_at: at, rest, rest_at: at },
        }
    }

    fn column(&self) -> usize {
        self.dashes.first().copied().unwrap_or(self.key_at)
    }

    fn begins_with_dash(&self) -> bool {
        !self.dashes.is_empty()
    }
}

/// The key at the start of a text, and the bytes up to its value.
fn key_of(text: &str) -> Option<(&str, usize)> {
    if text.starts_with(['{', '[', '#']) {
        return None;
    }
    let quote = text.chars().next().filter(|c| *c == '"' || *c == '\'');
    if let Some(quote) = quote {
        let inner = text.get(1..)?;
        let close = inner.find(quote)?;
        let behind = inner.get(close + 1..)?;
        let colon = behind.strip_prefix(':').filter(|rest| rest.is_empty() || rest.starts_with(' '))?;
        return Some((inner.get(..close)?, text.len() - colon.len()));
    }
    let end = text.find(": ").or_else(|| text.strip_suffix(':').map(str::len))?;
    Some((text.get(..end)?, end + 1))
}

/// The keys around a column, from the lines above.
fn around(above: &str, column: usize, is_dash: bool) -> Vec<String> {
    let mut path = Vec::new();
    let (mut column, mut below_is_dash) = (column, is_dash);
    for line in above.lines().rev() {
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        let parts = Parts::of(line);
        // A list may stand in the column of its key.
        let is_around = |at: usize, is_key: bool| at < column || (at == column && below_is_dash && is_key);
        if let Some(key) = parts.key.filter(|_| is_around(parts.key_at, true)) {
            path.push(key.to_owned());
            (column, below_is_dash) = (parts.key_at, false);
        }
        for dash in parts.dashes.iter().rev() {
            if *dash < column {
                path.push("-".to_owned());
                (column, below_is_dash) = (*dash, true);
            }
        }
        if column == 0 && !below_is_dash {
            break;
        }
    }
    path.reverse();
    path
}

/// A walk through brackets and braces to the end of what was typed.
struct Flow {
    path: Vec<String>,
    is_key: bool,
    /// Where the word at the end begins in the line.
    start: usize,
    /// The open brackets, each with the length of the path outside.
    opened: Vec<(char, usize)>,
}

impl Flow {
    fn read(&mut self, text: &str, base: usize) {
        let mut quote = None;
        for (at, c) in text.char_indices() {
            let rest = text.get(at + c.len_utf8()..).unwrap_or_default();
            let word = text.get(self.start.saturating_sub(base)..at).unwrap_or_default().trim();
            match quote {
                Some(open) if c == open => quote = None,
                Some(_) => {}
                None if (c == '"' || c == '\'') && word.is_empty() => quote = Some(c),
                None if (c == '{' || c == '[') && word.is_empty() => self.open(c, base + at + 1),
                None if self.opened.is_empty() => {}
                None => self.within(c, word, rest, base + at + 1),
            }
        }
    }

    fn open(&mut self, bracket: char, start: usize) {
        // What was to be a key is a value after all.
        self.opened.push((bracket, self.path.len()));
        if bracket == '[' {
            self.path.push("-".to_owned());
        }
        (self.is_key, self.start) = (true, start);
    }

    fn within(&mut self, c: char, word: &str, rest: &str, next: usize) {
        match c {
            ':' if rest.is_empty() || rest.starts_with(' ') => {
                self.path.push(word.trim_matches(['"', '\'']).to_owned());
                (self.is_key, self.start) = (false, next);
            }
            ',' => {
                if let Some((bracket, outside)) = self.opened.last().copied() {
                    self.path.truncate(outside + usize::from(bracket == '['));
                }
                (self.is_key, self.start) = (true, next);
            }
            '}' | ']' => {
                if let Some((_, outside)) = self.opened.pop() {
                    self.path.truncate(outside);
                }
                (self.is_key, self.start) = (false, next);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::cursor;

    /// The place of `|`.
    #[track_caller]
    fn check(text: &str, path: &str, is_key: bool, word: &str) {
        let offset = text.find('|').unwrap();
        let found = cursor(&text.replacen('|', "", 1), offset);
        assert_eq!(
            (found.path.join(" "), found.is_key, found.word.as_str()),
            (path.to_owned(), is_key, word),
            "{text}"
        );
    }

    #[test]
    fn places_are_found_in_what_is_not_whole() {
        check("ro|", "", true, "ro");
        check("ro|utes:\n", "", true, "routes");
        check("routes:\n  |", "routes", true, "");
        check("routes:\n  /: ap|", "routes /", false, "ap");
        check("routes:\n  /:\n    ti|\n", "routes /", true, "ti");
        check("routes:\n  \"*.x\": {to: app, ti|", "routes *.x", true, "ti");
        check("routes:\n  /users/{id}: {to: a|pp, timeout: 3s}", "routes /users/{id} to", false, "app");
        check("routes:\n  /: {timeout: {con|", "routes / timeout", true, "con");
        check("routes:\n  /: {timeout: {connect: 1s}, re|", "routes /", true, "re");
        check("upstreams:\n  app:\n    balance: ro|", "upstreams app balance", false, "ro");
        check("upstreams:\n  app:\n    endpoints:\n      - addr|", "upstreams app endpoints -", true, "addr");
        check(
            "upstreams:\n  app:\n    endpoints:\n    - address: x:1\n      w|",
            "upstreams app endpoints -",
            true,
            "w",
        );
        check("routes:\n  /:\n    filters: [use: str|", "routes / filters - use", false, "str");
        check("routes:\n  /:\n    filters:\n      - use: |", "routes / filters - use", false, "");
        check("routes:\n  /users/|{id}: app", "routes", true, "/users/{id}");
        check("a:\n  b: c\n\n# x\nd|", "", true, "d");
        check("routes:\n  /: [app, oth|er]", "routes / -", true, "other");
        check("routes:\n  /: a|pp # why", "routes /", false, "app");
    }
}
