//! Sockets that were bound before this process began, by a service manager that keeps them over its restarts.

use crate::io::UNSENT_MAX;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::UnixListener;
use std::path::Path;

/// Listening sockets to use in place of binding. Each serves the listener with its address, as often as one comes: a
/// listener that a reload takes away leaves its socket here.
#[derive(Debug, Default)]
pub struct Inherited {
    /// Sockets of addresses and ports.
    pub tcp: Vec<TcpListener>,
    /// Unix sockets.
    pub unix: Vec<UnixListener>,
}

impl Inherited {
    /// One socket a worker for this address, all of the same queue; `None` when none was inherited for it.
    pub(crate) fn tcp(&self, address: SocketAddr, workers: usize) -> Option<io::Result<Vec<TcpListener>>> {
        let mut held = self.tcp.iter();
        let socket = held.find(|socket| socket.local_addr().is_ok_and(|at| names(at, address)))?;
        Some(prepare(socket).and_then(|()| (0..workers).map(|_| socket.try_clone()).collect()))
    }

    /// The Unix socket of this path.
    pub(crate) fn unix(&self, path: &Path) -> Option<io::Result<UnixListener>> {
        let is_it = |socket: &&UnixListener| socket.local_addr().is_ok_and(|at| at.as_pathname() == Some(path));
        let socket = self.unix.iter().find(is_it)?;
        Some(socket.set_nonblocking(true).and_then(|()| socket.try_clone()))
    }
}

/// Whether a socket bound to `at` is what `wanted` means. Every address is every address, whichever family says so.
fn names(at: SocketAddr, wanted: SocketAddr) -> bool {
    let all = at.ip().is_unspecified() && wanted.ip().is_unspecified();
    at.port() == wanted.port() && (at.ip() == wanted.ip() || all)
}

/// What sockets of our own are given when they are bound.
fn prepare(socket: &TcpListener) -> io::Result<()> {
    socket.set_nonblocking(true)?;
    let options = socket2::SockRef::from(socket);
    options.set_tcp_nodelay(true)?;
    options.set_tcp_notsent_lowat(UNSENT_MAX as u32)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]

    use super::{Inherited, names};
    use std::net::TcpListener;

    #[test]
    fn a_socket_is_found_by_its_address_again_and_again() {
        let socket = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = socket.local_addr().unwrap();
        let inherited = Inherited { tcp: vec![socket], ..Inherited::default() };
        assert_eq!(inherited.tcp(address, 3).unwrap().unwrap().len(), 3);
        assert!(inherited.tcp(address, 1).is_some());
        assert!(inherited.tcp("127.0.0.1:1".parse().unwrap(), 1).is_none());
    }

    #[test]
    fn every_address_is_every_address() {
        let at = |text: &str| text.parse().unwrap();
        assert!(names(at("0.0.0.0:80"), at("[::]:80")));
        assert!(!names(at("0.0.0.0:80"), at("127.0.0.1:80")));
        assert!(!names(at("0.0.0.0:80"), at("0.0.0.0:81")));
    }
}
