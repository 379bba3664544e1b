//! Diagnostics as text for people, and as JSON, SARIF and GitHub annotations for tools.

use crate::diagnose::{Diagnostic, Diagnostics, Label, Severity};
use crate::limits::SHOWN_LINE_CHARS_MAX;
use crate::source::{Location, Sources, Span};
use serde_json::{Value, json};
use std::fmt::Write as _;
use std::str::FromStr;

/// How diagnostics are written out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Lines for people.
    Text {
        /// With ANSI colours.
        colour: bool,
    },
    /// One JSON object: `{"diagnostics": [...], "errors": n, "warnings": n}`.
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Workflow commands of GitHub Actions, one line each.
    Github,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        match word {
            "text" => Ok(Self::Text { colour: false }),
            "json" => Ok(Self::Json),
            "sarif" => Ok(Self::Sarif),
            "github" => Ok(Self::Github),
            other => Err(format!("`{other}` is not a format: text, json, sarif or github")),
        }
    }
}

impl Diagnostics {
    /// Writes all findings in the given format; text ends with a line that counts them.
    pub fn render(&self, format: Format) -> String {
        match format {
            Format::Text { colour } => self.text(Paint { on: colour }),
            Format::Json => pretty(&self.json()),
            Format::Sarif => pretty(&self.sarif()),
            Format::Github => self.github(),
        }
    }

    fn text(&self, paint: Paint) -> String {
        let mut out = String::new();
        for diagnostic in &self.list {
            text_one(&mut out, diagnostic, &self.sources, paint);
            out.push('\n');
        }
        if !self.list.is_empty() {
            let _ = writeln!(out, "{}", self.summary());
        }
        out
    }

    /// `2 errors, 1 warning (strait help E0102 explains)`.
    pub fn summary(&self) -> String {
        let mut parts = Vec::new();
        let (errors, warnings) = (self.errors(), self.warnings());
        if errors > 0 {
            parts.push(counted(errors, "error"));
        }
        if warnings > 0 {
            parts.push(counted(warnings, "warning"));
        }
        let mut codes: Vec<&str> = self.list.iter().map(|d| d.code.id).collect();
        codes.sort_unstable();
        codes.dedup();
        let more = if codes.len() > 4 { ", …" } else { "" };
        codes.truncate(4);
        format!("{}: strait help {}{more} explains", parts.join(", "), codes.join(", "))
    }

    fn json(&self) -> Value {
        let list: Vec<Value> = self.list.iter().map(|d| json_one(d, &self.sources)).collect();
        json!({"diagnostics": list, "errors": self.errors(), "warnings": self.warnings()})
    }

    fn sarif(&self) -> Value {
        let results: Vec<Value> = self.list.iter().map(|d| sarif_one(d, &self.sources)).collect();
        let rules: Vec<Value> = crate::codes::ALL
            .iter()
            .filter(|code| self.list.iter().any(|d| d.code == **code))
            .map(|code| json!({"id": code.id, "shortDescription": {"text": code.title}, "fullDescription": {"text": code.explanation}}))
            .collect();
        json!({
            "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
            "version": "2.1.0",
            "runs": [{"tool": {"driver": {"name": "strait", "rules": rules}}, "results": results}],
        })
    }

    fn github(&self) -> String {
        let mut out = String::new();
        for d in &self.list {
            let level = if d.is_error() { "error" } else { "warning" };
            let mut place = String::new();
            if let Some(at) = self.sources.locate(d.primary.span) {
                let _ = write!(place, "file={},line={},col={},", github_property(&at.name), at.line, at.column);
            }
            let mut message = d.message.clone();
            if let Some(fix) = &d.fix {
                let _ = write!(message, "\nfix: {}", fix.message);
            }
            let _ = writeln!(out, "::{level} {place}title={}::{}", d.code.id, github_text(&message));
        }
        out
    }
}

fn counted(count: usize, word: &str) -> String {
    format!("{count} {word}{}", if count == 1 { "" } else { "s" })
}

fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

/// Escapes of workflow commands: the message part.
fn github_text(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Escapes of workflow commands: a property also escapes its separators.
fn github_property(text: &str) -> String {
    github_text(text).replace(':', "%3A").replace(',', "%2C")
}

fn json_place(span: Span, sources: &Sources) -> Value {
    let (Some(start), Some(end)) = (sources.locate(span), sources.locate_end(span)) else {
        return Value::Null;
    };
    json!({
        "file": start.name, "line": start.line, "column": start.column,
        "end_line": end.line, "end_column": end.column,
        "start_byte": span.start, "end_byte": span.end,
    })
}

fn json_one(d: &Diagnostic, sources: &Sources) -> Value {
    let label = |label: &Label| json!({"place": json_place(label.span, sources), "text": label.text});
    let fix = d.fix.as_ref().map(|fix| {
        let edits: Vec<Value> = fix
            .edits
            .iter()
            .map(|edit| json!({"place": json_place(edit.span, sources), "replacement": edit.replacement}))
            .collect();
        json!({"message": fix.message, "edits": edits})
    });
    json!({
        "code": d.code.id,
        "severity": if d.severity == Severity::Error { "error" } else { "warning" },
        "message": d.message,
        "primary": label(&d.primary),
        "secondary": d.secondary.as_ref().map(label),
        "fix": fix,
    })
}

fn sarif_place(span: Span, sources: &Sources) -> Option<Value> {
    let (start, end) = (sources.locate(span)?, sources.locate_end(span)?);
    Some(json!({"physicalLocation": {
        "artifactLocation": {"uri": start.name},
        "region": {"startLine": start.line, "startColumn": start.column, "endLine": end.line, "endColumn": end.column},
    }}))
}

fn sarif_one(d: &Diagnostic, sources: &Sources) -> Value {
    let mut message = d.message.clone();
    if let Some(fix) = &d.fix {
        let _ = write!(message, " (fix: {})", fix.message);
    }
    let places: Vec<Value> = sarif_place(d.primary.span, sources).into_iter().collect();
    let related: Vec<Value> = d
        .secondary
        .iter()
        .filter_map(|label| {
            let mut place = sarif_place(label.span, sources)?;
            if let Some(object) = place.as_object_mut() {
                object.insert("message".into(), json!({"text": label.text}));
            }
            Some(place)
        })
        .collect();
    json!({
        "ruleId": d.code.id,
        "level": if d.is_error() { "error" } else { "warning" },
        "message": {"text": message},
        "locations": places,
        "relatedLocations": related,
    })
}

/// ANSI colours, or nothing.
#[derive(Clone, Copy)]
struct Paint {
    on: bool,
}

impl Paint {
    fn with(self, style: &str, text: &str) -> String {
        if self.on { format!("\x1b[{style}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

const BOLD: &str = "1";
const RED: &str = "1;31";
const YELLOW: &str = "1;33";
const BLUE: &str = "1;34";
const GREEN: &str = "1;32";

fn text_one(out: &mut String, d: &Diagnostic, sources: &Sources, paint: Paint) {
    let (word, style) = if d.is_error() { ("error", RED) } else { ("warning", YELLOW) };
    let _ = writeln!(out, "{}{}", paint.with(style, word), paint.with(BOLD, &format!(": {}", printable(&d.message))));
    let primary = sources.locate(d.primary.span);
    let secondary = d.secondary.as_ref().and_then(|label| Some((label, sources.locate(label.span)?)));
    let last_line = primary.iter().chain(secondary.iter().map(|(_, at)| at)).map(|at| at.line).max();
    let width = last_line.unwrap_or(1).to_string().len();
    if let Some(at) = &primary {
        let _ = writeln!(out, "  {} {at}", paint.with(BLUE, "-->"));
        excerpt(out, &d.primary, at, sources, Excerpt { width, mark: '^', style, paint, marks_only: false });
    }
    if let Some((label, at)) = &secondary {
        if primary.as_ref().is_none_or(|first| first.name != at.name) {
            let _ = writeln!(out, "  {} {at}", paint.with(BLUE, "-->"));
        }
        let repeats = primary.as_ref().is_some_and(|first| {
            first.name == at.name && first.line == at.line && first.column.max(at.column) <= SHOWN_LINE_CHARS_MAX
        });
        excerpt(out, label, at, sources, Excerpt { width, mark: '-', style: BLUE, paint, marks_only: repeats });
    }
    if let Some(fix) = &d.fix {
        let _ = writeln!(
            out,
            "  {:width$} {} {} {}",
            "",
            paint.with(BLUE, "="),
            paint.with(GREEN, "fix:"),
            printable(&fix.message)
        );
    }
}

#[derive(Clone, Copy)]
struct Excerpt<'a> {
    width: usize,
    mark: char,
    style: &'a str,
    paint: Paint,
    /// The line stands right above already.
    marks_only: bool,
}

/// The line, and the marks under it.
fn excerpt(out: &mut String, label: &Label, at: &Location, sources: &Sources, how: Excerpt<'_>) {
    let Some(file) = sources.file(label.span.file) else { return };
    let Excerpt { width, mark, style, paint, marks_only } = how;
    let line = file.line(at.line - 1);
    let before = at.column - 1;
    let length_left = line.chars().count().saturating_sub(before);
    let covered = file.slice(label.span.start, label.span.end);
    let first_line = covered.lines().next().unwrap_or_default();
    let length = first_line.chars().count().min(length_left).max(1);
    // A long line is cut so that the marked place stays in sight.
    let skipped = if before > SHOWN_LINE_CHARS_MAX { before - SHOWN_LINE_CHARS_MAX / 2 } else { 0 };
    let shown: String = line.chars().skip(skipped).take(SHOWN_LINE_CHARS_MAX).collect();
    let length = length.min(SHOWN_LINE_CHARS_MAX);
    let number = paint.with(BLUE, &format!("{:>width$} |", at.line));
    let gutter = paint.with(BLUE, &format!("{:>width$} |", ""));
    let marks = format!("{} {}", mark.to_string().repeat(length), printable(&label.text));
    if !marks_only {
        let _ = writeln!(out, "  {number} {}", printable(&shown));
    }
    let _ = writeln!(out, "  {gutter} {:2$}{}", "", paint.with(style, marks.trim_end()), before - skipped);
}

/// What comes from a file must not steer the terminal: control characters become spaces or `�`.
fn printable(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\t' => ' ',
            c if c.is_control() => '\u{FFFD}',
            // Overrides of writing direction could show a line as something it is not.
            '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => '\u{FFFD}',
            c => c,
        })
        .collect()
}
