//! Idle connections to endpoints, and the exchanges that wait for one.
//!
//! A worker keeps its own stack for each endpoint. Workers meet only when one is short: it asks the richest other
//! for an idle connection, and one that frees a connection while others wait may owe it to them.

use crate::clock::ms;
use crate::io::{Detached, Socket};
use crate::mail::Mail;
use crate::worker::{Adopted, Worker};
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, HashSet, VecDeque};
use std::rc::Rc;
use std::sync::Arc;
use strait_plan::{Endpoint, EndpointState, Plan, QueuePriority, Upstream};
use tokio::sync::oneshot;

/// An open connection to an endpoint. Dropping it closes it and makes room for another.
#[derive(Debug)]
pub(crate) struct Connection {
    pub(crate) socket: Socket,
    _right: Right,
}

/// A connection on its way between workers.
#[derive(Debug)]
pub(crate) struct Handed {
    socket: Detached,
    right: Right,
}

/// A worker's right to have one connection open under the endpoint's limit; given back when dropped.
#[derive(Debug)]
pub(crate) struct Right {
    state: Arc<EndpointState>,
    worker: usize,
}

impl Right {
    /// Takes one, when the limit leaves room.
    pub(crate) fn take(state: &Arc<EndpointState>, worker: usize, connections_max: Option<u32>) -> Option<Self> {
        state.try_open(worker, connections_max).then(|| Self { state: state.clone(), worker })
    }

    /// The right, for another worker.
    fn passed_to(mut self, worker: usize) -> Self {
        self.state.moved(self.worker, worker);
        self.worker = worker;
        self
    }
}

impl Drop for Right {
    fn drop(&mut self) {
        self.state.closed(self.worker);
    }
}

impl Connection {
    pub(crate) fn new(socket: Socket, right: Right) -> Self {
        Self { socket, _right: right }
    }
}

/// What a waiting exchange is told.
#[derive(Debug)]
pub(crate) enum Turn {
    /// Here is a connection.
    Connection(Connection),
    /// One was closed: there may be room to open another.
    Room,
}

/// One endpoint's connections on one worker.
#[derive(Debug)]
pub(crate) struct Pool {
    pub(crate) state: Arc<EndpointState>,
    idle: RefCell<Vec<Idle>>,
    /// Those who wait, in the order of their turns.
    waiting: RefCell<VecDeque<Waiting>>,
    kept_max: Cell<usize>,
    kept_ms: Cell<u64>,
    /// Connections that may be open over all workers.
    pub(crate) connections_max: Cell<Option<u32>>,
    /// Whether another worker was asked for a connection and has not answered.
    asked: Cell<bool>,
    /// Connections are being opened beforehand.
    pub(super) warming: Cell<bool>,
}

#[derive(Debug)]
struct Waiting {
    priority: QueuePriority,
    turn: oneshot::Sender<Turn>,
}

#[derive(Debug)]
struct Idle {
    connection: Connection,
    since_ms: u64,
}

impl Pool {
    /// Idle connections of this worker.
    pub(super) fn idle(&self) -> usize {
        self.idle.borrow().len()
    }

    /// Takes the connection that was used last, when it is still open.
    pub(crate) fn take(&self, worker: &Worker) -> Option<Connection> {
        let mut idle = self.idle.borrow_mut();
        let found = std::iter::from_fn(|| idle.pop()).find(|idle| idle.connection.socket.is_quiet());
        self.state.set_idle(worker.id, idle.len());
        found.map(|idle| idle.connection)
    }

    /// Gives a connection back: to whoever waits, here or elsewhere, else to the stack.
    pub(crate) fn give_back(&self, worker: &Worker, connection: Connection) {
        let Some(connection) = self.serve_waiting(worker, connection) else { return };
        let mut idle = self.idle.borrow_mut();
        if idle.len() < self.kept_max.get() && !worker.draining.get() {
            idle.push(Idle { connection, since_ms: worker.clock.now_ms() });
            self.state.set_idle(worker.id, idle.len());
        } else {
            connection.socket.say_end();
        }
    }

    /// Lets the exchange whose turn it is have the connection; returns it when nobody waits.
    fn serve_waiting(&self, worker: &Worker, connection: Connection) -> Option<Connection> {
        let mut connection = connection;
        if self.state.waiting() > 0 {
            if let Some(other) = self.state.needier_than(worker.id) {
                self.hand(worker, other, Some(connection));
                return None;
            }
            while let Some(waiting) = self.waiting.borrow_mut().pop_front() {
                match waiting.turn.send(Turn::Connection(connection)) {
                    Ok(()) => return None,
                    // It gave up waiting.
                    Err(Turn::Connection(back)) => connection = back,
                    Err(Turn::Room) => return None,
                }
            }
        }
        Some(connection)
    }

    /// Tells one waiting exchange, here or elsewhere, that a connection was closed.
    pub(crate) fn make_room(&self, worker: &Worker) {
        if self.state.waiting() == 0 {
            return;
        }
        while let Some(waiting) = self.waiting.borrow_mut().pop_front() {
            if waiting.turn.send(Turn::Room).is_ok() {
                return;
            }
        }
        if let Some(mailbox) = self.state.needier_than(worker.id).and_then(|other| worker.peers.get(other)) {
            let _ = mailbox.send(Mail::Room(self.state.clone()));
        }
    }

    /// Closes a connection that cannot be used again, and lets whoever waits open another.
    pub(crate) fn close(&self, worker: &Worker, connection: Connection) {
        connection.socket.say_end();
        drop(connection);
        self.make_room(worker);
    }

    /// Joins those who wait, behind all of at least this priority.
    pub(crate) fn wait(&self, priority: QueuePriority) -> oneshot::Receiver<Turn> {
        let (turn, receiver) = oneshot::channel();
        let mut waiting = self.waiting.borrow_mut();
        let at = waiting.partition_point(|before| before.priority >= priority);
        waiting.insert(at, Waiting { priority, turn });
        receiver
    }

    /// Asks the worker with the most idle connections, and at least `idle_min`, for one. Whether somebody was asked.
    pub(crate) fn ask_others(&self, worker: &Worker, idle_min: u32) -> bool {
        let mailbox = self.state.richest_other(worker.id, idle_min).and_then(|other| worker.peers.get(other));
        let Some(mailbox) = mailbox else { return false };
        if !self.asked.replace(true) {
            let _ = mailbox.send(Mail::Wanted { endpoint: self.state.clone(), by: worker.id });
        }
        true
    }

    /// Sends a connection, or the word that there is none, to another worker.
    fn hand(&self, worker: &Worker, to: usize, connection: Option<Connection>) {
        let handed = connection.and_then(|connection| {
            let Connection { socket, _right: right } = connection;
            socket.detach().ok().map(|socket| Handed { socket, right: right.passed_to(to) })
        });
        if let Some(mailbox) = worker.peers.get(to) {
            let _ = mailbox.send(Mail::Connection { endpoint: self.state.clone(), connection: handed });
        }
    }

    /// Closes what has been idle for too long, or was closed by the endpoint.
    fn sweep(&self, worker: &Worker, now_ms: u64) {
        let mut idle = self.idle.borrow_mut();
        let before = idle.len();
        idle.retain(|idle| {
            let stays = now_ms - idle.since_ms < self.kept_ms.get() && idle.connection.socket.is_quiet();
            if !stays {
                idle.connection.socket.say_end();
            }
            stays
        });
        if idle.len() != before {
            self.state.set_idle(worker.id, idle.len());
        }
        if idle.is_empty() {
            *idle = Vec::new();
        }
    }

    fn close_idle(&self, worker: &Worker) {
        for idle in self.idle.borrow_mut().drain(..) {
            idle.connection.socket.say_end();
        }
        self.state.set_idle(worker.id, 0);
    }
}

/// All pools of a worker, by endpoint. They outlive plans, as endpoints do.
#[derive(Debug, Default)]
pub(crate) struct Pools(RefCell<HashMap<*const EndpointState, Rc<Pool>>>);

impl Pools {
    /// The pool of an endpoint, made when there is none, with the upstream's settings.
    pub(crate) fn of(&self, upstream: &Upstream, endpoint: &Endpoint) -> Rc<Pool> {
        let mut pools = self.0.borrow_mut();
        let pool = pools.entry(Arc::as_ptr(&endpoint.state)).or_insert_with(|| {
            Rc::new(Pool {
                state: endpoint.state.clone(),
                idle: RefCell::default(),
                waiting: RefCell::default(),
                kept_max: Cell::new(0),
                kept_ms: Cell::new(0),
                connections_max: Cell::new(None),
                asked: Cell::new(false),
                warming: Cell::new(false),
            })
        });
        pool.kept_max.set(upstream.keep_alive_max);
        pool.kept_ms.set(ms(upstream.keep_alive_timeout));
        pool.connections_max.set(endpoint.connections_max);
        pool.clone()
    }

    /// Closes the idle connections to endpoints of the old plan that are not in the new one. Exchanges of the old plan
    /// may still wait in their pools and must be found there: a pool is forgotten with the last of them.
    pub(crate) fn keep_only(&self, worker: &Worker, plan: &Plan, old: &Adopted) {
        let of_plan = |plan: &Plan| plan.upstreams.iter().map(Arc::as_ptr).collect::<HashSet<_>>();
        let (kept, were) = (of_plan(plan), of_plan(&old.plan));
        // Upstreams that are the very same as before need no look.
        let new = plan.upstreams.iter().filter(|upstream| !were.contains(&Arc::as_ptr(upstream)));
        let known: HashSet<_> =
            new.flat_map(|new| &new.endpoints).map(|endpoint| Arc::as_ptr(&endpoint.state)).collect();
        let gone = old.plan.upstreams.iter().zip(&old.upstreams).filter(|(old, _)| !kept.contains(&Arc::as_ptr(old)));
        for pool in gone.flat_map(|(_, slot)| &slot.pools) {
            if !known.contains(&Arc::as_ptr(&pool.state)) {
                pool.kept_max.set(0);
                pool.close_idle(worker);
            }
        }
        self.forget_unused();
    }

    /// Forgets the pools that neither the current plan nor an exchange uses.
    fn forget_unused(&self) {
        self.0.borrow_mut().retain(|_, pool| Rc::strong_count(pool) > 1);
    }

    /// Upkeep of the pools in use, in the order of the plan.
    pub(crate) fn sweep(&self, worker: &Worker, now_ms: u64) {
        for pool in worker.adopted().upstreams.iter().flat_map(|slot| &slot.pools) {
            match worker.draining.get() {
                true => pool.close_idle(worker),
                false => pool.sweep(worker, now_ms),
            }
        }
        self.forget_unused();
    }

    /// Answers a worker that asks for an idle connection.
    pub(crate) fn give(&self, worker: &Worker, endpoint: &Arc<EndpointState>, to: usize) {
        match self.find(endpoint) {
            Some(pool) => pool.hand(worker, to, pool.take(worker)),
            None => {
                if let Some(mailbox) = worker.peers.get(to) {
                    let _ = mailbox.send(Mail::Connection { endpoint: endpoint.clone(), connection: None });
                }
            }
        }
    }

    /// Takes in what another worker sent.
    pub(crate) fn receive(&self, worker: &Worker, endpoint: &Arc<EndpointState>, connection: Option<Handed>) {
        let Some(pool) = self.find(endpoint) else { return };
        pool.asked.set(false);
        match connection
            .and_then(|handed| Some(Connection::new(handed.socket.attach(&worker.buffers).ok()?, handed.right)))
        {
            Some(connection) => {
                worker.meter.upstream_moved.add(1);
                pool.give_back(worker, connection);
            }
            // Nothing came: whoever waits may look again.
            None => pool.make_room(worker),
        }
    }

    /// Another worker closed a connection.
    pub(crate) fn room(&self, worker: &Worker, endpoint: &Arc<EndpointState>) {
        if let Some(pool) = self.find(endpoint) {
            pool.make_room(worker);
        }
    }

    fn find(&self, endpoint: &Arc<EndpointState>) -> Option<Rc<Pool>> {
        self.0.borrow().get(&Arc::as_ptr(endpoint)).cloned()
    }
}
