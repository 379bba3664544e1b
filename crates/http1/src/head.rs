//! Reading the lines of a head or of a trailer section as they arrive, each once.

use crate::Misdeed;
use crate::syntax::{is_field_value, is_token, is_token_octet, trim_ows};
use strait_message::{Headers, Name};

/// How far a field section has been read. Complete lines are taken at once; of an incomplete last line it is
/// remembered how much holds no LF, so that a head that drips in costs linear time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LineReader {
    /// Octets of the lines taken so far.
    taken: u32,
    /// Octets of the incomplete line in which no LF was found.
    scanned: u32,
}

impl LineReader {
    /// Takes the next line from the front of `input`, without its CRLF. `None` when it is not complete.
    /// The caller advances by the line's length and two.
    #[inline]
    pub(crate) fn next_line<'a>(
        &mut self,
        input: &'a [u8],
        bytes_max: u32,
        over: Misdeed,
    ) -> Result<Option<&'a [u8]>, Misdeed> {
        let unseen = input.get(self.scanned as usize..).unwrap_or_default();
        let Some(found) = memchr::memchr(b'\n', unseen) else {
            self.scanned = u32::try_from(input.len()).unwrap_or(u32::MAX);
            return if self.taken.saturating_add(self.scanned) > bytes_max { Err(over) } else { Ok(None) };
        };
        let lf = self.scanned as usize + found;
        self.scanned = 0;
        self.taken = self.taken.saturating_add(u32::try_from(lf + 1).unwrap_or(u32::MAX));
        if self.taken > bytes_max {
            return Err(over);
        }
        input.get(..lf).and_then(|line| line.strip_suffix(b"\r")).map(Some).ok_or(Misdeed::BareLf)
    }
}

/// Reads `name ":" OWS value OWS` (RFC 9112 §5) into `headers`.
#[inline]
pub(crate) fn field_line(line: &[u8], headers: &mut Headers) -> Result<(), Misdeed> {
    let colon = find_colon(line).ok_or_else(|| bad_name(line))?;
    let name = line.get(..colon).unwrap_or_default();
    let known = Name::from_bytes(name);
    // A known name is a token already.
    if known == Name::Other && !is_token(name) {
        return Err(bad_name(line));
    }
    // A name has no control octet either, and a longer text has a cheaper rest.
    if !is_field_value(line) {
        return Err(Misdeed::BadFieldValue);
    }
    let value = trim_ows(line.get(colon + 1..).unwrap_or_default());
    headers.push_line(known, line, colon, value.start + colon + 1..value.end + colon + 1);
    Ok(())
}

/// The first colon. Eight octets are looked at together: names are too short for a longer stride to pay.
#[inline]
fn find_colon(line: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let (words, _) = line.as_chunks::<8>();
    for (i, word) in words.iter().enumerate() {
        let differing = u64::from_le_bytes(*word) ^ (ONES * b':' as u64);
        // The lowest octet that is zero has its top bit set here, whatever stands above it.
        let zeros = differing.wrapping_sub(ONES) & !differing & (ONES << 7);
        if zeros != 0 {
            return Some(8 * i + zeros.trailing_zeros() as usize / 8);
        }
    }
    let seen = words.len() * 8;
    line.get(seen..)?.iter().position(|&b| b == b':').map(|at| seen + at)
}

/// What is wrong with a line that does not begin with a token and a colon.
#[cold]
fn bad_name(line: &[u8]) -> Misdeed {
    let at = line.iter().position(|&b| !is_token_octet(b));
    match at.and_then(|at| line.get(at)) {
        Some(b' ' | b'\t') if at == Some(0) => Misdeed::ObsoleteFolding,
        Some(b' ' | b'\t') => Misdeed::SpaceBeforeColon,
        _ => Misdeed::BadFieldName,
    }
}

/// Reads complete field lines from `input` until the empty line. Returns the octets taken, and whether it was met.
#[inline]
pub(crate) fn field_section(
    reader: &mut LineReader,
    input: &[u8],
    headers: &mut Headers,
    (bytes_max, over): (u32, Misdeed),
    (fields_max, too_many): (u16, Misdeed),
) -> Result<(usize, bool), Misdeed> {
    let mut at = 0;
    while let Some(line) = reader.next_line(input.get(at..).unwrap_or_default(), bytes_max, over)? {
        at += line.len() + 2;
        if line.is_empty() {
            return Ok((at, true));
        }
        if headers.len() >= usize::from(fields_max) {
            return Err(too_many);
        }
        field_line(line, headers)?;
    }
    Ok((at, false))
}
