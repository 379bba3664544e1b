//! What the filters of one exchange remember.

use crate::compress::Coder;
use crate::concurrency_limit::Permit;
use std::borrow::Cow;
use std::sync::Arc;
use strait_message::Headers;

/// Kept from the request's way up to the response's way down.
#[derive(Debug, Default)]
pub struct Notes {
    /// Fields for the origin whose names are otherwise Strait's own, such as X-Real-IP: a client's are removed, a
    /// filter's stand.
    pub forced: Headers,
    /// The id that the request has from now on.
    pub request_id: Option<[u8; 36]>,
    /// Octets of the request body, at most.
    pub request_octets_max: Option<u64>,
    /// Octets of the response body, at most.
    pub response_octets_max: Option<u64>,
    /// What is sent in place of the response's body.
    pub replacement: Option<Arc<[u8]>>,
    /// Codes the response's body on its way.
    pub coder: Option<Box<Coder>>,
    /// Requests that a rate limit would still let come at once, and seconds until all of its burst is back.
    pub limit_left: Option<(u64, u64)>,
    /// Counts as under way; given back at the end of the exchange.
    pub permits: Vec<Permit>,
}

impl Notes {
    /// A body of which all is here, as it is sent: replaced, coded, or `body` itself.
    pub fn whole_body<'b>(&mut self, body: &'b [u8]) -> Cow<'b, [u8]> {
        let replaced = self.replacement.take();
        match (self.coder.take(), replaced) {
            (Some(coder), replaced) => Cow::Owned(coder.whole(replaced.as_deref().unwrap_or(body))),
            (None, Some(replaced)) => Cow::Owned(replaced.to_vec()),
            (None, None) => Cow::Borrowed(body),
        }
    }

    /// Forgets everything, keeping the memory.
    pub fn clear(&mut self) {
        self.forced.clear();
        self.request_id = None;
        (self.request_octets_max, self.response_octets_max) = (None, None);
        self.replacement = None;
        self.coder = None;
        self.limit_left = None;
        self.permits.clear();
    }
}
