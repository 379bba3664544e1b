//! What the filters of one exchange remember.

use strait_message::Headers;

/// Kept from the request's way up to the response's way down.
#[derive(Debug, Default)]
pub struct Notes {
    /// Fields for the origin whose names are otherwise Strait's own, such as X-Real-IP: a client's are removed, a
    /// filter's stand.
    pub forced: Headers,
}

impl Notes {
    /// Forgets everything, keeping the memory.
    pub fn clear(&mut self) {
        self.forced.clear();
    }
}
