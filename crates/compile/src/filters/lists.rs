//! Lists in files, read when a configuration is compiled.

use super::World;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use strait_config::value::{Cidr, Value as _};
use strait_config::{Diagnostic, Span, Spanned, codes};
use strait_filters::networks::Networks;

/// Octets of a list file.
const OCTETS_MAX: u64 = 64 * 1024 * 1024;

/// Networks that are written, and those of a file.
pub(super) fn networks(
    written: &[Spanned<Cidr>],
    file: Option<&Spanned<PathBuf>>,
    span: Span,
    world: &mut World<'_>,
) -> Option<Arc<Networks>> {
    let parts = |network: &Cidr| (network.0.addr(), network.0.prefix_len());
    let mut all: Vec<(IpAddr, u8)> = written.iter().map(|network| parts(&network.value)).collect();
    if let Some(file) = file {
        let text = read(file, world)?;
        for (number, line) in entries(&text) {
            match Cidr::parse(line) {
                Ok(network) => all.push(parts(&network)),
                Err(flaw) => {
                    world.found.push(bad_line(file, number, &flaw.message.replace("{key}", "the entry")));
                    return None;
                }
            }
        }
    }
    if all.is_empty() {
        // An empty list would let nobody through, or everybody: neither is likely meant.
        let finding = Diagnostic::error(codes::LIST_FILE, span, "the list of networks is empty").label("no network");
        world.found.push(finding.hint("name networks, or a file that has some"));
        return None;
    }
    Some(Arc::new(Networks::new(all)))
}

/// A file's text; what is wrong with it is reported.
pub(super) fn read(file: &Spanned<PathBuf>, world: &mut World<'_>) -> Option<String> {
    let octets = octets(file, world)?;
    match String::from_utf8(octets) {
        Ok(text) => Some(text),
        Err(_) => {
            world.found.push(unusable(file, "is no UTF-8 text"));
            None
        }
    }
}

/// A file's octets; what is wrong with it is reported. A relative path is relative to the file that names it.
pub(super) fn octets(file: &Spanned<PathBuf>, world: &mut World<'_>) -> Option<Vec<u8>> {
    let from = world.snapshot.sources.locate(file.span).map(|at| at.name.to_string()).unwrap_or_default();
    let folder = Path::new(&from).parent().unwrap_or(Path::new(""));
    let path = folder.join(&file.value);
    let why = match std::fs::metadata(&path) {
        Ok(about) if about.len() > OCTETS_MAX => format!("is larger than {} MiB", OCTETS_MAX / (1024 * 1024)),
        Ok(_) => match std::fs::read(&path) {
            Ok(octets) => return Some(octets),
            Err(error) => format!("cannot be read: {error}"),
        },
        Err(error) => format!("cannot be read: {error}"),
    };
    world.found.push(unusable(file, &why));
    None
}

fn unusable(file: &Spanned<PathBuf>, why: &str) -> Diagnostic {
    let message = format!("`{}` {why}", file.value.display());
    Diagnostic::error(codes::LIST_FILE, file.span, message).label("named here").hint("mend the path or the file")
}

/// The lines of a list that say something, with their numbers.
pub(super) fn entries(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let said = |line: &str| line.split('#').next().map_or(0, |said| said.trim().len());
    text.lines()
        .enumerate()
        .filter(move |(_, line)| said(line) > 0)
        .map(|(at, line)| (at + 1, line.split('#').next().unwrap_or_default().trim()))
}

/// A line of a list that cannot be used.
pub(super) fn bad_line(file: &Spanned<PathBuf>, number: usize, why: &str) -> Diagnostic {
    let message = format!("`{}`, line {number}: {why}", file.value.display());
    Diagnostic::error(codes::LIST_FILE, file.span, message).label("named here").hint("mend that line")
}
