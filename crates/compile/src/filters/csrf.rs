use super::World;
use strait_config::Span;
use strait_config::filter::Csrf as Spec;
use strait_filters::csrf::Csrf;
use strait_filters::origins::Origins;

pub(super) fn compile(spec: &Spec, _: Span, _: &mut World<'_>) -> Option<Csrf> {
    Some(Csrf { origins: Origins::new(spec.origins.iter().map(|origin| origin.as_str())) })
}
