/// The longest schedule that is built. Weights whose sum is larger are scaled down to it.
pub const SCHEDULE_MAX: usize = 4096;

/// Endpoints up to which the order is made step by step, each step looking at all of them.
const SMOOTH_MAX: usize = 64;

/// The order in which smooth weighted round robin visits endpoints, as indices into `weights`: heavy ones often, and
/// never in a burst. Choosing is then one lookup at a counter modulo the length.
///
/// Endpoints of weight zero are left out. Weights are divided by their greatest common divisor; when their sum is
/// still above [`SCHEDULE_MAX`] they are scaled down, and no weight falls below one. At most 65,536 endpoints are
/// looked at.
pub fn schedule(weights: &[u32]) -> Vec<u16> {
    let shares = shares(weights);
    let total: i64 = shares.iter().sum();
    if shares.iter().all(|&share| share == shares.iter().copied().max().unwrap_or(0)) {
        return in_turn(&shares);
    }
    if shares.len() > SMOOTH_MAX {
        return by_deadline(&shares);
    }
    let mut credit = vec![0i64; shares.len()];
    (0..total).filter_map(|_| visit(&shares, &mut credit, total)).collect()
}

/// With equal shares, smooth weighted round robin visits each endpoint once, in order.
fn in_turn(shares: &[i64]) -> Vec<u16> {
    (0..=u16::MAX).zip(shares).filter(|(_, share)| **share > 0).map(|(i, _)| i).collect()
}

/// One step: everyone earns its share, the richest is visited and pays the total.
fn visit(shares: &[i64], credit: &mut [i64], total: i64) -> Option<u16> {
    for (credit, share) in credit.iter_mut().zip(shares) {
        *credit += share;
    }
    let (richest, most) = credit.iter_mut().enumerate().rev().max_by_key(|(_, credit)| **credit)?;
    *most -= total;
    u16::try_from(richest).ok()
}

/// For many endpoints: the k-th of an endpoint's n visits is due at (k+phase)/n of the whole, and the earliest due goes
/// first. As even as the smooth order, at the price of one sort; phases spread those with few visits.
fn by_deadline(shares: &[i64]) -> Vec<u16> {
    // Multiples of the golden ratio are spread evenly over one.
    let phase = |endpoint: u16| u64::from(endpoint).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let due = |visit: u64, endpoint: u16, share: i64| {
        ((u128::from(visit) << 64) + u128::from(phase(endpoint))) / u128::from(share.unsigned_abs().max(1))
    };
    let visits = (0..=u16::MAX).zip(shares).flat_map(|(endpoint, &share)| {
        (0..share.unsigned_abs()).map(move |visit| (due(visit, endpoint, share), endpoint))
    });
    let mut visits: Vec<_> = visits.collect();
    visits.sort_unstable();
    visits.into_iter().map(|(_, endpoint)| endpoint).collect()
}

/// The weights brought down to the smallest whole numbers that keep their proportions within the schedule's length.
fn shares(weights: &[u32]) -> Vec<i64> {
    let weights = weights.get(..usize::from(u16::MAX)).unwrap_or(weights);
    let divisor = weights.iter().copied().fold(0, gcd).max(1);
    let total: u64 = weights.iter().map(|weight| u64::from(weight / divisor)).sum();
    let scale = |weight: u32| {
        let share = u64::from(weight / divisor);
        if total <= SCHEDULE_MAX as u64 || share == 0 { share } else { (share * SCHEDULE_MAX as u64 / total).max(1) }
    };
    weights.iter().map(|&weight| scale(weight) as i64).collect()
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::{SCHEDULE_MAX, schedule};

    #[track_caller]
    fn check(weights: &[u32], expected: &[u16]) {
        assert_eq!(schedule(weights), expected);
    }

    #[test]
    fn weights_are_met_exactly_and_smoothly() {
        check(&[1, 1, 1], &[0, 1, 2]);
        check(&[50, 50], &[0, 1]);
        check(&[5, 1, 1], &[0, 0, 1, 0, 2, 0, 0]);
        check(&[3, 0, 1], &[0, 0, 2, 0]);
        check(&[0, 0], &[]);
        check(&[], &[]);
        check(&[7], &[0]);
        check(&[3000, 2000], &[0, 1, 0, 1, 0]);
    }

    #[test]
    fn many_endpoints_are_visited_by_weight_and_without_bursts() {
        let weights: Vec<u32> = (0..1000).map(|i| if i == 7 { 100 } else { 1 }).collect();
        let order = schedule(&weights);
        assert_eq!(order.len(), 1099);
        let heavy: Vec<usize> = (0..order.len()).filter(|&at| order[at] == 7).collect();
        assert_eq!(heavy.len(), 100);
        let gaps: Vec<usize> = heavy.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps.iter().all(|gap| (8..=14).contains(gap)), "{gaps:?}");
    }

    #[test]
    fn huge_weights_are_scaled_and_nobody_is_forgotten() {
        let order = schedule(&[1_000_000, 999_999, 1]);
        assert!(order.len() <= SCHEDULE_MAX + 3);
        assert!(order.contains(&2));
        let first = order.iter().filter(|&&i| i == 0).count();
        assert!((2040..=2056).contains(&first), "{first}");
    }
}
