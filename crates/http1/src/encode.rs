//! Putting messages on the wire. Framing is decided here; a received framing field is never copied.

use crate::Misdeed;
use strait_message::syntax::{write_decimal, write_hex};
use strait_message::{BodyLength, Headers, Name, NameSet};

/// Frames an outgoing body, and holds it to its length.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Encoder {
    /// No body follows (any more).
    #[default]
    Done,
    /// Exactly this many octets follow.
    Fixed {
        /// Octets not yet sent.
        left: u64,
    },
    /// Chunks follow.
    Chunked,
    /// Octets follow until the connection is closed.
    UntilClose,
}

impl Encoder {
    /// An encoder for a body of this length.
    pub fn new(length: BodyLength) -> Self {
        match length {
            BodyLength::None | BodyLength::Fixed(0) => Self::Done,
            BodyLength::Fixed(left) => Self::Fixed { left },
            BodyLength::Unknown => Self::Chunked,
            BodyLength::UntilClose => Self::UntilClose,
        }
    }

    /// Appends what must stand before `octets` octets of data, and counts them. Nothing stands before none.
    ///
    /// # Errors
    /// [`Misdeed::BodyTooLong`] when they are more than announced.
    pub fn data_prefix(&mut self, octets: u64, out: &mut Vec<u8>) -> Result<(), Misdeed> {
        match self {
            Self::Done if octets == 0 => Ok(()),
            Self::Done => Err(Misdeed::BodyTooLong),
            Self::Fixed { left } => {
                *left = left.checked_sub(octets).ok_or(Misdeed::BodyTooLong)?;
                Ok(())
            }
            Self::Chunked if octets > 0 => {
                write_hex(octets, out);
                out.extend_from_slice(b"\r\n");
                Ok(())
            }
            Self::Chunked | Self::UntilClose => Ok(()),
        }
    }

    /// What must stand behind data that is not empty.
    pub fn data_suffix(&self) -> &'static [u8] {
        if *self == Self::Chunked { b"\r\n" } else { b"" }
    }

    /// Appends data with its framing.
    ///
    /// # Errors
    /// As [`Encoder::data_prefix`].
    pub fn data(&mut self, data: &[u8], out: &mut Vec<u8>) -> Result<(), Misdeed> {
        if data.is_empty() {
            return Ok(());
        }
        self.data_prefix(data.len() as u64, out)?;
        out.extend_from_slice(data);
        out.extend_from_slice(self.data_suffix());
        Ok(())
    }

    /// Appends the end of the body, with trailer fields where the framing has room for them.
    ///
    /// # Errors
    /// [`Misdeed::BodyTooShort`] when octets are missing.
    pub fn end(&mut self, trailers: Option<&Headers>, out: &mut Vec<u8>) -> Result<(), Misdeed> {
        match self {
            // Left as it is: an exchange that ended short must never count as complete.
            Self::Fixed { left: 1.. } => return Err(Misdeed::BodyTooShort),
            Self::Chunked => {
                out.extend_from_slice(b"0\r\n");
                if let Some(trailers) = trailers {
                    trailers.append_lines(NameSet::FORBIDDEN_IN_TRAILERS, out);
                }
                out.extend_from_slice(b"\r\n");
            }
            Self::Done | Self::Fixed { .. } | Self::UntilClose => {}
        }
        *self = Self::Done;
        Ok(())
    }
}

/// Appends the field that announces the length.
pub(crate) fn write_length(length: BodyLength, out: &mut Vec<u8>) {
    match length {
        BodyLength::Fixed(octets) => {
            out.extend_from_slice(b"Content-Length: ");
            write_decimal(octets, out);
            out.extend_from_slice(b"\r\n");
        }
        BodyLength::Unknown => out.extend_from_slice(b"Transfer-Encoding: chunked\r\n"),
        BodyLength::None | BodyLength::UntilClose => {}
    }
}

/// Appends Connection, with the tokens that apply (RFC 9110 §7.6.1).
pub(crate) fn write_connection(tokens: &[&[u8]], out: &mut Vec<u8>) {
    for (i, token) in tokens.iter().enumerate() {
        out.extend_from_slice(if i == 0 { b"Connection: ".as_slice() } else { b", " });
        out.extend_from_slice(token);
    }
    if !tokens.is_empty() {
        out.extend_from_slice(b"\r\n");
    }
}

/// Fields that are left out of a head because the engine writes them.
pub(crate) const ENGINE_FIELDS: NameSet = NameSet::FRAMING.with(Name::Trailer);
