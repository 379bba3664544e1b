//! One client connection of the load: sends a request, reads the answer, checks it.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::time::Instant;

use memchr::memmem;

use crate::load::Ask;
use crate::origin::content_length;
use crate::poll::{self, Io};
use crate::secure::Secured;

/// A response head that grows beyond this is a fault.
const HEAD_BYTES_MAX: usize = 32 << 10;

/// What was wrong with an answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Fault {
    /// Another status than expected.
    Status,
    /// Another body length than expected, or none told.
    Length,
    /// Refused, reset, or closed before the answer was complete.
    Broken,
}

/// Where a connection stands after an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Progress {
    Waiting,
    Answered,
    Failed(Fault),
}

/// A socket to the proxy and the request on it.
pub(crate) struct Connection {
    socket: OwnedFd,
    secured: Option<Box<Secured>>,
    stage: Stage,
    /// Part of a response head.
    carry: Vec<u8>,
    /// When the request of an open loop was due.
    pub(crate) due: Option<Instant>,
}

#[derive(Clone, Copy)]
enum Stage {
    /// No request.
    Idle,
    /// So many bytes of this request are sent.
    Send { request: usize, sent: usize },
    /// The response head comes next.
    Head,
    /// So many bytes of the response body come next.
    Body { left: usize },
    /// The answer is complete and the proxy must close.
    Close,
}

impl Connection {
    pub(crate) fn open(proxy: SocketAddr, ask: &Ask) -> io::Result<Connection> {
        let secured = ask.secure.as_ref().map(|policy| Secured::new(policy).map(Box::new)).transpose()?;
        Ok(Connection { socket: poll::dial(proxy)?, secured, stage: Stage::Idle, carry: Vec::new(), due: None })
    }

    /// Whether its TLS session began as an earlier one.
    pub(crate) fn resumed(&self) -> bool {
        self.secured.as_ref().is_some_and(|secured| secured.resumed == Some(true))
    }

    pub(crate) fn socket(&self) -> &OwnedFd {
        &self.socket
    }

    /// Sends a request as far as the socket takes it; the rest, and any failure, follow with the next event.
    pub(crate) fn send(&mut self, request: usize, due: Instant, ask: &Ask) {
        self.due = Some(due);
        self.stage = Stage::Send { request, sent: 0 };
        self.push(ask);
    }

    /// Goes on as far as the socket allows. `last`: the proxy will send nothing more.
    pub(crate) fn advance(&mut self, ask: &Ask, last: bool, scratch: &mut [u8]) -> Progress {
        match self.shake(scratch) {
            Io::Moved(_) => {}
            Io::Blocked => return Progress::Waiting,
            Io::Gone => return Progress::Failed(Fault::Broken),
        }
        if matches!(self.stage, Stage::Send { .. }) && !self.push(ask) {
            return Progress::Failed(Fault::Broken);
        }
        loop {
            let read = self.read(scratch);
            let length = match read {
                Io::Moved(length) => length,
                Io::Blocked => return Progress::Waiting,
                Io::Gone if matches!(self.stage, Stage::Close) => return Progress::Answered,
                Io::Gone => return Progress::Failed(Fault::Broken),
            };
            let progress = self.take(length, ask, scratch);
            let more = self.secured.as_ref().map_or(length == scratch.len(), |secured| secured.may_have_more);
            let to_end = last || matches!(self.stage, Stage::Close) || more;
            if progress != Progress::Waiting || !to_end {
                return progress;
            }
        }
    }

    /// Shakes hands where TLS is spoken; `Moved` when the request may go.
    fn shake(&mut self, scratch: &mut [u8]) -> Io {
        match &mut self.secured {
            Some(secured) if secured.resumed.is_none() => secured.shake(&self.socket, scratch),
            Some(secured) => secured.flush(&self.socket),
            None => Io::Moved(1),
        }
    }

    fn read(&mut self, scratch: &mut [u8]) -> Io {
        let bulk = matches!(self.stage, Stage::Body { left } if left > 0);
        match &mut self.secured {
            Some(secured) => secured.read(&self.socket, scratch),
            None if bulk => poll::discard(&self.socket, scratch),
            None => poll::read(&self.socket, scratch),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> Io {
        match &mut self.secured {
            Some(secured) if secured.resumed.is_none() => secured.flush(&self.socket).or_blocked(),
            Some(secured) => secured.write(&self.socket, bytes),
            None => poll::write(&self.socket, bytes),
        }
    }

    /// Writes what is left of the request; false when the connection is gone.
    fn push(&mut self, ask: &Ask) -> bool {
        while let Stage::Send { request, sent } = self.stage {
            let unsent = ask.requests.get(request).and_then(|bytes| bytes.get(sent..)).unwrap_or_default();
            match self.write(unsent) {
                Io::Moved(length) if length == unsent.len() => self.stage = Stage::Head,
                Io::Moved(length) => self.stage = Stage::Send { request, sent: sent + length },
                Io::Blocked => return true,
                Io::Gone => return false,
            }
        }
        true
    }

    /// Takes the first `length` bytes of `scratch` (bodies: only their number).
    fn take(&mut self, length: usize, ask: &Ask, scratch: &[u8]) -> Progress {
        match self.stage {
            Stage::Body { left } => self.body(left, length, ask),
            // An answer may begin while the request is still being sent; nothing else is expected unasked.
            Stage::Head | Stage::Send { .. } => self.head(scratch.get(..length).unwrap_or_default(), ask),
            Stage::Idle | Stage::Close => Progress::Failed(Fault::Length),
        }
    }

    fn head(&mut self, bytes: &[u8], ask: &Ask) -> Progress {
        if self.carry.is_empty()
            && let Some(end) = memmem::find(bytes, b"\r\n\r\n")
        {
            return self.whole_head(bytes, end + 4, ask);
        }
        let mut carry = std::mem::take(&mut self.carry);
        carry.extend_from_slice(bytes);
        match memmem::find(&carry, b"\r\n\r\n") {
            Some(end) => self.whole_head(&carry, end + 4, ask),
            None if carry.len() > HEAD_BYTES_MAX => Progress::Failed(Fault::Broken),
            None => {
                self.carry = carry;
                Progress::Waiting
            }
        }
    }

    fn whole_head(&mut self, bytes: &[u8], head_length: usize, ask: &Ask) -> Progress {
        let head = bytes.get(..head_length).unwrap_or_default();
        let status = head.get(9..12).and_then(|digits| std::str::from_utf8(digits).ok()?.parse::<u16>().ok());
        if status != Some(ask.status) {
            return Progress::Failed(Fault::Status);
        }
        let bodyless = matches!(ask.status, 204 | 304);
        if !bodyless && content_length(head) != Some(ask.body_length) {
            return Progress::Failed(Fault::Length);
        }
        self.body(ask.body_length, bytes.len() - head_length, ask)
    }

    fn body(&mut self, left: usize, arrived: usize, ask: &Ask) -> Progress {
        match left.checked_sub(arrived) {
            None => Progress::Failed(Fault::Length),
            Some(0) if ask.fresh => {
                self.stage = Stage::Close;
                Progress::Waiting
            }
            Some(0) => {
                self.stage = Stage::Idle;
                Progress::Answered
            }
            Some(left) => {
                self.stage = Stage::Body { left };
                Progress::Waiting
            }
        }
    }
}
