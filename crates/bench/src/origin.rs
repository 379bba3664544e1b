//! An HTTP/1.1 origin cheaper than any proxy: one epoll loop, canned responses, no allocation per request.
//!
//! It understands what well-behaved proxies send and nothing else: a request with a chunked body is refused.

use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use memchr::memmem;

use crate::answers::Answers;
use crate::poll::{self, Io, Poll, Ready};
use crate::slab::Slab;

/// Bytes read in one call; larger than any request of the load.
const READ_BYTES: usize = 64 << 10;

/// A request head that grows beyond this is refused.
const HEAD_BYTES_MAX: usize = 32 << 10;

/// Sockets, responses and the state of each connection.
pub(crate) struct Origin {
    listener: OwnedFd,
    connections: Slab<Connection>,
    answers: Answers,
    scratch: Vec<u8>,
    /// Requests answered since the start.
    pub(crate) answered: u64,
}

struct Connection {
    socket: OwnedFd,
    stage: Stage,
    /// Bytes read but not understood yet: part of a head, or requests behind a blocked response.
    carry: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Stage {
    /// A request head comes next.
    Head,
    /// So many bytes of a request body come next.
    Drain { left: usize, then: usize },
    /// A response is on its way.
    Send { answer: usize, sent: usize },
}

/// What is known of a request after its head.
struct Request {
    head_length: usize,
    body_length: usize,
    answer: usize,
}

/// The place number that stands for the listening socket.
const LISTENER: u64 = u64::MAX >> 1;

impl Origin {
    /// Listens on `address` and watches with `poll`; `token` turns a place number into an epoll token.
    pub(crate) fn new(address: SocketAddr, poll: &Poll, token: impl Fn(u64) -> u64) -> io::Result<Origin> {
        let listener = poll::listener(address)?;
        poll.watch_listener(&listener, token(LISTENER))?;
        let (connections, scratch) = (Slab::new(), vec![0; READ_BYTES]);
        Ok(Origin { listener, connections, answers: Answers::new(), scratch, answered: 0 })
    }

    /// Handles readiness of a connection or the listener; `ready` holds a place number, not a token.
    pub(crate) fn on_ready(&mut self, ready: Ready, poll: &Poll, token: impl Fn(u64) -> u64) -> io::Result<()> {
        if ready.token == LISTENER {
            return self.accept(poll, token);
        }
        let Ok(place) = usize::try_from(ready.token) else { return Ok(()) };
        let Some(connection) = self.connections.get_mut(place) else { return Ok(()) };
        if !connection.advance(ready.last, &self.answers, &mut self.scratch, &mut self.answered) {
            self.connections.remove(place);
        }
        Ok(())
    }

    fn accept(&mut self, poll: &Poll, token: impl Fn(u64) -> u64) -> io::Result<()> {
        while let Some(socket) = poll::accept(&self.listener)? {
            let place = self.connections.insert(Connection { socket, stage: Stage::Head, carry: Vec::new() });
            if let Some(connection) = self.connections.get_mut(place) {
                poll.watch(&connection.socket, token(place as u64))?;
            }
        }
        Ok(())
    }
}

impl Connection {
    /// Reads and answers until the socket has no more; false when the connection is over.
    fn advance(&mut self, last: bool, answers: &Answers, scratch: &mut [u8], answered: &mut u64) -> bool {
        if !self.carry.is_empty() || matches!(self.stage, Stage::Send { .. }) {
            let carry = std::mem::take(&mut self.carry);
            let Some(used) = self.consume(&carry, answers, answered) else { return false };
            self.carry.extend_from_slice(carry.get(used..).unwrap_or_default());
        }
        loop {
            if matches!(self.stage, Stage::Send { .. }) {
                return true;
            }
            let length = match poll::read(&self.socket, scratch) {
                Io::Moved(length) => length,
                Io::Blocked => return true,
                Io::Gone => return false,
            };
            let fresh = scratch.get(..length).unwrap_or_default();
            if !self.take(fresh, answers, answered) {
                return false;
            }
            // A short read means the socket is empty: the next arrival is a new event (epoll(7), edge-triggered).
            if length < scratch.len() && !last {
                return true;
            }
        }
    }

    /// Consumes `fresh` behind what was carried over; false when the connection is over.
    fn take(&mut self, fresh: &[u8], answers: &Answers, answered: &mut u64) -> bool {
        if self.carry.is_empty() {
            let Some(used) = self.consume(fresh, answers, answered) else { return false };
            self.carry.extend_from_slice(fresh.get(used..).unwrap_or_default());
            return true;
        }
        let mut carry = std::mem::take(&mut self.carry);
        carry.extend_from_slice(fresh);
        let Some(used) = self.consume(&carry, answers, answered) else { return false };
        carry.drain(..used);
        self.carry = carry;
        self.carry.len() <= HEAD_BYTES_MAX || matches!(self.stage, Stage::Send { .. })
    }

    /// Understands and answers what `input` holds; returns how many bytes it used, `None` when the connection is over.
    fn consume(&mut self, input: &[u8], answers: &Answers, answered: &mut u64) -> Option<usize> {
        let mut used = 0;
        loop {
            let rest = input.get(used..).unwrap_or_default();
            match self.stage {
                Stage::Head => match Request::parse(rest) {
                    None => return Some(used),
                    Some(request) => {
                        used += request.head_length;
                        self.stage = Stage::Drain { left: request.body_length, then: request.answer };
                    }
                },
                Stage::Drain { left, then } => {
                    let taken = left.min(rest.len());
                    used += taken;
                    if taken < left {
                        self.stage = Stage::Drain { left: left - taken, then };
                        return Some(used);
                    }
                    self.stage = Stage::Send { answer: then, sent: 0 };
                }
                Stage::Send { answer, sent } => {
                    let answer_bytes = answers.get(answer)?;
                    let unsent = answer_bytes.bytes.get(sent..)?;
                    match poll::write(&self.socket, unsent) {
                        Io::Moved(length) if length == unsent.len() => {
                            *answered += 1;
                            self.stage = Stage::Head;
                            if !answer_bytes.keep_alive {
                                return None;
                            }
                        }
                        Io::Moved(length) => self.stage = Stage::Send { answer, sent: sent + length },
                        Io::Blocked => return Some(used),
                        Io::Gone => return None,
                    }
                }
            }
        }
    }
}

impl Request {
    /// Reads a whole head at the start of `input`, `None` when its end is not there yet.
    fn parse(input: &[u8]) -> Option<Request> {
        let head_length = memmem::find(input, b"\r\n\r\n")? + 4;
        let head = input.get(..head_length)?;
        let mut words = head.split(|byte| *byte == b' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let mut request = Request { head_length, body_length: 0, answer: Answers::find(path) };
        if method != b"GET" && method != b"HEAD" {
            match content_length(head) {
                Some(length) => request.body_length = length,
                None => request.answer = Answers::refused(),
            }
        }
        Some(request)
    }
}

/// The value of Content-Length in a head, found without reading the other fields' values.
pub(crate) fn content_length(head: &[u8]) -> Option<usize> {
    const NAME: &[u8] = b"content-length:";
    memchr::memchr_iter(b'\n', head)
        .filter_map(|line| head.get(line + 1..))
        .find(|line| line.get(..NAME.len()).is_some_and(|name| name.eq_ignore_ascii_case(NAME)))
        .and_then(|line| {
            let value = line.get(NAME.len()..)?;
            let end = memchr::memchr(b'\r', value)?;
            std::str::from_utf8(value.get(..end)?).ok()?.trim().parse().ok()
        })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_head_is_parsed_only_when_it_is_whole() {
        let bytes = b"POST /x/1k HTTP/1.1\r\nHost: a\r\ncontent-LENGTH: 12\r\n\r\nhello";
        for end in 0..bytes.len() - 5 {
            assert!(Request::parse(bytes.get(..end).unwrap()).is_none());
        }
        let request = Request::parse(bytes).unwrap();
        assert_eq!((request.head_length, request.body_length), (bytes.len() - 5, 12));
        assert_eq!(request.answer, Answers::find(b"/1k"));
    }

    #[test]
    fn a_post_without_length_is_refused() {
        let request = Request::parse(b"POST /1k HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n").unwrap();
        assert_eq!(request.answer, Answers::refused());
    }

    #[test]
    fn answers_are_as_long_as_they_say() {
        let answers = Answers::new();
        for path in ["/1k", "/a/b/16k.html", "/100k", "/1m", "/empty"] {
            let answer = answers.get(Answers::find(path.as_bytes())).unwrap();
            let head = memmem::find(&answer.bytes, b"\r\n\r\n").unwrap() + 4;
            assert_eq!(content_length(&answer.bytes), Some(answer.bytes.len() - head));
            assert_eq!(answer.bytes.len() - head, Answers::body_length(path));
        }
    }
}
