use crate::TraceRecord;
use std::net::SocketAddr;
use strait_message::{Fault, Method, Status, Version};

/// How an exchange ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The response was delivered whole.
    Complete,
    /// A filter of this name answered in the origin's place, and its answer was delivered whole.
    Filter(&'static str),
    /// A fault ended it.
    Fault(Fault),
}

/// How access records are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// Nothing is written.
    #[default]
    Off,
    /// One JSON object a line, with the attribute names of OpenTelemetry.
    Json,
    /// One JSON object a line, with the names of the Elastic Common Schema.
    Ecs,
    /// `key=value` pairs with the keys of [`Format::Json`].
    Logfmt,
    /// The Common Log Format of NCSA httpd.
    Common,
    /// The same with Referer and User-Agent: what nginx and Apache httpd call `combined`.
    Combined,
    /// One line for people.
    Text {
        /// With terminal colours.
        color: bool,
    },
}

/// What is written down about the TLS of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TlsRecord<'a> {
    /// `TLSv1.2` or `TLSv1.3`.
    pub version: &'a str,
    /// The suite by its IANA name.
    pub suite: &'a str,
    /// The name the client asked for; empty for none.
    pub server_name: &'a str,
    /// Whether a session was resumed.
    pub resumed: bool,
    /// The subject of the client's certificate; empty without one.
    pub client_subject: &'a str,
    /// Its SHA-256 in hexadecimal; empty without one.
    pub client_fingerprint: &'a str,
}

/// Everything that is written down about one exchange. One is made for each, aborted ones too.
#[derive(Clone, Copy, Debug)]
pub struct AccessRecord<'a> {
    /// When the first octet of the request was seen, in microseconds since 1970-01-01 UTC.
    pub time_us: u64,
    /// The request id (UUID, 36 characters), as sent in `X-Request-Id`.
    pub request_id: &'a str,
    /// The client, as believed: the connection's address, or what a trusted proxy said.
    pub client: Option<SocketAddr>,
    /// The listener's name.
    pub listener: &'a str,
    /// The worker's number.
    pub worker: u16,
    /// The generation of the plan the exchange ran under.
    pub generation: u64,
    /// The method; `None` when the request line could not be read.
    pub method: Option<Method>,
    /// The host asked for, as received.
    pub host: &'a [u8],
    /// The canonical path.
    pub path: &'a [u8],
    /// The query without its question mark.
    pub query: &'a [u8],
    /// The version the client spoke.
    pub version: Version,
    /// TLS of the client's connection, where there is any.
    pub tls: Option<TlsRecord<'a>>,
    /// User-Agent as received.
    pub user_agent: &'a [u8],
    /// Referer as received.
    pub referer: &'a [u8],
    /// The pattern of the route; empty when none was found.
    pub route: &'a str,
    /// The upstream's name; empty when none was asked.
    pub upstream: &'a str,
    /// The address of the last endpoint tried; empty when none was.
    pub endpoint: &'a str,
    /// Attempts made upstream.
    pub attempts: u8,
    /// Whether the last attempt used a connection that was already open.
    pub reused: bool,
    /// The status sent; `None` when no response head was sent.
    pub status: Option<Status>,
    /// The status the origin sent, when it did.
    pub upstream_status: Option<Status>,
    /// Octets of the request body received.
    pub request_bytes: u64,
    /// Octets of the response body sent.
    pub response_bytes: u64,
    /// From the first octet of the request to the last of the response, in microseconds.
    pub duration_us: u64,
    /// From the first octet of the request to the response head, in microseconds; zero when there was none.
    pub first_byte_us: u64,
    /// What connecting took in the last attempt, in microseconds; zero on an open connection.
    pub connect_us: u64,
    /// Where it stands in a trace, if it does.
    pub trace: Option<TraceRecord>,
    /// How it ended.
    pub end: End,
}

/// A record of nothing at all, to be filled in.
impl Default for AccessRecord<'_> {
    fn default() -> Self {
        Self {
            time_us: 0,
            request_id: "",
            client: None,
            listener: "",
            worker: 0,
            generation: 0,
            method: None,
            host: b"",
            path: b"",
            query: b"",
            version: Version::default(),
            tls: None,
            user_agent: b"",
            referer: b"",
            route: "",
            upstream: "",
            endpoint: "",
            attempts: 0,
            reused: false,
            status: None,
            upstream_status: None,
            request_bytes: 0,
            response_bytes: 0,
            duration_us: 0,
            first_byte_us: 0,
            connect_us: 0,
            trace: None,
            end: End::Complete,
        }
    }
}

impl AccessRecord<'_> {
    /// Appends the record as one line that ends with a newline; nothing when the format is off.
    ///
    /// Whatever the client sent, it is one line: controls are escaped in every format. What is not UTF-8 becomes
    /// U+FFFD in JSON and logfmt, and `\xNN` elsewhere. Allocates nothing as long as `out` has room.
    pub fn write(&self, format: Format, out: &mut Vec<u8>) {
        match format {
            Format::Off => {}
            Format::Json => crate::json::write(self, out),
            Format::Ecs => crate::ecs::write(self, out),
            Format::Logfmt => crate::logfmt::write(self, out),
            Format::Common => crate::combined::write(self, false, out),
            Format::Combined => crate::combined::write(self, true, out),
            Format::Text { color } => crate::text::write(self, color, out),
        }
    }

    /// The status that logs for people show: the one sent, or the one that stands for the fault (499 for a client that
    /// left). `None` when there was neither.
    pub fn shown_status(&self) -> Option<Status> {
        self.status.or(match self.end {
            End::Fault(fault) => Some(fault.status()),
            End::Complete | End::Filter(_) => None,
        })
    }

    /// Whether a fault ended it, or the answer was of the class 5xx.
    pub fn has_failed(&self) -> bool {
        self.end.is_fault() || self.status.is_some_and(|status| status.class() == 5)
    }
}

impl End {
    /// Whether a fault ended it.
    pub fn is_fault(&self) -> bool {
        matches!(self, Self::Fault(_))
    }
}

/// As in `strait.end`: `complete`, `filter:NAME`, or origin, phase and kind of the fault.
impl std::fmt::Display for End {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Complete => f.write_str("complete"),
            Self::Filter(name) => write!(f, "filter:{name}"),
            Self::Fault(fault) => fault.code().fmt(f),
        }
    }
}
