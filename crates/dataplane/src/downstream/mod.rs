//! Client connections, by the version of HTTP they speak.

pub(crate) mod h1;
pub(crate) mod h2;
mod server;

pub(crate) use server::{Server, end_lane};
