/// A set of statuses, 0 to 639, as one bit each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct StatusSet([u64; 10]);

impl StatusSet {
    /// No status.
    pub const EMPTY: Self = Self([0; 10]);

    /// The same with all statuses from the first to the last.
    #[must_use]
    pub fn with(mut self, first: u16, last: u16) -> Self {
        for code in first..=last {
            if let Some(word) = self.0.get_mut(usize::from(code / 64)) {
                *word |= 1 << (code % 64);
            }
        }
        self
    }

    /// Whether the status is one of them.
    #[inline]
    pub fn contains(&self, code: u16) -> bool {
        self.0.get(usize::from(code / 64)).is_some_and(|word| word >> (code % 64) & 1 == 1)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        *self == Self::EMPTY
    }

    /// The ranges it is made of, ascending.
    pub fn ranges(&self) -> Vec<(u16, u16)> {
        let mut ranges: Vec<(u16, u16)> = Vec::new();
        for code in (0..640).filter(|&code| self.contains(code)) {
            match ranges.last_mut() {
                Some((_, last)) if *last + 1 == code => *last = code,
                _ => ranges.push((code, code)),
            }
        }
        ranges
    }
}

#[cfg(test)]
mod tests {
    use super::StatusSet;

    #[test]
    fn a_set_holds_what_was_put_in_and_nothing_else() {
        let set = StatusSet::default().with(200, 299).with(503, 503);
        assert!((0..=u16::MAX).all(|code| set.contains(code) == ((200..300).contains(&code) || code == 503)));
        assert_eq!(set.ranges(), [(200, 299), (503, 503)]);
        assert!(StatusSet::default().is_empty() && !set.is_empty());
    }
}
