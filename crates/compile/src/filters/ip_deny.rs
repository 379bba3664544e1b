use super::{World, lists};
use strait_config::Span;
use strait_config::filter::IpDeny as Spec;
use strait_filters::ip_deny::IpDeny;

pub(super) fn compile(spec: &Spec, span: Span, world: &mut World<'_>) -> Option<IpDeny> {
    lists::networks(&spec.networks, spec.file.as_ref(), span, world).map(|networks| IpDeny { networks })
}
