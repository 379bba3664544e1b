//! One message posted over HTTP/1.1, and what is answered. The connection is kept.

use super::grpc::Caller;
use std::fmt;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

/// Connecting, and every read and write.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Octets of an answer that are read; nothing in it is needed.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;
/// Lines of an answer's head.
const LINES_MAX: usize = 100;

/// Who takes a signal.
#[derive(Clone, PartialEq, Eq)]
pub struct Collector {
    /// The name under which it is told (`service.name`).
    pub service: String,
    /// Host and port.
    pub authority: String,
    /// The path that takes the signal, as `/v1/traces`, or the method of gRPC.
    pub path: String,
    /// Further fields of requests, such as a token.
    pub headers: Vec<(String, String)>,
    /// Whether it is spoken to by gRPC; else by HTTP/1.1.
    pub is_grpc: bool,
}

/// Values of fields may be secret.
impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Collector({self})")
    }
}

impl fmt::Display for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_grpc { "grpc" } else { "http" };
        write!(f, "{scheme}://{}{}", self.authority, self.path)
    }
}

/// Why a message was not taken.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The connection failed.
    Io(io::Error),
    /// Another status than 200 (OTLP/HTTP §Failures), and the seconds of Retry-After.
    Status(u16, Option<u64>),
    /// Another status of gRPC than OK.
    Grpc(u32),
}

impl Refusal {
    /// Whether sending it again is of no use (OTLP/HTTP §Retryable Response Codes).
    pub(super) fn is_final(&self) -> bool {
        // CANCELLED, DEADLINE_EXCEEDED, ABORTED, OUT_OF_RANGE, UNAVAILABLE, DATA_LOSS (OTLP/gRPC §Failures).
        !matches!(self, Self::Io(_) | Self::Status(429 | 502 | 503 | 504, _) | Self::Grpc(1 | 4 | 10 | 11 | 14 | 15))
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status(_, Some(seconds)) => Some(Duration::from_secs(*seconds)),
            Self::Status(_, None) | Self::Io(_) | Self::Grpc(_) => None,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => error.fmt(f),
            Self::Status(status, _) => write!(f, "it answers {status}"),
            Self::Grpc(status) => write!(f, "it answers with status {status} of gRPC"),
        }
    }
}

/// Sends to one collector.
#[derive(Debug)]
pub(super) struct Sender {
    collector: Collector,
    connection: Option<BufReader<TcpStream>>,
    caller: Option<Caller>,
}

impl Sender {
    pub(super) fn new(collector: Collector) -> Self {
        Self { collector, connection: None, caller: None }
    }

    pub(super) fn collector(&self) -> &Collector {
        &self.collector
    }

    /// Posts a message. A kept connection that turns out to be closed is opened anew.
    pub(super) fn send(&mut self, body: &[u8]) -> Result<(), Refusal> {
        if self.collector.is_grpc {
            return self.call(body);
        }
        let kept = self.connection.take();
        let was_kept = kept.is_some();
        match self.send_on(kept, body) {
            Err(Refusal::Io(_)) if was_kept => self.send_on(None, body),
            outcome => outcome,
        }
    }

    /// The same over gRPC. A connection that failed is not used again.
    fn call(&mut self, body: &[u8]) -> Result<(), Refusal> {
        let kept = self.caller.take();
        let was_kept = kept.is_some();
        match self.call_on(kept, body) {
            Err(Refusal::Io(_)) if was_kept => self.call_on(None, body),
            outcome => outcome,
        }
    }

    fn call_on(&mut self, kept: Option<Caller>, body: &[u8]) -> Result<(), Refusal> {
        let mut caller = match kept {
            Some(caller) => caller,
            None => Caller::connect(&self.collector).map_err(Refusal::Io)?,
        };
        let outcome = caller.call(&self.collector, body);
        if !matches!(outcome, Err(Refusal::Io(_))) {
            self.caller = Some(caller);
        }
        outcome
    }

    fn send_on(&mut self, kept: Option<BufReader<TcpStream>>, body: &[u8]) -> Result<(), Refusal> {
        let mut connection = match kept {
            Some(connection) => connection,
            None => BufReader::new(connect(&self.collector.authority).map_err(Refusal::Io)?),
        };
        self.write(connection.get_mut(), body).map_err(Refusal::Io)?;
        let answer = read_answer(&mut connection).map_err(Refusal::Io)?;
        self.connection = Some(connection).filter(|_| answer.is_kept);
        match answer.status {
            200..=299 => Ok(()),
            status => Err(Refusal::Status(status, answer.retry_after)),
        }
    }

    fn write(&self, stream: &mut TcpStream, body: &[u8]) -> io::Result<()> {
        let Collector { authority, path, headers, .. } = &self.collector;
        let mut head = format!(
            "POST {path} HTTP/1.1\r\nHost: {authority}\r\nContent-Type: application/x-protobuf\r\nUser-Agent: strait/{}\r\nContent-Length: {}\r\n",
            env!("CARGO_PKG_VERSION"),
            body.len()
        );
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        stream.write_all(head.as_bytes())?;
        stream.write_all(body)
    }
}

pub(super) fn connect(authority: &str) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, format!("`{authority}` has no address"));
    for address in authority.to_socket_addrs()? {
        match TcpStream::connect_timeout(&address, TIMEOUT) {
            Ok(stream) => {
                stream.set_read_timeout(Some(TIMEOUT))?;
                stream.set_write_timeout(Some(TIMEOUT))?;
                stream.set_nodelay(true)?;
                return Ok(stream);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

struct Answer {
    status: u16,
    retry_after: Option<u64>,
    is_kept: bool,
}

/// Reads an answer to its end. One without a length ends its connection.
fn read_answer(connection: &mut BufReader<TcpStream>) -> io::Result<Answer> {
    let malformed = || io::Error::new(io::ErrorKind::InvalidData, "what it sends is no answer");
    let first = line(connection)?;
    let status = first.strip_prefix("HTTP/1.").and_then(|rest| rest.split(' ').nth(1)?.parse().ok());
    let mut answer = Answer { status: status.ok_or_else(malformed)?, retry_after: None, is_kept: false };
    let (mut length, mut is_closed) = (None, first.starts_with("HTTP/1.0"));
    for _ in 0..LINES_MAX {
        let field = line(connection)?;
        if field.is_empty() {
            let length = length.filter(|length| *length <= ANSWER_BYTES_MAX && !is_closed);
            if let Some(length) = length {
                io::copy(&mut connection.take(length), &mut io::sink())?;
            }
            answer.is_kept = length.is_some();
            return Ok(answer);
        }
        let (name, value) = field.split_once(':').ok_or_else(malformed)?;
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse::<u64>().ok(),
            "connection" => is_closed |= value.to_ascii_lowercase().contains("close"),
            "retry-after" => answer.retry_after = value.trim().parse().ok(),
            _ => {}
        }
    }
    Err(malformed())
}

fn line(connection: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    if connection.take(8 * 1024).read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end().to_owned())
}
