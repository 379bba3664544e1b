//! The handshake with a client: which policy, under a deadline and a limit, and what becomes of it.

use super::TlsStream;
use crate::accept::Admitted;
use crate::alarm::Alarm;
use crate::clock::ms;
use crate::downstream;
use crate::io::Socket;
use crate::stream::Held;
use crate::worker::Worker;
use std::future::poll_fn;
use std::io::IoSlice;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use strait_message::HandshakeFailure as Failure;
use strait_tls::{Hello, ListenerTls, Peeked, TlsEngine, peek};

/// What a client gets that speaks HTTP where TLS is spoken.
const PLAIN_ANSWER: &[u8] = b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Length: 52\r\nConnection: close\r\n\r\nThis port speaks HTTPS: write https:// in the URL.\r\n";
/// How long a client may take to read why it was refused.
const LINGER_MS_MAX: u64 = 1_000;
/// Octets that are read and thrown away meanwhile.
const LINGER_OCTETS_MAX: usize = 256 * 1024;

/// A connection that has just been accepted.
pub(crate) struct Arrival {
    pub(crate) socket: Socket,
    pub(crate) peer: SocketAddr,
    pub(crate) admitted: Admitted,
}

/// Shakes hands, and lets the connection wait for its first request.
pub(crate) async fn serve(tls: Arc<ListenerTls>, arrival: Arrival) {
    let Arrival { socket, peer, admitted } = arrival;
    let worker = admitted.worker().clone();
    let alarm = worker.wheel.alarm();
    let now_ms = worker.clock.now_ms();
    alarm.set(now_ms.saturating_add(ms(tls.handshake_timeout)), now_ms);
    // A client that says nothing costs next to nothing.
    if !arrives(&socket, &alarm).await {
        worker.meter.tls.count_failure(Failure::Timeout);
        return;
    }
    // Boxed, so that what comes after does not hold the memory of a handshake.
    let secured = Box::pin(secure(&worker, &tls, socket, alarm)).await;
    drop(tls);
    match secured {
        Ok(stream) => downstream::h1::welcome(stream, peer, admitted),
        Err(failure) => worker.meter.tls.count_failure(failure),
    }
}

/// Waits for the first octet; whether it came in time.
async fn arrives(socket: &Socket, alarm: &Alarm) -> bool {
    poll_fn(|cx| match socket.poll_read_ready(cx) {
        Poll::Ready(outcome) => Poll::Ready(outcome.is_ok()),
        Poll::Pending => alarm.poll(cx).map(|()| false),
    })
    .await
}

async fn secure(worker: &Rc<Worker>, tls: &ListenerTls, socket: Socket, alarm: Alarm) -> Result<Socket, Failure> {
    let Some(_place) = tls.begin_handshake() else {
        socket.reset_on_close();
        return Err(Failure::OverLimit);
    };
    let _running = Running::begin(worker);
    let (hello, held) = read_hello(worker, &socket, &alarm).await?;
    let policy = tls.policy_of(hello.server_name.as_deref());
    let engine = tls.policy(policy).and_then(|policy| TlsEngine::server(policy, &hello).ok()).ok_or(Failure::Other)?;
    let stream = TlsStream::new(socket, worker.buffers.clone(), engine, held);
    let shaken = poll_fn(|cx| match stream.poll_handshake(cx) {
        Poll::Pending => alarm.poll(cx).map(|()| Err(Failure::Timeout)),
        outcome => outcome,
    });
    if let Err(failure) = shaken.await {
        if !matches!(failure, Failure::Timeout | Failure::Closed) {
            linger(worker, stream.into_transport(), &alarm).await;
        }
        return Err(failure);
    }
    let facts = stream.facts(policy, hello.server_name);
    // A session that is resumed shows no certificate: the one it was begun with must still be valid.
    let now_s = i64::try_from(worker.clock.wall_us(worker.clock.now_us()) / 1_000_000).unwrap_or(i64::MAX);
    if facts.client.as_ref().is_some_and(|client| client.not_after_s < now_s) {
        return Err(Failure::CertificateExpired);
    }
    worker.meter.tls.count_handshake(facts.version == "TLSv1.3", facts.resumed);
    Ok(Socket::Tls(Box::new(stream.knowing(facts))))
}

/// Reads until there is a whole ClientHello, or something that is none: the engine will say what is wrong with that.
async fn read_hello(worker: &Worker, socket: &Socket, alarm: &Alarm) -> Result<(Hello, Held), Failure> {
    let mut held = Held::default();
    loop {
        match held.fill(socket, &worker.buffers, false, alarm).await {
            Ok(0) => return Err(Failure::Closed),
            Ok(_) => {}
            Err(crate::stream::Interrupt::Deadline) => return Err(Failure::Timeout),
            Err(crate::stream::Interrupt::Io(_)) => return Err(Failure::Closed),
        }
        match peek(held.octets()) {
            Peeked::Hello(hello) => return Ok((hello, held)),
            Peeked::More => {}
            Peeked::Other if held.octets().first().is_some_and(u8::is_ascii_uppercase) => {
                let _ = poll_fn(|cx| socket.poll_write(cx, &[IoSlice::new(PLAIN_ANSWER)])).await;
                return Err(Failure::NotTls);
            }
            Peeked::Other => return Ok((Hello::default(), held)),
        }
    }
}

/// Lets the client read the alert: closing with octets unread would reset the connection and take it away.
async fn linger(worker: &Worker, transport: Socket, alarm: &Alarm) {
    transport.shutdown_write();
    let now_ms = worker.clock.now_ms();
    alarm.set(now_ms + LINGER_MS_MAX, now_ms);
    let (mut held, mut octets) = (Held::default(), 0);
    while octets < LINGER_OCTETS_MAX {
        match held.fill(&transport, &worker.buffers, false, alarm).await {
            Ok(0) | Err(_) => return,
            Ok(more) => octets += more,
        }
        held = Held::default();
    }
}

/// Counts a handshake as running; by a panic it ends too.
struct Running<'a>(&'a Worker);

impl<'a> Running<'a> {
    fn begin(worker: &'a Worker) -> Self {
        worker.meter.tls.handshakes_running.up();
        Self(worker)
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.meter.tls.handshakes_running.down();
    }
}
