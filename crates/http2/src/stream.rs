//! One stream: what each side may still do (RFC 9113 §5.1), and its windows (§5.2).

use crate::frame::WINDOW_MAX;
use crate::{Misdeed, Priority};
use strait_message::BodyLength;

/// The number of a stream (RFC 9113 §5.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub(crate) u32);

impl StreamId {
    /// The number on the wire.
    pub fn number(self) -> u32 {
        self.0
    }
}

/// What one side has sent of its message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Half {
    /// Not its final head.
    #[default]
    Head,
    /// The head; body octets or trailers may follow.
    Body,
    /// The end.
    Done,
}

/// The state of a stream.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) received: Half,
    pub(crate) sent: Half,
    /// It was reset, by either side; it is kept until it is released.
    pub(crate) reset: bool,
    /// Octets that must still be received, where that was announced.
    pub(crate) receive_left: Option<u64>,
    /// Octets that must still be sent, where that was announced.
    pub(crate) send_left: Option<u64>,
    /// What the peer may still send.
    pub(crate) receive_window: i64,
    /// What was taken and not yet given back to the peer's window.
    pub(crate) taken: u32,
    /// What we may still send.
    pub(crate) send_window: i64,
    /// Its body waits for a window or for output to leave.
    pub(crate) blocked: bool,
    /// When its body was first blocked by the peer's windows, in the caller's milliseconds.
    pub(crate) stalled_since_ms: Option<u64>,
    pub(crate) priority: Priority,
    /// The response is to HEAD: it has no body whatever it announces.
    pub(crate) to_head: bool,
    /// An extended CONNECT asked for a WebSocket.
    pub(crate) websocket: bool,
    pub(crate) interim: u8,
}

impl Stream {
    pub(crate) fn new(receive_window: u32, send_window: i64) -> Self {
        Self {
            received: Half::Head,
            sent: Half::Head,
            reset: false,
            receive_left: None,
            send_left: None,
            receive_window: i64::from(receive_window),
            taken: 0,
            send_window,
            blocked: false,
            stalled_since_ms: None,
            priority: Priority::default(),
            to_head: false,
            websocket: false,
            interim: 0,
        }
    }

    /// Whether no frame may follow in either direction.
    pub(crate) fn is_closed(&self) -> bool {
        self.reset || (self.received == Half::Done && self.sent == Half::Done)
    }

    /// The head was received: what follows is bound by its length.
    pub(crate) fn begin_body(&mut self, length: BodyLength, ends: bool) {
        self.receive_left = length.known();
        self.received = if ends { Half::Done } else { Half::Body };
    }

    /// Counts body octets received, padding not among them, and the end.
    ///
    /// # Errors
    /// [`Misdeed::BodyTooLong`] and [`Misdeed::BodyTooShort`].
    pub(crate) fn receive(&mut self, octets: usize, ends: bool) -> Result<(), Misdeed> {
        if let Some(left) = &mut self.receive_left {
            *left = left.checked_sub(octets as u64).ok_or(Misdeed::BodyTooLong)?;
            if ends && *left > 0 {
                return Err(Misdeed::BodyTooShort);
            }
        }
        if ends {
            self.received = Half::Done;
        }
        Ok(())
    }

    /// Takes octets off the window that the peer may use.
    ///
    /// # Errors
    /// [`Misdeed::WindowExceeded`].
    pub(crate) fn take_window(&mut self, octets: usize) -> Result<(), Misdeed> {
        self.receive_window -= octets as i64;
        if self.receive_window < 0 { Err(Misdeed::WindowExceeded) } else { Ok(()) }
    }

    /// Adds to the window that we may use.
    ///
    /// # Errors
    /// [`Misdeed::WindowOverflow`].
    pub(crate) fn grow_send_window(&mut self, octets: i64) -> Result<(), Misdeed> {
        self.send_window += octets;
        if octets > 0 {
            self.stalled_since_ms = None;
        }
        if self.send_window > WINDOW_MAX { Err(Misdeed::WindowOverflow) } else { Ok(()) }
    }
}
