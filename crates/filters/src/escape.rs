//! Percent-encoding in queries (RFC 3986 §2.1).

/// Appends a parameter's name or value so that it reads back as `text`: everything but unreserved octets is escaped.
pub(crate) fn encode(text: &[u8], out: &mut Vec<u8>) {
    for &octet in text {
        if octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~') {
            out.push(octet);
        } else {
            out.extend_from_slice(&[b'%', hex(octet >> 4), hex(octet & 15)]);
        }
    }
}

fn hex(nibble: u8) -> u8 {
    if nibble < 10 { b'0' + nibble } else { b'A' + nibble - 10 }
}

/// The octets of a parameter's name or value: `+` is a space as forms write it, and a `%` that two digits do not
/// follow is itself.
pub(crate) fn decoded(text: &[u8]) -> impl Iterator<Item = u8> + '_ {
    let mut rest = text;
    std::iter::from_fn(move || match rest {
        [] => None,
        [b'%', high, low, tail @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
            rest = tail;
            Some(value(*high) << 4 | value(*low))
        }
        [octet, tail @ ..] => {
            rest = tail;
            Some(if *octet == b'+' { b' ' } else { *octet })
        }
    })
}

fn value(digit: u8) -> u8 {
    match digit {
        b'0'..=b'9' => digit - b'0',
        _ => (digit | 0x20) - b'a' + 10,
    }
}
