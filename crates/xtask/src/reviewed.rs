//! Reviewed lists: exceptions that somebody looked at, each with its reason.
//!
//! One entry a line, `KEY: REASON`; `#` starts a comment. An entry without a reason and an entry that no longer
//! applies are findings themselves, so that the lists only shrink.

use std::cell::Cell;
use std::fs;
use std::path::Path;

/// A list of exceptions and which of them were needed.
pub(crate) struct Reviewed {
    path: String,
    entries: Vec<Entry>,
}

struct Entry {
    key: String,
    reason: String,
    used: Cell<bool>,
}

impl Reviewed {
    /// Reads a list named from the root of the workspace; a missing file is an empty list.
    pub(crate) fn read(root: &Path, path: &str) -> Reviewed {
        Reviewed::parse(path, &fs::read_to_string(root.join(path)).unwrap_or_default())
    }

    fn parse(path: &str, text: &str) -> Reviewed {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let entries = lines.map(|line| {
            let (key, reason) = line.split_once(": ").unwrap_or((line.trim_end_matches(':'), ""));
            Entry { key: key.trim().to_owned(), reason: reason.trim().to_owned(), used: Cell::new(false) }
        });
        Reviewed { path: path.to_owned(), entries: entries.collect() }
    }

    /// Whether this exception is listed; remembers that it was needed.
    pub(crate) fn allows(&self, key: &str) -> bool {
        let entry = self.entries.iter().find(|entry| entry.key == key);
        entry.inspect(|entry| entry.used.set(true)).is_some()
    }

    /// Entries that nothing needed or that give no reason.
    pub(crate) fn findings(&self) -> Vec<String> {
        let unused = self.entries.iter().filter(|entry| !entry.used.get());
        let unused = unused.map(|entry| format!("{}: `{}` is no longer needed: remove it", self.path, entry.key));
        let silent = self.entries.iter().filter(|entry| entry.reason.is_empty());
        let silent = silent.map(|entry| format!("{}: `{}` has no reason", self.path, entry.key));
        unused.chain(silent).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_need_a_reason_and_a_use() {
        let list = Reviewed::parse("list", "# head\na b: because\nc:\nd: never met\n");
        assert!(list.allows("a b") && list.allows("c") && !list.allows("e"));
        assert_eq!(list.findings(), ["list: `d` is no longer needed: remove it", "list: `c` has no reason"]);
    }
}
