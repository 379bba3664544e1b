//! One message posted over gRPC: a unary call on HTTP/2 without TLS.

use super::post::{Collector, Refusal, connect};
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Instant;
use strait_http2::{Connection, Event, Limits, OutgoingHead, Scratch, StreamId};
use strait_message::{BodyLength, Headers, Method, Name, NameSet, RequestHead};

/// Octets read at once.
const READ_BYTES: usize = 16 * 1024;
/// What of an answer is looked at between two reads.
const HELD_BYTES_MAX: usize = 1 << 20;

/// A connection over which calls are made, one at a time.
pub(super) struct Caller {
    stream: TcpStream,
    engine: Connection,
    scratch: Scratch,
    held: Vec<u8>,
    began: Instant,
}

impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Caller")
    }
}

impl Caller {
    pub(super) fn connect(collector: &Collector) -> io::Result<Self> {
        let stream = connect(&collector.authority)?;
        let engine = Connection::client(Limits::default(), 0);
        Ok(Self { stream, engine, scratch: Scratch::default(), held: Vec::new(), began: Instant::now() })
    }

    /// Makes a call and waits for how it ended. After an error of the connection it is of no use any more.
    pub(super) fn call(&mut self, collector: &Collector, message: &[u8]) -> Result<(), Refusal> {
        let id = self.open(collector, message.len()).map_err(Refusal::Io)?;
        let mut body = Vec::with_capacity(message.len() + 5);
        // Length-prefixed, not compressed (gRPC over HTTP/2, Length-Prefixed-Message).
        body.push(0);
        body.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
        body.extend_from_slice(message);
        let outcome = self.converse(id, &body);
        self.engine.release(id);
        match outcome.map_err(Refusal::Io)? {
            0 => Ok(()),
            status => Err(Refusal::Grpc(status)),
        }
    }

    fn open(&mut self, collector: &Collector, length: usize) -> io::Result<StreamId> {
        let mut head = RequestHead::new(Method::Post);
        head.headers.push_name(Name::Te, b"trailers");
        head.headers.push(b"content-type", b"application/grpc");
        head.headers.push(b"user-agent", concat!("strait/", env!("CARGO_PKG_VERSION")).as_bytes());
        for (name, value) in &collector.headers {
            head.headers.push(name.to_ascii_lowercase().as_bytes(), value.as_bytes());
        }
        let request = OutgoingHead {
            head: &head,
            target: collector.path.as_bytes(),
            host: collector.authority.as_bytes(),
            scheme: "http",
            skip: NameSet::EMPTY,
            extra: b"",
            length: BodyLength::Fixed(length as u64 + 5),
            websocket: false,
        };
        self.engine.open(&request).map_err(|unopened| io::Error::other(unopened.to_string()))
    }

    /// Sends the body and reads to the end of the answer: the status of gRPC.
    fn converse(&mut self, id: StreamId, body: &[u8]) -> io::Result<u32> {
        let mut sent = self.send(id, body)?;
        let mut status = None;
        loop {
            self.flush()?;
            self.fill()?;
            loop {
                let now_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
                let received = self.engine.recv(&self.held, &mut self.scratch, now_ms);
                let received = received.map_err(|misdeed| io::Error::other(misdeed.words()))?;
                self.held.drain(..received.consumed.min(self.held.len()));
                match received.event {
                    Event::NeedMore => break,
                    Event::Response { facts, .. } => {
                        status = grpc_status(&self.scratch.response.headers);
                        if facts.is_whole {
                            return status.ok_or_else(without_status);
                        }
                    }
                    Event::Data { stream, range, ends } => {
                        self.engine.consume(stream, range.len());
                        if ends {
                            return status.ok_or_else(without_status);
                        }
                    }
                    Event::Trailers { .. } => {
                        return grpc_status(&self.scratch.trailers).or(status).ok_or_else(without_status);
                    }
                    Event::Reset { cause, .. } => {
                        return Err(io::Error::other(format!("it reset the call: {cause:?}")));
                    }
                    Event::Settings | Event::Writable { .. } => {
                        sent += self.send(id, body.get(sent..).unwrap_or_default())?;
                    }
                    _ => {}
                }
            }
        }
    }

    fn send(&mut self, id: StreamId, rest: &[u8]) -> io::Result<usize> {
        if rest.is_empty() {
            return Ok(0);
        }
        self.engine.send_data(id, rest, true).map_err(|error| io::Error::other(error.to_string()))
    }

    fn flush(&mut self) -> io::Result<()> {
        while !self.engine.output().is_empty() {
            let written = self.stream.write(self.engine.output())?;
            if written == 0 {
                return Err(ErrorKind::WriteZero.into());
            }
            self.engine.written(written);
        }
        Ok(())
    }

    fn fill(&mut self) -> io::Result<()> {
        let mut piece = [0; READ_BYTES];
        match self.stream.read(&mut piece)? {
            0 => Err(ErrorKind::UnexpectedEof.into()),
            _ if self.held.len() > HELD_BYTES_MAX => Err(io::Error::other("its answer is too large")),
            octets => {
                self.held.extend_from_slice(piece.get(..octets).unwrap_or_default());
                Ok(())
            }
        }
    }
}

fn grpc_status(fields: &Headers) -> Option<u32> {
    std::str::from_utf8(fields.get_by_text(b"grpc-status")?).ok()?.parse().ok()
}

fn without_status() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "it does not speak gRPC")
}
