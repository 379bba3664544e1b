//! Where things were written: files, spans, and values that remember their span.

use std::fmt;
use std::ops::Deref;

/// Number of a file among the [`Sources`] of one load.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FileId(pub(crate) u32);

/// A stretch of bytes in one file, from `start` (inclusive) to `end` (exclusive).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// Offset of the first byte.
    pub start: u32,
    /// Offset behind the last byte.
    pub end: u32,
}

impl Span {
    /// The span of what nobody wrote, such as a default.
    pub const NONE: Self = Self { file: FileId(u32::MAX), start: 0, end: 0 };

    /// Whether this stands for something that was written in a file.
    pub fn is_written(self) -> bool {
        self.file != Self::NONE.file
    }

    /// The empty span at the end of this one: where an edit inserts.
    pub fn after(self) -> Self {
        Self { start: self.end, ..self }
    }

    /// The empty span at the start of this one.
    pub fn before(self) -> Self {
        Self { end: self.start, ..self }
    }
}

/// A value with the place it was written. Compares by value alone.
#[derive(Debug, Clone)]
pub struct Spanned<T> {
    /// The value.
    pub value: T,
    /// Where it was written; [`Span::NONE`] for a default.
    pub span: Span,
}

impl<T> Spanned<T> {
    /// A value and its place.
    pub fn new(value: T, span: Span) -> Self {
        Self { value, span }
    }

    /// A value that nobody wrote.
    pub fn unwritten(value: T) -> Self {
        Self { value, span: Span::NONE }
    }
}

impl<T> Deref for Spanned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

impl<T: PartialEq> PartialEq for Spanned<T> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}

impl<T: Eq> Eq for Spanned<T> {}

impl<T: PartialOrd> PartialOrd for Spanned<T> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        self.value.partial_cmp(&other.value)
    }
}

impl<T: fmt::Display> fmt::Display for Spanned<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.value.fmt(f)
    }
}

/// One file as it was read.
#[derive(Debug, Clone)]
pub struct SourceFile {
    /// The name shown in messages: the path as the user gave it.
    pub name: String,
    /// The whole text.
    pub text: String,
    line_starts: Vec<u32>,
}

impl SourceFile {
    pub(crate) fn new(name: String, text: String) -> Self {
        let mut line_starts = vec![0];
        for (at, byte) in text.bytes().enumerate() {
            if byte == b'\n' {
                line_starts.push(offset(at + 1));
            }
        }
        Self { name, text, line_starts }
    }

    /// Index of the line that holds this byte, from 0.
    pub(crate) fn line_at(&self, at: u32) -> usize {
        self.line_starts.partition_point(|start| *start <= at).saturating_sub(1)
    }

    /// Offset of the first byte of a line, counted from 0.
    pub(crate) fn line_start(&self, line: usize) -> u32 {
        self.line_starts.get(line).copied().unwrap_or_else(|| offset(self.text.len()))
    }

    /// Text of a line, counted from 0, without its line end.
    pub(crate) fn line(&self, line: usize) -> &str {
        let start = self.line_start(line) as usize;
        let end = self.line_start(line + 1) as usize;
        let text = self.text.get(start..end).unwrap_or_default();
        text.trim_end_matches(['\n', '\r'])
    }

    /// Number of lines.
    pub(crate) fn lines(&self) -> usize {
        self.line_starts.len()
    }

    /// The text between two offsets; empty if they are no character boundaries.
    pub(crate) fn slice(&self, start: u32, end: u32) -> &str {
        self.text.get(start as usize..end as usize).unwrap_or_default()
    }
}

/// The files of one load.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
}

/// A place as people and editors name it: lines and columns count from 1, columns in characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// Name of the file.
    pub name: String,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
}

impl Location {
    /// `file:line`; the name alone for a flag, which has one line.
    pub fn place(&self) -> String {
        match self.name.starts_with("--") {
            true => self.name.clone(),
            false => format!("{}:{}", self.name, self.line),
        }
    }
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.name, self.line, self.column)
    }
}

impl Sources {
    /// Whether the same files were read, with the same texts.
    pub fn same_texts(&self, other: &Self) -> bool {
        let same = |(ours, theirs): (&SourceFile, &SourceFile)| ours.name == theirs.name && ours.text == theirs.text;
        self.files.len() == other.files.len() && self.files.iter().zip(&other.files).all(same)
    }

    /// The names of the files that were read.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.iter().map(|file| file.name.as_str())
    }

    /// Takes a file in.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> FileId {
        let id = FileId(offset(self.files.len()));
        self.files.push(SourceFile::new(name.into(), text.into()));
        id
    }

    /// The file of this number.
    pub fn file(&self, id: FileId) -> Option<&SourceFile> {
        self.files.get(id.0 as usize)
    }

    /// All files with their numbers.
    pub fn numbered(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.files.iter().enumerate().map(|(at, file)| (FileId(offset(at)), file))
    }

    /// All files, in the order they were read.
    pub fn files(&self) -> &[SourceFile] {
        &self.files
    }

    /// File, line and column where a span begins; `None` for what nobody wrote.
    pub fn locate(&self, span: Span) -> Option<Location> {
        self.locate_offset(span.file, span.start)
    }

    /// File, line and column where a span ends.
    pub fn locate_end(&self, span: Span) -> Option<Location> {
        self.locate_offset(span.file, span.end)
    }

    fn locate_offset(&self, file: FileId, at: u32) -> Option<Location> {
        let file = self.file(file)?;
        let line = file.line_at(at);
        let before = file.slice(file.line_start(line), at);
        Some(Location { name: file.name.clone(), line: line + 1, column: before.chars().count() + 1 })
    }

    /// The text a span covers.
    pub fn text(&self, span: Span) -> &str {
        self.file(span.file).map_or("", |file| file.slice(span.start, span.end))
    }
}

/// Offsets fit in 32 bits: files are at most `FILE_BYTES_MAX` long.
pub(crate) fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}
