//! Reading the lines of a head or of a trailer section as they arrive, each once.

use crate::Misdeed;
use crate::syntax::{is_field_value, is_token_octet, trim_ows};
use strait_message::Headers;

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
    let colon = line.iter().position(|&b| !is_token_octet(b)).ok_or(Misdeed::BadFieldName)?;
    match line.get(colon) {
        Some(b':') if colon > 0 => {}
        Some(b' ' | b'\t') if colon == 0 => return Err(Misdeed::ObsoleteFolding),
        Some(b' ' | b'\t') => return Err(Misdeed::SpaceBeforeColon),
        _ => return Err(Misdeed::BadFieldName),
    }
    let behind = line.get(colon + 1..).unwrap_or_default();
    if !is_field_value(behind) {
        return Err(Misdeed::BadFieldValue);
    }
    let value = trim_ows(behind);
    headers.push_line(line, colon, value.start + colon + 1..value.end + colon + 1);
    Ok(())
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
