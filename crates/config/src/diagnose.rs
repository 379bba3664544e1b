//! Diagnostics: what is wrong, where, the other place, and the fix.

use crate::codes::Code;
use crate::limits::DIAGNOSTICS_MAX;
use crate::source::{Sources, Span};

/// Whether a diagnostic refuses the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The configuration is refused.
    Error,
    /// The configuration is accepted; something in it deserves a look.
    Warning,
}

/// A place with the words written under it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// The words; may be empty.
    pub text: String,
}

/// A replacement of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; an empty span inserts.
    pub span: Span,
    /// What stands there afterwards.
    pub replacement: String,
}

/// What to do about a diagnostic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fix {
    /// In words: ``did you mean `balance`?``
    pub message: String,
    /// As edits that can be applied; empty where only the user knows.
    pub edits: Vec<Edit>,
}

/// One finding about a configuration.
///
/// ```
/// use strait_config::{Diagnostic, Span, codes};
/// let finding = Diagnostic::error(codes::PATTERN, Span::NONE, "`{` is never closed")
///     .label("opened here")
///     .hint("write `{id}`");
/// assert_eq!(finding.code.id, "E0306");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The stable code.
    pub code: &'static Code,
    /// Error or warning.
    pub severity: Severity,
    /// One line, without a full stop.
    pub message: String,
    /// The place and the words under it.
    pub primary: Label,
    /// The other place, if two are involved.
    pub secondary: Option<Label>,
    /// The fix.
    pub fix: Option<Fix>,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(code: &'static Code, span: Span, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            primary: Label { span, text: String::new() },
            secondary: None,
            fix: None,
        }
    }

    /// A warning at a place.
    pub fn warning(code: &'static Code, span: Span, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, span, message) }
    }

    /// Sets the words under the place.
    #[must_use]
    pub fn label(mut self, text: impl Into<String>) -> Self {
        self.primary.text = text.into();
        self
    }

    /// Names the other place.
    #[must_use]
    pub fn second(mut self, span: Span, text: impl Into<String>) -> Self {
        self.secondary = Some(Label { span, text: text.into() });
        self
    }

    /// A fix in words only.
    #[must_use]
    pub fn hint(mut self, message: impl Into<String>) -> Self {
        self.fix = Some(Fix { message: message.into(), edits: Vec::new() });
        self
    }

    /// A fix that replaces the text of one span.
    #[must_use]
    pub fn replace(self, message: impl Into<String>, span: Span, with: impl Into<String>) -> Self {
        self.edits(message, vec![Edit { span, replacement: with.into() }])
    }

    /// A fix of several edits.
    #[must_use]
    pub fn edits(mut self, message: impl Into<String>, edits: Vec<Edit>) -> Self {
        self.fix = Some(Fix { message: message.into(), edits });
        self
    }

    /// Whether this refuses the configuration.
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }
}

/// All findings of one run, with the files they speak of. Rendered by [`Diagnostics::render`].
#[derive(Debug, Clone, Default)]
pub struct Diagnostics {
    /// The findings, ordered by place.
    pub list: Vec<Diagnostic>,
    /// How many more there were than [`DIAGNOSTICS_MAX`].
    pub omitted: usize,
    /// The files.
    pub sources: Sources,
}

impl Diagnostics {
    /// Orders findings by place, drops repetitions and those beyond [`DIAGNOSTICS_MAX`].
    pub fn new(mut list: Vec<Diagnostic>, sources: Sources) -> Self {
        list.sort_by_key(|finding| finding.primary.span);
        list.dedup();
        let omitted = list.len().saturating_sub(DIAGNOSTICS_MAX);
        list.truncate(DIAGNOSTICS_MAX);
        Self { list, omitted, sources }
    }

    /// Number of errors.
    pub fn errors(&self) -> usize {
        self.list.iter().filter(|d| d.is_error()).count() + self.omitted
    }

    /// Number of warnings.
    pub fn warnings(&self) -> usize {
        self.list.iter().filter(|d| !d.is_error()).count()
    }
}

impl std::fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.render(crate::render::Format::Text { colour: false }))
    }
}

impl std::error::Error for Diagnostics {}

/// Applies edits to the text of one file. Edits must not overlap; those of other files are ignored.
pub fn apply_edits(text: &str, file: crate::source::FileId, edits: &[Edit]) -> String {
    let mut edits: Vec<&Edit> = edits.iter().filter(|edit| edit.span.file == file).collect();
    edits.sort_by_key(|edit| edit.span.start);
    let (mut written, mut at) = (String::with_capacity(text.len()), 0_usize);
    for edit in edits {
        let (start, end) = (edit.span.start as usize, edit.span.end as usize);
        written.push_str(text.get(at..start).unwrap_or_default());
        written.push_str(&edit.replacement);
        at = end.max(at);
    }
    written.push_str(text.get(at..).unwrap_or_default());
    written
}
