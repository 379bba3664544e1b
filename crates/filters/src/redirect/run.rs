use super::{FilterRedirect, Rule};
use crate::Request;
use crate::flow::{Behaviour, Flow, Reply};
use strait_message::{Name, Status};

/// Octets of a Location that an expression may make.
const LOCATION_OCTETS_MAX: usize = 8 * 1024;

impl Behaviour for FilterRedirect {
    fn request(&self, request: &mut Request<'_>) -> Flow {
        match self.location(request) {
            Some((location, status)) if location.len() <= LOCATION_OCTETS_MAX => {
                let mut reply = Reply::empty(status);
                reply.head.headers.push_name(Name::Location, &location);
                reply.into()
            }
            _ => Flow::Continue,
        }
    }

    fn describe(&self) -> String {
        let status = self.status.code();
        match &self.rule {
            Rule::All(to) => format!("redirects to {to} with {status}"),
            Rule::Regex(regex, to) => format!("redirects what matches {regex} to {to} with {status}"),
            Rule::List(list) => format!("redirects {} paths of a list", list.len()),
            Rule::Https => format!("redirects to https with {status}"),
        }
    }
}

impl FilterRedirect {
    fn location(&self, request: &Request<'_>) -> Option<(Vec<u8>, Status)> {
        let path = request.facts.path;
        match &self.rule {
            Rule::All(to) => Some((to.as_bytes().to_vec(), self.status)),
            Rule::Regex(regex, to) => {
                let groups = regex.captures(path)?;
                let mut location = Vec::new();
                groups.expand(to.as_bytes(), &mut location);
                // `//host` would be another site, by a path that a client chose.
                let own = location.starts_with(b"/") && !location.starts_with(b"//");
                (own || location.starts_with(b"http")).then_some((location, self.status))
            }
            Rule::List(list) => {
                let (to, status) = list.get(path)?;
                Some((to.as_bytes().to_vec(), status.unwrap_or(self.status)))
            }
            Rule::Https if request.facts.scheme == "https" || request.facts.host.is_empty() => None,
            Rule::Https => {
                let mut location = b"https://".to_vec();
                location.extend_from_slice(request.facts.host);
                location.extend_from_slice(path);
                if let Some(query) = request.facts.query {
                    location.push(b'?');
                    location.extend_from_slice(query);
                }
                Some((location, self.status))
            }
        }
    }
}
