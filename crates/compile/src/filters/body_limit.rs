use super::World;
use strait_config::Span;
use strait_config::filter::BodyLimit as Spec;
use strait_filters::body_limit::BodyLimit;

pub(super) fn compile(spec: &Spec, _: Span, _: &mut World<'_>) -> Option<BodyLimit> {
    Some(BodyLimit {
        request_octets_max: spec.request.map(|size| size.get()),
        response_octets_max: spec.response.map(|size| size.get()),
    })
}
