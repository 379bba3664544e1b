use super::World;
use crate::texts::Texts;
use strait_config::Span;
use strait_config::filter::{HeaderMode, SetHeaders as Spec};
use strait_filters::FieldName;
use strait_filters::set_headers::{Mode, SetHeaders};

pub(super) fn compile(spec: &Spec, _: Span, world: &mut World<'_>) -> Option<SetHeaders> {
    let mode = match spec.mode {
        HeaderMode::Set => Mode::Set,
        HeaderMode::Append => Mode::Append,
        HeaderMode::IfAbsent => Mode::IfAbsent,
    };
    let mut texts = Texts::of(world.snapshot, &world.pattern, &mut world.found);
    let edits = [texts.request_edits(&spec.request, &[]), texts.response_edits(&spec.response, &[])];
    let named = |(name, template): (Box<str>, _)| (FieldName::new(&name), template);
    let [request, response] = edits.map(|edits| edits.set.into_iter().map(named).collect());
    Some(SetHeaders { mode, request, response })
}
