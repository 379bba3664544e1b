use std::fmt;
use std::ops::Range;

/// A place in the text of an expression, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    pub(crate) fn new(start: usize, end: usize) -> Self {
        // Texts are shorter than `limits::TEXT_BYTES_MAX`.
        let place = |at| u32::try_from(at).unwrap_or(u32::MAX);
        Self { start: place(start), end: place(end) }
    }

    pub(crate) fn to(self, end: Self) -> Self {
        Self { start: self.start, end: end.end }
    }

    pub(crate) fn range(self) -> Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// Why a text is no expression: what is wrong, where, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// Where in the text, in bytes.
    pub span: Range<usize>,
    /// One line, without a full stop.
    pub message: String,
    /// The words under the place; may be empty.
    pub label: String,
    /// What to do about it.
    pub fix: Option<Box<Fix>>,
}

/// What to do about an [`Error`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// In words: ``did you mean `client.ip`?``
    pub message: String,
    /// What to write in place of which bytes, where that is known.
    pub edit: Option<(Range<usize>, String)>,
}

impl Error {
    pub(crate) fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span: span.range(), message: message.into(), label: String::new(), fix: None }
    }

    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    pub(crate) fn hint(mut self, message: impl Into<String>) -> Self {
        self.fix = Some(Box::new(Fix { message: message.into(), edit: None }));
        self
    }

    pub(crate) fn replace(self, span: Span, with: impl Into<String>) -> Self {
        let with = with.into();
        self.replace_saying(format!("did you mean `{with}`?"), span, with)
    }

    pub(crate) fn replace_saying(mut self, message: impl Into<String>, span: Span, with: impl Into<String>) -> Self {
        self.fix = Some(Box::new(Fix { message: message.into(), edit: Some((span.range(), with.into())) }));
        self
    }

    /// The same error of a text that begins `by` bytes later.
    pub(crate) fn moved(mut self, by: usize) -> Self {
        let moved = |range: Range<usize>| range.start + by..range.end + by;
        self.span = moved(self.span);
        if let Some((range, _)) = self.fix.as_mut().and_then(|fix| fix.edit.as_mut()) {
            *range = moved(range.clone());
        }
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.fix {
            Some(fix) => write!(f, "; {}", fix.message),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}

/// Why an expression has no value for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What is the matter.
    pub kind: FailureKind,
    pub(crate) at: Span,
}

/// What is the matter with an evaluation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// The request has no such header, cookie, claim …
    Absent,
    /// The value is of another type than is needed; only where types are not known beforehand (claims).
    Kind,
    /// A number beyond its bounds.
    Overflow,
    /// A division by zero.
    Zero,
    /// A list has no such place.
    Index,
    /// A text does not have the form of the value it is converted to.
    Form,
    /// The evaluation would cost more than [`crate::limits::FUEL_MAX`].
    Fuel,
}

impl FailureKind {
    /// In words, to follow what failed.
    pub fn words(self) -> &'static str {
        match self {
            Self::Absent => "is not there",
            Self::Kind => "is of another type",
            Self::Overflow => "is too large a number",
            Self::Zero => "divides by zero",
            Self::Index => "is beyond the end of the list",
            Self::Form => "cannot be converted",
            Self::Fuel => "costs too much to evaluate",
        }
    }
}

impl Failure {
    pub(crate) fn new(kind: FailureKind, at: Span) -> Self {
        Self { kind, at }
    }
}
