//! Origins for `--verify`: each says which it is, and keeps what it was asked.

use std::io::{BufRead, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// Longest head and body of a request that an origin reads.
const REQUEST_MAX: u64 = 1 << 20;

/// What an origin was asked.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Asked {
    /// Which origin it was.
    pub(super) origin: String,
    pub(super) line: String,
    pub(super) fields: Vec<(String, String)>,
}

/// Origins that run until the process ends.
#[derive(Clone, Debug, Default)]
pub(super) struct Origins {
    seen: Arc<Mutex<Vec<Asked>>>,
}

impl Origins {
    /// Starts one more that calls itself `name`.
    ///
    /// # Errors
    /// There is no port.
    pub(super) fn start(&self, name: &str) -> Result<SocketAddr, String> {
        let listener = TcpListener::bind("127.0.0.1:0").map_err(|error| error.to_string())?;
        let address = listener.local_addr().map_err(|error| error.to_string())?;
        let (origins, name) = (self.clone(), name.to_owned());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (origins, name) = (origins.clone(), name.clone());
                std::thread::spawn(move || origins.serve(&stream, &name));
            }
        });
        Ok(address)
    }

    /// What was asked since the last time.
    pub(super) fn take(&self) -> Vec<Asked> {
        std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn serve(&self, stream: &TcpStream, name: &str) -> Option<()> {
        let mut reader = BufReader::new(stream.try_clone().ok()?.take(REQUEST_MAX));
        loop {
            reader.get_mut().set_limit(REQUEST_MAX);
            let mut asked = Asked { origin: name.to_owned(), ..Asked::default() };
            reader.read_line(&mut asked.line).ok().filter(|octets| *octets > 0)?;
            asked.line = asked.line.trim_end().to_owned();
            let fields = super::ask::fields(&mut reader)?;
            skip_body(&mut reader, &fields)?;
            let line = asked.line.clone();
            asked.fields = fields;
            self.seen.lock().unwrap_or_else(PoisonError::into_inner).push(asked);
            let head = line.starts_with("HEAD ");
            let body = format!("{}\n", line.rsplit_once(' ').map_or(line.as_str(), |(rest, _)| rest));
            let shown = if head { "" } else { &body };
            let length = body.len();
            write!(&*stream, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n{shown}")
                .ok()?;
        }
    }
}

fn skip_body(reader: &mut impl BufRead, fields: &[(String, String)]) -> Option<()> {
    let field = |name: &str| fields.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
    if field("transfer-encoding").is_some() {
        // Chunks, up to the empty one.
        loop {
            let mut line = String::new();
            reader.read_line(&mut line).ok()?;
            let size = u64::from_str_radix(line.trim(), 16).ok()?;
            std::io::copy(&mut reader.take(size + 2), &mut std::io::sink()).ok()?;
            if size == 0 {
                return Some(());
            }
        }
    }
    let length: u64 = field("content-length").and_then(|(_, value)| value.parse().ok()).unwrap_or(0);
    std::io::copy(&mut reader.take(length), &mut std::io::sink()).ok().map(drop)
}
