//! As much of DER (X.690) as OCSP needs: elements by tag, and their order.

/// One element.
#[derive(Clone, Copy, Debug)]
pub(super) struct Element<'d> {
    pub(super) tag: u8,
    pub(super) content: &'d [u8],
    /// With its tag and length.
    pub(super) whole: &'d [u8],
}

/// The first element, and what is behind it. `None` where it is cut, or its length is not written as DER has it.
pub(super) fn element(input: &[u8]) -> Option<(Element<'_>, &[u8])> {
    let (&tag, rest) = input.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (octets, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
            let length = octets.iter().fold(0_usize, |length, octet| length << 8 | usize::from(*octet));
            (Some(length).filter(|length| *length > 0x7f && octets.first() != Some(&0))?, rest)
        }
        _ => return None,
    };
    let (content, behind) = rest.split_at_checked(length)?;
    let whole = input.get(..input.len() - behind.len())?;
    Some((Element { tag, content, whole }, behind))
}

/// All elements, one behind the other.
pub(super) fn children(mut input: &[u8]) -> Option<Vec<Element<'_>>> {
    let mut all = Vec::new();
    while !input.is_empty() {
        let (next, rest) = element(input)?;
        all.push(next);
        input = rest;
    }
    Some(all)
}

/// The octets of a BIT STRING's content that has no bits left over.
pub(super) fn bits(content: &[u8]) -> Option<&[u8]> {
    content.split_first().filter(|(left, _)| **left == 0).map(|(_, octets)| octets)
}

/// An element of this tag.
pub(super) fn wrap(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut all = vec![tag];
    match u8::try_from(content.len()) {
        Ok(length @ 0..=0x7f) => all.push(length),
        _ => {
            let length = content.len().to_be_bytes();
            let length = length.get(length.iter().take_while(|octet| **octet == 0).count()..).unwrap_or_default();
            all.push(0x80 | u8::try_from(length.len()).unwrap_or_default());
            all.extend_from_slice(length);
        }
    }
    all.extend_from_slice(content);
    all
}

/// A GeneralizedTime as RFC 5280 §4.1.2.5.2 has it (`YYYYMMDDHHMMSSZ`), in seconds since 1970-01-01 UTC.
pub(super) fn time(element: &Element<'_>) -> Option<i64> {
    let text = std::str::from_utf8(element.content).ok().filter(|text| element.tag == 0x18 && text.len() == 15)?;
    let digits = text.strip_suffix('Z').filter(|digits| digits.bytes().all(|octet| octet.is_ascii_digit()))?;
    let number = |range: std::ops::Range<usize>| digits.get(range)?.parse::<u8>().ok();
    let month = time::Month::try_from(number(4..6)?).ok()?;
    let date = time::Date::from_calendar_date(digits.get(..4)?.parse().ok()?, month, number(6..8)?).ok()?;
    let at = date.with_hms(number(8..10)?, number(10..12)?, number(12..14)?).ok()?;
    Some(at.assume_utc().unix_timestamp())
}
