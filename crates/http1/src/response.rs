//! The rules a response head must keep, and what follows from it (RFC 9112 §4, §6.3).

use crate::Misdeed;
use crate::connection::ConnectionOptions;
use crate::request::{framing, version};
use strait_message::syntax::is_field_value;
use strait_message::{BodyLength, ResponseHead, Status, Version};

/// What a final response head means for its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ResponseFacts {
    /// What the head announces; for a response to HEAD, and for 304, what it would have been.
    pub(crate) announced: BodyLength,
    /// What really follows.
    pub(crate) length: BodyLength,
    pub(crate) keep_alive: bool,
}

/// Reads `version SP status [ SP reason ]` (RFC 9112 §4). The space before an absent reason is often left out, and
/// nothing hangs on it.
pub(crate) fn status_line(line: &[u8], head: &mut ResponseHead) -> Result<(), Misdeed> {
    let (version_text, rest) = line.split_at_checked(8).ok_or(Misdeed::BadStatusLine)?;
    head.version = version(version_text)?;
    let Some((&[b' ', a, b, c], reason)) = rest.split_first_chunk::<4>() else { return Err(Misdeed::BadStatusLine) };
    if ![a, b, c].iter().all(u8::is_ascii_digit)
        || !matches!(reason.first(), None | Some(b' '))
        || !is_field_value(reason)
    {
        return Err(Misdeed::BadStatusLine);
    }
    let code = [a, b, c].iter().fold(0, |code, digit| code * 10 + u16::from(digit - b'0'));
    head.status = Status::new(code).ok_or(Misdeed::BadStatusLine)?;
    Ok(())
}

/// Judges a complete final head, as the answer to a HEAD request or to another.
pub(crate) fn facts(head: &ResponseHead, options: ConnectionOptions, to_head: bool) -> Result<ResponseFacts, Misdeed> {
    let is_http10 = head.version == Version::Http10;
    let stated = framing(&head.headers, is_http10)?;
    let announced = match stated {
        Some(length) => length,
        None if to_head || head.status.forbids_body() => BodyLength::None,
        None => BodyLength::UntilClose,
    };
    let length = if to_head || head.status.forbids_body() { BodyLength::None } else { announced };
    // RFC 9110 §8.6, §15.3.5: 204 has no body and says nothing of one. An origin that does may send it all the same.
    let honest = head.status != Status::NO_CONTENT || announced.is_none();
    let keep_alive = honest && length != BodyLength::UntilClose && options.keeps_alive(is_http10);
    Ok(ResponseFacts { announced, length, keep_alive })
}
