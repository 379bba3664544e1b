//! `query`: changes parameters of the query, and leaves the octets of the others alone.

mod run;
#[cfg(test)]
mod tests;

/// Changes parameters of the query. Names are compared decoded; what is not named keeps its octets and its place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Parameters that are removed.
    pub remove: Vec<Box<str>>,
    /// If not empty, the only parameters that are kept.
    pub keep: Vec<Box<str>>,
    /// Old names with new ones.
    pub rename: Vec<(Box<str>, Box<str>)>,
    /// Parameters that replace every one of their name.
    pub set: Vec<(Box<str>, Box<str>)>,
    /// Parameters that come behind the others.
    pub append: Vec<(Box<str>, Box<str>)>,
}
