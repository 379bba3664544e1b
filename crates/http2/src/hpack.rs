//! Field compression (RFC 7541): a decoder and an encoder, each with its dynamic table.
//!
//! Neither allocates per field once its buffers have grown; both are bounded by the size of their table, and the
//! decoder's work by the length of its input plus the table's size for each octet of it at most (an index stands for
//! a whole entry), which callers bound further by no longer wanting fields (see [`Decoder::decode`]).

mod decode;
mod encode;
mod huffman;
mod integer;
mod statics;
mod table;
#[cfg(test)]
mod tests;

pub(crate) use decode::Decoder;
pub(crate) use encode::Encoder;

/// Octets of a dynamic table unless SETTINGS say otherwise (RFC 9113 §6.5.2).
pub(crate) const TABLE_OCTETS: usize = 4096;
