//! Lines whose indentation fits no open block.

use super::{Scene, finding};
use crate::codes;
use crate::diagnose::Diagnostic;

/// The line of the error, or the one above it, seen as a member of the blocks above.
pub(super) fn odd(scene: &Scene<'_>) -> Option<Diagnostic> {
    let above = scene.line.saturating_sub(1);
    (above..=scene.line).rev().find_map(|number| judge(scene, number))
}

fn judge(scene: &Scene<'_>, number: usize) -> Option<Diagnostic> {
    let line = scene.line(number);
    if line.content.is_empty() {
        return None;
    }
    if let Some(first) = indented_first_line(scene, line.indent) {
        return Some(first);
    }
    let (open, left) = levels(scene, number);
    let above = previous(scene, number)?;
    let neighbour = scene.line(above);
    if open.contains(&line.indent) {
        return None;
    }
    let has_value = !neighbour.content.ends_with(':') && !neighbour.content.starts_with("- ");
    let deeper = line.indent > neighbour.indent;
    if deeper && !has_value {
        return None;
    }
    let wanted = if deeper { neighbour.indent } else { nearest(&open, left, line.indent) };
    let span = scene.span(line.content_start(), line.content_end());
    let label = if deeper {
        format!("deeper than line {}, which already has its value", above + 1)
    } else {
        format!("{} of indentation: no block above has that", columns(line.indent))
    };
    Some(finding(codes::INDENTATION, span, "the indentation fits no open block").label(label).replace(
        format!("indent with {}", columns(wanted)),
        scene.span(line.start, line.content_start()),
        " ".repeat(wanted),
    ))
}

/// A line that stands left of the first one: then the first one is the odd one.
fn indented_first_line(scene: &Scene<'_>, indent: usize) -> Option<Diagnostic> {
    let first = (0..scene.source.lines()).map(|number| scene.line(number)).find(|line| !line.content.is_empty())?;
    if first.indent <= indent {
        return None;
    }
    let span = scene.span(first.content_start(), first.content_end());
    let edge = scene.span(first.start, first.content_start());
    Some(
        finding(codes::INDENTATION, span, "the indentation fits no open block")
            .label("the first line is indented, others below are not")
            .replace("begin in the first column", edge, ""),
    )
}

pub(super) fn columns(count: usize) -> String {
    format!("{count} space{}", if count == 1 { "" } else { "s" })
}

fn previous(scene: &Scene<'_>, number: usize) -> Option<usize> {
    (0..number).rev().find(|above| !scene.line(*above).content.is_empty())
}

/// Indentations of the blocks open at a line, and the one just left by it.
fn levels(scene: &Scene<'_>, number: usize) -> (Vec<usize>, Option<usize>) {
    let mut open: Vec<usize> = Vec::new();
    let mut left = None;
    for above in 0..=number {
        let line = scene.line(above);
        if line.content.is_empty() {
            continue;
        }
        left = None;
        while open.last().is_some_and(|level| *level > line.indent) {
            left = open.pop();
        }
        if above < number && open.last() != Some(&line.indent) {
            open.push(line.indent);
            // What follows `- ` on the line opens a block in its own column.
            if line.content.starts_with("- ") && line.content.contains(": ") {
                open.push(line.indent + 2);
            }
        }
    }
    (open, left)
}

/// The level closest to what was written.
fn nearest(open: &[usize], left: Option<usize>, indent: usize) -> usize {
    // At equal distance the block just left is the likelier one.
    left.into_iter().chain(open.iter().copied()).min_by_key(|level| level.abs_diff(indent)).unwrap_or(0)
}
