//! One client connection over HTTP/1: wait, run an exchange, again. A stream of HTTP/2 has one exchange and no wait.

use crate::accept::Admitted;
use crate::alarm::Alarm;
use crate::choose::Sticks;
use crate::clock::ms;
use crate::downstream::Server;
use crate::downstream::h2::{self, Opening, Serving};
use crate::exchange::{self, Exchange, Tally};
use crate::io::Socket;
use crate::retry::Kept;
use crate::scratch::Scratch;
use crate::stream::{Held, Interrupt};
use crate::worker::{Adopted, Worker};
use std::cell::Cell;
use std::future::poll_fn;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::{Context, Poll};
use strait_http1::Persistence;
use strait_plan::Listener;
use strait_traffic::Tried;

/// Octets that are read and thrown away before a connection with an unread request is closed.
const LINGER_OCTETS_MAX: usize = 1024 * 1024;
/// How long that may take.
const LINGER_MS_MAX: u64 = 2_000;

/// What lasts as long as the connection. While it is idle this is all there is.
pub(crate) struct ClientConnection {
    pub(crate) socket: Socket,
    pub(crate) held: Held,
    pub(crate) alarm: Alarm,
    pub(crate) peer: SocketAddr,
    /// A response is under way that ends with the connection: until it is whole, only a reset tells it from a complete
    /// one (RFC 9112 §8), whatever closes the connection.
    pub(crate) ends_response: Cell<bool>,
    served: u32,
}

/// A client connection with its place under the listener's limits: it waits in the [`Lobby`](crate::lobby::Lobby) and is
/// served in a [room](crate::room::Rooms).
pub(crate) struct Guest {
    client: ClientConnection,
    /// None on a stream, whose connection has it.
    admitted: Option<Admitted>,
}

/// What becomes of a connection that was served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum After {
    /// It waits for its next request.
    Wait,
    /// It is closed.
    Close,
    /// It speaks HTTP/2.
    Http2,
}

/// Begins to wait for the first request on a connection.
pub(crate) fn welcome(socket: Socket, peer: SocketAddr, admitted: Admitted) {
    if socket.tls().is_some_and(|tls| tls.alpn.as_deref().map(str::as_bytes) == Some(h2::ALPN)) {
        return h2::welcome(ClientConnection::new(socket, peer), admitted, Held::default());
    }
    let client = ClientConnection::new(socket, peer);
    let worker = admitted.worker().clone();
    if let Some(guest) = Box::new(Guest { client, admitted: Some(admitted) }).wait(&worker) {
        worker.rooms.enter(&worker, guest);
    }
}

impl Guest {
    /// A stream of a connection that is admitted already.
    pub(crate) fn on_lane(client: ClientConnection) -> Self {
        Self { client, admitted: None }
    }

    /// Waits in the lobby for something to read, no longer than the listener allows; comes back if it is there.
    pub(crate) fn wait(self: Box<Self>, worker: &Worker) -> Option<Box<Self>> {
        let adopted = worker.adopted();
        let limits = &adopted.listener(self.admitted.as_ref()?.listener())?.limits;
        let idle_ms = if worker.draining.get() { DRAIN_IDLE_MS } else { self.client.idle_ms(limits) };
        worker.lobby.seat(self, worker.clock.now_ms().saturating_add(idle_ms))
    }

    /// Ready when there is something to read, if only the end.
    pub(crate) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<()> {
        self.client.socket.poll_read_ready(cx).map(drop)
    }

    /// Trades alarms with a room: a guest has one only while it is there.
    pub(crate) fn lend(&mut self, alarm: &mut Alarm) {
        std::mem::swap(&mut self.client.alarm, alarm);
    }

    /// Runs exchanges as long as there are requests, on an empty scratch. Then the connection may wait for another, or
    /// ends.
    pub(crate) async fn serve(&mut self, worker: &Rc<Worker>, scratch: &mut Scratch) -> After {
        let Self { client, admitted } = self;
        loop {
            if let Some(admitted) = admitted {
                match poll_fn(|cx| Poll::Ready(client.poll_request(worker, cx))).await {
                    Poll::Pending => return After::Wait,
                    Poll::Ready(false) => return After::Close,
                    Poll::Ready(true) if client.served > 0 => {}
                    Poll::Ready(true) if h2::opening(client.held.octets()) == Opening::Other => {}
                    // Boxed: few connections come here.
                    Poll::Ready(true) if Box::pin(client.opens_http2(worker, admitted.listener())).await => {
                        return After::Http2;
                    }
                    Poll::Ready(true) => {}
                }
            }
            let link;
            let listener = match (&*admitted, client.socket.lane()) {
                (Some(admitted), _) => admitted.listener(),
                (None, Some(lane)) => {
                    // The connection is this worker's own; the name is counted by all of them.
                    link = lane.link().clone();
                    link.listener()
                }
                (None, None) => return After::Close,
            };
            let persistence = client.serve_one(worker, listener, scratch).await;
            scratch.wipe();
            match persistence {
                Persistence::Close => return After::Close,
                Persistence::KeepAlive if client.held.is_empty() => return After::Wait,
                Persistence::KeepAlive => {}
            }
        }
    }

    /// Hands the connection on to HTTP/2.
    pub(crate) fn go_on_as_http2(self) {
        let Self { mut client, admitted } = self;
        let Some(admitted) = admitted else { return };
        let held = std::mem::take(&mut client.held);
        h2::welcome(client, admitted, held);
    }
}

/// How long a client connection may be idle when the worker drains: a request may be on its way to it.
pub(crate) const DRAIN_IDLE_MS: u64 = 1_000;

impl Drop for ClientConnection {
    fn drop(&mut self) {
        match self.ends_response.get() {
            true => self.socket.reset_on_close(),
            false => self.socket.say_end(),
        }
    }
}

impl ClientConnection {
    /// A connection, or a stream, on which nothing has happened.
    pub(crate) fn new(socket: Socket, peer: SocketAddr) -> Self {
        let (held, alarm, ends_response) = (Held::default(), Alarm::default(), Cell::new(false));
        Self { socket, held, alarm, peer, ends_response, served: 0 }
    }

    /// Ready with whether there is an octet of a request, or the end.
    fn poll_request(&mut self, worker: &Worker, cx: &mut Context<'_>) -> Poll<bool> {
        match self.held.is_empty() {
            true => self.held.poll_fill(&self.socket, &worker.buffers, false, cx).map(|read| read.is_ok_and(|n| n > 0)),
            false => Poll::Ready(true),
        }
    }

    /// Whether a new connection opens with the preface of HTTP/2, and may. Octets that it may begin with are not enough to
    /// know: more are waited for, as long as for a head.
    async fn opens_http2(&mut self, worker: &Rc<Worker>, listener: &str) -> bool {
        let adopted = worker.adopted();
        let limits = adopted.listener(listener).map(|listener| &listener.limits);
        let Some(limits) = limits.filter(|limits| limits.http2.is_some()) else { return false };
        let now_ms = worker.clock.now_ms();
        self.alarm.set(now_ms.saturating_add(ms(limits.header_timeout)), now_ms);
        loop {
            match h2::opening(self.held.octets()) {
                Opening::Preface => return true,
                Opening::Other => return false,
                Opening::Unclear => {}
            }
            // What comes of a wait that fails is seen by whoever reads the head.
            match self.held.fill(&self.socket, &worker.buffers, false, &self.alarm).await {
                Ok(1..) => {}
                Ok(0) | Err(_) => return false,
            }
        }
    }

    /// How long to wait: a new connection has no longer for its first octet than for a head.
    fn idle_ms(&self, limits: &strait_plan::ListenerLimits) -> u64 {
        ms(if self.served == 0 { limits.header_timeout } else { limits.idle_timeout })
    }

    /// Runs one exchange, and closes with care where the connection ends with it.
    async fn serve_one(&mut self, worker: &Rc<Worker>, listener: &str, scratch: &mut Scratch) -> Persistence {
        let adopted = worker.adopted();
        let Some(listener) = adopted.listener(listener) else { return Persistence::Close };
        self.served = self.served.saturating_add(1);
        worker.meter.exchanges.add(1);
        worker.meter.exchanges_running.up();
        let _running = RunningExchange(worker);
        let mut exchange = self.begin(worker, &adopted, listener, scratch);
        let persistence = exchange::run(&mut exchange).await;
        // A client that sends nothing more needs no care: the response goes before the end.
        let nothing_follows = exchange.server.client_is_done() && exchange.client.held.is_empty();
        let is_stream = exchange.client.socket.lane().is_some();
        if persistence == Persistence::Close && !self.ends_response.get() && !nothing_follows && !is_stream {
            self.linger(worker).await;
        }
        persistence
    }

    fn begin<'c>(
        &'c mut self,
        worker: &'c Rc<Worker>,
        adopted: &'c Adopted,
        listener: &'c Listener,
        scratch: &'c mut Scratch,
    ) -> Exchange<'c> {
        let began_us = worker.clock.now_us();
        let id = worker.ids.borrow_mut().next(worker.clock.wall_us(began_us));
        let mut server = match &self.socket {
            Socket::Lane(lane) => Server::H2(Serving::new(lane.0.clone())),
            _ => Server::H1(strait_http1::Server::new()),
        };
        let requests_max = listener.limits.requests_per_connection_max;
        if worker.draining.get() || (requests_max > 0 && self.served >= requests_max) {
            server.close_after_response();
        }
        let view = strait_plan::ClientView { address: self.peer, from_trusted_proxy: false, secure: false };
        Exchange {
            worker,
            adopted,
            listener,
            client: self,
            server,
            scratch,
            output: Vec::new(),
            id,
            view,
            tally: Tally::new(began_us, adopted.plan.server_timing),
            kept: Kept::default(),
            deadline_ms: u64::MAX,
        }
    }

    /// Ends the connection so that the client gets all of the response: closing with octets unread would reset it
    /// (RFC 9112 §9.6).
    async fn linger(&mut self, worker: &Worker) {
        self.socket.shutdown_write();
        self.held = Held::default();
        let now_ms = worker.clock.now_ms();
        self.alarm.set(now_ms + LINGER_MS_MAX, now_ms);
        let mut octets = 0;
        while octets < LINGER_OCTETS_MAX {
            match self.held.fill(&self.socket, &worker.buffers, false, &self.alarm).await {
                Ok(0) | Err(Interrupt::Deadline | Interrupt::Io(_)) => return,
                Ok(more) => octets += more,
            }
            self.held = Held::default();
        }
    }
}

impl Tally<'_> {
    fn new(began_us: u64, server_timing: bool) -> Self {
        Self {
            began_us,
            head_is_complete: false,
            route: None,
            endpoint: None,
            attempts: 0,
            tried: Tried::default(),
            sticks: Sticks::default(),
            reused: false,
            status: Cell::new(None),
            upstream_status: Cell::new(None),
            request_octets: Cell::new(0),
            response_octets: Cell::new(0),
            response_begun: Cell::new(false),
            first_byte_us: Cell::new(0),
            connect_us: 0,
            attempt_began_us: None,
            server_timing,
            fault_answered: false,
        }
    }
}

/// Counts an exchange as running; by a panic it ends too.
struct RunningExchange<'a>(&'a Worker);

impl Drop for RunningExchange<'_> {
    fn drop(&mut self) {
        self.0.meter.exchanges_running.down();
    }
}

#[cfg(test)]
mod tests {
    use super::Guest;

    #[test]
    fn a_connection_that_waits_is_small() {
        // With its seat, its bell and the reactor's registration it makes under 500 octets.
        assert!(size_of::<Guest>() <= 192, "{}", size_of::<Guest>());
    }
}
