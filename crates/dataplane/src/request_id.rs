use std::hash::{BuildHasher, Hasher, RandomState};

/// A request id: a UUID of version 7 (RFC 9562 §5.7) in its 36-character form. Sorted by time, unique without
/// coordination; not a secret.
pub(crate) type RequestId = [u8; 36];

/// A worker's source of request ids.
#[derive(Debug)]
pub(crate) struct IdSource {
    state: u64,
}

impl IdSource {
    /// A source seeded by the system's randomness.
    pub(crate) fn new() -> Self {
        Self { state: RandomState::new().build_hasher().finish() }
    }

    /// A source with a given seed, for simulation.
    #[cfg(feature = "sim")]
    pub(crate) fn seeded(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next id, at this time in microseconds since 1970.
    pub(crate) fn next(&mut self, wall_us: u64) -> RequestId {
        let (high, low) = (self.random(), self.random());
        let time = u128::from(wall_us / 1_000) << 80;
        let version = 7u128 << 76;
        let variant = 2u128 << 62;
        let random = (u128::from(high & 0xfff) << 64) | u128::from(low & 0x3fff_ffff_ffff_ffff);
        format(time & !(0xffff_u128 << 64) | version | variant | random)
    }

    /// A number nobody can guess from the outside with less effort than guessing; SplitMix64.
    pub(crate) fn random(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

#[allow(clippy::many_single_char_names, reason = "thirty-two digits in their order")]
fn format(id: u128) -> RequestId {
    let [high, low] = [(id >> 64) as u64, id as u64].map(hexadecimal);
    let [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p] = high;
    let [q, r, s, t, rest @ ..] = low;
    let mut text = [b'-'; 36];
    if let Some(head) = text.first_chunk_mut() {
        *head = [a, b, c, d, e, f, g, h, b'-', i, j, k, l, b'-', m, n, o, p, b'-', q, r, s, t, b'-'];
    }
    if let Some(tail) = text.last_chunk_mut() {
        *tail = rest;
    }
    text
}

/// Sixteen hexadecimal digits, all made at once: each octet of the word holds one.
fn hexadecimal(word: u64) -> [u8; 16] {
    const EACH: u128 = 0x0101_0101_0101_0101_0101_0101_0101_0101;
    let mut spread = u128::from(word);
    for (shift, mask) in [
        (32, 0x0000_0000_ffff_ffff_0000_0000_ffff_ffff),
        (16, 0x0000_ffff_0000_ffff_0000_ffff_0000_ffff),
        (8, 0x00ff_00ff_00ff_00ff_00ff_00ff_00ff_00ff),
        (4, 0x0f0f_0f0f_0f0f_0f0f_0f0f_0f0f_0f0f_0f0f),
    ] {
        spread = (spread | spread << shift) & mask;
    }
    // Adding six carries into the high half of an octet just where the digit is a letter.
    let letters = (spread + EACH * 6) >> 4 & EACH;
    (spread + EACH * 0x30 + letters * 0x27).to_be_bytes()
}

/// The id as text.
pub(crate) fn text(id: &RequestId) -> &str {
    // Hexadecimal digits and hyphens only.
    std::str::from_utf8(id).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{IdSource, format, text};

    #[test]
    fn ids_are_version_7_and_sorted_by_time() {
        let mut source = IdSource::new();
        let earlier = source.next(1_700_000_000_000_000);
        let later = source.next(1_700_000_000_001_000);
        assert!(text(&earlier) < text(&later));
        assert_eq!(text(&earlier).get(..15), Some("018bcfe5-6800-7"));
        assert!(matches!(earlier.get(19), Some(b'8' | b'9' | b'a' | b'b')));
    }

    #[test]
    fn every_digit_stands_in_its_place() {
        let id = 0x0123_4567_89ab_cdef_fedc_ba98_7654_3210;
        assert_eq!(text(&format(id)), "01234567-89ab-cdef-fedc-ba9876543210");
    }
}
