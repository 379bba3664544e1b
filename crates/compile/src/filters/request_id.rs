use super::World;
use strait_config::Span;
use strait_config::filter::RequestId as Spec;
use strait_filters::FieldName;
use strait_filters::request_id::RequestId;

pub(super) fn compile(spec: &Spec, _: Span, _: &mut World<'_>) -> Option<RequestId> {
    Some(RequestId { header: FieldName::new(spec.header.as_str()), accept: spec.accept })
}
