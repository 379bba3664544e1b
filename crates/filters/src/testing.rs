//! Running one filter in a test, with requests and responses as text.

#![allow(clippy::unwrap_used, reason = "tests")]

use crate::flow::{Behaviour, Flow};
use crate::{Facts, Notes, Now, Request, Response, Target};
use std::fmt::Write;
use strait_message::{BodyLength, Headers, Method, RequestHead, ResponseHead, Status};

/// A request: `GET /path?query`, and lines of fields.
pub(crate) struct Case {
    pub(crate) head: RequestHead,
    pub(crate) target: String,
    pub(crate) client: std::net::IpAddr,
    pub(crate) scheme: &'static str,
    pub(crate) now: Now,
    pub(crate) draw: u64,
    pub(crate) body: BodyLength,
    pub(crate) notes: Notes,
    pub(crate) rewritten: Vec<u8>,
}

pub(crate) fn fields(text: &str) -> Headers {
    let mut headers = Headers::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (name, value) = line.split_once(':').unwrap();
        headers.push(name.as_bytes(), value.trim().as_bytes());
    }
    headers
}

pub(crate) fn shown(headers: &Headers) -> String {
    let mut text = String::new();
    for field in headers.iter() {
        let (name, value) = (String::from_utf8_lossy(field.name), String::from_utf8_lossy(field.value));
        writeln!(text, "{name}: {value}").unwrap();
    }
    text
}

impl Case {
    pub(crate) fn new(line: &str, text: &str) -> Self {
        let (method, target) = line.split_once(' ').unwrap();
        let mut head = RequestHead::new(Method::from_token(method.as_bytes()).unwrap());
        head.headers = fields(text);
        Self {
            head,
            target: target.to_owned(),
            client: "192.0.2.1".parse().unwrap(),
            scheme: "http",
            now: Now { us: 1_000_000_000, wall_us: 1_767_225_600_000_000 },
            draw: 0,
            body: BodyLength::None,
            notes: Notes::default(),
            rewritten: Vec::new(),
        }
    }

    pub(crate) fn run(&mut self, filter: &impl Behaviour) -> Flow {
        let (path, query) = match self.target.split_once('?') {
            Some((path, query)) => (path, Some(query.as_bytes())),
            None => (&*self.target, None),
        };
        let mut spare = Vec::new();
        filter.request(&mut Request {
            facts: Facts {
                client: self.client,
                scheme: self.scheme,
                host: b"example.com",
                path: path.as_bytes(),
                query,
                route: "/",
                request_id: "id",
                listener: "http",
                client_address: Some((self.client, 4711).into()),
                captures: Default::default(),
                tls: None,
                now: self.now,
                draw: self.draw,
                trial: false,
            },
            head: &mut self.head,
            target: Target::new(self.target.as_bytes(), &mut self.rewritten, &mut spare),
            body: self.body,
            notes: &mut self.notes,
            meter: None,
        })
    }

    /// The target as the filters left it.
    pub(crate) fn target(&self) -> String {
        let target = if self.rewritten.is_empty() { self.target.as_bytes() } else { &self.rewritten };
        String::from_utf8_lossy(target).into_owned()
    }

    pub(crate) fn respond(&mut self, filter: &impl Behaviour, status: u16, text: &str) -> ResponseHead {
        let mut head = ResponseHead::new(Status::new(status).unwrap());
        head.headers = fields(text);
        filter.response(&mut Response {
            facts: Facts {
                client: self.client,
                scheme: self.scheme,
                host: b"example.com",
                path: b"/",
                query: None,
                route: "/",
                request_id: "id",
                listener: "http",
                client_address: Some((self.client, 4711).into()),
                captures: Default::default(),
                tls: None,
                now: self.now,
                draw: self.draw,
                trial: false,
            },
            request: &self.head,
            head: &mut head,
            body: self.body,
            notes: &mut self.notes,
        });
        head
    }
}

/// The status of the answer a filter gives; 0 when the request goes on.
pub(crate) fn status(flow: &Flow) -> u16 {
    match flow {
        Flow::Respond(reply) => reply.head.status.code(),
        Flow::Continue | Flow::GoOn(_) | Flow::Wait(_) => 0,
    }
}
