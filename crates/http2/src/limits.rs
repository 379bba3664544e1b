/// What one connection and one message may cost, so that no peer decides how much memory or work it takes.
///
/// Each limit is reached by a test named after it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Decoded octets of a head: names, values and 32 for each field, as SETTINGS_MAX_HEADER_LIST_SIZE counts them.
    pub head_bytes_max: u32,
    /// Encoded octets of a field block over all its frames.
    pub block_bytes_max: u32,
    /// Octets of a path with its query.
    pub path_bytes_max: u32,
    /// Fields of a head or of a trailer section, cookie crumbs counted one by one.
    pub fields_max: u16,
    /// Decoded octets of a trailer section, counted as those of a head.
    pub trailer_bytes_max: u32,
    /// Interim responses before the final one.
    pub interim_max: u8,
    /// Streams at once that the peer may open. One counts until it is released, whoever reset it.
    pub streams_max: u32,
    /// Octets of a body that may be on their way or held for one stream.
    pub stream_window: u32,
    /// The same over all streams of the connection; not below 65,535.
    pub connection_window: u32,
    /// Octets of output held before bodies wait for some of it to leave.
    pub output_bytes_max: u32,
    /// Milliseconds for SETTINGS or PING to be acknowledged.
    pub acknowledge_ms_max: u32,
    /// Frames without progress in advance of those that progress earns back.
    pub idle_frames_max: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_bytes_max: 32 * 1024,
            block_bytes_max: 32 * 1024,
            path_bytes_max: 8 * 1024,
            fields_max: 100,
            trailer_bytes_max: 8 * 1024,
            interim_max: 16,
            streams_max: 128,
            stream_window: 64 * 1024,
            connection_window: 256 * 1024,
            output_bytes_max: 64 * 1024,
            acknowledge_ms_max: 10_000,
            idle_frames_max: 400,
        }
    }
}
