//! Who is connected to whom, and what the network does to them.
#![allow(clippy::disallowed_types, reason = "connections move between workers, which in simulation share a thread")]

use super::link::{SimStream, link};
use super::random::Random;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;
use tokio::time::Instant;

thread_local! {
    static CURRENT: RefCell<Option<Network>> = const { RefCell::new(None) };
}

/// The network of this thread's simulation; `None` outside one.
pub fn current() -> Option<Network> {
    CURRENT.with_borrow(Clone::clone)
}

/// What the network does to the connections to an address. Chances are per mille.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// Octets that may be on their way in one direction.
    pub capacity: usize,
    /// The longest an octet takes, in milliseconds.
    pub latency_ms_max: u64,
    /// How often a transfer moves less than it could.
    pub split: u32,
    /// How often a transfer is held up.
    pub stall: u32,
    /// For how long at most, in milliseconds.
    pub stall_ms_max: u64,
    /// How often a connection is cut after a number of octets.
    pub cut: u32,
    /// How often a connection is refused.
    pub refuse: u32,
    /// How often opening a connection gets no answer.
    pub silence: u32,
}

impl Weather {
    /// Everything arrives whole and at once.
    pub const CALM: Self = Self {
        capacity: 64 * 1024,
        latency_ms_max: 0,
        split: 0,
        stall: 0,
        stall_ms_max: 0,
        cut: 0,
        refuse: 0,
        silence: 0,
    };
}

/// A network in memory.
#[derive(Clone, Debug)]
pub struct Network(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    random: Random,
    places: Vec<Place>,
    links: u64,
    trace: Trace,
}

/// What the network knows about an address.
#[derive(Debug)]
struct Place {
    address: SocketAddr,
    weather: Weather,
    listeners: Vec<Arc<Mutex<Queue>>>,
    open: u32,
    open_max: u32,
}

/// A digest of all that happened, and on request the events themselves on standard error.
#[derive(Debug)]
struct Trace {
    started: Instant,
    digest: u64,
    printed: bool,
}

impl Network {
    /// A network where nobody listens yet. `printed` writes what happens to standard error.
    pub fn new(seed: u64, printed: bool) -> Self {
        let trace = Trace { started: Instant::now(), digest: 0xcbf2_9ce4_8422_2325, printed };
        Self(Arc::new(Mutex::new(State { random: Random::new(seed), places: Vec::new(), links: 0, trace })))
    }

    /// Makes it the network of this thread until the guard is dropped.
    pub fn enter(&self) -> Entered {
        CURRENT.set(Some(self.clone()));
        Entered(())
    }

    /// Sets what happens to connections to an address that are opened from now on.
    pub fn set_weather(&self, address: SocketAddr, weather: Weather) {
        self.lock().place(address).weather = weather;
    }

    /// Listens at an address. Several may: each connection goes to one of them.
    pub fn listen(&self, address: SocketAddr) -> SimListener {
        let queue = Arc::new(Mutex::new(Queue { waiting: VecDeque::new(), waker: None }));
        self.lock().place(address).listeners.push(queue.clone());
        SimListener { queue, address, network: self.clone() }
    }

    /// Opens a connection from nowhere in particular.
    ///
    /// # Errors
    /// `ConnectionRefused`.
    pub async fn connect(&self, to: SocketAddr) -> io::Result<SimStream> {
        self.connect_from(SocketAddr::from((Ipv4Addr::new(10, 0, 0, 1), 1)), to).await
    }

    /// Opens a connection. May never return, where the network is silent.
    ///
    /// # Errors
    /// `ConnectionRefused`.
    pub async fn connect_from(&self, from: SocketAddr, to: SocketAddr) -> io::Result<SimStream> {
        let opening = Opened::new(self, to);
        let (number, weather, mut random) = self.lock().begin_link(to);
        self.note(number, "connect", 0);
        if random.chance(weather.silence) {
            self.note(number, "silence", 0);
            return std::future::pending().await;
        }
        tokio::time::sleep(Duration::from_millis(random.between(0, weather.latency_ms_max))).await;
        let listener = self.lock().listener(to).filter(|_| !random.chance(weather.refuse));
        let Some(listener) = listener else {
            self.note(number, "refuse", 0);
            return Err(io::ErrorKind::ConnectionRefused.into());
        };
        let (near, far) = link(number, weather, random, opening);
        let mut queue = lock(&listener);
        queue.waiting.push_back((far, from));
        if let Some(waker) = queue.waker.take() {
            waker.wake();
        }
        Ok(near)
    }

    /// The most connections that were open to an address at once, those being opened included.
    pub fn open_max(&self, address: SocketAddr) -> u32 {
        self.lock().place(address).open_max
    }

    /// Connections open to an address now.
    pub fn open(&self, address: SocketAddr) -> u32 {
        self.lock().place(address).open
    }

    /// A number that is the same for two runs in which the same happened.
    pub fn digest(&self) -> u64 {
        self.lock().trace.digest
    }

    /// Adds an event to the trace.
    pub fn note(&self, link: u64, event: &str, octets: usize) {
        self.lock().trace.note(link, event, octets);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        lock(&self.0)
    }
}

impl State {
    fn place(&mut self, address: SocketAddr) -> &mut Place {
        let at = self.places.iter().position(|place| place.address == address).unwrap_or_else(|| {
            self.places.push(Place { address, weather: Weather::CALM, listeners: Vec::new(), open: 0, open_max: 0 });
            self.places.len() - 1
        });
        #[allow(clippy::indexing_slicing, reason = "found or made above")]
        &mut self.places[at]
    }

    fn begin_link(&mut self, to: SocketAddr) -> (u64, Weather, Random) {
        self.links += 1;
        let random = self.random.fork();
        (self.links, self.place(to).weather, random)
    }

    fn listener(&mut self, address: SocketAddr) -> Option<Arc<Mutex<Queue>>> {
        let draw = self.random.next() as usize;
        let listeners = &self.place(address).listeners;
        listeners.get(draw % listeners.len().max(1)).cloned()
    }
}

impl Trace {
    fn note(&mut self, link: u64, event: &str, octets: usize) {
        let at_ms = self.started.elapsed().as_millis() as u64;
        if self.printed {
            eprintln!("{at_ms:>7} ms  link {link:<4} {event} {octets}");
        }
        let numbers = [at_ms, link, octets as u64].into_iter().flat_map(u64::to_le_bytes);
        for octet in numbers.chain(event.bytes()) {
            self.digest = (self.digest ^ u64::from(octet)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

/// Counts a connection to an address as open until dropped.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) network: Network,
    to: SocketAddr,
}

impl Opened {
    fn new(network: &Network, to: SocketAddr) -> Self {
        let mut state = network.lock();
        let place = state.place(to);
        place.open += 1;
        place.open_max = place.open_max.max(place.open);
        drop(state);
        Self { network: network.clone(), to }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        self.network.lock().place(self.to).open -= 1;
    }
}

/// Keeps a network the current one of its thread.
#[derive(Debug)]
pub struct Entered(());

impl Drop for Entered {
    fn drop(&mut self) {
        CURRENT.set(None);
    }
}

/// One of those who accept connections to an address.
#[derive(Debug)]
pub struct SimListener {
    queue: Arc<Mutex<Queue>>,
    address: SocketAddr,
    network: Network,
}

#[derive(Debug)]
struct Queue {
    waiting: VecDeque<(SimStream, SocketAddr)>,
    waker: Option<Waker>,
}

impl SimListener {
    /// The next connection, and where it comes from.
    ///
    /// # Errors
    /// None so far: the network never runs out of descriptors.
    pub async fn accept(&self) -> io::Result<(SimStream, SocketAddr)> {
        poll_fn(|cx| {
            let mut queue = lock(&self.queue);
            match queue.waiting.pop_front() {
                Some(accepted) => Poll::Ready(Ok(accepted)),
                None => {
                    queue.waker = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }
}

impl Drop for SimListener {
    fn drop(&mut self) {
        let mut state = self.network.lock();
        state.place(self.address).listeners.retain(|queue| !Arc::ptr_eq(queue, &self.queue));
        drop(state);
        // Who was not accepted is reset, as by the kernel.
        let left = std::mem::take(&mut lock(&self.queue).waiting);
        left.iter().for_each(|(stream, _)| stream.reset_on_close());
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
