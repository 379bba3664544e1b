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

        /// Every known name in the form it is compared in, in the same order.
        static FOLDED: &[Folded] = &[$(Folded::new(Name::$variant, $text.as_bytes()),)*];

        impl Name {
            /// Every known name.
            pub const ALL: &[Name] = &[$(Name::$variant,)*];

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
    #[inline]
    pub fn from_bytes(text: &[u8]) -> Self {
        let (Some(&first), Some(&middle), Some(&last)) = (text.first(), text.get(text.len() / 2), text.last()) else {
            return Self::Other;
        };
        let mut slot = slot_of(first, middle, last, text.len());
        while let Some(folded) = TABLE.get(slot).and_then(|&i| FOLDED.get(usize::from(i).wrapping_sub(1))) {
            if folded.is(text) {
                return folded.name;
            }
            slot = (slot + 1) % SLOTS;
        }
        Self::Other
    }
}

/// Octets of the longest name that is compared in words.
const FOLDED_MAX: usize = 32;

/// A known name in lower case, with the case bit of its letters: comparing takes a few words instead of every octet.
struct Folded {
    name: Name,
    length: usize,
    lower: [u8; FOLDED_MAX],
    letters: [u8; FOLDED_MAX],
}

impl Folded {
    #[allow(clippy::indexing_slicing, reason = "evaluated at compile time: out of bounds does not build")]
    const fn new(name: Name, text: &[u8]) -> Self {
        let (mut lower, mut letters) = ([0; FOLDED_MAX], [0; FOLDED_MAX]);
        let mut i = 0;
        while i < text.len() {
            lower[i] = text[i].to_ascii_lowercase();
            letters[i] = if lower[i].is_ascii_lowercase() { 0x20 } else { 0 };
            i += 1;
        }
        Self { name, length: text.len(), lower, letters }
    }

    #[inline]
    fn is(&self, text: &[u8]) -> bool {
        text.len() == self.length
            && match text.last_chunk::<8>() {
                // The last word overlaps the one before it, so that no octets are left over.
                Some(tail) => {
                    self.matches(self.length - 8, tail)
                        && text.as_chunks::<8>().0.iter().enumerate().all(|(i, word)| self.matches(8 * i, word))
                }
                None => text.iter().zip(self.lower).zip(self.letters).all(|((&b, low), letter)| b | letter == low),
            }
    }

    #[inline]
    fn matches(&self, at: usize, word: &[u8; 8]) -> bool {
        let part = |octets: &[u8; FOLDED_MAX]| octets.get(at..at + 8).and_then(<[u8]>::first_chunk).copied();
        let (Some(lower), Some(letters)) = (part(&self.lower), part(&self.letters)) else { return false };
        u64::from_le_bytes(*word) | u64::from_le_bytes(letters) == u64::from_le_bytes(lower)
    }
}

/// A set of known names, as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NameSet(u128);

impl NameSet {
    /// The empty set.
    pub const EMPTY: Self = Self(0);

    /// Fields that belong to one connection and never cross the proxy (RFC 9110 §7.6.1).
    pub const HOP_BY_HOP: Self = Self::of(&[
        Name::Connection,
        Name::Http2Settings,
        Name::KeepAlive,
        Name::ProxyAuthenticate,
        Name::ProxyAuthenticationInfo,
        Name::ProxyAuthorization,
        Name::ProxyConnection,
        Name::Te,
        Name::TransferEncoding,
        Name::Upgrade,
    ]);

    /// Fields that an engine writes itself from what it knows about the message and the connection, so that a
    /// received one is never copied (RFC 9112 §6, §9).
    pub const FRAMING: Self = Self::HOP_BY_HOP.with(Name::ContentLength);

    /// Fields that tell an origin who the client is or what it asked for, so that only Strait may set them.
    pub const CLIENT_IDENTITY: Self = Self::of(&[
        Name::CfConnectingIp,
        Name::Forwarded,
        Name::Proxy,
        Name::TrueClientIp,
        Name::XClientIp,
        Name::XClusterClientIp,
        Name::XForwarded,
        Name::XForwardedFor,
        Name::XForwardedHost,
        Name::XForwardedPort,
        Name::XForwardedPrefix,
        Name::XForwardedProto,
        Name::XForwardedScheme,
        Name::XForwardedServer,
        Name::XForwardedSsl,
        Name::XOriginalHost,
        Name::XOriginalUrl,
        Name::XRealIp,
        Name::XRewriteUrl,
    ]);

    /// Fields that may not stand in a trailer section: framing, routing, authentication, and what had to be known
    /// before the body (RFC 9110 §6.5.1).
    pub const FORBIDDEN_IN_TRAILERS: Self = Self::FRAMING.union(Self::CLIENT_IDENTITY).union(Self::of(&[
        Name::Authorization,
        Name::CacheControl,
        Name::ContentEncoding,
        Name::ContentRange,
        Name::ContentType,
        Name::Cookie,
        Name::Expect,
        Name::Host,
        Name::Location,
        Name::MaxForwards,
        Name::Pragma,
        Name::Range,
        Name::SetCookie,
        Name::Trailer,
        Name::Vary,
        Name::WwwAuthenticate,
    ]));

    /// Its names, in the order of their spelling's list.
    pub fn names(self) -> impl Iterator<Item = Name> {
        KNOWN.iter().map(|(name, _)| *name).filter(move |&name| self.contains(name))
    }

    /// The set of these names.
    #[allow(clippy::indexing_slicing, reason = "the index is below the length; iterators are not const")]
    pub const fn of(names: &[Name]) -> Self {
        let mut set = Self::EMPTY;
        let mut i = 0;
        while i < names.len() {
            set = set.with(names[i]);
            i += 1;
        }
        set
    }

    /// The set and this name.
    pub const fn with(self, name: Name) -> Self {
        Self(self.0 | 1 << name as u8)
    }

    /// Both sets together.
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Adds a name.
    pub fn insert(&mut self, name: Name) {
        *self = self.with(name);
    }

    /// Takes a name away.
    pub fn remove(&mut self, name: Name) {
        self.0 &= !(1 << name as u8);
    }

    /// Whether the name is in the set.
    pub const fn contains(self, name: Name) -> bool {
        self.0 & 1 << name as u8 != 0
    }

    /// Whether any name is in both sets.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::{KNOWN, Name};

    #[test]
    fn every_spelling_of_every_known_name_is_found() {
        for (name, text) in KNOWN {
            assert_eq!(Name::from_bytes(text.as_bytes()), *name);
            assert_eq!(Name::from_bytes(text.to_ascii_uppercase().as_bytes()), *name);
            assert_eq!(Name::from_bytes(text.to_ascii_lowercase().as_bytes()), *name);
            assert_eq!(Name::from_bytes(format!("{text}x").as_bytes()), Name::Other);
            // Flipping the case bit changes a letter's case and makes any other octet a different one.
            for at in 0..text.len() {
                let mut octets = text.as_bytes().to_vec();
                octets[at] ^= 0x20;
                let expected = if octets[at].is_ascii_alphabetic() { *name } else { Name::Other };
                assert_eq!(Name::from_bytes(&octets), expected);
                octets[at] = b'~';
                assert_eq!(Name::from_bytes(&octets), Name::Other);
            }
        }
        assert_eq!(Name::from_bytes(b""), Name::Other);
        assert!(KNOWN.len() < 128, "presence is kept in a u128");
    }
}
