//! What workers and the control plane say to a worker. Everything here crosses threads; nothing else does.

use crate::accept::Bound;
use crate::upstream::Handed;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use strait_plan::{EndpointState, Plan};
use tokio::sync::mpsc;

/// One message to a worker.
pub(crate) enum Mail {
    /// A new plan, with a socket for each listener that is new in it.
    Plan(Arc<Plan>, Vec<Bound>),
    /// Another worker asks for an idle connection to this endpoint.
    Wanted { endpoint: Arc<EndpointState>, by: usize },
    /// A connection to an endpoint, asked for or owed; `None` when there was none to give.
    Connection { endpoint: Arc<EndpointState>, connection: Option<Handed> },
    /// A connection to this endpoint was closed elsewhere: one that waits here may open one.
    Room(Arc<EndpointState>),
    /// Say that you are there, by counting up.
    Answer(Arc<AtomicUsize>),
    /// Accept nothing more, and close each connection after its current exchange.
    Drain,
    /// Close everything and end.
    Stop,
}

/// Where a worker's mail is put.
pub(crate) type Mailbox = mpsc::UnboundedSender<Mail>;
