//! The dynamic table (RFC 7541 §2.3.2, §4): newest first, oldest evicted.

use std::collections::VecDeque;
use strait_message::Name;

/// What each entry counts beside its octets (RFC 7541 §4.1).
const ENTRY_OVERHEAD: usize = 32;

/// Entries in one buffer, in the order of insertion. Evicted octets are reclaimed when the buffer would grow past
/// twice the table's size, so that inserting moves each octet twice at most.
#[derive(Debug)]
pub(super) struct Table {
    octets: Vec<u8>,
    entries: VecDeque<Entry>,
    /// Position, counted over all insertions, of the first octet of `octets`.
    base: u64,
    size: usize,
    size_max: usize,
    /// Insertions so far.
    inserted: u64,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    at: u64,
    name_len: u32,
    value_len: u32,
    known: Name,
}

impl Table {
    pub(super) fn new(size_max: usize) -> Self {
        Self { octets: Vec::new(), entries: VecDeque::new(), base: 0, size: 0, size_max, inserted: 0 }
    }

    pub(super) fn size_max(&self) -> usize {
        self.size_max
    }

    /// Sets the most octets, evicting what does not fit any more (RFC 7541 §4.3).
    pub(super) fn resize(&mut self, size_max: usize) {
        self.size_max = size_max;
        self.evict_to(size_max);
    }

    /// Adds an entry in front of the others. One that is larger than the whole table empties it (RFC 7541 §4.4).
    pub(super) fn insert(&mut self, known: Name, name: &[u8], value: &[u8]) {
        let size = name.len() + value.len() + ENTRY_OVERHEAD;
        self.evict_to(self.size_max.saturating_sub(size));
        if size > self.size_max {
            return;
        }
        self.reclaim(name.len() + value.len());
        let at = self.base + self.octets.len() as u64;
        self.octets.extend_from_slice(name);
        self.octets.extend_from_slice(value);
        self.entries.push_back(Entry { at, name_len: name.len() as u32, value_len: value.len() as u32, known });
        self.size += size;
        self.inserted += 1;
    }

    /// The entry that was inserted `age` insertions before the newest.
    pub(super) fn entry(&self, age: usize) -> Option<(Name, &[u8], &[u8])> {
        let at = self.entries.len().checked_sub(age + 1)?;
        let entry = self.entries.get(at)?;
        let start = usize::try_from(entry.at - self.base).ok()?;
        let both = self.octets.get(start..start + entry.name_len as usize + entry.value_len as usize)?;
        let (name, value) = both.split_at_checked(entry.name_len as usize)?;
        Some((entry.known, name, value))
    }

    /// How many insertions there were: the number of the next one.
    pub(super) fn inserted(&self) -> u64 {
        self.inserted
    }

    /// The age of the insertion with this number, if it is still here.
    pub(super) fn age_of(&self, insertion: u64) -> Option<usize> {
        let age = usize::try_from(self.inserted.checked_sub(insertion + 1)?).ok()?;
        (age < self.entries.len()).then_some(age)
    }

    /// Octets of memory held.
    pub(super) fn capacity(&self) -> usize {
        self.octets.capacity() + self.entries.capacity() * size_of::<Entry>()
    }

    fn evict_to(&mut self, size: usize) {
        while self.size > size {
            let Some(oldest) = self.entries.pop_front() else { return };
            self.size -= oldest.name_len as usize + oldest.value_len as usize + ENTRY_OVERHEAD;
        }
        if self.entries.is_empty() {
            self.base += self.octets.len() as u64;
            self.octets.clear();
        }
    }

    /// Drops the octets of evicted entries where `more` octets would make the buffer larger than it need be.
    fn reclaim(&mut self, more: usize) {
        if self.octets.len() + more <= self.octets.capacity().max(2 * self.size_max) {
            return;
        }
        let Some(oldest) = self.entries.front() else { return };
        let evicted = usize::try_from(oldest.at - self.base).unwrap_or_default().min(self.octets.len());
        self.octets.drain(..evicted);
        self.base += evicted as u64;
    }
}
