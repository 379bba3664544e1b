//! Field names that Strait acts on, recognised once while parsing so that later steps compare a byte, not text.

macro_rules! names {
    ($($variant:ident $text:literal),* $(,)?) => {
        /// A header field name: one that Strait acts on, or [`Name::Other`].
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        #[allow(missing_docs, reason = "each is named after its field")]
        pub enum Name {
            Other,
            $($variant,)*
        }

        /// Every known name with its canonical spelling.
        const KNOWN: &[(Name, &str)] = &[$((Name::$variant, $text),)*];

        impl Name {
            /// The canonical spelling; empty for [`Name::Other`].
            pub const fn as_str(self) -> &'static str {
                match self {
                    Name::Other => "",
                    $(Name::$variant => $text,)*
                }
            }
        }
    };
}

names! {
    Accept "Accept",
    AcceptEncoding "Accept-Encoding",
    AcceptLanguage "Accept-Language",
    Age "Age",
    Allow "Allow",
    Authorization "Authorization",
    CacheControl "Cache-Control",
    CfConnectingIp "CF-Connecting-IP",
    Connection "Connection",
    ContentEncoding "Content-Encoding",
    ContentLength "Content-Length",
    ContentRange "Content-Range",
    ContentType "Content-Type",
    Cookie "Cookie",
    Date "Date",
    Etag "ETag",
    Expect "Expect",
    Forwarded "Forwarded",
    Host "Host",
    Http2Settings "HTTP2-Settings",
    IfModifiedSince "If-Modified-Since",
    IfNoneMatch "If-None-Match",
    KeepAlive "Keep-Alive",
    LastModified "Last-Modified",
    Location "Location",
    MaxForwards "Max-Forwards",
    Origin "Origin",
    Pragma "Pragma",
    Proxy "Proxy",
    ProxyAuthenticate "Proxy-Authenticate",
    ProxyAuthenticationInfo "Proxy-Authentication-Info",
    ProxyAuthorization "Proxy-Authorization",
    ProxyConnection "Proxy-Connection",
    ProxyStatus "Proxy-Status",
    Range "Range",
    Referer "Referer",
    RetryAfter "Retry-After",
    SecWebsocketAccept "Sec-WebSocket-Accept",
    SecWebsocketKey "Sec-WebSocket-Key",
    SecWebsocketProtocol "Sec-WebSocket-Protocol",
    SecWebsocketVersion "Sec-WebSocket-Version",
    Server "Server",
    SetCookie "Set-Cookie",
    Te "TE",
    Traceparent "traceparent",
    Trailer "Trailer",
    TransferEncoding "Transfer-Encoding",
    TrueClientIp "True-Client-IP",
    Upgrade "Upgrade",
    UserAgent "User-Agent",
    Vary "Vary",
    Via "Via",
    WwwAuthenticate "WWW-Authenticate",
    XClientIp "X-Client-IP",
    XClusterClientIp "X-Cluster-Client-IP",
    XForwarded "X-Forwarded",
    XForwardedFor "X-Forwarded-For",
    XForwardedHost "X-Forwarded-Host",
    XForwardedPort "X-Forwarded-Port",
    XForwardedPrefix "X-Forwarded-Prefix",
    XForwardedProto "X-Forwarded-Proto",
    XForwardedScheme "X-Forwarded-Scheme",
    XForwardedServer "X-Forwarded-Server",
    XForwardedSsl "X-Forwarded-Ssl",
    XHttpMethodOverride "X-HTTP-Method-Override",
    XOriginalHost "X-Original-Host",
    XOriginalUrl "X-Original-URL",
    XPoweredBy "X-Powered-By",
    XRealIp "X-Real-IP",
    XRequestId "X-Request-Id",
    XRewriteUrl "X-Rewrite-URL",
}

/// Slots of the lookup table: a power of two several times the number of names, so that probes are short.
const SLOTS: usize = 512;

/// Open-addressed table over [`KNOWN`], built at compile time. Zero is an empty slot, else index + 1.
static TABLE: [u8; SLOTS] = build_table();

#[allow(clippy::indexing_slicing, reason = "evaluated at compile time: out of bounds does not build")]
const fn build_table() -> [u8; SLOTS] {
    let mut table = [0u8; SLOTS];
    let mut i = 0;
    while i < KNOWN.len() {
        let text = KNOWN[i].1.as_bytes();
        let mut slot = slot_of(text[0], text[text.len() / 2], text[text.len() - 1], text.len());
        while table[slot] != 0 {
            slot = (slot + 1) % SLOTS;
        }
        table[slot] = i as u8 + 1;
        i += 1;
    }
    table
}

const fn slot_of(first: u8, middle: u8, last: u8, length: usize) -> usize {
    let mixed = (first as usize | 32) * 7 + (middle as usize | 32) * 31 + (last as usize | 32) * 3 + length * 61;
    mixed % SLOTS
}

impl Name {
    /// The known name spelled by `text` in any case, else [`Name::Other`].
    pub fn from_bytes(text: &[u8]) -> Self {
        let (Some(&first), Some(&middle), Some(&last)) = (text.first(), text.get(text.len() / 2), text.last()) else {
            return Self::Other;
        };
        let mut slot = slot_of(first, middle, last, text.len());
        while let Some((name, spelling)) = TABLE.get(slot).and_then(|&i| KNOWN.get(usize::from(i).wrapping_sub(1))) {
            if spelling.as_bytes().eq_ignore_ascii_case(text) {
                return *name;
            }
            slot = (slot + 1) % SLOTS;
        }
        Self::Other
    }

    /// Whether the field belongs to one connection and never crosses the proxy (RFC 9110 §7.6.1).
    pub fn is_hop_by_hop(self) -> bool {
        matches!(
            self,
            Self::Connection
                | Self::KeepAlive
                | Self::ProxyConnection
                | Self::ProxyAuthenticate
                | Self::ProxyAuthenticationInfo
                | Self::ProxyAuthorization
                | Self::Te
                | Self::TransferEncoding
                | Self::Upgrade
                | Self::Http2Settings
        )
    }

    /// Whether an engine writes this field itself from what it knows about the message and the connection, so that
    /// a received one is never copied (RFC 9112 §6, §9).
    pub fn is_framing(self) -> bool {
        matches!(
            self,
            Self::Connection
                | Self::ContentLength
                | Self::KeepAlive
                | Self::ProxyConnection
                | Self::Te
                | Self::TransferEncoding
                | Self::Upgrade
                | Self::Http2Settings
        )
    }

    /// Whether the field tells an origin who the client is, so that only Strait may set it.
    pub fn is_client_identity(self) -> bool {
        matches!(
            self,
            Self::CfConnectingIp
                | Self::Forwarded
                | Self::Proxy
                | Self::TrueClientIp
                | Self::XClientIp
                | Self::XClusterClientIp
                | Self::XForwarded
                | Self::XForwardedFor
                | Self::XForwardedHost
                | Self::XForwardedPort
                | Self::XForwardedPrefix
                | Self::XForwardedProto
                | Self::XForwardedScheme
                | Self::XForwardedServer
                | Self::XForwardedSsl
                | Self::XOriginalHost
                | Self::XOriginalUrl
                | Self::XRealIp
                | Self::XRewriteUrl
        )
    }

    /// Whether the field may stand in a trailer section: not framing, routing, authentication, or anything that had
    /// to be known before the body (RFC 9110 §6.5.1).
    pub fn is_forbidden_in_trailers(self) -> bool {
        self.is_hop_by_hop()
            || self.is_client_identity()
            || matches!(
                self,
                Self::Authorization
                    | Self::CacheControl
                    | Self::ContentEncoding
                    | Self::ContentLength
                    | Self::ContentRange
                    | Self::ContentType
                    | Self::Cookie
                    | Self::Expect
                    | Self::Host
                    | Self::Location
                    | Self::MaxForwards
                    | Self::Pragma
                    | Self::Range
                    | Self::SetCookie
                    | Self::Trailer
                    | Self::Vary
                    | Self::WwwAuthenticate
            )
    }
}

#[cfg(test)]
mod tests {
    use super::{KNOWN, Name};

    #[test]
    fn every_spelling_of_every_known_name_is_found() {
        for (name, text) in KNOWN {
            assert_eq!(Name::from_bytes(text.as_bytes()), *name);
            assert_eq!(Name::from_bytes(text.to_ascii_uppercase().as_bytes()), *name);
            assert_eq!(Name::from_bytes(text.to_ascii_lowercase().as_bytes()), *name);
            assert_eq!(Name::from_bytes(format!("{text}x").as_bytes()), Name::Other);
        }
        assert_eq!(Name::from_bytes(b""), Name::Other);
        assert!(KNOWN.len() < 128, "presence is kept in a u128");
    }
}
