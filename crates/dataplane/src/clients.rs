//! How many connections each client has open, for the limit on connections of one client.
//!
//! Shared by the workers, and looked at only when a connection opens or closes under such a limit. A client is in the
//! table as long as it has a connection, so that the limit on all connections bounds it too.
#![allow(clippy::disallowed_types, reason = "a connection under this limit is counted over all workers")]

use foldhash::quality::RandomState;
use std::collections::HashMap;
use std::hash::BuildHasher;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Parts of the table, each with a lock of its own.
const PARTS: usize = 16;

/// Connections by client. Addresses are hashed with a key of this process: nobody outside can make them collide.
#[derive(Debug)]
pub(crate) struct Clients {
    parts: [Mutex<HashMap<IpAddr, u32, RandomState>>; PARTS],
    hasher: RandomState,
}

/// One connection of a client, counted until dropped.
#[derive(Debug)]
pub(crate) struct Counted {
    clients: Arc<Clients>,
    client: IpAddr,
}

impl Clients {
    pub(crate) fn new() -> Arc<Self> {
        Arc::new(Self { parts: Default::default(), hasher: RandomState::default() })
    }

    /// Counts a connection from this address, unless its client has `max` already.
    pub(crate) fn count(self: &Arc<Self>, address: IpAddr, max: u32) -> Option<Counted> {
        let client = client(address);
        let mut part = self.part(client);
        let open = part.get(&client).copied().unwrap_or(0);
        if open >= max {
            return None;
        }
        part.insert(client, open + 1);
        drop(part);
        Some(Counted { clients: self.clone(), client })
    }

    fn part(&self, client: IpAddr) -> MutexGuard<'_, HashMap<IpAddr, u32, RandomState>> {
        let place = self.hasher.hash_one(client) as usize % PARTS;
        let [first, ..] = &self.parts;
        self.parts.get(place).unwrap_or(first).lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut part = self.clients.part(self.client);
        if let Some(open) = part.get_mut(&self.client) {
            *open -= 1;
            if *open == 0 {
                part.remove(&self.client);
            }
        }
        if part.capacity() > 64 && part.len() < part.capacity() / 4 {
            part.shrink_to_fit();
        }
    }
}

/// The client an address belongs to. Whoever has an IPv6 address has the 2^64 beside it too (RFC 6177).
fn client(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => Ipv6Addr::from(u128::from(v6) & !u128::from(u64::MAX)).into(),
        v4 => v4,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::Clients;

    #[test]
    fn a_client_has_so_many_connections_and_gets_their_places_back() {
        let clients = Clients::new();
        let count = |address: &str| clients.count(address.parse().unwrap(), 2);
        let first = count("192.0.2.1").unwrap();
        let _second = count("::ffff:192.0.2.1").unwrap();
        assert!(count("192.0.2.1").is_none());
        assert!(count("192.0.2.2").is_some());
        drop(first);
        assert!(count("192.0.2.1").is_some());
    }

    #[test]
    fn the_first_half_of_an_ipv6_address_is_a_client() {
        let clients = Clients::new();
        let _first = clients.count("2001:db8::1".parse().unwrap(), 1).unwrap();
        assert!(clients.count("2001:db8::ffff:1".parse().unwrap(), 1).is_none());
        assert!(clients.count("2001:db8:0:1::1".parse().unwrap(), 1).is_some());
    }

    #[test]
    fn clients_that_are_gone_are_forgotten() {
        let clients = Clients::new();
        let all: Vec<_> = (0..10_000u32).map(|n| clients.count(std::net::Ipv4Addr::from(n).into(), 1)).collect();
        assert!(all.iter().all(Option::is_some));
        drop(all);
        for part in &clients.parts {
            let part = part.lock().unwrap();
            assert!(part.is_empty() && part.capacity() <= 64, "{}", part.capacity());
        }
    }
}
