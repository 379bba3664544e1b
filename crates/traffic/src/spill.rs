/// How many endpoints of a tier may be chosen, of how many there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TierHealth {
    /// Those that may be chosen.
    pub available: u32,
    /// All but those that were taken out on purpose.
    pub total: u32,
}

impl TierHealth {
    /// The part that may be chosen, in percent, rounded down.
    pub fn percent(self) -> u32 {
        self.of(100)
    }

    fn of(self, factor: u32) -> u32 {
        let part = u64::from(self.available) * u64::from(factor) / u64::from(self.total.max(1));
        u32::try_from(part).unwrap_or(u32::MAX)
    }
}

/// What each tier gets of the requests, in percent: the first as much as it can bear, the next what is left, and so
/// on. A tier bears `overprovision_percent` of its healthy part, so that at 140 it gives nothing away before less
/// than 72 % of it is healthy. Also whether all tiers together can bear everything.
///
/// The rule is Envoy's, so that a configuration moved here spreads as it did.
pub fn shares(tiers: &[TierHealth], overprovision_percent: u32) -> (Vec<u8>, bool) {
    let bears: Vec<u32> = tiers.iter().map(|tier| tier.of(overprovision_percent).min(100)).collect();
    let total = bears.iter().sum::<u32>().min(100);
    let mut left = 100;
    let mut share = |bears: u32| {
        let share = (bears * 100).checked_div(total).unwrap_or(0).min(left);
        left -= share;
        u8::try_from(share).unwrap_or(100)
    };
    let mut shares: Vec<u8> = bears.into_iter().map(&mut share).collect();
    // What rounding left over; everything when no tier can bear anything.
    let heir = shares.iter().position(|&share| share > 0).unwrap_or(0);
    if let Some(heir) = shares.get_mut(heir) {
        *heir += u8::try_from(left).unwrap_or(0);
    }
    (shares, total == 100)
}

#[cfg(test)]
mod tests {
    use super::{TierHealth, shares};

    #[track_caller]
    fn check(tiers: &[(u32, u32)], expected: &[u8], bears_all: bool) {
        let tiers: Vec<_> = tiers.iter().map(|&(available, total)| TierHealth { available, total }).collect();
        assert_eq!(shares(&tiers, 140), (expected.to_vec(), bears_all));
    }

    /// The rows of Envoy's documentation of priority levels.
    #[test]
    fn shares_are_those_of_envoy() {
        check(&[(100, 100), (100, 100)], &[100, 0], true);
        check(&[(72, 100), (72, 100)], &[100, 0], true);
        check(&[(71, 100), (71, 100)], &[99, 1], true);
        check(&[(50, 100), (50, 100)], &[70, 30], true);
        check(&[(25, 100), (100, 100)], &[35, 65], true);
        check(&[(25, 100), (25, 100)], &[50, 50], false);
        check(&[(0, 100), (100, 100)], &[0, 100], true);
        check(&[(20, 100), (20, 100), (10, 100)], &[40, 40, 20], false);
        check(&[(25, 100), (25, 100), (20, 100)], &[37, 35, 28], false);
        check(&[(0, 100), (0, 100)], &[100, 0], false);
    }

    #[test]
    fn one_tier_gets_everything_and_none_nothing() {
        check(&[(1, 100)], &[100], false);
        check(&[(0, 0)], &[100], false);
        check(&[], &[], false);
    }
}
