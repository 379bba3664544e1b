//! One connection: its streams, windows and settings, whichever side opened it.

mod receive;
mod send;
mod settings;

pub use send::{OutgoingHead, SendError, Unopened};

use crate::budget::{self, Budget};
use crate::frame::{self, FRAME_MAX, PREFACE, setting};
use crate::hpack::{Decoder, Encoder};
use crate::stream::{Half, Stream, StreamId};
use crate::{Cause, ErrorCode, Event, Limits, Misdeed};
use settings::Peer;
use std::collections::{HashMap, VecDeque};
use strait_message::{Headers, RequestHead, ResponseHead};

/// The window of a connection before anything changes it (RFC 9113 §6.9.2).
const WINDOW_DEFAULT: u32 = 65_535;
/// Streams that we reset and on which frames may still be on their way.
const REMEMBERED_RESETS: usize = 512;
/// How long a client is given to see that we drain, before its newest streams are decided, in milliseconds.
const DRAIN_MS: u64 = 1_000;
/// The PING that tells when a client has seen that we drain, and the one that tells whether a peer is alive.
const DRAIN_PING: &[u8; 8] = b"draining";
const ALIVE_PING: &[u8; 8] = b"alive?\0\0";

/// What a head is read into. One serves all connections of a worker: take what an event says stands in it before the
/// next [`Connection::recv`].
#[derive(Debug, Default)]
pub struct Scratch {
    /// The head of [`Event::Request`].
    pub request: RequestHead,
    /// The head of [`Event::Response`] and [`Event::Interim`].
    pub response: ResponseHead,
    /// The fields of [`Event::Trailers`].
    pub trailers: Headers,
    cookie: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Server,
    Client,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The client's preface is awaited (RFC 9113 §3.4).
    Preface,
    /// The peer's first frame is awaited: SETTINGS.
    Settings,
    Open,
    /// The connection broke.
    Failed(Misdeed),
}

/// How far leaving is (RFC 9113 §6.8).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Drain {
    No,
    /// The client was told, and may open streams until it sees it.
    Announced {
        until_ms: u64,
    },
    /// No stream above this one is looked at.
    Decided {
        last: u32,
    },
}

/// Counts over the life of a connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Streams opened, by either side.
    pub streams: u64,
    /// Streams that the peer reset before they had ended.
    pub resets_received: u64,
    /// Streams that we reset.
    pub resets_sent: u64,
    /// Streams refused because there were too many.
    pub streams_refused: u64,
    /// Times that a body waited for the peer's windows.
    pub stalls: u64,
}

/// One connection of HTTP/2, in either role.
#[derive(Debug)]
pub struct Connection {
    role: Role,
    limits: Limits,
    stage: Stage,
    /// The DATA frame whose octets are arriving.
    data: Option<receive::DataFrame>,
    /// The field block whose CONTINUATION frames are awaited.
    block: Option<receive::Block>,
    decoder: Decoder,
    encoder: Encoder,
    peer: Peer,
    send_window: i64,
    receive_window: i64,
    /// Octets taken and not yet given back to the connection's window.
    taken: u32,
    streams: HashMap<u32, Stream, foldhash::fast::RandomState>,
    last_peer: u32,
    next_own: u32,
    resets: VecDeque<u32>,
    drain: Drain,
    /// The last of our streams that the peer looks at.
    goaway: Option<u32>,
    budget: Budget,
    out: Vec<u8>,
    /// Octets of `out` that have left.
    left: usize,
    events: VecDeque<Event>,
    /// Streams whose bodies wait, in the order in which they began to.
    blocked: Vec<u32>,
    now_ms: u64,
    settings_by_ms: Option<u64>,
    ping_by_ms: Option<u64>,
    figures: Figures,
}

impl Connection {
    /// The side that a client connects to. SETTINGS are the first output.
    pub fn server(limits: Limits, now_ms: u64) -> Self {
        let mut connection = Self::new(Role::Server, limits, now_ms);
        let entries = [
            (setting::MAX_CONCURRENT_STREAMS, limits.streams_max),
            (setting::INITIAL_WINDOW_SIZE, limits.stream_window),
            (setting::MAX_HEADER_LIST_SIZE, limits.head_bytes_max),
            (setting::ENABLE_CONNECT_PROTOCOL, 1),
            (setting::NO_RFC7540_PRIORITIES, 1),
        ];
        frame::settings(&entries, &mut connection.out);
        connection.widen();
        connection
    }

    /// The side that connects to an origin. The preface and SETTINGS are the first output.
    pub fn client(limits: Limits, now_ms: u64) -> Self {
        let mut connection = Self::new(Role::Client, limits, now_ms);
        connection.out.extend_from_slice(PREFACE);
        let entries = [
            (setting::ENABLE_PUSH, 0),
            (setting::INITIAL_WINDOW_SIZE, limits.stream_window),
            (setting::MAX_HEADER_LIST_SIZE, limits.head_bytes_max),
        ];
        frame::settings(&entries, &mut connection.out);
        connection.widen();
        connection
    }

    fn new(role: Role, limits: Limits, now_ms: u64) -> Self {
        Self {
            role,
            limits,
            stage: if role == Role::Server { Stage::Preface } else { Stage::Settings },
            data: None,
            block: None,
            decoder: Decoder::default(),
            encoder: Encoder::default(),
            peer: Peer::default(),
            send_window: i64::from(WINDOW_DEFAULT),
            receive_window: i64::from(WINDOW_DEFAULT),
            taken: 0,
            streams: HashMap::default(),
            last_peer: 0,
            next_own: 1,
            resets: VecDeque::new(),
            drain: Drain::No,
            goaway: None,
            budget: Budget::new(limits.idle_frames_max),
            out: Vec::new(),
            left: 0,
            events: VecDeque::new(),
            blocked: Vec::new(),
            now_ms,
            settings_by_ms: Some(now_ms + u64::from(limits.acknowledge_ms_max)),
            ping_by_ms: None,
            figures: Figures::default(),
        }
    }

    /// Opens the connection's window as far as its limit.
    fn widen(&mut self) {
        let more = self.limits.connection_window.saturating_sub(WINDOW_DEFAULT);
        if more > 0 {
            self.receive_window += i64::from(more);
            frame::window_update(0, more, &mut self.out);
        }
    }

    /// Frames that wait to be written.
    pub fn output(&self) -> &[u8] {
        self.out.get(self.left..).unwrap_or_default()
    }

    /// Says that octets of [`Connection::output`] have left.
    pub fn written(&mut self, octets: usize) {
        let was_full = self.output().len() >= self.limits.output_bytes_max as usize;
        self.left = (self.left + octets).min(self.out.len());
        if self.left == self.out.len() {
            self.out.clear();
            self.left = 0;
        } else if self.left >= self.limits.output_bytes_max as usize {
            // A peer that is always behind must not make what has left pile up.
            self.out.drain(..self.left);
            self.left = 0;
        }
        if was_full {
            self.wake_blocked();
        }
    }

    /// Whether there is little enough output that more input may be looked at: a peer that sends and does not read
    /// must not make us hold answers without end.
    pub fn wants_input(&self) -> bool {
        self.output().len() < 2 * self.limits.output_bytes_max as usize
    }

    /// Gives the memory back that an idle connection does not need.
    pub fn shrink(&mut self) {
        if self.out.is_empty() {
            self.out = Vec::new();
        }
        self.decoder.shrink();
        if self.streams.is_empty() {
            self.streams.shrink_to_fit();
            (self.events, self.blocked) = (VecDeque::new(), Vec::new());
        }
    }

    /// Octets of memory held beside the value itself.
    pub fn capacity(&self) -> usize {
        self.out.capacity()
            + self.decoder.capacity()
            + self.encoder.capacity()
            + self.streams.capacity() * (size_of::<Stream>() + 8)
            + self.block.as_ref().map_or(0, receive::Block::capacity)
    }

    /// The next event that needs no further input. To be asked for after `written`, `consume`, `release` and
    /// `on_deadline`.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Streams that are not released.
    pub fn streams(&self) -> usize {
        self.streams.len()
    }

    /// Counts so far.
    pub fn figures(&self) -> Figures {
        self.figures
    }

    /// What is used up of the allowance for frames without progress, and how much it is.
    pub fn idle_frames(&self) -> (u32, u32) {
        self.budget.used()
    }

    /// Why the connection broke, if it did.
    pub fn failure(&self) -> Option<Misdeed> {
        match self.stage {
            Stage::Failed(misdeed) => Some(misdeed),
            _ => None,
        }
    }

    /// Tells a client that the connection ends, and looks at the streams it opens until it has seen it; after that
    /// at none (RFC 9113 §6.8).
    pub fn drain(&mut self) {
        if self.drain != Drain::No {
            return;
        }
        if self.role == Role::Client {
            self.drain = Drain::Decided { last: 0 };
            frame::goaway(0, ErrorCode::NoError, &mut self.out);
            return;
        }
        self.drain = Drain::Announced { until_ms: self.now_ms + DRAIN_MS };
        frame::goaway(frame::WINDOW_MAX as u32, ErrorCode::NoError, &mut self.out);
        frame::ping(DRAIN_PING, false, &mut self.out);
    }

    fn decide_drain(&mut self) {
        if matches!(self.drain, Drain::Announced { .. }) {
            self.drain = Drain::Decided { last: self.last_peer };
            frame::goaway(self.last_peer, ErrorCode::NoError, &mut self.out);
        }
    }

    /// Whether the connection was told to end and nothing is left on it.
    pub fn is_drained(&self) -> bool {
        let leaving = matches!(self.drain, Drain::Decided { .. }) || self.goaway.is_some();
        leaving && self.streams.is_empty() && self.output().is_empty()
    }

    /// Asks the peer whether it is alive; [`Event::Pong`] follows, or a failure at the deadline.
    pub fn ping(&mut self, now_ms: u64) {
        self.now_ms = now_ms;
        if self.ping_by_ms.is_none() {
            self.ping_by_ms = Some(now_ms + u64::from(self.limits.acknowledge_ms_max));
            frame::ping(ALIVE_PING, false, &mut self.out);
        }
    }

    /// When [`Connection::on_deadline`] has something to do, in the caller's milliseconds.
    pub fn next_deadline(&self) -> Option<u64> {
        let drain = match self.drain {
            Drain::Announced { until_ms } => Some(until_ms),
            _ => None,
        };
        [self.settings_by_ms, self.ping_by_ms, drain].into_iter().flatten().min()
    }

    /// Does what time brings.
    ///
    /// # Errors
    /// A misdeed of a peer that did not answer in time: write the output and close.
    pub fn on_deadline(&mut self, now_ms: u64) -> Result<(), Misdeed> {
        self.now_ms = now_ms;
        let over = |deadline: Option<u64>| deadline.is_some_and(|deadline| deadline <= now_ms);
        if over(self.settings_by_ms) {
            return Err(self.fail(Misdeed::SettingsNotAcknowledged));
        }
        if over(self.ping_by_ms) {
            return Err(self.fail(Misdeed::PingNotAnswered));
        }
        if matches!(self.drain, Drain::Announced { until_ms } if until_ms <= now_ms) {
            self.decide_drain();
        }
        Ok(())
    }

    /// Says that the peer will send nothing more.
    ///
    /// # Errors
    /// [`Misdeed::Truncated`] when streams were not complete.
    pub fn recv_eof(&mut self) -> Result<(), Misdeed> {
        let whole = self.streams.values().all(|stream| stream.received == Half::Done || stream.reset);
        let between = self.data.is_none() && self.block.is_none();
        if whole && between { Ok(()) } else { Err(self.fail(Misdeed::Truncated)) }
    }

    /// Ends the connection: GOAWAY is the last output.
    fn fail(&mut self, misdeed: Misdeed) -> Misdeed {
        if !matches!(self.stage, Stage::Failed(_)) {
            self.stage = Stage::Failed(misdeed);
            frame::goaway(self.last_peer, misdeed.code(), &mut self.out);
        }
        misdeed
    }

    /// Resets a stream on which the peer broke the protocol. Making us reset streams is no better than resetting them
    /// (CVE-2025-8671), and costs the same.
    fn stream_error(&mut self, id: u32, misdeed: Misdeed) -> Result<(), Misdeed> {
        let announced = self.streams.contains_key(&id);
        self.write_reset(id, misdeed.code());
        if announced {
            self.unblock(id);
        }
        self.events.push_back(Event::Reset { stream: StreamId(id), cause: Cause::Misdeed(misdeed) });
        self.budget.spend(budget::RESET)
    }

    /// Appends RST_STREAM, unless nothing may follow on the stream anyway.
    fn write_reset(&mut self, id: u32, code: ErrorCode) {
        if let Some(stream) = self.streams.get_mut(&id) {
            if stream.is_closed() {
                return;
            }
            stream.reset = true;
        }
        self.figures.resets_sent += 1;
        frame::reset(id, code, &mut self.out);
        if self.resets.len() == REMEMBERED_RESETS {
            self.resets.pop_front();
        }
        self.resets.push_back(id);
    }

    /// Gives octets of the connection's window back to the peer, in large pieces.
    fn give_back(&mut self, octets: usize) {
        self.taken = self.taken.saturating_add(octets as u32);
        if self.taken >= self.limits.connection_window.max(WINDOW_DEFAULT) / 2 {
            self.receive_window += i64::from(self.taken);
            frame::window_update(0, std::mem::take(&mut self.taken), &mut self.out);
        }
    }

    /// Says that body octets of [`Event::Data`] were passed on: the peer may send as many more.
    pub fn consume(&mut self, stream: StreamId, octets: usize) {
        self.give_back(octets);
        let Some(state) = self.streams.get_mut(&stream.0) else { return };
        state.taken = state.taken.saturating_add(octets as u32);
        let due = state.taken >= self.limits.stream_window / 2;
        if due && state.received == Half::Body && !state.reset {
            state.receive_window += i64::from(state.taken);
            frame::window_update(stream.0, std::mem::take(&mut state.taken), &mut self.out);
        }
    }

    /// Ends a stream before its time.
    pub fn reset(&mut self, stream: StreamId, code: ErrorCode) {
        if self.streams.contains_key(&stream.0) {
            self.write_reset(stream.0, code);
            self.unblock(stream.0);
        }
    }

    /// Gives a stream back: its work is over, here and upstream. One that is not complete is reset: without error when
    /// our message is (RFC 9113 §8.1), else as not needed any more.
    pub fn release(&mut self, stream: StreamId) {
        let Some(state) = self.streams.get(&stream.0) else { return };
        if state.is_closed() && !state.reset {
            self.budget.earn(budget::STREAM_DONE);
        } else if !state.is_closed() {
            let code = if state.sent == Half::Done { ErrorCode::NoError } else { ErrorCode::Cancel };
            self.write_reset(stream.0, code);
        }
        self.unblock(stream.0);
        self.streams.remove(&stream.0);
        // It may have been told of room that it did not use.
        self.wake_blocked();
    }

    /// Octets that [`Connection::send_data`] would take now.
    pub fn room(&self, stream: StreamId) -> usize {
        self.streams.get(&stream.0).map_or(0, |state| self.room_of(state))
    }

    fn room_of(&self, stream: &Stream) -> usize {
        let window = stream.send_window.min(self.send_window).max(0) as usize;
        window.min((self.limits.output_bytes_max as usize).saturating_sub(self.output().len()))
    }

    /// Asks for [`Event::Writable`] once [`Connection::send_data`] would take something. Whether it would take some now.
    pub fn want_room(&mut self, stream: StreamId) -> bool {
        let Some(state) = self.streams.get(&stream.0) else { return true };
        let has_room = self.room_of(state) > 0 || state.is_closed();
        if !has_room {
            self.account(stream.0, 0, false, true);
        }
        has_room
    }

    /// Whether a body waits because the peer opens no window for its stream, not because of what others send.
    pub fn is_shut(&self, stream: StreamId) -> bool {
        self.streams.get(&stream.0).is_some_and(|state| state.send_window <= 0)
    }

    /// Whether the peer's SETTINGS are known.
    pub fn is_settled(&self) -> bool {
        self.peer.is_known
    }

    /// For how long a body has waited for the peer's windows, in milliseconds.
    pub fn stalled_ms(&self, stream: StreamId, now_ms: u64) -> Option<u64> {
        let since = self.streams.get(&stream.0)?.stalled_since_ms?;
        Some(now_ms.saturating_sub(since))
    }

    fn unblock(&mut self, id: u32) {
        let Some(stream) = self.streams.get_mut(&id) else { return };
        if std::mem::replace(&mut stream.blocked, false) {
            self.blocked.retain(|&blocked| blocked != id);
            self.wake_blocked();
        }
    }

    /// Tells streams that wait that there is room, most urgent first (RFC 9218 §10), as many as the room is for: a
    /// stream that is told writes what it has, or asks again.
    fn wake_blocked(&mut self) {
        let mut room = self.send_window.max(0) as usize;
        room = room.min((self.limits.output_bytes_max as usize).saturating_sub(self.output().len()));
        while room > 0 {
            let Some(next) = self.most_urgent() else { return };
            let id = self.blocked.remove(next);
            if let Some(stream) = self.streams.get_mut(&id) {
                stream.blocked = false;
                room = room.saturating_sub(stream.send_window.clamp(1, FRAME_MAX as i64) as usize);
            }
            self.events.push_back(Event::Writable { stream: StreamId(id) });
        }
    }

    /// The blocked stream to tell first, as a place in the queue.
    fn most_urgent(&self) -> Option<usize> {
        let waiting = self.blocked.iter().enumerate().filter_map(|(place, id)| {
            let stream = self.streams.get(id).filter(|stream| stream.send_window > 0)?;
            // What is of use in parts shares the room by turns; what is not is finished in the order of opening.
            let turn = if stream.priority.incremental { (1, place as u32) } else { (0, *id) };
            Some((stream.priority.urgency, turn, place))
        });
        waiting.min().map(|(_, _, place)| place)
    }
}
