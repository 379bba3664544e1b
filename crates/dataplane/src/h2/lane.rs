//! One stream as exchanges see it: a socket whose octets are those of a body.

use super::Link;
use crate::buffer::BufferPool;
use crate::io::Unexpected;
use crate::stream::Held;
use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::fmt;
use std::io::{self, IoSlice};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use strait_http2::{Cause, ErrorCode, Misdeed, RequestFacts, ResponseFacts, SendError, StreamId};
use strait_message::{Headers, NameSet, RequestHead, ResponseHead};

/// A stream that an exchange holds; dropping it gives the stream back.
pub(crate) struct LaneSocket(pub(crate) Rc<Lane>);

/// One stream. One task uses it, so one waker is enough for all that it waits for.
pub(crate) struct Lane {
    link: Rc<Link>,
    stream: Cell<Option<StreamId>>,
    inbound: RefCell<Inbound>,
    outbound: RefCell<Outbound>,
    task: RefCell<Option<Waker>>,
    ended: Cell<Option<Ended>>,
}

/// What has arrived and was not taken.
#[derive(Default)]
struct Inbound {
    request: Option<(RequestHead, RequestFacts)>,
    /// Why the request head is refused, in its place.
    refused: Option<Misdeed>,
    /// Response heads: the final one with what it means.
    responses: VecDeque<(ResponseHead, Option<ResponseFacts>)>,
    held: Held,
    /// Octets that were taken, and whose room in the windows is given back once they are gone.
    taken: usize,
    /// The peer's message is complete.
    whole: bool,
    trailers: Option<Box<Headers>>,
}

/// How what is sent ends.
#[derive(Default)]
struct Outbound {
    /// Octets that are still to be written before the end.
    left: Option<usize>,
    trailers: Option<Box<Headers>>,
    done: bool,
}

/// Why a stream ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    /// The peer reset it.
    Reset(ErrorCode),
    /// The peer broke the protocol on it.
    Misdeed(Misdeed),
    /// The peer did nothing with it.
    NotProcessed,
    /// Its connection is gone.
    Lost,
}

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reset(code) => write!(f, "the stream was reset with {code}"),
            Self::Misdeed(misdeed) => misdeed.fmt(f),
            Self::NotProcessed => f.write_str("the stream was not looked at"),
            Self::Lost => f.write_str("the connection of the stream is gone"),
        }
    }
}

impl std::error::Error for Ended {}

impl From<Ended> for io::Error {
    fn from(ended: Ended) -> Self {
        Self::new(io::ErrorKind::ConnectionReset, ended)
    }
}

impl From<Cause> for Ended {
    fn from(cause: Cause) -> Self {
        match cause {
            // RFC 9113 §8.7: nothing was done with it either.
            Cause::Peer(ErrorCode::RefusedStream) | Cause::NotProcessed => Self::NotProcessed,
            Cause::Peer(code) => Self::Reset(code),
            Cause::Misdeed(misdeed) => Self::Misdeed(misdeed),
        }
    }
}

impl Drop for LaneSocket {
    fn drop(&mut self) {
        self.0.release();
    }
}

impl fmt::Debug for LaneSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LaneSocket").field("stream", &self.0.stream).finish_non_exhaustive()
    }
}

impl Lane {
    pub(super) fn new(link: Rc<Link>, stream: Option<StreamId>) -> Rc<Self> {
        Rc::new(Self {
            link,
            stream: Cell::new(stream),
            inbound: RefCell::default(),
            outbound: RefCell::default(),
            task: RefCell::default(),
            ended: Cell::new(None),
        })
    }

    /// Its connection.
    pub(crate) fn link(&self) -> &Rc<Link> {
        &self.link
    }

    pub(crate) fn stream(&self) -> Option<StreamId> {
        self.stream.get()
    }

    // --- what arrives ---

    pub(super) fn put_request(&self, head: RequestHead, facts: RequestFacts) {
        self.inbound.borrow_mut().request = Some((head, facts));
    }

    pub(super) fn refuse(&self, misdeed: Misdeed) {
        self.inbound.borrow_mut().refused = Some(misdeed);
    }

    pub(super) fn put_response(&self, head: ResponseHead, facts: Option<ResponseFacts>) {
        let mut inbound = self.inbound.borrow_mut();
        inbound.responses.push_back((head, facts));
        inbound.whole |= facts.is_some_and(|facts| facts.is_whole);
        drop(inbound);
        self.wake();
    }

    pub(super) fn put_data(&self, data: &[u8], ends: bool, pool: &Rc<BufferPool>) {
        let mut inbound = self.inbound.borrow_mut();
        inbound.held.put(pool, data);
        inbound.whole |= ends;
        drop(inbound);
        self.wake();
    }

    pub(super) fn put_trailers(&self, trailers: &mut Headers) {
        let mut inbound = self.inbound.borrow_mut();
        inbound.trailers = Some(Box::new(std::mem::take(trailers)));
        inbound.whole = true;
        drop(inbound);
        self.wake();
    }

    /// Notes that the peer's message came whole with its head.
    pub(super) fn put_end(&self) {
        self.inbound.borrow_mut().whole = true;
    }

    pub(super) fn end(&self, why: Ended) {
        if self.ended.get().is_none() {
            self.ended.set(Some(why));
        }
        self.wake();
    }

    pub(super) fn wake(&self) {
        if let Some(task) = &*self.task.borrow() {
            task.wake_by_ref();
        }
    }

    fn wait(&self, cx: &Context<'_>) {
        let mut task = self.task.borrow_mut();
        match &*task {
            Some(known) if known.will_wake(cx.waker()) => {}
            _ => *task = Some(cx.waker().clone()),
        }
    }

    // --- what is taken ---

    /// The request head, once: into `head`, whose memory is given back.
    pub(crate) fn take_request(&self, head: &mut RequestHead) -> Result<Option<RequestFacts>, Misdeed> {
        let mut inbound = self.inbound.borrow_mut();
        if let Some(misdeed) = inbound.refused {
            return Err(misdeed);
        }
        let Some((request, facts)) = inbound.request.take() else { return Ok(None) };
        self.link.worker.h2.give_request(std::mem::replace(head, request));
        Ok(Some(facts))
    }

    /// The trailers, once the body has been taken.
    pub(crate) fn take_trailers(&self, trailers: &mut Headers) {
        if let Some(taken) = self.inbound.borrow_mut().trailers.take() {
            *trailers = *taken;
        }
    }

    /// Whether there is something to read: octets, the end, or that there will be none.
    pub(crate) fn poll_readable(&self, cx: &Context<'_>) -> Poll<()> {
        let inbound = self.inbound.borrow();
        if !inbound.held.is_empty() || inbound.whole || self.ended.get().is_some() {
            return Poll::Ready(());
        }
        drop(inbound);
        self.wait(cx);
        Poll::Pending
    }

    /// Takes what has arrived into `held`; as [`Held::poll_fill`]. What was taken before is taken to be gone: only now
    /// may the peer send as much again.
    pub(crate) fn poll_fill(
        &self,
        held: &mut Held,
        pool: &Rc<BufferPool>,
        cx: &Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let mut inbound = self.inbound.borrow_mut();
        let gone = std::mem::take(&mut inbound.taken);
        let octets = inbound.held.octets().len();
        match (octets, held.is_empty()) {
            (0, _) => {}
            (_, true) => std::mem::swap(held, &mut inbound.held),
            (_, false) => held.put(pool, std::mem::take(&mut inbound.held).octets()),
        }
        inbound.taken = octets;
        let whole = inbound.whole;
        drop(inbound);
        if gone > 0
            && let Some(stream) = self.stream.get()
        {
            self.link.with(|engine| engine.consume(stream, gone));
        }
        match self.ended.get() {
            _ if octets > 0 => Poll::Ready(Ok(octets)),
            _ if whole => Poll::Ready(Ok(0)),
            Some(ended) => Poll::Ready(Err(ended.into())),
            None => {
                self.wait(cx);
                Poll::Pending
            }
        }
    }

    /// What has happened that concerns an exchange which reads nothing: only that the stream has ended before its time.
    pub(crate) fn poll_unexpected(&self, cx: &Context<'_>) -> Poll<Unexpected> {
        if self.ended.get().is_some() {
            return Poll::Ready(Unexpected::Broken);
        }
        self.wait(cx);
        Poll::Pending
    }

    // --- what is sent ---

    /// Sends body octets, as many as there is room for, and the end that was announced behind them.
    pub(crate) fn try_write(&self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let stream = self.stream.get().ok_or(io::ErrorKind::NotConnected)?;
        if let Some(ended) = self.ended.get() {
            return Err(ended.into());
        }
        let mut outbound = self.outbound.borrow_mut();
        let written = self.link.with(|engine| {
            let mut written = 0;
            for slice in slices.iter().filter(|slice| !slice.is_empty()) {
                let ends = outbound.trailers.is_none() && outbound.left == Some(slice.len());
                let taken = engine.send_data(stream, slice, ends)?;
                outbound.count(taken);
                written += taken;
                if taken < slice.len() {
                    break;
                }
            }
            if outbound.left == Some(0) && !std::mem::replace(&mut outbound.done, true) {
                let trailers = outbound.trailers.take();
                if trailers.is_some() || written == 0 {
                    engine.send_end(stream, trailers.as_deref())?;
                }
            }
            Ok(written)
        });
        match written {
            Ok(0) if slices.iter().any(|slice| !slice.is_empty()) => Err(io::ErrorKind::WouldBlock.into()),
            Ok(written) => Ok(written),
            Err(SendError::Closed) => Err(io::ErrorKind::ConnectionReset.into()),
            Err(error) => Err(io::Error::other(error)),
        }
    }

    /// As [`Lane::try_write`], once there is room.
    pub(crate) fn poll_write(&self, cx: &Context<'_>, slices: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        match self.try_write(slices) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.wait(cx);
                Poll::Pending
            }
            outcome => Poll::Ready(outcome),
        }
    }

    /// Ready when octets would be taken.
    pub(crate) fn poll_room(&self, cx: &Context<'_>) -> Poll<()> {
        let has_room = self.ended.get().is_some()
            || self.stream.get().is_none_or(|stream| self.link.with(|engine| engine.want_room(stream)));
        if has_room {
            return Poll::Ready(());
        }
        self.wait(cx);
        Poll::Pending
    }

    /// Octets that would be taken now.
    pub(crate) fn room(&self) -> u64 {
        self.stream.get().map_or(0, |stream| self.link.look(|engine| engine.room(stream)) as u64)
    }

    /// Says that the message ends behind so many more octets, with trailers where there are any.
    pub(crate) fn end_behind(&self, octets: usize, trailers: Option<&Headers>) {
        let mut outbound = self.outbound.borrow_mut();
        if outbound.done {
            return;
        }
        outbound.left = Some(octets);
        outbound.trailers = trailers.and_then(permitted);
        drop(outbound);
        if octets == 0 {
            // It fails on a stream that has ended, which is noticed elsewhere.
            let _ = self.try_write(&[]);
        }
    }

    /// Notes that the message ended with its head.
    pub(crate) fn ended_with_head(&self) {
        self.outbound.borrow_mut().done = true;
    }

    /// Whether all of our message has been sent.
    pub(crate) fn is_sent(&self) -> bool {
        self.outbound.borrow().done
    }

    /// Whether the peer is not to blame for a body that waits: others use the connection, which moves.
    pub(crate) fn waits_for_others(&self) -> bool {
        let shut = self.stream.get().is_none_or(|stream| self.link.look(|engine| engine.is_shut(stream)));
        !shut && self.link.moves()
    }

    fn release(&self) {
        if let Some(stream) = self.stream.get() {
            self.link.release(stream, self.is_sent());
        }
    }
}

/// The trailers that may be passed on.
fn permitted(trailers: &Headers) -> Option<Box<Headers>> {
    let mut trailers = Box::new(trailers.clone());
    trailers.retain(|field| !NameSet::FORBIDDEN_IN_TRAILERS.contains(field.known));
    (!trailers.is_empty()).then_some(trailers)
}

impl Outbound {
    fn count(&mut self, octets: usize) {
        if let Some(left) = &mut self.left {
            *left = left.saturating_sub(octets);
        }
    }
}
