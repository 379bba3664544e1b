use super::World;
use strait_config::Span;
use strait_config::filter::Fault as Spec;
use strait_filters::FieldName;
use strait_filters::fault::Fault;
use strait_message::Status;

pub(super) fn compile(spec: &Spec, _: Span, _: &mut World<'_>) -> Option<Fault> {
    let share = spec.percent.of_100_000();
    let millis = |delay: std::time::Duration| u64::try_from(delay.as_millis()).unwrap_or(u64::MAX);
    let header = spec.header.as_ref().map(|name| (FieldName::new(name.as_str()), spec.value.as_deref().map(Into::into)));
    Some(Fault {
        header,
        delay: spec.delay.map(|delay| (millis(delay.into()), share)),
        abort: spec.abort.and_then(|status| Status::new(status.get())).map(|status| (status, share)),
    })
}
