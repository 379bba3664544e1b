//! The clients: orderly ones, impatient ones, tunnels, and those who mean harm.

use crate::case::{Case, Form, Outcome, Patience, Upload};
use crate::wire::{Broken, Framing, Head, Wire, chunk, payload};
use crate::world::{HANG, HEADER_TIMEOUT, IDLE_TIMEOUT, LISTENER, SURPLUS_TAG, World};
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;
use std::time::Duration;
use strait_dataplane::sim::{Random, SimStream};
use tokio::task::{JoinHandle, spawn_local};
use tokio::time::{Instant, sleep, timeout};

/// One client with what it draws from.
pub(crate) struct Client {
    pub(crate) world: Rc<World>,
    pub(crate) number: u8,
    pub(crate) random: Random,
}

impl Client {
    /// Lives through some connections.
    pub(crate) async fn run(mut self) {
        sleep(Duration::from_millis(self.random.between(0, 500))).await;
        for _ in 0..self.random.between(1, 3) {
            if self.world.is_ending() {
                return;
            }
            let wire = self.connect().await;
            let Some(wire) = wire else { continue };
            match self.random.below(10) {
                0 => self.misbehave(wire).await,
                1 => self.tunnel(wire).await,
                2 => self.pipeline(wire).await,
                _ => self.converse(wire).await,
            }
        }
    }

    async fn connect(&mut self) -> Option<Wire> {
        let from = SocketAddr::from(([10, 8, 0, self.number], 1024));
        let to = LISTENER.parse().ok()?;
        self.world.network.connect_from(from, to).await.ok().map(Wire::new)
    }

    /// One request after the other.
    async fn converse(&mut self, mut wire: Wire) {
        for _ in 0..self.random.between(1, 5) {
            let number = self.world.new_case(&mut self.random);
            let mut random = self.random.fork();
            if !exchange(&self.world, number, &mut wire, &mut random).await {
                return;
            }
            if self.random.chance(200) {
                sleep(Duration::from_millis(self.random.between(0, 1_500))).await;
            }
        }
        if self.random.chance(150) && self.world.knobs.gentle {
            self.await_close(wire, IDLE_TIMEOUT).await;
        }
    }

    /// Several requests at once; the answers must come in their order.
    async fn pipeline(&mut self, mut wire: Wire) {
        let mut numbers = Vec::new();
        let mut octets = Vec::new();
        for _ in 0..self.random.between(2, 4) {
            let number = self.world.new_case(&mut self.random);
            self.world.change(number, |case| {
                (case.keeps_alive, case.http10, case.expects_continue) = (true, false, false);
                case.patience = Patience::Endless;
            });
            let (head, body) = request(&self.world.case(number));
            octets.extend(head.into_iter().chain(body.concat()));
            numbers.push(number);
        }
        // A connection that closes early leaves the rest without an answer: only the first must get one.
        let case = self.world.case(numbers[0]);
        self.world.say(|| format!("client {}: pipelines {numbers:?}", self.number));
        let stream = wire.stream.clone();
        let _writing = Writing::begin(stream, octets);
        for number in numbers {
            let must = number == case.number;
            if !receive_answer(&self.world, number, &mut wire, &Sending::default(), must).await {
                break;
            }
        }
    }

    /// Becomes a WebSocket, and talks.
    async fn tunnel(&mut self, mut wire: Wire) {
        let number = self.world.new_case(&mut self.random);
        self.world.change(number, |case| {
            (case.method, case.upload, case.http10) = ("GET", Upload::None, false);
            (case.route, case.patience) = ("u", Patience::Endless);
        });
        let head = format!(
            "GET /u/{number} HTTP/1.1\r\nHost: sim\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        );
        let world = self.world.clone();
        let talk = talk(&world, number, &mut wire, head.into_bytes(), &mut self.random);
        // A rough network may well take that long over an echo; then the client has left.
        if timeout(HANG, talk).await.is_err() && world.knobs.gentle {
            world.fail(format!("request {number}: the tunnel hangs"));
        }
    }

    /// Sends what is no request, or less than one.
    async fn misbehave(&mut self, wire: Wire) {
        match self.random.below(5) {
            0 => self.await_close(wire, HEADER_TIMEOUT).await,
            1 => self.drip(wire).await,
            2 => self.ignore(wire).await,
            3 => self.vanish(wire).await,
            _ => self.send_nonsense(wire).await,
        }
    }

    /// Says nothing: the connection must not stay open for longer than it may.
    async fn await_close(&mut self, mut wire: Wire, limit: Duration) {
        let began = Instant::now();
        let bound = limit + Duration::from_secs(if self.world.knobs.gentle { 1 } else { 30 });
        if timeout(bound, drained(&mut wire)).await.is_err() {
            self.world.fail(format!("an idle connection is open after {} ms", began.elapsed().as_millis()));
        }
    }

    /// One octet after the other, and never a whole head.
    async fn drip(&mut self, mut wire: Wire) {
        let began = Instant::now();
        let bound = HEADER_TIMEOUT + Duration::from_secs(if self.world.knobs.gentle { 4 } else { 30 });
        let pause = Duration::from_millis(self.random.between(1, 700));
        while began.elapsed() < bound {
            if wire.send(b"a").await.is_err() {
                return;
            }
            match timeout(pause, wire.some()).await {
                Ok(Ok(octets)) if !octets.is_empty() => {}
                Ok(_) => return,
                Err(_) => {}
            }
        }
        self.world.fail(format!("a dripping client is connected after {} ms", began.elapsed().as_millis()));
    }

    /// Asks, and never reads the answer: neither the exchange nor the connection may last for that.
    async fn ignore(&mut self, mut wire: Wire) {
        let number = self.world.new_case(&mut self.random);
        self.world.change(number, |case| {
            (case.patience, case.expects_continue, case.route) = (Patience::LeavesAfterMs(0), false, "u");
        });
        let (head, body) = request(&self.world.case(number));
        let _asking = Writing::begin(wire.stream.clone(), [head, body.concat()].concat());
        sleep(HANG / 2).await;
        self.world.change(number, |case| case.outcome = Outcome::Left);
        if timeout(Duration::from_secs(1), drained(&mut wire)).await.is_err() && self.world.knobs.gentle {
            self.world.fail(format!("request {number}: the connection of a client that does not read stays open"));
        }
    }

    /// Sends a request or a part of one and is not there any more: no end, no reset, and nothing is read. What that holds
    /// must be given back all the same.
    async fn vanish(&mut self, wire: Wire) {
        let number = self.world.new_case(&mut self.random);
        self.world.change(number, |case| {
            (case.patience, case.expects_continue, case.route) = (Patience::LeavesAfterMs(0), false, "u");
        });
        let (head, body) = request(&self.world.case(number));
        let octets = [head, body.concat()].concat();
        let part = self.random.between(0, octets.len() as u64) as usize;
        let _ = timeout(Duration::from_secs(1), wire.stream.write_all(&octets[..part])).await;
        self.world.change(number, |case| case.outcome = Outcome::Left);
        // Never dropped, so that the network never hears of its end.
        std::mem::forget(wire.stream.clone());
    }

    async fn send_nonsense(&mut self, mut wire: Wire) {
        const NONSENSE: &[&[u8]] = &[
            b"GET /u/x HTTP/1.1\r\n\r\n",
            b"GET /u/x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            b"POST /u/x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            b"POST /u/x HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc",
            b"GET /u/x HTTP/1.1\nHost: a\n\n",
            b"GET /u/%zz HTTP/1.1\r\nHost: a\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
            b"CONNECT u:1 HTTP/1.1\r\nHost: u:1\r\n\r\n",
            b"\r\n\r\n\r\n\r\n",
        ];
        let nonsense = self.random.one_of(NONSENSE, b"");
        let began = Instant::now();
        let _ = wire.send(nonsense).await;
        match timeout(HANG, wire.head()).await {
            Ok(Ok(head)) if head.status() < 400 => self.world.fail(format!("{nonsense:?} was answered {}", head.start)),
            Ok(Ok(head)) => check_own_fault(&self.world, "nonsense", &head),
            Ok(Err(Broken::Malformed(what))) => self.world.fail(format!("a client received {what}")),
            Ok(Err(_)) => {}
            Err(_) => self.world.fail(format!("nonsense hangs for {} ms", began.elapsed().as_millis())),
        }
    }
}

/// Octets that are written while something else is done, until this is dropped.
struct Writing(JoinHandle<()>);

impl Writing {
    fn begin(stream: Rc<SimStream>, octets: Vec<u8>) -> Self {
        Self(spawn_local(async move {
            // What cannot be written is missed where it is read.
            let _ = stream.write_all(&octets).await;
        }))
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Reads to the end of the connection.
async fn drained(wire: &mut Wire) {
    while wire.some().await.is_ok_and(|octets| !octets.is_empty()) {}
}

/// Sends one request and receives its answer. Whether another may follow.
async fn exchange(world: &Rc<World>, number: usize, wire: &mut Wire, random: &mut Random) -> bool {
    let case = world.case(number);
    let patience = match case.patience {
        Patience::LeavesAfterMs(ms) => Duration::from_millis(ms),
        _ => HANG,
    };
    world.say(|| format!("request {number}: {case:?}"));
    match timeout(patience, send_and_receive(world, &case, wire, random)).await {
        Ok(goes_on) => goes_on,
        Err(_) => {
            if patience == HANG {
                world.fail(format!("request {number} hangs"));
            }
            world.change(number, |case| case.outcome = Outcome::Left);
            false
        }
    }
}

/// Sends while it listens: an answer may come before all is sent, and then the rest is not.
async fn send_and_receive(world: &Rc<World>, case: &Case, wire: &mut Wire, random: &mut Random) -> bool {
    let (state, left) = (Sending::default(), Cell::new(false));
    // Both directions of one connection at once: sending needs the stream alone.
    let sender = wire.stream.clone();
    let must = world.knobs.must_succeed(case);
    let mut receiving = pin!(receive_answer(world, case.number, wire, &state, must));
    let mut sending = pin!(send(case, &sender, &state.continued, random));
    let mut sent = false;
    let goes_on = poll_fn(|cx| {
        if !sent && let Poll::Ready(outcome) = sending.as_mut().poll(cx) {
            sent = true;
            state.failed.set(outcome.is_err());
            if matches!(outcome, Ok(Sent::Left)) {
                left.set(true);
                return Poll::Ready(false);
            }
        }
        receiving.as_mut().poll(cx)
    })
    .await;
    if left.get() {
        world.change(case.number, |case| case.outcome = Outcome::Left);
    }
    goes_on && sent
}

/// What sending and receiving tell each other.
#[derive(Default)]
struct Sending {
    /// The body is asked for.
    continued: Cell<bool>,
    /// The connection broke under a write.
    failed: Cell<bool>,
}

/// How far a request was sent.
enum Sent {
    Whole,
    /// The client said that no more will come.
    Ended,
    /// The client goes away.
    Left,
}

async fn send(case: &Case, stream: &SimStream, continued: &Cell<bool>, random: &mut Random) -> io::Result<Sent> {
    let (head, body) = request(case);
    let mut left = match case.patience {
        Patience::LeavesInRequest(octets) | Patience::EndsInRequest(octets) => octets,
        _ => usize::MAX,
    };
    for (place, piece) in std::iter::once(head).chain(body).enumerate() {
        if place == 1 && case.expects_continue {
            wait_for_continue(continued).await;
        }
        for piece in piece.chunks(if case.drip_ms > 0 { (piece.len() / 4).max(1) } else { usize::MAX }) {
            stream.write_all(&piece[..piece.len().min(left)]).await?;
            left = left.saturating_sub(piece.len());
            if left == 0 {
                return Ok(give_up(case, stream));
            }
            if case.drip_ms > 0 {
                sleep(Duration::from_millis(random.between(0, case.drip_ms))).await;
            }
        }
    }
    Ok(Sent::Whole)
}

fn give_up(case: &Case, stream: &SimStream) -> Sent {
    if let Patience::EndsInRequest(_) = case.patience {
        stream.shutdown_write();
        return Sent::Ended;
    }
    Sent::Left
}

/// RFC 9110 §10.1.1: a client need not wait for ever.
async fn wait_for_continue(continued: &Cell<bool>) {
    for _ in 0..100 {
        if continued.get() {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
}

/// The head, and the pieces of the body.
fn request(case: &Case) -> (Vec<u8>, Vec<Vec<u8>>) {
    let Case { number, method, route, .. } = case;
    let version = if case.http10 { "1.0" } else { "1.1" };
    let mut head = format!("{method} /{route}/{number} HTTP/{version}\r\nHost: sim\r\nX-Case: {number}\r\n");
    match (case.keeps_alive, case.http10) {
        (true, true) => head += "Connection: keep-alive\r\n",
        (false, false) => head += "Connection: close\r\n",
        _ => {}
    }
    if case.expects_continue {
        head += "Expect: 100-continue\r\n";
    }
    let body = case.request_body();
    let mut pieces: Vec<Vec<u8>> = body.chunks((body.len() / 3).max(1)).map(<[u8]>::to_vec).collect();
    match case.upload {
        Upload::None => {}
        Upload::Fixed(octets) => head += &format!("Content-Length: {octets}\r\n"),
        Upload::Chunked { trailers, .. } => {
            head += "Transfer-Encoding: chunked\r\n";
            pieces = pieces.iter().map(|piece| chunk(piece)).collect();
            let trailer = if trailers { format!("X-Trail: {number}\r\n") } else { String::new() };
            pieces.push(format!("0\r\n{trailer}\r\n").into_bytes());
        }
    }
    ((head + "\r\n").into_bytes(), pieces)
}

/// An answer that arrived whole.
struct Answer {
    head: Head,
    body: Vec<u8>,
    trailers: Vec<(String, String)>,
    /// Whether the connection may carry another request.
    lasts: bool,
}

/// Receives the answer to a request and judges it. Whether another request may follow.
async fn receive_answer(world: &World, number: usize, wire: &mut Wire, sending: &Sending, must: bool) -> bool {
    let case = world.case(number);
    let mut begun = false;
    let outcome = match timeout(HANG, answer(&case, wire, sending, &mut begun)).await {
        Ok(outcome) => outcome,
        Err(_) => {
            world.fail(format!("request {number} gets no answer"));
            return false;
        }
    };
    world.say(|| match &outcome {
        Ok(answer) => format!("request {number}: {} with {} octets", answer.head.start, answer.body.len()),
        Err(broken) => format!("request {number}: {broken:?}"),
    });
    match outcome {
        Ok(answer) => {
            judge(world, &case, &answer, must && world.knobs.must_succeed(&case));
            answer.lasts
        }
        Err(broken) => {
            if let Broken::Malformed(what) = &broken {
                world.fail(format!("request {number}: the client received {what}"));
            }
            if must && world.knobs.must_succeed(&case) {
                world.fail(format!("request {number} must be answered: {broken:?}"));
            }
            world.change(number, |case| case.outcome = Outcome::Broken { begun });
            false
        }
    }
}

async fn answer(case: &Case, wire: &mut Wire, sending: &Sending, begun: &mut bool) -> Result<Answer, Broken> {
    let head = loop {
        let head = wire.head().await?;
        if !(100..200).contains(&head.status()) {
            break head;
        }
        if case.http10 {
            return Err(Broken::Malformed(format!("{} for HTTP/1.0", head.start)));
        }
        sending.continued.set(sending.continued.get() || head.status() == 100);
    };
    *begun = true;
    let bodiless = case.method == "HEAD" || matches!(head.status(), 204 | 304);
    let framing = if bodiless { Framing::Length(0) } else { head.framing()?.unwrap_or(Framing::Close) };
    if case.http10 && framing == Framing::Chunked {
        return Err(Broken::Malformed("a chunked answer for HTTP/1.0".to_owned()));
    }
    let mut body = Vec::new();
    let trailers = match wire.body(framing, &mut body).await {
        Err(_) if head.get("x-case").is_some() && !case.response_body().starts_with(&body) => {
            return Err(Broken::Malformed("the beginning of another body".to_owned()));
        }
        outcome => outcome?,
    };
    if framing == Framing::Close && sending.failed.get() {
        // The write was told of the reset, and the read found an end that proves nothing.
        return Err(Broken::Reset);
    }
    let says = head.get("connection").unwrap_or_default();
    let lasts = framing != Framing::Close && if case.http10 { says == "keep-alive" } else { says != "close" };
    Ok(Answer { head, body, trailers, lasts: lasts && case.keeps_alive })
}

/// A whole answer is the origin's, octet for octet, or one of Strait's own that says so.
fn judge(world: &World, case: &Case, answer: &Answer, must: bool) {
    let (number, status) = (case.number, answer.head.status());
    let id = answer.head.get("x-request-id").unwrap_or_default().to_owned();
    if id.len() != 36 {
        world.fail(format!("request {number}: request id `{id}`"));
    }
    if let Some(tag) = answer.head.get("x-case") {
        if !world.knobs.sees_surplus() && is_confused(world, tag) {
            return world.change(number, |case| case.outcome = Outcome::Broken { begun: true });
        }
        judge_origins(world, case, answer, tag);
        return world.change(number, |case| case.outcome = Outcome::Answered { id });
    }
    let fault = answer.head.get("proxy-status").is_some();
    if fault {
        check_own_fault(world, &format!("request {number}"), &answer.head);
    } else if case.route != "own" || status != 200 || (case.method != "HEAD" && answer.body != b"own") {
        world.fail(format!("request {number}: `{}` from nowhere", answer.head.start));
    }
    let expected = if case.route == "nowhere" { 404 } else { 200 };
    if must && status != expected {
        world.fail(format!(
            "request {number} must be answered: {} {:?}",
            answer.head.start,
            answer.head.get("proxy-status")
        ));
    }
    world.change(number, |case| case.outcome = Outcome::Own { id, status, fault });
}

/// Whether an answer that names itself so came from an origin that lied to its own clients.
fn is_confused(world: &World, tag: &str) -> bool {
    tag == SURPLUS_TAG || tag.parse().is_ok_and(|number| world.case(number).confused)
}

fn judge_origins(world: &World, case: &Case, answer: &Answer, tag: &str) {
    let number = case.number;
    if tag != number.to_string() {
        world.fail(format!("request {number} got the answer to {tag}"));
    }
    if answer.head.status() != case.answer.status {
        world.fail(format!("request {number}: {} became {}", case.answer.status, answer.head.start));
    }
    let body = case.response_body();
    if answer.body != body {
        let (seen, sent) = (answer.body.len(), body.len());
        world.fail(format!("request {number}: {seen} octets passed as the whole of {sent}"));
    }
    if answer.head.get("server").is_some() {
        world.fail(format!("request {number}: the answer shows the origin"));
    }
    let trailed = matches!(case.answer.form, Form::Chunked { trailers: true });
    if answer.trailers.iter().any(|(name, value)| !trailed || name != "x-trail" || *value != number.to_string()) {
        world.fail(format!("request {number}: trailers {:?}", answer.trailers));
    }
}

fn check_own_fault(world: &World, what: &str, head: &Head) {
    let status = head.get("proxy-status").unwrap_or_default();
    if !status.starts_with("strait; error=") || head.status() < 400 {
        world.fail(format!("{what}: `{}` with Proxy-Status `{status}`", head.start));
    }
}

/// Asks for a WebSocket, and says something that must come back as it went.
async fn talk(world: &World, number: usize, wire: &mut Wire, request: Vec<u8>, random: &mut Random) {
    let case = world.case(number);
    let _asking = Writing::begin(wire.stream.clone(), request);
    let head = match wire.head().await {
        Ok(head) => head,
        Err(broken) if world.knobs.must_succeed(&case) => {
            return world.fail(format!("tunnel {number} must open: {broken:?}"));
        }
        Err(_) => return,
    };
    if head.get("x-case").is_some_and(|tag| !world.knobs.sees_surplus() && is_confused(world, tag)) {
        return;
    }
    if head.status() != 101 {
        return check_own_fault(world, &format!("tunnel {number}"), &head);
    }
    for turn in 0..random.between(1, 4) as usize {
        let said = payload('w', number * 10 + turn, random.between(1, 3_000) as usize);
        // Said and heard at once: an echo stops listening while nobody listens to it.
        let (stream, saying) = (wire.stream.clone(), said.clone());
        let talking = Writing::begin(stream, saying);
        let heard = wire.exactly(said.len()).await;
        drop(talking);
        match heard {
            Ok(heard) if heard == said => {}
            Ok(_) => return world.fail(format!("tunnel {number}: octets came back altered")),
            Err(broken) if world.knobs.must_succeed(&case) && case.mishap.is_none() => {
                return world.fail(format!("tunnel {number} broke: {broken:?}"));
            }
            Err(_) => return,
        }
        sleep(Duration::from_millis(random.between(0, 300))).await;
    }
    if random.chance(700) {
        wire.stream.shutdown_write();
        drained(wire).await;
    }
}
