//! The origins: each does with a request what its case says.

use crate::case::{Answer, Case, Form, Mishap, Upload};
use crate::wire::{Broken, Framing, Head, Wire, chunk};
use crate::world::{SURPLUS_TAG, World, endpoint_address};
use std::io;
use std::rc::Rc;
use std::time::Duration;
use strait_dataplane::sim::Random;
use tokio::task::spawn_local;
use tokio::time::{sleep, timeout};

/// Listens as one endpoint for as long as the run lasts.
pub(crate) async fn run(world: Rc<World>, endpoint: u8, mut random: Random) {
    let listener = world.network.listen(endpoint_address(endpoint));
    while let Ok((stream, _)) = listener.accept().await {
        let connection =
            Connection { world: world.clone(), wire: Wire::new(stream), random: random.fork(), lied: false };
        spawn_local(connection.serve());
    }
}

struct Connection {
    world: Rc<World>,
    wire: Wire,
    random: Random,
    /// Octets that nobody asked for were sent.
    lied: bool,
}

/// What becomes of the connection after an answer.
#[derive(PartialEq, Eq)]
enum Next {
    Another,
    Close,
    Reset,
}

impl Connection {
    async fn serve(mut self) {
        loop {
            let head = match self.next_head().await {
                Ok(head) => head,
                Err(Broken::Malformed(what)) => return self.world.fail(format!("an origin received {what}")),
                Err(_) => return,
            };
            match self.answer(&head).await {
                Ok(Next::Another) => {}
                Ok(Next::Reset) => return self.wire.stream.reset_on_close(),
                Ok(Next::Close) | Err(_) => return,
            }
        }
    }

    /// Waits for a request, but maybe not for long.
    async fn next_head(&mut self) -> Result<Head, Broken> {
        let Some(idle_ms) = self.world.knobs.origin_idle_ms else { return self.wire.head().await };
        let idle = Duration::from_millis(self.random.between(0, 2 * idle_ms) + 1);
        match timeout(idle, self.wire.head()).await {
            Ok(head) => head,
            Err(_) => {
                if self.random.chance(300) {
                    self.wire.stream.reset_on_close();
                }
                Err(Broken::Nothing)
            }
        }
    }

    async fn answer(&mut self, head: &Head) -> Result<Next, Broken> {
        let Some((case, delivery)) = receive(&self.world, head) else { return Ok(Next::Close) };
        self.world.change(case.number, |case| case.confused |= self.lied);
        if head.get("upgrade").is_some() {
            return self.echo(&case).await;
        }
        let framing = head.framing()?.unwrap_or(Framing::Length(0));
        if !case.answer.early {
            self.receive_body(&case, head, framing).await?;
        }
        sleep(Duration::from_millis(case.answer.delay_ms)).await;
        let next = self.send(&case, delivery).await.map_err(|_| Broken::Reset)?;
        if case.answer.early && next == Next::Another {
            self.receive_body(&case, head, framing).await?;
        }
        Ok(next)
    }

    /// Receives the body; one that is complete must be the one that was sent.
    async fn receive_body(&mut self, case: &Case, head: &Head, framing: Framing) -> Result<(), Broken> {
        if head.get("expect").is_some() && !case.answer.early {
            self.wire.send(b"HTTP/1.1 100 Continue\r\n\r\n").await.map_err(|_| Broken::Reset)?;
        }
        let (mut body, sent) = (Vec::new(), case.request_body());
        let outcome = self.wire.body(framing, &mut body).await;
        if !sent.starts_with(&body) {
            self.world.fail(format!("request {}: its body arrived altered", case.number));
        }
        let trailers = outcome?;
        if body != sent {
            self.world.fail(format!(
                "request {}: {} of {} octets passed as whole",
                case.number,
                body.len(),
                sent.len()
            ));
        }
        let trailed = matches!(case.upload, Upload::Chunked { trailers: true, .. });
        if trailed != trailers.iter().any(|(name, value)| name == "x-trail" && *value == case.number.to_string()) {
            self.world.fail(format!("request {}: trailers {trailers:?}", case.number));
        }
        Ok(())
    }

    async fn send(&mut self, case: &Case, delivery: u32) -> io::Result<Next> {
        let mishap = case.mishap_at(delivery);
        let interim = if mishap == Some(Mishap::InterimFlood) { 40 } else { case.answer.interim };
        for _ in 0..interim {
            self.wire.send(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n").await?;
        }
        match mishap {
            Some(Mishap::CloseBeforeHead) => return Ok(Next::Close),
            Some(Mishap::ResetBeforeHead) => return Ok(Next::Reset),
            Some(Mishap::Silence) => return self.wait_for_the_end().await,
            Some(Mishap::GarbageHead) => self.wire.send(b"HTTP/1.1 2oo fine\r\n\r\n").await?,
            Some(Mishap::Switch) => {
                let switch = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n";
                self.wire.send(switch).await?;
            }
            _ => return self.send_answer(case, mishap).await,
        }
        self.wait_for_the_end().await
    }

    async fn send_answer(&mut self, case: &Case, mishap: Option<Mishap>) -> io::Result<Next> {
        let mut head = answer_head(case);
        let body = case.response_body();
        if mishap == Some(Mishap::CloseInHead) {
            head.truncate(self.random.between(1, head.len() as u64 - 3) as usize);
            self.wire.send(&head).await?;
            return Ok(Next::Close);
        }
        let breaks =
            matches!(mishap, Some(Mishap::Truncation | Mishap::ResetInBody | Mishap::Stall | Mishap::GarbageChunk));
        let whole = if breaks { body.len() / 2 } else { body.len() };
        self.send_body(head, &body[..whole], case).await?;
        let bodiless = body.is_empty();
        match mishap {
            _ if bodiless && breaks => Ok(Next::Close),
            Some(Mishap::Truncation) => Ok(Next::Close),
            Some(Mishap::ResetInBody) => Ok(Next::Reset),
            Some(Mishap::Stall) => self.wait_for_the_end().await,
            Some(Mishap::GarbageChunk) => {
                self.wire.send(b"0x5\r\n").await?;
                self.wait_for_the_end().await
            }
            _ => self.end_answer(case, mishap).await,
        }
    }

    /// Sends the head and the body, or what there is to be of it.
    async fn send_body(&mut self, mut head: Vec<u8>, body: &[u8], case: &Case) -> io::Result<()> {
        let pieces = if case.answer.pause_ms == 0 { 1 } else { 5 };
        for piece in body.chunks((body.len() / pieces).max(1)) {
            match case.answer.form {
                Form::Chunked { .. } => head.extend(chunk(piece)),
                Form::Length | Form::Close => head.extend_from_slice(piece),
            }
            self.wire.send(&head).await?;
            head.clear();
            sleep(Duration::from_millis(self.random.between(0, case.answer.pause_ms))).await;
        }
        self.wire.send(&head).await
    }

    async fn end_answer(&mut self, case: &Case, mishap: Option<Mishap>) -> io::Result<Next> {
        let mut end = Vec::new();
        if let (Form::Chunked { trailers }, true) = (case.answer.form, has_framing(case) && case.method != "HEAD") {
            let trailer = if trailers { format!("X-Trail: {}\r\n", case.number) } else { String::new() };
            end.extend(format!("0\r\n{trailer}\r\n").into_bytes());
        }
        if mishap == Some(Mishap::Surplus) {
            let surplus = format!("HTTP/1.1 200 OK\r\nX-Case: {SURPLUS_TAG}\r\nContent-Length: 5\r\n\r\nwrong");
            end.extend(surplus.into_bytes());
            self.lied = true;
        }
        self.wire.send(&end).await?;
        Ok(if case.answer.form == Form::Close { Next::Close } else { Next::Another })
    }

    /// Says nothing more until the other side closes.
    async fn wait_for_the_end(&mut self) -> io::Result<Next> {
        while self.wire.some().await.is_ok_and(|octets| !octets.is_empty()) {}
        Ok(Next::Close)
    }

    /// A WebSocket, as far as a proxy can tell: octets come back as they went.
    async fn echo(&mut self, case: &Case) -> Result<Next, Broken> {
        let head = format!(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Case: {}\r\n\r\n",
            case.number
        );
        self.wire.send(head.as_bytes()).await.map_err(|_| Broken::Reset)?;
        let mut left = if case.mishap.is_some() { case.answer.octets / 2 } else { usize::MAX };
        loop {
            let octets = self.wire.some().await?;
            if octets.is_empty() {
                return Ok(Next::Close);
            }
            self.wire.send(&octets).await.map_err(|_| Broken::Reset)?;
            left = left.saturating_sub(octets.len());
            if left == 0 {
                return Ok(if self.random.chance(500) { Next::Reset } else { Next::Close });
            }
        }
    }
}

/// Enters the delivery of a request in the ledger, and checks that it may be delivered.
fn receive(world: &World, head: &Head) -> Option<(Case, u32)> {
    let mut words = head.start.split(' ');
    let (method, target) = (words.next()?, words.next()?);
    let number = target.rsplit('/').next().and_then(|number| number.parse::<usize>().ok());
    let Some(number) = number.filter(|&number| number < world.ledger.borrow().cases.len()) else {
        world.fail(format!("an origin received `{}`, which nobody sent", head.start));
        return None;
    };
    world.change(number, |case| case.deliveries += 1);
    let case = world.case(number);
    world.say(|| format!("origin: request {number}, delivery {}", case.deliveries));
    if method != case.method {
        world.fail(format!("request {number}: {} became {method}", case.method));
    }
    let most = if case.is_idempotent() { world.knobs.attempts } else { 1 };
    if case.deliveries > most {
        world.fail(format!("request {number}: {method} was delivered {} times", case.deliveries));
    }
    for name in ["host", "via", "x-forwarded-for", "x-forwarded-proto", "x-request-id"] {
        if head.fields.iter().filter(|(known, _)| known == name).count() != 1 {
            world.fail(format!("request {number}: {name} is not there once"));
        }
    }
    let delivery = case.deliveries;
    Some((case, delivery))
}

fn has_framing(case: &Case) -> bool {
    !matches!(case.answer.status, 204 | 304)
}

fn answer_head(case: &Case) -> Vec<u8> {
    let Answer { status, octets, form, .. } = case.answer;
    let mut head = format!("HTTP/1.1 {status} Whatever\r\nX-Case: {}\r\nServer: secret\r\n", case.number);
    if has_framing(case) {
        match form {
            Form::Length => head += &format!("Content-Length: {octets}\r\n"),
            Form::Chunked { .. } => head += "Transfer-Encoding: chunked\r\n",
            Form::Close => {}
        }
    }
    if form == Form::Close {
        head += "Connection: close\r\n";
    }
    (head + "\r\n").into_bytes()
}
