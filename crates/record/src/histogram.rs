use crate::Counter;

/// Upper bounds of the buckets in microseconds, inclusive; one more bucket holds what is above the last.
pub const BOUNDS_US: [u64; 16] = [
    100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    5_000_000, 10_000_000,
];

/// Durations in fixed buckets, written by one worker.
#[derive(Debug, Default)]
pub struct Histogram {
    buckets: [Counter; BOUNDS_US.len() + 1],
    sum_us: Counter,
}

impl Histogram {
    /// Counts a duration in microseconds.
    #[inline]
    pub fn record(&self, us: u64) {
        let bucket = BOUNDS_US.iter().position(|&bound| us <= bound).unwrap_or(BOUNDS_US.len());
        if let Some(counter) = self.buckets.get(bucket) {
            counter.add(1);
        }
        self.sum_us.add(us);
    }

    /// The counts of the buckets, not cumulative.
    pub fn counts(&self) -> [u64; BOUNDS_US.len() + 1] {
        self.buckets.each_ref().map(Counter::read)
    }

    /// How many durations were counted.
    pub fn count(&self) -> u64 {
        self.buckets.iter().map(Counter::read).sum()
    }

    /// The sum of all durations in microseconds.
    pub fn sum_us(&self) -> u64 {
        self.sum_us.read()
    }
}
