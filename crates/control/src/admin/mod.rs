//! The admin API, on a Unix socket and a loopback port.
//!
//! It is the way in when everything else is stuck: one thread of its own, no part of the data path, no more than
//! [`CONNECTIONS_MAX`] connections on each of its two doors and [`CONNECTION_TIMEOUT`] for each of them. One request a
//! connection, so that this bounds everything a caller can hold.

mod answers;
mod call;
mod configuration;
mod endpoints;
mod guard;
mod inventory;
mod metrics;
mod observe;
mod openapi;
mod socket;
mod status;
mod table;

pub use call::tag_of;
pub use guard::Token;
pub use socket::{SocketError, SocketPlace};

use crate::patch::With;
use axum::body::Body;
use axum::http::{HeaderValue, Request, StatusCode, header};
use call::{Response, refused};
use guard::{Caller, Entrance};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket::SocketFile;
use std::convert::Infallible;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use strait_plan::Workers;
use strait_telemetry::access_log::AccessLogMeter;
use strait_telemetry::sights::Sightings;
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
    /// A Unix socket.
    pub socket: Option<SocketPlace>,
    /// What callers of the address must bear. Without one the address changes nothing and shows nothing private.
    pub token: Option<Token>,
}

/// What the admin API asks of the rest of the process.
pub struct Hooks {
    /// Says what would be done with a request, or why that is not one.
    pub explain: Explain,
    /// The configuration that is served.
    pub config: Box<dyn Fn() -> Served + Send + Sync>,
    /// Changes what is served; answers what that changed, with the tag of what is served now.
    pub change: Apply,
    /// Begins a drain; called for every request to stop, so a second call must be harmless.
    pub stop: Box<dyn Fn() + Send + Sync>,
    /// Opens the access log anew.
    pub reopen: Box<dyn Fn() + Send + Sync>,
    /// What the access log counts, when one is written.
    pub access_log: Option<Arc<AccessLogMeter>>,
    /// Who takes what the workers see, for `/tail`, `/top` and `/why`.
    pub sightings: Option<Arc<Sightings>>,
}

/// The configuration that is served.
#[derive(Clone, Debug, Default)]
pub struct Served {
    /// `{"config": …, "sources": …}`, references instead of secrets.
    pub effective: serde_json::Value,
    /// The merge patch that is part of it.
    pub patch: serde_json::Value,
    /// Where that is kept; `None` for only as long as the process lives.
    pub state_file: Option<String>,
    /// Its tag, in quotes: another one when it is another configuration.
    pub tag: String,
}

/// What to change in what is served.
#[derive(Clone, Debug)]
pub struct Change {
    /// The change.
    pub deed: Deed,
    /// Whether only to say what it would do.
    pub dry_run: bool,
    /// The tags of what it may be done to; `None` for whatever is served.
    pub if_match: Option<Vec<String>>,
    /// Whose word holds where the files and the patch contradict each other: `file` or `api`.
    pub prefer: Option<String>,
}

/// A change to what is served.
#[derive(Clone, Debug)]
pub enum Deed {
    /// Reads the files anew.
    Reload,
    /// Patches the configuration at a place.
    Edit {
        /// Keys from the top.
        at: Vec<String>,
        /// What is done there.
        with: With,
    },
    /// Takes all patches back.
    TakeBack,
}

/// Why nothing was changed.
#[derive(Clone, Debug)]
pub enum Refused {
    /// What is served has another tag: this one.
    Stale(String),
    /// What was asked for makes no sense.
    Malformed(String),
    /// There is nothing at the place.
    Missing(String),
    /// It contradicts what is there.
    Conflict(String),
    /// The configuration that would serve cannot: a word for what is wrong, and that at length.
    Configuration(&'static str, String),
    /// It could not be kept, or a defect.
    Failed(String),
}

/// Explains what is asked about.
pub type Explain = Box<dyn Fn(&Asked) -> Result<String, String> + Send + Sync>;

/// Changes what is served: what that changed, and the tag of what is served then.
pub type Apply = Box<dyn Fn(Change) -> Result<(serde_json::Value, String), Refused> + Send + Sync>;

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
    pub(crate) entrance: Entrance,
    /// What changes something waits for its turn.
    pub(crate) turn: Arc<tokio::sync::Mutex<()>>,
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
        let made = settings.socket.map(|place| {
            let path = place.path(address);
            SocketFile::make(&path, place.mode()).map_err(|error| AdminError::Socket(path, error))
        });
        let (socket, unix) = made.transpose()?.unzip();
        let desk = Arc::new(Desk {
            workers,
            hooks,
            started: Instant::now(),
            entrance: Entrance {
                token: settings.token,
                socket: socket.as_ref().map(|socket| socket.path().to_owned()),
            },
            turn: Arc::default(),
        });
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

    /// Where the socket is, if there is one.
    pub fn socket(&self) -> Option<&Path> {
        self.socket.as_ref().map(SocketFile::path)
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
    let (on_tcp, on_unix) = (Places::new(), Places::new());
    tokio::select! {
        // An error means that the sender is gone: that is the signal.
        _ = ended => {}
        () = serve_tcp(doors.tcp, &desk, &on_tcp) => {}
        () = serve_unix(doors.unix, &desk, &on_unix) => {}
    }
    let _ = timeout(LAST_ANSWERS_TIMEOUT, async { tokio::join!(on_tcp.all_free(), on_unix.all_free()) }).await;
}

/// Never ends.
async fn serve_tcp(listener: Option<std::net::TcpListener>, desk: &Arc<Desk>, places: &Places) {
    let Some(listener) = listener.and_then(|listener| said(TcpListener::from_std(listener))) else {
        return std::future::pending().await;
    };
    let bound_to_loopback = listener.local_addr().is_ok_and(|address| address.ip().is_loopback());
    loop {
        let place = places.take().await;
        match listener.accept().await {
            Ok((stream, peer)) => {
                let caller = Caller::Tcp { peer_is_loopback: peer.ip().is_loopback(), bound_to_loopback };
                tokio::spawn(connection(stream, caller, desk.clone(), place));
            }
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
}

/// Never ends.
async fn serve_unix(listener: Option<std::os::unix::net::UnixListener>, desk: &Arc<Desk>, places: &Places) {
    let Some(listener) = listener.and_then(|listener| said(UnixListener::from_std(listener))) else {
        return std::future::pending().await;
    };
    loop {
        let place = places.take().await;
        match listener.accept().await {
            Ok((stream, _)) => {
                tokio::spawn(connection(stream, Caller::Unix, desk.clone(), place));
            }
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
}

fn said<T>(result: io::Result<T>) -> Option<T> {
    result.inspect_err(|error| crate::say(&format!("admin: {error}"))).ok()
}

/// Serves one request. Its outcome interests nobody but the caller, who has the answer or not.
async fn connection<S>(stream: S, caller: Caller, desk: Arc<Desk>, _place: Option<OwnedSemaphorePermit>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request: Request<Incoming>| {
        let desk = desk.clone();
        async move { Ok::<_, Infallible>(answered(desk, request.map(Body::new), caller).await) }
    });
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(CONNECTION_TIMEOUT)
        .max_buf_size(HEAD_BYTES_MAX)
        .keep_alive(false);
    let _ = timeout(CONNECTION_TIMEOUT, http.serve_connection(TokioIo::new(stream), service)).await;
}

/// Finds what a request asks for, whether its caller may, and the answer.
async fn answered(desk: Arc<Desk>, request: Request<Body>, caller: Caller) -> Response {
    let found = table::find(request.method(), request.uri().path());
    let access = match &found {
        table::Match::Found(operation, _) => operation.access,
        _ => table::Access::Read,
    };
    if let Some(refusal) = guard::refusal(request.headers(), access, caller, &desk.entrance) {
        return refusal;
    }
    match found {
        table::Match::Found(operation, parts) => table::answered(desk, operation, parts, request).await,
        table::Match::OtherMethods(methods) => {
            let mut refusal = refused(StatusCode::METHOD_NOT_ALLOWED, &format!("this is asked for by {methods}"));
            if let Ok(methods) = HeaderValue::from_str(&methods) {
                refusal.headers_mut().insert(header::ALLOW, methods);
            }
            refusal
        }
        table::Match::Nothing => {
            refused(StatusCode::NOT_FOUND, "there is nothing here; /openapi.json lists what there is")
        }
    }
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
