use crate::{ListenAddress, Plan};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use strait_record::WorkerMeter;

/// The workers as the control plane sees them: it publishes plans and reads meters, and never touches a socket.
pub trait Workers: Send + Sync {
    /// Makes a plan the current one. Its new listeners are bound before any old one is let go.
    ///
    /// # Errors
    /// [`PublishError`] when a listener cannot be bound: then nothing has changed.
    fn publish(&self, plan: Arc<Plan>) -> Result<(), PublishError>;

    /// The current plan.
    fn plan(&self) -> Arc<Plan>;

    /// The time of the workers, in milliseconds: what instants in [`crate::Standing`] mean.
    fn now_ms(&self) -> u64;

    /// What each worker counts.
    fn meters(&self) -> &[Arc<WorkerMeter>];

    /// The names of the listeners and the addresses they are bound to, a port the system chose included.
    fn listening(&self) -> Vec<(Arc<str>, SocketAddr)>;

    /// Stops accepting, and closes each connection after its current exchange.
    fn drain(&self);

    /// How long a drain that has begun still waits for what runs; `None` for as long as it takes.
    fn drain_left(&self) -> Option<Duration> {
        None
    }

    /// Whether a drain has begun.
    fn is_draining(&self) -> bool;
}

/// A plan could not be published.
#[derive(Debug)]
pub struct PublishError {
    /// The listener's name.
    pub listener: Arc<str>,
    /// Its address.
    pub address: ListenAddress,
    /// What the system said.
    pub error: std::io::Error,
}

impl std::fmt::Display for PublishError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "listener `{}` cannot be bound to {}: {}", self.listener, self.address, self.error)
    }
}

impl std::error::Error for PublishError {}

impl std::fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(address) => address.fmt(f),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}
