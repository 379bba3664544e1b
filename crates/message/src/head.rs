use crate::{Headers, Method, Span, Status};

/// A version of HTTP as a message states it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    #[default]
    Http11,
    /// HTTP/2
    Http2,
    /// HTTP/3
    Http3,
}

impl Version {
    /// As logs and `Via` write it: `1.0`, `1.1`, `2`, `3`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Http10 => "1.0",
            Self::Http11 => "1.1",
            Self::Http2 => "2",
            Self::Http3 => "3",
        }
    }
}

/// The head of a request: method, target, version and fields, in one buffer that is recycled.
#[derive(Clone, Debug, Default)]
pub struct RequestHead {
    /// The method.
    pub method: Method,
    /// The version the client spoke.
    pub version: Version,
    /// The fields.
    pub headers: Headers,
    target: Span,
}

impl RequestHead {
    /// A head with this method and nothing else.
    pub fn new(method: Method) -> Self {
        Self { method, ..Self::default() }
    }

    /// Removes everything, keeping the memory.
    pub fn clear(&mut self) {
        self.headers.clear();
        self.method = Method::Get;
        self.version = Version::Http11;
        self.target = Span::default();
    }

    /// The request target as received (RFC 9112 §3.2).
    pub fn target(&self) -> &[u8] {
        self.headers.bytes_at(self.target)
    }

    /// Replaces the request target.
    pub fn set_target(&mut self, target: &[u8]) {
        self.target = self.headers.keep(target);
    }
}

/// The head of a response: status, version and fields, in one buffer that is recycled.
///
/// The reason phrase is not kept: it carries nothing (RFC 9112 §4), and ours is written in its place.
#[derive(Clone, Debug, Default)]
pub struct ResponseHead {
    /// The status.
    pub status: Status,
    /// The version the server spoke.
    pub version: Version,
    /// The fields.
    pub headers: Headers,
}

impl ResponseHead {
    /// An empty head with this status.
    pub fn new(status: Status) -> Self {
        Self { status, ..Self::default() }
    }

    /// Removes everything, keeping the memory.
    pub fn clear(&mut self) {
        self.headers.clear();
        self.status = Status::OK;
        self.version = Version::Http11;
    }
}
