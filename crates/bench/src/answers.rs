//! The canned responses of the origin, built once and sent as they are.

/// A response ready to send.
pub(crate) struct Answer {
    pub(crate) bytes: Vec<u8>,
    /// Whether the connection stays open behind it.
    pub(crate) keep_alive: bool,
}

/// All responses; an index into them is what a connection remembers.
pub(crate) struct Answers {
    all: Vec<Answer>,
}

/// Last path segments with a body, and its length in bytes. With `.html` appended the head is browser-like.
const BODIES: [(&str, usize); 5] =
    [("empty", 0), ("1k", 1 << 10), ("16k", 16 << 10), ("100k", 100 << 10), ("1m", 1 << 20)];

/// Field lines of a small head, beside Content-Length.
const SMALL_HEAD: &str = "Content-Type: text/plain\r\nDate: Mon, 01 Jan 2024 00:00:00 GMT\r\n";

/// Field lines as an application behind a proxy sends them to a browser, beside Content-Length.
const BROWSER_HEAD: &str = "Date: Mon, 01 Jan 2024 00:00:00 GMT\r\n\
    Content-Type: text/html; charset=utf-8\r\n\
    Cache-Control: private, max-age=0, must-revalidate\r\n\
    ETag: W/\"5f1d-18c9a3b7c40\"\r\n\
    Last-Modified: Sun, 31 Dec 2023 18:30:12 GMT\r\n\
    Vary: Accept-Encoding, Cookie\r\n\
    Set-Cookie: sid=s%3AjX0kUqKfCw9d3v7m2b1n.QmZyV2h5dGhlcmVhcmVubw; Path=/; HttpOnly; Secure; SameSite=Lax\r\n\
    Strict-Transport-Security: max-age=31536000; includeSubDomains\r\n\
    X-Content-Type-Options: nosniff\r\n\
    X-Frame-Options: SAMEORIGIN\r\n\
    Referrer-Policy: strict-origin-when-cross-origin\r\n";

/// Index of the response to requests for unknown paths.
const NOT_FOUND: usize = 0;
/// Index of the response to requests this origin does not understand; it closes the connection.
const REFUSED: usize = 1;
/// Index of 204 and of 304.
const NO_CONTENT: usize = 2;
const NOT_MODIFIED: usize = 3;
/// Index of the first entry of [`BODIES`], small head; the browser-like one follows each.
const FIRST_BODY: usize = 4;

impl Answers {
    pub(crate) fn new() -> Answers {
        let mut all = vec![
            answer("404 Not Found", SMALL_HEAD, Some(0)),
            Answer { keep_alive: false, ..answer("400 Bad Request", "Connection: close\r\n", Some(0)) },
            answer("204 No Content", "Date: Mon, 01 Jan 2024 00:00:00 GMT\r\n", None),
            answer("304 Not Modified", "ETag: \"5f1d\"\r\n", None),
        ];
        for (_, length) in BODIES {
            all.push(answer("200 OK", SMALL_HEAD, Some(length)));
            all.push(answer("200 OK", BROWSER_HEAD, Some(length)));
        }
        Answers { all }
    }

    pub(crate) fn get(&self, index: usize) -> Option<&Answer> {
        self.all.get(index)
    }

    /// The index of the response for `path`: only its last segment counts, so that any route prefix may stand before.
    pub(crate) fn find(path: &[u8]) -> usize {
        let name = memchr::memrchr(b'/', path).map_or(path, |slash| path.get(slash + 1..).unwrap_or_default());
        match name {
            b"204" => return NO_CONTENT,
            b"304" => return NOT_MODIFIED,
            _ => {}
        }
        let (name, browser) = name.strip_suffix(b".html").map_or((name, 0), |name| (name, 1));
        BODIES
            .iter()
            .position(|(known, _)| known.as_bytes() == name)
            .map_or(NOT_FOUND, |position| FIRST_BODY + position * 2 + browser)
    }

    /// The index of the response that refuses a request.
    pub(crate) fn refused() -> usize {
        REFUSED
    }

    /// The length of the body that `path` is answered with, in bytes.
    pub(crate) fn body_length(path: &str) -> usize {
        let name = path.rsplit('/').next().unwrap_or_default();
        let name = name.strip_suffix(".html").unwrap_or(name);
        BODIES.iter().find(|(known, _)| *known == name).map_or(0, |(_, length)| *length)
    }
}

fn answer(status: &str, fields: &str, body: Option<usize>) -> Answer {
    let length = body.map_or_else(String::new, |length| format!("Content-Length: {length}\r\n"));
    let mut bytes = format!("HTTP/1.1 {status}\r\n{length}{fields}\r\n").into_bytes();
    bytes.extend((0..body.unwrap_or(0)).map(|position| b'a' + u8::try_from(position % 26).unwrap_or(0)));
    Answer { bytes, keep_alive: true }
}
