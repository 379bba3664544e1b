//! The handshake with an endpoint.

use super::TlsStream;
use crate::alarm::Alarm;
use crate::clock::ms;
use crate::io::Socket;
use crate::stream::Held;
use crate::worker::Worker;
use std::future::poll_fn;
use std::task::Poll;
use strait_message::{Fault, HandshakeFailure as Failure, Kind, Phase};
use strait_tls::{ClientPolicy, TlsEngine};

/// Secures a connection that has just been opened.
///
/// # Errors
/// Faults of the phase `Connect`: nothing of a request was sent.
pub(crate) async fn connect(
    worker: &Worker,
    socket: Socket,
    policy: &ClientPolicy,
    alarm: &Alarm,
) -> Result<Socket, Fault> {
    let now_ms = worker.clock.now_ms();
    alarm.set(now_ms.saturating_add(ms(policy.handshake_timeout)), now_ms);
    let engine = TlsEngine::client(policy).map_err(|_| Fault::strait(Phase::Connect, Kind::Defect))?;
    let stream = TlsStream::new(socket, worker.buffers.clone(), engine, Held::default());
    let shaken = poll_fn(|cx| match stream.poll_handshake(cx) {
        Poll::Pending => alarm.poll(cx).map(|()| Err(Failure::Timeout)),
        outcome => outcome,
    });
    match shaken.await {
        Ok(()) => Ok(Socket::Tls(Box::new(stream))),
        Err(failure) => Err(fault(failure)),
    }
}

fn fault(failure: Failure) -> Fault {
    let kind = match failure {
        Failure::Timeout => Kind::Timeout,
        _ if failure.is_certificate() => Kind::Certificate,
        _ => Kind::Tls,
    };
    Fault::upstream(Phase::Connect, kind).because(failure.sentence())
}
