use super::World;
use strait_config::Span;
use strait_config::filter::AddPrefix as Spec;
use strait_filters::add_prefix::AddPrefix;

pub(super) fn compile(spec: &Spec, _: Span, _: &mut World<'_>) -> Option<AddPrefix> {
    Some(AddPrefix::new(spec.prefix.as_str()))
}
