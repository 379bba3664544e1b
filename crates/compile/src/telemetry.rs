//! How exchanges are traced, and whose names metrics are shown under.

use strait_config::spec::{LogFields, MetricNames, TraceForm, TraceParents};
use strait_config::{Diagnostic, Snapshot, Spanned, codes};
use strait_plan::{Parents, TraceForms, Tracing};
use strait_record::{ATTRIBUTE_NAMES, Dialect};

pub(crate) fn tracing(snapshot: &Snapshot) -> Option<Tracing> {
    let traces = snapshot.spec.telemetry.traces.as_ref()?;
    let has = |form| traces.propagate.contains(&form);
    Some(Tracing {
        of_100_000: traces.sample.of_100_000(),
        parents: match traces.parents {
            TraceParents::Anyone => Parents::Anyone,
            TraceParents::Trusted => Parents::Trusted,
            TraceParents::Nobody => Parents::Nobody,
        },
        forms: TraceForms { w3c: has(TraceForm::W3c), b3: has(TraceForm::B3), b3_multi: has(TraceForm::B3Multi) },
    })
}

pub(crate) fn dialects(snapshot: &Snapshot) -> Vec<Dialect> {
    let dialect = |name: &MetricNames| match name {
        MetricNames::Nginx => Dialect::Nginx,
        MetricNames::Haproxy => Dialect::Haproxy,
        MetricNames::Envoy => Dialect::Envoy,
        MetricNames::Traefik => Dialect::Traefik,
        MetricNames::Caddy => Dialect::Caddy,
    };
    let mut dialects: Vec<Dialect> = snapshot.spec.telemetry.metrics.compat.iter().map(dialect).collect();
    dialects.sort_unstable();
    dialects.dedup();
    dialects
}

/// The names of the record that are written. Those that no record has are mistakes.
pub(crate) fn names(fields: &LogFields, found: &mut Vec<Diagnostic>) -> Box<[&'static str]> {
    let mistaken = fields.only.iter().chain(&fields.without).filter(|name| !is_known(&name.value));
    found.extend(mistaken.map(unknown));
    let has = |list: &[Spanned<String>], name: &str| list.iter().any(|listed| listed.value == name);
    let wanted = |name: &&str| (fields.only.is_empty() || has(&fields.only, name)) && !has(&fields.without, name);
    let invalid = fields.add.iter().map(|(name, _)| name).filter(|name| !is_name(&name.value));
    found.extend(invalid.map(|name| {
        Diagnostic::error(codes::UNKNOWN_WORD, name.span, format!("`{}` is no name for a log", name.value))
            .label("letters, digits, `.`, `_` and `-`")
    }));
    let taken = fields.add.iter().map(|(name, _)| name);
    found.extend(taken.filter(|name| ATTRIBUTE_NAMES.iter().any(|known| *known == name.value && wanted(known))).map(
        |name| {
            Diagnostic::error(codes::CONFLICTING_KEYS, name.span, format!("`{}` is a name of the record", name.value))
                .label("it would stand there twice")
                .hint("give it another name, or leave that of the record out")
        },
    ));
    ATTRIBUTE_NAMES.into_iter().filter(wanted).collect()
}

fn is_known(name: &str) -> bool {
    ATTRIBUTE_NAMES.contains(&name)
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'.' | b'_' | b'-'))
}

fn unknown(name: &Spanned<String>) -> Diagnostic {
    let mistake = Diagnostic::error(codes::UNKNOWN_WORD, name.span, format!("no record has `{}`", name.value));
    let near = ATTRIBUTE_NAMES.iter().find(|known| known.ends_with(&*name.value) || known.contains(&*name.value));
    match near.filter(|_| !name.value.is_empty()) {
        Some(known) => mistake.label("not a name of the `json` form").replace(
            format!("did you mean `{known}`?"),
            name.span,
            *known,
        ),
        None => mistake.label("not a name of the `json` form").hint("write a record to see its names: `format: json`"),
    }
}
