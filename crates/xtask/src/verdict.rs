//! What a check has to say at its end.

/// The outcome of one step of `cargo xtask test`.
pub(crate) enum Verdict {
    /// All is well; the text is a short measure of what was looked at.
    Passed(String),
    /// One line for each thing that is wrong.
    Failed(Vec<String>),
    /// Nothing was checked: why, and the one line to run.
    Skipped(String),
}

impl Verdict {
    /// Failed if anything was found, else passed with this note.
    pub(crate) fn of(found: Vec<String>, note: impl Into<String>) -> Verdict {
        if found.is_empty() { Verdict::Passed(note.into()) } else { Verdict::Failed(found) }
    }
}
