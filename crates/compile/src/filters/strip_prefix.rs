use super::World;
use strait_config::Span;
use strait_config::filter::StripPrefix as Spec;
use strait_filters::strip_prefix::StripPrefix;

pub(super) fn compile(spec: &Spec, _: Span, _: &mut World<'_>) -> Option<StripPrefix> {
    Some(StripPrefix::new(spec.prefix.as_str()))
}
