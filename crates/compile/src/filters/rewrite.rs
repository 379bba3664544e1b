use super::World;
use crate::texts::Texts;
use strait_config::Span;
use strait_config::filter::Rewrite as Spec;
use strait_filters::rewrite::Rewrite;

pub(super) fn compile(spec: &Spec, _: Span, world: &mut World<'_>) -> Option<Rewrite> {
    let with = spec.with.as_deref().unwrap_or_default();
    match (&spec.path, &spec.prefix, &spec.regex) {
        (Some(path), ..) => Some(match path.value.as_literal() {
            Some(literal) => Rewrite::whole(literal),
            None => {
                let mut texts = Texts::of(world.snapshot, &world.pattern, &mut world.found);
                Rewrite::Template(texts.template(&path.value, path.span))
            }
        }),
        (_, Some(prefix), _) => Some(Rewrite::prefix(prefix.as_str(), with)),
        (.., Some(regex)) => Some(Rewrite::regex(regex.get().clone(), with)),
        // Loading asks for one of them.
        (None, None, None) => None,
    }
}
