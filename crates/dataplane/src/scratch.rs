//! What one exchange writes on: lent while it runs, wiped and kept for the next in the same room.

use crate::course::Course;
use std::ops::{Deref, DerefMut};
use strait_filters::Passage;
use strait_message::{Headers, RequestHead, ResponseHead};
use strait_route::Captures;

/// The largest head buffer with which a scratch is kept.
const CAPACITY_MAX: usize = 16 * 1024;

/// The memory of one exchange.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    pub(crate) asked: Asked,
    pub(crate) response: ResponseHead,
    pub(crate) trailers: Headers,
    /// What is sent in place of `target`, if a filter rewrote it.
    pub(crate) rewritten: Vec<u8>,
    /// What the route's filters remember.
    pub(crate) passage: Passage,
    /// Where a path or host is decoded that was not canonical.
    pub(crate) decoded: Vec<u8>,
    /// The Host field that `host` is the canonical form of; empty when it comes from elsewhere.
    pub(crate) host_text: Vec<u8>,
    /// Where it stands in a trace, and how its attempts went.
    pub(crate) course: Course,
    /// Field lines that Strait adds to the head that is being built.
    pub(crate) extra: Vec<u8>,
}

/// The request's part of it, which conditions and templates ask while the rest is written. A scratch stands for it.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) request: RequestHead,
    /// The canonical path.
    pub(crate) path: Vec<u8>,
    /// What is sent as target: the canonical path with the query as received.
    pub(crate) target: Vec<u8>,
    /// The host in lower case, without port. It stays for the next exchange, with the text it comes from.
    pub(crate) host: Vec<u8>,
    /// What the captures of the route's pattern hold, once there is a route.
    pub(crate) captures: Captures,
}

impl Deref for Scratch {
    type Target = Asked;

    fn deref(&self) -> &Asked {
        &self.asked
    }
}

impl DerefMut for Scratch {
    fn deref_mut(&mut self) -> &mut Asked {
        &mut self.asked
    }
}

impl Scratch {
    /// Forgets the exchange, but for its host, and lets go of memory that only an unusual one needed.
    pub(crate) fn wipe(&mut self) {
        if self.capacity() > CAPACITY_MAX {
            *self = Self::default();
            return;
        }
        self.request.clear();
        self.response.clear();
        self.trailers.clear();
        self.path.clear();
        self.target.clear();
        self.rewritten.clear();
        self.passage.clear();
        self.decoded.clear();
        self.extra.clear();
        self.course.clear();
    }

    /// What the origin is asked for.
    pub(crate) fn outgoing_target(&self) -> &[u8] {
        if self.rewritten.is_empty() { &self.target } else { &self.rewritten }
    }

    fn capacity(&self) -> usize {
        self.request.headers.capacity() + self.response.headers.capacity() + self.trailers.capacity()
    }
}
