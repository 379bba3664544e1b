//! Light traffic: a few clients with a connection each, about two hundred requests a second together.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use strait_dataplane::Fleet;
use strait_plan::Workers as _;

const CLIENTS: u32 = 8;
/// Between two requests of a client.
const INTERVAL: Duration = Duration::from_millis(40);
/// What a client waits for an answer.
const TIMEOUT: Duration = Duration::from_secs(5);
/// What clients ask for, in turn. A POST is not sent again when its connection breaks, so errors of the flaky origin
/// are seen.
const REQUESTS: [&str; 10] =
    ["GET /", "GET /", "GET /hello", "GET /", "POST /flaky", "GET /", "GET /old", "GET /quick", "GET /", "POST /"];

/// Starts the clients; they end when the fleet drains.
pub(super) fn start(address: SocketAddr, fleet: &Arc<Fleet>) -> Vec<JoinHandle<()>> {
    let client = |number: u32| {
        let fleet = fleet.clone();
        // Not all at the same moment.
        let delay = INTERVAL * number / CLIENTS;
        let run = move || {
            thread::sleep(delay);
            run(address, number as usize, &fleet);
        };
        thread::Builder::new().name("demo-client".into()).spawn(run).ok()
    };
    (0..CLIENTS).filter_map(client).collect()
}

fn run(address: SocketAddr, offset: usize, fleet: &Fleet) {
    let mut connection = None;
    for request in REQUESTS.iter().cycle().skip(offset) {
        if fleet.is_draining() {
            return;
        }
        let began = Instant::now();
        if connection.is_none() {
            connection = Connection::open(address).ok();
        }
        let kept = connection.as_mut().is_some_and(|connection| connection.ask(request).unwrap_or(false));
        if !kept {
            connection = None;
        }
        thread::sleep(INTERVAL.saturating_sub(began.elapsed()));
    }
}

struct Connection {
    reader: BufReader<TcpStream>,
}

impl Connection {
    fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, TIMEOUT)?;
        stream.set_read_timeout(Some(TIMEOUT))?;
        stream.set_nodelay(true)?;
        Ok(Self { reader: BufReader::new(stream) })
    }

    /// Asks and reads the answer; whether the connection can be used again.
    fn ask(&mut self, request: &str) -> io::Result<bool> {
        let head = format!(
            "{request} HTTP/1.1\r\nHost: demo.localhost\r\nUser-Agent: strait-demo\r\nContent-Length: 0\r\n\r\n"
        );
        self.reader.get_mut().write_all(head.as_bytes())?;
        let (mut length, mut kept) = (None, true);
        loop {
            let mut line = String::new();
            if self.reader.read_line(&mut line)? == 0 {
                return Ok(false);
            }
            let line = line.trim_end().to_ascii_lowercase();
            match line.split_once(':') {
                Some(("content-length", value)) => length = value.trim().parse().ok(),
                Some(("connection", value)) => kept = value.trim() != "close",
                _ if line.is_empty() => break,
                _ => {}
            }
        }
        // Every answer of the demonstration says its length.
        let Some(length) = length else { return Ok(false) };
        io::copy(&mut Read::take(&mut self.reader, length), &mut io::sink())?;
        Ok(kept)
    }
}
