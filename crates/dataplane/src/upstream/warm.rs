//! Connections opened beforehand, where that is asked for: the first requests then wait for none.

use super::connect::{Patience, open};
use super::pool::{Pool, Right};
use crate::deadline::Until;
use crate::worker::{Adopted, Worker};
use std::cell::Cell;
use std::rc::Rc;

/// Nothing from outside ends the wait: connecting has a timeout of its own.
const NO_END: Until = Until { exchange_ms: u64::MAX, attempt_ms: u64::MAX };

/// Sees to the endpoints that have fewer idle connections than are asked for. Called once a second.
pub(crate) fn top_up(worker: &Rc<Worker>, now_ms: u64) {
    let adopted = worker.adopted();
    for (index, (upstream, slot)) in adopted.plan.upstreams.iter().zip(&adopted.upstreams).enumerate() {
        if upstream.keep_alive_warm == 0 || upstream.variant_of.is_some() {
            continue;
        }
        for (endpoint, pool) in upstream.endpoints.iter().zip(&slot.pools) {
            let wanted = pool.idle() < upstream.keep_alive_warm && endpoint.state.standing.is_available(now_ms);
            if wanted && !pool.warming.replace(true) {
                tokio::task::spawn_local(fill(worker.clone(), adopted.clone(), index, pool.clone()));
            }
        }
    }
}

/// Opens connections one after the other until there are enough, or one cannot be opened: then it is tried again later.
async fn fill(worker: Rc<Worker>, adopted: Rc<Adopted>, upstream: usize, pool: Rc<Pool>) {
    let alarm = worker.wheel.alarm();
    let queued = Cell::new(false);
    let patience =
        Patience { until: NO_END, alarm: &alarm, queued: &queued, priority: strait_plan::QueuePriority::Low };
    if let Some(upstream) = adopted.plan.upstreams.get(upstream) {
        while pool.idle() < upstream.keep_alive_warm && !worker.draining.get() {
            worker.clock.begin_turn();
            let Some(right) = Right::take(&pool.state, worker.id, pool.connections_max.get()) else { break };
            let Ok(connection) = open(&worker, upstream, &pool, right, patience).await else { break };
            worker.clock.begin_turn();
            pool.give_back(&worker, connection);
        }
    }
    pool.warming.set(false);
}
