use std::fmt;

/// Longest extension method that is kept; a longer one is answered with 501. The longest registered one has 17.
const EXTENSION_MAX: usize = 23;

/// A request method (RFC 9110 §9). Case-sensitive.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub enum Method {
    #[default]
    /// GET
    Get,
    /// HEAD
    Head,
    /// POST
    Post,
    /// PUT
    Put,
    /// DELETE
    Delete,
    /// CONNECT
    Connect,
    /// OPTIONS
    Options,
    /// TRACE
    Trace,
    /// PATCH
    Patch,
    /// Any other token of at most 23 octets.
    Extension(Extension),
}

/// An extension method's token, kept inline so that `Method` stays `Copy`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Extension {
    length: u8,
    octets: [u8; EXTENSION_MAX],
}

impl Method {
    /// The method named by `token`, which must already be known to be a token (RFC 9110 §5.6.2).
    /// `None` when it is longer than any method that Strait carries (23 octets).
    pub fn from_token(token: &[u8]) -> Option<Self> {
        Some(match token {
            b"GET" => Self::Get,
            b"HEAD" => Self::Head,
            b"POST" => Self::Post,
            b"PUT" => Self::Put,
            b"DELETE" => Self::Delete,
            b"CONNECT" => Self::Connect,
            b"OPTIONS" => Self::Options,
            b"TRACE" => Self::Trace,
            b"PATCH" => Self::Patch,
            other => Self::Extension(Extension::new(other)?),
        })
    }

    /// The token as it stands in a request line.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
            Self::Connect => "CONNECT",
            Self::Options => "OPTIONS",
            Self::Trace => "TRACE",
            Self::Patch => "PATCH",
            Self::Extension(extension) => extension.as_str(),
        }
    }

    /// Whether requests of this method usually have a body, so that its absence is stated (RFC 9110 §8.6).
    pub fn expects_body(&self) -> bool {
        matches!(self, Self::Post | Self::Put | Self::Patch)
    }

    /// Whether repeating the request has the effect of sending it once (RFC 9110 §9.2.2).
    pub fn is_idempotent(&self) -> bool {
        matches!(self, Self::Get | Self::Head | Self::Put | Self::Delete | Self::Options | Self::Trace)
    }
}

impl Extension {
    fn new(token: &[u8]) -> Option<Self> {
        let mut octets = [0; EXTENSION_MAX];
        octets.get_mut(..token.len())?.copy_from_slice(token);
        Some(Self { length: u8::try_from(token.len()).ok()?, octets })
    }

    /// The token.
    pub fn as_str(&self) -> &str {
        // Built from tokens only, which are ASCII.
        self.octets.get(..usize::from(self.length)).and_then(|t| std::str::from_utf8(t).ok()).unwrap_or("")
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::Method;

    #[test]
    fn tokens_come_back_as_they_were() {
        for token in ["GET", "PATCH", "get", "PROPFIND", "UPDATEREDIRECTREF"] {
            assert_eq!(Method::from_token(token.as_bytes()).map(|m| m.to_string()).as_deref(), Some(token));
        }
        assert_eq!(Method::from_token(&[b'A'; 24]), None);
    }
}
