//! Which of two patterns that match the same request is the more specific one.

use crate::pattern::{HostPattern, Pattern, Segment};

/// A pattern's specificity: the smaller, the more specific. Compared field by field.
///
/// Patterns that match the same request and have equal ranks have the same host, the same literals and captures in the
/// same places, and the same tail. They differ in methods at most, and [`crate::MethodFit`] decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Rank {
    pub(crate) host: HostRank,
    pub(crate) path: PathRank,
}

/// Exact host, then the wildcard with more labels, then none: labels that are not fixed, so to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct HostRank(u16);

/// Longer before shorter; then, from the left, literal before capture; then exactly this path before all below it.
/// A path without capture and `/*` thus comes before all others that match the same request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct PathRank {
    /// `u8::MAX` less the number of segments.
    pub(crate) shortness: u8,
    /// A bit for each capture, the first segment's the highest.
    pub(crate) captures: u64,
    pub(crate) below: bool,
}

/// The bit of a capture at this depth.
pub(crate) fn capture_bit(depth: usize) -> u64 {
    (1_u64 << 63).checked_shr(u32::try_from(depth).unwrap_or(u32::MAX)).unwrap_or(0)
}

impl Rank {
    pub(crate) fn of(pattern: &Pattern) -> Self {
        let host = match pattern.host() {
            HostPattern::Exact(_) => 0,
            HostPattern::Below(suffix) => {
                u16::MAX - 1 - u16::try_from(labels(suffix.as_bytes())).unwrap_or(u16::MAX - 2)
            }
            HostPattern::Any => u16::MAX,
        };
        let captures = pattern.segments().iter().enumerate().map(|(depth, segment)| match segment {
            Segment::Literal(_) => 0,
            Segment::Capture(_) => capture_bit(depth),
        });
        let length = u8::try_from(pattern.segments().len()).unwrap_or(u8::MAX);
        Self {
            host: HostRank(host),
            path: PathRank { shortness: u8::MAX - length, captures: captures.sum(), below: pattern.matches_below() },
        }
    }
}

/// How many labels a host name without trailing dot has.
pub(crate) fn labels(host: &[u8]) -> usize {
    memchr::memchr_iter(b'.', host).count() + 1
}
