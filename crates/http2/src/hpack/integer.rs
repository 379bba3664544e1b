//! Integers with a prefix of 1 to 8 bits (RFC 7541 §5.1).

/// The largest value that is read: lengths and indices are far below, and sums of them cannot overflow.
const VALUE_MAX: usize = 1 << 28;

/// Reads an integer whose first octet is `first`, taking further octets off `rest`.
///
/// Nothing when octets are missing, or when it is larger than anything that is meant (RFC 7541 §5.1, last paragraph).
pub(super) fn read(first: u8, prefix_bits: u8, rest: &mut &[u8]) -> Option<usize> {
    let mask = (1usize << prefix_bits) - 1;
    let mut value = usize::from(first) & mask;
    if value < mask {
        return Some(value);
    }
    for shift in [0, 7, 14, 21, 28] {
        let (&octet, behind) = rest.split_first()?;
        *rest = behind;
        value = value.checked_add(usize::from(octet & 0x7f) << shift)?;
        if octet & 0x80 == 0 {
            return (value <= VALUE_MAX).then_some(value);
        }
    }
    None
}

/// Appends an integer behind the bits of `pattern`.
pub(super) fn write(value: usize, prefix_bits: u8, pattern: u8, out: &mut Vec<u8>) {
    let mask = (1usize << prefix_bits) - 1;
    if value < mask {
        out.push(pattern | value as u8);
        return;
    }
    out.push(pattern | mask as u8);
    let mut left = value - mask;
    while left >= 0x80 {
        out.push(left as u8 | 0x80);
        left >>= 7;
    }
    out.push(left as u8);
}
