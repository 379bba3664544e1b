//! Load-time values: `${env:NAME}`, `${env:NAME:-default}`, `${file:/path}`, `${cred:name}`.
//!
//! They are replaced in scalars after the file was parsed, so that what they bring in can never
//! change the structure. The text as written is kept beside, and is all that messages and dumps show.
//! Values of the request (`${client.ip}`) stay, marked with where they are: what a secret brings in is never one.

use crate::codes;
use crate::diagnose::Diagnostic;
use crate::limits::SECRET_BYTES_MAX;
use crate::source::{Span, offset};
use crate::syntax::{Node, NodeKind, RequestValue};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// What the loader sees of the world outside of its files. Tests bring their own.
pub trait Surroundings {
    /// The value of an environment variable.
    fn variable(&self, name: &str) -> Option<String>;

    /// The text of a file that `${file:…}` or `${cred:…}` names; the error in words.
    fn secret(&self, path: &Path) -> Result<String, String>;
}

/// The process's own environment and file system.
#[derive(Debug, Clone, Copy, Default)]
pub struct Process;

impl Surroundings for Process {
    fn variable(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn secret(&self, path: &Path) -> Result<String, String> {
        let file = std::fs::File::open(path).map_err(|error| error.to_string())?;
        let mut text = String::new();
        let limit = SECRET_BYTES_MAX as u64;
        file.take(limit + 1).read_to_string(&mut text).map_err(|error| error.to_string())?;
        if text.len() > SECRET_BYTES_MAX {
            return Err("the file is larger than 1 MiB".to_owned());
        }
        Ok(text)
    }
}

/// Replaces load-time values in every scalar below a node. Paths are relative to `folder`.
pub(crate) fn substitute(node: &mut Node, folder: &Path, world: &dyn Surroundings, found: &mut Vec<Diagnostic>) {
    substitute_with(node, folder, Some(world), found);
}

/// Marks the values of the request in every scalar below a node that must bring in nothing from outside: load-time
/// values are refused.
pub(crate) fn substitute_nothing(node: &mut Node, found: &mut Vec<Diagnostic>) {
    substitute_with(node, Path::new(""), None, found);
}

fn substitute_with(node: &mut Node, folder: &Path, world: Option<&dyn Surroundings>, found: &mut Vec<Diagnostic>) {
    match &mut node.kind {
        NodeKind::Scalar { text, raw, values, .. } => {
            if text.contains("${") {
                let scalar = Scalar { text, span: node.span, folder, world };
                if let Some(replaced) = scalar.replace(found) {
                    *values = replaced.values;
                    // A text of escapes only hides nothing, but is still shown as written.
                    if replaced.text != *text {
                        *raw = Some(std::mem::replace(text, replaced.text));
                    }
                }
            }
        }
        NodeKind::List(items) => items.iter_mut().for_each(|item| substitute_with(item, folder, world, found)),
        NodeKind::Map(entries) => {
            entries.iter_mut().for_each(|entry| substitute_with(&mut entry.value, folder, world, found));
        }
    }
}

struct Scalar<'a> {
    text: &'a str,
    span: Span,
    folder: &'a Path,
    /// `None` where nothing may come from outside.
    world: Option<&'a dyn Surroundings>,
}

/// What a scalar has become.
#[derive(Default)]
struct Replaced {
    text: String,
    values: Vec<RequestValue>,
}

/// What stands between `${` and `}`.
enum Reference<'t> {
    /// `env:NAME` and its like.
    LoadTime(&'t str),
    /// An expression over the request.
    RequestTime(&'t str),
}

impl<'t> Reference<'t> {
    /// The reference at the start of a text that follows `${`; `None` if it is never closed.
    fn at_start_of(text: &'t str) -> Option<Self> {
        let until = |end: usize| text.get(..end);
        let simple = text.find('}').and_then(until);
        match simple.filter(|inside| is_load_time(inside)) {
            Some(inside) => Some(Self::LoadTime(inside)),
            // A brace in quotes closes no expression.
            None => strait_expr::value_length(text).and_then(until).map(Self::RequestTime),
        }
    }

    fn inside(&self) -> &'t str {
        match self {
            Self::LoadTime(inside) | Self::RequestTime(inside) => inside,
        }
    }
}

/// Whether this is `kind:name`, or a single word that is no name of the request.
fn is_load_time(inside: &str) -> bool {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    let behind = inside.trim_start_matches(word);
    let known = |inside: &str| strait_expr::NAMES.iter().any(|name| name.name == inside);
    behind.starts_with(':') || (behind.is_empty() && !known(inside))
}

impl Scalar<'_> {
    fn replace(&self, found: &mut Vec<Diagnostic>) -> Option<Replaced> {
        let mut written = Replaced::default();
        let mut rest = self.text;
        let mut sound = true;
        while let Some(at) = rest.find("${") {
            let (before, tail) = rest.split_at_checked(at)?;
            // `$${` stands for `${`.
            if let Some(kept) = before.strip_suffix('$') {
                written.text.push_str(kept);
                written.text.push_str("${");
                rest = tail.get(2..)?;
                continue;
            }
            written.text.push_str(before);
            let Some(inside) = tail.get(2..).and_then(Reference::at_start_of) else {
                found.push(self.unclosed(tail));
                return None;
            };
            let length = inside.inside().len() + 3;
            let reference = tail.get(..length)?;
            sound &= self.put(&inside, reference, &mut written, found);
            rest = tail.get(length..)?;
        }
        written.text.push_str(rest);
        sound.then_some(written)
    }

    /// Writes what a reference stands for. `false` if that cannot be had.
    fn put(
        &self,
        inside: &Reference<'_>,
        reference: &str,
        written: &mut Replaced,
        found: &mut Vec<Diagnostic>,
    ) -> bool {
        match inside {
            Reference::RequestTime(_) => {
                let start = written.text.len();
                written.text.push_str(reference);
                let written_at = reference.as_ptr() as usize - self.text.as_ptr() as usize;
                written.values.push(RequestValue { range: start..written.text.len(), written_at });
                true
            }
            Reference::LoadTime(inside) => match self.resolve(inside, reference) {
                Ok(value) => {
                    written.text.push_str(&value);
                    true
                }
                Err(diagnostic) => {
                    found.push(*diagnostic);
                    false
                }
            },
        }
    }

    fn unclosed(&self, tail: &str) -> Diagnostic {
        let finding = self.finding(tail, "`${` is never closed");
        let name =
            tail.trim_start_matches("${").chars().take_while(|c| c.is_ascii_alphanumeric() || "_:./-".contains(*c));
        let reference = format!("${{{}", name.collect::<String>());
        let better = format!("{reference}}}");
        let fixed = tail.get(..reference.len()).map(|part| self.fixed(finding.clone(), part, better));
        fixed.unwrap_or(finding)
    }

    /// A finding at a part of the scalar, if the part stands in the file as it stands in the text.
    fn finding(&self, part: &str, message: impl Into<String>) -> Diagnostic {
        self.finding_of(codes::REFERENCE, part, message)
    }

    fn finding_of(&self, code: &'static codes::Code, part: &str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(code, self.part_span(part), message)
    }

    fn part_span(&self, part: &str) -> Span {
        let inside = part.as_ptr() as usize - self.text.as_ptr() as usize;
        let length = (self.span.end - self.span.start) as usize;
        // With one quote on each side and no escapes, offsets in text and file agree.
        let lead = match length.checked_sub(self.text.len()) {
            Some(0) => 0,
            Some(2) => 1,
            _ => return self.span,
        };
        let start = self.span.start + offset(lead + inside);
        Span { start, end: start + offset(part.len()), ..self.span }
    }

    fn resolve(&self, inside: &str, reference: &str) -> Result<String, Box<Diagnostic>> {
        let Some(world) = self.world else {
            let finding = self.finding(reference, "a patch brings in nothing from files and the environment");
            return Err(Box::new(
                finding.hint("write it into the configuration's files; a plain `${` is written `$${`"),
            ));
        };
        let Some((kind, name)) = inside.split_once(':') else {
            return Err(Box::new(self.no_kind(inside, reference)));
        };
        match kind {
            "env" => self.variable(world, name, reference),
            "file" => self.secret(world, &self.folder.join(name), name, reference),
            "cred" => self.credential(world, name, reference),
            _ => Err(Box::new(self.unknown_kind(kind, name, reference))),
        }
    }

    fn unknown_kind(&self, kind: &str, name: &str, reference: &str) -> Diagnostic {
        let finding =
            self.finding(reference, format!("`{kind}:` is not a source of values")).label("env, file or cred");
        match crate::words::closest(kind, ["env", "file", "cred"].into_iter()) {
            Some(word) => self.fixed(finding, reference, format!("${{{word}:{name}}}")),
            None if name.starts_with('-') => self.fixed(finding, reference, format!("${{env:{kind}:{name}}}")),
            None => finding.hint("write ${env:NAME}, ${file:/path} or ${cred:name}"),
        }
    }

    /// `${NAME}` was meant as `${env:NAME}`.
    fn no_kind(&self, inside: &str, reference: &str) -> Diagnostic {
        let finding = self
            .finding(reference, format!("`{reference}` does not say where its value comes from"))
            .label("env, file or cred");
        match inside.is_empty() {
            false => self.fixed(finding, reference, format!("${{env:{inside}}}")),
            true => finding.hint("write ${env:NAME}, ${file:/path} or ${cred:name}; a plain `${` is written `$${`"),
        }
    }

    fn fixed(&self, finding: Diagnostic, reference: &str, better: String) -> Diagnostic {
        let span = self.part_span(reference);
        let message = format!("did you mean `{better}`?");
        if span == self.span && self.text != reference {
            finding.hint(message)
        } else {
            finding.replace(message, span, better)
        }
    }

    fn variable(&self, world: &dyn Surroundings, name: &str, reference: &str) -> Result<String, Box<Diagnostic>> {
        let (name, default) = name.split_once(":-").map_or((name, None), |(name, default)| (name, Some(default)));
        if name.is_empty() || name.contains(['=', '\0', ' ']) {
            let finding = self.finding(reference, "`${env:…}` needs the name of a variable");
            return Err(Box::new(finding.hint("write ${env:NAME}")));
        }
        // As in the shell, `:-` also stands in for a variable that is set but empty.
        let value = world.variable(name).filter(|value| default.is_none() || !value.is_empty());
        value.or_else(|| default.map(str::to_owned)).ok_or_else(|| {
            let message = format!("the environment variable `{name}` is not set");
            let finding = self.finding_of(codes::UNSET, reference, message).label("not set");
            let better = format!("${{env:{name}:-default}}");
            let mut fixed = self.fixed(finding, reference, better.clone());
            if let Some(fix) = &mut fixed.fix {
                fix.message = format!("set it, or give a default: {better}");
            }
            Box::new(fixed)
        })
    }

    fn credential(&self, world: &dyn Surroundings, name: &str, reference: &str) -> Result<String, Box<Diagnostic>> {
        if name.is_empty() || name.contains('/') || name == ".." || name == "." {
            let finding = self.finding(reference, "a credential is named without a path");
            let finding = finding.label("systemd puts credentials in one folder");
            let last = name.rsplit('/').next().filter(|last| !last.is_empty() && *last != "." && *last != "..");
            return Err(Box::new(match last {
                Some(last) => self.fixed(finding, reference, format!("${{cred:{last}}}")),
                None => finding.hint("write ${cred:name}"),
            }));
        }
        let Some(folder) = world.variable("CREDENTIALS_DIRECTORY") else {
            let message = format!("the credential `{name}` cannot be read: there is no $CREDENTIALS_DIRECTORY");
            let finding =
                self.finding_of(codes::SECRET, reference, message).label("systemd sets it for LoadCredential=");
            return Err(Box::new(finding.hint(format!("add `LoadCredential={name}:/path` to the unit"))));
        };
        self.secret(world, &PathBuf::from(folder).join(name), name, reference)
    }

    fn secret(
        &self,
        world: &dyn Surroundings,
        path: &Path,
        name: &str,
        reference: &str,
    ) -> Result<String, Box<Diagnostic>> {
        // Files written by editors and `echo` end in a line end that is no part of the secret.
        world.secret(path).map(|text| text.trim_end_matches(['\r', '\n']).to_owned()).map_err(|why| {
            let message = format!("`{name}` cannot be read: {why}");
            Box::new(
                self.finding_of(codes::SECRET, reference, message)
                    .label("needed here")
                    .hint("create the file, or make it readable"),
            )
        })
    }
}
