//! HTTP/1 by hand: simple, slow and written without a look at Strait's engine, so that both cannot be wrong alike.

use std::io;
use std::rc::Rc;
use strait_dataplane::sim::SimStream;

/// One end of a connection with what was received and not yet taken.
pub(crate) struct Wire {
    pub(crate) stream: Rc<SimStream>,
    buffer: Vec<u8>,
}

/// Why a message did not arrive whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// The connection ended before the first octet of it.
    Nothing,
    /// The connection ended inside it.
    Ended,
    /// The connection was reset before or inside it.
    Reset,
    /// It is not HTTP.
    Malformed(String),
}

/// A start line and its fields, names in lower case.
#[derive(Clone, Debug, Default)]
pub(crate) struct Head {
    pub(crate) start: String,
    pub(crate) fields: Vec<(String, String)>,
}

/// How a body ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    Length(usize),
    Chunked,
    Close,
}

impl Head {
    /// The only value of a field.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The status of a response.
    pub(crate) fn status(&self) -> u16 {
        self.start.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or(0)
    }

    /// What the fields say about the body; `None` when they say nothing.
    pub(crate) fn framing(&self) -> Result<Option<Framing>, Broken> {
        match (self.get("transfer-encoding"), self.get("content-length")) {
            (Some("chunked"), None) => Ok(Some(Framing::Chunked)),
            (None, Some(length)) => {
                let length = length.parse().map_err(|_| Broken::Malformed(format!("Content-Length: {length}")))?;
                Ok(Some(Framing::Length(length)))
            }
            (None, None) => Ok(None),
            odd => Err(Broken::Malformed(format!("framing {odd:?}"))),
        }
    }
}

impl Wire {
    pub(crate) fn new(stream: SimStream) -> Self {
        Self { stream: Rc::new(stream), buffer: Vec::new() }
    }

    /// Receives more; `false` at the end.
    async fn more(&mut self) -> Result<bool, Broken> {
        let mut piece = [0; 4096];
        match self.stream.read(&mut piece).await {
            Ok(0) => Ok(false),
            Ok(octets) => {
                self.buffer.extend_from_slice(&piece[..octets]);
                Ok(true)
            }
            Err(_) => Err(Broken::Reset),
        }
    }

    /// Receives one line, without its end.
    async fn line(&mut self) -> Result<String, Broken> {
        loop {
            if let Some(at) = self.buffer.windows(2).position(|pair| pair == b"\r\n") {
                let line = String::from_utf8_lossy(&self.buffer[..at]).into_owned();
                self.buffer.drain(..at + 2);
                return Ok(line);
            }
            let begun = !self.buffer.is_empty();
            if !self.more().await? {
                return Err(if begun { Broken::Ended } else { Broken::Nothing });
            }
        }
    }

    /// Receives fields up to the empty line.
    async fn fields(&mut self) -> Result<Vec<(String, String)>, Broken> {
        let mut fields = Vec::new();
        loop {
            let line = self.line().await.map_err(inside)?;
            if line.is_empty() {
                return Ok(fields);
            }
            let (name, value) = line.split_once(':').ok_or_else(|| Broken::Malformed(format!("field {line:?}")))?;
            fields.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
    }

    pub(crate) async fn head(&mut self) -> Result<Head, Broken> {
        let start = self.line().await?;
        Ok(Head { start, fields: self.fields().await? })
    }

    /// Receives a body into `body`, which holds what came when it breaks off, and returns its trailers.
    pub(crate) async fn body(&mut self, framing: Framing, body: &mut Vec<u8>) -> Result<Vec<(String, String)>, Broken> {
        match framing {
            Framing::Length(octets) => self.take(octets, body).await.map(|()| Vec::new()),
            Framing::Chunked => self.chunks(body).await,
            Framing::Close => loop {
                body.append(&mut self.buffer);
                if !self.more().await? {
                    return Ok(Vec::new());
                }
            },
        }
    }

    async fn take(&mut self, octets: usize, body: &mut Vec<u8>) -> Result<(), Broken> {
        let mut left = octets;
        loop {
            let now = left.min(self.buffer.len());
            body.extend(self.buffer.drain(..now));
            left -= now;
            if left == 0 {
                return Ok(());
            }
            if !self.more().await? {
                return Err(Broken::Ended);
            }
        }
    }

    async fn chunks(&mut self, body: &mut Vec<u8>) -> Result<Vec<(String, String)>, Broken> {
        loop {
            let line = self.line().await.map_err(inside)?;
            let size = usize::from_str_radix(&line, 16).map_err(|_| Broken::Malformed(format!("chunk {line:?}")))?;
            if size == 0 {
                return self.fields().await;
            }
            self.take(size, body).await?;
            let end = self.line().await.map_err(inside)?;
            if !end.is_empty() {
                return Err(Broken::Malformed(format!("{end:?} behind a chunk")));
            }
        }
    }

    /// Receives exactly so many octets.
    pub(crate) async fn exactly(&mut self, octets: usize) -> Result<Vec<u8>, Broken> {
        let mut taken = Vec::new();
        self.take(octets, &mut taken).await.map(|()| taken)
    }

    /// Receives whatever comes next; nothing at the end.
    pub(crate) async fn some(&mut self) -> Result<Vec<u8>, Broken> {
        if self.buffer.is_empty() {
            self.more().await?;
        }
        Ok(std::mem::take(&mut self.buffer))
    }

    pub(crate) async fn send(&self, octets: &[u8]) -> io::Result<()> {
        self.stream.write_all(octets).await
    }
}

/// The end of a connection in the middle of a message.
fn inside(broken: Broken) -> Broken {
    if broken == Broken::Nothing { Broken::Ended } else { broken }
}

/// Octets that only this message has: every one of them tells where it belongs.
pub(crate) fn payload(kind: char, number: usize, octets: usize) -> Vec<u8> {
    format!("{kind}{number}.").bytes().cycle().take(octets).collect()
}

/// A piece of a chunked body.
pub(crate) fn chunk(octets: &[u8]) -> Vec<u8> {
    let mut chunk = format!("{:x}\r\n", octets.len()).into_bytes();
    chunk.extend_from_slice(octets);
    chunk.extend_from_slice(b"\r\n");
    chunk
}
