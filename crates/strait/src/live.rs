//! What the running process is asked by several verbs.

use crate::exit::Exit;
use crate::operator::say;
use serde_json::Value;
use strait_control::client::{AdminAddress, Answer, ClientError};

/// Asks and gives the answer's body, or says why there is none.
///
/// # Errors
/// How the process ends.
pub(crate) fn ask(address: &AdminAddress, path: &str) -> Result<String, Exit> {
    body_of(address, address.get(path))
}

/// Has something done and gives the answer's body, or says why it is not.
///
/// # Errors
/// How the process ends.
pub(crate) fn order(address: &AdminAddress, path: &str) -> Result<String, Exit> {
    body_of(address, address.post(path))
}

fn body_of(address: &AdminAddress, answer: Result<Answer, ClientError>) -> Result<String, Exit> {
    let why = match answer {
        Ok(Answer { status: 200..300, body }) => return Ok(body),
        Ok(answer) => reason(address, &answer),
        Err(error) => error.to_string(),
    };
    say(&why);
    Err(Exit::Failed)
}

/// Why an answer says no.
pub(crate) fn reason(address: &AdminAddress, answer: &Answer) -> String {
    let parsed: Option<Value> = serde_json::from_str(&answer.body).ok();
    let word = |key: &str| parsed.as_ref()?.get(key)?.as_str().map(str::to_owned);
    match word("detail") {
        Some(reason) => reason.trim_end().to_owned(),
        None => format!("{address} answered {}: {}", answer.status, answer.body.trim()),
    }
}

/// A text as a segment of a path or a part of a query (RFC 3986 §2.1).
pub(crate) fn escaped(text: &str) -> String {
    let escape = |octet: u8| match octet {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' => char::from(octet).to_string(),
        octet => format!("%{octet:02X}"),
    };
    text.bytes().map(escape).collect()
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn names_fit_into_a_path() {
        assert_eq!(escaped("localhost:3000"), "localhost:3000");
        assert_eq!(escaped("unix:/run/a b.sock"), "unix:%2Frun%2Fa%20b.sock");
    }
}
