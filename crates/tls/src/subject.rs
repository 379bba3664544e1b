//! Distinguished names as text.

use std::fmt::Write as _;
use x509_parser::x509::{AttributeTypeAndValue, X509Name};

/// A distinguished name as RFC 4514 writes it: the most particular part first, special characters escaped. What is not
/// text stands as `#` and hexadecimal digits, so that no two names read alike and none breaks a line.
pub(crate) fn distinguished(name: &X509Name<'_>) -> String {
    let mut text = String::new();
    let parts: Vec<_> = name.iter_rdn().collect();
    for part in parts.into_iter().rev() {
        for (place, attribute) in part.iter().enumerate() {
            match (place, text.is_empty()) {
                (0, true) => {}
                (0, false) => text.push(','),
                _ => text.push('+'),
            }
            append(attribute, &mut text);
        }
    }
    text
}

fn append(attribute: &AttributeTypeAndValue<'_>, text: &mut String) {
    let oid = attribute.attr_type().to_id_string();
    text.push_str(abbreviation(&oid).unwrap_or(&oid));
    text.push('=');
    match attribute.as_str() {
        Ok(value) => escape(value, text),
        Err(_) => {
            text.push('#');
            for octet in attribute.as_slice() {
                let _ = write!(text, "{octet:02x}");
            }
        }
    }
}

/// RFC 4514 §2.4.
fn escape(value: &str, text: &mut String) {
    let last = value.chars().count().saturating_sub(1);
    for (place, character) in value.chars().enumerate() {
        let edge = (character == ' ' && (place == 0 || place == last)) || (character == '#' && place == 0);
        if character.is_control() {
            let mut octets = [0; 4];
            for octet in character.encode_utf8(&mut octets).bytes() {
                let _ = write!(text, "\\{octet:02x}");
            }
            continue;
        }
        if edge || matches!(character, ',' | '+' | '"' | '\\' | '<' | '>' | ';' | '=') {
            text.push('\\');
        }
        text.push(character);
    }
}

/// The keywords of RFC 4514 §3 and two that everybody uses.
fn abbreviation(oid: &str) -> Option<&'static str> {
    Some(match oid {
        "2.5.4.3" => "CN",
        "2.5.4.5" => "serialNumber",
        "2.5.4.6" => "C",
        "2.5.4.7" => "L",
        "2.5.4.8" => "ST",
        "2.5.4.9" => "STREET",
        "2.5.4.10" => "O",
        "2.5.4.11" => "OU",
        "0.9.2342.19200300.100.1.1" => "UID",
        "0.9.2342.19200300.100.1.25" => "DC",
        "1.2.840.113549.1.9.1" => "emailAddress",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn what_has_a_meaning_is_escaped() {
        for (value, expected) in [
            ("client", "client"),
            ("a,b+c=d", "a\\,b\\+c\\=d"),
            (" a b ", "\\ a b\\ "),
            ("#1", "\\#1"),
            ("line\r\nbreak", "line\\0d\\0abreak"),
            ("ä\u{85}", "ä\\c2\\85"),
        ] {
            let mut text = String::new();
            escape(value, &mut text);
            assert_eq!(text, expected);
        }
    }
}
