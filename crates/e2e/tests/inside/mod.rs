//! A fleet of workers within the test, origins that follow a script, and clients that say every octet themselves.

use serde_json::Value;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::thread;
use std::time::{Duration, Instant};
use strait_compile::Compiler;
use strait_control::health::Checker;
use strait_dataplane::{Fleet, Inherited, Settings};
use strait_plan::{Endpoint, Plan, Workers as _};
use strait_record::RecordSink;

/// What a hang is ended by.
const PATIENCE: Duration = Duration::from_secs(30);

/// Workers that serve a configuration, and the records they write.
pub(crate) struct Inside {
    pub(crate) address: SocketAddr,
    pub(crate) fleet: Arc<Fleet>,
    records: Records,
    compiler: Mutex<Compiler>,
    checker: Checker,
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
        Self::serve_by(1, body)
    }

    /// The same with so many workers.
    pub(crate) fn serve_by(workers: usize, body: &str) -> Self {
        let mut compiler = Compiler::new(workers);
        let plan = compile(&mut compiler, body);
        let records = Records::default();
        let sinks = (0..workers).map(|_| Box::new(records.clone()) as _).collect();
        let settings =
            Settings { workers, sinks, sights: Vec::new(), inherited: Inherited::default(), give_back: || () };
        let fleet = Arc::new(Fleet::start(settings, plan.clone()).unwrap());
        let address = fleet.listening()[0].1;
        let checker = Checker::start(fleet.clone()).unwrap();
        checker.adopt(plan);
        Self { address, fleet, records, compiler: Mutex::new(compiler), checker }
    }

    /// Serves another configuration from now on.
    pub(crate) fn reload(&self, body: &str) {
        let plan = compile(&mut self.compiler.lock().unwrap(), body);
        self.fleet.publish(plan.clone()).unwrap();
        self.checker.adopt(plan);
    }

    /// The endpoints of the first upstream.
    pub(crate) fn endpoints(&self) -> Vec<Endpoint> {
        self.fleet.plan().upstreams[0].endpoints.clone()
    }

    /// Waits until an endpoint is, or is not, there to be chosen.
    pub(crate) fn wait_until(&self, endpoint: usize, is_available: bool) {
        wait_for(|| {
            let standing = &self.endpoints()[endpoint].state.standing;
            (standing.is_available(self.fleet.now_ms()) == is_available).then_some(())
        });
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

fn compile(compiler: &mut Compiler, body: &str) -> Arc<Plan> {
    let text = format!("listeners: {{web: {{address: 127.0.0.1:0}}}}\n{body}");
    let snapshot = strait_config::load_str("strait.yaml", &text).unwrap_or_else(|found| panic!("{found:?}"));
    compiler.compile(&snapshot).unwrap_or_else(|found| panic!("{found:?}"))
}

/// An origin: what each request that reached it was, and what was done with it.
pub(crate) struct Origin {
    pub(crate) address: SocketAddr,
    requests: Arc<Mutex<Vec<String>>>,
    connections: Arc<Mutex<Vec<Weak<TcpStream>>>>,
    killed: Arc<AtomicBool>,
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
        let origin = Self { address, requests: Arc::default(), connections: Arc::default(), killed: Arc::default() };
        let (script, seen) = (Arc::new(script), origin.requests.clone());
        let (connections, killed) = (origin.connections.clone(), origin.killed.clone());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, script, seen) = (Arc::new(stream.unwrap()), script.clone(), seen.clone());
                if killed.load(Ordering::Acquire) {
                    return;
                }
                connections.lock().unwrap().push(Arc::downgrade(&stream));
                thread::spawn(move || converse(&stream, &*script, &seen));
            }
        });
        origin
    }

    /// Ends as a killed process does: its connections break, and nobody listens any more.
    pub(crate) fn kill(&self) {
        self.killed.store(true, Ordering::Release);
        // Wakes the thread that accepts, which ends and closes the listener.
        drop(TcpStream::connect(self.address));
        for connection in self.connections.lock().unwrap().drain(..).filter_map(|connection| connection.upgrade()) {
            let _ = connection.shutdown(std::net::Shutdown::Both);
        }
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

fn converse(mut stream: &TcpStream, script: &dyn Fn(usize) -> Act, seen: &Mutex<Vec<String>>) {
    let mut held = Vec::new();
    while let Some(head) = read_head(&mut stream, &mut held) {
        let act = {
            let mut seen = seen.lock().unwrap();
            seen.push(head.clone());
            script(seen.len() - 1)
        };
        let at = seen.lock().unwrap().len() - 1;
        if matches!(act, Act::ResetInBody) {
            return reset(stream);
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
            Act::Reset | Act::ResetInBody => return reset(stream),
        }
    }
}

/// Makes closing reset the connection.
fn reset(stream: &TcpStream) {
    socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO)).unwrap();
}

fn read_head(stream: &mut &TcpStream, held: &mut Vec<u8>) -> Option<String> {
    loop {
        if let Some(end) = held.windows(4).position(|window| window == b"\r\n\r\n") {
            return Some(String::from_utf8(held.drain(..end + 4).collect()).unwrap());
        }
        read_more(stream, held)?;
    }
}

fn read_body(stream: &mut &TcpStream, held: &mut Vec<u8>, head: &str) -> Option<String> {
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

fn read_more(stream: &mut &TcpStream, held: &mut Vec<u8>) -> Option<()> {
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
