/// Steps of a slow start: its weights change this often and no more.
const STEPS: u64 = 64;

/// Slow start: an endpoint that is new or has come back gets its share little by little.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ramp {
    /// From nothing to the whole share, in milliseconds.
    pub duration_ms: u64,
    /// The share it begins with, in percent.
    pub share_min_percent: u8,
    /// How the share grows: 1 evenly, above 1 fast at first, below 1 slowly at first.
    pub aggression: f32,
}

impl Ramp {
    /// The part of its weight an endpoint gets that has been there since `since_ms`, in thousandths, and the instant
    /// when that changes; `u64::MAX` once it never does.
    pub fn at(&self, since_ms: u64, now_ms: u64) -> (u32, u64) {
        let elapsed_ms = now_ms.saturating_sub(since_ms);
        if elapsed_ms >= self.duration_ms {
            return (1000, u64::MAX);
        }
        let step_ms = (self.duration_ms / STEPS).max(1);
        let step = elapsed_ms / step_ms;
        let progress = (step * step_ms) as f64 / self.duration_ms as f64;
        let part = (progress.powf(1.0 / f64::from(self.aggression)) * 1000.0) as u32;
        let floor = u32::from(self.share_min_percent).clamp(1, 100) * 10;
        (part.clamp(floor, 1000), since_ms.saturating_add((step + 1) * step_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::Ramp;

    const EVEN: Ramp = Ramp { duration_ms: 64_000, share_min_percent: 10, aggression: 1.0 };

    #[test]
    fn the_share_grows_evenly_from_the_least_to_the_whole() {
        for (elapsed_ms, expected) in [
            (0, (100, 5_001_000)),
            (6_400, (100, 5_007_000)),
            (16_000, (250, 5_017_000)),
            (32_500, (500, 5_033_000)),
            (63_999, (984, 5_064_000)),
            (64_000, (1000, u64::MAX)),
        ] {
            assert_eq!(EVEN.at(5_000_000, 5_000_000 + elapsed_ms), expected, "after {elapsed_ms} ms");
        }
    }

    #[test]
    fn aggression_bends_the_curve() {
        let at_half = |aggression| Ramp { aggression, ..EVEN }.at(0, 32_000).0;
        assert_eq!(at_half(2.0), 707);
        assert_eq!(at_half(0.5), 250);
    }

    #[test]
    fn a_clock_that_stands_before_the_beginning_gives_the_least() {
        assert_eq!(EVEN.at(5_000, 0).0, 100);
    }
}
