//! What the peer sends: frames taken apart, and what each does to the connection (RFC 9113 §5, §6).

use super::{ALIVE_PING, Connection, DRAIN_PING, Drain, Role, Scratch, Stage};
use crate::budget;
use crate::fields::{RequestReader, ResponseReader, TrailerReader};
use crate::frame::{self, FRAME_HEAD, FRAME_MAX, FrameHead, PREFACE, WINDOW_MAX, flag, kind};
use crate::stream::{Half, Stream, StreamId};
use crate::{Cause, ErrorCode, Event, Misdeed, Priority, Received, RequestFacts, ResponseFacts};

/// Octets of a field block's frames beyond which CONTINUATION frames are too many for what they carry.
const CONTINUATIONS_MAX: u8 = 32;

/// A DATA frame of which octets are still to come.
#[derive(Clone, Copy, Debug)]
pub(super) struct DataFrame {
    stream: u32,
    left: usize,
    padding: usize,
    ends: bool,
    /// Its octets mean nothing to anyone: the stream is closed.
    discarded: bool,
    /// The end of the stream was told.
    told: bool,
}

/// A field block of which frames are still to come.
#[derive(Debug)]
pub(super) struct Block {
    stream: u32,
    ends: bool,
    octets: Vec<u8>,
    frames: u8,
}

impl Block {
    pub(super) fn capacity(&self) -> usize {
        self.octets.capacity()
    }
}

/// How far one step got.
enum Step {
    NeedMore,
    /// Octets were taken; an event may have been queued.
    Took(usize),
    /// Octets were taken that are body octets of a stream; whether they are its last.
    Data {
        octets: usize,
        stream: u32,
        ends: bool,
    },
}

impl Connection {
    /// Looks at received bytes. Heads and trailers are read into `scratch`; `now_ms` is the caller's clock.
    ///
    /// # Errors
    /// A [`Misdeed`] that ends the connection: write the output, which ends with GOAWAY, and close.
    pub fn recv(&mut self, input: &[u8], scratch: &mut Scratch, now_ms: u64) -> Result<Received, Misdeed> {
        self.now_ms = now_ms;
        self.budget.tick(now_ms);
        let mut at = 0;
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Received { consumed: at, event });
            }
            let rest = input.get(at..).unwrap_or_default();
            match self.step(rest, scratch).map_err(|misdeed| self.fail(misdeed))? {
                Step::NeedMore => return Ok(Received { consumed: at, event: Event::NeedMore }),
                Step::Took(octets) => at += octets,
                Step::Data { octets, stream, ends } => {
                    let consumed = at + octets;
                    let event = Event::Data { stream: StreamId(stream), range: at..consumed, ends };
                    return Ok(Received { consumed, event });
                }
            }
        }
    }

    /// Takes the preface, part of a DATA frame, or one whole frame of another type.
    fn step(&mut self, rest: &[u8], scratch: &mut Scratch) -> Result<Step, Misdeed> {
        match self.stage {
            Stage::Preface => return self.preface(rest),
            Stage::Failed(misdeed) => return Err(misdeed),
            Stage::Settings | Stage::Open => {}
        }
        if let Some(data) = self.data {
            return self.data_octets(data, rest);
        }
        let Some(head) = FrameHead::read(rest) else { return Ok(Step::NeedMore) };
        self.judge(head)?;
        if head.kind == kind::DATA {
            return self.data_frame(head, rest);
        }
        let Some(payload) = rest.get(FRAME_HEAD..FRAME_HEAD + head.length) else { return Ok(Step::NeedMore) };
        self.frame(head, payload, scratch)?;
        Ok(Step::Took(FRAME_HEAD + head.length))
    }

    fn preface(&mut self, rest: &[u8]) -> Result<Step, Misdeed> {
        let seen = rest.len().min(PREFACE.len());
        if rest.get(..seen) != PREFACE.get(..seen) {
            return Err(Misdeed::BadPreface);
        }
        if seen < PREFACE.len() {
            return Ok(Step::NeedMore);
        }
        self.stage = Stage::Settings;
        Ok(Step::Took(seen))
    }

    /// What holds for frames of every type.
    fn judge(&mut self, head: FrameHead) -> Result<(), Misdeed> {
        if head.length > FRAME_MAX {
            return Err(Misdeed::FrameTooLarge);
        }
        if self.stage == Stage::Settings && (head.kind != kind::SETTINGS || head.has(flag::ACK)) {
            return Err(Misdeed::NoSettings);
        }
        match &self.block {
            Some(block) if head.kind != kind::CONTINUATION || head.stream != block.stream => {
                Err(Misdeed::BlockInterrupted)
            }
            _ => Ok(()),
        }
    }

    fn frame(&mut self, head: FrameHead, payload: &[u8], scratch: &mut Scratch) -> Result<(), Misdeed> {
        match head.kind {
            kind::HEADERS => self.headers_frame(head, payload, scratch),
            kind::CONTINUATION => self.continuation(head, payload, scratch),
            kind::RST_STREAM => self.reset_frame(head, payload),
            kind::SETTINGS => self.settings_frame(head, payload),
            kind::PING => self.ping_frame(head, payload),
            kind::GOAWAY => self.goaway_frame(head, payload),
            kind::WINDOW_UPDATE => self.window_frame(head, payload),
            kind::PRIORITY => self.priority_frame(head, payload),
            kind::PRIORITY_UPDATE => self.priority_update(head, payload),
            kind::PUSH_PROMISE => Err(Misdeed::Push),
            // RFC 9113 §5.5: what is not known is ignored.
            _ => self.budget.spend(budget::FRAME),
        }
    }

    // --- DATA ---

    fn data_frame(&mut self, head: FrameHead, rest: &[u8]) -> Result<Step, Misdeed> {
        if head.stream == 0 {
            return Err(Misdeed::WrongStream);
        }
        let padded = head.has(flag::PADDED);
        let padding = match (padded, rest.get(FRAME_HEAD)) {
            (false, _) => 0,
            (true, _) if head.length == 0 => return Err(Misdeed::BadFrameSize),
            (true, None) => return Ok(Step::NeedMore),
            (true, Some(&octets)) => usize::from(octets),
        };
        let overhead = usize::from(padded);
        let left = (head.length - overhead).checked_sub(padding).ok_or(Misdeed::BadPadding)?;
        self.receive_window -= head.length as i64;
        if self.receive_window < 0 {
            return Err(Misdeed::WindowExceeded);
        }
        if left == 0 && !head.has(flag::END_STREAM) {
            self.budget.spend(budget::FRAME)?;
        }
        let discarded = !self.data_is_welcome(head)?;
        let ends = head.has(flag::END_STREAM);
        self.data = Some(DataFrame { stream: head.stream, left, padding, ends, discarded, told: false });
        // Nobody else will give back what is no body octet.
        self.consume_silently(head.stream, padding + overhead);
        Ok(Step::Took(FRAME_HEAD + overhead))
    }

    /// Whether DATA may stand here; if not its octets are thrown away.
    fn data_is_welcome(&mut self, head: FrameHead) -> Result<bool, Misdeed> {
        let Some(stream) = self.streams.get_mut(&head.stream) else {
            return self.is_forgotten(head.stream).map(|()| false);
        };
        if stream.reset {
            return Ok(false);
        }
        let misdeed = match stream.received {
            Half::Head => Some(Misdeed::BadPseudoField),
            Half::Done => Some(Misdeed::ClosedStream),
            Half::Body => stream.take_window(head.length).err(),
        };
        if let Some(misdeed) = misdeed {
            self.stream_error(head.stream, misdeed)?;
        }
        Ok(misdeed.is_none())
    }

    /// A frame on a stream that is not here: nothing, when it was reset by us a moment ago or is above the last that
    /// we look at.
    fn is_forgotten(&self, id: u32) -> Result<(), Misdeed> {
        let ours = (id % 2 == 1) == (self.role == Role::Client);
        let opened = if ours { id < self.next_own } else { id <= self.last_peer };
        let ignored = matches!(self.drain, Drain::Decided { last } if !ours && id > last);
        match opened {
            _ if ignored || self.resets.contains(&id) => Ok(()),
            true => Err(Misdeed::ClosedStream),
            false => Err(Misdeed::IdleStream),
        }
    }

    fn data_octets(&mut self, mut data: DataFrame, rest: &[u8]) -> Result<Step, Misdeed> {
        let body = data.left.min(rest.len());
        data.left -= body;
        let over = data.left == 0;
        let ends = over && data.ends && !data.told;
        data.told |= ends;
        // Padding behind the last body octet is thrown away with it, as far as it is here.
        let padding = if over { data.padding.min(rest.len() - body) } else { 0 };
        data.padding -= padding;
        let finished = over && data.padding == 0;
        self.data = (!finished).then_some(data);
        if body == 0 && !ends {
            return Ok(if finished || padding > 0 { Step::Took(padding) } else { Step::NeedMore });
        }
        if data.discarded || !self.counted(data.stream, body, ends)? {
            if let Some(rest) = &mut self.data {
                rest.discarded = true;
            }
            self.consume_silently(data.stream, body);
            return Ok(Step::Took(body + padding));
        }
        if padding > 0 {
            // The body octets are told first: the padding is left to the next step.
            self.data = Some(DataFrame { padding: data.padding + padding, ..data });
        }
        self.budget.moved(body);
        Ok(Step::Data { octets: body, stream: data.stream, ends })
    }

    /// Counts body octets against what was announced. Whether the stream goes on.
    fn counted(&mut self, id: u32, octets: usize, ends: bool) -> Result<bool, Misdeed> {
        let Some(stream) = self.streams.get_mut(&id).filter(|stream| !stream.reset) else { return Ok(false) };
        match stream.receive(octets, ends) {
            Ok(()) => Ok(true),
            Err(misdeed) => self.stream_error(id, misdeed).map(|()| false),
        }
    }

    /// Gives back octets that no one is told of.
    fn consume_silently(&mut self, id: u32, octets: usize) {
        if octets > 0 {
            self.consume(StreamId(id), octets);
        }
    }

    // --- HEADERS and CONTINUATION ---

    fn headers_frame(&mut self, head: FrameHead, payload: &[u8], scratch: &mut Scratch) -> Result<(), Misdeed> {
        if head.stream == 0 {
            return Err(Misdeed::WrongStream);
        }
        let mut fragment = unpad(head, payload)?;
        if head.has(flag::PRIORITY) {
            // The old priorities are read over (RFC 9113 §5.3.2).
            fragment = fragment.get(5..).ok_or(Misdeed::BadFrameSize)?;
        }
        let ends = head.has(flag::END_STREAM);
        if head.has(flag::END_HEADERS) {
            return self.section(head.stream, fragment, ends, scratch);
        }
        self.block = Some(Block { stream: head.stream, ends, octets: fragment.to_vec(), frames: 0 });
        Ok(())
    }

    fn continuation(&mut self, head: FrameHead, payload: &[u8], scratch: &mut Scratch) -> Result<(), Misdeed> {
        let Some(mut block) = self.block.take() else { return Err(Misdeed::StrayContinuation) };
        block.frames += 1;
        let over = block.octets.len() + payload.len() > self.limits.block_bytes_max as usize;
        if over || block.frames > CONTINUATIONS_MAX {
            return Err(Misdeed::BlockTooLarge);
        }
        if payload.is_empty() {
            self.budget.spend(budget::FRAME)?;
        }
        block.octets.extend_from_slice(payload);
        if head.has(flag::END_HEADERS) {
            return self.section(block.stream, &block.octets, block.ends, scratch);
        }
        self.block = Some(block);
        Ok(())
    }

    /// A whole field section has arrived.
    fn section(&mut self, id: u32, block: &[u8], ends: bool, scratch: &mut Scratch) -> Result<(), Misdeed> {
        let received = self.streams.get(&id).map(|stream| (stream.received, stream.reset));
        match (received, self.role) {
            (Some((_, true)), _) => self.skip(block),
            (Some((Half::Done, _)), _) => {
                self.skip(block)?;
                self.stream_error(id, Misdeed::ClosedStream)
            }
            (Some((Half::Body, _)), _) => self.trailers(id, block, ends, scratch),
            (Some((Half::Head, _)), _) => self.response(id, block, ends, scratch),
            (None, Role::Server) => self.request(id, block, ends, scratch),
            (None, Role::Client) => {
                self.is_forgotten(id)?;
                self.skip(block)
            }
        }
    }

    /// Decodes a block that nobody wants, for the sake of the table.
    fn skip(&mut self, block: &[u8]) -> Result<(), Misdeed> {
        self.decoder.decode(block, |_, _, _| false).map_err(|_| Misdeed::BadCompression)
    }

    fn request(&mut self, id: u32, block: &[u8], ends: bool, scratch: &mut Scratch) -> Result<(), Misdeed> {
        if id.is_multiple_of(2) {
            return Err(Misdeed::BadStreamNumber);
        }
        let is_ignored = matches!(self.drain, Drain::Decided { last } if id > last);
        if id <= self.last_peer || is_ignored {
            self.is_forgotten(id)?;
            return self.skip(block);
        }
        self.last_peer = id;
        if self.streams.len() >= self.limits.streams_max as usize {
            self.skip(block)?;
            self.budget.spend(budget::RESET)?;
            self.figures.streams_refused += 1;
            self.write_reset(id, ErrorCode::RefusedStream);
            return Ok(());
        }
        let mut reader = RequestReader::new(&mut scratch.request, &mut scratch.cookie, &self.limits);
        let decoded = self.decoder.decode(block, |known, name, value| reader.field(known, name, value));
        decoded.map_err(|_| Misdeed::BadCompression)?;
        let outcome = reader.finish(ends, true);
        self.admit(id, ends, outcome, scratch)
    }

    fn admit(
        &mut self,
        id: u32,
        ends: bool,
        outcome: Result<RequestFacts, Misdeed>,
        scratch: &Scratch,
    ) -> Result<(), Misdeed> {
        self.figures.streams += 1;
        let mut stream = Stream::new(self.limits.stream_window, self.peer.stream_window);
        let stream_id = StreamId(id);
        let event = match outcome {
            Ok(facts) => {
                stream.begin_body(facts.length, ends);
                stream.priority = facts.priority;
                stream.websocket = facts.wants_websocket;
                stream.to_head = scratch.request.method == strait_message::Method::Head;
                Event::Request { stream: stream_id, facts }
            }
            Err(misdeed) if misdeed.status().is_some() => {
                stream.received = if ends { Half::Done } else { Half::Body };
                Event::Refused { stream: stream_id, misdeed }
            }
            Err(misdeed) => {
                return self.stream_error(id, misdeed);
            }
        };
        self.streams.insert(id, stream);
        self.events.push_back(event);
        Ok(())
    }

    fn response(&mut self, id: u32, block: &[u8], ends: bool, scratch: &mut Scratch) -> Result<(), Misdeed> {
        let to_head = self.streams.get(&id).is_some_and(|stream| stream.to_head);
        let mut reader = ResponseReader::new(&mut scratch.response, &self.limits);
        let decoded = self.decoder.decode(block, |known, name, value| reader.field(known, name, value));
        decoded.map_err(|_| Misdeed::BadCompression)?;
        let outcome = reader.finish(ends, to_head);
        match outcome.and_then(|facts| self.answer(id, facts, scratch)) {
            Ok(event) => self.events.push_back(event),
            Err(misdeed) => self.stream_error(id, misdeed)?,
        }
        Ok(())
    }

    fn answer(&mut self, id: u32, facts: ResponseFacts, scratch: &Scratch) -> Result<Event, Misdeed> {
        let Some(stream) = self.streams.get_mut(&id) else { return Err(Misdeed::ClosedStream) };
        let status = scratch.response.status;
        if status.is_interim() {
            stream.interim = stream.interim.saturating_add(1);
            let over = stream.interim > self.limits.interim_max;
            return if over { Err(Misdeed::BadInterim) } else { Ok(Event::Interim { stream: StreamId(id) }) };
        }
        stream.begin_body(facts.length, facts.is_whole);
        if stream.to_head || status.forbids_body() {
            stream.receive_left = Some(0);
        } else if stream.websocket && status.class() == 2 {
            // RFC 8441 §5: what follows is the tunnel, whatever the fields say.
            stream.receive_left = None;
        }
        Ok(Event::Response { stream: StreamId(id), facts })
    }

    fn trailers(&mut self, id: u32, block: &[u8], ends: bool, scratch: &mut Scratch) -> Result<(), Misdeed> {
        let mut reader = TrailerReader::new(&mut scratch.trailers, &self.limits);
        let decoded = self.decoder.decode(block, |known, name, value| reader.field(known, name, value));
        decoded.map_err(|_| Misdeed::BadCompression)?;
        let outcome = reader.finish().and(if ends { Ok(()) } else { Err(Misdeed::BadTrailers) });
        let outcome = outcome.and_then(|()| self.streams.get_mut(&id).map_or(Ok(()), |stream| stream.receive(0, true)));
        match outcome {
            Ok(()) => self.events.push_back(Event::Trailers { stream: StreamId(id) }),
            Err(misdeed) => self.stream_error(id, misdeed)?,
        }
        Ok(())
    }

    // --- the other frames ---

    fn reset_frame(&mut self, head: FrameHead, payload: &[u8]) -> Result<(), Misdeed> {
        let code = frame::word(payload).filter(|_| payload.len() == 4).ok_or(Misdeed::BadFrameSize)?;
        if head.stream == 0 {
            return Err(Misdeed::WrongStream);
        }
        let code = ErrorCode::from_number(code);
        let Some(stream) = self.streams.get_mut(&head.stream) else {
            self.budget.spend(budget::FRAME)?;
            return match self.is_forgotten(head.stream) {
                Err(Misdeed::IdleStream) => Err(Misdeed::IdleStream),
                // It crossed our own end of the stream (RFC 9113 §5.1).
                _ => Ok(()),
            };
        };
        if stream.is_closed() {
            return self.budget.spend(budget::FRAME);
        }
        // An origin that has answered may stop listening to the rest of a request (RFC 9113 §8.1).
        let orderly = self.role == Role::Client && stream.received == Half::Done && code == ErrorCode::NoError;
        stream.reset = true;
        self.unblock(head.stream);
        self.figures.resets_received += 1;
        self.events.push_back(Event::Reset { stream: StreamId(head.stream), cause: Cause::Peer(code) });
        if orderly { Ok(()) } else { self.budget.spend(budget::RESET) }
    }

    fn settings_frame(&mut self, head: FrameHead, payload: &[u8]) -> Result<(), Misdeed> {
        if head.stream != 0 {
            return Err(Misdeed::WrongStream);
        }
        if head.has(flag::ACK) {
            if !payload.is_empty() {
                return Err(Misdeed::BadFrameSize);
            }
            return self.settings_by_ms.take().map(|_| ()).ok_or(Misdeed::StrayAcknowledgement);
        }
        if self.stage == Stage::Settings {
            self.stage = Stage::Open;
        } else {
            self.budget.spend(budget::FRAME)?;
        }
        self.take_settings(payload)
    }

    fn ping_frame(&mut self, head: FrameHead, payload: &[u8]) -> Result<(), Misdeed> {
        let octets = payload.first_chunk::<8>().filter(|_| payload.len() == 8).ok_or(Misdeed::BadFrameSize)?;
        if head.stream != 0 {
            return Err(Misdeed::WrongStream);
        }
        if !head.has(flag::ACK) {
            self.budget.spend(budget::FRAME)?;
            frame::ping(octets, true, &mut self.out);
        } else if octets == DRAIN_PING {
            self.decide_drain();
        } else if octets == ALIVE_PING && self.ping_by_ms.take().is_some() {
            self.events.push_back(Event::Pong);
        } else {
            self.budget.spend(budget::FRAME)?;
        }
        Ok(())
    }

    fn goaway_frame(&mut self, head: FrameHead, payload: &[u8]) -> Result<(), Misdeed> {
        if head.stream != 0 {
            return Err(Misdeed::WrongStream);
        }
        let (Some(last), Some(code)) = (frame::word(payload), payload.get(4..).and_then(frame::word)) else {
            return Err(Misdeed::BadFrameSize);
        };
        self.budget.spend(budget::FRAME)?;
        let last = (last & 0x7fff_ffff).min(self.goaway.unwrap_or(u32::MAX));
        self.goaway = Some(last);
        if self.role == Role::Client {
            self.give_up_above(last);
        }
        self.events.push_back(Event::Goaway { code: ErrorCode::from_number(code) });
        Ok(())
    }

    /// RFC 9113 §6.8: the peer has not looked at our streams above `last`.
    fn give_up_above(&mut self, last: u32) {
        let mut above: Vec<u32> =
            self.streams.iter().filter(|(id, stream)| **id > last && !stream.is_closed()).map(|(id, _)| *id).collect();
        above.sort_unstable();
        for id in above {
            if let Some(stream) = self.streams.get_mut(&id) {
                stream.reset = true;
            }
            self.unblock(id);
            self.events.push_back(Event::Reset { stream: StreamId(id), cause: Cause::NotProcessed });
        }
    }

    fn window_frame(&mut self, head: FrameHead, payload: &[u8]) -> Result<(), Misdeed> {
        let octets = frame::word(payload).filter(|_| payload.len() == 4).ok_or(Misdeed::BadFrameSize)?;
        let octets = i64::from(octets & 0x7fff_ffff);
        self.budget.spend(budget::FRAME)?;
        if head.stream == 0 {
            return self.grow_connection_window(octets);
        }
        let Some(stream) = self.streams.get_mut(&head.stream) else {
            return match self.is_forgotten(head.stream) {
                Err(Misdeed::IdleStream) => Err(Misdeed::IdleStream),
                _ => Ok(()),
            };
        };
        if stream.is_closed() {
            return Ok(());
        }
        let grown = if octets == 0 { Err(Misdeed::EmptyWindowUpdate) } else { stream.grow_send_window(octets) };
        match grown {
            Ok(()) => self.wake_blocked(),
            Err(misdeed) => self.stream_error(head.stream, misdeed)?,
        }
        Ok(())
    }

    fn grow_connection_window(&mut self, octets: i64) -> Result<(), Misdeed> {
        self.send_window += octets;
        if octets == 0 {
            return Err(Misdeed::EmptyWindowUpdate);
        }
        if self.send_window > WINDOW_MAX {
            return Err(Misdeed::WindowOverflow);
        }
        self.wake_blocked();
        Ok(())
    }

    /// The old priorities mean nothing any more (RFC 9113 §5.3.2); their frame still has a form.
    fn priority_frame(&mut self, head: FrameHead, payload: &[u8]) -> Result<(), Misdeed> {
        self.budget.spend(budget::FRAME)?;
        if head.stream == 0 {
            return Err(Misdeed::WrongStream);
        }
        if payload.len() == 5 {
            return Ok(());
        }
        if !self.streams.contains_key(&head.stream) {
            return Err(Misdeed::BadFrameSize);
        }
        self.stream_error(head.stream, Misdeed::BadFrameSize)
    }

    /// RFC 9218 §7.1.
    fn priority_update(&mut self, head: FrameHead, payload: &[u8]) -> Result<(), Misdeed> {
        self.budget.spend(budget::FRAME)?;
        if head.stream != 0 || self.role == Role::Client {
            return Err(Misdeed::WrongStream);
        }
        let (Some(id), Some(value)) = (frame::word(payload), payload.get(4..)) else {
            return Err(Misdeed::BadFrameSize);
        };
        let id = id & 0x7fff_ffff;
        if id == 0 {
            return Err(Misdeed::WrongStream);
        }
        if let Some(stream) = self.streams.get_mut(&id) {
            stream.priority = Priority::parse(value);
        }
        Ok(())
    }
}

/// The payload without its padding (RFC 9113 §6.1, §6.2).
fn unpad(head: FrameHead, payload: &[u8]) -> Result<&[u8], Misdeed> {
    if !head.has(flag::PADDED) {
        return Ok(payload);
    }
    let (&padding, rest) = payload.split_first().ok_or(Misdeed::BadFrameSize)?;
    let kept = rest.len().checked_sub(usize::from(padding)).ok_or(Misdeed::BadPadding)?;
    Ok(rest.get(..kept).unwrap_or_default())
}
