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

fn format(id: u128) -> RequestId {
    let mut text = [b'-'; 36];
    let mut nibbles = (0..32).rev().map(|i| (id >> (4 * i)) as u8 & 15);
    for (at, place) in text.iter_mut().enumerate() {
        if !matches!(at, 8 | 13 | 18 | 23) {
            let nibble = nibbles.next().unwrap_or(0);
            *place = if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 };
        }
    }
    text
}

/// The id as text.
pub(crate) fn text(id: &RequestId) -> &str {
    // Hexadecimal digits and hyphens only.
    std::str::from_utf8(id).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{IdSource, text};

    #[test]
    fn ids_are_version_7_and_sorted_by_time() {
        let mut source = IdSource::new();
        let earlier = source.next(1_700_000_000_000_000);
        let later = source.next(1_700_000_000_001_000);
        assert!(text(&earlier) < text(&later));
        assert_eq!(text(&earlier).get(..15), Some("018bcfe5-6800-7"));
        assert!(matches!(earlier.get(19), Some(b'8' | b'9' | b'a' | b'b')));
    }
}
