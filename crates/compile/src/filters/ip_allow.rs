use super::{World, lists};
use strait_config::Span;
use strait_config::filter::IpAllow as Spec;
use strait_filters::ip_allow::IpAllow;

pub(super) fn compile(spec: &Spec, span: Span, world: &mut World<'_>) -> Option<IpAllow> {
    lists::networks(&spec.networks, spec.file.as_ref(), span, world).map(|networks| IpAllow { networks })
}
