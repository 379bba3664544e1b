use super::statics::{self, STATIC_ENTRIES};
use super::table::Table;
use super::{TABLE_OCTETS, huffman, integer};
use strait_message::Name;

/// A block that cannot be decoded (RFC 7541 §5, §6): the tables of both sides differ from now on, so that the
/// connection must end with COMPRESSION_ERROR (RFC 9113 §4.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Compression;

/// Decodes field blocks.
#[derive(Debug)]
pub(crate) struct Decoder {
    table: Table,
    name: Vec<u8>,
    value: Vec<u8>,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { table: Table::new(TABLE_OCTETS), name: Vec::new(), value: Vec::new() }
    }
}

impl Decoder {
    /// Decodes a whole block, giving each field to `field` until that no longer wants any; the table is kept true to
    /// the end of the block all the same.
    ///
    /// # Errors
    /// [`Compression`]: the connection cannot be used further.
    pub(crate) fn decode(
        &mut self,
        mut block: &[u8],
        mut field: impl FnMut(Name, &[u8], &[u8]) -> bool,
    ) -> Result<(), Compression> {
        let mut wanted = true;
        let mut fields = 0u32;
        while let Some((&first, rest)) = block.split_first() {
            block = rest;
            match first {
                0x80.. => {
                    let (known, name, value) = self.indexed(integer::read(first, 7, &mut block))?;
                    wanted = wanted && field(known, name, value);
                    fields += 1;
                }
                0x20..0x40 => self.resize(integer::read(first, 5, &mut block), fields)?,
                _ => {
                    let indexed = first & 0x40 != 0;
                    let known = self.literal(first, if indexed { 6 } else { 4 }, &mut block)?;
                    wanted = wanted && field(known, &self.name, &self.value);
                    if indexed {
                        self.table.insert(known, &self.name, &self.value);
                    }
                    fields += 1;
                }
            }
        }
        Ok(())
    }

    /// Octets of memory held.
    pub(crate) fn capacity(&self) -> usize {
        self.table.capacity() + self.name.capacity() + self.value.capacity()
    }

    /// Gives back what only decoding needs.
    pub(crate) fn shrink(&mut self) {
        (self.name, self.value) = (Vec::new(), Vec::new());
    }

    fn indexed(&self, index: Option<usize>) -> Result<(Name, &[u8], &[u8]), Compression> {
        let index = index.ok_or(Compression)?;
        match index.checked_sub(STATIC_ENTRIES + 1) {
            Some(age) => self.table.entry(age),
            None => statics::entry(index),
        }
        .ok_or(Compression)
    }

    /// A change of the table's size, which may stand only before the first field (RFC 7541 §4.2), and may not be
    /// over what our SETTINGS allow (§6.3).
    fn resize(&mut self, size: Option<usize>, fields: u32) -> Result<(), Compression> {
        let size = size.filter(|&size| fields == 0 && size <= TABLE_OCTETS).ok_or(Compression)?;
        self.table.resize(size);
        Ok(())
    }

    /// Reads a literal into `name` and `value` (RFC 7541 §6.2).
    fn literal(&mut self, first: u8, prefix_bits: u8, block: &mut &[u8]) -> Result<Name, Compression> {
        let index = integer::read(first, prefix_bits, block).ok_or(Compression)?;
        let (mut name, mut value) = (std::mem::take(&mut self.name), std::mem::take(&mut self.value));
        let outcome = match index {
            0 => text(block, &mut name).map(|()| Name::from_bytes(&name)),
            _ => self.indexed(Some(index)).map(|(known, indexed, _)| {
                name.clear();
                name.extend_from_slice(indexed);
                known
            }),
        };
        let outcome = outcome.and_then(|known| text(block, &mut value).map(|()| known));
        (self.name, self.value) = (name, value);
        outcome
    }
}

/// Reads a string literal (RFC 7541 §5.2).
fn text(block: &mut &[u8], into: &mut Vec<u8>) -> Result<(), Compression> {
    into.clear();
    let (&first, mut rest) = block.split_first().ok_or(Compression)?;
    let length = integer::read(first, 7, &mut rest).ok_or(Compression)?;
    let (octets, behind) = rest.split_at_checked(length).ok_or(Compression)?;
    *block = behind;
    if first & 0x80 != 0 {
        return huffman::decode(octets, into).ok_or(Compression);
    }
    into.extend_from_slice(octets);
    Ok(())
}
