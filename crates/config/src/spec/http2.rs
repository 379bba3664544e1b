//! HTTP/2 with clients.

use crate::value::{Duration, Size};
use strait_config_derive::Spec;

/// HTTP/2 with clients: by ALPN where there is TLS, else with prior knowledge. `Upgrade: h2c` is never taken up.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(
    noun = "`http2`",
    empty_ok,
    peers(
        max_concurrent_streams = "streams",
        max_streams = "streams",
        http2_max_concurrent_streams = "streams",
        maxConcurrentStreams = "streams",
        initial_stream_window_size = "stream_window",
        initial_window_size = "stream_window",
        initial_connection_window_size = "connection_window",
        enabled = "`http2: off` switches it off",
    )
)]
pub struct Http2 {
    /// Most streams of a connection at a time. One counts until its work upstream is over, even if the client has reset it. Further ones are refused.
    #[spec(default = 128, min = 1_u32, max = 65_536_u32)]
    pub streams: u32,
    /// How much of one request body may be on its way or wait here.
    #[spec(default = Size::kib(64), min = Size::kib(1), max = Size::kib(256))]
    pub stream_window: Size,
    /// The same over all streams of a connection.
    #[spec(default = Size::kib(256), min = Size::kib(64), max = Size::mib(64))]
    pub connection_window: Size,
    /// Frames without progress (PING, SETTINGS, WINDOW_UPDATE, empty ones, resets of streams that had not ended, which count twice) that a client may send in advance of those that progress and time earn back: one each 200 ms, 1 KiB of a body and half an exchange. Whoever uses them up loses the connection.
    #[spec(default = 400, min = 16_u32, max = 1_000_000_u32)]
    pub idle_frames: u32,
    /// Time for a client to acknowledge SETTINGS.
    #[spec(default = Duration::secs(10), min = Duration::millis(100), max = Duration::secs(3600))]
    pub acknowledge_timeout: Duration,
}
