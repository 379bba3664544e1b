//! Where an attempt goes: the side of a split and the endpoint of an upstream, by what the client sticks to, else by the
//! picker.

use crate::exchange::Exchange;
use crate::known::Known;
use crate::worker::UpstreamSlot;
use std::cell::Cell;
use strait_message::{Fault, Kind, Phase};
use strait_plan::{Route, Upstream};
use strait_traffic::Draw;

/// What a client is told to come back to, by Set-Cookie.
#[derive(Debug, Default)]
pub(crate) struct Sticks {
    /// The side of the split, where that is new to the client.
    side: Cell<Option<usize>>,
    /// The endpoint, where that is new to the client.
    endpoint: Cell<Option<usize>>,
    /// Whether the request came over TLS, here or at a proxy before.
    over_tls: Cell<bool>,
}

impl Sticks {
    /// Appends the Set-Cookie field lines.
    pub(crate) fn append(&self, route: &Route, upstream: &Upstream, out: &mut Vec<u8>) {
        for (sticky, index) in [(&route.sticky, self.side.get()), (&upstream.sticky, self.endpoint.get())] {
            if let (Some(sticky), Some(index)) = (sticky, index) {
                sticky.append(index, self.over_tls.get(), out);
            }
        }
    }
}

/// The upstream of a request: the side that its client sticks to while that has a weight, else the one whose turn it is.
pub(crate) fn upstream(exchange: &Exchange<'_>, route: &Route) -> Option<usize> {
    let Some(sticky) = &route.sticky else { return route.upstream(exchange.adopted.draw()) };
    let known = sticky.find(&exchange.scratch.request.headers).and_then(|side| route.side(side));
    known.or_else(|| {
        let side = route.draw_side(exchange.adopted.draw())?;
        exchange.tally.sticks.side.set(Some(side));
        exchange.tally.sticks.over_tls.set(came_over_tls(exchange));
        route.side(side)
    })
}

/// The endpoint of an attempt.
///
/// # Errors
/// A fault of the phase `Connect` when there is none, or the client sticks strictly to one that cannot be used.
#[inline]
pub(crate) fn endpoint(
    exchange: &Exchange<'_>,
    upstream: &Upstream,
    slot: &UpstreamSlot,
    now_ms: u64,
) -> Result<usize, Fault> {
    if upstream.sticky.is_some()
        && let Some(known) = stuck(exchange, upstream, now_ms)?
    {
        return Ok(known);
    }
    let hash = upstream.hash_key.as_ref().and_then(|key| key.hash(&Known::of(exchange).facts()));
    let draw = Draw { hash, now_ms, tried: &exchange.tally.tried };
    let mut random = exchange.worker.random.borrow_mut();
    let mut roster = slot.roster.borrow_mut();
    let chosen = roster.pick(&upstream.balance, upstream, upstream.state.changes(), &draw, &mut random);
    if upstream.sticky.is_some() {
        exchange.tally.sticks.endpoint.set(chosen);
        exchange.tally.sticks.over_tls.set(came_over_tls(exchange));
    }
    chosen.ok_or(Fault::operator(Phase::Connect, Kind::NoEndpoint).because(NOBODY_LEFT))
}

const NOBODY_LEFT: &str = "no endpoint of the upstream may be chosen: all are drained, or have no address";

/// The endpoint that the client sticks to, if it can be used.
fn stuck(exchange: &Exchange<'_>, upstream: &Upstream, now_ms: u64) -> Result<Option<usize>, Fault> {
    let Some(sticky) = &upstream.sticky else { return Ok(None) };
    let Some(known) = sticky.find(&exchange.scratch.request.headers) else { return Ok(None) };
    let is_fit = upstream.endpoints.get(known).is_some_and(|endpoint| endpoint.keeps_clients(now_ms));
    if sticky.is_strict {
        let refused = Fault::operator(Phase::Connect, Kind::NoEndpoint)
            .because("the endpoint that the client sticks to cannot be used, and it sticks strictly");
        return if is_fit { Ok(Some(known)) } else { Err(refused) };
    }
    let tried = u16::try_from(known).is_ok_and(|known| exchange.tally.tried.contains(known));
    Ok(Some(known).filter(|_| is_fit && !tried))
}

/// Whether the client speaks TLS, as far as is known.
fn came_over_tls(exchange: &Exchange<'_>) -> bool {
    Known::of(exchange).facts().scheme == "https"
}
