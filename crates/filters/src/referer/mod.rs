//! `referer`: who may link to and embed what a route serves.

mod run;
#[cfg(test)]
mod tests;

/// Refuses requests that pages of unknown hosts lead to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referer {
    /// Hosts whose pages may, in lower case; what begins with `*.` means every host below.
    pub hosts: Vec<Box<str>>,
    /// Whether requests that name no page go on. Browsers name none when a user types a URL, and privacy tools never do.
    pub without: bool,
}
