//! Accept-Encoding (RFC 9110 §12.5.3).

use super::Coding;

/// The coding that a client prefers among ours; `None` for the body as it is. `ours` is in our own order, which decides
/// between codings that the client likes equally.
pub fn choose<'a>(fields: impl Iterator<Item = &'a [u8]>, ours: impl Iterator<Item = Coding>) -> Option<Coding> {
    let mut wishes: Vec<(&[u8], u16)> = Vec::new();
    for field in fields {
        wishes.extend(field.split(|&b| b == b',').filter_map(wish));
    }
    let weight = |name: &str| {
        let named = wishes.iter().find(|(wished, _)| is(wished, name));
        named.or_else(|| wishes.iter().find(|(wished, _)| *wished == b"*")).map(|(_, weight)| *weight)
    };
    // The body as it is is acceptable unless it is excluded, and then as good as what nobody named.
    let plain = wishes.iter().find(|(wished, _)| is(wished, "identity")).map_or(0, |(_, weight)| *weight);
    let mut best: Option<(Coding, u16)> = None;
    for coding in ours {
        let weight = weight(coding.name()).unwrap_or(0);
        if weight > 0 && weight >= plain && best.is_none_or(|(_, other)| weight > other) {
            best = Some((coding, weight));
        }
    }
    best.map(|(coding, _)| coding)
}

/// `x-gzip` is another name of gzip (RFC 9110 §8.4.1.3).
fn is(wished: &[u8], name: &str) -> bool {
    wished.eq_ignore_ascii_case(name.as_bytes()) || (name == "gzip" && wished.eq_ignore_ascii_case(b"x-gzip"))
}

/// A coding and its weight in thousandths. What cannot be read is no wish.
fn wish(element: &[u8]) -> Option<(&[u8], u16)> {
    let mut parts = element.split(|&b| b == b';').map(<[u8]>::trim_ascii);
    let name = parts.next().filter(|name| !name.is_empty())?;
    let mut weight = 1000;
    for parameter in parts {
        if let Some(text) = parameter.strip_prefix(b"q=").or_else(|| parameter.strip_prefix(b"Q=")) {
            weight = thousandths(text)?;
        }
    }
    Some((name, weight))
}

/// `0.5` as 500 (RFC 9110 §12.4.2: at most three digits behind the point, at most 1).
fn thousandths(text: &[u8]) -> Option<u16> {
    let (whole, fraction) = match text {
        [whole] => (*whole, &b""[..]),
        [whole, b'.', fraction @ ..] if fraction.len() <= 3 => (*whole, fraction),
        _ => return None,
    };
    let mut digits = fraction.iter().chain(b"000").take(3);
    let value = digits.try_fold(0u16, |sum, digit| digit.is_ascii_digit().then(|| sum * 10 + u16::from(digit - b'0')));
    match (whole, value?) {
        (b'0', value) => Some(value),
        (b'1', 0) => Some(1000),
        _ => None,
    }
}
