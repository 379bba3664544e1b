//! Brackets, braces and quotes that are never closed.

use super::{Line, Scene, finding};
use crate::codes;
use crate::diagnose::Diagnostic;
use crate::source::offset;

/// A bracket or quote that is open.
#[derive(Debug, Clone, Copy)]
struct Opened {
    character: char,
    at: u32,
    line: usize,
}

/// A walk over the whole text that knows only quotes, comments, brackets and block texts.
struct Walk {
    brackets: Vec<Opened>,
    quote: Option<Opened>,
    /// Indentation of the line that opened a block text (`|`); deeper lines are skipped.
    block: Option<usize>,
}

/// The first bracket or quote that is never closed, or closed by the wrong one.
pub(super) fn unclosed(scene: &Scene<'_>) -> Option<Diagnostic> {
    let mut walk = Walk { brackets: Vec::new(), quote: None, block: None };
    let mut last_content = 0;
    for number in 0..scene.source.lines() {
        let line = scene.line(number);
        let text = scene.source.line(number);
        if walk.is_block_text(&line, text) {
            continue;
        }
        if let Some(open) = walk.left_open_before(scene, &line) {
            return Some(report(scene, &walk, open, last_content));
        }
        if let Some(wrong) = walk.step(line.start, number, text) {
            return Some(mismatch(scene, wrong));
        }
        if !line.content.is_empty() {
            last_content = number;
        }
    }
    let open = walk.quote.or(walk.brackets.last().copied())?;
    Some(report(scene, &walk, open, last_content))
}

impl Walk {
    fn is_block_text(&mut self, line: &Line<'_>, text: &str) -> bool {
        match self.block {
            Some(_) if text.trim().is_empty() => true,
            Some(indent) if line.indent > indent => true,
            _ => {
                self.block = None;
                false
            }
        }
    }

    /// What is still open although this line is plainly the next key of a block around it.
    fn left_open_before(&self, scene: &Scene<'_>, line: &Line<'_>) -> Option<Opened> {
        let outer = self.brackets.first().copied().or(self.quote)?;
        let opened = scene.line(outer.line);
        let is_key = looks_like_key(line.content);
        (is_key && line.indent <= opened.indent).then(|| self.quote.or(self.brackets.last().copied()))?
    }

    /// Goes through one line; answers a bracket closed by the wrong character.
    fn step(&mut self, start: u32, number: usize, text: &str) -> Option<(Opened, Opened)> {
        let (mut previous, mut before) = (' ', ' ');
        let mut skip = false;
        for (at, c) in text.char_indices() {
            let here = Opened { character: c, at: start + offset(at), line: number };
            if skip {
                skip = false;
            } else if let Some(open) = self.quote {
                if c == '\\' && open.character == '"' {
                    skip = true;
                } else if c == open.character {
                    self.quote = None;
                }
            } else if c == '#' && (previous == ' ' || previous == '\t') {
                return None;
            } else if (c == '"' || c == '\'') && starts_token(previous, before) {
                self.quote = Some(here);
            } else if (c == '[' || c == '{') && (starts_token(previous, before) || !self.brackets.is_empty()) {
                self.brackets.push(here);
            } else if (c == ']' || c == '}') && !self.brackets.is_empty() {
                let open = self.brackets.pop()?;
                if closer(open.character) != c {
                    return Some((open, here));
                }
            }
            (before, previous) = (previous, c);
        }
        if self.brackets.is_empty() && self.quote.is_none() && opens_block_text(text) {
            self.block = Some(text.len() - text.trim_start().len());
        }
        None
    }
}

fn starts_token(previous: char, before: char) -> bool {
    "[{,".contains(previous) || (previous == ' ' && " :-,[{?".contains(before))
}

fn opens_block_text(text: &str) -> bool {
    let text = super::without_comment(text).trim_end();
    let header = text.rsplit(' ').next().unwrap_or_default();
    header.starts_with(['|', '>']) && header.chars().skip(1).all(|c| c.is_ascii_digit() || c == '+' || c == '-')
}

fn looks_like_key(content: &str) -> bool {
    let plain = content.split_once(": ").map(|(key, _)| key).or_else(|| content.strip_suffix(':'));
    plain.is_some_and(|key| !key.is_empty() && !key.contains(['[', ']', '{', '}', ',']))
}

fn closer(open: char) -> char {
    if open == '[' { ']' } else { '}' }
}

fn mismatch(scene: &Scene<'_>, (open, close): (Opened, Opened)) -> Diagnostic {
    let wanted = closer(open.character);
    let span = scene.span(close.at, close.at + 1);
    finding(codes::BRACKET, span, format!("`{}` is closed by `{}`", open.character, close.character))
        .label(format!("`{wanted}` is needed here"))
        .second(scene.span(open.at, open.at + 1), "opened here")
        .replace(format!("write `{wanted}`"), span, wanted)
}

fn report(scene: &Scene<'_>, walk: &Walk, open: Opened, last: usize) -> Diagnostic {
    let span = scene.span(open.at, open.at + 1);
    if walk.quote.is_some() {
        let at = quote_end(scene, open);
        let message = format!("`{}` is never closed", open.character);
        return finding(codes::QUOTE, span, message).label("opened here").replace(
            format!("add `{}` in line {}", open.character, open.line + 1),
            scene.span(at, at),
            open.character,
        );
    }
    let closers: String = walk.brackets.iter().rev().map(|open| closer(open.character)).collect();
    let mut line = scene.line(last);
    let mut number = last;
    // A line that itself looks like a key belongs to the block, not into the brackets.
    while number > open.line && looks_like_key(line.content) {
        number -= 1;
        line = scene.line(number);
    }
    let end = line.content_end();
    finding(codes::BRACKET, span, format!("`{}` is never closed", open.character)).label("opened here").replace(
        format!("add `{closers}` at the end of line {}", number + 1),
        scene.span(end, end),
        closers,
    )
}

/// Where the missing quote belongs: before `: `, or before the brackets that end the line.
fn quote_end(scene: &Scene<'_>, open: Opened) -> u32 {
    let line = scene.line(open.line);
    let text = scene.source.slice(open.at, line.content_end().max(open.at));
    let before = scene.source.slice(line.start, open.at);
    if let Some(at) = text.find(": ").or_else(|| text.ends_with(':').then(|| text.len() - 1)) {
        return open.at + offset(at);
    }
    let kept = if depth_of(before) > 0 {
        let item = text.split_once(", ").map_or(text, |(item, _)| item);
        item.trim_end_matches([']', '}', ' '])
    } else {
        text
    };
    open.at + offset(kept.len())
}

/// How many brackets are open at the end of this part of a line.
pub(super) fn depth_of(part: &str) -> usize {
    let mut walk = Walk { brackets: Vec::new(), quote: None, block: None };
    walk.step(0, 0, part);
    walk.brackets.len()
}

/// Whether a quote is open at the end of this part of a line.
pub(super) fn in_quotes(part: &str) -> bool {
    let mut walk = Walk { brackets: Vec::new(), quote: None, block: None };
    walk.step(0, 0, part);
    walk.quote.is_some()
}
