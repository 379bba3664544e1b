//! Connections to endpoints: kept, opened, waited for, moved between workers; and the engine that drives one.

pub(crate) mod connect;
pub(crate) mod h1;
mod pool;
mod warm;

pub(crate) use connect::{Patience, acquire};
pub(crate) use pool::{Connection, Handed, Pool, Pools};
pub(crate) use warm::top_up;
