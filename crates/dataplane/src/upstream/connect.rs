//! Getting a connection to an endpoint: an idle one, another worker's, a new one, or a place in the queue.

use super::pool::{Connection, Pool, Right, Turn};
use crate::alarm::Alarm;
use crate::clock::ms;
use crate::deadline::Until;
use crate::worker::Worker;
use crate::{fault, io, tls};
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;
use strait_message::{Fault, Kind, Phase};
use strait_plan::{EndpointState, QueuePriority, Upstream};
use tokio::sync::oneshot;

/// How long an idle connection of another worker is waited for before a new one is opened.
const MOVE_MS_MAX: u64 = 50;

/// A connection, and how it was come by.
pub(crate) struct Acquired {
    pub(crate) connection: Connection,
    /// Whether it was open already.
    pub(crate) reused: bool,
}

/// How long, and by which alarm, an exchange waits for a connection.
#[derive(Clone, Copy)]
pub(crate) struct Patience<'a> {
    pub(crate) until: Until,
    pub(crate) alarm: &'a Alarm,
    /// Set once a connection has to be waited for under a limit.
    pub(crate) queued: &'a Cell<bool>,
    /// Its place among those who wait.
    pub(crate) priority: QueuePriority,
}

/// Gets a connection to the pool's endpoint.
///
/// # Errors
/// Faults of the phases `Queue` and `Connect`; nothing was sent.
pub(crate) async fn acquire(
    worker: &Rc<Worker>,
    upstream: &Upstream,
    pool: &Pool,
    patience: Patience<'_>,
) -> Result<Acquired, Fault> {
    if let Some(connection) = pool.take(worker) {
        worker.meter.upstream_reused.add(1);
        return Ok(Acquired { connection, reused: true });
    }
    match obtain(worker, upstream, pool, patience).await? {
        Obtained::Connection(connection) => {
            worker.meter.upstream_reused.add(1);
            Ok(Acquired { connection, reused: true })
        }
        Obtained::Right(right) => {
            let connection = open(worker, upstream, pool, right, patience).await?;
            Ok(Acquired { connection, reused: false })
        }
    }
}

enum Obtained {
    Connection(Connection),
    Right(Right),
}

/// Gets a connection from elsewhere, or the right to open one, waiting for it where a limit asks for that.
async fn obtain(worker: &Worker, upstream: &Upstream, pool: &Pool, patience: Patience<'_>) -> Result<Obtained, Fault> {
    let Patience { until, alarm, queued, priority } = patience;
    let began_ms = worker.clock.now_ms();
    // One idle connection is left where it is: it would soon be asked back.
    let mut asked = pool.ask_others(worker, 2);
    if !asked && let Some(right) = Right::take(&pool.state, worker.id, pool.connections_max.get()) {
        return Ok(Obtained::Right(right));
    }
    let Some(_place) = Place::take(&pool.state, worker.id, upstream.queue_max) else {
        // What another worker was asked for cannot be waited for; what the limit on connections leaves can be opened.
        let right = Right::take(&pool.state, worker.id, pool.connections_max.get()).map(Obtained::Right);
        return right.ok_or(Fault::upstream(Phase::Queue, Kind::QueueFull));
    };
    loop {
        let turn = pool.wait(priority);
        // What was freed between the look and the wait would be missed.
        if let Some(connection) = pool.take(worker) {
            return Ok(Obtained::Connection(connection));
        }
        if !asked && let Some(right) = Right::take(&pool.state, worker.id, pool.connections_max.get()) {
            return Ok(Obtained::Right(right));
        }
        queued.set(!asked);
        let now_ms = worker.clock.now_ms();
        let give_up_ms = began_ms + ms(upstream.queue_timeout);
        alarm.set(until.bound(give_up_ms.min(now_ms + MOVE_MS_MAX)), now_ms);
        match wait(turn, alarm).await {
            Some(Turn::Connection(connection)) => return Ok(Obtained::Connection(connection)),
            None if worker.clock.now_ms() >= give_up_ms => {
                return Err(Fault::upstream(Phase::Queue, Kind::Timeout));
            }
            Some(Turn::Room) => asked = false,
            None if let Err(fault) = until.check(Phase::Queue, worker.clock.now_ms()) => return Err(fault),
            None => asked = pool.ask_others(worker, 1),
        }
    }
}

/// Waits for a turn until the alarm rings.
async fn wait(mut turn: oneshot::Receiver<Turn>, alarm: &Alarm) -> Option<Turn> {
    poll_fn(|cx| match Pin::new(&mut turn).poll(cx) {
        Poll::Ready(turn) => Poll::Ready(turn.ok()),
        Poll::Pending => alarm.poll(cx).map(|()| None),
    })
    .await
}

/// A place among those who wait, given back when dropped.
struct Place<'a> {
    state: &'a EndpointState,
    worker: usize,
}

impl<'a> Place<'a> {
    fn take(state: &'a EndpointState, worker: usize, queue_max: u32) -> Option<Self> {
        state.try_wait(worker, queue_max).then_some(Self { state, worker })
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.state.done_waiting(self.worker);
    }
}

/// Opens a connection under the connect timeout.
pub(super) async fn open(
    worker: &Worker,
    upstream: &Upstream,
    pool: &Pool,
    right: Right,
    Patience { until, alarm, .. }: Patience<'_>,
) -> Result<Connection, Fault> {
    let now_ms = worker.clock.now_ms();
    alarm.set(until.bound(now_ms + ms(upstream.connect_timeout)), now_ms);
    let resolved = pool.state.resolved();
    let mut connecting = pin!(io::connect(&pool.state.address, &resolved));
    let outcome = poll_fn(|cx| match connecting.as_mut().poll(cx) {
        Poll::Ready(outcome) => Poll::Ready(outcome.map_err(|error| fault::connect(&error))),
        Poll::Pending => alarm.poll(cx).map(|()| {
            until.check(Phase::Connect, worker.clock.now_ms())?;
            Err(Fault::upstream(Phase::Connect, Kind::Timeout).because("the upstream's connect timeout"))
        }),
    })
    .await;
    let outcome = match (outcome, &pool.state.tls) {
        (Ok(socket), Some(policy)) => tls::connect(worker, socket, policy, alarm).await,
        (outcome, _) => outcome,
    };
    let meter = pool.state.meter.of(worker.id);
    match outcome {
        Ok(socket) => {
            worker.meter.upstream_opened.add(1);
            meter.inspect(|meter| meter.connections_opened.add(1));
            Ok(Connection::new(socket, right))
        }
        Err(fault) => {
            meter.inspect(|meter| meter.connections_failed.add(1));
            drop(right);
            pool.make_room(worker);
            Err(fault)
        }
    }
}
