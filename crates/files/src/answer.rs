//! What is answered to a request for a file that is there.

use crate::conditional::{Outcome, evaluate, ranges_hold};
use crate::range::{Asked, asked};
use crate::validators::Validators;
use std::ops::Range;
use strait_message::{Headers, Method, Name, RequestHead, ResponseHead, Status};

/// What of a file is served.
#[derive(Clone, Debug)]
pub struct Represented<'a> {
    /// Its octets.
    pub octets: u64,
    /// Its validators.
    pub validators: &'a Validators,
    /// Its Content-Type, of what is inside of the coding.
    pub media_type: &'a str,
    /// Its Content-Encoding; empty for none.
    pub coding: &'a str,
    /// Whether it was chosen by Accept-Encoding, which caches must know.
    pub varies: bool,
}

/// The head of the response, and what follows it.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The head, without Content-Length.
    pub head: ResponseHead,
    /// The body.
    pub body: Body,
}

/// Parts of the file with what stands between them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Body {
    /// The parts.
    pub pieces: Vec<Piece>,
    /// What follows the last.
    pub after: Vec<u8>,
}

/// A part of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// What goes before.
    pub before: Vec<u8>,
    /// Which octets of the file.
    pub range: Range<u64>,
}

impl Body {
    fn of(range: Range<u64>) -> Self {
        Self { pieces: vec![Piece { before: Vec::new(), range }], after: Vec::new() }
    }

    /// Its octets.
    pub fn octets(&self) -> u64 {
        let of = |piece: &Piece| piece.before.len() as u64 + (piece.range.end - piece.range.start);
        self.pieces.iter().map(of).sum::<u64>() + self.after.len() as u64
    }
}

/// Answers GET or HEAD of a file. `boundary` makes what parts several ranges: it must not occur in the file, so it is random.
pub fn answer(request: &RequestHead, file: &Represented<'_>, boundary: impl FnOnce() -> String) -> Answer {
    match evaluate(&request.headers, file.validators) {
        Outcome::NotModified => return bare(Status::NOT_MODIFIED, file),
        Outcome::Failed => return bare(Status::PRECONDITION_FAILED, file),
        Outcome::Proceed => {}
    }
    match ranges(request, file) {
        Asked::Whole => whole(file),
        Asked::Unsatisfiable => {
            let mut answer = bare(Status::RANGE_NOT_SATISFIABLE, file);
            answer.head.headers.push_name(Name::ContentRange, format!("bytes */{}", file.octets).as_bytes());
            answer
        }
        Asked::Parts(parts) => match parts.as_slice() {
            [only] => part(file, only.clone()),
            _ => several(file, parts, &boundary()),
        },
    }
}

/// Ranges are of GET alone (RFC 9110 §14.2).
fn ranges(request: &RequestHead, file: &Represented<'_>) -> Asked {
    match request.headers.get(Name::Range) {
        Some(value) if request.method == Method::Get && ranges_hold(&request.headers, file.validators) => {
            asked(value, file.octets)
        }
        _ => Asked::Whole,
    }
}

/// An answer without a body.
fn bare(status: Status, file: &Represented<'_>) -> Answer {
    let mut head = ResponseHead::new(status);
    describe(&mut head.headers, file);
    Answer { head, body: Body::default() }
}

fn whole(file: &Represented<'_>) -> Answer {
    let mut head = ResponseHead::new(Status::OK);
    head.headers.push_name(Name::ContentType, file.media_type.as_bytes());
    describe_whole(&mut head.headers, file);
    Answer { head, body: Body::of(0..file.octets) }
}

fn part(file: &Represented<'_>, range: Range<u64>) -> Answer {
    let mut head = ResponseHead::new(Status::PARTIAL_CONTENT);
    head.headers.push_name(Name::ContentType, file.media_type.as_bytes());
    head.headers.push_name(Name::ContentRange, content_range(&range, file.octets).as_bytes());
    describe_whole(&mut head.headers, file);
    Answer { head, body: Body::of(range) }
}

/// Several ranges as parts of one body (RFC 9110 §14.6).
fn several(file: &Represented<'_>, ranges: Vec<Range<u64>>, boundary: &str) -> Answer {
    let mut head = ResponseHead::new(Status::PARTIAL_CONTENT);
    let media_type = format!("multipart/byteranges; boundary={boundary}");
    head.headers.push_name(Name::ContentType, media_type.as_bytes());
    describe_whole(&mut head.headers, file);
    let piece = |(at, range): (usize, Range<u64>)| {
        let line = if at == 0 { "" } else { "\r\n" };
        let before = format!(
            "{line}--{boundary}\r\nContent-Type: {}\r\nContent-Range: {}\r\n\r\n",
            file.media_type,
            content_range(&range, file.octets)
        );
        Piece { before: before.into_bytes(), range }
    };
    let pieces = ranges.into_iter().enumerate().map(piece).collect();
    Answer { head, body: Body { pieces, after: format!("\r\n--{boundary}--\r\n").into_bytes() } }
}

fn content_range(range: &Range<u64>, octets: u64) -> String {
    format!("bytes {}-{}/{octets}", range.start, range.end - 1)
}

fn describe_whole(headers: &mut Headers, file: &Represented<'_>) {
    if !file.coding.is_empty() {
        headers.push_name(Name::ContentEncoding, file.coding.as_bytes());
    }
    headers.push(b"Accept-Ranges", b"bytes");
    describe(headers, file);
}

/// What every answer about the file says, 304 too (RFC 9110 §15.4.5).
fn describe(headers: &mut Headers, file: &Represented<'_>) {
    headers.push_name(Name::Etag, file.validators.etag.as_bytes());
    headers.push_name(Name::LastModified, file.validators.last_modified.as_bytes());
    if file.varies {
        headers.push_name(Name::Vary, b"Accept-Encoding");
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, reason = "tests")]
mod tests {
    use super::{Answer, Represented, answer};
    use crate::validators::{Modified, Validators};
    use strait_message::{Method, Name, RequestHead};

    fn ask(method: Method, fields: &[(&str, &str)]) -> Answer {
        let mut request = RequestHead::new(method);
        fields.iter().for_each(|(name, value)| request.headers.push(name.as_bytes(), value.as_bytes()));
        let validators = Validators::of(Modified { seconds: 784_111_777, nanoseconds: 1 }, 10, "");
        let file =
            Represented { octets: 10, validators: &validators, media_type: "text/plain", coding: "", varies: false };
        answer(&request, &file, || "B".to_owned())
    }

    #[test]
    fn wholes_parts_and_several_parts() {
        let whole = ask(Method::Get, &[]);
        assert_eq!((whole.head.status.code(), whole.body.octets()), (200, 10));
        assert_eq!(whole.head.headers.get_by_text(b"accept-ranges"), Some(&b"bytes"[..]));
        let part = ask(Method::Get, &[("Range", "bytes=2-4")]);
        assert_eq!((part.head.status.code(), part.body.octets()), (206, 3));
        assert_eq!(part.head.headers.get(Name::ContentRange), Some(&b"bytes 2-4/10"[..]));
        let several = ask(Method::Get, &[("Range", "bytes=0-0,8-9")]);
        assert_eq!(several.head.headers.get(Name::ContentType), Some(&b"multipart/byteranges; boundary=B"[..]));
        let first = String::from_utf8_lossy(&several.body.pieces[0].before).into_owned();
        assert_eq!(first, "--B\r\nContent-Type: text/plain\r\nContent-Range: bytes 0-0/10\r\n\r\n");
        let sum = first.len() + 1 + several.body.pieces[1].before.len() + 2 + "\r\n--B--\r\n".len();
        assert_eq!(several.body.octets(), sum as u64);
    }

    #[test]
    fn answers_without_a_body() {
        let gone = ask(Method::Get, &[("Range", "bytes=10-")]);
        assert_eq!((gone.head.status.code(), gone.body.octets()), (416, 0));
        assert_eq!(gone.head.headers.get(Name::ContentRange), Some(&b"bytes */10"[..]));
        let same = ask(Method::Get, &[("If-None-Match", "*")]);
        assert_eq!(same.head.status.code(), 304);
        assert!(same.head.headers.contains(Name::Etag) && !same.head.headers.contains(Name::ContentType));
        assert_eq!(ask(Method::Get, &[("If-Match", "\"x\"")]).head.status.code(), 412);
        // Preconditions come before ranges, and HEAD has none.
        assert_eq!(ask(Method::Get, &[("If-None-Match", "*"), ("Range", "bytes=0-1")]).head.status.code(), 304);
        assert_eq!(ask(Method::Head, &[("Range", "bytes=0-1")]).head.status.code(), 200);
        assert_eq!(ask(Method::Get, &[("Range", "bytes=0-1"), ("If-Range", "\"x\"")]).head.status.code(), 200);
    }
}
