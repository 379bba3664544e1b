//! One worker: a thread, a runtime, and everything an exchange needs without leaving the core.

use crate::accept::{self, Bound, Gate};
use crate::alarm::{TURN_MS, Wheel};
use crate::buffer::BufferPool;
use crate::clock::Clock;
use crate::downstream::h1::DRAIN_IDLE_MS;
use crate::h2;
use crate::io::Pipes;
use crate::lobby::{self, Bells, Lobby};
use crate::log::Log;
use crate::mail::{Mail, Mailbox};
use crate::request_id::IdSource;
use crate::room::Rooms;
use crate::sight::SightLog;
use crate::upstream::{Pool, Pools};
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;
use strait_plan::{Listener, Plan, Upstream};
use strait_record::WorkerMeter;
use strait_traffic::{Random, RetryLedger, Roster};
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

/// Turns of the wheel between two rounds of upkeep: about a second.
const UPKEEP_TURNS: u64 = 1_000 / TURN_MS;

/// A worker's state. It never leaves its thread.
pub(crate) struct Worker {
    pub(crate) id: usize,
    pub(crate) meter: Arc<WorkerMeter>,
    pub(crate) clock: Clock,
    pub(crate) wheel: Rc<Wheel>,
    pub(crate) buffers: Rc<BufferPool>,
    pub(crate) pipes: Pipes,
    pub(crate) lobby: Lobby,
    pub(crate) rooms: Rooms,
    pub(crate) h2: h2::Shared,
    bells: Cell<Option<Bells>>,
    pub(crate) pools: Pools,
    pub(crate) log: Log,
    pub(crate) sights: SightLog,
    pub(crate) ids: RefCell<IdSource>,
    /// Chance, for pickers.
    pub(crate) random: RefCell<Random>,
    date: DateField,
    pub(crate) peers: Vec<Mailbox>,
    pub(crate) draining: Cell<bool>,
    adopted: RefCell<Rc<Adopted>>,
    gates: RefCell<HashMap<Arc<str>, Gate>>,
    ledgers: RefCell<HashMap<Arc<str>, Rc<RefCell<RetryLedger>>>>,
    /// Has the allocator return what it holds free.
    give_back: fn(),
    /// Memory was freed at the last upkeep.
    shrunk: Cell<bool>,
    stopped: Notify,
}

/// A plan with this worker's own state beside it. An exchange keeps the one it began with.
pub(crate) struct Adopted {
    pub(crate) plan: Arc<Plan>,
    /// For each upstream of the plan, what this worker keeps about it.
    pub(crate) upstreams: Vec<Rc<UpstreamSlot>>,
    /// Draws for weighted splits.
    pub(crate) draws: Cell<u64>,
}

/// What a worker keeps about an upstream.
pub(crate) struct UpstreamSlot {
    /// Who may be chosen, and whose turn it is.
    pub(crate) roster: RefCell<Roster>,
    /// The pools of its endpoints, in the plan's order.
    pub(crate) pools: Vec<Rc<Pool>>,
    /// What its budget for retries is reckoned by.
    pub(crate) ledger: Rc<RefCell<RetryLedger>>,
}

/// What a worker is started with.
pub(crate) struct Birth {
    pub(crate) id: usize,
    pub(crate) meter: Arc<WorkerMeter>,
    pub(crate) log: Log,
    pub(crate) sights: SightLog,
    pub(crate) ids: IdSource,
    pub(crate) peers: Vec<Mailbox>,
    /// Where the clocks of all workers begin.
    pub(crate) started: Instant,
    /// What this worker's chance comes from.
    pub(crate) seed: u64,
    /// Has the allocator return what this thread holds free.
    pub(crate) give_back: fn(),
}

impl Worker {
    pub(crate) fn new(birth: Birth) -> Rc<Self> {
        let (lobby, bells) = Lobby::new();
        Rc::new(Self {
            id: birth.id,
            meter: birth.meter,
            clock: Clock::since(birth.started),
            random: RefCell::new(Random::seeded(birth.seed)),
            wheel: Wheel::new(),
            buffers: Rc::default(),
            pipes: Pipes::default(),
            lobby,
            rooms: Rooms::default(),
            h2: h2::Shared::default(),
            bells: Cell::new(Some(bells)),
            pools: Pools::default(),
            log: birth.log,
            sights: birth.sights,
            ids: RefCell::new(birth.ids),
            date: DateField::default(),
            peers: birth.peers,
            draining: Cell::new(false),
            adopted: RefCell::new(Rc::new(Adopted {
                plan: Arc::default(),
                upstreams: Vec::new(),
                draws: Cell::new(0),
            })),
            gates: RefCell::default(),
            ledgers: RefCell::default(),
            give_back: birth.give_back,
            shrunk: Cell::new(false),
            stopped: Notify::new(),
        })
    }

    /// Runs until told to stop, or until a drain is complete.
    pub(crate) async fn run(self: Rc<Self>, mail: mpsc::UnboundedReceiver<Mail>) {
        let ticking = tokio::task::spawn_local(self.clone().tick());
        let reading = tokio::task::spawn_local(self.clone().read_mail(mail));
        let ushering = self.bells.take().map(|bells| tokio::task::spawn_local(lobby::usher(self.clone(), bells)));
        self.stopped.notified().await;
        ticking.abort();
        reading.abort();
        ushering.inspect(tokio::task::JoinHandle::abort);
        // They know the worker, which would outlive itself.
        self.lobby.clear();
    }

    /// Hands on the records written since the last turn.
    pub(crate) fn flush_log(&self) {
        self.log.flush(&self.meter);
        self.sights.flush(&self.meter);
    }

    /// The plan that an exchange beginning now runs under.
    pub(crate) fn adopted(&self) -> Rc<Adopted> {
        self.adopted.borrow().clone()
    }

    /// Appends the Date field of this second.
    pub(crate) fn append_date(&self, out: &mut Vec<u8>) {
        self.date.append(self.clock.wall_us(self.clock.now_us()), out);
    }

    /// Turns the wheel, hands on records, and once a second sees to what has been idle for long.
    async fn tick(self: Rc<Self>) {
        let mut turns = tokio::time::interval(Duration::from_millis(TURN_MS));
        turns.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
        let mut last_ms = self.clock.now_ms();
        for count in 1u64.. {
            turns.tick().await;
            self.clock.begin_turn();
            let now_ms = self.clock.now_ms();
            self.meter.lag_ms.add((now_ms - last_ms).saturating_sub(2 * TURN_MS));
            last_ms = now_ms;
            self.wheel.turn_to(now_ms);
            self.lobby.look(now_ms);
            self.flush_log();
            if count % UPKEEP_TURNS == 0 {
                self.upkeep(now_ms);
                crate::upstream::top_up(&self, now_ms);
            }
            if self.draining.get() && self.meter.connections_open.read() == 0 {
                self.stopped.notify_one();
            }
        }
    }

    fn upkeep(&self, now_ms: u64) {
        self.clock.follow_wall();
        self.pools.sweep(self, now_ms);
        self.buffers.trim();
        self.pipes.trim();
        // A room ends by itself, after this turn: what it held is free at the next upkeep.
        let shrinks = self.rooms.trim() | self.lobby.trim();
        if self.shrunk.replace(shrinks) {
            (self.give_back)();
        }
        self.h2.upkeep(now_ms);
    }

    async fn read_mail(self: Rc<Self>, mut mail: mpsc::UnboundedReceiver<Mail>) {
        while let Some(mail) = mail.recv().await {
            self.clock.begin_turn();
            match mail {
                Mail::Plan(plan, bound) => self.adopt(plan, bound),
                Mail::Wanted { endpoint, by } => self.pools.give(&self, &endpoint, by),
                Mail::Connection { endpoint, connection } => self.pools.receive(&self, &endpoint, connection),
                Mail::Room(endpoint) => self.pools.room(&self, &endpoint),
                Mail::Answer(answered) => {
                    answered.fetch_add(1, std::sync::atomic::Ordering::AcqRel);
                }
                Mail::Drain => self.drain(),
                Mail::Stop => self.stopped.notify_one(),
            }
        }
    }

    /// Takes a plan for all exchanges that begin from now on, and opens and closes listeners by it.
    fn adopt(self: &Rc<Self>, plan: Arc<Plan>, bound: Vec<Bound>) {
        let before = self.adopted();
        let upstreams = plan.upstreams.iter().enumerate().map(|(at, upstream)| self.slot(at, upstream, &before));
        let upstreams = upstreams.collect();
        let draws = Cell::new(self.adopted().draws.get());
        let mut gates = self.gates.borrow_mut();
        gates.retain(|name, _| plan.listeners.iter().any(|listener| listener.name == *name));
        let old = self.adopted.replace(Rc::new(Adopted { plan: plan.clone(), upstreams, draws }));
        self.pools.keep_only(self, &plan, &old);
        drop(old);
        for link in self.h2.links() {
            if !plan.listeners.iter().any(|listener| listener.name == *link.listener()) {
                link.drain();
            }
        }
        self.ledgers.borrow_mut().retain(|_, ledger| Rc::strong_count(ledger) > 1);
        for bound in bound {
            if !self.draining.get() {
                gates.insert(bound.name.clone(), accept::open(self, bound));
            }
        }
    }

    /// What is kept about the upstream at this place of a plan: all of it when the upstream is the very same as before; its
    /// turns and its connections when it is another of the same name.
    fn slot(&self, at: usize, upstream: &Arc<Upstream>, before: &Adopted) -> Rc<UpstreamSlot> {
        let old = before.plan.upstreams.get(at).zip(before.upstreams.get(at));
        if let Some((_, slot)) = old.filter(|(old, _)| Arc::ptr_eq(old, upstream)) {
            return slot.clone();
        }
        let of_name = old.filter(|(old, _)| old.name == upstream.name);
        let roster = of_name.map(|(_, slot)| slot.roster.borrow().renewed());
        Rc::new(UpstreamSlot {
            roster: RefCell::new(roster.unwrap_or_else(|| Roster::new(self.id, self.peers.len()))),
            pools: upstream.endpoints.iter().map(|endpoint| self.pools.of(upstream, endpoint)).collect(),
            ledger: self.ledger(&upstream.name),
        })
    }

    /// The ledger of an upstream's retries: the one of before, or a new one. An upstream with timeouts of a route's own
    /// shares it.
    fn ledger(&self, upstream: &Arc<str>) -> Rc<RefCell<RetryLedger>> {
        self.ledgers.borrow_mut().entry(upstream.clone()).or_default().clone()
    }

    fn drain(&self) {
        self.draining.set(true);
        self.gates.borrow_mut().clear();
        self.lobby.hurry(self.clock.now_ms() + DRAIN_IDLE_MS);
        self.h2.links().iter().for_each(|link| link.drain());
        if self.meter.connections_open.read() == 0 {
            self.stopped.notify_one();
        }
    }
}

impl Adopted {
    /// The next draw for a weighted split.
    pub(crate) fn draw(&self) -> u64 {
        let draw = self.draws.get();
        self.draws.set(draw.wrapping_add(1));
        draw
    }

    /// The listener with this name.
    pub(crate) fn listener(&self, name: &str) -> Option<&Listener> {
        self.plan.listeners.iter().find(|listener| *listener.name == *name)
    }
}

/// The Date field line, made once a second.
#[derive(Debug, Default)]
pub(crate) struct DateField {
    second: Cell<u64>,
    line: RefCell<String>,
}

impl DateField {
    /// Appends `Date: …` with its CRLF (RFC 9110 §6.6.1).
    pub(crate) fn append(&self, wall_us: u64, out: &mut Vec<u8>) {
        let second = wall_us / 1_000_000;
        let mut line = self.line.borrow_mut();
        if self.second.replace(second) != second {
            let time = std::time::UNIX_EPOCH + Duration::from_secs(second);
            *line = format!("Date: {}\r\n", httpdate::fmt_http_date(time));
        }
        out.extend_from_slice(line.as_bytes());
    }
}
