//! Asks a running Strait over its admin API: blocking, one question a connection.

use crate::admin::Token;
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

/// Connecting, and every read and write.
const TIMEOUT: Duration = Duration::from_secs(5);
/// Octets of an answer.
const ANSWER_BYTES_MAX: u64 = 64 << 20;

/// Where a Strait is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AdminAddress {
    /// Its admin address.
    Tcp(SocketAddr),
    /// Its admin address, where it asks for a token.
    Guarded(SocketAddr, Token),
    /// Its admin socket.
    Unix(PathBuf),
}

/// What it answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// The body.
    pub body: String,
}

/// Why there is no answer.
#[derive(Debug)]
pub enum ClientError {
    /// Nobody listens there.
    NotRunning(AdminAddress),
    /// This user may not open the socket.
    NotPermitted(AdminAddress),
    /// It took longer than five seconds.
    TimedOut(AdminAddress),
    /// What came is not an answer, or not a whole one.
    NotAnAnswer(AdminAddress),
    /// What the system said.
    System(AdminAddress, io::Error),
}

impl AdminAddress {
    /// The same, asked with this token; a socket needs none.
    #[must_use]
    pub fn bearing(self, token: Option<String>) -> Self {
        match (self, token) {
            (Self::Tcp(address), Some(token)) => Self::Guarded(address, Token::new(token)),
            (bare, _) => bare,
        }
    }

    /// Asks without changing anything. `path` begins with a slash and may have a query, already escaped.
    ///
    /// # Errors
    /// [`ClientError`] when there is no answer; an answer that says no is an answer.
    pub fn get(&self, path: &str) -> Result<Answer, ClientError> {
        self.ask("GET", path)
    }

    /// Asks to do something.
    ///
    /// # Errors
    /// As [`AdminAddress::get`].
    pub fn post(&self, path: &str) -> Result<Answer, ClientError> {
        self.ask("POST", path)
    }

    fn ask(&self, method: &str, path: &str) -> Result<Answer, ClientError> {
        let host = match self {
            Self::Tcp(address) | Self::Guarded(address, _) => address.to_string(),
            Self::Unix(_) => "localhost".to_owned(),
        };
        // HTTP/1.0, so that the answer ends with the connection and is never chunked.
        let token = match self {
            Self::Guarded(_, token) => format!("Authorization: Bearer {}\r\n", token.text()),
            _ => String::new(),
        };
        let question = format!("{method} {path} HTTP/1.0\r\nHost: {host}\r\n{token}Content-Length: 0\r\n\r\n");
        let answer = self.exchange(question.as_bytes()).map_err(|error| self.explained(error))?;
        parse(&answer).ok_or_else(|| ClientError::NotAnAnswer(self.clone()))
    }

    fn exchange(&self, question: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Tcp(address) | Self::Guarded(address, _) => {
                let stream = TcpStream::connect_timeout(address, TIMEOUT)?;
                stream.set_read_timeout(Some(TIMEOUT))?;
                stream.set_write_timeout(Some(TIMEOUT))?;
                converse(stream, question)
            }
            Self::Unix(path) => {
                let stream = UnixStream::connect(path)?;
                stream.set_read_timeout(Some(TIMEOUT))?;
                stream.set_write_timeout(Some(TIMEOUT))?;
                converse(stream, question)
            }
        }
    }

    fn explained(&self, error: io::Error) -> ClientError {
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => ClientError::NotRunning(self.clone()),
            ErrorKind::PermissionDenied => ClientError::NotPermitted(self.clone()),
            ErrorKind::TimedOut | ErrorKind::WouldBlock => ClientError::TimedOut(self.clone()),
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => ClientError::NotAnAnswer(self.clone()),
            _ => ClientError::System(self.clone(), error),
        }
    }
}

fn converse(mut stream: impl Read + Write, question: &[u8]) -> io::Result<Vec<u8>> {
    stream.write_all(question)?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer)?;
    Ok(answer)
}

/// The status and the body. `None` when it is not HTTP, or shorter than it says.
fn parse(answer: &[u8]) -> Option<Answer> {
    let text = std::str::from_utf8(answer).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let status = lines.next()?.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    let mut fields = lines.filter_map(|line| line.split_once(':'));
    let length = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let length: Option<usize> = length.and_then(|(_, length)| length.trim().parse().ok());
    length.is_none_or(|length| length == body.len()).then(|| Answer { status, body: body.to_owned() })
}

impl fmt::Display for AdminAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) | Self::Guarded(address, _) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRunning(at) => write!(f, "no strait answers on {at}: is it running, with this admin address?"),
            Self::NotPermitted(at) => write!(f, "{at} may not be opened by this user: ask as its owner or group"),
            Self::TimedOut(at) => write!(f, "{at} did not answer within {} seconds", TIMEOUT.as_secs()),
            Self::NotAnAnswer(at) => {
                write!(f, "what {at} sent is not an answer of strait: does something else listen there?")
            }
            Self::System(at, error) => write!(f, "{at} cannot be asked: {error}"),
        }
    }
}

impl std::error::Error for ClientError {}

#[cfg(test)]
mod tests {
    use super::{AdminAddress, Answer, ClientError, parse};
    use std::io::{Read, Write};
    use std::net::TcpListener;

    #[test]
    fn answers_are_whole_or_none() {
        let parsed = |text: &str| parse(text.as_bytes()).map(|Answer { status, body }| (status, body));
        let whole = Some((200, "ok".to_owned()));
        assert_eq!(parsed("HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok"), whole);
        assert_eq!(parsed("HTTP/1.1 200 OK\r\n\r\nok"), whole);
        assert_eq!(parsed("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok"), None);
        assert_eq!(parsed("HTTP/1.1 200 OK\r\n"), None);
        assert_eq!(parsed("SSH-2.0-OpenSSH\r\n\r\n"), None);
    }

    #[test]
    fn errors_say_what_to_do() {
        let nowhere = AdminAddress::Unix("/nowhere/at/all".into());
        let error = nowhere.get("/status").unwrap_err();
        assert!(matches!(error, ClientError::NotRunning(_)));
        assert!(error.to_string().starts_with("no strait answers on unix:/nowhere/at/all"));
        let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert!(matches!(AdminAddress::Tcp(closed).get("/"), Err(ClientError::NotRunning(_))));
    }

    #[test]
    fn something_else_that_listens_is_told_apart() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = AdminAddress::Tcp(listener.local_addr().unwrap());
        let other = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut some = [0; 10];
            stream.read_exact(&mut some).unwrap();
            stream.write_all(b"220 mail.example ESMTP\r\n").unwrap();
        });
        assert!(matches!(address.get("/status"), Err(ClientError::NotAnAnswer(_))));
        other.join().unwrap();
    }
}
