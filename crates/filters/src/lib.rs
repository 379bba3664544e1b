//! Filters: the steps between finding a route and going upstream, and on the way back.
//!
//! A filter is synchronous and pure. It sees a request's [`Facts`] and head, changes the head, the target or what it
//! noted, and says [`Flow::Continue`], [`Flow::Respond`] or [`Flow::Wait`]: what must wait is returned as data, and
//! whoever runs the chain awaits it and hands the answer back. So the same code serves traffic, answers
//! `strait explain` and runs in tests without a runtime.
//!
//! - [`list`]: THE list. One line is one filter: the enum, the language's `filters:` items, the manual, metrics labels
//!   and completion follow from it.
//! - [`chain`]: the compiled filters of a route, run over a request and in reverse over its response.
//! - [`flow`]: what a filter says.
//! - a folder for each filter: `mod.rs` what it is compiled to, `run.rs` what it does, `tests.rs`.
//!
//! What is written about each filter in a file (keys, ranges, documentation) is a spec type in `config`, in a file of
//! the filter's name: the language's decoder stays above this crate, so that the data plane never links to it.
//!
//! Knows heads, paths and meters; knows nothing about sockets, clocks, tasks or the text of configurations.

#[macro_use]
pub mod list;

pub mod chain;
mod escape;
pub mod evidence;
pub mod facts;
pub mod fields;
pub mod flow;
pub mod key;
pub mod networks;
pub mod notes;
pub mod origins;
pub mod rehearse;
pub mod target;
#[cfg(test)]
mod testing;

macro_rules! modules {
    ($($variant:ident $module:ident;)*) => {
        $(pub mod $module;)*
    };
}

for_each_filter!(modules);

pub use chain::{Chain, Passage, Progress, Step, Stop, Verdict};
pub use facts::{Facts, Now, Request, Response};
pub use fields::{FieldName, FieldPattern};
pub use flow::{Answer, Behaviour, Body, Call, Flow, Reply};
pub use list::{Filter, KINDS, Kind};
pub use notes::Notes;
pub use rehearse::{Ending, Rehearsal};
pub use target::{Target, TargetError};
