use super::World;
use strait_config::Span;
use strait_config::filter::{HeaderMode, SetHeaders as Spec};
use strait_config::value::Headers;
use strait_filters::FieldName;
use strait_filters::set_headers::{Mode, SetHeaders};

pub(super) fn compile(spec: &Spec, _: Span, _: &mut World<'_>) -> Option<SetHeaders> {
    let mode = match spec.mode {
        HeaderMode::Set => Mode::Set,
        HeaderMode::Append => Mode::Append,
        HeaderMode::IfAbsent => Mode::IfAbsent,
    };
    Some(SetHeaders { mode, request: fields(&spec.request), response: fields(&spec.response) })
}

fn fields(headers: &Headers) -> Vec<(FieldName, Box<str>)> {
    headers.iter().map(|(name, value)| (FieldName::new(name.as_str()), value.as_str().into())).collect()
}
