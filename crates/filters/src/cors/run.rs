use super::Cors;
use crate::fields::vary;
use crate::flow::{Behaviour, Flow, Reply};
use crate::{Request, Response};
use strait_message::{Headers, Method, Name, Status};

impl Behaviour for Cors {
    fn request(&self, request: &mut Request<'_>) -> Flow {
        let headers = &request.head.headers;
        let asked = headers.get_by_text(b"Access-Control-Request-Method").is_some();
        match headers.get(Name::Origin) {
            Some(origin) if asked && request.head.method == Method::Options => self.preflight(origin, headers).into(),
            _ => Flow::Continue,
        }
    }

    fn response(&self, response: &mut Response<'_>) {
        let headers = &mut response.head.headers;
        // What the origin says about this is said here.
        headers.retain(|field| !is_access_control(field.name));
        if let Some(origin) = response.request.headers.get(Name::Origin).filter(|origin| self.origins.contains(origin)) {
            self.allow(origin, headers);
            if !self.expose.is_empty() {
                headers.push(b"Access-Control-Expose-Headers", self.expose.as_bytes());
            }
        }
        if !self.is_the_same_for_all() {
            vary(headers, "Origin");
        }
    }

    fn describe(&self) -> String {
        let who = if self.origins.all {
            "every origin".to_owned()
        } else {
            format!("{} origins", self.origins.exact.len() + self.origins.below.len())
        };
        let credentials = if self.credentials { ", with credentials" } else { "" };
        format!("lets pages of {who} use answers to {}{credentials}", self.methods)
    }
}

impl Cors {
    /// The answer to a preflight. An origin that is not allowed gets one that allows nothing.
    fn preflight(&self, origin: &[u8], asked: &Headers) -> Reply {
        let mut reply = Reply::empty(Status::NO_CONTENT);
        let headers = &mut reply.head.headers;
        if self.origins.contains(origin) {
            self.allow(origin, headers);
            headers.push(b"Access-Control-Allow-Methods", self.methods.as_bytes());
            let wanted = asked.get_by_text(b"Access-Control-Request-Headers");
            if let Some(names) = self.headers.as_deref().map(str::as_bytes).or(wanted) {
                headers.push(b"Access-Control-Allow-Headers", names);
            }
            headers.push(b"Access-Control-Max-Age", self.max_age_s.to_string().as_bytes());
            let private = asked.get_by_text(b"Access-Control-Request-Private-Network");
            if self.private_network && private == Some(b"true") {
                headers.push(b"Access-Control-Allow-Private-Network", b"true");
            }
        }
        vary(headers, "Origin, Access-Control-Request-Method, Access-Control-Request-Headers");
        reply
    }

    fn allow(&self, origin: &[u8], headers: &mut Headers) {
        let value = if self.is_the_same_for_all() { b"*" } else { origin };
        headers.push(b"Access-Control-Allow-Origin", value);
        if self.credentials {
            headers.push(b"Access-Control-Allow-Credentials", b"true");
        }
    }

    /// Whether the answer does not depend on who asks, so that caches need not keep one for each.
    fn is_the_same_for_all(&self) -> bool {
        self.origins.all && !self.credentials
    }
}

fn is_access_control(name: &[u8]) -> bool {
    const PREFIX: &[u8] = b"access-control-";
    name.get(..PREFIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(PREFIX))
}
