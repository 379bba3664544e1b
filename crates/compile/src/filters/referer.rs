use super::World;
use strait_config::Span;
use strait_config::filter::Referer as Spec;
use strait_filters::referer::Referer;

pub(super) fn compile(spec: &Spec, _: Span, _: &mut World<'_>) -> Option<Referer> {
    let hosts = spec.hosts.iter().map(|host| host.to_ascii_lowercase().into()).collect();
    Some(Referer { hosts, without: spec.without })
}
