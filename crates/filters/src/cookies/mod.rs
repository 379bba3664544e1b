//! `cookies`: changes attributes of the cookies that an origin sets.

mod run;
#[cfg(test)]
mod tests;

/// Changes attributes of Set-Cookie fields (RFC 6265 §4.1). The cookie's name, value and other attributes keep their
/// octets.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cookies {
    /// The cookies that are meant; empty for all. A name that ends in `*` is the beginning of names.
    pub names: Vec<Box<str>>,
    /// `Secure`: put on, taken off, or left as it is.
    pub secure: Option<bool>,
    /// `HttpOnly`, likewise.
    pub http_only: Option<bool>,
    /// `Partitioned`, likewise.
    pub partitioned: Option<bool>,
    /// The value of `SameSite`, if it is set: `Strict`, `Lax` or `None`.
    pub same_site: Option<&'static str>,
    /// What becomes of `Domain`.
    pub domain: Change,
    /// What becomes of `Path`.
    pub path: Change,
}

/// What becomes of an attribute with a value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Change {
    /// It stays.
    #[default]
    Keep,
    /// It is taken off.
    Remove,
    /// It gets this value, where it was there or not.
    Set(Box<str>),
    /// Where its value begins with the first, that is replaced by the second.
    Prefix(Box<str>, Box<str>),
}
