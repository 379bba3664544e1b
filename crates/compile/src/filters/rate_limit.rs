use super::{World, key};
use std::sync::Arc;
use strait_config::Span;
use strait_config::filter::RateLimit as Spec;
use strait_filters::rate_limit::{Quota, RateLimit, State};
use strait_message::Status;

pub(super) fn compile(spec: &Spec, _: Span, world: &mut World<'_>) -> Option<RateLimit> {
    let count = spec.rate.count.max(1);
    let quota = Quota { count, per_s: spec.rate.per_seconds, burst: spec.burst.unwrap_or(count - 1) };
    let keys_max = usize::try_from(spec.keys).unwrap_or(usize::MAX);
    let seed = world.seed;
    // What the counts mean depends on how keys are made and how many there may be; the rate may change.
    let meaning = format!("{:?} {} {} {}", spec.key, spec.ipv4_bits, spec.ipv6_bits, spec.keys);
    Some(RateLimit {
        name: spec.name.replace(|c: char| !c.is_ascii_alphanumeric() && !"-_.".contains(c), "-").into(),
        quota,
        key: key::key(&spec.key, spec.ipv4_bits, spec.ipv6_bits),
        status: Status::new(spec.status.get()).unwrap_or(Status::TOO_MANY_REQUESTS),
        headers: spec.headers,
        dry_run: spec.dry_run,
        state: world.kept.limit(&world.home, &meaning, || Arc::new(State::new(keys_max, seed))),
    })
}
