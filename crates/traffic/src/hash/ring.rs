//! The hash ring (Karger 1997, as in ketama): every endpoint has points on a circle, in number by its weight.

use super::{Entry, mix};

/// Points of an endpoint of average weight: its part of the circle is then within 4.4 % (one standard deviation) of
/// its fair share.
pub const REPLICAS_PER_ENDPOINT: u64 = 512;
/// Points of a ring at most, but for one an endpoint.
const POINTS_MAX: u64 = 1 << 20;

pub(super) fn build(entries: &[Entry]) -> Box<[(u32, u16)]> {
    let entries = entries.iter().filter(|entry| entry.weight > 0);
    let weight: u64 = entries.clone().map(|entry| u64::from(entry.weight)).sum();
    let points = (entries.clone().count() as u64 * REPLICAS_PER_ENDPOINT).min(POINTS_MAX);
    let replicas = |entry: &Entry| (points * u64::from(entry.weight) / weight.max(1)).max(1);
    let of_one = |entry: &Entry| {
        let (hash, endpoint) = (entry.hash, entry.endpoint);
        (0..replicas(entry)).map(move |replica| (point(hash, replica), hash, endpoint))
    };
    let mut ring: Vec<_> = entries.flat_map(of_one).collect();
    // Points that coincide are ordered by the endpoint's hash, so that the order of the endpoints does not matter.
    ring.sort_unstable_by_key(|&(point, hash, _)| (point, hash));
    ring.into_iter().map(|(point, _, endpoint)| (point, endpoint)).collect()
}

fn point(hash: u64, replica: u64) -> u32 {
    (mix(hash ^ mix(replica.wrapping_add(1))) >> 32) as u32
}

/// The n-th point after the key.
pub(super) fn choice(points: &[(u32, u16)], hash: u64, nth: u32) -> Option<u16> {
    let key = (hash >> 32) as u32;
    let next = points.partition_point(|&(point, _)| point < key);
    let at = (next + nth as usize).checked_rem(points.len())?;
    points.get(at).map(|&(_, endpoint)| endpoint)
}
