//! Character classes and small grammars, as tables.

const TOKEN: u8 = 1;
const HOST: u8 = 2;
const ALIAS: u8 = 4;

/// For each octet, the classes it belongs to.
static CLASSES: [u8; 256] = build_classes();

#[allow(clippy::indexing_slicing, reason = "evaluated at compile time: out of bounds does not build")]
const fn build_classes() -> [u8; 256] {
    let mut classes = [0u8; 256];
    let mut octet = 0x21;
    while octet < 0x7f {
        let byte = octet as u8;
        let alphanumeric = byte.is_ascii_alphanumeric();
        // tchar, RFC 9110 §5.6.2
        if alphanumeric || matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.' | b'^'..=b'`' | b'|' | b'~') {
            classes[octet] |= TOKEN;
        }
        // unreserved, RFC 3986 §2.3
        if alphanumeric || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            classes[octet] |= HOST;
        }
        if matches!(byte, b'_' | b'.') {
            classes[octet] |= ALIAS;
        }
        octet += 1;
    }
    classes
}

#[inline]
fn all_in(bytes: &[u8], class: u8) -> bool {
    bytes.iter().all(|&b| has(b, class))
}

#[inline]
fn has(byte: u8, class: u8) -> bool {
    CLASSES.get(usize::from(byte)).is_some_and(|classes| classes & class != 0)
}

/// Whether `bytes` is a token (RFC 9110 §5.6.2).
pub fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && all_in(bytes, TOKEN)
}

/// For a token whether it holds `_` or `.`, which an origin may take for `-`; `None` for what is no token.
#[inline]
pub fn token_is_aliased(bytes: &[u8]) -> Option<bool> {
    let fold = |(all, any), &b: &u8| {
        let classes = CLASSES.get(usize::from(b)).copied().unwrap_or(0);
        (all & classes, any | classes)
    };
    let (all, any) = bytes.iter().fold((TOKEN, 0), fold);
    (!bytes.is_empty() && all & TOKEN != 0).then_some(any & ALIAS != 0)
}

/// Whether one octet may stand in a token.
pub fn is_token_octet(byte: u8) -> bool {
    has(byte, TOKEN)
}

/// Whether `bytes` holds only octets that a request target may have:
/// visible ASCII without `#`: a fragment never travels (RFC 9110 §7.1). The rest is judged by the router.
#[inline]
pub fn is_target(bytes: &[u8]) -> bool {
    !bytes.is_empty() && !any(bytes, |b| (b.wrapping_sub(0x21) > 0x7e - 0x21) | (b == b'#'))
}

/// Whether `bad` holds for any octet. Sixteen lanes each remember what they saw, which compilers turn into vector
/// instructions; the last sixteen octets overlap those before them, so that a long text has no rest.
#[inline]
fn any(bytes: &[u8], bad: impl Fn(u8) -> bool) -> bool {
    let Some(tail) = bytes.last_chunk::<16>() else {
        return bytes.iter().any(|&b| bad(b));
    };
    let mut lanes = [0u8; 16];
    for chunk in bytes.as_chunks::<16>().0.iter().chain([tail]) {
        for (lane, &b) in lanes.iter_mut().zip(chunk) {
            *lane |= if bad(b) { 0xff } else { 0 };
        }
    }
    u128::from_ne_bytes(lanes) != 0
}

/// Whether `bytes` is a field value without surrounding whitespace (RFC 9110 §5.5): no control octet but HTAB.
#[inline]
pub fn is_field_value(bytes: &[u8]) -> bool {
    !any(bytes, |b| ((b < 0x20) & (b != b'\t')) | (b == 0x7f))
}

/// Whether field lines, with their ends, hold a control octet but HTAB (RFC 9110 §5.5). CR and LF are found by
/// whoever tells the lines apart.
#[inline]
pub fn holds_control(lines: &[u8]) -> bool {
    any(lines, |b| ((b < 0x20) & (b != b'\t') & (b != b'\r') & (b != b'\n')) | (b == 0x7f))
}

/// Whether `bytes` is `uri-host [ ":" port ]` with a host that is not empty (RFC 9110 §7.2, RFC 3986 §3.2.2).
///
/// Percent-encoding and sub-delims in a host are refused: no name that is served has them. So is an empty port, which
/// nobody sends in earnest.
pub fn is_host(bytes: &[u8]) -> bool {
    if let Some(rest) = bytes.strip_prefix(b"[") {
        let Some(end) = memchr::memchr(b']', rest) else { return false };
        let (inside, behind) = rest.split_at_checked(end).unwrap_or_default();
        let address = std::str::from_utf8(inside).ok().and_then(|text| text.parse::<std::net::Ipv6Addr>().ok());
        return address.is_some() && behind.get(1..).is_some_and(is_port_part);
    }
    let end = memchr::memchr(b':', bytes).unwrap_or(bytes.len());
    let (host, port) = bytes.split_at_checked(end).unwrap_or_default();
    !host.is_empty() && all_in(host, HOST) && is_port_part(port)
}

/// Whether `bytes` is a host as in [`is_host`] with a port (authority form, RFC 9112 §3.2.3).
pub fn is_host_and_port(bytes: &[u8]) -> bool {
    is_host(bytes) && bytes.iter().rev().find(|b| !b.is_ascii_digit()) == Some(&b':')
}

/// Nothing, or a colon and a port number.
fn is_port_part(bytes: &[u8]) -> bool {
    match bytes.split_first() {
        None => true,
        Some((b':', digits)) if digits.len() <= 5 => decimal(digits).is_some_and(|port| (1..=65535).contains(&port)),
        Some(_) => false,
    }
}

/// The value of 1*DIGIT, when it is below 2^63 (so that sums of lengths cannot overflow).
pub fn decimal(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() {
        return None;
    }
    let value = digits.iter().try_fold(0u64, |value, &digit| {
        let digit = digit.is_ascii_digit().then(|| u64::from(digit - b'0'))?;
        value.checked_mul(10)?.checked_add(digit)
    })?;
    (value < 1 << 63).then_some(value)
}

/// Appends a number in decimal.
pub fn write_decimal(value: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(decimal_text(value, &mut [0u8; 20]));
}

/// A number in decimal, written into `digits`.
pub fn decimal_text(mut value: u64, digits: &mut [u8; 20]) -> &[u8] {
    let mut used = 0;
    for slot in digits.iter_mut().rev() {
        *slot = b'0' + (value % 10) as u8;
        value /= 10;
        used += 1;
        if value == 0 {
            break;
        }
    }
    digits.get(digits.len() - used..).unwrap_or_default()
}

/// Appends a number in hexadecimal, as chunk sizes are written.
pub fn write_hex(value: u64, out: &mut Vec<u8>) {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let width = (u64::BITS - value.leading_zeros()).div_ceil(4).max(1);
    for nibble in (0..width).rev() {
        let digit = (value >> (4 * nibble)) & 15;
        out.extend(DIGITS.get(digit as usize));
    }
}

/// `bytes` without spaces and tabs at both ends, as positions in it (OWS, RFC 9110 §5.6.3).
#[inline]
pub fn trim_ows(bytes: &[u8]) -> std::ops::Range<usize> {
    let blank = |b: &u8| matches!(b, b' ' | b'\t');
    let start = bytes.iter().position(|b| !blank(b)).unwrap_or(bytes.len());
    let end = bytes.iter().rposition(|b| !blank(b)).map_or(start, |last| last + 1);
    start..end
}
