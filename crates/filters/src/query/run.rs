use super::Query;
use crate::Request;
use crate::escape::{decoded, encode};
use crate::flow::{Behaviour, Flow, Reply};

impl Behaviour for Query {
    fn request(&self, request: &mut Request<'_>) -> Flow {
        if !request.target.is_path() {
            return Flow::Continue;
        }
        let edited = request.target.set_query(|query, out| self.edit(query, out));
        edited.map_or_else(|error| Reply::from(error).into(), |()| Flow::Continue)
    }

    fn describe(&self) -> String {
        let names = |list: &[(Box<str>, Box<str>)]| list.iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>().join(", ");
        let parts = [
            ("removes", self.remove.join(", ")),
            ("keeps only", self.keep.join(", ")),
            ("renames", names(&self.rename)),
            ("sets", names(&self.set)),
            ("appends", names(&self.append)),
        ];
        let said = parts.into_iter().filter(|(_, list)| !list.is_empty());
        let said: Vec<String> = said.map(|(verb, list)| format!("{verb} {list}")).collect();
        format!("{} in the query", said.join(", "))
    }
}

impl Query {
    /// Writes the edited query.
    pub(super) fn edit(&self, query: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        for parameter in query.split(|&b| b == b'&').filter(|parameter| !parameter.is_empty()) {
            let (name, rest) = at_equals(parameter);
            if !self.stays(name) {
                continue;
            }
            separate(start, out);
            match self.rename.iter().find(|(old, _)| is(name, old)) {
                Some((_, new)) => encode(new.as_bytes(), out),
                None => out.extend_from_slice(name),
            }
            out.extend_from_slice(rest);
        }
        for (name, value) in self.set.iter().chain(&self.append) {
            separate(start, out);
            encode(name.as_bytes(), out);
            out.push(b'=');
            encode(value.as_bytes(), out);
        }
    }

    fn stays(&self, name: &[u8]) -> bool {
        let among = |list: &[Box<str>]| list.iter().any(|other| is(name, other));
        let kept = self.keep.is_empty() || among(&self.keep);
        kept && !among(&self.remove) && !self.set.iter().any(|(other, _)| is(name, other))
    }
}

/// A parameter's name, and the rest with its `=`.
fn at_equals(parameter: &[u8]) -> (&[u8], &[u8]) {
    let at = parameter.iter().position(|&b| b == b'=').unwrap_or(parameter.len());
    parameter.split_at_checked(at).unwrap_or((parameter, b""))
}

fn is(name: &[u8], wanted: &str) -> bool {
    decoded(name).eq(wanted.bytes())
}

fn separate(start: usize, out: &mut Vec<u8>) {
    if out.len() > start {
        out.push(b'&');
    }
}
