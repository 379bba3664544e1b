//! What an upstream's keys mean together: what cannot be done, and what is accepted but hardly meant.

use crate::codes;
use crate::diagnose::Diagnostic;
use crate::source::Spanned;
use crate::spec::{CheckProtocol, Root, Upstream, UpstreamEndpoint};
use crate::value::Endpoint;

/// Findings about how upstreams are kept well.
pub(super) fn check(spec: &Root, found: &mut Vec<Diagnostic>) {
    for (name, upstream) in &spec.upstreams {
        found.extend(checks_in_plain(name, upstream));
        found.extend(repeats_anything(name, upstream));
        found.extend(ejects_nobody(name, upstream));
        found.extend(checks_overlap(name, upstream));
    }
}

/// A check that speaks to a port that expects TLS would take every endpoint out.
fn checks_in_plain(name: &Spanned<String>, upstream: &Upstream) -> Option<Diagnostic> {
    let check = upstream.health_check.as_ref()?;
    let by_scheme = |endpoint: &UpstreamEndpoint| matches!(endpoint.address.value, Endpoint::Tcp { tls: true, .. });
    let is_tls = upstream.tls.is_some() || upstream.endpoints.iter().any(by_scheme);
    // A connection that opens says as much with TLS behind it as without, and a port of its own is another door.
    let says_something = check.protocol != CheckProtocol::Tcp || !check.script.is_empty();
    let message = format!("the endpoints of `{}` speak TLS, and its check does not", name.value);
    (is_tls && !check.tls.value && says_something && check.port.is_none()).then(|| {
        Diagnostic::error(codes::CONFLICTING_KEYS, check.tls.span, message).label("none would ever pass").replace(
            "write `true`, or name with `port` one that answers without TLS",
            check.tls.span,
            "true".to_owned(),
        )
    })
}

/// An order that is placed twice is not what a retry is for.
fn repeats_anything(name: &Spanned<String>, upstream: &Upstream) -> Option<Diagnostic> {
    let retry = &upstream.retry;
    let risky = retry.non_idempotent && retry.attempts > 1 && !retry.retry_on.is_empty();
    let message =
        format!("requests to `{}` that an origin may have acted on are repeated, POST among them", name.value);
    risky.then(|| {
        Diagnostic::warning(codes::RISKY_RETRY, name.span, message)
            .label("by `non_idempotent`")
            .hint("keep it only where the origin knows a repeated request when it sees one")
    })
}

fn ejects_nobody(name: &Spanned<String>, upstream: &Upstream) -> Option<Diagnostic> {
    let alone = upstream.outlier_detection.is_some() && upstream.endpoints.len() == 1;
    let message = format!("the only endpoint of `{}` is never ejected", name.value);
    alone.then(|| {
        Diagnostic::warning(codes::IDLE_SETTING, name.span, message)
            .label("`outlier_detection` needs a second one")
            .hint("add an endpoint, or remove `outlier_detection`")
    })
}

fn checks_overlap(name: &Spanned<String>, upstream: &Upstream) -> Option<Diagnostic> {
    let check = upstream.health_check.as_ref()?;
    let message = format!("a check of `{}` that fails slowly takes longer than the time between checks", name.value);
    let timeout = check.timeout.filter(|timeout| *timeout > check.interval)?;
    Some(
        Diagnostic::warning(codes::IDLE_SETTING, name.span, message)
            .label(format!("`timeout` is {timeout}, `interval` is {}", check.interval))
            .hint("an endpoint that hangs is then found out later than `interval` promises"),
    )
}
