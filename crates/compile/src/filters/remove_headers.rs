use super::World;
use strait_config::Span;
use strait_config::filter::RemoveHeaders as Spec;
use strait_config::value::HeaderName;
use strait_filters::FieldPattern;
use strait_filters::remove_headers::RemoveHeaders;

pub(super) fn compile(spec: &Spec, _: Span, _: &mut World<'_>) -> Option<RemoveHeaders> {
    Some(RemoveHeaders { request: patterns(&spec.request), response: patterns(&spec.response) })
}

fn patterns(names: &[HeaderName]) -> Vec<FieldPattern> {
    names.iter().map(|name| FieldPattern::new(name.as_str())).collect()
}
