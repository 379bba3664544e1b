//! The Range field (RFC 9110 §14).

use std::ops::Range;

/// More ranges than this are nobody's honest wish: the whole is served (RFC 9110 §14.2).
const RANGES_MAX: usize = 32;

/// What a Range field asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// The whole: the field is malformed, of another unit, or not worth serving in parts.
    Whole,
    /// These parts, in the order asked for, what was united in the place of its last; none is empty and no two overlap or touch.
    Parts(Vec<Range<u64>>),
    /// Nothing that is there: 416.
    Unsatisfiable,
}

/// Reads a Range field for a representation of so many octets.
pub(crate) fn asked(value: &[u8], octets: u64) -> Asked {
    let Some(set) = ranges_of_bytes(value) else { return Asked::Whole };
    let mut parts: Vec<Range<u64>> = Vec::new();
    let mut count = 0;
    for spec in set.split(|&octet| octet == b',').map(<[u8]>::trim_ascii).filter(|spec| !spec.is_empty()) {
        count += 1;
        match one(spec, octets) {
            _ if count > RANGES_MAX => return Asked::Whole,
            None => return Asked::Whole,
            Some(part) if part.is_empty() => {}
            Some(part) => unite(&mut parts, part),
        }
    }
    let wanted: u64 = parts.iter().map(|part| part.end - part.start).sum();
    match parts.is_empty() {
        true if count == 0 => Asked::Whole,
        true => Asked::Unsatisfiable,
        // Parts have a price of their own: all of it is cheaper as a whole.
        false if parts.len() > 1 && wanted >= octets => Asked::Whole,
        false => Asked::Parts(parts),
    }
}

fn ranges_of_bytes(value: &[u8]) -> Option<&[u8]> {
    let (unit, set) = value.split_at_checked(5)?;
    let set = unit.eq_ignore_ascii_case(b"bytes").then_some(set)?;
    set.trim_ascii_start().strip_prefix(b"=")
}

/// One `first-last`, `first-` or `-length`. Empty when it lies behind the end; `None` when malformed.
fn one(spec: &[u8], octets: u64) -> Option<Range<u64>> {
    let dash = spec.iter().position(|&octet| octet == b'-')?;
    let (first, last) = (spec.get(..dash)?, spec.get(dash + 1..)?);
    match (first.is_empty(), last.is_empty()) {
        (true, true) => None,
        (true, false) => Some(octets - number(last)?.min(octets)..octets),
        (false, true) => Some(number(first)?.min(octets)..octets),
        (false, false) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then(|| first.min(octets)..last.saturating_add(1).min(octets))
        }
    }
}

/// A number; what is too large for one is as good as the largest.
fn number(digits: &[u8]) -> Option<u64> {
    digits.iter().try_fold(0u64, |sum, &digit| {
        digit.is_ascii_digit().then(|| sum.saturating_mul(10).saturating_add(u64::from(digit - b'0')))
    })
}

/// Puts a part in, united with those that it overlaps or touches.
fn unite(parts: &mut Vec<Range<u64>>, mut part: Range<u64>) {
    parts.retain(|other| {
        let apart = part.end < other.start || other.end < part.start;
        if !apart {
            part = part.start.min(other.start)..part.end.max(other.end);
        }
        apart
    });
    parts.push(part);
}

#[cfg(test)]
mod tests {
    use super::{Asked, asked};
    use proptest::prelude::{Strategy as _, any, proptest};

    fn parts(of: &[(u64, u64)]) -> Asked {
        Asked::Parts(of.iter().map(|&(start, end)| start..end).collect())
    }

    #[test]
    fn ranges_of_ten_octets() {
        let cases: &[(&str, Asked)] = &[
            ("bytes=0-0", parts(&[(0, 1)])),
            ("bytes=0-4", parts(&[(0, 5)])),
            ("bytes=5-", parts(&[(5, 10)])),
            ("bytes=-3", parts(&[(7, 10)])),
            ("bytes=-30", parts(&[(0, 10)])),
            ("bytes=0-", parts(&[(0, 10)])),
            ("bytes=0-99", parts(&[(0, 10)])),
            ("bytes=9-9", parts(&[(9, 10)])),
            ("Bytes=0-1", parts(&[(0, 2)])),
            ("bytes= 0-1 , 4-5", parts(&[(0, 2), (4, 6)])),
            ("bytes=4-5,0-1", parts(&[(4, 6), (0, 2)])),
            ("bytes=0-1,,4-5,", parts(&[(0, 2), (4, 6)])),
            ("bytes=0-1,1-3", parts(&[(0, 4)])),
            ("bytes=0-1,2-3", parts(&[(0, 4)])),
            ("bytes=0-1,20-30", parts(&[(0, 2)])),
            ("bytes=0-18446744073709551615", parts(&[(0, 10)])),
            ("bytes=0-99999999999999999999999", parts(&[(0, 10)])),
            ("bytes=10-", Asked::Unsatisfiable),
            ("bytes=10-12,20-", Asked::Unsatisfiable),
            ("bytes=-0", Asked::Unsatisfiable),
            ("bytes=0-4,6-9,5-5", parts(&[(0, 10)])),
            ("bytes=", Asked::Whole),
            ("bytes=,", Asked::Whole),
            ("bytes=-", Asked::Whole),
            ("bytes=3-1", Asked::Whole),
            ("bytes=a-b", Asked::Whole),
            ("bytes=1", Asked::Whole),
            ("bytes=1-2-3", Asked::Whole),
            ("bytes=+1-2", Asked::Whole),
            ("bytes 0-1", Asked::Whole),
            ("items=0-1", Asked::Whole),
            ("", Asked::Whole),
        ];
        for (value, expected) in cases {
            assert_eq!(asked(value.as_bytes(), 10), *expected, "{value}");
        }
        assert_eq!(asked(b"bytes=0-0", 0), Asked::Unsatisfiable);
        let many: String = (0..40).map(|at| format!("{}-{},", at * 3, at * 3)).collect();
        assert_eq!(asked(format!("bytes={many}").as_bytes(), 1_000), Asked::Whole);
    }

    proptest! {
        #[test]
        fn parts_lie_inside_and_apart(value in "bytes=[0-9,\\- ]{0,60}", octets in 0u64..300) {
            if let Asked::Parts(parts) = asked(value.as_bytes(), octets) {
                for (at, part) in parts.iter().enumerate() {
                    assert!(part.start < part.end && part.end <= octets);
                    assert!(parts.iter().skip(at + 1).all(|other| part.end < other.start || other.end < part.start));
                }
            }
        }

        #[test]
        fn whatever_comes_is_read(value in any::<Vec<u8>>().prop_map(|tail| [b"bytes=", &*tail].concat()), octets: u64) {
            asked(&value, octets);
        }
    }
}
