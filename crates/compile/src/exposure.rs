//! What is open to more people than is likely meant.

use crate::assertions::is_public;
use crate::codes;
use strait_config::value::Cidr;
use strait_config::{Diagnostic, Snapshot, Spanned};

/// A warning for an admin API that others reach, and for each list of trusted proxies that is everybody.
pub(crate) fn warnings(snapshot: &Snapshot) -> Vec<Diagnostic> {
    let spec = &snapshot.spec;
    let admin = spec.admin.address.get().filter(|address| address.span.is_written() && is_public(&address.value));
    let admin = admin.map(|address| {
        let port = address.value.port().unwrap_or(9900);
        let local = format!("127.0.0.1:{port}");
        let message = format!("the admin API on `{}` is reached from other machines", address.value);
        Diagnostic::warning(codes::TOO_OPEN, address.span, message)
            .label("whoever reaches it reads metrics, names of upstreams and addresses of endpoints")
            .replace(format!("write {local}, and let others in by a firewall or a route"), address.span, local)
    });
    let own = spec.listeners.iter().filter_map(|(_, listener)| listener.trusted_proxies.as_deref());
    let lists = own.chain([&*spec.trusted_proxies]);
    let everybody = lists.flatten().filter(|network| network.value.0.prefix_len() == 0).map(trusts_all);
    admin.into_iter().chain(everybody).collect()
}

fn trusts_all(network: &Spanned<Cidr>) -> Diagnostic {
    Diagnostic::warning(
        codes::TOO_OPEN,
        network.span,
        format!("`{}` trusts everybody's X-Forwarded-For", network.value),
    )
    .label("any client may say it is another one: lists of addresses and limits by client mean nothing")
    .hint("name the networks of your proxies, such as 10.0.0.0/8")
}
