//! The admin API, on a Unix socket and a loopback port.
//!
//! It is the way in when everything else is stuck: one thread of its own, no part of the data path, no more than
//! [`CONNECTIONS_MAX`] connections on each of its two doors and [`CONNECTION_TIMEOUT`] for each of them. One request a
//! connection, so that this bounds everything a caller can hold.

mod answers;
mod endpoints;
mod guard;
mod metrics;
mod socket;
mod status;

pub use socket::SocketError;

use axum::Router;
use guard::Caller;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use socket::SocketFile;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use strait_plan::Workers;
use strait_telemetry::access_log::AccessLogMeter;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{sleep, timeout};

/// Connections open at the same time, for each of the two doors; more wait in the system's queue.
pub const CONNECTIONS_MAX: u32 = 64;
/// From accepting a connection to the last octet of its answer, at most.
pub const CONNECTION_TIMEOUT: Duration = Duration::from_secs(10);
/// Octets of a request head. Request bodies are read for single endpoints only, and are bounded there.
const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Threads for answers that take a while to compute.
const COMPUTING_THREADS_MAX: usize = 4;
/// What running answers are given when the server ends.
const LAST_ANSWERS_TIMEOUT: Duration = Duration::from_secs(1);
/// After the system refused to hand over a connection, mostly for want of file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Where the admin API is reached. With neither, nothing is started but the thread.
#[derive(Clone, Debug, Default)]
pub struct AdminSettings {
    /// An address and port; port 0 lets the system choose.
    pub address: Option<SocketAddr>,
    /// A Unix socket, created with mode 0660.
    pub socket: Option<PathBuf>,
}

/// What the admin API asks of the rest of the process.
pub struct Hooks {
    /// Says what would be done with a request, or why that is not one.
    pub explain: Explain,
    /// The configuration that is served: `{"config": …, "sources": …}`, secrets left out.
    pub config: Box<dyn Fn() -> serde_json::Value + Send + Sync>,
    /// Reads the configuration anew and serves it; answers what changed, or why it is refused.
    pub reload: Box<dyn Fn() -> Result<serde_json::Value, serde_json::Value> + Send + Sync>,
    /// Begins a drain; called for every request to stop, so a second call must be harmless.
    pub stop: Box<dyn Fn() + Send + Sync>,
    /// Opens the access log anew.
    pub reopen: Box<dyn Fn() + Send + Sync>,
    /// What the access log counts, when one is written.
    pub access_log: Option<Arc<AccessLogMeter>>,
}

/// Explains what is asked about.
pub type Explain = Box<dyn Fn(&Asked) -> Result<String, String> + Send + Sync>;

/// A request that is asked about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// The method.
    pub method: String,
    /// The URL.
    pub url: String,
    /// Further fields, by name.
    pub headers: Vec<(String, String)>,
    /// The listener it comes to, if one is named.
    pub listener: Option<String>,
    /// The client's address, if one is given.
    pub client: Option<std::net::IpAddr>,
    /// Whether the answer is for tools: JSON instead of text.
    pub json: bool,
}

/// The running admin API. Dropped, it gives running answers a second, ends its thread and removes its socket.
#[derive(Debug)]
pub struct AdminServer {
    address: Option<SocketAddr>,
    socket: Option<SocketFile>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// The admin API could not be started.
#[derive(Debug)]
pub enum AdminError {
    /// The address cannot be bound.
    Address(SocketAddr, io::Error),
    /// The socket cannot be made.
    Socket(PathBuf, SocketError),
    /// Its thread or runtime cannot be started.
    Thread(io::Error),
}

impl fmt::Display for AdminError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Address(address, error) => write!(f, "the admin address {address} cannot be bound: {error}"),
            Self::Socket(path, error) => write!(f, "the admin socket {} cannot be made: {error}", path.display()),
            Self::Thread(error) => write!(f, "the admin thread cannot be started: {error}"),
        }
    }
}

impl std::error::Error for AdminError {}

/// What answers are made from.
pub(crate) struct Desk {
    pub(crate) workers: Arc<dyn Workers>,
    pub(crate) hooks: Hooks,
    pub(crate) started: Instant,
}

/// The two doors, bound and not yet open.
struct Doors {
    tcp: Option<std::net::TcpListener>,
    unix: Option<std::os::unix::net::UnixListener>,
}

impl AdminServer {
    /// Binds the address and the socket and starts answering.
    ///
    /// # Errors
    /// [`AdminError`] when one of them cannot be bound; nothing is left behind then.
    pub fn start(settings: AdminSettings, workers: Arc<dyn Workers>, hooks: Hooks) -> Result<Self, AdminError> {
        let tcp = settings.address.map(bind).transpose()?;
        let address = tcp.as_ref().and_then(|listener| listener.local_addr().ok());
        let made = settings.socket.map(|path| SocketFile::make(&path).map_err(|error| AdminError::Socket(path, error)));
        let (socket, unix) = made.transpose()?.unzip();
        let desk = Arc::new(Desk { workers, hooks, started: Instant::now() });
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(COMPUTING_THREADS_MAX)
            .build()
            .map_err(AdminError::Thread)?;
        let (end, ended) = oneshot::channel();
        let doors = Doors { tcp, unix };
        let thread = thread::Builder::new().name("admin".into());
        let thread = thread.spawn(move || runtime.block_on(serve(doors, desk, ended))).map_err(AdminError::Thread)?;
        Ok(Self { address, socket, end: Some(end), thread: Some(thread) })
    }

    /// The address it is bound to, a port the system chose included.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Lets running answers end, for a second at most, and removes the socket.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for AdminServer {
    fn drop(&mut self) {
        // Before the thread ends: whoever looks for the socket then finds nothing rather than nobody.
        self.socket.take();
        self.end.take();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn bind(address: SocketAddr) -> Result<std::net::TcpListener, AdminError> {
    let bound = std::net::TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    bound.map_err(|error| AdminError::Address(address, error))
}

async fn serve(doors: Doors, desk: Arc<Desk>, ended: oneshot::Receiver<()>) {
    let router = answers::router(desk);
    let (on_tcp, on_unix) = (Places::new(), Places::new());
    tokio::select! {
        // An error means that the sender is gone: that is the signal.
        _ = ended => {}
        () = serve_tcp(doors.tcp, &router, &on_tcp) => {}
        () = serve_unix(doors.unix, &router, &on_unix) => {}
    }
    let _ = timeout(LAST_ANSWERS_TIMEOUT, async { tokio::join!(on_tcp.all_free(), on_unix.all_free()) }).await;
}

/// Never ends.
async fn serve_tcp(listener: Option<std::net::TcpListener>, router: &Router, places: &Places) {
    let Some(listener) = listener.and_then(|listener| said(TcpListener::from_std(listener))) else {
        return std::future::pending().await;
    };
    let bound_to_loopback = listener.local_addr().is_ok_and(|address| address.ip().is_loopback());
    loop {
        let place = places.take().await;
        match listener.accept().await {
            Ok((stream, peer)) => {
                let caller = Caller::Tcp { peer_is_loopback: peer.ip().is_loopback(), bound_to_loopback };
                tokio::spawn(connection(stream, caller, router.clone(), place));
            }
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// Never ends.
async fn serve_unix(listener: Option<std::os::unix::net::UnixListener>, router: &Router, places: &Places) {
    let Some(listener) = listener.and_then(|listener| said(UnixListener::from_std(listener))) else {
        return std::future::pending().await;
    };
    loop {
        let place = places.take().await;
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(connection(stream, Caller::Unix, router.clone(), place));
            }
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
}

fn said<T>(result: io::Result<T>) -> Option<T> {
    result.inspect_err(|error| crate::say(&format!("admin: {error}"))).ok()
}

/// Serves one request. Its outcome interests nobody but the caller, who has the answer or not.
async fn connection<S>(stream: S, caller: Caller, router: Router, _place: Option<OwnedSemaphorePermit>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let router = TowerToHyperService::new(router);
    let service = service_fn(move |request| {
        let refusal = guard::refusal(&request, caller);
        let router = router.clone();
        async move {
            match refusal {
                Some(refusal) => Ok(refusal),
                None => router.call(request).await,
            }
        }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(CONNECTION_TIMEOUT)
        .max_buf_size(HEAD_BYTES_MAX)
        .keep_alive(false);
    let _ = timeout(CONNECTION_TIMEOUT, http.serve_connection(TokioIo::new(stream), service)).await;
}

/// The right to hold a connection, counted for each door so that one cannot starve the other.
struct Places(Arc<Semaphore>);

impl Places {
    fn new() -> Self {
        Self(Arc::new(Semaphore::new(CONNECTIONS_MAX as usize)))
    }

    /// Waits for a free place. `None` only when the semaphore was closed, which never happens.
    async fn take(&self) -> Option<OwnedSemaphorePermit> {
        self.0.clone().acquire_owned().await.ok()
    }

    async fn all_free(&self) {
        let _ = self.0.acquire_many(CONNECTIONS_MAX).await;
    }
}
