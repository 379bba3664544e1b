use super::World;
use strait_config::Span;
use strait_config::filter::{CookieChange, Cookies as Spec, SameSite};
use strait_filters::cookies::{Change, Cookies};

pub(super) fn compile(spec: &Spec, _: Span, _: &mut World<'_>) -> Option<Cookies> {
    Some(Cookies {
        names: spec.names.iter().map(|name| name.as_str().into()).collect(),
        secure: spec.secure,
        http_only: spec.http_only,
        partitioned: spec.partitioned,
        same_site: spec.same_site.map(|value| match value {
            SameSite::Strict => "Strict",
            SameSite::Lax => "Lax",
            SameSite::None => "None",
        }),
        domain: change(spec.domain.as_ref()),
        path: change(spec.path.as_ref()),
    })
}

fn change(spec: Option<&CookieChange>) -> Change {
    match spec {
        None => Change::Keep,
        Some(CookieChange { prefix: Some(prefix), with, .. }) => {
            Change::Prefix(prefix.as_str().into(), with.as_str().into())
        }
        Some(CookieChange { set: Some(value), .. }) if value == "remove" => Change::Remove,
        Some(CookieChange { set: Some(value), .. }) => Change::Set(value.as_str().into()),
        Some(CookieChange { set: None, prefix: None, .. }) => Change::Keep,
    }
}
