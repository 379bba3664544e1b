//! Buffers that are borrowed only while octets move: an idle connection holds none.

use std::cell::RefCell;
use std::rc::Rc;

/// Octets of a small buffer: a head with a small body fits in one read.
pub(crate) const SMALL: usize = 32 * 1024;
/// Octets of a large buffer: bulk is cheapest in few, large reads.
pub(crate) const LARGE: usize = 256 * 1024;
/// Small buffers a worker keeps for later.
const SMALL_KEPT_MAX: usize = 64;
/// Large buffers a worker keeps for later.
const LARGE_KEPT_MAX: usize = 8;
/// Output buffers a worker keeps for later.
const OUTPUT_KEPT_MAX: usize = 256;
/// The largest capacity with which an output buffer is kept.
const OUTPUT_CAPACITY_MAX: usize = 64 * 1024;

/// A worker's spare buffers.
#[derive(Debug, Default)]
pub(crate) struct BufferPool {
    small: RefCell<Vec<Box<[u8]>>>,
    large: RefCell<Vec<Box<[u8]>>>,
    outputs: RefCell<Vec<Vec<u8>>>,
}

/// Octets received and not yet taken, in a borrowed buffer.
#[derive(Debug)]
pub(crate) struct Buffer {
    octets: Box<[u8]>,
    start: usize,
    end: usize,
    pool: Rc<BufferPool>,
}

impl BufferPool {
    /// Borrows a buffer of [`SMALL`] or [`LARGE`] octets. It goes back when dropped.
    pub(crate) fn borrow(self: &Rc<Self>, large: bool) -> Buffer {
        let (spares, size) = if large { (&self.large, LARGE) } else { (&self.small, SMALL) };
        let octets = spares.borrow_mut().pop().unwrap_or_else(|| vec![0; size].into_boxed_slice());
        Buffer { octets, start: 0, end: 0, pool: self.clone() }
    }

    /// Takes an empty output buffer; give it back with [`BufferPool::give_output`].
    pub(crate) fn take_output(&self) -> Vec<u8> {
        self.outputs.borrow_mut().pop().unwrap_or_else(|| Vec::with_capacity(4096))
    }

    /// Empties an output buffer, or takes one in place of one that was given back.
    pub(crate) fn take_output_into(&self, output: &mut Vec<u8>) {
        match output.capacity() {
            0 => *output = self.take_output(),
            _ => output.clear(),
        }
    }

    /// Gives an output buffer back, if it is one.
    pub(crate) fn give_output(&self, mut output: Vec<u8>) {
        let mut outputs = self.outputs.borrow_mut();
        if outputs.len() < OUTPUT_KEPT_MAX && (1..=OUTPUT_CAPACITY_MAX).contains(&output.capacity()) {
            output.clear();
            outputs.push(output);
        }
    }

    /// Lets go of the buffers that were not needed lately.
    pub(crate) fn trim(&self) {
        for spares in [&self.small, &self.large] {
            let mut spares = spares.borrow_mut();
            let keep = spares.len() / 2;
            spares.truncate(keep);
        }
        let mut outputs = self.outputs.borrow_mut();
        let keep = outputs.len() / 2;
        outputs.truncate(keep);
    }
}

impl Buffer {
    /// The octets not yet taken.
    pub(crate) fn filled(&self) -> &[u8] {
        self.octets.get(self.start..self.end).unwrap_or_default()
    }

    /// The octets not yet taken, to be worked on where they lie.
    pub(crate) fn filled_mut(&mut self) -> &mut [u8] {
        self.octets.get_mut(self.start..self.end).unwrap_or_default()
    }

    /// Takes octets from the front.
    pub(crate) fn consume(&mut self, octets: usize) {
        self.start = (self.start + octets).min(self.end);
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        }
    }

    /// Room for more, after moving what is there to the front where that makes room.
    pub(crate) fn unfilled(&mut self) -> &mut [u8] {
        if self.start > 0 && self.octets.len() - self.end < self.octets.len() / 2 {
            self.octets.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        self.octets.get_mut(self.end..).unwrap_or_default()
    }

    /// Counts octets that were written to [`Buffer::unfilled`].
    pub(crate) fn filled_more(&mut self, octets: usize) {
        self.end = (self.end + octets).min(self.octets.len());
    }

    /// Whether there is no room behind the octets.
    pub(crate) fn is_full(&self) -> bool {
        self.end == self.octets.len()
    }

    /// Whether it is one of [`LARGE`] octets.
    pub(crate) fn is_large(&self) -> bool {
        self.octets.len() == LARGE
    }

    /// Puts octets in, as many as fit.
    pub(crate) fn put(&mut self, octets: &[u8]) {
        let room = self.unfilled();
        let taken = octets.len().min(room.len());
        if let (Some(room), Some(octets)) = (room.get_mut(..taken), octets.get(..taken)) {
            room.copy_from_slice(octets);
        }
        self.filled_more(taken);
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let octets = std::mem::take(&mut self.octets);
        let (spares, kept_max) = match octets.len() {
            LARGE => (&self.pool.large, LARGE_KEPT_MAX),
            _ => (&self.pool.small, SMALL_KEPT_MAX),
        };
        let mut spares = spares.borrow_mut();
        if spares.len() < kept_max {
            spares.push(octets);
        }
    }
}
