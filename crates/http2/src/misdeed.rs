use crate::ErrorCode;
use std::fmt;
use strait_message::{Kind, Status};

macro_rules! misdeeds {
    ($($(#[doc = $doc:literal])+ $variant:ident $code:ident $kind:ident $words:literal,)*) => {
        /// One way to break the protocol, or a limit: what exactly a peer did.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Misdeed {
            $($(#[doc = $doc])+ $variant,)*
        }

        impl Misdeed {
            /// Every misdeed.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The code that the stream or the connection ends with.
            pub fn code(self) -> ErrorCode {
                match self { $(Self::$variant => ErrorCode::$code,)* }
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
    /// RFC 9113 §3.4: the connection does not begin with the preface of HTTP/2.
    BadPreface ProtocolError Malformed "the connection preface is not that of HTTP/2",
    /// RFC 9113 §3.4: the first frame is not SETTINGS.
    NoSettings ProtocolError Malformed "the first frame is not SETTINGS",
    /// RFC 9113 §4.2: a frame larger than we allow.
    FrameTooLarge FrameSizeError TooLarge "a frame is larger than 16 KiB",
    /// RFC 9113 §6: a frame of a length that its type cannot have.
    BadFrameSize FrameSizeError Malformed "a frame has a length that its type cannot have",
    /// RFC 9113 §6.1: padding longer than the frame that holds it.
    BadPadding ProtocolError Malformed "padding is longer than its frame",
    /// RFC 9113 §6: a frame of a stream on stream 0, or one of the connection on another.
    WrongStream ProtocolError Malformed "a frame stands on a stream where its type may not",
    /// RFC 9113 §5.1.1: a new stream whose number is not above all before it, or is the other side's.
    BadStreamNumber ProtocolError Malformed "a stream is opened with a number it may not have",
    /// RFC 9113 §5.1: a frame on a stream that was never opened.
    IdleStream ProtocolError Malformed "a frame stands on a stream that was never opened",
    /// RFC 9113 §5.1: DATA or HEADERS behind the end of a stream.
    ClosedStream StreamClosed Malformed "a frame follows the end of its stream",
    /// RFC 9113 §6.10: a field block is interrupted by another frame.
    BlockInterrupted ProtocolError Malformed "a field block is interrupted by another frame",
    /// RFC 9113 §6.10: CONTINUATION without a field block to continue.
    StrayContinuation ProtocolError Malformed "CONTINUATION continues nothing",
    /// RFC 9113 §10.5.1: a field block of more octets or frames than anyone needs.
    BlockTooLarge EnhanceYourCalm TooLarge "a field block is larger than the limit",
    /// RFC 9113 §4.3: a field block that cannot be decoded.
    BadCompression CompressionError Malformed "a field block cannot be decoded",
    /// RFC 9113 §8.4: PUSH_PROMISE, which was never allowed.
    Push ProtocolError Malformed "PUSH_PROMISE was not allowed",
    /// RFC 9113 §6.5.2: a setting with a value that it cannot have.
    BadSetting ProtocolError Malformed "a setting has a value that it cannot have",
    /// RFC 9113 §6.5.3: an acknowledgement of SETTINGS that were not sent.
    StrayAcknowledgement ProtocolError Malformed "SETTINGS are acknowledged that were not sent",
    /// RFC 9113 §6.5.3.
    SettingsNotAcknowledged SettingsTimeout Timeout "SETTINGS were not acknowledged in time",
    /// RFC 9113 §6.9.1: a window above 2^31-1.
    WindowOverflow FlowControlError Malformed "a window grows above 2^31-1",
    /// RFC 9113 §6.9: WINDOW_UPDATE by nothing.
    EmptyWindowUpdate ProtocolError Malformed "WINDOW_UPDATE adds nothing",
    /// RFC 9113 §6.9.1: more octets than the window allows.
    WindowExceeded FlowControlError Malformed "more octets were sent than the window allows",
    /// RFC 9113 §5.1.2: more streams at once than we allow.
    TooManyStreams RefusedStream TooLarge "there are more streams than the limit",
    /// The peer makes work without progress: frames that carry nothing, or streams that are reset before they end.
    NoProgress EnhanceYourCalm TooSlow "frames without progress used up their allowance",
    /// A peer that answers no PING is gone.
    PingNotAnswered NoError Timeout "PING was not answered in time",
    /// RFC 9113 §8.2.1: a field name that is no token, or has upper case.
    BadFieldName ProtocolError Malformed "a field name is not a token in lower case",
    /// RFC 9113 §8.2.1: a field value with a control octet, or with white space around it.
    BadFieldValue ProtocolError Malformed "a field value holds a control octet or is surrounded by white space",
    /// RFC 9113 §8.2.2: a field that concerns a connection of HTTP/1.
    ConnectionField ProtocolError Malformed "a field concerns the connection of HTTP/1",
    /// RFC 9113 §8.3: a pseudo-header field that is unknown, repeated, misplaced or missing.
    BadPseudoField ProtocolError Malformed "a pseudo-header field is unknown, repeated, misplaced or missing",
    /// RFC 9113 §8.3.1: a method that is no token, or longer than any that is known.
    BadMethod ProtocolError Malformed "the method is not a token of 23 octets or less",
    /// RFC 9113 §8.3.1: a scheme other than http and https.
    BadScheme ProtocolError Malformed "the scheme is neither http nor https",
    /// RFC 9113 §8.3.1: a path that is empty or no path.
    BadPath ProtocolError Malformed "the path is malformed",
    /// RFC 9110 §15.5.15.
    PathTooLong EnhanceYourCalm TooLarge "the path is longer than the limit",
    /// RFC 9113 §8.3.1: an authority that is no host, or is not the Host field.
    BadAuthority ProtocolError Malformed "the authority is malformed, missing, or differs from Host",
    /// RFC 9110 §15: a status that is not three digits, or is 101.
    BadStatus ProtocolError Malformed "the status is malformed",
    /// RFC 9110 §8.6: Content-Length is not a number, or appears more than once.
    BadLength ProtocolError Malformed "Content-Length is not one number",
    /// RFC 9113 §8.1.1: more octets than announced.
    BodyTooLong ProtocolError LengthMismatch "the body is longer than announced",
    /// RFC 9113 §8.1.1: fewer octets than announced.
    BodyTooShort ProtocolError LengthMismatch "the body is shorter than announced",
    /// RFC 9113 §8.1: trailers that do not end the stream, or hold pseudo-header fields.
    BadTrailers ProtocolError Malformed "trailers are malformed",
    /// RFC 9110 §15.2: an interim response that ends the stream, or more of them than the limit.
    BadInterim ProtocolError Malformed "an interim response ends its stream, or there are too many",
    /// A head larger than the limit: it is answered with 431.
    HeadTooLarge EnhanceYourCalm TooLarge "the head is larger than the limit",
    /// A head with more fields than the limit: it is answered with 431.
    TooManyFields EnhanceYourCalm TooLarge "there are more fields than the limit",
    /// RFC 8441 §4: `:protocol` on a request that is no CONNECT, or that was not allowed.
    BadProtocol ProtocolError Malformed "an extended CONNECT is malformed or not allowed",
    /// The connection ended while streams were open.
    Truncated NoError Closed "the connection ended inside a message",
}

impl Misdeed {
    /// The status a request is answered with, where it is answered at all: only a head over its limits is; what is
    /// malformed is reset (RFC 9113 §8.1.1).
    pub fn status(self) -> Option<Status> {
        matches!(self, Self::HeadTooLarge | Self::TooManyFields).then_some(Status::HEADER_FIELDS_TOO_LARGE)
    }
}

impl fmt::Display for Misdeed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.words())
    }
}

impl std::error::Error for Misdeed {}
