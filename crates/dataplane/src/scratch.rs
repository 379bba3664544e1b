//! What one exchange writes on: borrowed while it runs, wiped and kept for the next.

use std::cell::RefCell;
use strait_message::{Headers, RequestHead, ResponseHead};

/// Scratches a worker keeps for later.
const KEPT_MAX: usize = 256;
/// The largest head buffer with which a scratch is kept.
const CAPACITY_MAX: usize = 16 * 1024;

/// The memory of one exchange.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub(crate) request: RequestHead,
    pub(crate) response: ResponseHead,
    pub(crate) trailers: Headers,
    /// The canonical path.
    pub(crate) path: Vec<u8>,
    /// What is sent as target: the canonical path with the query as received.
    pub(crate) target: Vec<u8>,
    /// Where a path or host is decoded that was not canonical.
    pub(crate) decoded: Vec<u8>,
    /// The host in lower case, without port.
    pub(crate) host: Vec<u8>,
    /// Field lines that Strait adds to the head that is being built.
    pub(crate) extra: Vec<u8>,
}

/// A worker's spare scratches.
#[allow(clippy::vec_box, reason = "a scratch moves between here and exchanges by its pointer")]
#[derive(Debug, Default)]
pub(crate) struct ScratchPool(RefCell<Vec<Box<Scratch>>>);

impl ScratchPool {
    pub(crate) fn take(&self) -> Box<Scratch> {
        self.0.borrow_mut().pop().unwrap_or_default()
    }

    pub(crate) fn give(&self, mut scratch: Box<Scratch>) {
        let mut spares = self.0.borrow_mut();
        if spares.len() < KEPT_MAX && scratch.capacity() <= CAPACITY_MAX {
            scratch.wipe();
            spares.push(scratch);
        }
    }

    /// Lets go of half of them.
    pub(crate) fn trim(&self) {
        let mut spares = self.0.borrow_mut();
        let keep = spares.len() / 2;
        spares.truncate(keep);
    }
}

impl Scratch {
    fn wipe(&mut self) {
        self.request.clear();
        self.response.clear();
        self.trailers.clear();
        self.path.clear();
        self.target.clear();
        self.decoded.clear();
        self.host.clear();
        self.extra.clear();
    }

    fn capacity(&self) -> usize {
        self.request.headers.capacity() + self.response.headers.capacity() + self.trailers.capacity()
    }
}
