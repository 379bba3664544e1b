//! `compress`: codes the bodies of responses (RFC 9110 §8.4) with gzip, brotli or zstd, whichever the client prefers.

mod accept;
mod coder;
mod run;
#[cfg(test)]
mod tests;

pub use accept::choose;
pub use coder::{Coder, Coding};

/// Codes bodies on their way to clients that take it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compress {
    /// The codings, the preferred one first, each with its level.
    pub codings: Vec<(Coding, u32)>,
    /// Types of bodies that are coded, in lower case; `text/*` means all of text.
    pub types: Vec<Box<str>>,
    /// Octets of the smallest body that is coded. One that does not say its length is.
    pub octets_min: u64,
}
