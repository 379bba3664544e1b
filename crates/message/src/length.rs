/// How the end of a body is found (RFC 9112 §6.3), as decided once by an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BodyLength {
    /// There is no body: the message ends with its head.
    None,
    /// Exactly this many octets follow.
    Fixed(u64),
    /// The length is not known in advance; the body ends by framing (chunked coding, or END_STREAM).
    Unknown,
    /// The body ends when the connection does. Only a response may end so.
    UntilClose,
}

impl BodyLength {
    /// The number of octets, where it is known before the body arrives.
    pub fn known(self) -> Option<u64> {
        match self {
            Self::None => Some(0),
            Self::Fixed(octets) => Some(octets),
            Self::Unknown | Self::UntilClose => None,
        }
    }

    /// Whether nothing follows the head.
    pub fn is_none(self) -> bool {
        matches!(self, Self::None | Self::Fixed(0))
    }
}
