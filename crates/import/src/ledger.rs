//! What became of every statement of the old file.

use std::collections::BTreeMap;

/// Why something was not carried over as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    /// It is missing in the new configuration.
    Lost,
    /// It is carried over, and means something else at an edge.
    Differs,
    /// Strait does it by itself, or has no use for it.
    Needless,
}

impl Why {
    /// One word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Differs => "differs",
            Self::Needless => "needless",
        }
    }
}

/// A statement that was not carried over as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Left {
    /// The file.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The statement.
    pub text: String,
    /// How much it matters.
    pub why: Why,
    /// The reason, and what to do.
    pub reason: String,
}

/// A statement's number in its file, counted through all files.
pub(crate) type Id = usize;

/// What is known about statements so far. The worst that is said of one stays.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    said: BTreeMap<Id, Entry>,
}

#[derive(Debug, Default)]
struct Entry {
    carried: bool,
    left: Option<(Why, String)>,
}

impl Ledger {
    /// The statement is in the new configuration.
    pub(crate) fn carry(&mut self, id: Id) {
        self.said.entry(id).or_default().carried = true;
    }

    /// The statement is not, or not quite.
    pub(crate) fn leave(&mut self, id: Id, why: Why, reason: impl Into<String>) {
        let entry = self.said.entry(id).or_default();
        if entry.left.as_ref().is_none_or(|(known, _)| why < *known) {
            entry.left = Some((why, reason.into()));
        }
    }

    pub(crate) fn lose(&mut self, id: Id, reason: impl Into<String>) {
        self.leave(id, Why::Lost, reason);
    }

    pub(crate) fn differ(&mut self, id: Id, reason: impl Into<String>) {
        self.carry(id);
        self.leave(id, Why::Differs, reason);
    }

    pub(crate) fn spare(&mut self, id: Id, reason: impl Into<String>) {
        self.leave(id, Why::Needless, reason);
    }

    /// Whether anything has been said about it.
    pub(crate) fn knows(&self, id: Id) -> bool {
        self.said.contains_key(&id)
    }

    /// How many statements were carried over.
    pub(crate) fn carried(&self) -> usize {
        self.said.values().filter(|entry| entry.carried).count()
    }

    /// What was left of statements, by their numbers.
    pub(crate) fn left(self) -> impl Iterator<Item = (Id, Why, String)> {
        self.said.into_iter().filter_map(|(id, entry)| entry.left.map(|(why, reason)| (id, why, reason)))
    }
}
