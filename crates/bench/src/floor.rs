//! The floor: an L4 relay that parses nothing, one connection to the origin per client connection. No proxy that reads,
//! decides and rewrites can cost less on the same kernel calls, so a proxy's cost is told as a multiple of this.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use crate::poll::{self, Io, Poll, Ready};
use crate::slab::Slab;

/// Bytes read in one call. Measured for the bulk rows: 256 KiB cost a third of what 16 KiB do, more gains nothing.
const READ_BYTES: usize = 256 << 10;

const LISTENER: u64 = u64::MAX;

struct Pair {
    client: OwnedFd,
    origin: OwnedFd,
    /// Bytes that the socket they are for did not take yet.
    to_client: Vec<u8>,
    to_origin: Vec<u8>,
}

/// Relays every connection on `listen` to `origin`, for ever, on this thread.
pub(crate) fn run(listen: SocketAddr, origin: SocketAddr) -> io::Result<()> {
    let mut poll = Poll::new()?;
    let listener = poll::listener(listen)?;
    poll.watch_listener(&listener, LISTENER)?;
    let mut pairs: Slab<Pair> = Slab::new();
    let mut scratch = vec![0; READ_BYTES];
    let mut ready = Vec::new();
    loop {
        ready.clear();
        poll.wait(None, &mut ready)?;
        for Ready { token, last } in ready.iter().copied() {
            if token == LISTENER {
                accept(&listener, origin, &poll, &mut pairs)?;
                continue;
            }
            let place = usize::try_from(token / 2).unwrap_or(usize::MAX);
            let alive = pairs.get_mut(place).is_none_or(|pair| pair.relay(token % 2 == 1, last, &mut scratch));
            if !alive {
                pairs.remove(place);
            }
        }
    }
}

fn accept(listener: &OwnedFd, origin: SocketAddr, poll: &Poll, pairs: &mut Slab<Pair>) -> io::Result<()> {
    while let Some(client) = poll::accept(listener)? {
        let origin = poll::dial(origin)?;
        let place = pairs.insert(Pair { client, origin, to_client: Vec::new(), to_origin: Vec::new() });
        if let Some(pair) = pairs.get_mut(place) {
            poll.watch(&pair.client, place as u64 * 2)?;
            poll.watch(&pair.origin, place as u64 * 2 + 1)?;
        }
    }
    Ok(())
}

impl Pair {
    /// Acts on readiness of one side: writes what waited for it, then reads from it; false when the pair is over.
    fn relay(&mut self, from_origin: bool, last: bool, scratch: &mut [u8]) -> bool {
        let (from, to, waiting, back) = if from_origin {
            (&self.origin, &self.client, &mut self.to_client, &mut self.to_origin)
        } else {
            (&self.client, &self.origin, &mut self.to_origin, &mut self.to_client)
        };
        let was_blocked = !back.is_empty();
        if was_blocked && !flush(from, back) {
            return false;
        }
        let alive = copy(from, to, waiting, last, scratch);
        // Reading from the other side paused while its bytes waited for this one; its edge has passed, so read now.
        if alive && was_blocked && back.is_empty() { copy(to, from, back, true, scratch) } else { alive }
    }
}

/// Writes what waits; false when the socket is gone.
fn flush(socket: &OwnedFd, waiting: &mut Vec<u8>) -> bool {
    match poll::write(socket, waiting) {
        Io::Moved(length) => {
            waiting.drain(..length);
            true
        }
        Io::Blocked => true,
        Io::Gone => false,
    }
}

/// Copies until `from` is empty or `to` takes no more; false when either is gone.
fn copy(from: &OwnedFd, to: &OwnedFd, waiting: &mut Vec<u8>, last: bool, scratch: &mut [u8]) -> bool {
    while waiting.is_empty() {
        let length = match poll::read(from, scratch) {
            Io::Moved(length) => length,
            Io::Blocked => return true,
            Io::Gone => return false,
        };
        let bytes = scratch.get(..length).unwrap_or_default();
        let sent = match poll::write(to, bytes) {
            Io::Moved(sent) => sent,
            Io::Blocked => 0,
            Io::Gone => return false,
        };
        waiting.extend_from_slice(bytes.get(sent..).unwrap_or_default());
        if length < scratch.len() && !last {
            break;
        }
    }
    true
}
