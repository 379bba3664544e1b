//! Taking a body apart (RFC 9112 §6.3, §7.1), whichever side sent it.

use crate::head::{LineReader, field_section};
use crate::{Event, Limits, Misdeed, Received};
use strait_message::syntax::is_token_octet;
use strait_message::{BodyLength, Headers};

/// Finds the octets of a body, and its end, in what arrives.
#[derive(Clone, Debug, Default)]
pub struct Decoder {
    state: State,
}

#[derive(Clone, Debug, Default)]
enum State {
    /// No body, or all of it has been taken.
    #[default]
    Done,
    Fixed {
        left: u64,
    },
    Chunked(Box<Chunked>),
    UntilClose,
}

/// The chunked coding. Boxed: it is the rarer case, and the state of an idle connection stays small.
#[derive(Clone, Debug)]
struct Chunked {
    step: Step,
    /// Octets of extensions so far, over all chunks.
    extension_bytes: u32,
    trailers: Headers,
    trailer_lines: LineReader,
}

/// Where in `chunk-size [ chunk-ext ] CRLF chunk-data CRLF` the next octet stands.
#[derive(Clone, Copy, Debug)]
enum Step {
    Size { value: u64, digits: u8 },
    Extension { at: ExtensionAt, size: u64 },
    SizeLf { size: u64 },
    Data { left: u64 },
    DataCr,
    DataLf,
    Trailers,
}

/// Where in `";" name [ "=" ( token / quoted-string ) ]` the next octet stands (RFC 9112 §7.1.1). Whitespace, which
/// the RFC calls bad, is refused.
#[derive(Clone, Copy, Debug, PartialEq)]
enum ExtensionAt {
    NameStart,
    Name,
    ValueStart,
    Value,
    Quoted,
    QuotedPair,
    AfterQuoted,
}

impl Decoder {
    /// A decoder for a body of this length.
    pub fn new(length: BodyLength) -> Self {
        let state = match length {
            BodyLength::None | BodyLength::Fixed(0) => State::Done,
            BodyLength::Fixed(left) => State::Fixed { left },
            BodyLength::UntilClose => State::UntilClose,
            BodyLength::Unknown => State::Chunked(Box::new(Chunked {
                step: Step::Size { value: 0, digits: 0 },
                extension_bytes: 0,
                trailers: Headers::new(),
                trailer_lines: LineReader::default(),
            })),
        };
        Self { state }
    }

    /// Whether the whole body has been taken. A body that lasts until the connection closes is never done.
    pub fn is_done(&self) -> bool {
        matches!(self.state, State::Done)
    }

    /// Octets that must still come, where that is known.
    pub fn left(&self) -> Option<u64> {
        match &self.state {
            State::Done => Some(0),
            State::Fixed { left } => Some(*left),
            State::Chunked(_) | State::UntilClose => None,
        }
    }

    /// Counts octets that went around the engine (by splice, say), of a body with a fixed length, until close or none.
    ///
    /// # Errors
    /// [`Misdeed::BodyTooLong`] when there were more than the body has.
    pub fn skip(&mut self, octets: u64) -> Result<(), Misdeed> {
        match &mut self.state {
            State::Done if octets > 0 => return Err(Misdeed::BodyTooLong),
            State::Fixed { left } => {
                *left = left.checked_sub(octets).ok_or(Misdeed::BodyTooLong)?;
                if *left == 0 {
                    self.state = State::Done;
                }
            }
            State::Done | State::Chunked(_) | State::UntilClose => {}
        }
        Ok(())
    }

    /// Looks at `input`. [`Event::Data`] says where in it body octets stand; [`Event::End`] is said when all were, and
    /// the trailer fields are then in `trailers`.
    ///
    /// # Errors
    /// A [`Misdeed`] of the chunked coding or of the trailer section; the connection cannot be used further.
    pub fn recv(&mut self, input: &[u8], trailers: &mut Headers, limits: &Limits) -> Result<Received, Misdeed> {
        match &mut self.state {
            State::Done => Ok(Received { consumed: 0, event: Event::End }),
            State::UntilClose => Ok(data(0, input.len())),
            State::Fixed { left } => {
                let taken = input.len().min(usize::try_from(*left).unwrap_or(usize::MAX));
                *left -= taken as u64;
                if *left == 0 {
                    self.state = State::Done;
                }
                Ok(data(0, taken))
            }
            State::Chunked(chunked) => {
                let received = chunked.recv(input, limits)?;
                if received.event == Event::End {
                    std::mem::swap(trailers, &mut chunked.trailers);
                    self.state = State::Done;
                }
                Ok(received)
            }
        }
    }

    /// Says that the connection ended.
    ///
    /// # Errors
    /// [`Misdeed::Truncated`] when the body was not complete.
    pub fn recv_eof(&mut self) -> Result<(), Misdeed> {
        match self.state {
            // Left as it is: a truncated body must never count as complete.
            State::Fixed { .. } | State::Chunked(_) => return Err(Misdeed::Truncated),
            State::Done | State::UntilClose => self.state = State::Done,
        }
        Ok(())
    }
}

fn data(start: usize, end: usize) -> Received {
    let event = if start == end { Event::NeedMore } else { Event::Data(start..end) };
    Received { consumed: end, event }
}

impl Chunked {
    fn recv(&mut self, input: &[u8], limits: &Limits) -> Result<Received, Misdeed> {
        let mut at = 0;
        while let Some(&octet) = input.get(at) {
            match self.step {
                Step::Data { left } => return Ok(self.take_data(input, at, left)),
                Step::Trailers => break,
                _ => self.step = self.after(octet, limits)?,
            }
            at += 1;
        }
        if !matches!(self.step, Step::Trailers) {
            return Ok(Received { consumed: at, event: Event::NeedMore });
        }
        self.recv_trailers(input, at, limits)
    }

    fn take_data(&mut self, input: &[u8], at: usize, left: u64) -> Received {
        let taken = (input.len() - at).min(usize::try_from(left).unwrap_or(usize::MAX));
        let left = left - taken as u64;
        self.step = if left == 0 { Step::DataCr } else { Step::Data { left } };
        data(at, at + taken)
    }

    /// The step after one octet of framing.
    fn after(&mut self, octet: u8, limits: &Limits) -> Result<Step, Misdeed> {
        match (self.step, octet) {
            (Step::Size { value, digits }, digit) if digit.is_ascii_hexdigit() => size_digit(value, digits, digit),
            (Step::Size { value, digits: 1.. }, b'\r') => Ok(Step::SizeLf { size: value }),
            (Step::Size { value, digits: 1.. }, b';') => {
                Ok(Step::Extension { at: ExtensionAt::NameStart, size: value })
            }
            (Step::Size { .. }, b'\n') => Err(Misdeed::BareLf),
            (Step::Size { .. }, _) => Err(Misdeed::BadChunkSize),
            (Step::Extension { at, size }, octet) => self.extension(at, size, octet, limits),
            (Step::SizeLf { size: 0 }, b'\n') => Ok(Step::Trailers),
            (Step::SizeLf { size }, b'\n') => Ok(Step::Data { left: size }),
            (Step::SizeLf { .. }, _) => Err(Misdeed::BadChunkSize),
            (Step::DataCr, b'\r') => Ok(Step::DataLf),
            (Step::DataLf, b'\n') => Ok(Step::Size { value: 0, digits: 0 }),
            _ => Err(Misdeed::BadChunkEnd),
        }
    }

    fn extension(&mut self, at: ExtensionAt, size: u64, octet: u8, limits: &Limits) -> Result<Step, Misdeed> {
        use ExtensionAt::{AfterQuoted, Name, NameStart, Quoted, QuotedPair, Value, ValueStart};
        self.extension_bytes += 1;
        if self.extension_bytes > limits.chunk_extension_bytes_max {
            return Err(Misdeed::ChunkExtensionTooLarge);
        }
        let at = match (at, octet) {
            (Name | Value | AfterQuoted, b'\r') => return Ok(Step::SizeLf { size }),
            (Name | Value | AfterQuoted, b';') => NameStart,
            (Name, b'=') => ValueStart,
            (ValueStart, b'"') => Quoted,
            (Quoted, b'"') => AfterQuoted,
            (Quoted, b'\\') => QuotedPair,
            (Quoted | QuotedPair, b'\t' | b' '..=b'~' | 0x80..) => Quoted,
            (NameStart | Name, tchar) if is_token_octet(tchar) => Name,
            (ValueStart | Value, tchar) if is_token_octet(tchar) => Value,
            _ => return Err(Misdeed::BadChunkExtension),
        };
        Ok(Step::Extension { at, size })
    }

    fn recv_trailers(&mut self, input: &[u8], at: usize, limits: &Limits) -> Result<Received, Misdeed> {
        let (taken, complete) = field_section(
            &mut self.trailer_lines,
            input.get(at..).unwrap_or_default(),
            &mut self.trailers,
            (limits.trailer_bytes_max, Misdeed::TrailersTooLarge),
            (limits.fields_max, Misdeed::TooManyFields),
        )?;
        let event = if complete { Event::End } else { Event::NeedMore };
        Ok(Received { consumed: at + taken, event })
    }
}

/// One more hexadecimal digit of a chunk size. Sixteen are the most that are looked at, leading zeros included.
fn size_digit(value: u64, digits: u8, digit: u8) -> Result<Step, Misdeed> {
    let nibble = (digit as char).to_digit(16).map(u64::from).ok_or(Misdeed::BadChunkSize)?;
    if digits == 16 || value >= 1 << 59 {
        return Err(Misdeed::BadChunkSize);
    }
    Ok(Step::Size { value: value << 4 | nibble, digits: digits + 1 })
}
