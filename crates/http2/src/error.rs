use std::fmt;

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $variant:ident = $code:literal $text:literal,)*) => {
        /// Why a stream or a connection ends (RFC 9113 §7), as RST_STREAM and GOAWAY carry it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ErrorCode {
            $($(#[doc = $doc])+ $variant,)*
        }

        impl ErrorCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The number on the wire.
            pub fn number(self) -> u32 {
                match self { $(Self::$variant => $code,)* }
            }

            /// The name that RFC 9113 gives it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The code of a number. One that is not known means no more than INTERNAL_ERROR (RFC 9113 §7).
            pub fn from_number(number: u32) -> Self {
                match number { $($code => Self::$variant,)* _ => Self::InternalError }
            }
        }
    };
}

codes! {
    /// Not an error.
    NoError = 0x0 "NO_ERROR",
    /// The protocol was broken in a way that no other code says.
    ProtocolError = 0x1 "PROTOCOL_ERROR",
    /// A fault of the sender's own.
    InternalError = 0x2 "INTERNAL_ERROR",
    /// More octets than a window allows.
    FlowControlError = 0x3 "FLOW_CONTROL_ERROR",
    /// SETTINGS were not acknowledged in time.
    SettingsTimeout = 0x4 "SETTINGS_TIMEOUT",
    /// A frame on a stream whose sender had ended it.
    StreamClosed = 0x5 "STREAM_CLOSED",
    /// A frame of a length that its type cannot have.
    FrameSizeError = 0x6 "FRAME_SIZE_ERROR",
    /// Nothing was done with the stream: it may be tried again.
    RefusedStream = 0x7 "REFUSED_STREAM",
    /// The stream is not needed any more.
    Cancel = 0x8 "CANCEL",
    /// A field block cannot be decoded.
    CompressionError = 0x9 "COMPRESSION_ERROR",
    /// The connection behind a CONNECT broke.
    ConnectError = 0xa "CONNECT_ERROR",
    /// The peer makes work without progress.
    EnhanceYourCalm = 0xb "ENHANCE_YOUR_CALM",
    /// TLS is too weak for HTTP/2.
    InadequateSecurity = 0xc "INADEQUATE_SECURITY",
    /// HTTP/1.1 is asked for instead.
    Http11Required = 0xd "HTTP_1_1_REQUIRED",
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
