//! Frames (RFC 9113 §4, §6): the nine octets in front of each, and how each is written.

use crate::ErrorCode;

/// Octets in front of every frame.
pub(crate) const FRAME_HEAD: usize = 9;
/// The largest frame that is taken and sent: the least that every peer must take (RFC 9113 §4.2).
pub(crate) const FRAME_MAX: usize = 16 * 1024;
/// The largest window (RFC 9113 §6.9.1).
pub(crate) const WINDOW_MAX: i64 = (1 << 31) - 1;
/// What a client sends first (RFC 9113 §3.4).
pub(crate) const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(crate) mod kind {
    pub(crate) const DATA: u8 = 0x0;
    pub(crate) const HEADERS: u8 = 0x1;
    pub(crate) const PRIORITY: u8 = 0x2;
    pub(crate) const RST_STREAM: u8 = 0x3;
    pub(crate) const SETTINGS: u8 = 0x4;
    pub(crate) const PUSH_PROMISE: u8 = 0x5;
    pub(crate) const PING: u8 = 0x6;
    pub(crate) const GOAWAY: u8 = 0x7;
    pub(crate) const WINDOW_UPDATE: u8 = 0x8;
    pub(crate) const CONTINUATION: u8 = 0x9;
    /// RFC 9218 §7.1.
    pub(crate) const PRIORITY_UPDATE: u8 = 0x10;
}

pub(crate) mod flag {
    pub(crate) const END_STREAM: u8 = 0x1;
    pub(crate) const ACK: u8 = 0x1;
    pub(crate) const END_HEADERS: u8 = 0x4;
    pub(crate) const PADDED: u8 = 0x8;
    pub(crate) const PRIORITY: u8 = 0x20;
}

pub(crate) mod setting {
    pub(crate) const HEADER_TABLE_SIZE: u16 = 0x1;
    pub(crate) const ENABLE_PUSH: u16 = 0x2;
    pub(crate) const MAX_CONCURRENT_STREAMS: u16 = 0x3;
    pub(crate) const INITIAL_WINDOW_SIZE: u16 = 0x4;
    pub(crate) const MAX_FRAME_SIZE: u16 = 0x5;
    pub(crate) const MAX_HEADER_LIST_SIZE: u16 = 0x6;
    /// RFC 8441 §3.
    pub(crate) const ENABLE_CONNECT_PROTOCOL: u16 = 0x8;
    /// RFC 9218 §2.1.
    pub(crate) const NO_RFC7540_PRIORITIES: u16 = 0x9;
}

/// What stands in front of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHead {
    pub(crate) length: usize,
    pub(crate) kind: u8,
    pub(crate) flags: u8,
    pub(crate) stream: u32,
}

impl FrameHead {
    /// Reads the first nine octets, if they are here. The reserved bit is ignored (RFC 9113 §4.1).
    pub(crate) fn read(input: &[u8]) -> Option<Self> {
        let &[a, b, c, kind, flags, s, t, u, v] = input.first_chunk::<FRAME_HEAD>()?;
        let length = u32::from_be_bytes([0, a, b, c]) as usize;
        Some(Self { length, kind, flags, stream: u32::from_be_bytes([s & 0x7f, t, u, v]) })
    }

    pub(crate) fn has(&self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// As it is written.
    pub(crate) fn octets(self) -> [u8; FRAME_HEAD] {
        let [_, a, b, c] = (self.length as u32).to_be_bytes();
        let [s, t, u, v] = self.stream.to_be_bytes();
        [a, b, c, self.kind, self.flags, s, t, u, v]
    }

    /// Appends it.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.octets());
    }
}

fn short(kind: u8, flags: u8, stream: u32, payload: &[u8], out: &mut Vec<u8>) {
    FrameHead { length: payload.len(), kind, flags, stream }.write(out);
    out.extend_from_slice(payload);
}

/// Appends SETTINGS.
pub(crate) fn settings(entries: &[(u16, u32)], out: &mut Vec<u8>) {
    FrameHead { length: entries.len() * 6, kind: kind::SETTINGS, flags: 0, stream: 0 }.write(out);
    for (id, value) in entries {
        out.extend_from_slice(&id.to_be_bytes());
        out.extend_from_slice(&value.to_be_bytes());
    }
}

pub(crate) fn settings_ack(out: &mut Vec<u8>) {
    short(kind::SETTINGS, flag::ACK, 0, &[], out);
}

pub(crate) fn ping(payload: &[u8; 8], ack: bool, out: &mut Vec<u8>) {
    short(kind::PING, if ack { flag::ACK } else { 0 }, 0, payload, out);
}

pub(crate) fn reset(stream: u32, code: ErrorCode, out: &mut Vec<u8>) {
    short(kind::RST_STREAM, 0, stream, &code.number().to_be_bytes(), out);
}

pub(crate) fn window_update(stream: u32, octets: u32, out: &mut Vec<u8>) {
    short(kind::WINDOW_UPDATE, 0, stream, &octets.to_be_bytes(), out);
}

pub(crate) fn goaway(last_stream: u32, code: ErrorCode, out: &mut Vec<u8>) {
    FrameHead { length: 8, kind: kind::GOAWAY, flags: 0, stream: 0 }.write(out);
    out.extend_from_slice(&last_stream.to_be_bytes());
    out.extend_from_slice(&code.number().to_be_bytes());
}

/// The first four octets as a number.
pub(crate) fn word(payload: &[u8]) -> Option<u32> {
    payload.first_chunk::<4>().map(|octets| u32::from_be_bytes(*octets))
}
