//! The client: it writes raw bytes as a case says and keeps every byte that comes back.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use crate::oracle::{self, Field, Framing, Refusal, Response, Verdict};

/// Octets of one step that are sent one by one where the run asks for it; beyond, more of the same teaches nothing.
const SPLIT_MAX: usize = 4096;

/// How the proxy ended a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// In order.
    Fin,
    /// With a reset.
    Reset,
}

/// How far a response has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// Whole.
    Whole,
    /// The connection ended inside it.
    Cut,
    /// It is still coming, as far as one can tell.
    Open,
}

/// One final response and the interim ones before it.
#[derive(Clone, Debug)]
pub struct Got {
    /// Statuses of the interim responses before it.
    pub interims: Vec<u16>,
    /// Its head.
    pub head: Response,
    /// Its decoded body so far.
    pub body: Vec<u8>,
    /// Its trailer fields.
    pub trailers: Vec<Field>,
    /// How far it has come.
    pub arrival: Arrival,
}

/// Everything a client received, read as HTTP.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// Final responses in order.
    pub responses: Vec<Got>,
    /// Interim responses after the last final one.
    pub interims: Vec<u16>,
    /// The first thing that was no HTTP.
    pub malformed: Option<Refusal>,
}

/// Reads received bytes as responses to requests with these methods (GET where there are more).
pub fn read_answers(bytes: &[u8], methods: &[Vec<u8>], end: Option<End>) -> Answers {
    let mut answers = Answers::default();
    let mut rest = bytes;
    while !rest.is_empty() && answers.malformed.is_none() {
        let method = methods.get(answers.responses.len()).map_or(&b"GET"[..], Vec::as_slice);
        match oracle::response(rest, method) {
            Ok(Verdict::Complete(head)) => {
                rest = &rest[head.consumed..];
                rest = &rest[take_response(&mut answers, head, rest, end)..];
            }
            Ok(Verdict::Incomplete) => break,
            Err(refusal) => answers.malformed = Some(refusal),
        }
    }
    answers
}

/// Puts one response down; returns how many octets of `rest` were its body.
fn take_response(answers: &mut Answers, head: Response, rest: &[u8], end: Option<End>) -> usize {
    if head.status < 200 && head.status != 101 {
        answers.interims.push(head.status);
        return 0;
    }
    let (body, trailers, used) = match read_body(head.framing, rest, end) {
        Ok(read) => read,
        Err(refusal) => {
            answers.malformed = Some(refusal);
            (Vec::new(), Vec::new(), None)
        }
    };
    let arrival = match (used, end) {
        (Some(_), _) => Arrival::Whole,
        (None, Some(_)) => Arrival::Cut,
        (None, None) => Arrival::Open,
    };
    let interims = std::mem::take(&mut answers.interims);
    answers.responses.push(Got { interims, head, body, trailers, arrival });
    used.unwrap_or(rest.len())
}

type Body = (Vec<u8>, Vec<Field>, Option<usize>);

/// The body so far, its trailers, and how many octets it took if it is whole.
fn read_body(framing: Framing, rest: &[u8], end: Option<End>) -> Result<Body, Refusal> {
    Ok(match framing {
        Framing::None => (Vec::new(), Vec::new(), Some(0)),
        Framing::Length(length) => {
            let length = usize::try_from(length).unwrap_or(usize::MAX);
            let have = length.min(rest.len());
            (rest[..have].to_vec(), Vec::new(), (have == length).then_some(have))
        }
        Framing::Chunked => match oracle::chunked(rest)? {
            Verdict::Complete(all) => (all.body, all.trailers, Some(all.consumed)),
            Verdict::Incomplete => (Vec::new(), Vec::new(), None),
        },
        Framing::Close => (rest.to_vec(), Vec::new(), (end == Some(End::Fin)).then_some(rest.len())),
        Framing::Tunnel => (rest.to_vec(), Vec::new(), Some(rest.len())),
    })
}

/// One connection to the proxy.
pub struct Client {
    stream: Option<TcpStream>,
    /// Everything sent.
    pub sent: Vec<u8>,
    /// Everything received.
    pub received: Vec<u8>,
    /// How the proxy ended the connection, if it has.
    pub end: Option<End>,
    /// Send one byte a write.
    pub split: bool,
}

impl Client {
    /// Connects.
    ///
    /// # Errors
    /// Those of the socket.
    pub fn connect(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(Duration::from_secs(2)))?;
        Ok(Self { stream: Some(stream), sent: Vec::new(), received: Vec::new(), end: None, split: false })
    }

    /// Sends; that the proxy no longer listens is not an error here, it shows in what is received.
    pub fn send(&mut self, bytes: &[u8]) {
        let Some(stream) = &mut self.stream else { return };
        self.sent.extend_from_slice(bytes);
        let (single, whole) = bytes.split_at(if self.split { bytes.len().min(SPLIT_MAX) } else { 0 });
        let pieces = single.chunks(1).chain([whole]);
        for piece in pieces {
            if stream.write_all(piece).is_err() {
                return;
            }
        }
    }

    /// Reads until `enough` holds, the connection ends, or the deadline. Whether `enough` holds.
    pub fn wait(&mut self, deadline: Instant, enough: impl Fn(&Self) -> bool) -> bool {
        while !enough(self) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || self.end.is_some() || !self.read_once(left) {
                return enough(self);
            }
        }
        true
    }

    /// `false`: nothing came in that time.
    fn read_once(&mut self, left: Duration) -> bool {
        let Some(stream) = &mut self.stream else { return false };
        let mut piece = [0; 16 * 1024];
        stream.set_read_timeout(Some(left)).unwrap();
        match stream.read(&mut piece) {
            Ok(0) => self.end = Some(End::Fin),
            Ok(count) => self.received.extend_from_slice(&piece[..count]),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => return false,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => self.end = Some(End::Reset),
        }
        true
    }

    /// Sends a FIN.
    pub fn half_close(&mut self) {
        if let Some(stream) = &self.stream {
            drop(stream.shutdown(Shutdown::Write));
        }
    }

    /// Closes, with a reset if asked.
    pub fn close(&mut self, reset: bool) {
        if let Some(stream) = self.stream.take() {
            if reset {
                drop(socket2::SockRef::from(&stream).set_linger(Some(Duration::ZERO)));
            }
            self.end = Some(if reset { End::Reset } else { End::Fin });
        }
    }
}
