//! Readiness and sockets at the level of epoll: the floor, the origin and the load share these few calls, and nothing
//! stands between them and the kernel, so that what is measured is the proxy.

use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::io::Errno;
use rustix::net::{
    AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType, bind, connect, listen, recv, send, socket_with,
    sockopt,
};
use rustix::time::Timespec;

/// Events taken from the kernel in one call.
const EVENTS_MAX: usize = 256;

/// Connections the kernel may hold before they are accepted; it lowers this to `net.core.somaxconn`.
const BACKLOG: i32 = 16_384;

/// What became of one non-blocking read or write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Io {
    /// This many bytes moved, at least one.
    Moved(usize),
    /// Nothing now; an event will tell.
    Blocked,
    /// The other side is gone: end of stream, reset or refused.
    Gone,
}

impl Io {
    /// That nothing moved which counts, unless the other side is gone.
    pub(crate) fn or_blocked(self) -> Io {
        if self == Io::Gone { Io::Gone } else { Io::Blocked }
    }
}

/// One ready socket.
#[derive(Clone, Copy)]
pub(crate) struct Ready {
    pub(crate) token: u64,
    /// The other side sent its last byte: read to the end, no further event will tell.
    pub(crate) last: bool,
}

/// An epoll instance with its own event buffer.
pub(crate) struct Poll {
    epoll: OwnedFd,
    events: Vec<epoll::Event>,
}

impl Poll {
    pub(crate) fn new() -> io::Result<Poll> {
        Ok(Poll { epoll: epoll::create(CreateFlags::CLOEXEC)?, events: Vec::with_capacity(EVENTS_MAX) })
    }

    /// Watches both directions of `socket`, edge-triggered: registered once, never changed.
    pub(crate) fn watch(&self, socket: impl AsFd, token: u64) -> io::Result<()> {
        let interest = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        Ok(epoll::add(&self.epoll, socket, EventData::new_u64(token), interest)?)
    }

    /// Watches a listening socket, level-triggered.
    pub(crate) fn watch_listener(&self, socket: impl AsFd, token: u64) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, socket, EventData::new_u64(token), EventFlags::IN)?)
    }

    /// Waits up to `timeout` (`None`: for ever) and appends the ready sockets to `ready`.
    pub(crate) fn wait(&mut self, timeout: Option<Duration>, ready: &mut Vec<Ready>) -> io::Result<()> {
        let timeout = timeout.map(|wait| Timespec {
            tv_sec: i64::try_from(wait.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(wait.subsec_nanos()),
        });
        self.events.clear();
        match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut self.events), timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let ended = EventFlags::RDHUP | EventFlags::HUP | EventFlags::ERR;
        ready.extend(self.events.iter().map(|event| {
            // The kernel's structure is packed: its fields are copied, not borrowed.
            let (data, flags) = (event.data, event.flags);
            Ready { token: data.u64(), last: flags.intersects(ended) }
        }));
        Ok(())
    }
}

/// A non-blocking listening socket on `address`.
pub(crate) fn listener(address: SocketAddr) -> io::Result<OwnedFd> {
    let socket = tcp_socket()?;
    sockopt::set_socket_reuseaddr(&socket, true)?;
    bind(&socket, &address)?;
    listen(&socket, BACKLOG)?;
    Ok(socket)
}

/// Accepts one connection, or `None` when no more are waiting.
pub(crate) fn accept(listener: &OwnedFd) -> io::Result<Option<OwnedFd>> {
    match rustix::net::accept_with(listener, SocketFlags::NONBLOCK | SocketFlags::CLOEXEC) {
        Ok(socket) => {
            sockopt::set_tcp_nodelay(&socket, true)?;
            Ok(Some(socket))
        }
        Err(Errno::AGAIN | Errno::INTR | Errno::CONNABORTED) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Begins to connect; the outcome shows in the first read or write.
pub(crate) fn dial(address: SocketAddr) -> io::Result<OwnedFd> {
    let socket = tcp_socket()?;
    sockopt::set_tcp_nodelay(&socket, true)?;
    match connect(&socket, &address) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(socket),
        Err(error) => Err(error.into()),
    }
}

fn tcp_socket() -> io::Result<OwnedFd> {
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    Ok(socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)?)
}

/// Reads what is there, up to the length of `buffer`.
pub(crate) fn read(socket: &OwnedFd, buffer: &mut [u8]) -> Io {
    outcome(recv(socket, buffer, RecvFlags::empty()).map(|(_, length)| length))
}

/// Takes up to the length of `buffer` from the socket and throws it away inside the kernel (`MSG_TRUNC`, tcp(7)):
/// bodies that are only counted cost no copy.
pub(crate) fn discard(socket: &OwnedFd, buffer: &mut [u8]) -> Io {
    outcome(recv(socket, buffer, RecvFlags::TRUNC).map(|(_, length)| length))
}

/// Writes as much of `bytes` as the socket takes.
pub(crate) fn write(socket: &OwnedFd, bytes: &[u8]) -> Io {
    outcome(send(socket, bytes, SendFlags::NOSIGNAL))
}

fn outcome(result: Result<usize, Errno>) -> Io {
    match result {
        Ok(0) => Io::Gone,
        Ok(length) => Io::Moved(length),
        // A socket whose connect is under way answers a write with ENOTCONN or EAGAIN.
        Err(Errno::AGAIN | Errno::INTR | Errno::NOTCONN) => Io::Blocked,
        Err(_) => Io::Gone,
    }
}
