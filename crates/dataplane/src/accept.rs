//! Listeners: bound once for all workers, accepted from by each.

use crate::clients::{Clients, Counted};
use crate::inherited::Inherited;
use crate::io::{Socket, UNSENT_MAX};
#[cfg(feature = "sim")]
use crate::sim;
use crate::tls::{self, Arrival};
use crate::worker::Worker;
use crate::{downstream, finish};
use socket2::{Domain, Protocol, SockAddr, Type};
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use strait_message::{Fault, Kind, Phase};
use strait_plan::{ListenAddress, Listener};
use tokio::task::{JoinHandle, spawn_local};

/// Connections the kernel may hold until they are accepted.
const BACKLOG: i32 = 4096;
/// The pause after an accept failed for want of descriptors or memory.
const PAUSE: Duration = Duration::from_millis(50);

/// A listener's socket, on its way to a worker.
pub(crate) struct Bound {
    pub(crate) name: Arc<str>,
    pub(crate) open: Arc<AtomicU32>,
    pub(crate) clients: Arc<Clients>,
    pub(crate) socket: BoundSocket,
}

pub(crate) enum BoundSocket {
    Tcp(std::net::TcpListener),
    Unix(std::os::unix::net::UnixListener),
    #[cfg(feature = "sim")]
    Sim(sim::SimListener),
}

/// An open listener of one worker; dropping it stops accepting.
pub(crate) struct Gate(JoinHandle<()>);

impl Drop for Gate {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Binds an address once a worker, or takes the socket that was inherited for it. Returns the sockets and the address they are bound to.
///
/// # Errors
/// What the system says; above all, that another process holds the address.
pub(crate) fn bind(listener: &Listener, workers: usize, inherited: &Inherited) -> io::Result<(Vec<Bound>, SocketAddr)> {
    let (open, clients) = (Arc::new(AtomicU32::new(0)), Clients::new());
    let bound = |socket| Bound { name: listener.name.clone(), open: open.clone(), clients: clients.clone(), socket };
    match &listener.address {
        #[cfg(feature = "sim")]
        ListenAddress::Tcp(address) if sim::current().is_some() => {
            let network = sim::current().ok_or(io::ErrorKind::NotFound)?;
            let sockets = (0..workers).map(|_| bound(BoundSocket::Sim(network.listen(*address)))).collect();
            Ok((sockets, *address))
        }
        ListenAddress::Tcp(address) => {
            let (sockets, address) = match inherited.tcp(*address, workers) {
                Some(sockets) => (sockets?, *address),
                None => bind_tcp(*address, workers)?,
            };
            Ok((sockets.into_iter().map(|socket| bound(BoundSocket::Tcp(socket))).collect(), address))
        }
        ListenAddress::Unix(path) => {
            let first = inherited.unix(path).unwrap_or_else(|| bind_unix(path))?;
            let sockets: io::Result<Vec<_>> = (0..workers).map(|_| first.try_clone()).collect();
            let sockets = sockets?.into_iter().map(|socket| bound(BoundSocket::Unix(socket))).collect();
            Ok((sockets, SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0))))
        }
    }
}

/// Binds one socket a worker, each with its own queue. SO_REUSEPORT alone would also share the port with a stranger
/// of the same user without a word, so the port is first bound without it.
fn bind_tcp(address: SocketAddr, workers: usize) -> io::Result<(Vec<std::net::TcpListener>, SocketAddr)> {
    let probe = tcp_socket(address, false)?;
    let address = probe.local_addr()?.as_socket().unwrap_or(address);
    drop(probe);
    let sockets: io::Result<Vec<_>> = (0..workers)
        .map(|_| {
            let socket = tcp_socket(address, true)?;
            socket.listen(BACKLOG)?;
            Ok(socket.into())
        })
        .collect();
    Ok((sockets?, address))
}

fn tcp_socket(address: SocketAddr, reuse_port: bool) -> io::Result<socket2::Socket> {
    let socket = socket2::Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(reuse_port)?;
    socket.set_nonblocking(true)?;
    // Accepted sockets inherit it, which saves a system call each.
    socket.set_tcp_nodelay(true)?;
    socket.set_tcp_notsent_lowat(UNSENT_MAX as u32)?;
    // `[::]` means every address, of IPv4 too.
    if address.is_ipv6() {
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    socket.bind(&SockAddr::from(address))?;
    Ok(socket)
}

/// Binds a Unix socket; a file left behind by a process that is gone is replaced.
fn bind_unix(path: &std::path::Path) -> io::Result<std::os::unix::net::UnixListener> {
    use std::os::unix::net::{UnixListener, UnixStream};
    let listener = match UnixListener::bind(path) {
        Err(error) if error.kind() == io::ErrorKind::AddrInUse && UnixStream::connect(path).is_err() => {
            std::fs::remove_file(path)?;
            UnixListener::bind(path)?
        }
        outcome => outcome?,
    };
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Begins to accept on this worker.
pub(crate) fn open(worker: &Rc<Worker>, bound: Bound) -> Gate {
    Gate(spawn_local(accept_loop(worker.clone(), bound)))
}

async fn accept_loop(worker: Rc<Worker>, bound: Bound) {
    let Bound { name, open, clients, socket } = bound;
    let Ok(listener) = Acceptor::new(socket) else { return };
    let places = Rc::new(Places { worker, name, open, clients });
    loop {
        let accepted = listener.accept().await;
        places.worker.clock.begin_turn();
        match accepted {
            Ok((socket, peer)) => begin(&places, socket, peer),
            // The connection was gone before it was accepted.
            Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}

/// A listener on one worker, and what its connections are counted by, over all workers.
struct Places {
    worker: Rc<Worker>,
    name: Arc<str>,
    open: Arc<AtomicU32>,
    clients: Arc<Clients>,
}

fn begin(places: &Rc<Places>, socket: Socket, peer: SocketAddr) {
    let worker = &places.worker;
    worker.meter.connections_accepted.add(1);
    let adopted = worker.adopted();
    let Some(listener) = adopted.listener(&places.name) else { return };
    match places.admit(listener, peer, !socket.is_local()) {
        Ok(admitted) => match &listener.tls {
            None => downstream::h1::welcome(socket, peer, admitted),
            Some(tls) => {
                spawn_local(tls::serve(tls.clone(), Arrival { socket, peer, admitted }));
            }
        },
        Err(fault) => {
            worker.meter.connections_refused.add(1);
            socket.reset_on_close();
            finish::refused(worker, &adopted, listener, peer, fault);
        }
    }
}

impl Places {
    /// A place for a connection, unless a limit is reached.
    fn admit(self: &Rc<Self>, listener: &Listener, peer: SocketAddr, has_address: bool) -> Result<Admitted, Fault> {
        let over = Fault::operator(Phase::RequestHead, Kind::OverLimit);
        // A trusted proxy stands for many clients.
        let max = listener.limits.connections_per_client_max;
        let max = max.filter(|_| has_address && !listener.trusted_proxies.contains(peer.ip()));
        let counted = max.map(|max| self.clients.count(peer.ip(), max).ok_or(max)).transpose();
        let counted = counted.map_err(|_| {
            self.worker.meter.connections_refused_per_client.add(1);
            over.because("the listener's connections of one client")
        })?;
        if self.open.fetch_add(1, Ordering::AcqRel) >= listener.limits.connections_max {
            self.open.fetch_sub(1, Ordering::AcqRel);
            return Err(over.because("the listener's connections"));
        }
        self.worker.meter.connections_open.up();
        Ok(Admitted { places: self.clone(), _counted: counted.map(Box::new) })
    }
}

/// A connection's place under its listener's limit, given back when dropped, by a panic too.
pub(crate) struct Admitted {
    places: Rc<Places>,
    /// Boxed: most listeners have no such limit.
    _counted: Option<Box<Counted>>,
}

impl Admitted {
    /// The worker that admitted it.
    pub(crate) fn worker(&self) -> &Rc<Worker> {
        &self.places.worker
    }

    /// The name of the listener it came through.
    pub(crate) fn listener(&self) -> &Arc<str> {
        &self.places.name
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        let Places { worker, open, .. } = &*self.places;
        open.fetch_sub(1, Ordering::AcqRel);
        worker.meter.connections_open.down();
        if std::thread::panicking() {
            worker.meter.panics.add(1);
        }
    }
}

enum Acceptor {
    Tcp(tokio::net::TcpListener),
    Unix(tokio::net::UnixListener),
    #[cfg(feature = "sim")]
    Sim(sim::SimListener),
}

impl Acceptor {
    fn new(socket: BoundSocket) -> io::Result<Self> {
        Ok(match socket {
            BoundSocket::Tcp(listener) => Self::Tcp(tokio::net::TcpListener::from_std(listener)?),
            BoundSocket::Unix(listener) => Self::Unix(tokio::net::UnixListener::from_std(listener)?),
            #[cfg(feature = "sim")]
            BoundSocket::Sim(listener) => Self::Sim(listener),
        })
    }

    async fn accept(&self) -> io::Result<(Socket, SocketAddr)> {
        match self {
            Self::Tcp(listener) => {
                let (stream, peer) = listener.accept().await?;
                Ok((Socket::Tcp(stream), peer))
            }
            Self::Unix(listener) => {
                let (stream, _) = listener.accept().await?;
                Ok((Socket::Unix(stream), SocketAddr::from((Ipv4Addr::LOCALHOST, 0))))
            }
            #[cfg(feature = "sim")]
            Self::Sim(listener) => listener.accept().await.map(|(stream, peer)| (Socket::Sim(stream), peer)),
        }
    }
}
