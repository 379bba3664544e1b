//! Which endpoint of an upstream a request would go to, by the roster and picker that serve.

use super::{CHOICES_SHOWN, Member, Share};
use std::sync::Arc;
use strait_plan::{Absence, Endpoint, Facts, Sticky, Upstream};
use strait_traffic::{Candidate, Draw, Endpoints, Picker, Random, Roster, Standing, Tried};

/// An upstream with its part of a route's requests, and what of it would be chosen now.
pub(super) fn share(upstream: &Upstream, weight: u32, facts: &Facts<'_>, now_ms: u64) -> Share {
    let key = upstream.hash_key.as_ref();
    let hash = key.and_then(|key| key.hash(facts));
    let balance = match (key, hash) {
        (None, _) => upstream.balance.picker.to_string(),
        (Some(key), Some(hash)) => format!("{} by {key}: {hash:016x}", upstream.balance.picker),
        (Some(key), None) => format!("{} by {key}, which the request does not have", upstream.balance.picker),
    };
    let sticks = upstream.sticky.as_ref().map(|sticky| sticks(sticky, upstream, facts));
    Share {
        upstream: upstream.name.clone(),
        weight,
        balance,
        sticks,
        endpoints: upstream.endpoints.iter().map(|endpoint| member(endpoint, now_ms)).collect(),
        order: order(upstream, hash, now_ms),
        chosen_by_key: hash.is_some(),
    }
}

fn sticks(sticky: &Sticky, upstream: &Upstream, facts: &Facts<'_>) -> String {
    let known = sticky.find(facts.headers).and_then(|at| upstream.endpoints.get(at));
    match known {
        Some(known) => format!("the cookie {} names {}", sticky.cookie, known.name),
        None => format!("no cookie {} that names an endpoint: one is set", sticky.cookie),
    }
}

fn member(endpoint: &Endpoint, now_ms: u64) -> Member {
    let mut notes = Vec::new();
    let weight = endpoint.weight_now();
    if weight != endpoint.weight {
        notes.push(format!("weight set in operation, {} in the configuration", endpoint.weight));
    }
    if endpoint.tier > 0 {
        notes.push(format!("tier {}", endpoint.tier));
    }
    match endpoint.state.standing.absence(now_ms) {
        // Nobody resolves names where no process serves.
        None | Some(Absence::Unresolved) => {}
        Some(Absence::Ejected { until_ms }) => notes.push(format!("ejected for {}ms more", until_ms - now_ms)),
        Some(absence) => notes.push(absence.word().to_owned()),
    }
    Member { name: endpoint.name.clone(), weight, notes }
}

/// The first endpoints that one worker would choose; for a key, its own and those it would go to after that. Nothing
/// where chance decides.
fn order(upstream: &Upstream, hash: Option<u64>, now_ms: u64) -> Vec<Arc<str>> {
    let in_turn = upstream.balance.picker == Picker::RoundRobin;
    if !in_turn && hash.is_none() {
        return Vec::new();
    }
    let (mut roster, mut random) = (Roster::new(0, 1), Random::seeded(0));
    let mut tried = Tried::default();
    let view = Resolved(upstream);
    let mut chosen = Vec::new();
    let count = if in_turn { CHOICES_SHOWN } else { CHOICES_SHOWN.min(upstream.endpoints.len()) };
    for _ in 0..count {
        let draw = Draw { hash, now_ms, tried: &tried };
        let Some(next) = roster.pick(&upstream.balance, &view, upstream.state.changes(), &draw, &mut random) else {
            break;
        };
        if !in_turn {
            if u16::try_from(next).is_ok_and(|next| tried.contains(next)) {
                break;
            }
            tried.add(next);
        }
        chosen.extend(upstream.endpoints.get(next).map(|endpoint| endpoint.name.clone()));
    }
    if in_turn { chosen.into_iter().take(shown(upstream)).collect() } else { chosen }
}

/// One round, when that is short.
fn shown(upstream: &Upstream) -> usize {
    let weights: Vec<u32> = upstream.endpoints.iter().map(Endpoint::weight_now).collect();
    strait_traffic::schedule(&weights).len().min(CHOICES_SHOWN)
}

/// An upstream none of whose names were resolved, as if they all were: nobody serves, and it is asked what would be.
struct Resolved<'u>(&'u Upstream);

impl Endpoints for Resolved<'_> {
    fn count(&self) -> usize {
        self.0.count()
    }

    fn candidate(&self, endpoint: usize, now_ms: u64) -> Candidate {
        let absence = |endpoint: &Endpoint| endpoint.state.standing.absence(now_ms);
        let nobody_resolves = self.0.endpoints.iter().all(|one| matches!(absence(one), Some(Absence::Unresolved)));
        let candidate = self.0.candidate(endpoint, now_ms);
        if nobody_resolves { Candidate { standing: Standing::Available, ..candidate } } else { candidate }
    }

    fn running(&self, endpoint: usize) -> u32 {
        self.0.running(endpoint)
    }

    fn running_in_all(&self) -> u32 {
        self.0.running_in_all()
    }

    fn latency_us(&self, endpoint: usize, now_ms: u64, decay_ms: u32) -> u32 {
        self.0.latency_us(endpoint, now_ms, decay_ms)
    }
}
