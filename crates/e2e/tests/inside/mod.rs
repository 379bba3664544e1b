//! A fleet of workers within the test, origins that follow a script, and clients that say every octet themselves.

use serde_json::Value;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};
use strait_compile::Compiler;
use strait_dataplane::{Fleet, Settings};
use strait_plan::Workers as _;
use strait_record::RecordSink;

/// What a hang is ended by.
const PATIENCE: Duration = Duration::from_secs(30);

/// Workers that serve a configuration, and the records they write.
pub(crate) struct Inside {
    pub(crate) address: SocketAddr,
    pub(crate) fleet: Fleet,
    records: Records,
}

#[derive(Clone, Default)]
struct Records(Arc<Mutex<Vec<u8>>>);

impl RecordSink for Records {
    fn submit(&mut self, lines: Vec<u8>, _records: u64) -> bool {
        self.0.lock().unwrap().extend(lines);
        true
    }

    fn recycle(&mut self) -> Option<Vec<u8>> {
        None
    }
}

impl Inside {
    /// Serves `body` behind a listener of its own, with one worker.
    pub(crate) fn serve(body: &str) -> Self {
        let text = format!("listeners: {{web: {{address: 127.0.0.1:0}}}}\n{body}");
        let snapshot = strait_config::load_str("strait.yaml", &text).unwrap_or_else(|found| panic!("{found:?}"));
        let plan = Compiler::new(1).compile(&snapshot).unwrap_or_else(|found| panic!("{found:?}"));
        let records = Records::default();
        let fleet = Fleet::start(
            Settings {
                workers: 1,
                sinks: vec![Box::new(records.clone())],
                inherited: strait_dataplane::Inherited::default(),
            },
            plan,
        )
        .unwrap();
        let address = fleet.listening()[0].1;
        Self { address, fleet, records }
    }

    /// Sends a request on a connection of its own and reads to the end.
    pub(crate) fn ask(&self, request: &str) -> String {
        let mut client = TcpStream::connect(self.address).unwrap();
        client.write_all(request.as_bytes()).unwrap();
        read_all(&mut client)
    }

    /// A GET whose connection ends with it.
    pub(crate) fn get(&self, path: &str) -> String {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))
    }

    /// A request with a body whose connection ends with it.
    pub(crate) fn send(&self, method: &str, path: &str, body: &str) -> String {
        self.ask(&format!(
            "{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    /// The record of the `number`-th exchange, once it is written.
    pub(crate) fn record(&self, number: usize) -> Value {
        wait_for(|| {
            let lines = self.records.0.lock().unwrap();
            let line = std::str::from_utf8(&lines).unwrap().lines().nth(number)?.to_owned();
            Some(serde_json::from_str(&line).unwrap())
        })
    }

    /// A figure of the worker.
    pub(crate) fn meter(&self) -> &strait_record::WorkerMeter {
        &self.fleet.meters()[0]
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        self.fleet.stop();
        self.fleet.join();
    }
}

/// An origin: what each request that reached it was, and what was done with it.
pub(crate) struct Origin {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
}

/// What an origin does with a request.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Sends this and goes on.
    Say(String),
    /// Sends this and closes.
    SayAndClose(String),
    /// Sends this and says no more.
    SayAndStall(String),
    /// Resets the connection.
    Reset,
    /// Resets it before the body is read.
    ResetInBody,
}

impl Act {
    /// A whole answer.
    pub(crate) fn answer(status: u16, body: &str) -> Self {
        Self::Say(format!("HTTP/1.1 {status} So\r\nContent-Length: {}\r\n\r\n{body}", body.len()))
    }
}

impl Origin {
    /// Does with the n-th request, counted over all connections from zero, what `script` says.
    pub(crate) fn start(script: impl Fn(usize) -> Act + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let (script, seen) = (Arc::new(script), requests.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, script, seen) = (stream.unwrap(), script.clone(), seen.clone());
                thread::spawn(move || converse(stream, &*script, &seen));
            }
        });
        Self { address, requests }
    }

    /// Always answers 200 with this body.
    pub(crate) fn answering(body: &'static str) -> Self {
        Self::start(move |_| Act::answer(200, body))
    }

    /// The requests that have arrived.
    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }
}

fn converse(mut stream: TcpStream, script: &dyn Fn(usize) -> Act, seen: &Mutex<Vec<String>>) {
    let mut held = Vec::new();
    while let Some(head) = read_head(&mut stream, &mut held) {
        let act = {
            let mut seen = seen.lock().unwrap();
            seen.push(head.clone());
            script(seen.len() - 1)
        };
        let at = seen.lock().unwrap().len() - 1;
        if matches!(act, Act::ResetInBody) {
            return reset(&stream);
        }
        let Some(body) = read_body(&mut stream, &mut held, &head) else { return };
        seen.lock().unwrap()[at].push_str(&body);
        match act {
            Act::Say(text) => stream.write_all(text.as_bytes()).unwrap_or(()),
            Act::SayAndClose(text) => return stream.write_all(text.as_bytes()).unwrap_or(()),
            Act::SayAndStall(text) => {
                let _ = stream.write_all(text.as_bytes());
                let _ = stream.read(&mut [0; 1]);
                return;
            }
            Act::Reset | Act::ResetInBody => return reset(&stream),
        }
    }
}

/// Makes closing reset the connection.
fn reset(stream: &TcpStream) {
    socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO)).unwrap();
}

fn read_head(stream: &mut TcpStream, held: &mut Vec<u8>) -> Option<String> {
    loop {
        if let Some(end) = held.windows(4).position(|window| window == b"\r\n\r\n") {
            return Some(String::from_utf8(held.drain(..end + 4).collect()).unwrap());
        }
        read_more(stream, held)?;
    }
}

fn read_body(stream: &mut TcpStream, held: &mut Vec<u8>, head: &str) -> Option<String> {
    let lower = head.to_ascii_lowercase();
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    let Some(length) = length else {
        if lower.contains("transfer-encoding: chunked") {
            while !held.ends_with(b"0\r\n\r\n") {
                read_more(stream, held)?;
            }
            return Some(String::from_utf8(std::mem::take(held)).unwrap());
        }
        return Some(String::new());
    };
    while held.len() < length {
        read_more(stream, held)?;
    }
    Some(String::from_utf8(held.drain(..length).collect()).unwrap())
}

fn read_more(stream: &mut TcpStream, held: &mut Vec<u8>) -> Option<()> {
    let mut piece = [0; 4096];
    match stream.read(&mut piece) {
        Ok(0) | Err(_) => None,
        Ok(octets) => {
            held.extend_from_slice(&piece[..octets]);
            Some(())
        }
    }
}

/// Everything up to the end, or the reset, of the connection.
pub(crate) fn read_all(stream: &mut TcpStream) -> String {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let (mut all, mut piece) = (Vec::new(), [0; 4096]);
    loop {
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(octets) => all.extend_from_slice(&piece[..octets]),
            Err(error) if error.kind() == ErrorKind::ConnectionReset => break,
            Err(error) => panic!("{error}"),
        }
    }
    String::from_utf8(all).unwrap()
}

/// Looks until there is something.
pub(crate) fn wait_for<T>(look: impl Fn() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "nothing came");
        thread::sleep(Duration::from_millis(2));
    }
}

/// An address that refuses connections.
pub(crate) fn refusing() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}
