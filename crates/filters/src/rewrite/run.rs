use super::Rewrite;
use crate::flow::{Behaviour, Flow, Reply};
use crate::target::{TargetError, below};
use crate::{Request, Target};

impl Behaviour for Rewrite {
    fn request(&self, request: &mut Request<'_>) -> Flow {
        if !request.target.is_path() {
            return Flow::Continue;
        }
        let rewritten = match self {
            Self::Template(template) => {
                let mut text = Vec::new();
                template.render(&request.facts.evidence(request.head, None), &mut text);
                let (path, query) = crate::target::split(&text);
                whole(&mut request.target, path, query)
            }
            Self::Whole { path, query } => whole(&mut request.target, path, query.as_deref()),
            Self::Prefix { prefix, with } => change_prefix(&mut request.target, prefix, with),
            Self::Regex { regex, with } if regex.is_match(request.target.path()) => {
                request.target.set_path(|path, out| out.extend_from_slice(&regex.replace_all(path, &**with)))
            }
            Self::Regex { .. } => Ok(()),
        };
        rewritten.map_or_else(|error| Reply::from(error).into(), |()| Flow::Continue)
    }

    fn describe(&self) -> String {
        let text = |octets: &[u8]| String::from_utf8_lossy(octets).into_owned();
        match self {
            Self::Template(template) => format!("replaces the path by {template}"),
            Self::Whole { path, .. } => format!("replaces the path by {}", text(path)),
            Self::Prefix { prefix, with } => format!("replaces {}/ by {}/", text(prefix), text(with)),
            Self::Regex { regex, with } => format!("replaces what matches {regex} by {}", text(with)),
        }
    }
}

fn whole(target: &mut Target<'_>, path: &[u8], query: Option<&[u8]>) -> Result<(), TargetError> {
    target.set_path(|_, out| out.extend_from_slice(path))?;
    query.map_or(Ok(()), |query| target.set_query(|_, out| out.extend_from_slice(query)))
}

fn change_prefix(target: &mut Target<'_>, prefix: &[u8], with: &[u8]) -> Result<(), TargetError> {
    if below(target.path(), prefix).is_none() {
        return Ok(());
    }
    target.set_path(|path, out| {
        out.extend_from_slice(with);
        out.extend_from_slice(below(path, prefix).unwrap_or_default());
        if out.is_empty() {
            out.push(b'/');
        }
    })
}
