//! Delays that do not come in step.

/// `length` give or take a tenth. `random` is any number, all equally likely.
pub fn around(length: u64, random: u64) -> u64 {
    let spread = length / 5;
    length - length / 10 + below(spread + 1, random)
}

/// A number below `bound`; zero when that is zero.
pub fn below(bound: u64, random: u64) -> u64 {
    // The upper half of a product spreads evenly without a division.
    u64::try_from((u128::from(random) * u128::from(bound)) >> 64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{around, below};

    #[test]
    fn the_ends_of_the_range_are_met_and_not_passed() {
        assert_eq!((around(1_000, 0), around(1_000, u64::MAX)), (900, 1_100));
        assert_eq!((around(0, u64::MAX), around(3, u64::MAX)), (0, 3));
        assert_eq!((below(10, 0), below(10, u64::MAX), below(0, u64::MAX)), (0, 9, 0));
    }
}
