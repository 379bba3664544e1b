//! Consistent hashing: tables that are pure functions of the endpoints' names and weights, so that every worker and
//! every node sends a key to the same endpoint.

mod maglev;
mod ring;

pub use maglev::TABLE_SIZE;
pub use ring::REPLICAS_PER_ENDPOINT;

/// An endpoint as a table sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The [`hash`] of its name.
    pub hash: u64,
    /// Its weight; zero gets no keys.
    pub weight: u32,
    /// Its index among the endpoints of the upstream.
    pub endpoint: u16,
}

/// A table from keys to endpoints.
#[derive(Clone, PartialEq, Eq)]
pub enum Table {
    /// Points of all endpoints on a circle, in order; a key belongs to the next one.
    Ring(Box<[(u32, u16)]>),
    /// Slots, each with its endpoint; a key belongs to the slot of its remainder.
    Maglev(Box<[u16]>),
}

/// What consistent hashing chooses by: a table for each tier.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HashTable {
    /// The tables, the first tier's first.
    pub tiers: Box<[Table]>,
    /// The most an endpoint may have to do, in percent of its fair share; `None` for any amount.
    pub load_max_percent: Option<u32>,
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Ring(points) => write!(f, "Ring({} points)", points.len()),
            Self::Maglev(slots) => write!(f, "Maglev({} slots)", slots.len()),
        }
    }
}

impl Table {
    /// A ring of these endpoints, whatever their order.
    pub fn ring(entries: &[Entry]) -> Self {
        Self::Ring(ring::build(entries))
    }

    /// A Maglev table of these endpoints, whatever their order. `size` is a prime above their number; the larger it is,
    /// the more even the table and the fewer keys move that need not.
    pub fn maglev(entries: &[Entry], size: u32) -> Self {
        Self::Maglev(maglev::build(entries, size))
    }

    /// The n-th choice for a key: the first is its own endpoint, the others are where it goes when that cannot be
    /// chosen. May name an endpoint more than once.
    #[inline]
    pub(crate) fn choice(&self, hash: u64, nth: u32) -> Option<u16> {
        match self {
            Self::Ring(points) => ring::choice(points, hash, nth),
            Self::Maglev(slots) => maglev::choice(slots, hash, nth),
        }
    }
}

/// The hash of a key or name: FNV-1a with a finaliser. It is the same on every machine and in every release, for the
/// nodes of a fleet must agree; it is not keyed, so who chooses keys can choose endpoints.
pub fn hash(bytes: &[u8]) -> u64 {
    hash_with(0xcbf2_9ce4_8422_2325, bytes)
}

/// The hash of what follows on what was hashed before.
pub fn hash_with(before: u64, bytes: &[u8]) -> u64 {
    let fnv = bytes.iter().fold(before, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    mix(fnv)
}

/// Spreads every bit over all bits (the finaliser of SplitMix64).
#[inline]
pub(crate) const fn mix(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// Another hash of the same key.
#[inline]
pub(crate) const fn rehash(hash: u64, nth: u32) -> u64 {
    if nth == 0 { hash } else { mix(hash ^ (nth as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)) }
}
