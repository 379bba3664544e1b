//! The edges of all tries in one hash table: (parent, text) → child.

use std::hash::{BuildHasher, Hasher};

use foldhash::fast::FixedState;

use super::NONE;

/// The parent of the tries of exact hosts.
pub(super) const EXACT_HOST: u32 = u32::MAX - 1;
/// The parent of the tries of wildcard hosts, by what stands behind `*.`.
pub(super) const HOST_BELOW: u32 = u32::MAX - 2;

/// Open addressing with linear probing, at most half full, so that a run of full slots is short.
#[derive(Debug)]
pub(super) struct Edges {
    state: FixedState,
    /// A power of two.
    slots: Box<[Slot]>,
    text: Box<[u8]>,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    /// The upper half of the hash.
    print: u32,
    parent: u32,
    start: u32,
    len: u32,
    /// `NONE` in a free slot.
    child: u32,
}

const FREE: Slot = Slot { print: 0, parent: NONE, start: 0, len: 0, child: NONE };

impl Edges {
    /// `edges` are distinct.
    pub(super) fn build<'t>(edges: impl ExactSizeIterator<Item = (u32, &'t str, u32)>, seed: u64) -> Self {
        let mut built = Self {
            state: FixedState::with_seed(seed),
            slots: vec![FREE; (edges.len() * 2).next_power_of_two()].into(),
            text: Box::default(),
        };
        let mut text = Vec::new();
        for (parent, key, child) in edges {
            let hash = built.hash(parent, key.as_bytes());
            let (start, len) = (text.len() as u32, key.len() as u32);
            text.extend_from_slice(key.as_bytes());
            let mut at = hash as usize & (built.slots.len() - 1);
            while built.slots.get(at).is_some_and(|slot| slot.child != NONE) {
                at = (at + 1) & (built.slots.len() - 1);
            }
            if let Some(slot) = built.slots.get_mut(at) {
                *slot = Slot { print: (hash >> 32) as u32, parent, start, len, child };
            }
        }
        built.text = text.into();
        built
    }

    #[inline]
    fn hash(&self, parent: u32, key: &[u8]) -> u64 {
        let mut hasher = self.state.build_hasher();
        hasher.write_u32(parent);
        hasher.write(key);
        hasher.finish()
    }

    #[inline]
    pub(super) fn child(&self, parent: u32, key: &[u8]) -> Option<u32> {
        let hash = self.hash(parent, key);
        let mask = self.slots.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let slot = self.slots.get(at)?;
            if slot.child == NONE {
                return None;
            }
            if slot.print == (hash >> 32) as u32 && slot.parent == parent && self.text(slot) == key {
                return Some(slot.child);
            }
            at = (at + 1) & mask;
        }
    }

    #[inline]
    fn text(&self, slot: &Slot) -> &[u8] {
        let start = slot.start as usize;
        self.text.get(start..start + slot.len as usize).unwrap_or_default()
    }
}
