//! Outliers: endpoints whose answers, not their checks, show that they are ill, and how long they get nothing.
//!
//! Two ways lead to an ejection. Errors in a row are counted as they come. Success rates and latencies are compared over
//! an interval, each endpoint against the median of its upstream: with a handful of endpoints the mean and the standard
//! deviation are themselves moved by the one that is ill, so that it hides behind its own spread; median and median
//! deviation are not.

/// When endpoints are ejected, and for how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OutlierRules {
    /// Errors in a row, of any kind; `None` does not count them.
    pub consecutive_errors: Option<u32>,
    /// Errors in a row in which no answer came; `None` does not count them apart.
    pub consecutive_local_errors: Option<u32>,
    /// Compares success rates.
    pub success_rate: Option<Comparison>,
    /// Compares latencies.
    pub latency: Option<Comparison>,
    /// How often rates and latencies are compared.
    pub interval_ms: u64,
    /// The first ejection.
    pub eject_ms: u64,
    /// The longest; each one soon after another is twice as long.
    pub eject_ms_max: u64,
    /// Hundredths of an upstream's endpoints that may be ejected at the same time.
    pub ejected_percent_max: u32,
    /// Say what would be ejected, and eject nothing.
    pub log_only: bool,
}

/// What it takes to compare endpoints, and how far from the others is too far.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Comparison {
    /// Requests that an endpoint must have had within the interval to be compared.
    pub requests_min: u64,
    /// Endpoints that must be comparable.
    pub endpoints_min: usize,
    /// The robust z-score at which one is an outlier.
    pub z_max: f64,
}

/// How an attempt ended, as seen from its endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It answered, and not with an error.
    Good,
    /// It answered with an error of its own: a 5xx.
    Remote,
    /// It did not answer: the connection failed or broke, or it took too long.
    Local,
}

/// Why an endpoint was ejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cause {
    /// Errors in a row.
    ConsecutiveErrors,
    /// Errors in a row without an answer.
    ConsecutiveLocalErrors,
    /// Fewer of its requests succeed than of the others'.
    SuccessRate,
    /// It is slower than the others.
    Latency,
}

impl Cause {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 4] =
        [Self::ConsecutiveErrors, Self::ConsecutiveLocalErrors, Self::SuccessRate, Self::Latency];

    /// One word, as in labels.
    pub fn word(self) -> &'static str {
        match self {
            Self::ConsecutiveErrors => "consecutive_errors",
            Self::ConsecutiveLocalErrors => "consecutive_local_errors",
            Self::SuccessRate => "success_rate",
            Self::Latency => "latency",
        }
    }

    /// For people, to follow "ejected for 30s:".
    pub fn sentence(self) -> &'static str {
        match self {
            Self::ConsecutiveErrors => "too many errors in a row",
            Self::ConsecutiveLocalErrors => "too many attempts in a row without an answer",
            Self::SuccessRate => "fewer of its requests succeed than of the other endpoints'",
            Self::Latency => "it is much slower than the other endpoints",
        }
    }
}

impl OutlierRules {
    /// Whether a run of errors, and of local ones, is too long.
    pub fn too_many(&self, errors: u32, local_errors: u32) -> Option<Cause> {
        if self.consecutive_local_errors.is_some_and(|max| local_errors >= max) {
            return Some(Cause::ConsecutiveLocalErrors);
        }
        self.consecutive_errors.is_some_and(|max| errors >= max).then_some(Cause::ConsecutiveErrors)
    }

    /// How many of so many endpoints may be ejected at the same time: a share rounded down, but one of several at least
    /// where any may. A single endpoint is never ejected: nobody would take its requests.
    pub fn ejected_max(&self, endpoints: usize) -> usize {
        if endpoints < 2 || self.ejected_percent_max == 0 {
            return 0;
        }
        (endpoints * self.ejected_percent_max as usize / 100).clamp(1, endpoints)
    }

    /// The endpoints that stand out in this interval, each with the cause, the worst first.
    pub fn compare(&self, samples: &[Sample]) -> Vec<(usize, Cause)> {
        let rates =
            self.success_rate.map(|rule| outliers(samples, &rule, shortfall, shortfall_spread_min)).unwrap_or_default();
        let slow = self.latency.map(|rule| outliers(samples, &rule, slowness, slowness_spread_min)).unwrap_or_default();
        let mut found: Vec<(usize, Cause)> = rates.into_iter().map(|at| (at, Cause::SuccessRate)).collect();
        for at in slow {
            if !found.iter().any(|&(other, _)| other == at) {
                found.push((at, Cause::Latency));
            }
        }
        found
    }
}

/// One endpoint's ejections.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ejections {
    /// When the last one ends or ended.
    pub until_ms: u64,
    /// How many came soon after each other.
    pub times: u32,
}

impl Ejections {
    /// The same after one more that begins now. The time doubles with each, and halves for each of its own length that
    /// passed in peace since the last.
    #[must_use]
    pub fn eject(self, rules: &OutlierRules, now_ms: u64) -> Self {
        let peace_ms = now_ms.saturating_sub(self.until_ms);
        let forgiven = peace_ms / rules.eject_ms.max(1);
        let before = u64::from(self.times).saturating_sub(forgiven);
        let times = u32::try_from(before).unwrap_or(u32::MAX).saturating_add(1);
        let length_ms = rules.eject_ms.saturating_mul(1u64 << (times - 1).min(32)).min(rules.eject_ms_max);
        Self { until_ms: now_ms.saturating_add(length_ms), times }
    }
}

/// What an endpoint did in an interval.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Sample {
    /// Attempts that ended.
    pub requests: u64,
    /// Those that ended in an error of the endpoint.
    pub errors: u64,
    /// The mean time to its response heads, in microseconds; zero when there were none.
    pub latency_us: u64,
}

/// Hundredths of the requests that failed.
fn shortfall(sample: &Sample) -> Option<f64> {
    (sample.requests > 0).then(|| 100.0 * sample.errors as f64 / sample.requests as f64)
}

/// One in a hundred more or less is no difference.
fn shortfall_spread_min(_: f64) -> f64 {
    1.0
}

/// The time to answer, in milliseconds.
fn slowness(sample: &Sample) -> Option<f64> {
    (sample.latency_us > 0).then(|| sample.latency_us as f64 / 1_000.0)
}

/// A tenth, and a millisecond, more or less is no difference.
fn slowness_spread_min(middle: f64) -> f64 {
    1.0 + middle / 10.0
}

/// Those whose figure is too far above the median, the furthest first.
fn outliers(
    samples: &[Sample],
    rule: &Comparison,
    figure: fn(&Sample) -> Option<f64>,
    spread_min: fn(f64) -> f64,
) -> Vec<usize> {
    let comparable = samples.iter().enumerate().filter(|(_, sample)| sample.requests >= rule.requests_min);
    let mut figures: Vec<(usize, f64)> = comparable.filter_map(|(at, sample)| Some((at, figure(sample)?))).collect();
    // Of two nobody can say which is the ill one.
    if figures.len() < rule.endpoints_min.max(3) {
        return Vec::new();
    }
    let middle = median(figures.iter().map(|(_, value)| *value));
    let deviation = median(figures.iter().map(|(_, value)| (value - middle).abs()));
    // So many median deviations of a normal distribution are one standard deviation.
    let spread = (1.4826 * deviation).max(spread_min(middle));
    figures.retain(|(_, value)| (value - middle) / spread >= rule.z_max);
    figures.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    figures.into_iter().map(|(at, _)| at).collect()
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut sorted: Vec<f64> = values.collect();
    sorted.sort_by(f64::total_cmp);
    let upper = sorted.get(sorted.len() / 2).copied().unwrap_or(0.0);
    let lower = sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or(0.0);
    f64::midpoint(lower, upper)
}

#[cfg(test)]
mod tests {
    use super::{Cause, Comparison, Ejections, OutlierRules, Sample};
    use proptest::prelude::*;

    const COMPARED: Comparison = Comparison { requests_min: 50, endpoints_min: 3, z_max: 3.5 };
    const RULES: OutlierRules = OutlierRules {
        consecutive_errors: Some(5),
        consecutive_local_errors: None,
        success_rate: Some(COMPARED),
        latency: Some(COMPARED),
        interval_ms: 10_000,
        eject_ms: 30_000,
        eject_ms_max: 300_000,
        ejected_percent_max: 50,
        log_only: false,
    };

    fn sample((requests, errors, latency_us): (u64, u64, u64)) -> Sample {
        Sample { requests, errors, latency_us }
    }

    #[track_caller]
    fn check<const N: usize>(samples: [(u64, u64, u64); N], expected: &[(usize, Cause)]) {
        assert_eq!(RULES.compare(&samples.map(sample)), expected);
    }

    #[test]
    fn one_of_four_that_fails_stands_out() {
        check([(500, 2, 900), (500, 0, 900), (500, 200, 900), (500, 1, 900)], &[(2, Cause::SuccessRate)]);
    }

    #[test]
    fn one_of_four_that_is_slow_stands_out() {
        check([(500, 0, 9_000), (500, 0, 11_000), (500, 0, 10_000), (500, 0, 90_000)], &[(3, Cause::Latency)]);
    }

    #[test]
    fn noise_is_no_outlier() {
        check([(500, 3, 900), (500, 0, 1_400), (500, 9, 700), (500, 1, 2_500)], &[]);
        check([(100, 100, 900); 4], &[]);
    }

    #[test]
    fn too_few_requests_or_endpoints_are_not_compared() {
        check([(500, 0, 900), (500, 400, 900)], &[]);
        check([(500, 0, 900), (500, 0, 900), (500, 0, 900), (49, 49, 900)], &[]);
    }

    #[test]
    fn runs_of_errors_are_judged_by_kind() {
        let rules = OutlierRules { consecutive_local_errors: Some(2), ..RULES };
        assert_eq!(rules.too_many(4, 1), None);
        assert_eq!(rules.too_many(5, 1), Some(Cause::ConsecutiveErrors));
        assert_eq!(rules.too_many(2, 2), Some(Cause::ConsecutiveLocalErrors));
        assert_eq!(RULES.too_many(4, 4), None);
    }

    #[test]
    fn the_share_that_may_be_ejected_leaves_somebody() {
        let most = |percent, endpoints| OutlierRules { ejected_percent_max: percent, ..RULES }.ejected_max(endpoints);
        assert_eq!([most(50, 1), most(50, 2), most(50, 5), most(10, 4), most(0, 4), most(100, 4)], [0, 1, 2, 1, 0, 4]);
    }

    #[test]
    fn ejections_grow_and_peace_makes_them_short_again() {
        let first = Ejections::default().eject(&RULES, 1_000);
        assert_eq!(first, Ejections { until_ms: 31_000, times: 1 });
        let second = first.eject(&RULES, 32_000);
        assert_eq!(second, Ejections { until_ms: 92_000, times: 2 });
        let third = second.eject(&RULES, 93_000);
        assert_eq!(third.until_ms - 93_000, 120_000);
        let much_later = third.eject(&RULES, third.until_ms + 90_000);
        assert_eq!(much_later.times, 1);
        let worst = (0..20).fold(third, |ejections, _| ejections.eject(&RULES, ejections.until_ms));
        let last = worst.eject(&RULES, worst.until_ms);
        assert_eq!(last.until_ms - worst.until_ms, 300_000);
    }

    proptest! {
        #[test]
        fn an_ejection_has_an_end_between_its_bounds(times in any::<u32>(), until_ms in 0u64..1 << 50, now_ms in 0u64..1 << 50) {
            let after = Ejections { until_ms, times }.eject(&RULES, now_ms);
            let length = after.until_ms - now_ms;
            prop_assert!((RULES.eject_ms..=RULES.eject_ms_max).contains(&length));
            prop_assert!(after.times >= 1);
        }

        #[test]
        fn the_better_half_never_stands_out(samples in prop::collection::vec((1u64..1_000, 0u64..1_000, 1u64..1_000_000), 0..12)) {
            let samples: Vec<Sample> = samples.into_iter().map(|(requests, errors, latency_us)| Sample { requests, errors: errors.min(requests), latency_us }).collect();
            let found = RULES.compare(&samples);
            for cause in [Cause::SuccessRate, Cause::Latency] {
                let out = found.iter().filter(|&&(_, other)| other == cause).count();
                prop_assert!(out * 2 <= samples.len());
            }
            prop_assert!(found.iter().all(|&(at, _)| samples.get(at).is_some_and(|sample| sample.requests >= 50)));
        }

        #[test]
        fn figures_of_any_size_are_compared_without_harm(samples in prop::collection::vec(any::<(u64, u64, u64)>(), 0..8)) {
            let samples: Vec<Sample> = samples.into_iter().map(sample).collect();
            let _ = RULES.compare(&samples);
        }
    }
}
