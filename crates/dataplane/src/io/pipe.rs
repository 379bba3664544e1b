//! Pipes through which the kernel moves octets from socket to socket.

use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};
use std::cell::{Cell, RefCell};
use std::io;
use std::os::fd::{BorrowedFd, OwnedFd};

/// Octets that are put into a pipe before it is emptied, at most.
pub(crate) const PIPE_OCTETS_MAX: usize = 256 * 1024;
/// Pipes that a worker lends at a time. Each takes two descriptors; who gets none copies.
const LENT_MAX: usize = 64;
/// Empty pipes a worker keeps for later.
const KEPT_MAX: usize = 16;

/// A worker's pipes.
#[derive(Debug, Default)]
pub(crate) struct Pipes {
    spare: RefCell<Vec<Pipe>>,
    lent: Cell<usize>,
}

#[derive(Debug)]
struct Pipe {
    inlet: OwnedFd,
    outlet: OwnedFd,
}

/// A pipe in use. One that is dropped with octets in it is closed, else it is kept.
#[derive(Debug)]
pub(crate) struct LentPipe<'a> {
    pipes: &'a Pipes,
    pipe: Option<Pipe>,
    /// Octets in it.
    held: Cell<usize>,
}

impl Pipes {
    /// Lends an empty pipe, unless too many are lent or the system has none.
    pub(crate) fn lend(&self) -> Option<LentPipe<'_>> {
        if self.lent.get() >= LENT_MAX {
            return None;
        }
        let spare = self.spare.borrow_mut().pop();
        let pipe = spare.or_else(|| Pipe::new().ok())?;
        self.lent.set(self.lent.get() + 1);
        Some(LentPipe { pipes: self, pipe: Some(pipe), held: Cell::new(0) })
    }

    /// Closes half of the spare ones.
    pub(crate) fn trim(&self) {
        let mut spare = self.spare.borrow_mut();
        let keep = spare.len() / 2;
        spare.truncate(keep);
    }
}

impl Pipe {
    fn new() -> io::Result<Self> {
        let (outlet, inlet) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        // A pipe of the ordinary size works too, only slower: users may be short of room for pipes.
        let _ = fcntl_setpipe_size(&inlet, PIPE_OCTETS_MAX);
        Ok(Self { inlet, outlet })
    }
}

impl LentPipe<'_> {
    /// Octets in it.
    pub(crate) fn held(&self) -> usize {
        self.held.get()
    }

    /// Moves octets from a socket into the pipe, which must be empty; zero at the end of the stream.
    pub(super) fn fill(&self, source: BorrowedFd<'_>, octets: usize) -> io::Result<usize> {
        let Some(pipe) = &self.pipe else { return Ok(0) };
        let octets = octets.min(PIPE_OCTETS_MAX);
        let moved = splice(source, None, &pipe.inlet, None, octets, FLAGS)?;
        self.held.set(self.held.get() + moved);
        Ok(moved)
    }

    /// Moves octets from the pipe to a socket.
    pub(super) fn empty(&self, sink: BorrowedFd<'_>) -> io::Result<usize> {
        let Some(pipe) = &self.pipe else { return Ok(0) };
        let moved = splice(&pipe.outlet, None, sink, None, self.held.get(), FLAGS)?;
        self.held.set(self.held.get().saturating_sub(moved));
        Ok(moved)
    }
}

const FLAGS: SpliceFlags = SpliceFlags::NONBLOCK.union(SpliceFlags::MOVE);

impl Drop for LentPipe<'_> {
    fn drop(&mut self) {
        self.pipes.lent.set(self.pipes.lent.get() - 1);
        let mut spare = self.pipes.spare.borrow_mut();
        if self.held.get() == 0 && spare.len() < KEPT_MAX {
            spare.extend(self.pipe.take());
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::{KEPT_MAX, LENT_MAX, Pipes};
    use std::io::{Read, Write};
    use std::os::fd::AsFd;
    use std::os::unix::net::UnixStream;

    #[test]
    fn octets_pass_and_the_empty_pipe_is_kept() {
        let pipes = Pipes::default();
        let (mut client, near) = UnixStream::pair().unwrap();
        let (far, mut origin) = UnixStream::pair().unwrap();
        client.write_all(b"past us").unwrap();
        let pipe = pipes.lend().unwrap();
        assert_eq!(pipe.fill(near.as_fd(), 4).unwrap(), 4);
        assert_eq!((pipe.empty(far.as_fd()).unwrap(), pipe.held()), (4, 0));
        drop(pipe);
        assert_eq!(pipes.spare.borrow().len(), 1);
        let mut got = [0; 4];
        origin.read_exact(&mut got).unwrap();
        assert_eq!(&got, b"past");
    }

    #[test]
    fn a_pipe_with_octets_in_it_is_closed() {
        let pipes = Pipes::default();
        let (mut client, near) = UnixStream::pair().unwrap();
        client.write_all(b"x").unwrap();
        let pipe = pipes.lend().unwrap();
        assert_eq!(pipe.fill(near.as_fd(), 1).unwrap(), 1);
        drop(pipe);
        assert!(pipes.spare.borrow().is_empty());
    }

    #[test]
    fn so_many_are_lent_and_kept_and_no_more() {
        let pipes = Pipes::default();
        let lent: Vec<_> = std::iter::from_fn(|| pipes.lend()).take(LENT_MAX + 1).collect();
        assert_eq!(lent.len(), LENT_MAX);
        drop(lent);
        assert_eq!((pipes.spare.borrow().len(), pipes.lent.get()), (KEPT_MAX, 0));
        pipes.trim();
        assert_eq!(pipes.spare.borrow().len(), KEPT_MAX / 2);
    }
}
