//! The chunked coding (RFC 9112 §7.1), as a server meets it behind the same head.

use super::{Case, check, drive};
use crate::Limits;

const HEAD: &str = "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n";

#[test]
fn chunked_bodies_are_taken_apart_or_refused() {
    for &(body, expected) in CASES {
        let expected = format!("POST / 1.1 {{Host: a, Transfer-Encoding: chunked}} chunked {expected}");
        check(format!("{HEAD}{body}").as_bytes(), &expected, |input, cuts| {
            drive::server(input, cuts, &Limits::default())
        });
    }
}

pub(super) const CASES: &[Case] = &[
    ("0\r\n\r\n", "end keep eof"),
    ("3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n", "<abc0123456789> end keep eof"),
    ("000000000000000a\r\n0123456789\r\n0000\r\n\r\n", "<0123456789> end keep eof"),
    ("2\r\n\r\n\r\n0\r\n\r\n", "<\\r\\n> end keep eof"),
    ("1\r\nx\r\n0\r\n\r\nGET / HTTP/1.0\r\n\r\n", "<x> end keep GET / 1.0 {} none end close"),
    // §7.1.1: extensions are read and forgotten.
    ("1;a\r\nx\r\n0;b=c;d=\"e\\\"\\\\;\t \u{e9}\"\r\n\r\n", "<x> end keep eof"),
    ("1;a=\"\";b\r\nx\r\n0\r\n\r\n", "<x> end keep eof"),
    // §7.1.2.
    ("1\r\nx\r\n0\r\nX-Sum: 1 \r\nx-b:\r\n\r\n", "<x> end {X-Sum: 1, x-b: } keep eof"),
    // Sizes.
    ("\r\n", "!BadChunkSize"),
    ("g\r\n", "!BadChunkSize"),
    ("0x1\r\nx\r\n", "!BadChunkSize"),
    ("+1\r\nx\r\n", "!BadChunkSize"),
    ("-1\r\nx\r\n", "!BadChunkSize"),
    (" 1\r\nx\r\n", "!BadChunkSize"),
    ("1 \r\nx\r\n", "!BadChunkSize"),
    ("1 ;a\r\nx\r\n", "!BadChunkSize"),
    ("1_0\r\nx\r\n", "!BadChunkSize"),
    ("1\rx\r\n", "!BadChunkSize"),
    ("00000000000000001\r\nx\r\n", "!BadChunkSize"),
    ("8000000000000000\r\n", "!BadChunkSize"),
    ("fffffffffffffffff\r\n", "!BadChunkSize"),
    ("1\nx\r\n", "!BareLf"),
    ("7fffffffffffffff\r\nabc", "<abc> !Truncated"),
    // Ends.
    ("1\r\nxx\r\n", "<x> !BadChunkEnd"),
    ("1\r\nx\n0\r\n\r\n", "<x> !BadChunkEnd"),
    ("1\r\nx\r0\r\n\r\n", "<x> !BadChunkEnd"),
    ("1\r\nx0\r\n\r\n", "<x> !BadChunkEnd"),
    // Extensions.
    ("1;\r\nx\r\n", "!BadChunkExtension"),
    ("1; a\r\nx\r\n", "!BadChunkExtension"),
    ("1;a \r\nx\r\n", "!BadChunkExtension"),
    ("1;a=\r\nx\r\n", "!BadChunkExtension"),
    ("1;a=b\"\r\nx\r\n", "!BadChunkExtension"),
    ("1;a=\"b\"c\r\nx\r\n", "!BadChunkExtension"),
    ("1;a=\"b\r\nx\r\n", "!BadChunkExtension"),
    ("1;a=\"\\\r\n\"\r\nx\r\n", "!BadChunkExtension"),
    ("1;;a\r\nx\r\n", "!BadChunkExtension"),
    ("1;a\nx\r\n", "!BadChunkExtension"),
    ("1;a\0\r\nx\r\n", "!BadChunkExtension"),
    ("1;a\rx\r\n", "!BadChunkSize"),
    // Trailers keep the rules of fields.
    ("0\r\nX\r\n\r\n", "!BadFieldName"),
    ("0\r\nX : 1\r\n\r\n", "!SpaceBeforeColon"),
    ("0\r\n X: 1\r\n\r\n", "!ObsoleteFolding"),
    ("0\r\nX: \0\r\n\r\n", "!BadFieldValue"),
    ("0\r\nX: 1\n\r\n", "!BareLf"),
    ("0\r\n\n", "!BareLf"),
    // §8.
    ("", "!Truncated"),
    ("1", "!Truncated"),
    ("1\r\nx", "<x> !Truncated"),
    ("1\r\nx\r\n", "<x> !Truncated"),
    ("1\r\nx\r\n0\r\n", "<x> !Truncated"),
    ("0\r\nX: 1\r\n", "!Truncated"),
];
