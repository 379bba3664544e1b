//! What the language and the plan can say and workers do not do yet: refused, so that a file that loads does
//! everything it says. A line here goes when the data plane reads the plan's field.

use strait_config::spec::{RetryOn, Upstream};
use strait_config::{Diagnostic, Snapshot, Spanned, codes};

/// An error for each thing that is written and would be ignored.
pub(crate) fn refusals(snapshot: &Snapshot) -> Vec<Diagnostic> {
    let one_reason = snapshot.spec.upstreams.iter().filter(|(_, upstream)| retries_for_one_reason(upstream));
    one_reason
        .map(|(name, _)| refusal(name, "`retry_on` with one reason only", "name both, or write `attempts: 1`"))
        .collect()
}

fn retries_for_one_reason(upstream: &Upstream) -> bool {
    let has = |reason| upstream.retry.retry_on.contains(&reason);
    upstream.retry.attempts > 1 && has(RetryOn::ConnectFailure) != has(RetryOn::Reset)
}

fn refusal(name: &Spanned<String>, what: &str, hint: &str) -> Diagnostic {
    let message = format!("{what} is not built yet");
    Diagnostic::error(codes::NOT_BUILT, name.span, message).label("written here").hint(hint)
}
