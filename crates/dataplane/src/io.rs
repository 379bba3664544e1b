//! The only place that names tokio's sockets. A socket here is the system's, or, in simulation, one in memory.
//!
//! Reads and writes take `&self`, so that both directions of a connection can be driven at once by one task without
//! a lock. A transfer shorter than asked for tells that the socket is drained, and saves the system call that would
//! only say so.

mod pipe;
mod queue;

pub(crate) use pipe::{LentPipe, PIPE_OCTETS_MAX, Pipes};

use crate::buffer::BufferPool;
use crate::h2::{Lane, LaneSocket};
#[cfg(feature = "sim")]
use crate::sim;
use crate::tls::{DetachedTls, Secured, TlsStream};
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::Path;
use std::rc::Rc;
use std::task::{Context, Poll, Waker, ready};
use strait_plan::{EndpointAddress, TlsFacts};
use tokio::io::Interest;
use tokio::net::{TcpStream, UnixStream};

/// Octets that the kernel holds for a client beyond what is on its way, at most. Left alone it takes megabytes for one that
/// reads nothing, and a few hundred of those use up what it has for all connections of the machine.
pub(crate) const UNSENT_MAX: u64 = 512 * 1024;

/// A connected stream.
#[derive(Debug)]
pub(crate) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
    /// One of the others with TLS on it.
    Tls(Box<TlsStream>),
    /// A stream of a connection of HTTP/2: what is read and written are the octets of bodies.
    Lane(LaneSocket),
    #[cfg(feature = "sim")]
    Sim(sim::SimStream),
}

/// A connected stream that belongs to no worker, on its way between two.
#[derive(Debug)]
pub(crate) enum Detached {
    Tcp(std::net::TcpStream),
    Unix(std::os::unix::net::UnixStream),
    Tls(Box<DetachedTls>),
    #[cfg(feature = "sim")]
    Sim(sim::SimStream),
}

/// Runs one system call on whichever system socket it is, telling the reactor when the socket is drained.
macro_rules! attempt_io {
    ($stream:expr, $interest:expr, $wanted:expr, $call:expr) => {{
        let mut short = None;
        let outcome = $stream.try_io($interest, || {
            let moved: usize = $call($stream.as_fd())?;
            if moved > 0 && moved < $wanted {
                // As good as EAGAIN: with edge-triggered readiness, the next octet makes a new event.
                short = Some(moved);
                return Err(io::ErrorKind::WouldBlock.into());
            }
            Ok(moved)
        });
        match short {
            Some(moved) => Ok(moved),
            None => outcome,
        }
    }};
}

impl Socket {
    /// Opens a connection to an address.
    pub(crate) async fn connect_tcp(address: SocketAddr) -> io::Result<Self> {
        #[cfg(feature = "sim")]
        if let Some(network) = sim::current() {
            return network.connect(address).await.map(Self::Sim);
        }
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self::Tcp(stream))
    }

    /// Opens a connection to a Unix socket.
    pub(crate) async fn connect_unix(path: &Path) -> io::Result<Self> {
        UnixStream::connect(path).await.map(Self::Unix)
    }

    /// Ready when a read would not block.
    pub(crate) fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => stream.poll_read_ready(cx),
            Self::Unix(stream) => stream.poll_read_ready(cx),
            Self::Lane(lane) => lane.0.poll_readable(cx).map(Ok),
            Self::Tls(stream) => stream.poll_read_ready(cx),
            #[cfg(feature = "sim")]
            Self::Sim(stream) => stream.poll_read_ready(cx),
        }
    }

    /// Ready when a write would not block.
    pub(crate) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(stream) => stream.poll_write_ready(cx),
            Self::Unix(stream) => stream.poll_write_ready(cx),
            Self::Lane(_) => Poll::Ready(Ok(())),
            Self::Tls(stream) => stream.transport().poll_write_ready(cx),
            #[cfg(feature = "sim")]
            Self::Sim(stream) => stream.poll_write_ready(cx),
        }
    }

    /// Reads what is there; zero at the end of the stream, `WouldBlock` when there is nothing.
    pub(crate) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = buffer.len();
        match self {
            Self::Tcp(stream) => {
                attempt_io!(stream, Interest::READABLE, wanted, |fd| read_some(fd, buffer))
            }
            Self::Unix(stream) => {
                attempt_io!(stream, Interest::READABLE, wanted, |fd| read_some(fd, buffer))
            }
            // Octets of a body are taken by the buffer that they lie in.
            Self::Lane(_) => Err(io::ErrorKind::Unsupported.into()),
            Self::Tls(stream) => stream.try_read(buffer),
            #[cfg(feature = "sim")]
            Self::Sim(stream) => stream.try_read(buffer),
        }
    }

    /// Writes as much as fits of the slices, which together are not empty.
    pub(crate) fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let wanted = slices.iter().map(|slice| slice.len()).sum();
        match self {
            Self::Tcp(stream) => attempt_io!(stream, Interest::WRITABLE, wanted, |fd| write_slices(fd, slices)),
            Self::Unix(stream) => attempt_io!(stream, Interest::WRITABLE, wanted, |fd| write_slices(fd, slices)),
            Self::Lane(lane) => lane.0.try_write(slices),
            Self::Tls(stream) => stream.try_write(slices),
            #[cfg(feature = "sim")]
            Self::Sim(stream) => stream.try_write(slices),
        }
    }

    /// Writes once there is room. The write is tried first: there almost always is.
    pub(crate) fn poll_write(&self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        match self {
            Self::Tls(stream) => return stream.poll_write(cx, slices),
            Self::Lane(lane) => return lane.0.poll_write(cx, slices),
            _ => {}
        }
        loop {
            ready!(self.poll_write_ready(cx))?;
            match self.try_write(slices) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                outcome => return Poll::Ready(outcome),
            }
        }
    }

    /// Octets written that the peer has not taken yet.
    pub(crate) fn queued(&self) -> u64 {
        match self {
            Self::Tcp(stream) => queue::queued(stream),
            Self::Unix(stream) => queue::queued(stream),
            // What a stream took and has not left waits with what others said.
            Self::Lane(_) => 0,
            Self::Tls(stream) => stream.queued(),
            #[cfg(feature = "sim")]
            Self::Sim(_) => 0,
        }
    }

    /// Octets that the kernel would take now without making the writer wait, somewhat less than it could. Costs two or
    /// three system calls; asked for bulk only. A peer on this machine's own sockets is never doubted.
    pub(crate) fn room(&self) -> u64 {
        match self {
            Self::Tcp(stream) => {
                let size = rustix::net::sockopt::socket_send_buffer_size(stream).unwrap_or(0) as u64;
                let queued = queue::queued(stream);
                // The size counts the kernel's own expense, too.
                let of_size = (size - size / 4).saturating_sub(queued);
                let unsent = if queued <= UNSENT_MAX / 2 { queued } else { queue::unsent(stream) };
                of_size.min(UNSENT_MAX.saturating_sub(unsent))
            }
            Self::Unix(_) => u64::MAX,
            Self::Lane(lane) => lane.0.room(),
            Self::Tls(stream) => stream.transport().room(),
            // Both ways through the relay are walked.
            #[cfg(feature = "sim")]
            Self::Sim(stream) => {
                if stream.number() % 2 == 0 {
                    u64::MAX
                } else {
                    0
                }
            }
        }
    }

    /// Ready when the kernel would take octets. Asks the kernel itself: the reactor knows only of writes that failed.
    pub(crate) fn poll_room(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tls(stream) => return stream.transport().poll_room(cx),
            Self::Lane(lane) => return lane.0.poll_room(cx).map(Ok),
            _ => {}
        }
        loop {
            ready!(self.poll_write_ready(cx))?;
            let outcome = match self {
                Self::Tcp(stream) => stream.try_io(Interest::WRITABLE, || takes_octets(stream)),
                Self::Unix(stream) => stream.try_io(Interest::WRITABLE, || takes_octets(stream)),
                Self::Tls(_) | Self::Lane(_) => Ok(()),
                #[cfg(feature = "sim")]
                Self::Sim(_) => Ok(()),
            };
            match outcome {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                outcome => return Poll::Ready(outcome),
            }
        }
    }

    /// Whether it is a Unix socket, whose peer has no address.
    pub(crate) fn is_local(&self) -> bool {
        match self {
            Self::Tls(stream) => stream.transport().is_local(),
            Self::Lane(lane) => lane.0.link().socket().is_local(),
            other => matches!(other, Self::Unix(_)),
        }
    }

    /// Whether the kernel can move octets from and to it past us.
    pub(crate) fn splices(&self) -> bool {
        matches!(self, Self::Tcp(_) | Self::Unix(_))
    }

    /// Moves octets from here into an empty pipe once there are some; zero at the end of the stream.
    pub(crate) fn poll_splice_in(
        &self,
        pipe: &LentPipe<'_>,
        octets: usize,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.poll_read_ready(cx))?;
            match self.try_splice(Interest::READABLE, |socket| pipe.fill(socket, octets)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                outcome => return Poll::Ready(outcome),
            }
        }
    }

    /// Moves octets from a pipe that holds some to here once there is room.
    pub(crate) fn poll_splice_out(&self, pipe: &LentPipe<'_>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.poll_write_ready(cx))?;
            match self.try_splice(Interest::WRITABLE, |socket| pipe.empty(socket)) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                outcome => return Poll::Ready(outcome),
            }
        }
    }

    /// Sends octets of a file from here on once there is room; zero at its end.
    pub(crate) fn poll_send_file(
        &self,
        file: BorrowedFd<'_>,
        at: u64,
        octets: usize,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.poll_write_ready(cx))?;
            let send = |socket: BorrowedFd<'_>| Ok(rustix::fs::sendfile(socket, file, Some(&mut at.clone()), octets)?);
            match self.try_splice(Interest::WRITABLE, send) {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                outcome => return Poll::Ready(outcome),
            }
        }
    }

    fn try_splice(
        &self,
        interest: Interest,
        call: impl FnOnce(BorrowedFd<'_>) -> io::Result<usize>,
    ) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.try_io(interest, || call(stream.as_fd())),
            Self::Unix(stream) => stream.try_io(interest, || call(stream.as_fd())),
            Self::Tls(_) | Self::Lane(_) => Err(io::ErrorKind::Unsupported.into()),
            #[cfg(feature = "sim")]
            Self::Sim(_) => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    /// What has happened on a socket from which nothing is expected.
    pub(crate) fn poll_unexpected(&self, cx: &mut Context<'_>) -> Poll<Unexpected> {
        match self {
            Self::Tls(stream) => return stream.poll_unexpected(cx),
            Self::Lane(lane) => return lane.0.poll_unexpected(cx),
            _ => {}
        }
        loop {
            if ready!(self.poll_read_ready(cx)).is_err() {
                return Poll::Ready(Unexpected::Broken);
            }
            match self.peek() {
                Ok(0) => return Poll::Ready(Unexpected::End),
                Ok(_) => return Poll::Ready(Unexpected::Octets),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return Poll::Ready(Unexpected::Broken),
            }
        }
    }

    /// Whether an idle connection is still open and has said nothing. Costs no system call in the common case: the
    /// reactor would have told.
    pub(crate) fn is_quiet(&self) -> bool {
        self.poll_unexpected(&mut Context::from_waker(Waker::noop())).is_pending()
    }

    fn peek(&self) -> io::Result<usize> {
        let mut octet = [0u8; 1];
        let flags = rustix::net::RecvFlags::PEEK;
        match self {
            Self::Tcp(stream) => {
                stream.try_io(Interest::READABLE, || Ok(rustix::net::recv(stream, &mut octet, flags)?.0))
            }
            Self::Unix(stream) => {
                stream.try_io(Interest::READABLE, || Ok(rustix::net::recv(stream, &mut octet, flags)?.0))
            }
            Self::Tls(_) | Self::Lane(_) => Err(io::ErrorKind::Unsupported.into()),
            #[cfg(feature = "sim")]
            Self::Sim(stream) => stream.peek(),
        }
    }

    /// Says that nothing more will be sent.
    pub(crate) fn shutdown_write(&self) {
        let how = rustix::net::Shutdown::Write;
        // A connection that is gone already needs no shutdown.
        let _ = match self {
            Self::Tcp(stream) => rustix::net::shutdown(stream, how),
            Self::Unix(stream) => rustix::net::shutdown(stream, how),
            Self::Lane(lane) => {
                lane.0.end_behind(0, None);
                Ok(())
            }
            Self::Tls(stream) => {
                stream.shutdown_write();
                Ok(())
            }
            #[cfg(feature = "sim")]
            Self::Sim(stream) => {
                stream.shutdown_write();
                Ok(())
            }
        };
    }

    /// Makes closing reset the connection, so that the peer cannot take what it got for a whole message.
    pub(crate) fn reset_on_close(&self) {
        match self {
            Self::Tcp(stream) => {
                let _ = socket2::SockRef::from(stream).set_linger(Some(std::time::Duration::ZERO));
            }
            Self::Unix(_) => {}
            // A stream that is given back before its end is reset.
            Self::Lane(_) => {}
            Self::Tls(stream) => stream.reset_on_close(),
            #[cfg(feature = "sim")]
            Self::Sim(stream) => stream.reset_on_close(),
        }
    }

    /// Says that nothing more will be sent, where the protocol has a word for it, before the connection is closed.
    pub(crate) fn say_end(&self) {
        if let Self::Tls(stream) = self {
            stream.say_end();
        }
    }

    /// What the TLS handshake came to; `None` where there was none.
    pub(crate) fn secured(&self) -> Option<&Secured> {
        match self {
            Self::Tls(stream) => Some(stream.secured()),
            Self::Lane(lane) => lane.0.link().socket().secured(),
            _ => None,
        }
    }

    /// What conditions and templates may ask about the TLS on it.
    pub(crate) fn tls(&self) -> Option<&TlsFacts> {
        self.secured().map(|secured| &secured.facts)
    }

    /// The stream that it is, if it is one.
    pub(crate) fn lane(&self) -> Option<&Lane> {
        if let Self::Lane(lane) = self { Some(&lane.0) } else { None }
    }

    /// Takes the socket away from this worker's reactor.
    pub(crate) fn detach(self) -> io::Result<Detached> {
        match self {
            Self::Tcp(stream) => stream.into_std().map(Detached::Tcp),
            Self::Unix(stream) => stream.into_std().map(Detached::Unix),
            Self::Lane(_) => Err(io::ErrorKind::Unsupported.into()),
            Self::Tls(stream) => stream.detach().map(Box::new).map(Detached::Tls),
            #[cfg(feature = "sim")]
            Self::Sim(stream) => Ok(Detached::Sim(stream)),
        }
    }
}

impl Detached {
    /// Gives the socket to this worker's reactor.
    pub(crate) fn attach(self, buffers: &Rc<BufferPool>) -> io::Result<Socket> {
        match self {
            Self::Tcp(stream) => TcpStream::from_std(stream).map(Socket::Tcp),
            Self::Unix(stream) => UnixStream::from_std(stream).map(Socket::Unix),
            Self::Tls(stream) => stream.attach(buffers).map(Box::new).map(Socket::Tls),
            #[cfg(feature = "sim")]
            Self::Sim(stream) => Ok(Socket::Sim(stream)),
        }
    }
}

/// What happened on a socket from which nothing was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unexpected {
    /// Octets arrived.
    Octets,
    /// The peer will send nothing more.
    End,
    /// The connection is gone.
    Broken,
}

/// `recv` and `send` go straight to the socket; `read` and `write` go through the file layer first.
fn read_some(fd: BorrowedFd<'_>, buffer: &mut [u8]) -> io::Result<usize> {
    Ok(rustix::net::recv(fd, buffer, rustix::net::RecvFlags::empty())?.0)
}

/// Fails with `WouldBlock` when the kernel would take nothing; then it tells the reactor once it does again.
fn takes_octets(socket: impl AsFd) -> io::Result<()> {
    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    match poll(&mut [PollFd::new(&socket, PollFlags::OUT)], Some(&now))? {
        0 => Err(io::ErrorKind::WouldBlock.into()),
        _ => Ok(()),
    }
}

fn write_slices(fd: BorrowedFd<'_>, slices: &[IoSlice<'_>]) -> io::Result<usize> {
    Ok(match slices {
        [only] => rustix::net::send(fd, only, rustix::net::SendFlags::NOSIGNAL)?,
        several => rustix::io::writev(fd, several)?,
    })
}

/// Opens a connection to an endpoint: to the addresses in turn, until one answers.
pub(crate) async fn connect(address: &EndpointAddress, resolved: &[SocketAddr]) -> io::Result<Socket> {
    if let EndpointAddress::Unix(path) = address {
        return Socket::connect_unix(path).await;
    }
    let mut last = io::Error::new(io::ErrorKind::HostUnreachable, "the name has no address");
    for &address in resolved {
        match Socket::connect_tcp(address).await {
            Ok(socket) => return Ok(socket),
            Err(error) => last = error,
        }
    }
    Err(last)
}
