use crate::decode::OneOrMany;
use strait_config_derive::Spec;

/// Changes attributes of the cookies that the origin sets. Name, value and the other attributes of a cookie keep their octets.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(noun = "`cookies`", peers(httponly = "http_only", httpOnly = "http_only", samesite = "same_site", sameSite = "same_site", cookies = "names", name = "names"))]
pub struct Cookies {
    /// The cookies that are meant, all if none is named. A name that ends in `*` means every cookie that begins so.
    #[spec(default = OneOrMany::default(), example = "[session, __Host-*]")]
    pub names: OneOrMany<String>,
    /// `true` adds `Secure`, `false` takes it off.
    pub secure: Option<bool>,
    /// `true` adds `HttpOnly`, `false` takes it off.
    pub http_only: Option<bool>,
    /// `true` adds `Partitioned`, `false` takes it off.
    pub partitioned: Option<bool>,
    /// Sets `SameSite`.
    pub same_site: Option<SameSite>,
    /// What becomes of `Domain`.
    #[spec(example = "example.com")]
    pub domain: Option<CookieChange>,
    /// What becomes of `Path`.
    #[spec(example = "{prefix: /app, with: /}")]
    pub path: Option<CookieChange>,
}

/// A value of `SameSite`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Spec)]
#[spec(noun = "a value of `SameSite`", peers(Strict = "strict", Lax = "lax", None = "none"))]
pub enum SameSite {
    /// Sent with requests of the same site only.
    Strict,
    /// Also when a link leads here.
    Lax,
    /// With every request; browsers want `secure` too.
    None,
}

/// What becomes of an attribute of a cookie. A text is its new value; `remove` takes it off.
#[derive(Debug, Clone, PartialEq, Spec)]
#[spec(noun = "a change of an attribute", short = "set", peers(from = "prefix", to = "with"))]
pub struct CookieChange {
    /// The new value, or `remove`.
    #[spec(example = "example.com")]
    pub set: Option<String>,
    /// What the value must begin with to be changed.
    pub prefix: Option<String>,
    /// What comes in place of `prefix`.
    #[spec(default = String::new())]
    pub with: String,
}
