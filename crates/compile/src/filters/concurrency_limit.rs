use super::{World, key};
use std::sync::Arc;
use strait_config::Span;
use strait_config::filter::ConcurrencyLimit as Spec;
use strait_filters::concurrency_limit::{ConcurrencyLimit, Running};
use strait_message::Status;

pub(super) fn compile(spec: &Spec, _: Span, world: &mut World<'_>) -> Option<ConcurrencyLimit> {
    let seed = world.seed;
    Some(ConcurrencyLimit {
        max: spec.max,
        key: key::key(&spec.key, 32, 64),
        status: Status::new(spec.status.get()).unwrap_or(Status::UNAVAILABLE),
        dry_run: spec.dry_run,
        running: world.kept.running(&world.home, &format!("{:?}", spec.key), || Arc::new(Running::new(seed))),
    })
}
