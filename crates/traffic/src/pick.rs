//! The algorithms. All of them choose among the members of one tier of a [`Roster`], and keep away from endpoints that
//! the exchange has tried as long as there is another.

use crate::hash::{HashTable, Table, rehash};
use crate::random::scaled;
use crate::roster::{Balance, Endpoints, Roster, Standing, Tier};
use crate::{Random, Tried};
use std::fmt;
use std::sync::Arc;

/// Endpoints drawn before all are looked through.
const DRAWS_MAX: usize = 8;
/// Choices of a table that are looked at before all endpoints are.
const CHOICES_MAX: u32 = 64;
/// What an endpoint counts for that has attempts running and has never answered: slower than any that did.
const UNKNOWN_US: u64 = 10_000_000;

/// An algorithm that chooses an endpoint.
#[derive(Clone, Debug, PartialEq)]
pub enum Picker {
    /// Smooth weighted round robin: in turn, heavy ones often and never in a burst.
    RoundRobin,
    /// By chance, by weight.
    Random,
    /// Of a few drawn by weight, the one with the fewest running attempts for its weight.
    LeastRequest {
        /// How many are drawn; two are enough.
        choices: u8,
    },
    /// Of two drawn by weight, the one where a request is likely to be answered first: by latency and running attempts.
    PeakEwma {
        /// How long a peak is remembered, in milliseconds.
        decay_ms: u32,
    },
    /// The same endpoint for the same key.
    ConsistentHash(Arc<HashTable>),
}

/// What a choice depends on beside the endpoints.
#[derive(Clone, Copy, Debug)]
pub struct Draw<'a> {
    /// The hash of the request's key. `None` when the picker asks for none, or the request has none: then chance
    /// decides.
    pub hash: Option<u64>,
    /// Now.
    pub now_ms: u64,
    /// Endpoints to keep away from, if there are others.
    pub tried: &'a Tried,
}

impl Picker {
    /// Whether it looks at running attempts, which somebody must then count.
    pub fn needs_loads(&self) -> bool {
        match self {
            Self::RoundRobin | Self::Random => false,
            Self::LeastRequest { .. } | Self::PeakEwma { .. } => true,
            Self::ConsistentHash(table) => table.load_max_percent.is_some(),
        }
    }

    pub(crate) fn has_table(&self) -> bool {
        matches!(self, Self::ConsistentHash(_))
    }
}

/// As it is written in a configuration, with its settings.
impl fmt::Display for Picker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RoundRobin => f.write_str("round_robin"),
            Self::Random => f.write_str("random"),
            Self::LeastRequest { choices } => write!(f, "least_request of {choices}"),
            Self::PeakEwma { decay_ms } => write!(f, "peak_ewma, decay {decay_ms}ms"),
            Self::ConsistentHash(table) => {
                let is_ring = matches!(table.tiers.first(), Some(Table::Ring(_)));
                write!(f, "consistent_hash, {}", if is_ring { "ring" } else { "maglev" })?;
                table.load_max_percent.map_or(Ok(()), |percent| write!(f, ", bounded load {percent}%"))
            }
        }
    }
}

/// One choice in the making.
struct Choice<'a, E> {
    endpoints: &'a E,
    draw: &'a Draw<'a>,
    /// Standings may have changed since the roster was made: each choice is looked at again.
    is_stale: bool,
}

/// Chooses from a tier of the roster; `None` when it has no members.
#[inline]
pub(crate) fn pick<E: Endpoints>(
    roster: &mut Roster,
    tier: usize,
    balance: &Balance,
    endpoints: &E,
    draw: &Draw<'_>,
    random: &mut Random,
) -> Option<u16> {
    let is_stale = roster.is_behind;
    let Roster { tiers, kept, .. } = roster;
    let members = tiers.get_mut(tier)?;
    let choice = Choice { endpoints, draw, is_stale: is_stale && !members.is_panicking };
    let chosen = match &balance.picker {
        Picker::RoundRobin => choice.in_turn(members),
        Picker::Random => choice.by_chance(members, random),
        Picker::LeastRequest { choices } => choice.least_of(members, *choices, random),
        Picker::PeakEwma { decay_ms } => choice.fastest_of(members, *decay_ms, random),
        Picker::ConsistentHash(table) => {
            choice.by_hash(table, tier, members, kept, draw.hash.unwrap_or_else(|| random.draw()))
        }
    };
    // With every one tried, or none left, one that was tried is better than nothing.
    chosen.or_else(|| choice.any(members, random, |_| true))
}

impl<E: Endpoints> Choice<'_, E> {
    #[inline]
    fn is_fit(&self, endpoint: u16) -> bool {
        let fit = !self.is_stale
            || self.endpoints.candidate(endpoint.into(), self.draw.now_ms).standing == Standing::Available;
        fit && !self.draw.tried.contains(endpoint)
    }

    /// The next in the order.
    #[inline]
    fn in_turn(&self, tier: &mut Tier) -> Option<u16> {
        let length = if tier.order.is_empty() { tier.members.len() } else { tier.order.len() };
        for _ in 0..length {
            let at = if tier.cursor < length { tier.cursor } else { 0 };
            tier.cursor = at + 1;
            let endpoint = tier.at(at)?;
            if self.is_fit(endpoint) {
                return Some(endpoint);
            }
        }
        None
    }

    /// One drawn by weight.
    fn by_chance(&self, tier: &Tier, random: &mut Random) -> Option<u16> {
        let drawn = (0..DRAWS_MAX).find_map(|_| tier.draw(random.draw()).filter(|&endpoint| self.is_fit(endpoint)));
        drawn.or_else(|| self.any(tier, random, |endpoint| self.is_fit(endpoint)))
    }

    /// Any that will do, looking through all from a random place on.
    #[cold]
    fn any(&self, tier: &Tier, random: &mut Random, will_do: impl Fn(u16) -> bool) -> Option<u16> {
        let start = random.below(tier.members.len() as u64) as usize;
        let (before, after) = tier.members.split_at_checked(start)?;
        after.iter().chain(before).copied().find(|&endpoint| will_do(endpoint))
    }

    /// Of a few, the least loaded for its weight; of equals the first drawn, so that weights hold without load too.
    fn least_of(&self, tier: &Tier, choices: u8, random: &mut Random) -> Option<u16> {
        let load = |endpoint: u16| u64::from(self.endpoints.running(endpoint.into()));
        self.best_of(tier, (choices, EXACT), random, load)
    }

    /// Of two, the one that is likely to answer first. Both are drawn by weight already, so that what runs is reckoned
    /// against the weight and the latency is not: of two that are equally quick and have nothing to do neither is better.
    fn fastest_of(&self, tier: &Tier, decay_ms: u32, random: &mut Random) -> Option<u16> {
        let average = tier.weight_average();
        self.best_of(tier, (2, NOISE), random, |endpoint| {
            let weight = tier.weight_of(endpoint);
            let endpoint = usize::from(endpoint);
            let running = u64::from(self.endpoints.running(endpoint));
            let latency_us = u64::from(self.endpoints.latency_us(endpoint, self.draw.now_ms, decay_ms));
            match (latency_us, running) {
                (0, running) => UNKNOWN_US * running * average,
                (latency_us, running) => latency_us.saturating_mul(weight + running * average),
            }
        })
    }

    /// The cheapest for its weight of a few that are drawn by weight; the first of them that is as cheap but for noise.
    fn best_of(
        &self,
        tier: &Tier,
        (choices, noise): (u8, u128),
        random: &mut Random,
        cost: impl Fn(u16) -> u64,
    ) -> Option<u16> {
        let mut best = self.by_chance(tier, random)?;
        if tier.members.len() < 2 {
            return Some(best);
        }
        let mut least = (cost(best), tier.weight_of(best));
        for _ in 1..choices.max(2) {
            let other = tier.draw(random.draw()).filter(|&other| other != best);
            // Drawn twice: the other of two, or any other.
            let Some(other) = other.or_else(|| self.any(tier, random, |other| other != best)) else { break };
            if !self.is_fit(other) {
                continue;
            }
            let found = (cost(other), tier.weight_of(other));
            // Costs for their weights, without a division.
            let (new, old) = (u128::from(found.0) * u128::from(least.1), u128::from(least.0) * u128::from(found.1));
            if new * 8 < old * (8 - noise) {
                (best, least) = (other, found);
            }
        }
        Some(best)
    }

    /// The endpoint of a key: the first of its choices that is a member, keeps the key and has room.
    fn by_hash(&self, table: &HashTable, tier: usize, members: &Tier, kept: &[u16], hash: u64) -> Option<u16> {
        let slots = table.tiers.get(tier)?;
        let room = table.load_max_percent.map(|percent| Room::of(self.endpoints, members, percent));
        let fits = |endpoint: u16| {
            members.has(endpoint)
                && self.is_fit(endpoint)
                && keeps(kept, endpoint, hash)
                && room.as_ref().is_none_or(|room| room.has(self.endpoints, members, endpoint))
        };
        let mut choices = (0..CHOICES_MAX).map_while(|nth| slots.choice(hash, nth));
        choices.find(|&endpoint| fits(endpoint)).or_else(|| self.nearest(members, hash))
    }

    /// Where a key goes whose choices are all taken: the fit member with the highest hash together with it
    /// (rendezvous hashing), with the least load where that counts.
    #[cold]
    fn nearest(&self, tier: &Tier, hash: u64) -> Option<u16> {
        let fit = tier.members.iter().copied().filter(|&endpoint| self.is_fit(endpoint));
        let load = |endpoint: u16| std::cmp::Reverse(self.endpoints.running(endpoint.into()));
        fit.max_by_key(|&endpoint| (load(endpoint), rehash(hash, u32::from(endpoint) + CHOICES_MAX)))
    }
}

/// Whether an endpoint that gives up part of its keys keeps this one.
fn keeps(kept: &[u16], endpoint: u16, hash: u64) -> bool {
    let part = kept.get(usize::from(endpoint)).copied().unwrap_or(1000);
    part >= 1000 || scaled(rehash(hash, u32::MAX - u32::from(endpoint)), 1000) < u64::from(part)
}

/// The bound on loads (Mirrokni 2016): nobody gets more than `percent` of the fair share of all that runs.
struct Room {
    /// The attempts there will be with this one, times the percentage.
    allowed: u128,
    weight: u128,
}

impl Room {
    fn of(endpoints: &impl Endpoints, tier: &Tier, percent: u32) -> Self {
        let running = u128::from(endpoints.running_in_all()) + 1;
        Self { allowed: running * u128::from(percent), weight: u128::from(tier.weight()) }
    }

    /// Whether one more stays within the share, rounded up.
    fn has(&self, endpoints: &impl Endpoints, tier: &Tier, endpoint: u16) -> bool {
        let share = self.allowed * u128::from(tier.weight_of(endpoint));
        let most = share.div_ceil((100 * self.weight).max(1));
        u128::from(endpoints.running(endpoint.into())) < most
    }
}

/// Eighths by which a cost must be less to count as less. Latencies are estimates that fade: without a margin those that
/// were asked longest ago would win, and not by weight.
const NOISE: u128 = 1;
const EXACT: u128 = 0;

impl Tier {
    /// The member at a place in the rounds.
    #[inline]
    fn at(&self, place: usize) -> Option<u16> {
        let member = if self.order.is_empty() { place } else { usize::from(*self.order.get(place)?) };
        self.members.get(member).copied()
    }

    /// The member that a random number draws, by weight.
    #[inline]
    fn draw(&self, number: u64) -> Option<u16> {
        let member = match self.sums.last() {
            None => scaled(number, self.members.len() as u64) as usize,
            Some(&sum) => {
                let place = scaled(number, sum);
                self.sums.partition_point(|&upto| upto <= place)
            }
        };
        self.members.get(member).copied()
    }

    /// Members are in the order of their indices.
    fn position(&self, endpoint: u16) -> Option<usize> {
        if self.members.get(usize::from(endpoint)) == Some(&endpoint) {
            return Some(endpoint.into());
        }
        self.members.binary_search(&endpoint).ok()
    }

    fn has(&self, endpoint: u16) -> bool {
        self.position(endpoint).is_some()
    }

    /// The average of its members' weights, rounded up.
    fn weight_average(&self) -> u64 {
        self.sums.last().map_or(1, |sum| sum.div_ceil(self.members.len().max(1) as u64))
    }

    /// The weight of a member; one for all when they are equal.
    fn weight_of(&self, endpoint: u16) -> u64 {
        if self.sums.is_empty() {
            return 1;
        }
        let Some(at) = self.position(endpoint) else { return 1 };
        let upto = |at: Option<usize>| at.and_then(|at| self.sums.get(at)).copied().unwrap_or(0);
        upto(Some(at)) - upto(at.checked_sub(1))
    }

    fn weight(&self) -> u64 {
        self.sums.last().copied().unwrap_or(self.members.len() as u64)
    }
}
