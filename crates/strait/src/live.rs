//! What the running process is asked by several verbs.

use crate::exit::Exit;
use crate::operator::say;
use serde_json::Value;
use strait_control::client::{AdminAddress, Answer};

/// Asks and gives the answer's body, or says why there is none.
///
/// # Errors
/// How the process ends.
pub(crate) fn ask(address: &AdminAddress, path: &str) -> Result<String, Exit> {
    match address.get(path) {
        Ok(Answer { status: 200, body }) => Ok(body),
        Ok(answer) => {
            say(&reason(address, &answer));
            Err(Exit::Failed)
        }
        Err(error) => {
            say(&error.to_string());
            Err(Exit::Failed)
        }
    }
}

/// Why an answer says no.
pub(crate) fn reason(address: &AdminAddress, answer: &Answer) -> String {
    let parsed: Option<Value> = serde_json::from_str(&answer.body).ok();
    let word = |key: &str| parsed.as_ref()?.get(key)?.as_str().map(str::to_owned);
    match word("text").or_else(|| word("error")) {
        Some(reason) => reason.trim_end().to_owned(),
        None => format!("{address} answered {}: {}", answer.status, answer.body.trim()),
    }
}

/// A text as part of a query.
pub(crate) fn escaped(text: &str) -> String {
    let escape = |octet: u8| match octet {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' | b':' => {
            char::from(octet).to_string()
        }
        octet => format!("%{octet:02X}"),
    };
    text.bytes().map(escape).collect()
}
