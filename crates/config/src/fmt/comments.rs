//! Comments and where they belong.

use crate::source::SourceFile;

/// A comment.
pub(super) struct Comment {
    pub(super) start: u32,
    /// Its line, from 0.
    pub(super) line: usize,
    /// Bytes before it in its line.
    pub(super) column: u32,
    /// Whether nothing else stands in its line.
    pub(super) is_alone: bool,
    /// `#` and what follows, without blanks at the end.
    pub(super) text: String,
}

impl Comment {
    pub(super) fn at(start: u32, end: u32, source: &SourceFile) -> Self {
        let line = source.line_at(start);
        let line_start = source.line_start(line);
        let before = source.slice(line_start, start);
        Self {
            start,
            line,
            column: start - line_start.min(start),
            is_alone: before.trim_start_matches('\u{feff}').trim().is_empty(),
            text: source.slice(start, end).trim_end().to_owned(),
        }
    }
}

/// The comments of a file that are not written yet.
pub(super) struct Waiting<'l> {
    comments: &'l [Comment],
}

impl<'l> Waiting<'l> {
    pub(super) fn new(comments: &'l [Comment]) -> Self {
        Self { comments }
    }

    /// Takes the next comment, if it passes.
    pub(super) fn next_if(&mut self, passes: impl Fn(&Comment) -> bool) -> Option<&'l Comment> {
        let (first, rest) = self.comments.split_first()?;
        passes(first).then(|| {
            self.comments = rest;
            first
        })
    }

    /// The line of the next comment, if it begins before an offset.
    pub(super) fn line_before(&self, until: u32) -> Option<usize> {
        self.comments.first().filter(|comment| comment.start < until).map(|comment| comment.line)
    }

    /// Whether one stands between two offsets.
    pub(super) fn is_between(&self, start: u32, end: u32) -> bool {
        let from = self.comments.partition_point(|comment| comment.start < start);
        self.comments.get(from).is_some_and(|comment| comment.start < end)
    }
}
