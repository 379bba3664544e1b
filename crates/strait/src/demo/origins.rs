//! Three origins in this process: a quick one, a slow one, and one that fails now and then.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

const SLOWNESS: Duration = Duration::from_millis(80);
/// Which request of the flaky origin is answered with 500, and which with a closed connection.
const FLAW_500: u64 = 11;
const FLAW_CLOSED: u64 = 17;

/// Where they listen.
pub(super) struct Origins {
    pub(super) quick: SocketAddr,
    pub(super) slow: SocketAddr,
    pub(super) flaky: SocketAddr,
}

impl Origins {
    /// Starts them; they end with the process.
    pub(super) fn start() -> io::Result<Self> {
        Ok(Self {
            quick: start(|_| Answer::Greeting("the quick origin"))?,
            slow: start(|_| {
                thread::sleep(SLOWNESS);
                Answer::Greeting("the slow origin, after 80 ms")
            })?,
            flaky: start(|count| match count {
                count if count.is_multiple_of(FLAW_CLOSED) => Answer::Closed,
                count if count.is_multiple_of(FLAW_500) => Answer::Failure,
                _ => Answer::Greeting("the flaky origin, on a good day"),
            })?,
        })
    }
}

enum Answer {
    Greeting(&'static str),
    Failure,
    Closed,
}

/// One origin: a thread that accepts, and one for each connection, of which the proxy opens few.
fn start(answer: impl Fn(u64) -> Answer + Send + Sync + Copy + 'static) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    let count = Arc::new(AtomicU64::new(0));
    thread::Builder::new().name("demo-origin".into()).spawn(move || {
        for stream in listener.incoming().filter_map(Result::ok) {
            let count = count.clone();
            thread::spawn(move || serve(&stream, || answer(count.fetch_add(1, Ordering::Relaxed) + 1)));
        }
    })?;
    Ok(address)
}

/// Serves one connection until either side has enough of it.
fn serve(stream: &TcpStream, answer: impl Fn() -> Answer) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut reader = BufReader::new(stream);
    loop {
        let length = read_head(&mut reader)?;
        io::copy(&mut Read::take(&mut reader, length), &mut io::sink()).ok()?;
        let (status, text) = match answer() {
            Answer::Greeting(who) => ("200 OK", format!("Hello from {who}.\n")),
            Answer::Failure => ("500 Internal Server Error", "The flaky origin is having a bad day.\n".to_owned()),
            Answer::Closed => return None,
        };
        let head = format!("HTTP/1.1 {status}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\n\r\n", text.len());
        (&mut &*stream).write_all((head + &text).as_bytes()).ok()?;
    }
}

/// Reads a request head and gives the length of its body. `None` at the end of the connection.
fn read_head(reader: &mut impl BufRead) -> Option<u64> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => return Some(length),
            field => {
                let (name, value) = field.split_once(':').unwrap_or((field, ""));
                if name.eq_ignore_ascii_case("content-length") {
                    length = value.trim().parse().ok()?;
                }
            }
        }
    }
}
