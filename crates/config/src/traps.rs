//! YAML's traps, found by looking at the text: the parser's own words say what it expected, not
//! what the user did. Used only once something is wrong, so clarity wins over speed here.

mod flow;
mod indent;

use crate::codes::{self, Code};
use crate::diagnose::{Diagnostic, Edit};
use crate::source::{FileId, SourceFile, Span, offset};
use crate::syntax::{Node, NodeKind};
use granit_parser::{ErrorKind, ScanError};

/// A file with the place where its parser gave up.
#[derive(Clone, Copy)]
struct Scene<'s> {
    file: FileId,
    source: &'s SourceFile,
    /// Line of the error, from 0.
    line: usize,
    /// Offset of the error.
    at: u32,
}

impl<'s> Scene<'s> {
    fn span(&self, start: u32, end: u32) -> Span {
        Span { file: self.file, start, end }
    }

    fn line(&self, line: usize) -> Line<'s> {
        Line::new(self.source, line)
    }
}

/// A line with its parts.
#[derive(Clone, Copy)]
struct Line<'s> {
    /// Offset of its first byte.
    start: u32,
    /// Bytes of indentation.
    indent: usize,
    /// From the first character that is no space to the last one that is neither blank nor comment.
    content: &'s str,
}

impl<'s> Line<'s> {
    fn new(source: &'s SourceFile, number: usize) -> Self {
        let text = source.line(number);
        let indent = text.len() - text.trim_start_matches([' ', '\t']).len();
        let content = without_comment(text.get(indent..).unwrap_or_default()).trim_end();
        Self { start: source.line_start(number), indent, content }
    }

    fn content_start(&self) -> u32 {
        self.start + offset(self.indent)
    }

    fn content_end(&self) -> u32 {
        self.content_start() + offset(self.content.len())
    }
}

/// The text before ` #`, minding quotes that open at the start of a token.
fn without_comment(text: &str) -> &str {
    let mut quote = None;
    let mut previous = ' ';
    for (at, c) in text.char_indices() {
        match quote {
            Some(open) if c == open => quote = None,
            Some(_) => {}
            None if (c == '"' || c == '\'') && " [{,(".contains(previous) => quote = Some(c),
            None if c == '#' && (previous == ' ' || previous == '\t') => {
                return text.get(..at).unwrap_or(text);
            }
            None => {}
        }
        previous = c;
    }
    text
}

/// Turns the parser's error into what the user did.
pub(crate) fn explain(file: FileId, source: &SourceFile, error: &ScanError) -> Diagnostic {
    let marker = error.marker();
    let at = offset(marker.byte_offset().unwrap_or_else(|| byte_of(source, marker.index())));
    let at = at.min(offset(source.text.len()));
    let scene = Scene { file, source, line: source.line_at(at), at };
    tab_in_indentation(&scene)
        .or_else(|| depth(&scene, error))
        .or_else(|| leading(&scene))
        .or_else(|| reference_without_quotes(file, source, at))
        .or_else(|| flow::unclosed(&scene))
        .or_else(|| escape(&scene, error))
        .or_else(|| colon_space(&scene))
        .or_else(|| colon_in_value(&scene))
        .or_else(|| missing_colon(&scene))
        .or_else(|| indent::odd(&scene))
        .unwrap_or_else(|| unnamed(&scene, error))
}

/// Offset of a character, for markers without a byte offset.
fn byte_of(source: &SourceFile, chars: usize) -> usize {
    source.text.char_indices().nth(chars).map_or(source.text.len(), |(at, _)| at)
}

fn unnamed(scene: &Scene<'_>, error: &ScanError) -> Diagnostic {
    let line = scene.line(scene.line);
    let at = scene.at.clamp(line.start, line.content_end().max(line.start));
    let message = format!("this is not valid YAML: {}", error.info());
    Diagnostic::error(codes::SYNTAX, scene.span(at, at + 1), message)
        .label("here")
        .hint("look for a missing quote, bracket or colon on this line or the one above")
}

fn depth(scene: &Scene<'_>, error: &ScanError) -> Option<Diagnostic> {
    if *error.kind() != ErrorKind::RecursionLimitExceeded {
        return None;
    }
    let message = format!("nested more than {} levels deep", crate::limits::DEPTH_MAX);
    Some(Diagnostic::error(codes::DEPTH, scene.span(scene.at, scene.at + 1), message))
}

/// Tabs before the content of a line, up to the one after the error. One finding, all lines mended.
fn tab_in_indentation(scene: &Scene<'_>) -> Option<Diagnostic> {
    let mut edits = Vec::new();
    for number in 0..scene.source.lines() {
        let line = scene.line(number);
        let lead = scene.source.slice(line.start, line.content_start());
        if lead.contains('\t') && !line.content.is_empty() {
            let replacement = lead.replace('\t', "  ");
            edits.push(Edit { span: scene.span(line.start, line.content_start()), replacement });
        }
    }
    let first = edits.first()?;
    if scene.source.line_at(first.span.start) > scene.line + 1 {
        return None;
    }
    let tab = first.span.start + offset(scene.source.slice(first.span.start, first.span.end).find('\t')?);
    Some(tab_finding(scene.span(tab, tab + 1), edits))
}

fn tab_finding(tab: Span, edits: Vec<Edit>) -> Diagnostic {
    Diagnostic::error(codes::TAB, tab, "a tab cannot indent YAML")
        .label("this is a tab")
        .edits("use two spaces for each tab", edits)
}

/// Tabs that the parser let pass, outside quoted and block text and comments. Inside one JSON
/// object or list they are harmless and common, since braces and not columns carry the structure.
pub(crate) fn find_tabs(
    file: FileId,
    source: &SourceFile,
    texts: &[Span],
    root: Option<&Node>,
    found: &mut Vec<Diagnostic>,
) {
    if !source.text.contains('\t') || root.is_some_and(|root| is_flow(root, source)) {
        return;
    }
    let scene = Scene { file, source, line: 0, at: 0 };
    let mut edits = Vec::new();
    for number in 0..source.lines() {
        let line = scene.line(number);
        let text = source.slice(line.start, line.content_end());
        for (at, _) in text.match_indices('\t') {
            let tab = line.start + offset(at);
            let inside = texts.partition_point(|span| span.start <= tab);
            let quoted = inside.checked_sub(1).and_then(|i| texts.get(i)).is_some_and(|span| tab < span.end);
            if !quoted && !line.content.is_empty() {
                edits.push(Edit { span: scene.span(tab, tab + 1), replacement: "  ".to_owned() });
            }
        }
    }
    if let Some(first) = edits.first() {
        found.push(tab_finding(first.span, edits.clone()));
    }
}

fn is_flow(root: &Node, source: &SourceFile) -> bool {
    !matches!(root.kind, NodeKind::Scalar { .. })
        && source.slice(root.span.start, root.span.start + 1).starts_with(['{', '['])
}

/// Characters that YAML keeps for itself at the start of a text.
fn leading(scene: &Scene<'_>) -> Option<Diagnostic> {
    let at = scene.at;
    let rest = scene.source.slice(at, scene.source.line_start(scene.line + 1));
    let here = rest.chars().next().filter(|c| "@`%".contains(*c)).map(|_| at);
    // An alias or anchor is scanned before its error shows: look at what begins the line's texts.
    let line = scene.line(scene.line);
    let token = here.or_else(|| {
        token_starts(line.content)
            .into_iter()
            .find(|(_, c)| "*@`%".contains(*c))
            .map(|(start, _)| line.content_start() + offset(start))
    })?;
    Some(needs_quotes(scene.file, scene.source, token))
}

/// Offsets at which a plain text begins within a line, with the first character.
fn token_starts(content: &str) -> Vec<(usize, char)> {
    let mut starts = Vec::new();
    let mut expecting = true;
    let mut quote = None;
    let mut previous = ' ';
    for (at, c) in content.char_indices() {
        if let Some(open) = quote {
            if c == open {
                quote = None;
            }
        } else if "[{,".contains(c) || (c == ' ' && (previous == ':' || (previous == '-' && expecting))) {
            expecting = true;
        } else if expecting && c != ' ' && c != '-' {
            if c == '"' || c == '\'' {
                quote = Some(c);
            }
            starts.push((at, c));
            expecting = false;
        }
        previous = c;
    }
    starts
}

/// `*name` that names no anchor: nearly always a pattern that needs quotes.
pub(crate) fn unresolved_alias(file: FileId, source: &SourceFile, span: Span, name: &str) -> Diagnostic {
    let plain_name = name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '-');
    let text = plain_text(source, span.start);
    if !plain_name || text.len() > name.len() + 1 || name.is_empty() {
        return needs_quotes(file, source, span.start);
    }
    Diagnostic::error(codes::UNKNOWN_ALIAS, span, format!("the alias `*{name}` names nothing"))
        .label(format!("no `&{name}` above"))
        .replace(format!("if it is text, write \"*{name}\""), span, format!("\"*{name}\""))
}

fn needs_quotes(file: FileId, source: &SourceFile, at: u32) -> Diagnostic {
    let text = plain_text(source, at);
    let span = Span { file, start: at, end: at + offset(text.len().max(1)) };
    let first = match text.chars().next().unwrap_or('*') {
        '`' => "a backtick".to_owned(),
        other => format!("`{other}`"),
    };
    let quoted = quoted(text);
    Diagnostic::error(codes::LEADING, span, format!("text that starts with {first} needs quotes")).replace(
        format!("write {quoted}"),
        span,
        quoted,
    )
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

/// The plain text from here: up to `: `, ` #`, a line end, or inside of brackets `,` `]` `}`.
fn plain_text(source: &SourceFile, at: u32) -> &str {
    let line = source.line_at(at);
    let rest = source.slice(at, source.line_start(line + 1)).trim_end_matches(['\n', '\r']);
    let before = source.slice(source.line_start(line), at);
    let in_flow = flow::depth_of(before) > 0;
    let mut end = rest.len();
    let mut braces = 0_usize;
    for (i, c) in rest.char_indices() {
        let next = rest.get(i + c.len_utf8()..).unwrap_or_default();
        let stop = match c {
            ':' => next.is_empty() || next.starts_with(' '),
            ' ' => next.starts_with('#'),
            '{' => {
                braces += 1;
                false
            }
            '}' if braces > 0 => {
                braces -= 1;
                false
            }
            ',' | ']' | '}' => in_flow,
            _ => false,
        };
        if stop {
            end = i;
            break;
        }
    }
    rest.get(..end).unwrap_or_default().trim_end()
}

/// `${…}` without quotes inside brackets or braces.
pub(crate) fn reference_without_quotes(file: FileId, source: &SourceFile, at: u32) -> Option<Diagnostic> {
    let number = source.line_at(at);
    let start = source.line_start(number);
    let text = source.line(number);
    for (found, _) in text.match_indices("${") {
        let before = text.get(..found)?;
        if flow::depth_of(before) == 0 || flow::in_quotes(before) {
            continue;
        }
        let token = token_starts(before).last().map_or(found, |(at, _)| *at);
        let glued = before.get(token..).is_some_and(|between| !between.contains([' ', ',', ':']));
        let first = start + offset(if glued { token } else { found });
        let value = plain_text(source, first);
        let span = Span { file, start: first, end: first + offset(value.len().max(2)) };
        let quoted = quoted(value);
        return Some(
            Diagnostic::error(codes::REFERENCE_QUOTES, span, "`${…}` needs quotes inside brackets and braces")
                .label("YAML takes `{` for the start of a map")
                .replace(format!("write {quoted}"), span, quoted),
        );
    }
    None
}

/// A backslash in double quotes before a character that makes no escape, as in a regular expression.
fn escape(scene: &Scene<'_>, error: &ScanError) -> Option<Diagnostic> {
    if *error.kind() != ErrorKind::UnknownQuotedScalarEscape {
        return None;
    }
    let rest = scene.source.text.get(scene.at as usize..)?;
    let mut at = rest.find('\\')?;
    loop {
        let escaped = rest.get(at + 1..)?.chars().next()?;
        if !"0abtnvfre \"/\\N_LPxuU\n\r\t".contains(escaped) {
            let start = scene.at + offset(at);
            let span = scene.span(start, start + 1 + offset(escaped.len_utf8()));
            let message = format!("`\\{escaped}` is no escape inside double quotes");
            return Some(
                Diagnostic::error(codes::SYNTAX, span, message).label("a backslash is written `\\\\`").replace(
                    format!("write `\\\\{escaped}`, or use single quotes"),
                    scene.span(start, start + 1),
                    "\\\\",
                ),
            );
        }
        let next = at + 1 + escaped.len_utf8();
        at = next + rest.get(next..)?.find('\\')?;
    }
}

/// `key:value` on the error's line or just above it.
fn colon_space(scene: &Scene<'_>) -> Option<Diagnostic> {
    let above = scene.line.saturating_sub(2);
    (above..=scene.line).rev().find_map(|number| {
        let line = scene.line(number);
        let at = glued_colon(line.content)?;
        Some(colon_space_finding(scene.file, line.content_start() + offset(at)))
    })
}

/// The finding for a colon at this offset.
pub(crate) fn colon_space_finding(file: FileId, colon: u32) -> Diagnostic {
    let span = Span { file, start: colon, end: colon + 1 };
    Diagnostic::error(codes::COLON_SPACE, span, "a space is missing after the colon").replace(
        "write `: `",
        span.after(),
        " ",
    )
}

/// `-item`: a list item without the space after its dash.
pub(crate) fn glued_dash(node: &Node) -> Option<Diagnostic> {
    let NodeKind::Scalar { text, style: crate::syntax::Style::Plain, .. } = &node.kind else { return None };
    let item = text.strip_prefix('-').filter(|item| item.starts_with(|c: char| c.is_alphabetic() || c == '/'))?;
    let dash = Span { end: node.span.start + 1, ..node.span };
    Some(
        Diagnostic::error(codes::COLON_SPACE, dash, "a space is missing after the dash")
            .label(format!("`- {item}` is a list item"))
            .replace("write `- `", dash.after(), " "),
    )
}

/// A list item that is indented so that YAML takes it for more of the text above.
pub(crate) fn swallowed_item(file: FileId, source: &SourceFile, span: Span) -> Option<Diagnostic> {
    let (first, last) = (source.line_at(span.start), source.line_at(span.end));
    let swallowed = (first + 1..=last).find(|number| Line::new(source, *number).content.starts_with("- "))?;
    let (above, line) = (Line::new(source, first), Line::new(source, swallowed));
    let marked = Span { file, start: line.content_start(), end: line.content_end() };
    Some(
        Diagnostic::error(codes::INDENTATION, marked, "the indentation fits no open block")
            .label(format!("taken for more of the text in line {}", first + 1))
            .replace(
                format!("indent with {}", indent::columns(above.indent)),
                Span { file, start: line.start, end: line.content_start() },
                " ".repeat(above.indent),
            ),
    )
}

/// Offset of a colon that was surely meant to end a key: the text before it is a word of the
/// language or a path, or what follows it opens a bracket or quote.
pub(crate) fn glued_colon(content: &str) -> Option<usize> {
    let mut skipped = 0;
    let mut rest = content;
    while let Some(inner) = rest.strip_prefix("- ") {
        skipped += 2;
        rest = inner;
    }
    if rest.starts_with(['"', '\'', '[', '{']) || rest.contains(": ") || rest.ends_with(':') {
        return None;
    }
    let at = rest.find(':')?;
    let (key, value) = (rest.get(..at)?, rest.get(at + 1..)?);
    let opens = value.starts_with(['[', '{', '"', '\'']);
    let known = crate::words::is_key(key) || key.starts_with('/');
    let twice = value.contains(':') && !value.starts_with("//") && !key.contains(':') && !value.starts_with(':');
    (!key.is_empty() && !key.contains(' ') && (opens || known || twice) && !value.starts_with("//"))
        .then_some(skipped + at)
}

/// `key: a: b` on one line.
fn colon_in_value(scene: &Scene<'_>) -> Option<Diagnostic> {
    let line = scene.line(scene.line);
    if flow::depth_of(line.content) > 0 || line.content.contains(['[', '{', '"', '\'']) {
        return None;
    }
    let first = line.content.find(": ")?;
    let value_at = first + 2;
    let value = line.content.get(value_at..)?;
    let inner = value.find(": ").or_else(|| value.ends_with(':').then(|| value.len() - 1))?;
    let start = line.content_start() + offset(value_at);
    let span = scene.span(start, start + offset(value.len()));
    let colon = start + offset(inner);
    let found = Diagnostic::error(codes::COLON_IN_VALUE, scene.span(colon, colon + 1), "a second `: ` in one line")
        .label("the value already began");
    // A key in the place of a value was meant as a map.
    if value.get(..inner).is_some_and(crate::words::is_key) {
        return Some(found.replace(format!("write {{{value}}}"), span, format!("{{{value}}}")));
    }
    let quoted = quoted(value);
    Some(found.replace(format!("if the colon belongs to the value, write {quoted}"), span, quoted))
}

/// A line of a map without a colon.
fn missing_colon(scene: &Scene<'_>) -> Option<Diagnostic> {
    let above = scene.line.saturating_sub(1);
    (above..=scene.line).rev().find_map(|number| {
        let line = scene.line(number);
        let (word, rest) = line.content.split_once(' ').unwrap_or((line.content, ""));
        if line.content.contains(':') || word.is_empty() || !crate::words::is_key(word) {
            return None;
        }
        let start = line.content_start();
        let end = start + offset(word.len());
        let span = scene.span(start, end);
        let with = if rest.is_empty() { ":" } else { ": " };
        let gap = offset(usize::from(!rest.is_empty()));
        Some(Diagnostic::error(codes::KEY_WITHOUT_COLON, span, format!("a colon is missing after `{word}`")).replace(
            format!("write `{word}:`"),
            Span { start: end, end: end + gap, ..span },
            with,
        ))
    })
}

/// Used by the finders in the submodules.
fn finding(code: &'static Code, span: Span, message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(code, span, message)
}
