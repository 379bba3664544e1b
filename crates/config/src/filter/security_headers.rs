use crate::value::{Duration, HeaderValue};
use strait_config_derive::Spec;

/// Sets headers that make browsers careful, where the origin does not set them itself. A word stands for `preset`.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(noun = "`security_headers`", short = "preset", empty_ok, peers(stsSeconds = "hsts", contentSecurityPolicy = "csp", frameDeny = "frame", referrerPolicy = "referrer", permissionsPolicy = "permissions"))]
pub struct SecurityHeaders {
    /// What is set unless a key says otherwise.
    #[spec(default = SecurityPreset::Basic)]
    pub preset: SecurityPreset,
    /// `Strict-Transport-Security`: how long browsers use TLS only. Sent over TLS only; `0s` sends none.
    #[spec(default = Duration::secs(31_536_000))]
    pub hsts: Duration,
    /// Whether that holds for hosts below too.
    #[spec(default = false)]
    pub hsts_subdomains: bool,
    /// Whether browsers may build it in (hstspreload.org).
    #[spec(default = false)]
    pub hsts_preload: bool,
    /// `Content-Security-Policy`.
    #[spec(example = "\"default-src 'self'\"")]
    pub csp: Option<HeaderValue>,
    /// `X-Frame-Options`.
    #[spec(example = "SAMEORIGIN")]
    pub frame: Option<HeaderValue>,
    /// `Referrer-Policy`.
    #[spec(example = "no-referrer")]
    pub referrer: Option<HeaderValue>,
    /// `Permissions-Policy`.
    #[spec(example = "\"camera=(), microphone=()\"")]
    pub permissions: Option<HeaderValue>,
}

/// What is set unless a key says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Spec)]
#[spec(noun = "a preset of security headers", peers(default = "basic"))]
pub enum SecurityPreset {
    /// `X-Content-Type-Options: nosniff`, `X-Frame-Options: SAMEORIGIN`, `Referrer-Policy: strict-origin-when-cross-origin`, `Cross-Origin-Opener-Policy: same-origin-allow-popups`: hardly any site breaks.
    Basic,
    /// `X-Frame-Options: DENY`, `Referrer-Policy: no-referrer`, `Cross-Origin-Opener-Policy` and `Cross-Origin-Resource-Policy: same-origin`, `Content-Security-Policy: default-src 'self'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'`, camera, microphone and location off.
    Strict,
    /// For what is no page: `Content-Security-Policy: default-src 'none'; frame-ancestors 'none'`, `X-Content-Type-Options: nosniff`, `Referrer-Policy: no-referrer`.
    Api,
    /// Nothing but what the keys say.
    None,
}
