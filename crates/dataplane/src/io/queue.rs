//! What the kernel holds of what was written to a connection: octets that the peer has not taken yet.
#![allow(unsafe_code, reason = "no safe crate wraps the requests SIOCOUTQ and SIOCOUTQNSD")]

use rustix::ioctl::{Getter, Opcode, ioctl};
use std::ffi::c_int;
use std::os::fd::AsFd;

/// Requests of the kernel's interface to sockets.
const SIOCOUTQ: Opcode = 0x5411;
const SIOCOUTQNSD: Opcode = 0x894B;

/// Octets written and not yet acknowledged by the peer; none where the system cannot tell.
pub(super) fn queued(socket: impl AsFd) -> u64 {
    count::<SIOCOUTQ>(socket)
}

/// Those of them that were not even sent.
pub(super) fn unsent(socket: impl AsFd) -> u64 {
    count::<SIOCOUTQNSD>(socket)
}

fn count<const REQUEST: Opcode>(socket: impl AsFd) -> u64 {
    // SAFETY: either request stores one `int` through its argument, which is what `Getter` gives it room for, and does
    // nothing else; the descriptor is borrowed, hence open.
    let octets = unsafe { ioctl(socket, Getter::<REQUEST, c_int>::new()) };
    octets.ok().and_then(|octets| u64::try_from(octets).ok()).unwrap_or(0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::{queued, unsent};
    use std::io::{Read, Write};
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn what_the_peer_does_not_read_is_counted() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut writer = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut reader, _) = listener.accept().unwrap();
        assert_eq!(queued(&writer), 0);
        writer.set_nonblocking(true).unwrap();
        let mut written = 0;
        while let Ok(octets) = writer.write(&[0; 65_536]) {
            written += octets;
        }
        assert!(queued(&writer) >= unsent(&writer) && unsent(&writer) > 0);
        reader.read_exact(&mut vec![0; written]).unwrap();
    }
}
