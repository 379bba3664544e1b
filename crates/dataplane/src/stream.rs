//! A socket with what was received from it and not yet taken, and the waits both sides need.

use crate::alarm::Alarm;
use crate::buffer::{Buffer, BufferPool, SMALL};
use crate::io::Socket;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll};

/// At most this many octets are set aside in a small allocation while more are awaited, so that a peer that drips
/// holds no whole buffer.
const STASH_MAX: usize = 1024;

/// Octets received and not yet taken. Default, the state of an idle connection, is none.
#[derive(Debug, Default)]
pub(crate) struct Held {
    /// A borrowed buffer.
    buffer: Option<Buffer>,
    /// A few octets, set aside while more are awaited; then there is no buffer.
    stash: Option<Box<[u8]>>,
}

/// Why a wait ended without what was waited for.
#[derive(Debug)]
pub(crate) enum Interrupt {
    /// The deadline passed.
    Deadline,
    /// The connection failed.
    Io(io::Error),
}

impl From<io::Error> for Interrupt {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Held {
    /// The octets.
    pub(crate) fn octets(&self) -> &[u8] {
        match (&self.buffer, &self.stash) {
            (Some(buffer), _) => buffer.filled(),
            (None, Some(stash)) => stash,
            (None, None) => &[],
        }
    }

    /// The octets, to be worked on where they lie.
    pub(crate) fn octets_mut(&mut self) -> &mut [u8] {
        match (&mut self.buffer, &mut self.stash) {
            (Some(buffer), _) => buffer.filled_mut(),
            (None, Some(stash)) => stash,
            (None, None) => &mut [],
        }
    }

    /// Whether the last read filled its buffer, so that more is probably there.
    pub(crate) fn is_full(&self) -> bool {
        self.buffer.as_ref().is_some_and(Buffer::is_full)
    }

    /// Whether there are none.
    pub(crate) fn is_empty(&self) -> bool {
        self.octets().is_empty()
    }

    /// Takes octets from the front. A buffer goes back once it is empty.
    pub(crate) fn consume(&mut self, octets: usize) {
        if octets == 0 {
            return;
        }
        if let Some(buffer) = &mut self.buffer {
            buffer.consume(octets);
        } else if let Some(stash) = &mut self.stash {
            *stash = stash.get(octets..).unwrap_or_default().into();
        }
        if self.is_empty() {
            *self = Self::default();
        }
    }

    /// Goes easy on memory before a wait: few octets move out of their buffer.
    pub(crate) fn settle(&mut self) {
        if let Some(buffer) = self.buffer.take_if(|buffer| buffer.filled().len() <= STASH_MAX) {
            self.stash = Some(buffer.filled()).filter(|octets| !octets.is_empty()).map(Box::from);
        }
    }

    /// A buffer with what is held, and room behind it.
    pub(crate) fn buffer(&mut self, pool: &Rc<BufferPool>, large: bool) -> &mut Buffer {
        let outgrown = self.buffer.take_if(|buffer| large && !buffer.is_large());
        let stash = self.stash.take();
        self.buffer.get_or_insert_with(|| {
            let mut fresh = pool.borrow(large);
            fresh.put(outgrown.as_ref().map(Buffer::filled).or(stash.as_deref()).unwrap_or_default());
            fresh
        })
    }

    /// Puts octets behind those held; there are no more than a large buffer has room for. A few need no buffer.
    pub(crate) fn put(&mut self, pool: &Rc<BufferPool>, octets: &[u8]) {
        if octets.is_empty() {
            return;
        }
        if self.is_empty() && octets.len() <= STASH_MAX {
            *self = Self { buffer: None, stash: Some(octets.into()) };
            return;
        }
        let large = self.octets().len() + octets.len() > SMALL;
        self.buffer(pool, large).put(octets);
    }

    /// Reads more once it is there. Zero octets mean that the peer will send nothing more, or that the buffer is
    /// full. No buffer is borrowed before there is something to read.
    pub(crate) fn poll_fill(
        &mut self,
        socket: &Socket,
        pool: &Rc<BufferPool>,
        large: bool,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        if let Socket::Lane(lane) = socket {
            return lane.0.poll_fill(self, pool, cx);
        }
        while socket.poll_read_ready(cx)?.is_ready() {
            let buffer = self.buffer(pool, large);
            match socket.try_read(buffer.unfilled()) {
                Ok(octets) => {
                    buffer.filled_more(octets);
                    return Poll::Ready(Ok(octets));
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
        self.settle();
        Poll::Pending
    }

    /// [`Held::poll_fill`] until a deadline.
    pub(crate) async fn fill(
        &mut self,
        socket: &Socket,
        pool: &Rc<BufferPool>,
        large: bool,
        alarm: &Alarm,
    ) -> Result<usize, Interrupt> {
        poll_fn(|cx| match self.poll_fill(socket, pool, large, cx) {
            Poll::Ready(outcome) => Poll::Ready(outcome.map_err(Interrupt::Io)),
            Poll::Pending => alarm.poll(cx).map(|()| Err(Interrupt::Deadline)),
        })
        .await
    }
}

/// Waits until the kernel would take octets, until a deadline. `blocked` is called when there is no room, to set the alarm: in
/// the common case there is, and no clock need be read.
pub(crate) async fn writable(socket: &Socket, alarm: &Alarm, mut blocked: impl FnMut()) -> Result<(), Interrupt> {
    let mut armed = false;
    poll_fn(|cx| match socket.poll_room(cx) {
        Poll::Ready(outcome) => Poll::Ready(outcome.map_err(Interrupt::Io)),
        Poll::Pending => {
            if !std::mem::replace(&mut armed, true) {
                blocked();
            }
            alarm.poll(cx).map(|()| Err(Interrupt::Deadline))
        }
    })
    .await
}
