//! The weighted choice between targets, as a pure function of a counter.

/// 2^64 divided by the golden ratio: steps of this size around a circle leave the most even gaps there are.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// Which weight the `counter`-th request falls to; `None` if there is no weight above zero.
///
/// Counting up, choices are interleaved instead of coming in runs, and each share is met with an error that shrinks
/// with the logarithm of the count over the count: below 0.01 % after 100,000 requests. A choice within a choice needs
/// a counter of its own, or the two move in step.
pub fn pick(weights: &[u32], counter: u64) -> Option<usize> {
    let total: u64 = weights.iter().map(|weight| u64::from(*weight)).sum();
    if total == 0 {
        return None;
    }
    let circle = counter.wrapping_mul(GOLDEN);
    let point = (u128::from(circle) * u128::from(total)) >> 64;
    let mut end = 0_u128;
    weights.iter().position(|weight| {
        end += u128::from(*weight);
        point < end
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use super::*;
    use proptest::prelude::*;

    #[track_caller]
    fn check(weights: &[u32], start: u64) {
        const COUNT: u64 = 100_000;
        let mut picked = vec![0_u64; weights.len()];
        for counter in 0..COUNT {
            picked[pick(weights, start.wrapping_add(counter)).unwrap()] += 1;
        }
        let total: f64 = weights.iter().map(|weight| f64::from(*weight)).sum();
        for (weight, got) in weights.iter().zip(&picked) {
            let wanted = f64::from(*weight) / total * COUNT as f64;
            assert!((*got as f64 - wanted).abs() <= 10.0, "{weights:?} from {start}: {picked:?}");
        }
    }

    #[test]
    fn shares_are_met() {
        for start in [0, 12_345_678, u64::MAX - 50_000] {
            check(&[1], start);
            check(&[95, 5], start);
            check(&[1, 1, 1], start);
            check(&[0, 7, 0, 3], start);
            check(&[999, 1], start);
            check(&[u32::MAX, u32::MAX, u32::MAX], start);
            check(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], start);
        }
    }

    #[test]
    fn choices_are_interleaved() {
        for window in 0..1_000_u64 {
            let canary = (window * 20..window * 20 + 60).filter(|counter| pick(&[95, 5], *counter) == Some(1)).count();
            assert!((1..=5).contains(&canary), "{canary} in 60 at {window}");
        }
    }

    #[test]
    fn nothing_to_choose_from() {
        assert_eq!(pick(&[], 1), None);
        assert_eq!(pick(&[0, 0], 1), None);
    }

    proptest! {
        #[test]
        fn a_weight_of_zero_is_never_picked(weights in prop::collection::vec(0..4_u32, 0..6), counter: u64) {
            match pick(&weights, counter) {
                Some(index) => prop_assert!(weights[index] > 0),
                None => prop_assert!(weights.iter().all(|weight| *weight == 0)),
            }
        }
    }
}
