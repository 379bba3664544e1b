use super::{World, lists};
use std::path::PathBuf;
use std::sync::Arc;
use strait_config::filter::FilterRedirect as Spec;
use strait_config::value::{Location, Value as _};
use strait_config::{Diagnostic, Span, Spanned, codes};
use strait_filters::redirect::{FilterRedirect, RedirectList, Rule};
use strait_filters::target::canonical_path;
use strait_message::Status;

pub(super) fn compile(spec: &Spec, _: Span, world: &mut World<'_>) -> Option<FilterRedirect> {
    let rule = match (&spec.to, &spec.regex, &spec.file) {
        (Some(to), Some(regex), _) => Rule::Regex(regex.get().clone(), to.value.as_str().into()),
        (Some(to), None, _) => Rule::All(location(to, world)?),
        (None, _, Some(file)) => Rule::List(Arc::new(list(file, world)?)),
        // Loading asks for one of the three.
        (None, _, None) => Rule::Https,
    };
    Some(FilterRedirect { rule, status: Status::new(spec.status.get()).unwrap_or(Status::FOUND) })
}

fn location(to: &Spanned<String>, world: &mut World<'_>) -> Option<Box<str>> {
    match Location::parse(&to.value) {
        Ok(location) => Some(location.as_str().into()),
        Err(flaw) => {
            world.found.push(Diagnostic::error(codes::REDIRECT, to.span, flaw.message).label(flaw.label));
            None
        }
    }
}

/// `/old /new [status]` a line.
fn list(file: &Spanned<PathBuf>, world: &mut World<'_>) -> Option<RedirectList> {
    let text = lists::read(file, world)?;
    let mut list = RedirectList::new();
    for (number, line) in lists::entries(&text) {
        match entry(line) {
            Ok((from, to, status)) => {
                if list.insert(from.as_bytes().into(), (to.into(), status)).is_some() {
                    world.found.push(lists::bad_line(file, number, &format!("`{from}` is there already")));
                }
            }
            Err(why) => world.found.push(lists::bad_line(file, number, &why)),
        }
    }
    Some(list)
}

fn entry(line: &str) -> Result<(String, String, Option<Status>), String> {
    let mut words = line.split_whitespace();
    let (Some(from), Some(to)) = (words.next(), words.next()) else { return Err("a path and where it leads".to_owned()) };
    let status = match words.next() {
        None => None,
        Some(word) => {
            let code = word.parse().ok().filter(|code| matches!(code, 301 | 302 | 303 | 307 | 308));
            Some(code.and_then(Status::new).ok_or(format!("`{word}` is no status of a redirect"))?)
        }
    };
    let from = canonical_path(from).map_err(|why| format!("`{from}`: {why}"))?;
    let to = Location::parse(to).map_err(|flaw| flaw.message)?;
    Ok((from, to.as_str().to_owned(), status))
}
