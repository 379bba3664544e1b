//! What each client does, while somebody watches.

use std::collections::HashMap;
use std::net::IpAddr;
use strait_record::{AccessRecord, BOUNDS_US};

/// Clients that are told apart; what any further ones do is counted together.
pub const CLIENTS_MAX: usize = 10_000;

/// What a client did since the watch began.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClientFigures {
    /// The client; `None` for all those that are not told apart, or have no address.
    pub client: Option<IpAddr>,
    /// Exchanges.
    pub exchanges: u64,
    /// Those of them that ended in a fault or with a status of the class 5xx.
    pub errors: u64,
    /// Their durations in the buckets of [`BOUNDS_US`], not cumulative.
    pub durations: [u64; BOUNDS_US.len() + 1],
}

#[derive(Debug, Default)]
pub(super) struct Clients {
    by_address: HashMap<IpAddr, ClientFigures>,
    others: ClientFigures,
}

impl Clients {
    pub(super) fn count(&mut self, record: &AccessRecord<'_>) {
        let client = record.client.map(|client| client.ip().to_canonical());
        let room = self.by_address.len() < CLIENTS_MAX;
        let told_apart = client.filter(|client| room || self.by_address.contains_key(client));
        let figures = match told_apart {
            Some(client) => self.by_address.entry(client).or_default(),
            None => &mut self.others,
        };
        figures.client = told_apart;
        figures.exchanges += 1;
        figures.errors += u64::from(record.has_failed());
        let bucket = BOUNDS_US.partition_point(|bound| *bound < record.duration_us);
        if let Some(count) = figures.durations.get_mut(bucket) {
            *count += 1;
        }
    }

    pub(super) fn figures(&self) -> Vec<ClientFigures> {
        let some = Some(&self.others).filter(|others| others.exchanges > 0);
        let mut all: Vec<_> = self.by_address.values().chain(some).cloned().collect();
        all.sort_by_key(|figures| std::cmp::Reverse(figures.exchanges));
        all
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
