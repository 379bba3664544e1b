//! How an upstream spreads load, from the words of the language to tables.

use strait_config::spec::{self, Algorithm, HashAlgorithm};
use strait_config::value::{HashKey as Written, Percent};
use strait_plan::{Endpoint, HashKey};
use strait_traffic::{Balance, Entry, HashTable, Picker, Ramp, Table, hash};

/// What the spec says about choosing among these endpoints.
pub(crate) fn balance(spec: &spec::Upstream, endpoints: &[Endpoint]) -> Balance {
    Balance {
        picker: picker(&spec.balance, endpoints),
        panic_percent: whole(spec.panic_threshold).try_into().unwrap_or(100),
        overprovision_percent: whole(spec.overprovisioning),
        slow_start: spec.slow_start.as_ref().map(ramp),
    }
}

fn picker(spec: &spec::Balance, endpoints: &[Endpoint]) -> Picker {
    let peak_ewma =
        |decay: std::time::Duration| Picker::PeakEwma { decay_ms: decay.as_millis().try_into().unwrap_or(u32::MAX) };
    let settings = match spec {
        spec::Balance::Named(Algorithm::RoundRobin) => return Picker::RoundRobin,
        spec::Balance::Named(Algorithm::Random) => return Picker::Random,
        spec::Balance::Named(Algorithm::LeastRequest) => return Picker::LeastRequest { choices: 2 },
        spec::Balance::Named(Algorithm::PeakEwma) => return peak_ewma(spec::PeakEwma::default().decay.into()),
        spec::Balance::Set(settings) => settings,
    };
    match (&settings.least_request, &settings.peak_ewma, &settings.consistent_hash) {
        (Some(least), ..) => Picker::LeastRequest { choices: least.choices.try_into().unwrap_or(u8::MAX) },
        (_, Some(ewma), _) => peak_ewma(ewma.decay.into()),
        (.., Some(hash)) => Picker::ConsistentHash(table(hash, endpoints).into()),
        // Loading refuses a map of none.
        _ => Picker::RoundRobin,
    }
}

/// A table for each tier, from the endpoints' names and weights alone.
fn table(spec: &spec::ConsistentHash, endpoints: &[Endpoint]) -> HashTable {
    let last = endpoints.iter().map(|endpoint| endpoint.tier).max().unwrap_or(0);
    let of_tier = |tier: u8| {
        let all = (0..u16::MAX).zip(endpoints).filter(move |(_, endpoint)| endpoint.tier == tier);
        let entry = |(at, endpoint): (u16, &Endpoint)| Entry {
            hash: hash(endpoint.name.as_bytes()),
            weight: endpoint.weight,
            endpoint: at,
        };
        let entries: Vec<_> = all.map(entry).collect();
        match spec.algorithm {
            HashAlgorithm::Ring => Table::ring(&entries),
            HashAlgorithm::Maglev => Table::maglev(&entries, spec.table_size.get()),
        }
    };
    HashTable { tiers: (0..=last).map(of_tier).collect(), load_max_percent: spec.bounded_load.map(whole) }
}

/// The key that consistent hashing asks for.
pub(crate) fn hash_key(spec: &spec::Balance) -> Option<HashKey> {
    let spec::Balance::Set(settings) = spec else { return None };
    Some(match &settings.consistent_hash.as_ref()?.by {
        Written::Address => HashKey::Address,
        Written::Header(name) => HashKey::Header(name.as_str().into()),
        Written::Cookie(name) => HashKey::Cookie(name.as_str().into()),
        Written::Parameter(name) => HashKey::Parameter(name.as_str().into()),
        Written::Query => HashKey::Query,
        Written::Path => HashKey::Path,
        Written::Host => HashKey::Host,
    })
}

fn ramp(spec: &spec::SlowStart) -> Ramp {
    let duration: std::time::Duration = spec.duration.into();
    Ramp {
        duration_ms: duration.as_millis().try_into().unwrap_or(u64::MAX),
        share_min_percent: whole(spec.begin).try_into().unwrap_or(100),
        aggression: spec.aggression.factor() as f32,
    }
}

/// Percent in whole numbers, rounded down.
fn whole(percent: Percent) -> u32 {
    u32::try_from(percent.as_whole()).unwrap_or(u32::MAX)
}
