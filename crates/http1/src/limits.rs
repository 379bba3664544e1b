/// What one message may cost, so that no peer decides how much memory it takes.
///
/// Each limit is reached by a test named after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Octets of a whole head, start line included.
    pub head_bytes_max: u32,
    /// Octets of a request target.
    pub target_bytes_max: u32,
    /// Fields of a head or of a trailer section.
    pub fields_max: u16,
    /// Octets of a trailer section.
    pub trailer_bytes_max: u32,
    /// Octets of chunk extensions over a whole body.
    pub chunk_extension_bytes_max: u32,
    /// Interim responses before the final one.
    pub interim_max: u8,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_bytes_max: 32 * 1024,
            target_bytes_max: 8 * 1024,
            fields_max: 100,
            trailer_bytes_max: 8 * 1024,
            chunk_extension_bytes_max: 4 * 1024,
            interim_max: 16,
        }
    }
}
