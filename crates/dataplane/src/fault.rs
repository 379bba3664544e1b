//! How failures of the layers below become faults of an exchange.

use crate::h2::Ended;
use crate::stream::Interrupt;
use std::io;
use strait_http1::Misdeed;
use strait_message::{Fault, Kind, Phase, Retry};

/// A client that broke the protocol.
pub(crate) fn client_misdeed(phase: Phase, misdeed: Misdeed) -> Fault {
    Fault::client(phase, misdeed.kind()).because(misdeed.words())
}

/// The same over HTTP/2.
pub(crate) fn client_misdeed2(phase: Phase, misdeed: strait_http2::Misdeed) -> Fault {
    Fault::client(phase, misdeed.kind()).because(misdeed.words())
}

/// An origin that broke the protocol. Whatever it sent, the request reached it.
pub(crate) fn upstream_misdeed(phase: Phase, misdeed: Misdeed) -> Fault {
    let kind = misdeed.kind();
    Fault::upstream(phase, kind).because(misdeed.words())
}

/// A wait on the client that failed.
pub(crate) fn client_interrupt(phase: Phase, interrupt: &Interrupt) -> Fault {
    match interrupt {
        Interrupt::Deadline => Fault::client(phase, Kind::Timeout),
        Interrupt::Io(error) => Fault::client(phase, broken(error)).because(detail(error)),
    }
}

/// A wait on an origin that failed.
pub(crate) fn upstream_interrupt(phase: Phase, interrupt: &Interrupt) -> Fault {
    match interrupt {
        Interrupt::Deadline => Fault::upstream(phase, Kind::Timeout),
        Interrupt::Io(error) => {
            let fault = Fault::upstream(phase, broken(error)).because(detail(error));
            // RFC 9113 §8.7: nothing was done with the stream.
            if ended(error) == Some(Ended::NotProcessed) { fault.with_retry(Retry::Safe) } else { fault }
        }
    }
}

/// A connection that could not be opened.
pub(crate) fn connect(error: &io::Error) -> Fault {
    let kind = match error.kind() {
        io::ErrorKind::ConnectionRefused => Kind::Refused,
        io::ErrorKind::ConnectionReset => Kind::Reset,
        io::ErrorKind::TimedOut => Kind::Timeout,
        io::ErrorKind::NotFound => Kind::Refused,
        _ => Kind::Unreachable,
    };
    let detail = if kind == Kind::Unreachable { "no address of the endpoint can be reached" } else { "" };
    Fault::upstream(Phase::Connect, kind).because(detail)
}

/// What an error on an open connection means.
pub(crate) fn broken(error: &io::Error) -> Kind {
    match ended(error) {
        Some(Ended::Misdeed(misdeed)) => return misdeed.kind(),
        Some(Ended::Lost) => return Kind::Closed,
        _ => {}
    }
    match error.kind() {
        io::ErrorKind::ConnectionReset => Kind::Reset,
        io::ErrorKind::TimedOut => Kind::Timeout,
        // A record of TLS that cannot be opened.
        io::ErrorKind::InvalidData => Kind::Tls,
        _ => Kind::Closed,
    }
}

/// How a stream of HTTP/2 ended, where that is the error.
fn ended(error: &io::Error) -> Option<Ended> {
    error.get_ref()?.downcast_ref().copied()
}

fn detail(error: &io::Error) -> &'static str {
    match ended(error) {
        Some(Ended::Misdeed(misdeed)) => misdeed.words(),
        Some(Ended::Reset(code)) => code.as_str(),
        _ => "",
    }
}

pub(crate) const STALE: &str = "an idle connection had been closed";

/// A connection that was open before and turned out to be closed before anything came back: the origin closed it
/// while the request was on its way. Nothing says that the request was acted on, and the field takes it as unsent
/// only for idempotent methods (RFC 9110 §9.2.2).
pub(crate) fn stale(fault: Fault) -> Fault {
    match fault.kind {
        Kind::Closed | Kind::Reset => fault.with_retry(Retry::IfIdempotent).because(STALE),
        _ => fault,
    }
}
