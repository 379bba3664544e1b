/// Random numbers from a seed: SplitMix64. Good for spreading load, not for secrets.
#[derive(Clone, Debug)]
pub struct Random(u64);

impl Random {
    /// The sequence of this seed.
    pub const fn seeded(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    #[inline]
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        crate::hash::mix(self.0)
    }

    /// A number below `bound`; zero for a bound of zero.
    #[inline]
    pub fn below(&mut self, bound: u64) -> u64 {
        scaled(self.draw(), bound)
    }
}

/// A number below `bound` for each 64-bit number, without a division and without a bias that could be seen.
#[inline]
pub(crate) fn scaled(number: u64, bound: u64) -> u64 {
    ((u128::from(number) * u128::from(bound)) >> 64) as u64
}
