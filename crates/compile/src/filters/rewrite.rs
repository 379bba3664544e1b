use super::World;
use strait_config::Span;
use strait_config::filter::Rewrite as Spec;
use strait_filters::rewrite::Rewrite;

pub(super) fn compile(spec: &Spec, _: Span, _: &mut World<'_>) -> Option<Rewrite> {
    let with = spec.with.as_deref().unwrap_or_default();
    match (&spec.path, &spec.prefix, &spec.regex) {
        (Some(path), ..) => Some(Rewrite::whole(path)),
        (_, Some(prefix), _) => Some(Rewrite::prefix(prefix.as_str(), with)),
        (.., Some(regex)) => Some(Rewrite::regex(regex.get().clone(), with)),
        // Loading asks for one of them.
        (None, None, None) => None,
    }
}
