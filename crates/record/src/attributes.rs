//! A record as names and values, for forms that are chosen name by name: the names of [`Format::Json`](crate::Format).

use crate::json::host_and_port;
use crate::{AccessRecord, End, TlsRecord};
use std::fmt::Write as _;
use strait_message::Method;

/// The value of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attribute<'a> {
    /// A text, as received: what is not UTF-8 is for the writer to replace.
    Text(&'a [u8]),
    /// A text that is a list of one, since its field may come more than once.
    Texts(&'a [u8]),
    /// A number.
    Number(u64),
    /// Yes or no.
    Flag(bool),
}

/// Every name that a record may have, in the order of the record.
pub const ATTRIBUTE_NAMES: [&str; 39] = [
    "timestamp",
    "client.address",
    "client.port",
    "http.request.method",
    "http.request.method_original",
    "server.address",
    "server.port",
    "url.path",
    "url.query",
    "network.protocol.version",
    "tls.protocol.version",
    "tls.cipher",
    "tls.client.server_name",
    "tls.resumed",
    "tls.client.subject",
    "tls.client.hash.sha256",
    "user_agent.original",
    "http.request.header.referer",
    "http.request.body.size",
    "http.response.status_code",
    "http.response.body.size",
    "http.route",
    "strait.request_id",
    "trace_id",
    "span_id",
    "trace_flags",
    "strait.listener",
    "strait.worker",
    "strait.generation",
    "strait.upstream",
    "strait.endpoint",
    "strait.attempts",
    "strait.reused",
    "strait.duration_us",
    "strait.first_byte_us",
    "strait.connect_us",
    "strait.upstream_status",
    "strait.end",
    "strait.reason",
];

impl AccessRecord<'_> {
    /// Gives every name that has a value, in the order of [`Format::Json`](crate::Format), but for the time and the
    /// trace.
    pub fn attributes(&self, mut give: impl FnMut(&'static str, Attribute<'_>)) {
        self.of_request(&mut give);
        if let Some(tls) = &self.tls {
            of_tls(tls, &mut give);
        }
        some_text("user_agent.original", self.user_agent, &mut give);
        if !self.referer.is_empty() {
            give("http.request.header.referer", Attribute::Texts(self.referer));
        }
        give("http.request.body.size", Attribute::Number(self.request_bytes));
        if let Some(status) = self.status {
            give("http.response.status_code", Attribute::Number(status.code().into()));
        }
        give("http.response.body.size", Attribute::Number(self.response_bytes));
        some_text("http.route", self.route.as_bytes(), &mut give);
        self.of_course(&mut give);
        self.of_end(&mut give);
    }

    fn of_request(&self, give: &mut dyn FnMut(&'static str, Attribute<'_>)) {
        if let Some(client) = self.client {
            let mut address = Vec::with_capacity(40);
            crate::figures::address(client.ip(), &mut address);
            give("client.address", Attribute::Text(&address));
            some_number("client.port", client.port().into(), give);
        }
        if let Some(method) = &self.method {
            let name = method.as_str().as_bytes();
            if let Method::Extension(_) = method {
                give("http.request.method", Attribute::Text(b"_OTHER"));
                give("http.request.method_original", Attribute::Text(name));
            } else {
                give("http.request.method", Attribute::Text(name));
            }
        }
        if !self.host.is_empty() {
            let (address, port) = host_and_port(self.host);
            give("server.address", Attribute::Text(address));
            if let Some(port) = port {
                give("server.port", Attribute::Number(port.into()));
            }
        }
        give("url.path", Attribute::Text(self.path));
        some_text("url.query", self.query, give);
        give("network.protocol.version", Attribute::Text(self.version.as_str().as_bytes()));
    }

    fn of_course(&self, give: &mut dyn FnMut(&'static str, Attribute<'_>)) {
        give("strait.request_id", Attribute::Text(self.request_id.as_bytes()));
        give("strait.listener", Attribute::Text(self.listener.as_bytes()));
        give("strait.worker", Attribute::Number(self.worker.into()));
        give("strait.generation", Attribute::Number(self.generation));
        some_text("strait.upstream", self.upstream.as_bytes(), give);
        some_text("strait.endpoint", self.endpoint.as_bytes(), give);
        give("strait.attempts", Attribute::Number(self.attempts.into()));
        if self.attempts > 0 {
            give("strait.reused", Attribute::Flag(self.reused));
        }
        give("strait.duration_us", Attribute::Number(self.duration_us));
        some_number("strait.first_byte_us", self.first_byte_us, give);
        some_number("strait.connect_us", self.connect_us, give);
        if let Some(status) = self.upstream_status {
            give("strait.upstream_status", Attribute::Number(status.code().into()));
        }
    }

    fn of_end(&self, give: &mut dyn FnMut(&'static str, Attribute<'_>)) {
        // Writing into a String does not fail.
        let mut text = String::new();
        let _ = write!(text, "{}", self.end);
        give("strait.end", Attribute::Text(text.as_bytes()));
        if let End::Fault(fault) = self.end {
            text.clear();
            let _ = write!(text, "{fault}");
            give("strait.reason", Attribute::Text(text.as_bytes()));
        }
    }
}

fn of_tls(tls: &TlsRecord<'_>, give: &mut dyn FnMut(&'static str, Attribute<'_>)) {
    give("tls.protocol.version", Attribute::Text(tls.version.trim_start_matches("TLSv").as_bytes()));
    give("tls.cipher", Attribute::Text(tls.suite.as_bytes()));
    some_text("tls.client.server_name", tls.server_name.as_bytes(), give);
    if tls.resumed {
        give("tls.resumed", Attribute::Flag(true));
    }
    if !tls.client_fingerprint.is_empty() {
        give("tls.client.subject", Attribute::Text(tls.client_subject.as_bytes()));
        give("tls.client.hash.sha256", Attribute::Text(tls.client_fingerprint.as_bytes()));
    }
}

fn some_text(name: &'static str, value: &[u8], give: &mut dyn FnMut(&'static str, Attribute<'_>)) {
    if !value.is_empty() {
        give(name, Attribute::Text(value));
    }
}

fn some_number(name: &'static str, value: u64, give: &mut dyn FnMut(&'static str, Attribute<'_>)) {
    if value > 0 {
        give(name, Attribute::Number(value));
    }
}
