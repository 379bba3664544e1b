//! The peer's settings (RFC 9113 §6.5).

use super::{Connection, Role};
use crate::frame::{self, FRAME_MAX, WINDOW_MAX, setting};
use crate::{Event, Misdeed};

/// What the peer allows.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    pub(super) streams_max: u32,
    pub(super) stream_window: i64,
    /// RFC 8441 §3: extended CONNECT may be used towards it.
    pub(super) connect_protocol: bool,
    pub(super) head_bytes_max: u32,
    /// Its SETTINGS have arrived.
    pub(super) is_known: bool,
}

impl Default for Peer {
    fn default() -> Self {
        // Until the peer says otherwise there is no limit of streams; one that is too large would be refused.
        Self {
            streams_max: 100,
            stream_window: 65_535,
            connect_protocol: false,
            head_bytes_max: u32::MAX,
            is_known: false,
        }
    }
}

impl Connection {
    /// Takes the payload of SETTINGS.
    pub(super) fn take_settings(&mut self, payload: &[u8]) -> Result<(), Misdeed> {
        let (entries, rest) = payload.as_chunks::<6>();
        if !rest.is_empty() {
            return Err(Misdeed::BadFrameSize);
        }
        if !std::mem::replace(&mut self.peer.is_known, true) {
            self.peer.streams_max = u32::MAX;
        }
        for &[i, d, a, b, c, e] in entries {
            self.take_setting(u16::from_be_bytes([i, d]), u32::from_be_bytes([a, b, c, e]))?;
        }
        frame::settings_ack(&mut self.out);
        self.events.push_back(Event::Settings);
        self.wake_blocked();
        Ok(())
    }

    fn take_setting(&mut self, id: u16, value: u32) -> Result<(), Misdeed> {
        match id {
            setting::HEADER_TABLE_SIZE => self.encoder.set_table_max(value as usize),
            setting::ENABLE_PUSH if value > u32::from(self.role == Role::Server) => return Err(Misdeed::BadSetting),
            setting::MAX_CONCURRENT_STREAMS => self.peer.streams_max = value,
            setting::INITIAL_WINDOW_SIZE => self.change_windows(i64::from(value))?,
            setting::MAX_FRAME_SIZE if !(FRAME_MAX as u32..1 << 24).contains(&value) => {
                return Err(Misdeed::BadSetting);
            }
            setting::MAX_HEADER_LIST_SIZE => self.peer.head_bytes_max = value,
            setting::ENABLE_CONNECT_PROTOCOL if value > 1 || (self.peer.connect_protocol && value == 0) => {
                return Err(Misdeed::BadSetting);
            }
            setting::ENABLE_CONNECT_PROTOCOL => self.peer.connect_protocol = value == 1,
            // We push nothing, and send frames of the least size that every peer takes. The rest is not known
            // (RFC 9113 §6.5.2).
            _ => {}
        }
        Ok(())
    }

    /// RFC 9113 §6.9.2: a change of the initial window changes that of every stream, perhaps below zero.
    fn change_windows(&mut self, window: i64) -> Result<(), Misdeed> {
        if window > WINDOW_MAX {
            return Err(Misdeed::WindowOverflow);
        }
        let change = window - std::mem::replace(&mut self.peer.stream_window, window);
        self.streams.values_mut().try_for_each(|stream| stream.grow_send_window(change))
    }
}
