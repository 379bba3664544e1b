//! One conversation with an origin over HTTP/1.

use super::Connection;
use crate::alarm::Alarm;
use crate::fault;
use crate::io::Socket;
use crate::stream::{Held, Interrupt};
use crate::worker::Worker;
use strait_http1::{Client, Event, Limits};
use strait_message::{Fault, Headers, Kind, Phase, ResponseHead};

/// An endpoint's connection while an attempt uses it.
pub(crate) struct Origin {
    pub(crate) connection: Connection,
    pub(crate) engine: Client,
    pub(crate) held: Held,
    /// Whether the connection was open before this attempt.
    pub(crate) reused: bool,
    /// Whether the whole request has left.
    pub(crate) sent: bool,
}

/// The half of an origin's connection that responses come from.
pub(crate) struct Receiver<'a> {
    pub(crate) socket: &'a Socket,
    pub(crate) engine: &'a mut Client,
    pub(crate) held: &'a mut Held,
    pub(crate) reused: bool,
}

impl Origin {
    pub(crate) fn new(connection: Connection, reused: bool) -> Self {
        Self { connection, engine: Client::new(), held: Held::default(), reused, sent: false }
    }
}

impl Receiver<'_> {
    /// Receives the next head, interim or final, into `head`, which must be empty. `late` is asked whenever the alarm
    /// rings, and sets it anew or says that it is over.
    ///
    /// # Errors
    /// Faults of the phase `ResponseHead`.
    pub(crate) async fn recv_head(
        &mut self,
        worker: &Worker,
        head: &mut ResponseHead,
        limits: &Limits,
        alarm: &Alarm,
        late: impl Fn() -> Result<(), Fault>,
    ) -> Result<(), Fault> {
        loop {
            let received = self.engine.recv(self.held.octets(), head, limits);
            let received = received.map_err(|misdeed| fault::upstream_misdeed(Phase::ResponseHead, misdeed))?;
            self.held.consume(received.consumed);
            if received.event == Event::Head {
                return Ok(());
            }
            match self.held.fill(self.socket, &worker.buffers, false, alarm).await {
                Ok(0) => return Err(self.broken(&Interrupt::Io(std::io::ErrorKind::UnexpectedEof.into()))),
                Ok(_) => {}
                Err(Interrupt::Deadline) => late()?,
                Err(interrupt) => return Err(self.broken(&interrupt)),
            }
        }
    }

    /// Takes what has arrived of a body that nobody wants. When that is all of it, the connection can be used again.
    pub(crate) fn discard(&mut self, limits: &Limits) {
        let mut trailers = Headers::new();
        while let Ok(received) = self.engine.recv_body(self.held.octets(), &mut trailers, limits) {
            self.held.consume(received.consumed);
            if !matches!(received.event, Event::Data(_)) {
                return;
            }
        }
    }

    /// A wait that ended without a head. On a connection that was open before, and that said nothing, it most likely
    /// was closed while the request was under way.
    fn broken(&self, interrupt: &Interrupt) -> Fault {
        let fault = fault::upstream_interrupt(Phase::ResponseHead, interrupt);
        let silent = !self.engine.response_has_begun() && self.held.is_empty();
        match fault.kind {
            Kind::Closed | Kind::Reset if self.reused && silent => fault::stale(fault),
            _ => fault,
        }
    }
}
