//! A socket with a TLS session on it. It reads and writes as any other socket does, and while it is idle it holds no
//! buffer.
//!
//! What arrives is opened in the order it came, into the reader's own buffer. What is written is sealed a piece at a
//! time, and the piece counts as written once all of it has left: at most one piece waits in here.

use crate::buffer::{Buffer, BufferPool, SMALL};
use crate::io::{Detached, Socket, Unexpected};
use crate::stream::Held;
use crate::tls::Secured;
use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use strait_message::HandshakeFailure as Failure;
use strait_tls::{Facts, Room, TlsEngine, failure_of};

/// Octets that become so many more when they are sealed that they still fit into a small buffer.
const SMALL_PIECE_MAX: usize = SMALL - 256;

/// Octets of records that are made before they are sent: so many that a call costs little beside them, so few that the
/// kernel finds them in the processor's cache.
const RECORDS_MAX: usize = 64 * 1024;
/// Octets of several slices that are put together before they are sealed: a record costs more than copying them does,
/// and a head with a small body behind it is the most frequent thing there is.
const GATHERED_MAX: usize = 16 * 1024;

/// A socket with a TLS session on it.
#[derive(Debug)]
pub(crate) struct TlsStream {
    transport: Socket,
    pool: Rc<BufferPool>,
    secured: Secured,
    state: RefCell<State>,
}

/// The same without a worker's reactor and buffers, on its way between two.
#[derive(Debug)]
pub(crate) struct DetachedTls {
    transport: Detached,
    engine: TlsEngine,
    secured: Secured,
}

#[derive(Debug)]
struct State {
    engine: TlsEngine,
    /// What arrived and was not opened yet: the beginning of a record.
    incoming: Held,
    /// What was opened and not taken yet.
    plain: Leftover,
    /// Sealed octets on their way out.
    records: Option<Buffer>,
    /// What the protocol itself has to say after them.
    control: Leftover,
    /// The plain octets that count as written once `records` have left.
    promised: usize,
    /// The write side is shut down once all has left.
    ends: bool,
    /// The session is over: the peer broke the protocol, or its connection.
    broken: bool,
}

/// Octets that are taken from the front, without memory when there are none.
#[derive(Debug, Default)]
struct Leftover {
    octets: Vec<u8>,
    taken: usize,
}

impl Leftover {
    fn rest(&self) -> &[u8] {
        self.octets.get(self.taken..).unwrap_or_default()
    }

    fn is_empty(&self) -> bool {
        self.rest().is_empty()
    }

    fn take(&mut self, octets: usize) {
        self.taken += octets;
        if self.is_empty() {
            *self = Self::default();
        }
    }
}

impl State {
    fn new(engine: TlsEngine, incoming: Held) -> Self {
        Self {
            engine,
            incoming,
            plain: Leftover::default(),
            records: None,
            control: Leftover::default(),
            promised: 0,
            ends: false,
            broken: false,
        }
    }

    /// Opens what has arrived. Returns the octets that were put into the room.
    fn open(&mut self, room: &mut [u8]) -> Result<usize, strait_tls::EngineError> {
        let mut room = Room::new(room, &mut self.plain.octets);
        let outcome = self.engine.recv(self.incoming.octets_mut(), &mut room, &mut self.control.octets);
        let filled = room.filled;
        match outcome {
            Ok(done) => self.incoming.consume(done),
            Err(error) => {
                self.broken = true;
                return Err(error);
            }
        }
        Ok(filled)
    }

    /// Sends what waits; whether all has left.
    fn flush(&mut self, transport: &Socket) -> io::Result<bool> {
        while let Some(records) = &mut self.records {
            match transport.try_write(&[IoSlice::new(records.filled())]) {
                Ok(octets) => records.consume(octets),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
            if records.filled().is_empty() {
                self.records = None;
            }
        }
        while !self.control.is_empty() {
            match transport.try_write(&[IoSlice::new(self.control.rest())]) {
                Ok(octets) => self.control.take(octets),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(false),
                Err(error) => return Err(error),
            }
        }
        if std::mem::take(&mut self.ends) {
            transport.shutdown_write();
        }
        Ok(true)
    }

    /// Reads until something can be opened into the room, or behind it; zero octets are the end that the peer
    /// announced. An end that it did not is an error: what came may have been cut (RFC 8446 §6.1).
    fn receive(&mut self, transport: &Socket, pool: &Rc<BufferPool>, room: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.broken {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            if self.engine.peer_has_closed() {
                return Ok(0);
            }
            let large = room.len() > SMALL || self.incoming.is_full();
            let buffer = self.incoming.buffer(pool, large);
            match transport.try_read(buffer.unfilled()) {
                Ok(0) => {
                    self.broken = true;
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                Ok(octets) => buffer.filled_more(octets),
                Err(error) => {
                    self.incoming.settle();
                    return Err(error);
                }
            }
            let filled = self.open(room).map_err(|error| self.refuse(transport, &error))?;
            if !self.control.is_empty() {
                self.flush(transport)?;
            }
            if filled > 0 || !self.plain.is_empty() {
                return Ok(filled);
            }
        }
    }

    /// Tells the peer what was wrong.
    fn refuse(&mut self, transport: &Socket, error: &strait_tls::EngineError) -> io::Error {
        let _ = self.flush(transport);
        io::Error::new(io::ErrorKind::InvalidData, failure_of(error).word())
    }

    /// Seals as much of the slices as fits into a buffer, and promises it.
    fn seal(&mut self, pool: &Rc<BufferPool>, slices: &[IoSlice<'_>]) -> io::Result<()> {
        if self.broken {
            // The engine must not be asked again: it remembers places in octets that are gone.
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let total: usize = slices.iter().map(|slice| slice.len()).sum();
        let mut records = pool.borrow(total > SMALL_PIECE_MAX);
        if slices.len() > 1 && total <= GATHERED_MAX {
            let mut gathered = pool.borrow(false);
            slices.iter().for_each(|slice| gathered.put(slice));
            self.seal_one(gathered.filled(), &mut records)?;
        } else {
            for slice in slices {
                if self.seal_one(slice, &mut records)? < slice.len() {
                    break;
                }
            }
        }
        if self.promised == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.records = Some(records);
        Ok(())
    }

    /// Seals as much of one slice as there is room for, and promises it.
    fn seal_one(&mut self, slice: &[u8], records: &mut Buffer) -> io::Result<usize> {
        let room = RECORDS_MAX.saturating_sub(records.filled().len());
        let unfilled = records.unfilled();
        let room = room.min(unfilled.len());
        let room = unfilled.get_mut(..room).unwrap_or_default();
        let sealed = self.engine.send(self.incoming.octets_mut(), slice, room);
        let (sealed, written) = sealed.map_err(io::Error::other)?;
        records.filled_more(written);
        self.promised += sealed;
        Ok(sealed)
    }

    /// Says that nothing more will be sent.
    fn close(&mut self) {
        if !self.broken {
            self.engine.close(self.incoming.octets_mut(), &mut self.control.octets);
        }
    }
}

impl TlsStream {
    /// A session that begins, with what has arrived for it already.
    pub(crate) fn new(transport: Socket, pool: Rc<BufferPool>, engine: TlsEngine, incoming: Held) -> Self {
        Self { transport, pool, secured: Secured::default(), state: RefCell::new(State::new(engine, incoming)) }
    }

    /// What is below.
    pub(crate) fn transport(&self) -> &Socket {
        &self.transport
    }

    /// What the handshake came to.
    pub(crate) fn secured(&self) -> &Secured {
        &self.secured
    }

    /// What is known once the handshake is done, under which policy and for which name.
    pub(crate) fn facts(&self, policy: usize, server_name: Option<Box<str>>) -> Facts {
        self.state.borrow().engine.facts(policy, server_name)
    }

    /// The same, knowing what the handshake came to.
    pub(crate) fn knowing(self, facts: Facts) -> Self {
        Self { secured: facts.into(), ..self }
    }

    /// Octets that the peer has not taken yet, sealed and waiting ones included.
    pub(crate) fn queued(&self) -> u64 {
        let state = self.state.borrow();
        let waiting = state.records.as_ref().map_or(0, |records| records.filled().len()) as u64;
        self.transport.queued() + waiting
    }

    /// Goes on with the handshake; ready once it is done and all of ours has left.
    pub(crate) fn poll_handshake(&self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        let mut state = self.state.borrow_mut();
        loop {
            if let Err(error) = state.open(&mut []) {
                let _ = state.flush(&self.transport);
                return Poll::Ready(Err(failure_of(&error)));
            }
            let flushed = state.flush(&self.transport).map_err(|_| Failure::Closed)?;
            match (flushed, state.engine.is_handshaking()) {
                (true, false) => return Poll::Ready(Ok(())),
                (false, _) => ready!(self.transport.poll_write_ready(cx)).map_err(|_| Failure::Closed)?,
                (true, true) => match self.poll_more(&mut state, cx) {
                    Poll::Ready(true) => {}
                    Poll::Ready(false) => return Poll::Ready(Err(Failure::Closed)),
                    Poll::Pending => return Poll::Pending,
                },
            }
        }
    }

    /// Reads more; false at the end.
    fn poll_more(&self, state: &mut State, cx: &mut Context<'_>) -> Poll<bool> {
        let large = state.incoming.is_full();
        match state.incoming.poll_fill(&self.transport, &self.pool, large, cx) {
            Poll::Ready(Ok(octets)) => Poll::Ready(octets > 0),
            Poll::Ready(Err(_)) => Poll::Ready(false),
            Poll::Pending => Poll::Pending,
        }
    }

    /// Ready when a read would give octets, an end or an error, as far as one can know.
    pub(crate) fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut state = self.state.borrow_mut();
        if !state.plain.is_empty() || state.broken || state.engine.peer_has_closed() {
            return Poll::Ready(Ok(()));
        }
        // What the protocol has to say does not wait for somebody to write.
        while !state.flush(&self.transport)? {
            match self.transport.poll_write_ready(cx) {
                Poll::Ready(outcome) => outcome?,
                Poll::Pending => break,
            }
        }
        self.transport.poll_read_ready(cx)
    }

    /// Reads what is there; zero at the end that the peer announced, `WouldBlock` when there is nothing.
    pub(crate) fn try_read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut state = self.state.borrow_mut();
        if state.plain.is_empty() {
            return state.receive(&self.transport, &self.pool, buffer);
        }
        let octets = state.plain.rest().len().min(buffer.len());
        if let (Some(room), Some(from)) = (buffer.get_mut(..octets), state.plain.rest().get(..octets)) {
            room.copy_from_slice(from);
        }
        state.plain.take(octets);
        Ok(octets)
    }

    /// Seals and sends a piece of the slices. After `WouldBlock` the same slices must be offered again, here or to
    /// [`TlsStream::poll_write`].
    pub(crate) fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut state = self.state.borrow_mut();
        if state.promised == 0 && state.flush(&self.transport)? {
            state.seal(&self.pool, slices)?;
        }
        match state.flush(&self.transport)? {
            true => Ok(std::mem::take(&mut state.promised)),
            false => Err(io::ErrorKind::WouldBlock.into()),
        }
    }

    /// Seals and sends a piece of the slices. Until it is ready the same slices must be offered again.
    pub(crate) fn poll_write(&self, cx: &mut Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let mut state = self.state.borrow_mut();
        loop {
            if !state.flush(&self.transport)? {
                ready!(self.transport.poll_write_ready(cx))?;
                continue;
            }
            match std::mem::take(&mut state.promised) {
                0 => state.seal(&self.pool, slices)?,
                promised => return Poll::Ready(Ok(promised)),
            }
        }
    }

    /// What has happened on a connection from which nothing is expected. Tickets and the like are nobody's octets.
    pub(crate) fn poll_unexpected(&self, cx: &mut Context<'_>) -> Poll<Unexpected> {
        loop {
            if ready!(self.poll_read_ready(cx)).is_err() {
                return Poll::Ready(Unexpected::Broken);
            }
            let mut state = self.state.borrow_mut();
            if !state.plain.is_empty() {
                return Poll::Ready(Unexpected::Octets);
            }
            match state.receive(&self.transport, &self.pool, &mut []) {
                Ok(_) if !state.plain.is_empty() => return Poll::Ready(Unexpected::Octets),
                Ok(_) => return Poll::Ready(Unexpected::End),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                Err(_) => return Poll::Ready(Unexpected::Broken),
            }
        }
    }

    /// Says that nothing more will be sent, and shuts the transport down behind it.
    pub(crate) fn shutdown_write(&self) {
        let mut state = self.state.borrow_mut();
        state.close();
        state.ends = true;
        let _ = state.flush(&self.transport);
    }

    /// Says that nothing more will be sent, before the connection is closed.
    pub(crate) fn say_end(&self) {
        let mut state = self.state.borrow_mut();
        if state.records.is_none() && !state.engine.is_handshaking() {
            state.close();
            let _ = state.flush(&self.transport);
        }
    }

    /// Makes closing reset the connection.
    pub(crate) fn reset_on_close(&self) {
        self.transport.reset_on_close();
    }

    /// Takes it away from its worker. Only an idle one can go.
    pub(crate) fn detach(self) -> io::Result<DetachedTls> {
        let state = self.state.into_inner();
        if !state.incoming.is_empty() || !state.plain.is_empty() || state.records.is_some() || !state.control.is_empty()
        {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        Ok(DetachedTls { transport: self.transport.detach()?, engine: state.engine, secured: self.secured })
    }

    /// What is wrong after a failed handshake is said to the peer; the transport is given back to be closed with care.
    pub(crate) fn into_transport(self) -> Socket {
        self.transport
    }
}

impl DetachedTls {
    /// Gives it to a worker.
    pub(crate) fn attach(self, pool: &Rc<BufferPool>) -> io::Result<TlsStream> {
        let Self { transport, engine, secured } = self;
        let state = RefCell::new(State::new(engine, Held::default()));
        Ok(TlsStream { transport: transport.attach(pool)?, pool: pool.clone(), secured, state })
    }
}
