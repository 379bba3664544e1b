use std::sync::atomic::{AtomicU64, Ordering};

/// How slow an endpoint is: a moving average that jumps to a peak at once and forgets it exponentially, shared by all
/// workers. Two that write at the same instant may lose one sample; the next comes soon.
///
/// One word: the average in microseconds above, below it the instant of the last sample in milliseconds modulo 2³².
#[derive(Debug, Default)]
pub struct Latency(AtomicU64);

impl Latency {
    /// Takes a sample: the time an endpoint took to respond.
    #[inline]
    pub fn sample(&self, took_us: u64, now_ms: u64, decay_ms: u32) {
        let (average_us, at_ms) = self.load();
        let took_us = u32::try_from(took_us).unwrap_or(u32::MAX);
        let average_us = match average_us {
            0 => took_us,
            average_us if took_us >= average_us => took_us,
            average_us => {
                let kept = kept(at_ms, now_ms, decay_ms);
                (f64::from(average_us) * kept + f64::from(took_us) * (1.0 - kept)) as u32
            }
        };
        // Zero means that nothing is known.
        self.store(average_us.max(1), now_ms);
    }

    /// The average now, in microseconds; zero when nothing is known. It fades without samples, so that an endpoint that
    /// was slow is tried again.
    #[inline]
    pub fn read_us(&self, now_ms: u64, decay_ms: u32) -> u32 {
        let (average_us, at_ms) = self.load();
        (f64::from(average_us) * kept(at_ms, now_ms, decay_ms)) as u32
    }

    fn load(&self) -> (u32, u32) {
        let word = self.0.load(Ordering::Relaxed);
        ((word >> 32) as u32, word as u32)
    }

    fn store(&self, average_us: u32, now_ms: u64) {
        self.0.store((u64::from(average_us) << 32) | u64::from(now_ms as u32), Ordering::Relaxed);
    }
}

/// What is left of an average after the time since `at_ms`.
fn kept(at_ms: u32, now_ms: u64, decay_ms: u32) -> f64 {
    let elapsed_ms = (now_ms as u32).wrapping_sub(at_ms);
    // Clocks of workers may differ by a little: what is just ahead is now.
    let elapsed_ms = if elapsed_ms > u32::MAX / 2 { 0 } else { elapsed_ms };
    (-f64::from(elapsed_ms) / f64::from(decay_ms.max(1))).exp()
}

#[cfg(test)]
mod tests {
    use super::Latency;

    #[test]
    fn a_peak_is_taken_at_once_and_forgotten_slowly() {
        let latency = Latency::default();
        assert_eq!(latency.read_us(0, 10_000), 0);
        latency.sample(1_000, 0, 10_000);
        assert_eq!(latency.read_us(0, 10_000), 1_000);
        latency.sample(50_000, 10, 10_000);
        assert_eq!(latency.read_us(10, 10_000), 50_000);
        latency.sample(1_000, 5_010, 10_000);
        assert_eq!(latency.read_us(5_010, 10_000), 30_720, "e^-½ of the peak and the rest of the sample");
        assert_eq!(latency.read_us(25_010, 10_000), 4_157, "e^-2 of that, without a sample");
    }

    #[test]
    fn time_may_wrap_or_stand_a_little_before_the_last_sample() {
        let latency = Latency::default();
        latency.sample(8_000, u64::from(u32::MAX), 1_000);
        assert_eq!(latency.read_us(u64::from(u32::MAX) + 1_000, 1_000), 2_943);
        assert_eq!(latency.read_us(u64::from(u32::MAX) - 5, 1_000), 8_000);
        latency.sample(u64::MAX, 0, 1_000);
        assert_eq!(latency.read_us(0, 1_000), u32::MAX);
    }
}
