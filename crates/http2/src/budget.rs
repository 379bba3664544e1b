//! The allowance for frames that bring nothing forward (RFC 9113 §10.5): PING, SETTINGS, PRIORITY, WINDOW_UPDATE,
//! empty DATA and CONTINUATION, resets of streams that had not ended. Progress earns it back.

use crate::Misdeed;

/// What a reset by the peer costs, beside what the stream itself took: floods of them are the costliest attack.
pub(crate) const RESET: u32 = 2;
/// What any other frame without progress costs.
pub(crate) const FRAME: u32 = 1;
/// What a stream that ends well earns.
pub(crate) const STREAM_DONE: u32 = 2;
/// Body octets, either way, that earn one.
const OCTETS_EACH: u64 = 1024;
/// Milliseconds that earn one.
const MS_EACH: u64 = 200;

#[derive(Debug)]
pub(crate) struct Budget {
    left: u32,
    max: u32,
    octets: u64,
    refilled_ms: u64,
}

impl Budget {
    pub(crate) fn new(max: u32) -> Self {
        Self { left: max, max, octets: 0, refilled_ms: 0 }
    }

    /// Pays for a frame.
    ///
    /// # Errors
    /// [`Misdeed::NoProgress`] when nothing is left.
    pub(crate) fn spend(&mut self, cost: u32) -> Result<(), Misdeed> {
        self.left = self.left.checked_sub(cost).ok_or(Misdeed::NoProgress)?;
        Ok(())
    }

    pub(crate) fn earn(&mut self, tokens: u32) {
        self.left = self.left.saturating_add(tokens).min(self.max);
    }

    /// Counts body octets that moved.
    pub(crate) fn moved(&mut self, octets: usize) {
        self.octets += octets as u64;
        let earned = self.octets / OCTETS_EACH;
        self.octets %= OCTETS_EACH;
        self.earn(u32::try_from(earned).unwrap_or(u32::MAX));
    }

    /// Lets time pass, on the caller's clock.
    pub(crate) fn tick(&mut self, now_ms: u64) {
        let earned = now_ms.saturating_sub(self.refilled_ms) / MS_EACH;
        if earned > 0 {
            self.refilled_ms = now_ms;
            self.earn(u32::try_from(earned).unwrap_or(u32::MAX));
        }
    }

    /// What was spent and not earned back, of how much.
    pub(crate) fn used(&self) -> (u32, u32) {
        (self.max - self.left, self.max)
    }
}
