//! Where a request goes: canonical paths, patterns, the table that finds the most specific one, and why it won.
//!
//! Everything here is a pure function of its arguments: no socket, no clock, no global, no randomness except a
//! seed that is passed in. The same code serves traffic, answers `strait explain` and runs a configuration's tests.
//!
//! - [`path`]: the one canonical path of a request (matching, access rules, cache key, log and upstream use it).
//! - [`target`]: the four forms of a request target (RFC 9112 §3.2) and strict authorities.
//! - [`pattern`]: `[METHOD[,METHOD] ][host][/path]`, with errors a loader can underline.
//! - [`table`]: patterns compiled for lookup; the order they were written in never matters.
//! - [`explain`]: the winner of a lookup and why every other pattern lost.
//! - [`split`]: the weighted choice between targets as a function of a counter.
//!
//! Limits: [`pattern::SEGMENTS_MAX`] segments and [`pattern::CAPTURES_MAX`] captures a pattern,
//! [`table::PLACEMENTS_MAX`] placements of `{captures}` a host and depth, [`target::HOST_LEN_MAX`] bytes a host name.

pub mod explain;
pub mod method;
pub mod path;
pub mod pattern;
mod rank;
pub mod split;
pub mod table;
pub mod target;

pub use explain::{Candidate, Explanation, Lost};
pub use method::{MethodFit, MethodSet};
pub use path::{PathError, PathFlaw, PathRules, canonical, canonical_by};
pub use pattern::{HostPattern, Pattern, PatternError, Segment};
pub use split::pick;
pub use table::{Captures, Conflict, Example, Found, Miss, PatternIndex, RouteId, Table, TableError};
pub use target::{Authority, AuthorityError, Host, Scheme, Target, TargetError};
