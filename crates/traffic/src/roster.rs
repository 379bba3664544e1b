use crate::pick::{Draw, Picker};
use crate::ramp::Ramp;
use crate::spill::{TierHealth, shares};
use crate::{Random, schedule};

/// How an upstream spreads load.
#[derive(Clone, Debug, PartialEq)]
pub struct Balance {
    /// The algorithm.
    pub picker: Picker,
    /// Below this percentage of available endpoints all of a tier are chosen among; zero never does that.
    pub panic_percent: u8,
    /// What a tier bears in percent of its healthy part before it spills to the next.
    pub overprovision_percent: u32,
    /// How an endpoint that comes (back) gets its share.
    pub slow_start: Option<Ramp>,
}

impl Default for Balance {
    /// Round robin; below half of them available all endpoints are used; spill as Envoy does.
    fn default() -> Self {
        Self { picker: Picker::RoundRobin, panic_percent: 50, overprovision_percent: 140, slow_start: None }
    }
}

/// Whether an endpoint may be chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It may.
    Available,
    /// It is believed not to work: only when too few others are left.
    Failing,
    /// It is out on purpose, or cannot be reached at all: never.
    Out,
}

/// An endpoint as a roster sees it.
#[derive(Clone, Copy, Debug)]
pub struct Candidate {
    /// Its share, against the weights of the others; zero gets nothing.
    pub weight: u32,
    /// The weight that a table of the picker was made with.
    pub table_weight: u32,
    /// Its tier; the first is zero.
    pub tier: u8,
    /// Whether it may be chosen.
    pub standing: Standing,
    /// When that changes by time alone; `u64::MAX` for never.
    pub until_ms: u64,
    /// Since when it is there or back, where that was noted: where its slow start begins.
    pub since_ms: Option<u64>,
}

/// The endpoints of an upstream, as they are now.
pub trait Endpoints {
    /// How many there are.
    fn count(&self) -> usize;
    /// One of them.
    fn candidate(&self, endpoint: usize, now_ms: u64) -> Candidate;
    /// Attempts running on it, over all workers. Zero unless the picker asks for loads.
    fn running(&self, endpoint: usize) -> u32;
    /// Attempts running on all of them.
    fn running_in_all(&self) -> u32;
    /// How slow it is, in microseconds; zero when nothing is known.
    fn latency_us(&self, endpoint: usize, now_ms: u64, decay_ms: u32) -> u32;
}

/// The largest weight, so that its thousandths fit into 32 bits.
pub const WEIGHT_MAX: u32 = 1_000_000;

/// Endpoints of large upstreams whose standing changes are looked through again at most once in a time that grows with
/// their number, so that changes never cost more than this part of a worker: so many endpoints a millisecond.
const LOOKED_AT_PER_MS: usize = 256;

/// Who may be chosen now, and how often: what one worker has worked out about an upstream.
#[derive(Clone, Debug, Default)]
pub struct Roster {
    pub(crate) tiers: Vec<Tier>,
    /// For pickers with a table: the part of its keys an endpoint keeps, in thousandths. Empty when all keep all.
    pub(crate) kept: Vec<u16>,
    /// There was a change that was not looked at yet.
    pub(crate) is_behind: bool,
    /// The count of changes this was made from; `None` when it was not made yet.
    made_from: Option<u64>,
    made_ms: u64,
    until_ms: u64,
    /// Where the first round begins, as a part of 2³².
    offset: u32,
}

/// The endpoints of one tier that may be chosen.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tier {
    /// What it gets of the requests, in percent.
    pub(crate) share: u8,
    /// Too few are available: all are chosen among.
    pub(crate) is_panicking: bool,
    /// Those that may be chosen.
    pub(crate) members: Vec<u16>,
    /// The sum of weights up to each member; empty when all are equal.
    pub(crate) sums: Vec<u64>,
    /// The order of round robin, as indices into `members`; empty when all are equal, or where it is not used.
    pub(crate) order: Vec<u16>,
    /// Where in the order the worker is.
    pub(crate) cursor: usize,
}

impl Roster {
    /// An empty roster. `worker` of `workers` is where it begins in its rounds, so that few requests on many workers
    /// spread well.
    pub fn new(worker: usize, workers: usize) -> Self {
        let offset = ((worker as u64) << 32) / workers.max(1) as u64;
        Self { offset: u32::try_from(offset).unwrap_or(0), ..Self::default() }
    }

    /// The roster of the same upstream with other endpoints: it looks again, and goes on in its rounds.
    pub fn renewed(&self) -> Self {
        let tier = |tier: &Tier| Tier { cursor: tier.cursor, ..Tier::default() };
        Self { tiers: self.tiers.iter().map(tier).collect(), offset: self.offset, ..Self::default() }
    }

    /// Chooses an endpoint. `changes` counts the changes of standing and weight of the endpoints so far.
    #[inline]
    pub fn pick(
        &mut self,
        balance: &Balance,
        endpoints: &impl Endpoints,
        changes: u64,
        draw: &Draw<'_>,
        random: &mut Random,
    ) -> Option<usize> {
        if self.made_from != Some(changes) || draw.now_ms >= self.until_ms {
            self.look_again(balance, endpoints, changes, draw.now_ms);
        }
        let tier = self.tier(draw, random);
        crate::pick::pick(self, tier, balance, endpoints, draw, random).map(usize::from)
    }

    /// The tier of a request: by its hash where it has one, so that a key stays where it is, else by chance.
    #[inline]
    fn tier(&self, draw: &Draw<'_>, random: &mut Random) -> usize {
        if self.tiers.first().is_none_or(|tier| tier.share == 100) {
            return 0;
        }
        let number = draw.hash.map_or_else(|| random.draw(), crate::hash::mix);
        let mut place = crate::random::scaled(number, 100);
        let falls_here = |tier: &Tier| {
            let here = place < u64::from(tier.share);
            place = place.saturating_sub(u64::from(tier.share));
            here
        };
        self.tiers.iter().position(falls_here).unwrap_or(0)
    }

    #[cold]
    fn look_again(&mut self, balance: &Balance, endpoints: &impl Endpoints, changes: u64, now_ms: u64) {
        let rest_ms = (endpoints.count() / LOOKED_AT_PER_MS) as u64;
        self.is_behind = self.made_from.is_some() && now_ms < self.made_ms.saturating_add(rest_ms);
        if self.is_behind {
            return;
        }
        let survey = Survey::of(balance, endpoints, now_ms);
        let (shares, bears_all) = shares(&survey.health, balance.overprovision_percent);
        let old = std::mem::take(&mut self.tiers);
        let tiers = (0..).zip(&survey.health).zip(shares).map(|((nth, health), share)| {
            let is_panicking = !bears_all && health.percent() < u32::from(balance.panic_percent);
            let mut tier = survey.tier(nth, is_panicking, balance.picker == Picker::RoundRobin);
            tier.share = share;
            tier.cursor = old.get(usize::from(nth)).map_or_else(|| tier.begin(self.offset), |old| old.cursor);
            tier
        });
        self.tiers = tiers.collect();
        self.kept = if balance.picker.has_table() { survey.kept() } else { Vec::new() };
        (self.made_from, self.made_ms, self.until_ms) = (Some(changes), now_ms, survey.until_ms);
    }

    /// What each tier gets of the requests in percent, and whether it panics: for whoever asks why.
    pub fn tiers(&self) -> impl Iterator<Item = (u8, bool)> {
        self.tiers.iter().map(|tier| (tier.share, tier.is_panicking))
    }
}

impl Tier {
    fn begin(&self, offset: u32) -> usize {
        let length = if self.order.is_empty() { self.members.len() } else { self.order.len() };
        ((length as u64 * u64::from(offset)) >> 32) as usize
    }
}

/// All endpoints of an upstream at one instant.
struct Survey {
    candidates: Vec<Seen>,
    health: Vec<TierHealth>,
    until_ms: u64,
}

struct Seen {
    candidate: Candidate,
    /// The part of its weight it gets now, in thousandths.
    part: u32,
}

impl Survey {
    fn of(balance: &Balance, endpoints: &impl Endpoints, now_ms: u64) -> Self {
        let mut survey =
            Self { candidates: Vec::with_capacity(endpoints.count()), health: Vec::new(), until_ms: u64::MAX };
        for endpoint in 0..endpoints.count() {
            let candidate = endpoints.candidate(endpoint, now_ms);
            let whole = (1000, u64::MAX);
            let ramp = balance.slow_start.as_ref().zip(candidate.since_ms);
            let (part, step_ms) = ramp.map_or(whole, |(ramp, since_ms)| ramp.at(since_ms, now_ms));
            survey.until_ms = survey.until_ms.min(candidate.until_ms).min(step_ms);
            survey.count(&candidate);
            survey.candidates.push(Seen { candidate, part });
        }
        survey
    }

    fn count(&mut self, candidate: &Candidate) {
        let tier = usize::from(candidate.tier);
        if self.health.len() <= tier {
            self.health.resize(tier + 1, TierHealth::default());
        }
        if let Some(health) = self.health.get_mut(tier).filter(|_| candidate.is_wanted()) {
            health.total += 1;
            health.available += u32::from(candidate.standing == Standing::Available);
        }
    }

    fn tier(&self, nth: u8, is_panicking: bool, in_rounds: bool) -> Tier {
        let eligible = |seen: &&(u16, &Seen)| {
            let candidate = &seen.1.candidate;
            let fit = candidate.standing == Standing::Available || (is_panicking && candidate.is_wanted());
            candidate.tier == nth && candidate.weight > 0 && fit
        };
        let all: Vec<_> = (0..u16::MAX).zip(&self.candidates).collect();
        let members: Vec<_> = all.iter().filter(eligible).collect();
        let weights: Vec<u32> = members.iter().map(|(_, seen)| seen.weight()).collect();
        let members = members.iter().map(|(endpoint, _)| *endpoint).collect();
        let first = weights.first().copied();
        let equal = weights.iter().all(|&weight| Some(weight) == first);
        Tier {
            is_panicking,
            members,
            sums: if equal { Vec::new() } else { sums(&weights) },
            order: if equal || !in_rounds { Vec::new() } else { schedule(&weights) },
            ..Tier::default()
        }
    }

    /// The part of the keys of its table that each endpoint keeps: fewer while it is in slow start, or when its weight
    /// was lowered since the table was made. One whose weight was raised is served by the others giving up keys.
    fn kept(&self) -> Vec<u16> {
        let most = self.candidates.iter().map(Seen::of_table).max().unwrap_or(0).max(1);
        if self.candidates.iter().all(|seen| seen.of_table() == most) {
            return Vec::new();
        }
        let kept = |seen: &Seen| u16::try_from(seen.of_table() * 1000 / most).unwrap_or(1000);
        self.candidates.iter().map(kept).collect()
    }
}

fn sums(weights: &[u32]) -> Vec<u64> {
    let mut sum = 0;
    let add = |&weight: &u32| {
        sum += u64::from(weight);
        sum
    };
    weights.iter().map(add).collect()
}

impl Seen {
    /// In thousandths, so that the parts of small weights differ; a factor that all have changes nothing.
    fn weight(&self) -> u32 {
        self.candidate.weight.saturating_mul(self.part)
    }

    /// Its weight now, in thousandths of the weight its table was made with.
    fn of_table(&self) -> u64 {
        u64::from(self.weight()) / u64::from(self.candidate.table_weight.max(1))
    }
}

impl Candidate {
    /// Whether it counts among those there are.
    fn is_wanted(&self) -> bool {
        self.weight > 0 && self.standing != Standing::Out
    }
}
