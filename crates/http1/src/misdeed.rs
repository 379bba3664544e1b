use std::fmt;
use strait_message::{Kind, Status};

macro_rules! misdeeds {
    ($($(#[doc = $doc:literal])+ $variant:ident $status:ident $kind:ident $words:literal,)*) => {
        /// One way to break the protocol, or a limit: what exactly a peer did.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Misdeed {
            $($(#[doc = $doc])+ $variant,)*
        }

        impl Misdeed {
            /// Every misdeed.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The status a client is answered with for it. An origin's misdeed is always answered with 502.
            pub fn status(self) -> Status {
                match self { $(Self::$variant => Status::$status,)* }
            }

            /// The kind of fault it is.
            pub fn kind(self) -> Kind {
                match self { $(Self::$variant => Kind::$kind,)* }
            }

            /// What happened, in plain words.
            pub fn words(self) -> &'static str {
                match self { $(Self::$variant => $words,)* }
            }
        }
    };
}

misdeeds! {
    /// RFC 9112 §2.2: a line ended by LF alone. Permitted leniency there, refused here.
    BareLf BAD_REQUEST Malformed "a line ends with a bare LF",
    /// RFC 9112 §2.2: a CR without an LF behind it.
    BareCr BAD_REQUEST Malformed "a CR stands without an LF behind it",
    /// RFC 9112 §3: not `method SP target SP version`.
    BadRequestLine BAD_REQUEST Malformed "the request line is malformed",
    /// RFC 9110 §9.1: a method is a token.
    BadMethod BAD_REQUEST Malformed "the method is not a token",
    /// RFC 9110 §15.6.2: a method longer than any that is known.
    MethodTooLong NOT_IMPLEMENTED Unsupported "the method is longer than 23 octets",
    /// RFC 9112 §3.2: a target outside the four forms, or with octets that no URI has.
    BadTarget BAD_REQUEST Malformed "the request target is malformed",
    /// RFC 9110 §15.5.15.
    TargetTooLong URI_TOO_LONG TooLarge "the request target is longer than the limit",
    /// RFC 9112 §2.3: not `HTTP/` DIGIT `.` DIGIT.
    BadVersion BAD_REQUEST Malformed "the version is malformed",
    /// RFC 9110 §15.6.6: well-formed, but no version of HTTP/1.
    VersionNotSupported VERSION_NOT_SUPPORTED Unsupported "the version is not HTTP/1.0 or HTTP/1.1",
    /// RFC 9112 §5: no colon, or an octet in the name that no token has.
    BadFieldName BAD_REQUEST Malformed "a field name is not a token",
    /// RFC 9112 §5.1: whitespace between field name and colon.
    SpaceBeforeColon BAD_REQUEST Malformed "whitespace stands between a field name and its colon",
    /// RFC 9112 §5.2: a line folded into the next.
    ObsoleteFolding BAD_REQUEST Malformed "a field is folded over lines",
    /// RFC 9110 §5.5: NUL or another control octet in a value.
    BadFieldValue BAD_REQUEST Malformed "a field value holds a control octet",
    /// More fields than the limit.
    TooManyFields HEADER_FIELDS_TOO_LARGE TooLarge "there are more fields than the limit",
    /// A head with more octets than the limit.
    HeadTooLarge HEADER_FIELDS_TOO_LARGE TooLarge "the head is larger than the limit",
    /// RFC 9110 §7.6.1: more options in Connection than anyone needs; each is compared with every field.
    TooManyOptions HEADER_FIELDS_TOO_LARGE TooLarge "Connection has more than 64 options",
    /// RFC 9112 §3.2: an HTTP/1.1 request without Host.
    MissingHost BAD_REQUEST Malformed "Host is missing",
    /// RFC 9112 §3.2: more than one Host line.
    DuplicateHost BAD_REQUEST Malformed "Host appears more than once",
    /// RFC 9110 §7.2: Host is not `uri-host [ ":" port ]`.
    BadHost BAD_REQUEST Malformed "Host is not a valid host and port",
    /// RFC 9112 §3.2.2: a target in absolute form whose authority is not the one in Host.
    HostMismatch BAD_REQUEST Malformed "Host differs from the authority of the request target",
    /// RFC 9112 §6.3 rule 3: both Content-Length and Transfer-Encoding.
    LengthAndCoding BAD_REQUEST Malformed "both Content-Length and Transfer-Encoding are present",
    /// RFC 9112 §6.3 rule 5: more than one Content-Length, equal or not.
    DuplicateLength BAD_REQUEST Malformed "Content-Length appears more than once",
    /// RFC 9110 §8.6: Content-Length is not 1*DIGIT, or too large to count.
    BadLength BAD_REQUEST Malformed "Content-Length is not a number",
    /// RFC 9112 §6.1: Transfer-Encoding in an HTTP/1.0 message.
    CodingInHttp10 BAD_REQUEST Malformed "Transfer-Encoding stands in an HTTP/1.0 message",
    /// RFC 9112 §6.1: transfer codings before the final `chunked`.
    UnknownCoding NOT_IMPLEMENTED Unsupported "Transfer-Encoding is not exactly chunked",
    /// RFC 9112 §6.3 rule 4: a Transfer-Encoding that is empty, repeated, or in which `chunked` is not once and last.
    BadCoding BAD_REQUEST Malformed "Transfer-Encoding is malformed",
    /// RFC 9110 §10.1.1: an expectation other than 100-continue.
    UnknownExpectation EXPECTATION_FAILED Unsupported "Expect holds something other than 100-continue",
    /// RFC 9112 §7.1: a chunk size that is not 1*HEXDIG, or too large to count.
    BadChunkSize BAD_REQUEST Malformed "a chunk size is malformed",
    /// RFC 9112 §7.1.1: a malformed chunk extension.
    BadChunkExtension BAD_REQUEST Malformed "a chunk extension is malformed",
    /// RFC 9112 §7.1.1: more octets of chunk extensions than the limit.
    ChunkExtensionTooLarge BAD_REQUEST TooLarge "chunk extensions are larger than the limit",
    /// RFC 9112 §7.1: chunk data not followed by CRLF.
    BadChunkEnd BAD_REQUEST Malformed "chunk data is not followed by CRLF",
    /// A trailer section over the limits.
    TrailersTooLarge HEADER_FIELDS_TOO_LARGE TooLarge "the trailer section is larger than the limit",
    /// RFC 9112 §4: not `version SP status SP reason`.
    BadStatusLine BAD_GATEWAY Malformed "the status line is malformed",
    /// RFC 9110 §15.2.2: 101 that nobody asked for.
    UnaskedUpgrade BAD_GATEWAY Malformed "101 Switching Protocols without having been asked",
    /// RFC 9110 §15.2: more interim responses than the limit.
    TooManyInterim BAD_GATEWAY Malformed "there are more interim responses than the limit",
    /// RFC 9112 §8: the connection ended inside a message.
    Truncated BAD_REQUEST Closed "the connection ended inside a message",
    /// RFC 9112 §9.2: octets from an origin to which no request belongs.
    UnaskedBytes BAD_GATEWAY Malformed "octets arrived that no request asked for",
    /// RFC 9112 §6.3: a body longer than the length announced for it.
    BodyTooLong BAD_REQUEST LengthMismatch "the body is longer than announced",
    /// RFC 9112 §6.3: a body shorter than the length announced for it.
    BodyTooShort BAD_REQUEST LengthMismatch "the body is shorter than announced",
}

impl fmt::Display for Misdeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

impl std::error::Error for Misdeed {}
