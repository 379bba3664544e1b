use super::statics::{self, STATIC_ENTRIES};
use super::table::Table;
use super::{TABLE_OCTETS, huffman, integer};
use strait_message::{Name, NameSet};

/// Slots of the memory of recent insertions.
const RECENT: usize = 64;
/// A value longer than this would push most others out of the table.
const INDEXED_VALUE_MAX: usize = 512;

/// Fields that differ from message to message: an entry of theirs would only push others out.
const FLEETING: NameSet = NameSet::of(&[
    Name::Age,
    Name::ContentLength,
    Name::ContentRange,
    Name::Date,
    Name::Etag,
    Name::IfModifiedSince,
    Name::IfNoneMatch,
    Name::LastModified,
    Name::Location,
    Name::Range,
    Name::Referer,
    Name::Traceparent,
    Name::XRequestId,
]);

/// Fields whose values may be secrets, which no table may hold on any hop (RFC 7541 §7.1.3).
const SECRET: NameSet = NameSet::of(&[Name::Authorization, Name::Cookie, Name::ProxyAuthorization, Name::SetCookie]);

/// Encodes field blocks.
#[derive(Debug)]
pub(crate) struct Encoder {
    table: Table,
    /// For a hash of name and value, the number of the insertion that may hold them, plus one.
    recent: Vec<u64>,
    /// The smallest size the table was set to since the last block, where that was changed (RFC 7541 §4.2).
    smallest: Option<usize>,
}

impl Default for Encoder {
    fn default() -> Self {
        Self { table: Table::new(TABLE_OCTETS), recent: Vec::new(), smallest: None }
    }
}

impl Encoder {
    /// Takes the peer's word on the size of its table. More than the default is never used.
    pub(crate) fn set_table_max(&mut self, octets: usize) {
        let octets = octets.min(TABLE_OCTETS);
        if octets != self.table.size_max() {
            self.smallest = Some(self.smallest.map_or(octets, |smallest| smallest.min(octets)));
            self.table.resize(octets);
        }
    }

    /// Begins a block: tells the peer of changes of the table's size.
    pub(crate) fn begin(&mut self, out: &mut Vec<u8>) {
        let Some(smallest) = self.smallest.take() else { return };
        let size = self.table.size_max();
        if smallest < size {
            integer::write(smallest, 5, 0x20, out);
        }
        integer::write(size, 5, 0x20, out);
    }

    /// Appends a pseudo-header field: `index` is where its name stands in the static table, and `whole` where name and
    /// value do.
    pub(crate) fn pseudo(&mut self, index: usize, whole: Option<usize>, value: &[u8], out: &mut Vec<u8>) {
        match whole {
            Some(whole) => integer::write(whole, 7, 0x80, out),
            None => {
                integer::write(index, 4, 0x00, out);
                text(value, false, out);
            }
        }
    }

    /// Appends `:authority`.
    pub(crate) fn authority(&mut self, value: &[u8], out: &mut Vec<u8>) {
        self.indexed((Name::Other, Some(1)), b":authority", value, out);
    }

    /// Appends a field. Its name may be spelled in any case and is sent in lower case (RFC 9113 §8.2).
    pub(crate) fn field(&mut self, known: Name, name: &[u8], value: &[u8], out: &mut Vec<u8>) {
        let index = statics::index_of(known);
        if SECRET.contains(known) {
            literal(index, name, value, (4, 0x10), out);
        } else if FLEETING.contains(known) {
            literal(index, name, value, (4, 0x00), out);
        } else {
            self.indexed((known, index), name, value, out);
        }
    }

    /// Appends a field that comes again and again: from the table, or so that it is in the table from now on.
    fn indexed(&mut self, (known, index): (Name, Option<usize>), name: &[u8], value: &[u8], out: &mut Vec<u8>) {
        if value.len() > INDEXED_VALUE_MAX || self.table.size_max() == 0 {
            return literal(index, name, value, (4, 0x00), out);
        }
        let slot = hash(name, value) as usize % RECENT;
        if let Some(age) = self.find(slot, name, value) {
            return integer::write(STATIC_ENTRIES + 1 + age, 7, 0x80, out);
        }
        literal(index, name, value, (6, 0x40), out);
        self.remember(slot, known, name, value);
    }

    /// Octets of memory held.
    pub(crate) fn capacity(&self) -> usize {
        self.table.capacity() + self.recent.capacity() * size_of::<u64>()
    }

    fn find(&self, slot: usize, name: &[u8], value: &[u8]) -> Option<usize> {
        let insertion = self.recent.get(slot)?.checked_sub(1)?;
        let age = self.table.age_of(insertion)?;
        let (_, held_name, held_value) = self.table.entry(age)?;
        (held_value == value && held_name.eq_ignore_ascii_case(name)).then_some(age)
    }

    fn remember(&mut self, slot: usize, known: Name, name: &[u8], value: &[u8]) {
        self.recent.resize(RECENT, 0);
        // An entry larger than the whole table is not kept: its number is then the next one's, which will not match.
        if let Some(recent) = self.recent.get_mut(slot) {
            *recent = self.table.inserted() + 1;
        }
        self.table.insert(known, name, value);
    }
}

/// Appends a literal whose first octet has this prefix and pattern; `index` is where its name stands in the static
/// table.
fn literal(index: Option<usize>, name: &[u8], value: &[u8], (prefix_bits, pattern): (u8, u8), out: &mut Vec<u8>) {
    match index {
        Some(index) => integer::write(index, prefix_bits, pattern, out),
        None => {
            out.push(pattern);
            text(name, true, out);
        }
    }
    text(value, false, out);
}

/// Appends a string literal, in lower case where it is a name; Huffman-coded where that is shorter.
fn text(text: &[u8], lower: bool, out: &mut Vec<u8>) {
    let mut folded = [0u8; 64];
    let text = match folded.get_mut(..text.len()) {
        Some(folded) if lower => {
            folded.copy_from_slice(text);
            folded.make_ascii_lowercase();
            folded
        }
        _ => text,
    };
    let coded = huffman::encoded_len(text);
    if coded < text.len() && !(lower && text.iter().any(u8::is_ascii_uppercase)) {
        integer::write(coded, 7, 0x80, out);
        return huffman::encode(text, out);
    }
    integer::write(text.len(), 7, 0x00, out);
    if lower {
        out.extend(text.iter().map(u8::to_ascii_lowercase));
    } else {
        out.extend_from_slice(text);
    }
}

/// A quick hash: outsiders who make values collide only make each other's entries be sent anew.
fn hash(name: &[u8], value: &[u8]) -> u64 {
    let mix = |hash: u64, word: u64| (hash.rotate_left(5) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let (words, rest) = value.as_chunks::<8>();
    let seed = name.first().map_or(0, |&b| u64::from(b | 0x20)) << 32 | (name.len() as u64) << 16 | value.len() as u64;
    let hash = words.iter().fold(seed, |hash, word| mix(hash, u64::from_le_bytes(*word)));
    let hash = rest.iter().fold(hash, |hash, &octet| mix(hash, u64::from(octet)));
    mix(hash, 0) >> 32
}
