use super::World;
use strait_config::Span;
use strait_config::filter::{SecurityHeaders as Spec, SecurityPreset};
use strait_filters::FieldName;
use strait_filters::security_headers::SecurityHeaders;

const FRAME: &str = "X-Frame-Options";
const REFERRER: &str = "Referrer-Policy";
const CSP: &str = "Content-Security-Policy";
const PERMISSIONS: &str = "Permissions-Policy";
const NOSNIFF: (&str, &str) = ("X-Content-Type-Options", "nosniff");
const OPENER: &str = "Cross-Origin-Opener-Policy";

/// What a preset sets.
fn preset(preset: SecurityPreset) -> &'static [(&'static str, &'static str)] {
    match preset {
        SecurityPreset::Basic => &[
            NOSNIFF,
            (FRAME, "SAMEORIGIN"),
            (REFERRER, "strict-origin-when-cross-origin"),
            (OPENER, "same-origin-allow-popups"),
        ],
        SecurityPreset::Strict => &[
            NOSNIFF,
            (FRAME, "DENY"),
            (REFERRER, "no-referrer"),
            (OPENER, "same-origin"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
            (CSP, "default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"),
            (PERMISSIONS, "camera=(), microphone=(), geolocation=()"),
        ],
        SecurityPreset::Api => &[NOSNIFF, (REFERRER, "no-referrer"), (CSP, "default-src 'none'; frame-ancestors 'none'")],
        SecurityPreset::None => &[],
    }
}

pub(super) fn compile(spec: &Spec, _: Span, _: &mut World<'_>) -> Option<SecurityHeaders> {
    let own = [(CSP, &spec.csp), (FRAME, &spec.frame), (REFERRER, &spec.referrer), (PERMISSIONS, &spec.permissions)];
    let own: Vec<(&str, &str)> =
        own.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?.as_str()))).collect();
    let preset = preset(spec.preset).iter().copied().filter(|(name, _)| own.iter().all(|(other, _)| other != name));
    let fields = preset.chain(own.iter().copied()).map(|(name, value)| (FieldName::new(name), value.into())).collect();
    Some(SecurityHeaders { fields, hsts: hsts(spec) })
}

/// RFC 6797 section 6.1.
fn hsts(spec: &Spec) -> Box<str> {
    let seconds = std::time::Duration::from(spec.hsts).as_secs();
    if seconds == 0 {
        return Box::default();
    }
    let below = if spec.hsts_subdomains || spec.hsts_preload { "; includeSubDomains" } else { "" };
    let preload = if spec.hsts_preload { "; preload" } else { "" };
    format!("max-age={seconds}{below}{preload}").into()
}
