//! The origin: it records what reaches it and answers as the case says.
//!
//! Every case has a port of its own, so that no pooled connection is shared between cases; one more port takes what
//! arrives under a name that belongs to none. There a request is put down to a case by the word `{id}` in its bytes.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use crate::corpus::{Case, Step};
use crate::oracle::{self, Field, Framing, Refusal, Verdict};

/// Stacks of the origin's threads: there is one a port and one a connection.
const STACK: usize = 128 * 1024;

/// How far a request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrival {
    /// Its body is still being read.
    Reading,
    /// It arrived whole.
    Whole,
    /// The connection ended, or the framing broke, inside it.
    Cut,
}

/// One request as the origin saw it.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Whether it was the first on its connection.
    pub fresh: bool,
    /// The head, or why it is none.
    pub head: Result<oracle::Request, Refusal>,
    /// The decoded body so far.
    pub body: Vec<u8>,
    /// Trailer fields.
    pub trailers: Vec<Field>,
    /// How far it has come.
    pub arrival: Arrival,
}

/// Everything that reached the origin for one case.
#[derive(Clone, Debug, Default)]
pub struct Log {
    /// Requests in order of their heads, the runner's own probes left out.
    pub requests: Vec<Seen>,
    /// Answers sent to their ends, with the close behind them where there is one.
    pub answered: usize,
    /// All bytes received, connections one after the other.
    pub bytes: Vec<u8>,
}

#[derive(Default)]
struct Slot {
    log: Mutex<Log>,
    changed: Condvar,
}

struct Shared {
    slots: Vec<Slot>,
    answers: Vec<Vec<Vec<Step>>>,
    stopping: AtomicBool,
}

/// The word by which a case is known in bytes.
pub fn id(index: usize) -> String {
    format!("case{index:03}x")
}

/// The host name that leads to a case's own port.
pub fn host(index: usize) -> String {
    format!("{}.test", id(index))
}

/// The target of the runner's own request on a connection that should have stayed open.
pub fn probe_target(index: usize) -> String {
    format!("/{}/probe", id(index))
}

/// Puts the names of case `index` into bytes.
pub fn expand(index: usize, bytes: &[u8]) -> Vec<u8> {
    replace(&replace(bytes, b"{host}", host(index).as_bytes()), b"{id}", id(index).as_bytes())
}

fn replace(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, tail)) = rest.split_first() {
        if let Some(behind) = rest.strip_prefix(from) {
            out.extend_from_slice(to);
            rest = behind;
        } else {
            out.push(*first);
            rest = tail;
        }
    }
    out
}

/// The listening origin; it stops when dropped.
pub struct Origin {
    shared: Arc<Shared>,
    /// The port of each case, in order.
    pub ports: Vec<u16>,
    /// The port for every other name.
    pub other: u16,
}

impl Origin {
    /// Listens on the loopback address, on one port a case and one more.
    ///
    /// # Errors
    /// Those of `bind` and of starting a thread.
    pub fn start(cases: &[Case]) -> std::io::Result<Self> {
        let answers = cases.iter().enumerate().map(|(index, case)| expand_answers(index, &case.origin)).collect();
        let slots = cases.iter().map(|_| Slot::default()).collect();
        let shared = Arc::new(Shared { slots, answers, stopping: AtomicBool::new(false) });
        let ports = (0..cases.len()).map(|index| listen(&shared, Some(index))).collect::<Result<_, _>>()?;
        let other = listen(&shared, None)?;
        Ok(Self { shared, ports, other })
    }

    /// Waits until `enough` holds of a case's log, or the deadline; returns the log as it then is.
    pub fn wait(&self, index: usize, deadline: Instant, enough: impl Fn(&Log) -> bool) -> Log {
        let slot = &self.shared.slots[index];
        let mut log = slot.log.lock().unwrap();
        while !enough(&log) {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            log = slot.changed.wait_timeout(log, left).unwrap().0;
        }
        log.clone()
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.shared.stopping.store(true, Ordering::SeqCst);
        for port in self.ports.iter().chain([&self.other]) {
            // Wakes the thread out of `accept`.
            drop(TcpStream::connect((Ipv4Addr::LOCALHOST, *port)));
        }
    }
}

fn expand_answers(index: usize, answers: &[Vec<Step>]) -> Vec<Vec<Step>> {
    let step = |step: &Step| match step {
        Step::Bytes(bytes) => Step::Bytes(expand(index, bytes)),
        other => other.clone(),
    };
    answers.iter().map(|answer| answer.iter().map(step).collect()).collect()
}

fn listen(shared: &Arc<Shared>, index: Option<usize>) -> std::io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = listener.local_addr()?.port();
    let shared = Arc::clone(shared);
    std::thread::Builder::new().stack_size(STACK).spawn(move || accept(&listener, &shared, index))?;
    Ok(port)
}

fn accept(listener: &TcpListener, shared: &Arc<Shared>, index: Option<usize>) {
    for stream in listener.incoming() {
        if shared.stopping.load(Ordering::SeqCst) {
            return;
        }
        let Ok(stream) = stream else { continue };
        let shared = Arc::clone(shared);
        let served = std::thread::Builder::new().stack_size(STACK).spawn(move || {
            let mut connection =
                Connection { stream, shared: &shared, home: index, index, buffer: Vec::new(), served: 0 };
            while connection.exchange().unwrap_or(false) {}
        });
        drop(served);
    }
}

/// One connection from the proxy.
struct Connection<'a> {
    stream: TcpStream,
    shared: &'a Shared,
    /// The case that the port belongs to.
    home: Option<usize>,
    /// The case of the request being read, as soon as it is known.
    index: Option<usize>,
    buffer: Vec<u8>,
    served: usize,
}

impl Connection<'_> {
    /// Reads one request and answers it. `false`: the connection is over.
    fn exchange(&mut self) -> std::io::Result<bool> {
        self.stream.set_nodelay(true)?;
        self.index = self.home;
        let Some(head) = self.read_head()? else {
            return Ok(false);
        };
        let Some(index) = self.index.or_else(|| find_case(&self.buffer, self.shared.slots.len())) else {
            self.stream.write_all(b"HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")?;
            return Ok(false);
        };
        if self.index.is_none() {
            // Bytes of this connection count for the case from now on.
            self.record(index, |log, buffer| log.bytes.extend_from_slice(buffer));
            self.index = Some(index);
        }
        let request = match head {
            Ok(request) => request,
            Err(refusal) => return self.refuse(index, refusal),
        };
        self.buffer.drain(..request.consumed);
        if request.target.ends_with(b"/probe") {
            self.stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nprobe")?;
            return Ok(true);
        }
        self.answer(index, request)
    }

    fn refuse(&mut self, index: usize, refusal: Refusal) -> std::io::Result<bool> {
        self.note(index, Err(refusal), Arrival::Cut);
        self.stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")?;
        Ok(false)
    }

    fn answer(&mut self, index: usize, request: oracle::Request) -> std::io::Result<bool> {
        let method = request.method.clone();
        let framing = request.framing;
        let expects = !oracle::values(&request.fields, b"expect").is_empty();
        let number = self.note(index, Ok(request), Arrival::Reading);
        let script = self.shared.answers[index].get(number).cloned();
        let mut steps = script.unwrap_or_else(|| vec![Step::Bytes(default_answer(&method))]);
        if steps.first() == Some(&Step::Early) {
            if !self.play(&steps)? {
                self.record(index, |log, _| log.requests[number].arrival = Arrival::Cut);
                return Ok(false);
            }
            steps.clear();
        } else if expects {
            self.stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        }
        let whole = self.read_body(index, number, framing).unwrap_or(false);
        let arrival = if whole { Arrival::Whole } else { Arrival::Cut };
        self.record(index, |log, _| log.requests[number].arrival = arrival);
        let goes_on = self.play(&steps)? && whole;
        if !goes_on && steps.last() != Some(&Step::Reset) {
            // Before it is told: whoever waits for the answer's end waits for the close too.
            drop(self.stream.shutdown(Shutdown::Write));
        }
        self.record(index, |log, _| log.answered += 1);
        Ok(goes_on)
    }

    /// Puts a request into the log; returns its number from 0.
    fn note(&mut self, index: usize, head: Result<oracle::Request, Refusal>, arrival: Arrival) -> usize {
        let fresh = self.served == 0;
        self.served += 1;
        let seen = Seen { fresh, head, body: Vec::new(), trailers: Vec::new(), arrival };
        self.record(index, |log, _| {
            log.requests.push(seen);
            log.requests.len() - 1
        })
    }

    fn record<T>(&self, index: usize, change: impl FnOnce(&mut Log, &[u8]) -> T) -> T {
        let slot = &self.shared.slots[index];
        let changed = change(&mut slot.log.lock().unwrap(), &self.buffer);
        slot.changed.notify_all();
        changed
    }

    /// `None`: the connection ended before a head was whole.
    fn read_head(&mut self) -> std::io::Result<Option<Result<oracle::Request, Refusal>>> {
        loop {
            match oracle::request(&self.buffer) {
                Ok(Verdict::Complete(request)) => return Ok(Some(Ok(request))),
                Err(refusal) => return Ok(Some(Err(refusal))),
                Ok(Verdict::Incomplete) if !self.fill()? => return Ok(None),
                Ok(Verdict::Incomplete) => {}
            }
        }
    }

    /// Reads the body into the log as it comes. `false`: it was cut off or malformed.
    fn read_body(&mut self, index: usize, number: usize, framing: Framing) -> std::io::Result<bool> {
        loop {
            let (body, trailers, consumed) = match framing {
                Framing::Length(length) => {
                    let length = usize::try_from(length).unwrap_or(usize::MAX);
                    let have = length.min(self.buffer.len());
                    (self.buffer[..have].to_vec(), Vec::new(), (have == length).then_some(have))
                }
                Framing::Chunked => match oracle::chunked(&self.buffer) {
                    Ok(Verdict::Complete(all)) => (all.body, all.trailers, Some(all.consumed)),
                    Ok(Verdict::Incomplete) => (Vec::new(), Vec::new(), None),
                    Err(_) => return Ok(false),
                },
                _ => return Ok(true),
            };
            self.record(index, |log, _| {
                log.requests[number].body = body;
                log.requests[number].trailers = trailers;
            });
            if let Some(consumed) = consumed {
                self.buffer.drain(..consumed);
                return Ok(true);
            }
            if !self.fill()? {
                return Ok(false);
            }
        }
    }

    /// Reads once. `false`: no more will come.
    fn fill(&mut self) -> std::io::Result<bool> {
        let mut piece = [0; 16 * 1024];
        let count = self.stream.read(&mut piece)?;
        self.buffer.extend_from_slice(&piece[..count]);
        if let Some(index) = self.index {
            self.record(index, |log, _| log.bytes.extend_from_slice(&piece[..count]));
        }
        Ok(count > 0)
    }

    /// Does what the case says. `false`: the connection is over.
    fn play(&mut self, steps: &[Step]) -> std::io::Result<bool> {
        for step in steps {
            match step {
                Step::Bytes(bytes) => self.stream.write_all(bytes)?,
                Step::Pause => std::thread::sleep(Duration::from_millis(30)),
                Step::HalfClose => self.stream.shutdown(Shutdown::Write)?,
                Step::Echo => return self.echo(),
                Step::AwaitEnd => while self.fill()? {},
                Step::Close => return Ok(false),
                Step::Reset => {
                    socket2::SockRef::from(&self.stream).set_linger(Some(Duration::ZERO))?;
                    return Ok(false);
                }
                _ => {}
            }
        }
        Ok(true)
    }

    /// Sends back whatever comes, and the end of the stream after it.
    fn echo(&mut self) -> std::io::Result<bool> {
        loop {
            let bytes = std::mem::take(&mut self.buffer);
            self.stream.write_all(&bytes)?;
            if !self.fill()? {
                self.stream.shutdown(Shutdown::Write)?;
                return Ok(false);
            }
        }
    }
}

fn default_answer(method: &[u8]) -> Vec<u8> {
    let body = if method == b"HEAD" { "" } else { "ok" };
    format!("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{body}").into_bytes()
}

/// The case whose word stands in the bytes.
fn find_case(bytes: &[u8], cases: usize) -> Option<usize> {
    bytes.windows(8).find_map(|part| match part {
        [b'c', b'a', b's', b'e', digits @ .., b'x'] => {
            std::str::from_utf8(digits).ok()?.parse().ok().filter(|index| *index < cases)
        }
        _ => None,
    })
}
