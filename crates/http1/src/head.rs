//! Reading the lines of a head or of a trailer section as they arrive, each once.

use crate::Misdeed;
use strait_message::syntax::{holds_control, is_token_octet, token_is_aliased, trim_ows};
use strait_message::{Headers, Line, Name};

/// How far a field section has been read. Complete lines are taken at once; of an incomplete last line it is
/// remembered how much holds no end, so that a head that drips in costs linear time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct LineReader {
    /// Octets of the lines taken so far.
    taken: u32,
    /// Octets of the incomplete line in which its end was not found.
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
        let end = memchr::memchr2(b'\r', b'\n', unseen).map(|found| self.scanned as usize + found);
        // What is over the limit is called that, wherever the pieces in which it arrives are cut.
        let read = end.map_or(input.len(), |end| end + 1);
        self.check(read, bytes_max, over)?;
        match end.map(|end| (end, input.get(end), input.get(end + 1))) {
            Some((end, Some(b'\r'), Some(b'\n'))) => {
                self.check(end + 2, bytes_max, over)?;
                self.taken += (end + 2) as u32;
                self.scanned = 0;
                Ok(input.get(..end))
            }
            Some((_, Some(b'\r'), Some(_))) => Err(Misdeed::BareCr),
            Some((_, Some(b'\n'), _)) => Err(Misdeed::BareLf),
            // A CR at the very end is looked at again, with what follows it.
            _ => {
                self.scanned = end.unwrap_or(read) as u32;
                Ok(None)
            }
        }
    }

    /// Whether the lines taken and `more` octets are within the limit, which also bounds the counters.
    #[inline]
    fn check(&self, more: usize, bytes_max: u32, over: Misdeed) -> Result<(), Misdeed> {
        if more > (bytes_max - self.taken.min(bytes_max)) as usize { Err(over) } else { Ok(()) }
    }
}

/// Reads `name ":" OWS value OWS` (RFC 9112 §5), without judging the value.
#[inline]
fn field_line(line: &[u8], at: usize) -> Result<Line, Misdeed> {
    let colon = find_colon(line).ok_or_else(|| bad_name(line))?;
    let name = line.get(..colon).unwrap_or_default();
    let known = Name::from_bytes(name);
    // A known name is a token already.
    let aliased = known == Name::Other && token_is_aliased(name).ok_or_else(|| bad_name(line))?;
    let behind = line.get(colon + 1..).unwrap_or_default();
    let value = trim_ows(behind);
    let value = value.start + colon + 1..value.end + colon + 1;
    Ok(Line { at, known, aliased, colon, one_space: behind.first() == Some(&b' '), value })
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
    let complete = loop {
        match next_field(reader, input, at, headers, (bytes_max, over), (fields_max, too_many)) {
            Ok(Step::Field { octets }) => at += octets,
            Ok(Step::NeedMore) => break Ok(false),
            Ok(Step::End) => {
                at += 2;
                break Ok(true);
            }
            Err(misdeed) => break Err(misdeed),
        }
    };
    // Values are judged and copied all at once, which costs a fraction of doing it line by line. The first misdeed of
    // a head is named, so one in these lines goes before one in the line that ended them.
    let lines = input.get(..at).unwrap_or_default();
    headers.keep(lines);
    if holds_control(lines) {
        return Err(Misdeed::BadFieldValue);
    }
    complete.map(|complete| (at, complete))
}

/// What stands next in a field section.
enum Step {
    NeedMore,
    Field { octets: usize },
    End,
}

#[inline]
fn next_field(
    reader: &mut LineReader,
    input: &[u8],
    at: usize,
    headers: &mut Headers,
    (bytes_max, over): (u32, Misdeed),
    (fields_max, too_many): (u16, Misdeed),
) -> Result<Step, Misdeed> {
    let rest = input.get(at..).unwrap_or_default();
    let Some(line) = reader.next_line(rest, bytes_max, over)? else { return Ok(Step::NeedMore) };
    if line.is_empty() {
        return Ok(Step::End);
    }
    if headers.len() >= usize::from(fields_max) {
        return Err(too_many);
    }
    headers.push_line(field_line(line, at)?);
    Ok(Step::Field { octets: line.len() + 2 })
}
